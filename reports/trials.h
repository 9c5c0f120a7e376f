/*
 * trials.h - what the reports of a set of trials share: how each format writes one, and its words.
 */
#ifndef REPORTS_TRIALS_H
#define REPORTS_TRIALS_H

#include "model/trials.h"
#include "reports/report.h"
#include "reports/words.h"

#define TRIALS_WRITER(name)                                                              \
	bool trials_##name##_write(const struct trial_set *set, const struct report_style *style, \
				   struct text *ret_bytes, struct err *e)

TRIALS_WRITER(text);
TRIALS_WRITER(json);
TRIALS_WRITER(junit);
TRIALS_WRITER(markdown);
TRIALS_WRITER(html);

/* "4.31 s to 4.35 s", "2 min 0 s or more" when it has no upper bound. */
const char *trials_span(struct span span, char text[WORDS_BYTES]);
/* "4.31 s to 4.35 s", "no outage seen", "never recovered (down at least 2 min 0 s)" */
const char *trials_rto(const struct trial *trial, char text[WORDS_BYTES]);
/* The verdict of the trial's own rto; VERDICT_NONE when none was promised. */
enum verdict trials_rto_verdict(const struct trial *trial);

/* The rows of the summary, in the order of the report: "fastest", "median", "p95", "slowest". */
struct trials_quantile {
	const char *name;
	const char *key; /* for machines */
	struct span span;
};

enum { TRIALS_QUANTILES = 4 };

void trials_quantiles(const struct trial_set *set,
		      struct trials_quantile ret_quantiles[TRIALS_QUANTILES]);
/* What the summary leaves out or turns into a bound: "2 never recovered, 1 saw no outage"; or "". */
const char *trials_remark(const struct trial_set *set, char text[WORDS_BYTES]);

#endif
