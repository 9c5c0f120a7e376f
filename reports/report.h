/*
 * report.h - the contract of a report writer: a story in, text out. One file and one row each.
 *
 * Writers are pure: the same story gives the same bytes. They never see the store or a clock.
 */
#ifndef REPORTS_REPORT_H
#define REPORTS_REPORT_H

#include "base/err.h"
#include "base/mem.h"
#include "model/story.h"

struct report_style {
	bool has_colour; /* terminal escapes wanted (text only) */
	uint32_t columns; /* width of the terminal; 0: 80 */
};

struct report_ops {
	const char *name;      /* "html" */
	const char *file_name; /* "report.html" */
	const char *summary;
	bool (*write)(const struct story *story, const struct report_style *style,
		      struct text *ret_bytes, struct err *e);
};

const struct report_ops *report_find(const char *name);
const struct report_ops *const *report_table(size_t *ret_count);

#endif
