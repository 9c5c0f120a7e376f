/*
 * story_deeds.c - what was done to which host, how it was undone, and what could not be told.
 *
 * It pairs the events of one step on one host. It judges nothing.
 */
#include "engine/story_parts.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/units.h"

/* ---- deeds ---- */

static bool is_same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* A text of the INTENT's data ("inject", "heal"), or the fallback. */
static const char *intent_text(const struct json *data, const char *key, const char *fallback,
			       struct arena *arena)
{
	const char *text = data == NULL ? NULL : json_text_of(json_get(data, key));

	return text == NULL ? fallback : arena_copy(arena, text);
}

/* The fault's name from the heal record inside the data, which needs no experiment. */
static const char *intent_fault(const struct json *data, struct arena *arena)
{
	const char *printed = data == NULL ? NULL : json_text_of(json_get(data, "record"));
	struct json *record = NULL;
	const char *fault = NULL;

	if (printed != NULL && json_parse(printed, strlen(printed), &record, NULL))
		fault = arena_copy(arena, json_text_of(json_get(record, "fault")));
	json_release(record);
	return fault;
}

static const char *step_fault(const struct experiment *experiment, uint32_t step)
{
	return step >= 1 && step <= experiment->step_count ? experiment->steps[step - 1].fault
							   : "a fault";
}

static void begin_deed(const struct experiment *experiment, const struct event *intent,
		       struct arena *arena, struct deed *deed)
{
	struct json *data = NULL;
	const char *fault;

	if (intent->data != NULL && json_parse(intent->data, strlen(intent->data), &data, NULL) &&
	    json_type_of(data) != JSON_OBJECT) {
		json_release(data);
		data = NULL;
	}
	fault = intent_fault(data, arena);
	*deed = (struct deed){
		.step = intent->step,
		.fault = fault != NULL ? fault : step_fault(experiment, intent->step),
		.host = intent->host == NULL ? "" : intent->host,
		.what = intent_text(data, "inject", intent->text, arena),
		.heal = intent_text(data, "heal", "", arena),
	};
	json_release(data);
}

static void add_event(struct deed *deed, const struct event *event)
{
	const struct span span = { event->from_ns, event->until_ns };

	/* Most events say nothing about one deed, so this is no switch over all of them. */
	if (event->kind == EVENT_INJECTED) {
		deed->injected = span;
	} else if (event->kind == EVENT_CONFIRMED) {
		deed->injected = span;
		deed->confirmation = event->kind;
	} else if (event->kind == EVENT_MISMATCH || event->kind == EVENT_UNKNOWN) {
		deed->confirmation = event->kind;
	} else if (event->kind == EVENT_HEALED) {
		deed->healed = span;
	} else if (event->kind == EVENT_CLEAN) {
		deed->read_back = event->kind;
		deed->leftover = NULL; /* an earlier try may have left something */
	} else if (event->kind == EVENT_LEFTOVER || event->kind == EVENT_HEAL_FAILED) {
		deed->read_back = EVENT_LEFTOVER;
		deed->leftover = event->text;
	}
}

/* What the store still wants healed is left over, whatever the journal got round to saying. */
static void add_open_heals(struct story *story, struct deed *deeds,
			   const struct heal_row *open_heals, size_t open_count,
			   struct arena *arena)
{
	for (size_t i = 0; i < open_count; i++) {
		for (size_t j = 0; j < story->deed_count; j++) {
			struct deed *deed = &deeds[j];

			if (deed->step != open_heals[i].record.step || deed->leftover != NULL ||
			    strcmp(deed->host, open_heals[i].record.host->name) != 0)
				continue;
			deed->read_back = EVENT_LEFTOVER;
			deed->leftover = arena_format(
				arena, "%s on %s is not healed; run `firedrill heal %s`",
				deed->fault, deed->host, story->run_id);
		}
	}
}

void story_tell_deeds(struct story *story, const struct heal_row *open_heals, size_t open_count,
		      struct arena *arena)
{
	const struct timeline *timeline = &story->timeline;
	struct deed *deeds = arena_alloc(arena, (timeline->event_count + 1) * sizeof *deeds);
	size_t count = 0;

