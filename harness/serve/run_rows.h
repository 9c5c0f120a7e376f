/*
 * run_rows.h - runs as rows of a table, the same on every page that lists some.
 */
#ifndef SERVE_RUN_ROWS_H
#define SERVE_RUN_ROWS_H

#include "serve/page.h"

void run_rows(const struct visit *visit, const char *label, const struct history_run *const *runs,
	      size_t count, struct text *body);

#endif
