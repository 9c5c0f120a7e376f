/*
 * trend_chart.h - the observed RTO of a service, drill after drill, as inline SVG: each span a bar, the
 * target a line. Pure.
 */
#ifndef SERVE_TREND_CHART_H
#define SERVE_TREND_CHART_H

#include "serve/history.h"

enum { TREND_DRILLS = 60 };

/* The newest TREND_DRILLS points of this service, oldest first; returns how many. */
size_t trend_points(const struct kpi *kpi, size_t service,
		    const struct run_facts *ret_runs[TREND_DRILLS]);
/* label: what the chart is of, for those who do not see it. */
void trend_chart(const struct kpi *kpi, const struct run_facts *const *runs, size_t count,
		 const char *label, struct text *body);

#endif