	for (size_t i = 0; i < timeline->event_count; i++) {
		const struct event *event = &timeline->events[i];

		if (event->kind == EVENT_INTENT) {
			begin_deed(story->experiment, event, arena, &deeds[count++]);
			continue;
		}
		for (size_t j = 0; j < count; j++)
			if (deeds[j].step == event->step && is_same(deeds[j].host, event->host))
				add_event(&deeds[j], event);
	}
	story->deeds = deeds;
	story->deed_count = count;
	add_open_heals(story, deeds, open_heals, open_count, arena);
}

/* ---- untold ---- */

struct untold {
	struct arena *arena;
	const char **sentences;
	size_t count;
};

static void tell(struct untold *untold, const char *sentence)
{
	untold->sentences[untold->count++] = sentence;
}

static void tell_deeds(const struct story *story, struct untold *untold)
{
	for (size_t i = 0; i < story->deed_count; i++) {
		const struct deed *deed = &story->deeds[i];
		const bool is_unknown =
			deed->confirmation == EVENT_UNKNOWN ||
			(deed->confirmation == EVENT_NONE && deed->injected.high_ns != 0);

		if (is_unknown)
			tell(untold,
			     arena_format(untold->arena,
					  "Whether %s on %s took effect could not be confirmed.",
					  deed->fault, deed->host));
	}
}

static const struct track *find_track(const struct timeline *timeline, const char *probe)
{
	for (size_t i = 0; i < timeline->track_count; i++)
		if (strcmp(timeline->tracks[i].probe, probe) == 0)
			return &timeline->tracks[i];
	return NULL;
}

/* Only a run that got as far as starting its probes has something to miss. */
static void tell_tracks(const struct story *story, struct untold *untold)
{
	const struct experiment *experiment = story->experiment;
	const struct timeline *timeline = &story->timeline;

	for (size_t i = 0; i < experiment->probe_count; i++)
		if (story->deed_count > 0 && !experiment->probes[i].is_event &&
		    find_track(timeline, experiment->probes[i].name) == NULL)
			tell(untold,
			     arena_format(untold->arena, "No samples of probe %s were kept.",
					  experiment->probes[i].name));
	for (size_t i = 0; i < timeline->track_count; i++)
		if (experiment_probe(experiment, timeline->tracks[i].probe) == NULL)
			tell(untold, arena_format(untold->arena,
						  "The samples of %s belong to no probe of the "
						  "experiment and were not measured.",
						  timeline->tracks[i].probe));
}

/* Large beside the time between two slots: then it is the lateness that limits what can be told. */
static void tell_lateness(const struct story *story, const struct probe_result *probe,
			  struct untold *untold)
{
	const struct track *track = find_track(&story->timeline, probe->probe);
	char p99[UNITS_TEXT_BYTES];
	char max[UNITS_TEXT_BYTES];
	char every[UNITS_TEXT_BYTES];

	if (track == NULL ||
	    (probe->late_count == 0 && probe->lateness_p99_ns < track->every_ns / 2))
		return;
	tell(untold, arena_format(untold->arena,
				  "Probe %s could not keep its timetable of every=%s: %" PRIu64
				  " of its samples were sent only once the next was due, because this "
				  "machine was busy (late by %s at p99, %s at most); what happened in "
				  "between was not seen.",
				  probe->probe, units_format_duration(track->every_ns, every),
				  probe->late_count,
				  units_format_duration(probe->lateness_p99_ns, p99),
				  units_format_duration(probe->lateness_max_ns, max)));
}

static void tell_samples(const struct story *story, struct untold *untold)
{
	for (size_t i = 0; i < story->probe_count; i++) {
		const struct probe_result *probe = &story->probes[i];

		if (probe->skipped_count > 0)
			tell(untold,
			     arena_format(untold->arena,
					  "Probe %s skipped %" PRIu64 " of its samples because "
					  "this machine was short of something; they count "
					  "neither good nor bad.",
					  probe->probe, probe->skipped_count));
		tell_lateness(story, probe, untold);
		if (probe->not_sampled_count > 0)
			tell(untold,
			     arena_format(untold->arena,
					  "Probe %s could not take %" PRIu64 " of its samples "
					  "because all of its lanes were waiting; the spans are "
					  "that much wider.",
					  probe->probe, probe->not_sampled_count));
	}
}

