/*
 * story.c - the store in, everything a report needs out. The verdict of a run is made here too,
 * from what was written down and from nothing else, so that anybody can make it again.
 *
 * A run that never came to its end has a story as well: what is known, and that the end is missing.
 */
#include "engine/engine.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "engine/judge.h"
#include "engine/measure.h"
#include "engine/measure_events.h"
#include "engine/measure_lag.h"
#include "engine/measure_primaries.h"
#include "engine/measure_reads.h"
#include "engine/story_parts.h"
#include "load/load.h"

struct story_draft {
	struct store *store;
	struct arena *arena;
	struct secrets *secrets;
	struct run_row row;
	struct heal_row *open_heals;
	size_t open_count;
	int64_t baseline_from_ns;
	int64_t measured_until_ns;
	struct story story;
};

/* ---- documents ---- */

/* A watch did only a part of what its documents say. */
static void keep_what_watches(struct story_draft *draft)
{
	const struct experiment *whole = draft->story.experiment;
	struct experiment *watch;

	if (draft->row.watch_of == NULL)
		return;
	watch = arena_alloc(draft->arena, sizeof *watch);
	*watch = experiment_for_watch(whole, arena_alloc(draft->arena,
							 whole->probe_count * sizeof *whole->probes));
	draft->story.experiment = watch;
}

static bool load_documents(struct story_draft *draft, struct err *e)
{
	const struct run_row *row = &draft->row;
	struct problems *problems = arena_alloc(draft->arena, sizeof *problems);
	struct text first = { 0 };

	if (row->experiment_path == NULL || row->experiment_text == NULL ||
	    row->inventory_text == NULL)
		return err_set(e, ERR_STORE, "read run %s: the store has no documents of it",
			       row->run_id);

	const struct load_request request = {
		.experiment_path = row->experiment_path,
		.inventory_path = row->inventory_path,
		.experiment_text = row->experiment_text,
		.inventory_text = row->inventory_text,
		.vars = row->vars,
		.var_count = row->var_count,
		.has_secrets = false, /* they may be gone by now, and a report needs none */
	};

	if (load_experiment(&request, draft->arena, draft->secrets, &draft->story.experiment,
			    problems)) {
		keep_what_watches(draft);
		return true;
	}
	for (size_t i = 0; i < problems->count; i++) {
		if (problems->items[i].is_warning)
			continue;
		problem_print(&problems->items[i], &first);
		break;
	}
	err_set(e, ERR_STORE, "read the documents of run %s with this firedrill: %s", row->run_id,
		text_str(&first));
	text_release(&first);
	return false;
}

/* ---- moments ---- */

const struct event *story_event(const struct timeline *timeline, enum event_kind kind)
{
	for (size_t i = 0; i < timeline->event_count; i++)
		if (timeline->events[i].kind == kind)
			return &timeline->events[i];
	return NULL;
}

/* When a phase began; 0 when it never did. */
static int64_t phase_at_ns(const struct timeline *timeline, enum phase phase)
{
	for (size_t i = 0; i < timeline->event_count; i++)
		if (timeline->events[i].kind == EVENT_PHASE && timeline->events[i].phase == phase)
			return timeline->events[i].at_ns;
	return 0;
}

static int64_t first_of(int64_t a_ns, int64_t b_ns)
{
	return a_ns != 0 ? a_ns : b_ns;
}

/*
 * Each confirmed harm took effect within its own span, so the first of all took effect between the
 * earliest beginning and the earliest end.
 */
static struct span find_fault(const struct timeline *timeline)
{
	struct span fault = { 0, 0 };

	for (size_t i = 0; i < timeline->event_count; i++) {
		const struct event *event = &timeline->events[i];

		if (event->kind != EVENT_CONFIRMED)
			continue;
		if (fault.high_ns == 0 || event->from_ns < fault.low_ns)
			fault.low_ns = event->from_ns;
		if (fault.high_ns == 0 || event->until_ns < fault.high_ns)
			fault.high_ns = event->until_ns;
	}
	return fault;
}

