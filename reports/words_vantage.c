/*
 * words_vantage.c - see words_vantage.h.
 */
#include "reports/words_vantage.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"

const char words_vantage_note[] =
	"Each machine measures by its own clock, from the first failure that it saw until the service was "
	"stable for it. These durations can be compared; moments of different machines cannot, so an RTO "
	"from the fault on is told of this machine alone.";

static const struct vantage_sight *find_sight(const struct vantage_view *view, const char *probe)
{
	for (size_t i = 0; i < view->sight_count; i++)
		if (strcmp(view->sights[i].probe, probe) == 0)
			return &view->sights[i];
	return NULL;
}

const struct vantage_view *words_vantage_row(const struct story *story, size_t index,
					     const struct vantage_sight **ret_sight)
{
	const struct experiment *experiment = story->experiment;

	for (size_t i = 0; i < experiment->probe_count; i++)
		for (size_t n = 0; n < story->view_count; n++) {
			*ret_sight = find_sight(&story->views[n], experiment->probes[i].name);
			if (*ret_sight != NULL && index-- == 0)
				return &story->views[n];
		}
	*ret_sight = NULL;
	for (size_t n = 0; n < story->view_count; n++)
		if (story->views[n].sight_count == 0 && index-- == 0)
			return &story->views[n];
	return NULL;
}

const char *words_outage(const struct vantage_sight *sight, char text[WORDS_BYTES])
{
	char length[UNITS_TEXT_BYTES];

	switch (sight->kind) {
	case MEASURED_NOTHING:
		break;
	case MEASURED_SPAN:
		return words_span(sight->outage, text);
	case MEASURED_NO_OUTAGE:
		(void)snprintf(text, WORDS_BYTES, "none at every=%s",
			       units_format_duration_exact(sight->every_ns, length));
		return text;
	case MEASURED_NEVER_RECOVERED:
		(void)snprintf(text, WORDS_BYTES, "not over, at least %s",
			       units_format_duration(sight->outage.low_ns, length));
		return text;
	}
	(void)snprintf(text, WORDS_BYTES, "no attempt was made");
	return text;
}

const char *words_failed(const struct vantage_sight *sight, char text[WORDS_BYTES])
{
	char bad[WORDS_BYTES];
	char all[WORDS_BYTES];

	(void)snprintf(text, WORDS_BYTES, "%.40s of %.40s", words_count(sight->bad_count, bad),
		       words_count(sight->attempt_count, all));
	return text;
}
