/*
 * notify.h - who is told of what, and by which channel: the `notify:` section of an inventory. Built by
 * the loader, const afterwards. What is sent, and when again, is harness/notify's.
 */
#ifndef MODEL_NOTIFY_H
#define MODEL_NOTIFY_H

#include <stdbool.h>

#include "model/param.h"

/*
 * What can be told, in the order of how much it weighs: the last one that holds gives a message its
 * heading. The words are those of a rule's `on:`.
 */
#define HAPPENING_ROWS(X)                                                              \
	X(START, "start", "a run, or a set of trials, begins")                         \
	X(END, "end", "it has ended, however")                                         \
	X(CHANGE, "change", "it ended otherwise than the last run of its experiment")  \
	X(NOT_STARTED, "not_started", "it could not start; nothing was harmed")        \
	X(STOPPED, "stopped", "a stop condition, a person or a signal ended it")       \
	X(INCONCLUSIVE, "inconclusive", "what was measured cannot tell")               \
	X(MISSED, "missed", "an objective was missed")                                 \
	X(FAILED, "failed", "firedrill itself failed: the store, or its own mistake")  \
	X(MISSED_SCHEDULE, "missed_schedule", "a run that was due did not take place") \
	X(LEFTOVER, "leftover", "something is left unhealed")

enum happening_index {
#define X(id, name, help) INDEX_##id,
	HAPPENING_ROWS(X)
#undef X
	HAPPENING_ROW_COUNT
};

/* Several hold at once: a run that ends may be missed, and a change as well. */
enum happening_bit {
#define X(id, name, help) HAPPENING_##id = 1 << INDEX_##id,
	HAPPENING_ROWS(X)
#undef X
	/* No rule asks for these; they come from what somebody did. */
	HAPPENING_TEST = 1 << HAPPENING_ROW_COUNT,
	HAPPENING_ACKNOWLEDGED = 2 << HAPPENING_ROW_COUNT,
	HAPPENING_RECOVERED = 4 << HAPPENING_ROW_COUNT,
};

/* One place to which messages go. */
struct channel_spec {
	const char *name;
	const char *kind;     /* a row of harness/notify/table.c */
	struct params params; /* of that row; may hold secrets */
	int64_t timeout_ns;   /* of one attempt */
	struct mark mark;
};

/* Until somebody acknowledges: these hear of it, too, so long after the happening. */
struct notify_step {
	int64_t after_ns;
	const struct channel_spec *const *channels;
	size_t channel_count;
};

struct notify_rule {
	uint32_t kinds;               /* of enum happening_bit: one of them must hold */
	bool is_only_changes;         /* and the run ended otherwise than the last one */
	const char *const *environments; /* none: every one; so for the next two */
	size_t environment_count;
	const char *const *services;
	size_t service_count;
	const int64_t *tiers;
	size_t tier_count;
	const struct channel_spec *const *channels; /* told at once */
	size_t channel_count;
	const struct notify_step *steps;
	size_t step_count;
};

struct notify {
	const char *link; /* "https://drills.example.net/runs/{run}"; NULL: none */
	const struct channel_spec *channels;
	size_t channel_count;
	const struct notify_rule *rules;
	size_t rule_count;
};

const struct channel_spec *notify_channel(const struct notify *notify, const char *name);

#endif