static void find_moments(struct story_draft *draft)
{
	struct story *story = &draft->story;
	const struct timeline *timeline = &story->timeline;
	const struct event *ended = story_event(timeline, EVENT_RUN_ENDED);
	int64_t last_ns = timeline->anchor.boot_ns;

	if (timeline->event_count > 0)
		last_ns = timeline->events[timeline->event_count - 1].at_ns;
	story->ended_ns = ended != NULL ? ended->at_ns : last_ns;
	story->fault = find_fault(timeline);
	draft->baseline_from_ns =
		first_of(phase_at_ns(timeline, PHASE_BASELINE),
			 first_of(phase_at_ns(timeline, PHASE_GATE), timeline->anchor.boot_ns));
	/* The service is watched until settle ends; a run that was stopped never settles. */
	draft->measured_until_ns =
		first_of(phase_at_ns(timeline, PHASE_VALIDATE),
			 first_of(phase_at_ns(timeline, PHASE_MEASURE), story->ended_ns));
}

/* ---- measured ---- */

/* How many rows a slot writes is a matter of the document, not of the samples. */
static void tell_rows_per_slot(struct story_draft *draft)
{
	struct timeline *timeline = &draft->story.timeline;
	const struct experiment *experiment = draft->story.experiment;
	struct track *tracks =
		arena_alloc(draft->arena, (timeline->track_count + 1) * sizeof *tracks);

	for (size_t i = 0; i < timeline->track_count; i++) {
		tracks[i] = timeline->tracks[i];
		for (size_t n = 0; n < experiment->probe_count; n++)
			if (strcmp(experiment->probes[n].name, tracks[i].probe) == 0)
				tracks[i].rows_per_slot = experiment->probes[n].rows_per_slot;
	}
	timeline->tracks = tracks;
}

static const struct track *find_track(const struct timeline *timeline, const char *probe)
{
	for (size_t i = 0; i < timeline->track_count; i++)
		if (strcmp(timeline->tracks[i].probe, probe) == 0)
			return &timeline->tracks[i];
	return NULL;
}

static void measure_probes(struct story_draft *draft)
{
	struct story *story = &draft->story;
	const struct experiment *experiment = story->experiment;
	const struct degraded_objective *degraded = &experiment->objectives.degraded;
	struct probe_result *results =
		arena_alloc(draft->arena, (experiment->probe_count + 1) * sizeof *results);
	struct probe_result *service = arena_alloc(draft->arena, sizeof *service);
	size_t count = 0;

	for (size_t i = 0; i < experiment->probe_count; i++) {
		const struct probe_spec *spec = &experiment->probes[i];
		const struct measure_request request = {
			.track = find_track(&story->timeline, spec->name),
			.is_required = spec->is_required,
			.fault = story->fault,
			.baseline_from_ns = draft->baseline_from_ns,
			.end_ns = draft->measured_until_ns,
			.stable_for_ns = experiment->stable_for_ns,
			.heal_began_ns = measure_heal_began_ns(&story->timeline),
			.healed_ns = measure_healed_ns(&story->timeline),
			.timeout_ns = spec->timeout_ns,
			.is_ledger = spec->is_ledger,
			.events = story->named_events,
			.event_count = story->named_event_count,
			.over_ns = probe_is_chosen(&degraded->choice, spec) ? degraded->over_ns : 0,
		};

		if (request.track != NULL)
			measure_probe(&request, &results[count++]);
	}
	story->probes = results;
	story->probe_count = count;
	if (measure_service(results, count, service))
		story->service = service;
}

/* The final read of one count: the one with the highest number. */
static const struct ledger_read *find_read(const struct timeline *timeline, const char *probe,
					   enum ledger_count count)
{
	const struct ledger_read *last = NULL;

	for (size_t i = 0; i < timeline->ledger_read_count; i++) {
		const struct ledger_read *read = &timeline->ledger_reads[i];

		if (read->count == count && strcmp(read->probe, probe) == 0 &&
		    (last == NULL || read->read_number > last->read_number))
			last = read;
	}
	return last;
}

