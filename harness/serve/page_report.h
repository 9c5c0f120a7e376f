/*
 * page_report.h - the HTML report of a run, for pages that show it.
 */
#ifndef SERVE_PAGE_REPORT_H
#define SERVE_PAGE_REPORT_H

#include "serve/page.h"

/* Appends the whole document. */
bool page_report_write(const struct visit *visit, const char *run_id, struct text *ret_bytes,
		       struct err *e);

#endif
