/*
 * trials_story.c - the store in, a set of trials out. Each trial's story is told as a report of it
 * would be, and what the set needs of it is kept: samples and events are let go again, so that a
 * thousand trials take no more memory than one and a table.
 */
#include "engine/trials.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "engine/judge.h"
#include "engine/judge_trials.h"
#include "engine/judge_words.h"
#include "engine/measure.h"
#include "engine/story_parts.h"

static struct judge_request request_of(const struct story *story)
{
	return (struct judge_request){
		.experiment = story->experiment,
		.timeline = &story->timeline,
		.fault = story->fault,
		.probes = story->probes,
		.probe_count = story->probe_count,
		.ledgers = story->ledgers,
		.ledger_count = story->ledger_count,
	};
}

/* Judged again without the row rto; what left no verdict stays as it is. */
static enum run_exit judge_but_rto(const struct story *story, struct arena *scratch)
{
	const struct judge_request request = request_of(story);
	struct objective_result *rows =
		arena_alloc(scratch, (story->objective_count + 1) * sizeof *rows);
	struct outcome outcome;
	size_t count = 0;

	if (story->outcome.exit_code != EXIT_MET && story->outcome.exit_code != EXIT_MISSED &&
	    story->outcome.exit_code != EXIT_INCONCLUSIVE)
		return story->outcome.exit_code;
	for (size_t i = 0; i < story->objective_count; i++)
		if (strcmp(story->objectives[i].name, "rto") != 0)
			rows[count++] = story->objectives[i];
	judge_run(&request, rows, count, scratch, &outcome);
	return outcome.exit_code;
}

static void place_rto(const struct story *story, struct trial *trial)
{
	const struct judge_request request = request_of(story);
	const char *probe;

	measure_service_rto(story->probes, story->probe_count, &trial->rto_kind, &trial->rto,
			    &probe);
	if (trial->rto_kind == MEASURED_NO_OUTAGE)
		trial->rto = (struct span){ 0, judge_every_ns(&request) };
	else if (trial->rto_kind == MEASURED_NEVER_RECOVERED)
		trial->rto.high_ns = INT64_MAX;
	else if (trial->rto_kind == MEASURED_NOTHING)
		trial->rto = (struct span){ 0, 0 };
}

/* The seed that RUN_STARTED wrote down. */
static uint64_t find_seed(const struct timeline *timeline)
{
	const struct event *started = story_event(timeline, EVENT_RUN_STARTED);
	struct json *root = NULL;
	int64_t seed = 0;

	if (started == NULL || started->data == NULL ||
	    !json_parse(started->data, strlen(started->data), &root, NULL))
		return 0;
	if (!json_int_of(json_get(root, "seed"), &seed))
		seed = 0;
	json_release(root);
	return (uint64_t)seed;
}

static void keep_rows(const struct story *story, struct arena *arena, struct trial *trial)
{
	struct objective_result *rows =
		arena_alloc(arena, (story->objective_count + 1) * sizeof *rows);

	for (size_t i = 0; i < story->objective_count; i++) {
		const struct objective_result *row = &story->objectives[i];

		rows[i] = (struct objective_result){
			.name = arena_copy(arena, row->name),
			.target = arena_copy(arena, row->target),
			.observed = arena_copy(arena, row->observed),
			.margin = arena_copy(arena, row->margin),
			.verdict = row->verdict,
			.reason = arena_copy(arena, row->reason),
			.advice = arena_copy(arena, row->advice),
		};
	}
	trial->objectives = rows;
	trial->objective_count = story->objective_count;
}

/* Stopped before the harm, it says nothing of recovery. */
static bool does_count(const struct story *story)
{
	switch (story->outcome.exit_code) {
	case EXIT_MET:
	case EXIT_MISSED:
	case EXIT_INCONCLUSIVE:
	case EXIT_LEFTOVER:
		return true;
	case EXIT_STOPPED:
	case EXIT_INTERNAL:
		return story->fault.high_ns != 0;
	case EXIT_NOT_RUN:
	case EXIT_NOT_STARTED:
		break;
	}
	return false;
}

static void keep_about(const struct story *story, struct arena *arena, struct trial_set *about)
{
	const struct experiment *experiment = story->experiment;

	about->title = arena_copy(arena, experiment->title);
	about->hypothesis = arena_copy(arena, experiment->hypothesis);
	about->service = experiment->service == NULL ? NULL :
						       arena_copy(arena, experiment->service->name);
	about->promised = experiment->objectives;
	about->version = arena_copy(arena, story->version);
}

bool trials_read_one(struct store *store, const char *run_id, struct arena *arena,
		     struct trial *ret_trial, struct trial_set *ret_about, struct err *e)
{
	struct secrets none = { 0 };
	struct arena scratch = { 0 };
	struct story story;
	const bool ok = story_build(store, run_id, &scratch, &none, &story, e);

	if (ok) {
		*ret_trial = (struct trial){
			.run_id = arena_copy(arena, story.run_id),
			.seed = find_seed(&story.timeline),
			.begun_wall_ns = story.timeline.anchor.wall_ns,
			.took_ns = story.ended_ns - story.timeline.anchor.boot_ns,
			.outcome = story.outcome,
			.exit_but_rto = judge_but_rto(&story, &scratch),
			.counts = does_count(&story),
		};
		ret_trial->outcome.sentence = arena_copy(arena, story.outcome.sentence);
		place_rto(&story, ret_trial);
		keep_rows(&story, arena, ret_trial);
		keep_about(&story, arena, ret_about);
	}
	secrets_release(&none);
	arena_release(&scratch);
	return ok;
}

bool trials_read(struct store *store, const char *set_id, struct arena *arena,
		 struct secrets *secrets, struct trial_set *ret_set, struct err *e)
{
	struct set_row row;
	struct run_row *runs = NULL;
	struct trial *trials;
	struct trial_set set = { .secrets = secrets };

	if (!store_set_find(store, set_id, arena, &row, e) ||
	    !store_set_runs(store, row.set_id, arena, &runs, &set.trial_count, e))
		return false;
	trials = arena_alloc(arena, (set.trial_count + 1) * sizeof *trials);
	set.title = row.title;
	set.version = row.version;
	set.ended_wall_ns = row.wall_ns;
	for (size_t i = 0; i < set.trial_count; i++) {
		if (!trials_read_one(store, runs[i].run_id, arena, &trials[i], &set, e))
			return err_wrap(e, "read trial %" PRId64 " of set %s", runs[i].trial,
					row.set_id);
		trials[i].number = runs[i].trial;
		set.ended_wall_ns = trials[i].begun_wall_ns + trials[i].took_ns;
	}
	set.set_id = row.set_id;
	set.seed = row.seed;
	set.planned_count = row.planned_count;
	set.begun_wall_ns = row.wall_ns;
	set.is_ended = row.is_ended;
	set.is_alive = !row.is_ended && store_set_is_alive(&row);
	set.stopped = row.stopped;
	set.trials = trials;
	*ret_set = set;
	return true;
}

bool trials_story(struct store *store, const char *set_id, struct arena *arena,
		  struct secrets *secrets, struct trial_set *ret_set, struct err *e)
{
	if (!trials_read(store, set_id, arena, secrets, ret_set, e))
		return false;
	judge_trials(ret_set, arena);
	return true;
}