static void measure_ledgers(struct story_draft *draft)
{
	struct story *story = &draft->story;
	const struct experiment *experiment = story->experiment;
	const struct timeline *timeline = &story->timeline;
	struct ledger_result *results =
		arena_alloc(draft->arena, (experiment->probe_count + 1) * sizeof *results);
	size_t count = 0;

	for (size_t i = 0; i < experiment->probe_count; i++) {
		const struct probe_spec *spec = &experiment->probes[i];
		const struct track *track = find_track(timeline, spec->name);
		struct ledger_result *result = &results[count];

		if (!spec->is_ledger || track == NULL)
			continue;
		result->probe = spec->name;
		measure_ledger(track, find_read(timeline, spec->name, COUNT_STABLE), story->fault,
			       &result->stable);
		measure_ledger(track, find_read(timeline, spec->name, COUNT_HEALED), story->fault,
			       &result->healed);
		measure_ledger_worse(result);
		count++;
	}
	story->ledgers = results;
	story->ledger_count = count;
}

static void measure_readers(struct story_draft *draft)
{
	struct story *story = &draft->story;
	const struct experiment *experiment = story->experiment;
	struct reader_result *results =
		arena_alloc(draft->arena, (experiment->probe_count + 1) * sizeof *results);
	size_t count = 0;

	for (size_t i = 0; i < experiment->probe_count; i++) {
		const struct probe_spec *spec = &experiment->probes[i];

		if (spec->ledger == NULL)
			continue;

		const struct ledger_read *settled =
			find_read(&story->timeline, spec->ledger->name, COUNT_HEALED);
		const struct reads_request request = {
			.timeline = &story->timeline,
			.reader = find_track(&story->timeline, spec->name),
			.ledger = find_track(&story->timeline, spec->ledger->name),
			.settled = settled != NULL && settled->is_complete ? settled : NULL,
		};

		measure_reads(&request, draft->arena, &results[count]);
		results[count].probe = spec->name;
		results[count++].ledger = spec->ledger->name;
	}
	story->readers = results;
	story->reader_count = count;
}

static void measure_watches(struct story_draft *draft)
{
	struct story *story = &draft->story;
	const struct experiment *experiment = story->experiment;
	struct primaries_result *results =
		arena_alloc(draft->arena, (experiment->probe_count + 1) * sizeof *results);
	size_t count = 0;

	for (size_t i = 0; i < experiment->probe_count; i++)
		if (probe_find(experiment->probes[i].kind)->tells_standing)
			measure_primaries(&story->timeline, experiment->probes[i].name,
					  draft->arena, &results[count++]);
	story->primaries = results;
	story->primaries_count = count;
}

static void measure_lags(struct story_draft *draft)
{
	struct story *story = &draft->story;
	const struct experiment *experiment = story->experiment;
	const struct probe_result *service = story->service;
	struct lag_result *results =
		arena_alloc(draft->arena, (experiment->probe_count + 1) * sizeof *results);
	struct measure_lag_request request = {
		.timeline = &story->timeline,
		.fault = story->fault,
		.baseline_from_ns = draft->baseline_from_ns,
		.recovered_ns = service == NULL ? 0 : service->during.until_ns,
		.end_ns = draft->measured_until_ns,
	};
	size_t count = 0;

	for (size_t i = 0; i < experiment->probe_count; i++) {
		const struct probe_spec *spec = &experiment->probes[i];

		if (!spec->is_event || !probe_find(spec->kind)->tells_lag)
			continue;
		request.probe = spec->name;
		measure_lag(&request, draft->arena, &results[count++]);
	}
	story->lags = results;
	story->lag_count = count;
	measure_bounds(&story->timeline, experiment, results, count, draft->arena, &story->bounds,
		       &story->bound_count);
}

/* ---- judged ---- */

