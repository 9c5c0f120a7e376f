/*
 * service_view.c - see service_view.h.
 */
#include "serve/service_view.h"

#include "base/units.h"
#include "reports/words.h"

static bool is_newer(const struct run_facts *run, const struct run_facts *than)
{
	return than == NULL || run->began_wall_ns > than->began_wall_ns;
}

void service_view(const struct kpi *kpi, size_t service, struct service_view *ret_view)
{
	struct service_view view = { 0 };

	for (size_t i = 0; i < kpi->scenario_count; i++) {
		const struct kpi_scenario *scenario = &kpi->scenarios[i];

		if (scenario->service != service)
			continue;
		view.scenario_count++;
		view.proven_count += scenario->state == KPI_PROVEN;
		if (scenario->last != NULL &&
		    is_newer(scenario->last, view.last == NULL ? NULL : view.last->last))
			view.last = scenario;
		if (scenario->proof != NULL &&
		    is_newer(scenario->proof, view.proof == NULL ? NULL : view.proof->proof))
			view.proof = scenario;
	}
	for (size_t i = kpi->point_count; i > 0 && view.measured == NULL; i--)
		if (kpi->points[i - 1].service == service &&
		    kpi->points[i - 1].run->rto_kind == MEASURED_SPAN)
			view.measured = kpi->points[i - 1].run;
	*ret_view = view;
}

enum verdict service_state_tone(enum kpi_state state)
{
	switch (state) {
	case KPI_PROVEN:
		return VERDICT_MET;
	case KPI_FAILED:
		return VERDICT_MISSED;
	case KPI_STALE:
	case KPI_UNPROVEN:
		return VERDICT_INCONCLUSIVE;
	case KPI_NEVER:
		break;
	}
	return VERDICT_NONE;
}

const char *service_rto_words(const struct run_facts *run, struct arena *arena)
{
	char text[WORDS_BYTES];
	char least[UNITS_TEXT_BYTES];

	switch (run->rto_kind) {
	case MEASURED_SPAN:
		return arena_copy(arena, words_span(run->rto, text));
	case MEASURED_NO_OUTAGE:
		return "no outage";
	case MEASURED_NEVER_RECOVERED:
		return arena_format(arena, "never recovered (down at least %s)",
				    units_format_duration(run->rto.low_ns, least));
	case MEASURED_NOTHING:
		break;
	}
	return "not known";
}

const char *service_rpo_words(const struct run_facts *run, struct arena *arena)
{
	char text[WORDS_BYTES];

	return run->is_rpo_known ? arena_copy(arena, words_span(run->rpo, text)) : "not known";
}
