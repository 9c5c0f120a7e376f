/*
 * words.c - see words.h.
 */
#include "reports/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "reports/facts.h"

const char *words_headline(const struct outcome *outcome)
{
	switch (outcome->exit_code) {
	case EXIT_MET:
		return outcome->is_watch ? "WATCHED" : "MET";
	case EXIT_MISSED:
		return "MISSED";
	case EXIT_NOT_RUN:
		return "NOT RUN";
	case EXIT_INCONCLUSIVE:
		return "INCONCLUSIVE";
	case EXIT_LEFTOVER:
		return "LEFT UNHEALED";
	case EXIT_NOT_STARTED:
		return "NOT STARTED";
	case EXIT_STOPPED:
		return "STOPPED";
	case EXIT_INTERNAL:
		return "BROKEN OFF";
	}
	return "BROKEN OFF";
}

enum verdict words_tone(const struct outcome *outcome)
{
	switch (outcome->exit_code) {
	case EXIT_MET:
		return outcome->is_watch ? VERDICT_NONE : VERDICT_MET;
	case EXIT_MISSED:
	case EXIT_LEFTOVER:
	case EXIT_INTERNAL:
		return VERDICT_MISSED;
	case EXIT_INCONCLUSIVE:
	case EXIT_STOPPED:
		return VERDICT_INCONCLUSIVE;
	case EXIT_NOT_RUN:
	case EXIT_NOT_STARTED:
		return VERDICT_NONE;
	}
	return VERDICT_NONE;
}

const char *words_mark(enum verdict verdict, bool is_utf8)
{
	switch (verdict) {
	case VERDICT_NONE:
		return is_utf8 ? "\xe2\x80\x93" : "-";
	case VERDICT_MET:
		return is_utf8 ? "\xe2\x9c\x93" : "+";
	case VERDICT_MISSED:
		return is_utf8 ? "\xe2\x9c\x97" : "x";
	case VERDICT_INCONCLUSIVE:
		return "?";
	}
	return "?";
}

const char *words_verdict(enum verdict verdict)
{
	return verdict == VERDICT_NONE	 ? "not judged" :
	       verdict == VERDICT_MISSED ? "MISSED" :
					   verdict_name(verdict);
}

const char *words_span(struct span span, char text[WORDS_BYTES])
{
	char both[UNITS_SPAN_BYTES];

	(void)snprintf(text, WORDS_BYTES, "%s", units_format_span(span.low_ns, span.high_ns, both));
	return text;
}

const char *words_rto(const struct probe_result *result, int64_t every_ns, char text[WORDS_BYTES])
{
	char number[UNITS_TEXT_BYTES];

	switch (result->rto_kind) {
	case MEASURED_NOTHING:
		(void)snprintf(text, WORDS_BYTES, "nothing measured");
		break;
	case MEASURED_SPAN:
		return words_span(result->rto, text);
	case MEASURED_NO_OUTAGE:
		(void)snprintf(text, WORDS_BYTES, "no outage seen at every=%s",
			       units_format_duration_exact(every_ns, number));
		break;
	case MEASURED_NEVER_RECOVERED:
		(void)snprintf(text, WORDS_BYTES, "never recovered (down at least %s)",
			       units_format_duration(result->rto.low_ns, number));
		break;
	}
	return text;
}

const char *words_moment(int64_t after_zero_ns, char text[WORDS_BYTES])
{
	const char sign = after_zero_ns < 0 ? '-' : '+';
	const int64_t amount_ns = after_zero_ns < 0 ? -after_zero_ns : after_zero_ns;
	const int64_t s = amount_ns / NS_PER_S;
	const int64_t ms = amount_ns % NS_PER_S / NS_PER_MS;

	if (s < 120)
		(void)snprintf(text, WORDS_BYTES, "%c%" PRId64 ".%03" PRId64 " s", sign, s, ms);
	else if (s < 7200)
		(void)snprintf(text, WORDS_BYTES, "%c%" PRId64 " min %02" PRId64 ".%03" PRId64 " s",
			       sign, s / 60, s % 60, ms);
	else
		(void)snprintf(text, WORDS_BYTES,
			       "%c%" PRId64 " h %02" PRId64 " min %02" PRId64 " s", sign, s / 3600,
			       s / 60 % 60, s % 60);
	return text;
}

