/*
 * plan_view.h - a plan as a person reads it before saying yes.
 */
#ifndef CLI_PLAN_VIEW_H
#define CLI_PLAN_VIEW_H

#include <stdio.h>

#include "engine/engine.h"

void plan_view_print(const struct plan *plan, FILE *stream, const struct secrets *secrets);

#endif
