/*
 * trend_chart.h - the observed RTO of a service under one scenario, drill after drill, as inline SVG: each
 * span a bar, the target a line. Pure.
 */
#ifndef SERVE_TREND_CHART_H
#define SERVE_TREND_CHART_H

#include "serve/history.h"

enum { TREND_DRILLS = 30 };

/* The newest TREND_DRILLS points of this scenario, oldest first; returns how many. */
size_t trend_points(const struct kpi *kpi, const struct kpi_scenario *scenario,
		    const struct run_facts *ret_runs[TREND_DRILLS]);
/* label: what the chart is of, for those who do not see it. */
void trend_chart(const struct kpi *kpi, const struct run_facts *const *runs, size_t count,
		 const char *label, struct text *body);

#endif
