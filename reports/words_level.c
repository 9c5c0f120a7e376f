/*
 * words_level.c - how a service level reads: the part of words.h about the time before, during and
 * after the fault.
 */
#include "reports/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "reports/facts.h"

enum { HUNDREDTH_PPM = 100 };

const struct service_level *words_level(const struct story *story, const struct probe_result *result,
					size_t index, const char **ret_when)
{
	static const char *const names[] = { "baseline", "during", "after" };
	const struct service_level *const levels[] = { &result->baseline, &result->during,
						       &result->after };

	if (index >= (facts_has_fault(story) ? sizeof levels / sizeof levels[0] : 1))
		return NULL;
	*ret_when = names[index];
	return levels[index];
}

const char *words_latency(struct span latency, char text[WORDS_BYTES])
{
	char number[UNITS_TEXT_BYTES];

	if (latency.low_ns == latency.high_ns)
		(void)snprintf(text, WORDS_BYTES, "%s",
			       units_format_duration(latency.low_ns, number));
	else if (latency.high_ns != NEVER_NS)
		(void)words_span(latency, text);
	else if (latency.low_ns == 0)
		(void)snprintf(text, WORDS_BYTES, "not known");
	else
		(void)snprintf(text, WORDS_BYTES, ">= %s",
			       units_format_duration(latency.low_ns, number));
	return text;
}

static const char *share(int64_t ppm, char text[UNITS_TEXT_BYTES])
{
	if (ppm > 0 && ppm < HUNDREDTH_PPM)
		(void)snprintf(text, UNITS_TEXT_BYTES, "< 0.01 %%");
	else
		(void)units_format_percent(ppm / HUNDREDTH_PPM * HUNDREDTH_PPM, text);
	return text;
}

/* Two decimals, for a column of a table; outwards, so that the span holds all that it held. */
static const char *shares(int64_t low_ppm, int64_t high_ppm, char text[WORDS_BYTES])
{
	char low[UNITS_TEXT_BYTES];
	char high[UNITS_TEXT_BYTES];

	const bool is_span = high_ppm - low_ppm > 1;

	(void)share(is_span || low_ppm < HUNDREDTH_PPM ? low_ppm : low_ppm + HUNDREDTH_PPM / 2, low);
	(void)share(high_ppm + HUNDREDTH_PPM - 1, high);
	if (!is_span || strcmp(low, high) == 0)
		(void)snprintf(text, WORDS_BYTES, "%s", low);
	else
		(void)snprintf(text, WORDS_BYTES, "%s to %s", low, high);
	return text;
}

const char *words_errors(const struct service_level *level, char text[WORDS_BYTES])
{
	if (level->slot_count > 0)
		return shares(level->error_low_ppm, level->error_high_ppm, text);
	(void)snprintf(text, WORDS_BYTES, "-");
	return text;
}

const char *words_kept(const struct service_level *level, char text[WORDS_BYTES])
{
	if (level->has_kept)
		return shares(level->kept_low_ppm, level->kept_high_ppm, text);
	(void)snprintf(text, WORDS_BYTES, "-");
	return text;
}

const char *words_per_s(const struct service_level *level, char text[WORDS_BYTES])
{
	if (level->slot_count == 0)
		(void)snprintf(text, WORDS_BYTES, "-");
	else
		(void)snprintf(text, WORDS_BYTES, "%" PRId64 ".%" PRId64,
			       level->done_milli_per_s / 1000,
			       level->done_milli_per_s % 1000 / 100);
	return text;
}