/* The journal stops in the middle: there is no verdict, only what must be done now. */
static void tell_no_end(struct story_draft *draft)
{
	struct story *story = &draft->story;
	const struct timeline *timeline = &story->timeline;
	struct outcome *outcome = &story->outcome;
	const char *phase = timeline->event_count == 0
				    ? phase_name(PHASE_LOAD)
				    : phase_name(timeline->events[timeline->event_count - 1].phase);

	outcome->verdict = VERDICT_NONE;
	outcome->exit_code = draft->open_count > 0 ? EXIT_LEFTOVER : EXIT_INTERNAL;
	if (!draft->row.is_ended && store_run_is_alive(&draft->row))
		outcome->sentence = arena_format(
			draft->arena, "The run is still under way (phase %s, pid %" PRId64 ").",
			phase, draft->row.pid);
	else if (draft->open_count > 0)
		outcome->sentence = arena_format(
			draft->arena,
			"The run broke off in phase %s and left %zu fault%s "
			"unhealed; run `firedrill heal %s`.",
			phase, draft->open_count, draft->open_count == 1 ? "" : "s", story->run_id);
	else
		outcome->sentence = arena_format(draft->arena,
						 "The run broke off in phase %s; nothing is left "
						 "unhealed.",
						 phase);
}

/* A record that is still open beats every other code, also when the journal does not say so. */
static void correct_leftover(struct story_draft *draft)
{
	struct outcome *outcome = &draft->story.outcome;

	if (draft->open_count == 0 || outcome->exit_code == EXIT_LEFTOVER)
		return;
	outcome->exit_code = EXIT_LEFTOVER;
	outcome->sentence =
		arena_format(draft->arena, "%zu fault%s left unhealed; run `firedrill heal %s`. %s",
			     draft->open_count, draft->open_count == 1 ? " is" : "s are",
			     draft->story.run_id, outcome->sentence);
}

static void judge(struct story_draft *draft)
{
	struct story *story = &draft->story;
	const struct judge_request request = {
		.experiment = story->experiment,
		.timeline = &story->timeline,
		.fault = story->fault,
		.probes = story->probes,
		.probe_count = story->probe_count,
		.ledgers = story->ledgers,
		.ledger_count = story->ledger_count,
		.primaries = story->primaries,
		.primaries_count = story->primaries_count,
		.readers = story->readers,
		.reader_count = story->reader_count,
	};
	struct objective_result *objectives = NULL;

	judge_objectives(&request, draft->arena, &objectives, &story->objective_count);
	story->objectives = objectives;
	judge_run(&request, objectives, story->objective_count, draft->arena, &story->outcome);
	if (story->watch_of != NULL)
		story_judge_watch(story, draft->arena);
	if (story_event(&story->timeline, EVENT_RUN_ENDED) == NULL)
		tell_no_end(draft);
	else
		correct_leftover(draft);
}

bool story_build(struct store *store, const char *run_id, struct arena *arena,
		 struct secrets *secrets, struct story *ret_story, struct err *e)
{
	struct story_draft draft = { .store = store, .arena = arena, .secrets = secrets };
	struct story *story = &draft.story;

	assert(run_id != NULL);

	if (!store_run_find(store, run_id, arena, &draft.row, e) ||
	    !store_timeline(store, draft.row.run_id, arena, &story->timeline, e) ||
	    !store_heals_open(store, draft.row.run_id, arena, &draft.open_heals, &draft.open_count,
			      e) ||
	    !load_documents(&draft, e))
		return false;
	story->run_id = draft.row.run_id;
	story->version = draft.row.version;
	story->set_id = draft.row.set_id;
	story->trial = draft.row.trial;
	story->watch_of = draft.row.watch_of;
	story->vantage = draft.row.vantage == NULL ? "" : draft.row.vantage;
	story->secrets = secrets;
	find_moments(&draft);
	tell_rows_per_slot(&draft);
	measure_events(&story->timeline, arena, &story->named_events, &story->named_event_count);
	measure_probes(&draft);
	measure_ledgers(&draft);
	measure_readers(&draft);
	measure_watches(&draft);
	measure_lags(&draft);
	story_tell_views(story, draft.measured_until_ns, arena);
	judge(&draft);
	story_tell_deeds(story, draft.open_heals, draft.open_count, arena);
	story_tell_permission(story, arena);
	story_tell_untold(story, arena);
	*ret_story = draft.story;
	return true;
}
