/*
 * history.c - see history.h.
 */
#include "serve/history.h"

#include <string.h>

#include "base/clock.h"
#include "engine/kpi.h"
#include "reports/words.h"

static enum run_state state_of(const struct run_row *row)
{
	if (row->is_ended)
		return RUN_ENDED;
	return store_run_is_alive(row) ? RUN_ALIVE : RUN_DIED;
}

struct history_run history_run_of_row(const struct run_row *row)
{
	return (struct history_run){
		.run_id = row->run_id,
		.title = row->title == NULL ? row->run_id : row->title,
		.sentence = row->sentence,
		.began_wall_ns = row->anchor.wall_ns,
		.state = state_of(row),
		.exit_code = (enum run_exit)row->exit_code,
	};
}

struct history_run history_run_of(const struct run_facts *facts)
{
	return (struct history_run){
		.run_id = facts->run_id,
		.title = facts->run_id,
		.began_wall_ns = facts->began_wall_ns,
		.state = facts->is_ended ? RUN_ENDED : RUN_DIED,
		.exit_code = facts->exit_code,
	};
}

/* What a run under way has harmed is its own to heal. */
static bool is_somebodys(const struct history *history, const struct heal_row *heal)
{
	for (size_t i = 0; i < history->run_count; i++)
		if (history->runs[i].state == RUN_ALIVE &&
		    strcmp(history->runs[i].run_id, heal->record.run_id) == 0)
			return true;
	return false;
}

static void keep_leftovers(struct history *history, struct heal_row *heals, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (!is_somebodys(history, &heals[i]))
			heals[kept++] = heals[i];
	history->leftovers = heals;
	history->leftover_count = kept;
}

/* With the limits that `firedrill kpi` has by itself. */
static bool read_kpi(struct store *store, int64_t now_wall_ns, struct arena *arena,
		     struct kpi *ret_kpi, struct err *e)
{
	struct kpi_request request = {
		.zone_name = "UTC",
		.now_wall_ns = now_wall_ns,
		.stale_after_ns = INT64_C(90) * 24 * 3600 * NS_PER_S,
		.confidence_ppm = 950000,
	};
	struct facts_rows facts;

	if (!zone_load(request.zone_name, arena, &request.zone, e) ||
	    !store_facts(store, arena, &facts, e))
		return false;
	request.subjects = facts.subjects;
	request.subject_count = facts.subject_count;
	request.runs = facts.rows;
	request.run_count = facts.row_count;
	request.missing_count = facts.missing_count;
	kpi_compute(&request, arena, ret_kpi);
	return true;
}

bool history_read(struct store *store, int64_t now_wall_ns, struct arena *arena,
		  struct history *ret_history, struct err *e)
{
	struct history history = { 0 };
	struct heal_row *heals = NULL;
	struct run_row *rows = NULL;
	struct history_run *runs;
	size_t heal_count = 0;
	size_t count = 0;

	/* Heals first: one of a run that begins in between is not taken for a leftover. */
	if (!store_heals_open(store, NULL, arena, &heals, &heal_count, e) ||
	    !store_runs(store, 0, arena, &rows, &count, e) ||
	    !read_kpi(store, now_wall_ns, arena, &history.kpi, e) ||
	    !store_due_sums(store, arena, &history.dues, e))
		return false;
	runs = arena_alloc(arena, (count + 1) * sizeof *runs);
	for (size_t i = 0; i < count; i++)
		if (rows[i].watch_of == NULL) /* the run that it watched shows what it saw */
			runs[history.run_count++] = history_run_of_row(&rows[i]);
	history.runs = runs;
	keep_leftovers(&history, heals, heal_count);
	*ret_history = history;
	return true;
}

static struct outcome outcome_of(const struct history_run *run)
{
	return (struct outcome){ .exit_code = run->exit_code };
}

const char *history_word(const struct history_run *run)
{
	const struct outcome outcome = outcome_of(run);

	switch (run->state) {
	case RUN_ALIVE:
		return "RUNNING";
	case RUN_DIED:
		return "DIED";
	case RUN_ENDED:
		break;
	}
	return words_headline(&outcome);
}

enum verdict history_tone(const struct history_run *run)
{
	const struct outcome outcome = outcome_of(run);

	switch (run->state) {
	case RUN_ALIVE:
		return VERDICT_NONE;
	case RUN_DIED:
		return VERDICT_MISSED;
	case RUN_ENDED:
		break;
	}
	return words_tone(&outcome);
}
