/*
 * judge_facts.c - see judge_facts.h. Fails closed: silence about a heal is a leftover, silence
 * about a confirmation is a step that is not confirmed.
 */
#include "engine/judge_facts.h"

#include <inttypes.h>
#include <string.h>

static bool is_same_target(const struct event *a, const struct event *b)
{
	if (a->step != b->step || (a->host == NULL) != (b->host == NULL))
		return false;
	return a->host == NULL || strcmp(a->host, b->host) == 0;
}

/* The last event at or after `from` about this target whose kind is one of `kinds` (a bit set). */
static const struct event *last_about(const struct timeline *timeline, size_t from, uint64_t kinds)
{
	const struct event *target = &timeline->events[from];
	const struct event *last = NULL;

	for (size_t i = from; i < timeline->event_count; i++)
		if ((kinds >> timeline->events[i].kind & 1) != 0 &&
		    is_same_target(&timeline->events[i], target))
			last = &timeline->events[i];
	return last;
}

static uint64_t bit(enum event_kind kind)
{
	return UINT64_C(1) << kind;
}

static const char *fault_name(const struct experiment *experiment, uint32_t step)
{
	for (size_t i = 0; i < experiment->step_count; i++)
		if (experiment->steps[i].index == step)
			return experiment->steps[i].fault;
	return "?";
}

/* "step 1 (process.kill) on db1 WHAT: TEXT" */
static const char *about(const struct judge_request *request, const struct event *event,
			 const char *what, struct arena *arena)
{
	const bool has_text = event->text != NULL && event->text[0] != '\0';

	return arena_format(arena, "step %" PRIu32 " (%s)%s%s %s%s%s", event->step,
			    fault_name(request->experiment, event->step),
			    event->host == NULL ? "" : " on ",
			    event->host == NULL ? "" : event->host, what, has_text ? ": " : "",
			    has_text ? event->text : "");
}

/* What a step's confirmation came to; NULL when this event is not where it is looked for. */
static const char *find_unconfirmed(const struct judge_request *request, size_t index,
				    struct arena *arena)
{
	const struct timeline *timeline = request->timeline;
	const uint64_t answers = bit(EVENT_CONFIRMED) | bit(EVENT_MISMATCH) | bit(EVENT_UNKNOWN) |
				 bit(EVENT_INJECT_FAILED);
	const struct event *event = &timeline->events[index];
	const struct event *last;

	if (((answers | bit(EVENT_INTENT)) >> event->kind & 1) == 0 || event->step == 0)
		return NULL;
	last = last_about(timeline, index, answers);
	if (last == NULL)
		return about(request, event, "was never confirmed", arena);

	/* Once confirmed, it may have ended before its time: its guard undid it, or somebody did. */
	const bool took_effect = last_about(timeline, index, bit(EVENT_CONFIRMED)) != NULL;

	if (last->kind == EVENT_MISMATCH)
		return about(request, last,
			     took_effect ? "did not stay in effect" : "did not take effect", arena);
	if (last->kind == EVENT_UNKNOWN)
		return about(request, last,
			     took_effect ? "may not have stayed in effect" :
					   "could not be confirmed", arena);
	if (last->kind == EVENT_INJECT_FAILED)
		return about(request, last, "could not be injected", arena);
	return NULL;
}

static bool was_injected(const struct timeline *timeline, uint32_t step)
{
	for (size_t i = 0; i < timeline->event_count; i++)
		if (timeline->events[i].step == step && timeline->events[i].kind == EVENT_CONFIRMED)
			return true;
	return false;
}

static void read_confirmations(const struct judge_request *request, struct arena *arena,
			       struct judge_facts *facts)
{
	const struct experiment *experiment = request->experiment;

	for (size_t i = 0; i < request->timeline->event_count && facts->unconfirmed == NULL; i++)
		facts->unconfirmed = find_unconfirmed(request, i, arena);
	for (size_t i = 0; i < experiment->step_count && facts->unconfirmed == NULL; i++)
		if (!was_injected(request->timeline, experiment->steps[i].index))
			facts->unconfirmed = arena_format(
				arena, "step %" PRIu32 " (%s) did not take place",
				experiment->steps[i].index, experiment->steps[i].fault);
}

/*
 * Each target once, at its first event of the kinds below. A failed heal is made good by a later
 * one that worked; a leftover only by a state that was read and found as before.
 */
static void read_heal(const struct judge_request *request, size_t index, struct arena *arena,
		      struct judge_facts *facts)
{
	const struct timeline *timeline = request->timeline;
	const uint64_t undone = bit(EVENT_INTENT) | bit(EVENT_HEAL_FAILED) | bit(EVENT_LEFTOVER);
	const uint64_t healed = bit(EVENT_HEALED) | bit(EVENT_CLEAN);
	const struct event *event = &timeline->events[index];
	const struct event *last;

	if ((undone >> event->kind & 1) == 0)
		return;
	for (size_t i = 0; i < index; i++)
		if ((undone >> timeline->events[i].kind & 1) != 0 &&
		    is_same_target(&timeline->events[i], event))
			return;

	const struct event *finding =
		last_about(timeline, index, bit(EVENT_LEFTOVER) | bit(EVENT_CLEAN));
	const char *leftover = NULL;

	last = last_about(timeline, index, undone | healed);
	if (finding != NULL && finding->kind == EVENT_LEFTOVER)
		leftover = about(request, finding, "left something behind", arena);
	else if (last->kind == EVENT_HEAL_FAILED)
		leftover = about(request, last, "could not be healed", arena);
	else if (last->kind == EVENT_INTENT)
		leftover = about(request, last, "was never healed", arena);
	else if (finding == NULL && facts->not_read_back == NULL)
		facts->not_read_back = about(request, last, "was healed but not read back", arena);
	if (leftover == NULL)
		return;
	facts->leftover_count++;
	if (facts->leftover == NULL)
		facts->leftover = leftover;
}

static void read_course(const struct event *event, struct judge_facts *facts)
{
	const bool is_settling = event->phase >= PHASE_HEAL;

	if (event->kind == EVENT_INTENT)
		facts->has_harmed = true;
	if (event->kind == EVENT_NOT_STEADY && event->phase <= PHASE_BASELINE && !facts->has_harmed)
		facts->not_started = event->text;
	if ((event->kind == EVENT_STOP || event->kind == EVENT_SIGNAL) && facts->stopped == NULL) {
		facts->stopped = event->text;
		facts->stopped_ns = event->from_ns == 0 ? event->at_ns : event->from_ns;
	}
	if (event->kind == EVENT_HEALED && event->until_ns > facts->last_heal_ns)
		facts->last_heal_ns = event->until_ns;
	if (event->kind == EVENT_FAILED && facts->failed == NULL)
		facts->failed = event->text;
	if ((event->kind == EVENT_STEADY || event->kind == EVENT_NOT_STEADY) && is_settling) {
		facts->has_settled = true;
		facts->not_steady = event->kind == EVENT_NOT_STEADY ? event->text : NULL;
	}
}

void judge_facts_read(const struct judge_request *request, struct arena *arena,
		      struct judge_facts *ret_facts)
{
	*ret_facts = (struct judge_facts){ 0 };
	for (size_t i = 0; i < request->timeline->event_count; i++) {
		read_course(&request->timeline->events[i], ret_facts);
		read_heal(request, i, arena, ret_facts);
	}
	read_confirmations(request, arena, ret_facts);
}