const char *words_when(const struct story *story, const struct named_event *event,
		       char text[WORDS_BYTES])
{
	const int64_t zero_ns = facts_zero_ns(story);
	char low[WORDS_BYTES];
	char high[WORDS_BYTES];

	if (!event->is_placed)
		(void)snprintf(text, WORDS_BYTES, "withheld");
	else
		(void)snprintf(text, WORDS_BYTES, "%.40s to %.40s",
			       words_moment(event->at.low_ns - zero_ns, low),
			       words_moment(event->at.high_ns - zero_ns, high));
	return text;
}

const char *words_iso(const struct story *story, int64_t at_ns, char text[WORDS_BYTES])
{
	clock_format_wall(clock_anchor_wall_ns(&story->timeline.anchor, at_ns), text, WORDS_BYTES);
	return text;
}

const char *words_wall(const struct story *story, int64_t at_ns, char text[WORDS_BYTES])
{
	char iso[WORDS_BYTES];

	if (strlen(words_iso(story, at_ns, iso)) != strlen("2026-11-21T10:20:30.123Z"))
		(void)snprintf(text, WORDS_BYTES, "%s", iso);
	else
		(void)snprintf(text, WORDS_BYTES, "%.10s %.8s UTC", iso, iso + 11);
	return text;
}

const char *words_count(uint64_t count, char text[WORDS_BYTES])
{
	char digits[24];
	const int length = snprintf(digits, sizeof digits, "%" PRIu64, count);
	size_t used = 0;

	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			text[used++] = ',';
		text[used++] = digits[i];
	}
	text[used] = '\0';
	return text;
}

const char *words_lateness(const struct probe_result *result, char text[WORDS_BYTES])
{
	char p50[UNITS_TEXT_BYTES];
	char p99[UNITS_TEXT_BYTES];
	char max[UNITS_TEXT_BYTES];

	(void)snprintf(text, WORDS_BYTES, "%s late at p50, %s at p99, %s at most",
		       units_format_duration(result->lateness_p50_ns, p50),
		       units_format_duration(result->lateness_p99_ns, p99),
		       units_format_duration(result->lateness_max_ns, max));
	return text;
}

const char *words_trial(const struct story *story, char text[WORDS_BYTES])
{
	text[0] = '\0';
	if (story->set_id != NULL)
		(void)snprintf(text, WORDS_BYTES, "trial %" PRId64 " of set %s", story->trial,
			       story->set_id);
	return text;
}

const char *words_availability(const struct probe_result *result, char text[WORDS_BYTES])
{
	return units_format_share(result->availability_low_ppm, result->availability_high_ppm,
				  text);
}

const char *words_confirmation(enum event_kind confirmation)
{
	if (confirmation == EVENT_CONFIRMED)
		return "confirmed";
	if (confirmation == EVENT_MISMATCH)
		return "not in effect";
	if (confirmation == EVENT_UNKNOWN)
		return "could not be confirmed";
	return "not injected";
}

const char *words_read_back(const struct deed *deed)
{
	if (deed->read_back == EVENT_CLEAN)
		return "state as before";
	if (deed->read_back == EVENT_LEFTOVER)
		return "LEFT UNHEALED";
	return "not read back";
}

const char *words_rto_kind(enum measured kind)
{
	switch (kind) {
	case MEASURED_NOTHING:
		return "nothing";
	case MEASURED_SPAN:
		return "span";
	case MEASURED_NO_OUTAGE:
		return "no_outage";
	case MEASURED_NEVER_RECOVERED:
		return "never_recovered";
	}
	return "nothing";
}

#define CLASS_ROWS(X)                                                             \
	X(ok, "acknowledged, present, intact", CLASS_FINE)                        \
	X(lost, "acknowledged, absent in the final read", CLASS_LOSS)             \
	X(corrupted, "present, wrong checksum", CLASS_LOSS)                       \
	X(recovered, "failed or unanswered, yet present", CLASS_FINE)             \
	X(recovered_failed, "of these: failed, yet present", CLASS_FINDING)       \
	X(absent, "failed or unanswered, absent", CLASS_FINE)                     \
	X(duplicated, "present more than once", CLASS_FINDING)                    \
	X(unexpected, "present, never attempted", CLASS_FINDING)

#define X(id, meaning, weight) \
	static uint64_t count_##id(const struct ledger_classes *classes) \
	{ \
		return classes->id; \
	}
CLASS_ROWS(X)
#undef X

static const struct class_row class_rows[] = {
#define X(id, meaning, weight) { #id, meaning, weight, count_##id },
	CLASS_ROWS(X)
#undef X
};

const struct class_row *words_classes(size_t *ret_count)
{
	*ret_count = sizeof class_rows / sizeof class_rows[0];
	return class_rows;
}
