/*
 * report.h - the contract of a report writer: a story in, bytes out. One file and one row each.
 *
 * Writers are pure: the same story gives the same bytes. They never see the store or a clock.
 * Callers use report_write, never a row's `write`: it is the one place where secrets are hidden.
 */
#ifndef REPORTS_REPORT_H
#define REPORTS_REPORT_H

#include "base/err.h"
#include "base/mem.h"
#include "model/story.h"
#include "model/trials.h"

struct report_style {
	bool has_colour;  /* terminal escapes wanted (text only) */
	bool is_utf8;     /* block characters and marks may be used (text only); else plain ASCII */
	uint32_t columns; /* width of the terminal; 0: 80 */
};

struct report_ops {
	const char *name;      /* "html" */
	const char *file_name; /* "report.html" */
	const char *summary;
	bool is_binary;        /* a picture: not for a terminal, and its bytes are not searched */
	bool (*write)(const struct story *story, const struct report_style *style,
		      struct text *ret_bytes, struct err *e);
	/* The same for a set of trials; NULL: this format has none. */
	bool (*write_set)(const struct trial_set *set, const struct report_style *style,
			  struct text *ret_bytes, struct err *e);
};

/*
 * Appends the whole report. Secrets are hidden twice: in every text of the story before the writer
 * sees it (escaping or drawing would disguise them), and in the finished bytes of text formats.
 */
bool report_write(const struct report_ops *ops, const struct story *story,
		  const struct report_style *style, struct text *ret_bytes, struct err *e);

/* ERR_INPUT when the format has no form for sets. */
bool report_write_set(const struct report_ops *ops, const struct trial_set *set,
		      const struct report_style *style, struct text *ret_bytes, struct err *e);

/* NULL when there is none of this name. */
const struct report_ops *report_find(const char *name);
const struct report_ops *const *report_table(size_t *ret_count);

#endif
