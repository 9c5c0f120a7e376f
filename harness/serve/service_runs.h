/*
 * service_runs.h - the drills of one service, a page of them at a time: by their facts, so that only those are
 * read that are shown. Runs that harmed nothing are of no service.
 */
#ifndef SERVE_SERVICE_RUNS_H
#define SERVE_SERVICE_RUNS_H

#include "serve/history.h"

struct service_choice {
	const char *service; /* as the pages call it */
	const char *verdict; /* as history_word has it; "": any */
	const char *text;    /* in the title or the id; "": any */
	size_t skip;         /* so many of the newest */
	size_t limit;
};

/* *ret_chosen_count: on all pages. */
bool service_runs(struct store *store, const struct kpi *kpi, const struct service_choice *choice,
		  struct arena *arena, struct history_run **ret_runs, size_t *ret_count,
		  size_t *ret_chosen_count, struct err *e);

#endif
