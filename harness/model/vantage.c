/*
 * vantage.c - small questions to what was seen; see vantage.h.
 */
#include "model/vantage.h"

/* Never over beats not known, which beats every outage; of two outages the later end counts. */
static bool is_worse(const struct vantage_sight *sight, const struct vantage_sight *than)
{
	static const int ranks[] = {
		[MEASURED_NO_OUTAGE] = 0,
		[MEASURED_SPAN] = 1,
		[MEASURED_NOTHING] = 2,
		[MEASURED_NEVER_RECOVERED] = 3,
	};

	if (sight->kind != than->kind)
		return ranks[sight->kind] > ranks[than->kind];
	return sight->outage.high_ns > than->outage.high_ns;
}

const struct vantage_sight *vantage_worst(const struct vantage_view *view)
{
	const struct vantage_sight *worst = NULL;

	for (size_t i = 0; i < view->sight_count; i++)
		if (view->sights[i].is_required &&
		    (worst == NULL || is_worse(&view->sights[i], worst)))
			worst = &view->sights[i];
	return worst;
}
