/*
 * judge_words.c - see judge_words.h.
 */
#include "engine/judge_words.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "engine/measure.h"

const char *judge_duration(struct arena *arena, int64_t ns)
{
	char text[UNITS_TEXT_BYTES];

	return arena_copy(arena, units_format_duration(ns, text));
}

const char *judge_span(struct arena *arena, struct span span)
{
	char text[UNITS_SPAN_BYTES];

	return arena_copy(arena, units_format_span(span.low_ns, span.high_ns, text));
}

const char *judge_percent(struct arena *arena, int64_t ppm)
{
	char text[UNITS_TEXT_BYTES];

	return arena_format(arena, "%s%s", ppm < 0 ? "-" : "",
			    units_format_percent(ppm < 0 ? -ppm : ppm, text));
}

const char *judge_took(struct arena *arena, struct span latency)
{
	if (latency.low_ns == latency.high_ns)
		return judge_duration(arena, latency.low_ns);
	if (latency.high_ns != NEVER_NS)
		return judge_span(arena, latency);
	return latency.low_ns == 0
		       ? "not known"
		       : arena_format(arena, "at least %s", judge_duration(arena, latency.low_ns));
}

const char *judge_share(struct arena *arena, int64_t low_ppm, int64_t high_ppm)
{
	char text[UNITS_SPAN_BYTES];

	return arena_copy(arena, units_format_share(low_ppm, high_ppm, text));
}

const char *judge_count(struct arena *arena, uint64_t count)
{
	char digits[24];
	struct text text = { 0 };
	int length = snprintf(digits, sizeof digits, "%" PRIu64, count);

	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			text_add(&text, ",");
		text_add_bytes(&text, &digits[i], 1);
	}

	const char *copy = arena_copy(arena, text_str(&text));

	text_release(&text);
	return copy;
}

const char *judge_sentence(struct arena *arena, const char *text)
{
	const size_t length_bytes = strlen(text);
	const bool has_end = length_bytes > 0 && strchr(".!?", text[length_bytes - 1]) != NULL;
	char *copy = arena_format(arena, "%s%s", text, has_end || length_bytes == 0 ? "" : ".");

	copy[0] = (char)toupper((unsigned char)copy[0]);
	return copy;
}

const char *judge_losses(struct arena *arena, const struct ledger_classes *classes)
{
	const uint64_t loss_count = classes->lost + classes->corrupted;
	const char *noun = classes->acknowledged == 1 ? "write" : "writes";
	const char *all = judge_count(arena, classes->acknowledged);

	if (loss_count == 0)
		return arena_format(arena, "%s acknowledged %s, none lost", all, noun);
	if (classes->corrupted == 0)
		return arena_format(arena, "%s of %s acknowledged %s lost",
				    judge_count(arena, loss_count), all, noun);
	return arena_format(arena, "%s of %s acknowledged %s lost, %s corrupted",
			    judge_count(arena, classes->lost), all, noun,
			    judge_count(arena, classes->corrupted));
}

const char *judge_closer(struct arena *arena, int64_t every_ns)
{
	static const int64_t steps_ns[] = { 500000000, 200000000, 100000000, 50000000, 20000000,
					    10000000,  5000000,	  2000000,   1000000 };
	const size_t step_count = sizeof steps_ns / sizeof steps_ns[0];
	char text[UNITS_TEXT_BYTES];
	size_t i = 0;

	while (i + 1 < step_count && steps_ns[i] > every_ns / 10)
		i++;
	return arena_copy(arena, units_format_duration_exact(steps_ns[i], text));
}

/* The widest spacing of required probes: what all of them together surely see. */
int64_t judge_every_ns(const struct judge_request *request)
{
	int64_t every_ns = 0;

	for (size_t i = 0; i < request->probe_count; i++) {
		const struct probe_result *probe = &request->probes[i];
		const struct probe_spec *spec = experiment_probe(request->experiment, probe->probe);

		if (probe->is_required && spec != NULL && spec->every_ns > every_ns)
			every_ns = spec->every_ns;
	}
	return every_ns;
}

const char *judge_observed_rto(const struct judge_request *request, struct arena *arena)
{
	char text[UNITS_TEXT_BYTES];
	enum measured kind;
	struct span rto;
	const char *probe;

	measure_service_rto(request->probes, request->probe_count, &kind, &rto, &probe);
	switch (kind) {
	case MEASURED_SPAN:
		return judge_span(arena, rto);
	case MEASURED_NO_OUTAGE:
		return arena_format(arena, "no outage seen at every=%s",
				    units_format_duration_exact(judge_every_ns(request), text));
	case MEASURED_NEVER_RECOVERED:
		return arena_format(arena, "never recovered (down at least %s)",
				    judge_duration(arena, rto.low_ns));
	case MEASURED_NOTHING:
		break;
	}
	return "not measured";
}
