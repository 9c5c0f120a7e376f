/*
 * permit_parts.h - what the files behind permit.h share: permit.c (who is hit), permit_when.c (the moment
 * and the people).
 */
#ifndef ENGINE_PERMIT_PARTS_H
#define ENGINE_PERMIT_PARTS_H

#include "engine/permit.h"

struct permit_bench {
	const struct permit_question *question;
	const struct policy *policy;
	struct arena *arena;
	struct permit_refusal *refusals;
	size_t refusal_count;
	struct text grounds; /* "; " between */
};

/* The same sentence is said once. */
void permit_refuse(struct permit_bench *bench, enum permit_rule rule, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void permit_ground(struct permit_bench *bench, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "2026-11-21T10:20Z" */
const char *permit_wall(struct arena *arena, int64_t wall_ns);

void permit_check_stop(struct permit_bench *bench);
void permit_check_moment(struct permit_bench *bench);
void permit_check_people(struct permit_bench *bench);

#endif
