/*
 * words.h - how numbers, moments and verdicts read, the same in every format.
 *
 * Each function fills the caller's buffer and returns it. None escapes: what it makes is ours.
 */
#ifndef REPORTS_WORDS_H
#define REPORTS_WORDS_H

#include "model/story.h"

enum { WORDS_BYTES = 128 };

/* The run in one or two words: "MET", "MISSED", "LEFT UNHEALED", "NOT STARTED". */
const char *words_headline(const struct outcome *outcome);
/* Good, bad or neither: what colour and mark the run has. */
enum verdict words_tone(const struct outcome *outcome);

const char *words_mark(enum verdict verdict, bool is_utf8); /* a sign that needs no colour */
const char *words_verdict(enum verdict verdict);            /* "met", "MISSED", "not judged" */

const char *words_span(struct span span, char text[WORDS_BYTES]);   /* "4.31 s to 4.35 s" */
/* "4.31 s to 4.35 s", "never recovered (down at least 2 min 0 s)", "no outage seen at every=20ms"
 */
const char *words_rto(const struct probe_result *result, int64_t every_ns, char text[WORDS_BYTES]);
const char *words_moment(int64_t after_zero_ns, char text[WORDS_BYTES]); /* "+4.310 s" */
/* "+3.210 s to +3.224 s", "withheld" */
const char *words_when(const struct story *story, const struct named_event *event,
		       char text[WORDS_BYTES]);
const char *words_wall(const struct story *story, int64_t at_ns, char text[WORDS_BYTES]);
const char *words_iso(const struct story *story, int64_t at_ns, char text[WORDS_BYTES]);
const char *words_count(uint64_t count, char text[WORDS_BYTES]); /* "1,234,567" */
/* "30us late at p50, 59us at p99, 60us at most": of its own timetable */
const char *words_lateness(const struct probe_result *result, char text[WORDS_BYTES]);
/* "trial 3 of set 20261121-102000-k3f9", or ""; holds the set's id, so a format escapes it. */
const char *words_trial(const struct story *story, char text[WORDS_BYTES]);
const char *words_availability(const struct probe_result *result, char text[WORDS_BYTES]);

/*
 * How a probe was served before, during and after the fault. words_level: the window of this index,
 * NULL when there are no more; those that end when there was no fault are left out.
 */
const struct service_level *words_level(const struct story *story, const struct probe_result *result,
					size_t index, const char **ret_when);
const char *words_latency(struct span latency, char text[WORDS_BYTES]); /* "1.2 ms", ">= 1 s" */
/* To a hundredth of a percent; "-" when there is none. */
const char *words_errors(const struct service_level *level, char text[WORDS_BYTES]);
const char *words_kept(const struct service_level *level, char text[WORDS_BYTES]);
const char *words_per_s(const struct service_level *level, char text[WORDS_BYTES]); /* "49.8" */

const char *words_confirmation(enum event_kind confirmation);
const char *words_read_back(const struct deed *deed);
const char *words_rto_kind(enum measured kind); /* for machines: "span", "no_outage" */

/* The classes of a ledger, one row each: what they mean and whether they count as loss. */
enum class_weight { CLASS_FINE = 1, CLASS_LOSS, CLASS_FINDING };

struct class_row {
	const char *name;
	const char *meaning;
	enum class_weight weight;
	uint64_t (*count)(const struct ledger_classes *classes);
};

const struct class_row *words_classes(size_t *ret_count);

#endif
