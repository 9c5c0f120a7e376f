/*
 * plan_view.h - a plan as a person reads it before saying yes.
 */
#ifndef CLI_PLAN_VIEW_H
#define CLI_PLAN_VIEW_H

#include <stdio.h>

#include "engine/engine.h"

/* Builds the plan, or prints everything that is in its way, each with its place. Returns -1, or the
   exit code of a command that cannot go on. */
int plan_view_build(const struct experiment *experiment, const char *run_id, uint64_t seed,
		    struct arena *arena, const struct secrets *secrets, struct plan *ret_plan);

void plan_view_print(const struct plan *plan, FILE *stream, const struct secrets *secrets);

#endif
