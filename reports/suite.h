/*
 * suite.h - the reports of a suite: how each format tells it, and the words they share.
 *
 * Writers are pure: the same suite gives the same bytes. Callers use suite_report_write, which hides
 * the secrets.
 */
#ifndef REPORTS_SUITE_H
#define REPORTS_SUITE_H

#include "model/suite.h"
#include "reports/report.h"
#include "reports/words.h"

struct suite_report_ops {
	const char *name;      /* "json" */
	const char *file_name; /* "suite.json"; NULL: it is printed only */
	void (*write)(const struct suite *suite, const struct report_style *style,
		      struct text *ret_bytes);
};

const struct suite_report_ops *const *suite_report_table(size_t *ret_count);
/* NULL when there is none of this name. */
const struct suite_report_ops *suite_report_find(const char *name);
void suite_report_write(const struct suite_report_ops *ops, const struct suite *suite,
			const struct report_style *style, struct text *ret_bytes);

/* How many of the suite's experiments came to this code. */
size_t suite_count(const struct suite *suite, enum run_exit code);
/* "2 met, 1 missed, 1 not started": only what there is. */
void suite_add_counts(const struct suite *suite, struct text *text);
/* What a suite with this code has come to, in a sentence: the table of docs/ci.md. */
const char *suite_exit_meaning(enum run_exit code);
/* "4.31 s to 4.35 s", of trials "median 4.2 s to 4.3 s of 5"; "" when nothing was measured. */
const char *suite_recovery(const struct suite_drill *drill, char text[WORDS_BYTES]);

#endif
