/*
 * kpi.h - rows of facts in, a history in numbers out. Pure: no store, no clock, no environment, so both
 * stores and every test ask the same function. docs/kpi.md has the definitions and their reasons.
 */
#ifndef ENGINE_KPI_H
#define ENGINE_KPI_H

#include "base/mem.h"
#include "base/zone.h"
#include "model/kpi.h"

struct kpi_request {
	const struct facts_subject *subjects;
	size_t subject_count;
	const struct run_facts *runs; /* in any order; each names a subject */
	size_t run_count;
	uint64_t missing_count;       /* runs without facts: told, and in no number */
	/* What should have been tried: makes rows that say so when it was not. No scenario: the
	   service alone. */
	const struct facts_subject *expected;
	size_t expected_count;
	const struct zone *zone;      /* where months begin */
	const char *zone_name;
	int64_t now_wall_ns;
	int64_t since_wall_ns;        /* runs that began before it only count as proof; 0: all count */
	int64_t stale_after_ns;
	int64_t confidence_ppm;       /* of each bound, more than 500,000 and less than 1,000,000 */
	const char *service;          /* only this one; NULL: all */
	const char *environment;      /* only this one; NULL: all */
};

/* The answer borrows the rows and the request's texts; the rest lives in the arena. */
void kpi_compute(const struct kpi_request *request, struct arena *arena, struct kpi *ret_kpi);

#endif