/* A phase is withheld rather than guessed. */
static void tell_named_events(const struct story *story, struct untold *untold)
{
	for (size_t i = 0; i < story->named_event_count; i++) {
		const struct named_event *named = &story->named_events[i];

		if (!named->is_placed)
			tell(untold, arena_format(untold->arena,
						  "When \"%s\" took place is withheld: %s.",
						  named->what, named->why));
		else if (named->why != NULL)
			tell(untold, arena_format(untold->arena,
						  "When \"%s\" took place comes from our own looks "
						  "alone: %s.", named->what, named->why));
	}
	for (size_t i = 0; i < story->probe_count; i++)
		if (story->probes[i].left_out_part_count > 0)
			tell(untold, arena_format(untold->arena,
						  "%zu more events lie between the first failure and "
						  "the first success of %s; the first %d are its parts.",
						  story->probes[i].left_out_part_count,
						  story->probes[i].probe, RTO_EVENT_PARTS));
}

/* Silence about lag is not "no lag". */
static void tell_lags(const struct story *story, struct untold *untold)
{
	for (size_t i = 0; i < story->lag_count; i++) {
		const struct lag_result *lag = &story->lags[i];

		if (story->deed_count > 0 && lag->look_count == 0)
			tell(untold, arena_format(untold->arena,
						  "Probe %s heard no primary: how far the replicas were "
						  "behind is not known.", lag->probe));
		else if (story->deed_count > 0 && lag->replica_count == 0)
			tell(untold, arena_format(untold->arena,
						  "Probe %s never saw a replica connected to the primary.",
						  lag->probe));
		if (lag->unreadable_count > 0)
			tell(untold, arena_format(untold->arena,
						  "%" PRIu64 " answers of probe %s could not be read "
						  "back from the journal.", lag->unreadable_count,
						  lag->probe));
	}
}

static void tell_count(const struct story *story, const struct ledger_result *ledger,
		       const struct ledger_count_result *count, const char *when,
		       struct untold *untold)
{
	if (count->was_counted && !count->is_readable)
		tell(untold,
		     arena_format(untold->arena, "Ledger %s could not be read back %s: %s.",
				  ledger->probe, when,
				  count->error == NULL ? "no reason is known" : count->error));
	else if (!count->was_counted && story->fault.high_ns != 0)
		tell(untold, arena_format(untold->arena, "Ledger %s was not counted %s.",
					  ledger->probe, when));
}

static void tell_notes(const struct story *story, struct untold *untold)
{
	for (size_t i = 0; i < story->timeline.event_count; i++)
		if (story->timeline.events[i].kind == EVENT_NOTE)
			tell(untold, story->timeline.events[i].text);
}

void story_tell_untold(struct story *story, struct arena *arena)
{
	/* At most: one for each deed, event and stray track, five for a probe, two for a ledger. */
	const size_t most = story->deed_count + story->timeline.event_count +
			    story->timeline.track_count + 5 * story->experiment->probe_count +
			    2 * story->ledger_count + 1;
	struct untold untold = {
		.arena = arena,
		.sentences = arena_alloc(arena, most * sizeof *untold.sentences),
	};

	tell_deeds(story, &untold);
	tell_tracks(story, &untold);
	tell_samples(story, &untold);
	tell_named_events(story, &untold);
	tell_lags(story, &untold);
	for (size_t i = 0; i < story->ledger_count; i++) {
		const struct ledger_result *ledger = &story->ledgers[i];

		tell_count(story, ledger, &ledger->stable, "once the service was stable", &untold);
		tell_count(story, ledger, &ledger->healed, "after the fault was healed", &untold);
	}
	tell_notes(story, &untold);
	story->untold = untold.sentences;
	story->untold_count = untold.count;
}
