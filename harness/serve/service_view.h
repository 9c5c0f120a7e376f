/*
 * service_view.h - one service as the overview shows it: its newest drill, its newest measured recovery, its
 * newest proof. Pure.
 */
#ifndef SERVE_SERVICE_VIEW_H
#define SERVE_SERVICE_VIEW_H

#include "serve/history.h"

struct service_view {
	const struct kpi_scenario *last;   /* with the newest drill; NULL: none */
	const struct kpi_scenario *proof;  /* with the newest proof; NULL: none */
	const struct run_facts *measured;  /* the newest drill with an observed RTO; NULL: none */
	size_t scenario_count;
	size_t proven_count;               /* of these: proven, and not too long ago */
};

void service_view(const struct kpi *kpi, size_t service, struct service_view *ret_view);

/* What a state looks like. */
enum verdict service_state_tone(enum kpi_state state);

/* "4.31 s to 4.36 s", "no outage", "never recovered", "not known" */
const char *service_rto_words(const struct run_facts *run, struct arena *arena);
const char *service_rpo_words(const struct run_facts *run, struct arena *arena);

#endif
