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

static struct history_run *runs_of_rows(const struct run_row *rows, size_t count,
					struct arena *arena)
{
	struct history_run *runs = arena_alloc(arena, (count + 1) * sizeof *runs);

	for (size_t i = 0; i < count; i++)
		runs[i] = history_run_of_row(&rows[i]);
	return runs;
}

/* What a run under way has harmed is its own to heal. */
static bool is_somebodys(const struct history *history, const struct heal_row *heal)
{
	for (size_t i = 0; i < history->open_count; i++)
		if (history->open[i].state == RUN_ALIVE &&
		    strcmp(history->open[i].run_id, heal->record.run_id) == 0)
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

/* ---- facts ---- */

void history_facts_release(struct history_facts *facts)
{
	arena_release(&facts->arena);
	*facts = (struct history_facts){ 0 };
}

static bool read_facts(struct store *store, int64_t now_wall_ns, struct history_facts *facts,
		       struct err *e)
{
	static const int64_t at_most_ns = 60 * NS_PER_S;
	int64_t version = 0;

	/* First which version: what changes meanwhile is read once more, and never missed. */
	if (!store_facts_version(store, &version, e))
		return false;
	if (facts->is_there && facts->version == version && now_wall_ns >= facts->read_wall_ns &&
	    now_wall_ns - facts->read_wall_ns < at_most_ns)
		return true;
	history_facts_release(facts);
	if (!store_facts(store, &facts->arena, &facts->rows, e))
		return false;
	facts->version = version;
	facts->read_wall_ns = now_wall_ns;
	facts->is_there = true;
	return true;
}

/* With the limits that `firedrill kpi` has by itself. */
static bool read_kpi(struct store *store, int64_t now_wall_ns, struct history_facts *facts,
		     struct arena *arena, struct history *history, struct err *e)
{
	struct kpi_request request = {
		.zone_name = "UTC",
		.now_wall_ns = now_wall_ns,
		.stale_after_ns = INT64_C(90) * 24 * 3600 * NS_PER_S,
		.confidence_ppm = 950000,
	};
	const struct facts_rows *rows = &facts->rows;

	if (!zone_load(request.zone_name, arena, &request.zone, e) ||
	    !read_facts(store, now_wall_ns, facts, e))
		return false;
	request.subjects = rows->subjects;
	request.subject_count = rows->subject_count;
	request.runs = rows->rows;
	request.run_count = rows->row_count;
	/* Runs may have come since they were counted. */
	if (history->tally.run_count > rows->row_count)
		request.missing_count = history->tally.run_count - rows->row_count;
	kpi_compute(&request, arena, &history->kpi);
	return true;
}

bool history_read(struct store *store, int64_t now_wall_ns, struct history_facts *facts,
		  struct arena *arena, struct history *ret_history, struct err *e)
{
	static const struct run_choice newest = { .text = "", .limit = HISTORY_RECENT };
	struct history history = { 0 };
	struct heal_row *heals = NULL;
	struct run_row *recent = NULL;
	struct run_row *open = NULL;
	size_t heal_count = 0;

	/* Heals first: one of a run that begins in between is not taken for a leftover. */
	if (!store_heals_open(store, NULL, arena, &heals, &heal_count, e) ||
	    !store_runs_tally(store, "", &history.tally, e) ||
	    !store_runs_chosen(store, &newest, arena, &recent, &history.recent_count, e) ||
	    !store_runs_open(store, arena, &open, &history.open_count, e) ||
	    !read_kpi(store, now_wall_ns, facts, arena, &history, e) ||
	    !store_due_sums(store, arena, &history.dues, e))
		return false;
	history.recent = runs_of_rows(recent, history.recent_count, arena);
	history.open = runs_of_rows(open, history.open_count, arena);
	keep_leftovers(&history, heals, heal_count);
	*ret_history = history;
	return true;
}

/* ---- a page of runs ---- */

static uint64_t exit_codes_of(const char *word)
{
	uint64_t codes = 0;

	for (unsigned code = 0; code < RUN_EXITS; code++) {
		const struct history_run run = { .state = RUN_ENDED,
						 .exit_code = (enum run_exit)code };

		if (strcmp(history_word(&run), word) == 0)
			codes |= UINT64_C(1) << code;
	}
	return codes;
}

static uint64_t count_ended(const struct run_tally *tally, uint64_t exit_codes)
{
	uint64_t count = 0;

	for (unsigned code = 0; code < RUN_EXITS; code++)
		if ((exit_codes >> code & 1) != 0)
			count += tally->ended_counts[code];
	return count;
}

static bool list_ended(struct store *store, const struct history_choice *choice,
		       uint64_t exit_codes, struct arena *arena, struct history_list *list,
		       struct err *e)
{
	const struct run_choice rows_wanted = { .text = choice->text,
						.exit_codes = exit_codes,
						.skip = choice->skip,
						.limit = choice->limit };
	struct run_tally tally;
	struct run_row *rows = NULL;

	if (!store_runs_tally(store, choice->text, &tally, e) ||
	    !store_runs_chosen(store, &rows_wanted, arena, &rows, &list->count, e))
		return false;
	list->chosen_count = exit_codes == 0 ? tally.run_count : count_ended(&tally, exit_codes);
	list->runs = runs_of_rows(rows, list->count, arena);
	return true;
}

/* No SQL can tell whether a process is alive, and there are few without an end. */
static bool list_open(struct store *store, const struct history_choice *choice,
		      struct arena *arena, struct history_list *list, struct err *e)
{
	struct run_row *rows = NULL;
	struct history_run *runs;
	size_t row_count = 0;

	if (!store_runs_open(store, arena, &rows, &row_count, e))
		return false;
	runs = arena_alloc(arena, (choice->limit + 1) * sizeof *runs);
	for (size_t i = 0; i < row_count; i++) {
		const struct history_run run = history_run_of_row(&rows[i]);

		if (strcmp(history_word(&run), choice->word) != 0 ||
		    (strcasestr(run.title, choice->text) == NULL &&
		     strcasestr(run.run_id, choice->text) == NULL))
			continue;
		if (list->chosen_count++ >= choice->skip && list->count < choice->limit)
			runs[list->count++] = run;
	}
	list->runs = runs;
	return true;
}

bool history_list(struct store *store, const struct history_choice *choice, struct arena *arena,
		  struct history_list *ret_list, struct err *e)
{
	const uint64_t exit_codes = *choice->word == '\0' ? 0 : exit_codes_of(choice->word);
	struct history_list list = { 0 };
	struct run_tally all;

	if (!store_runs_tally(store, "", &all, e))
		return false;
	list.run_count = all.run_count;
	if (*choice->word == '\0' || exit_codes != 0 ?
		    !list_ended(store, choice, exit_codes, arena, &list, e) :
		    !list_open(store, choice, arena, &list, e))
		return false;
	*ret_list = list;
	return true;
}

/* ---- words ---- */

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
