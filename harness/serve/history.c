/*
 * history.c - see history.h.
 */
#include "serve/history.h"

#include <string.h>

#include "reports/words.h"

static enum run_state state_of(const struct run_row *row)
{
	if (row->is_ended)
		return RUN_ENDED;
	return store_run_is_alive(row) ? RUN_ALIVE : RUN_DIED;
}

/* What a run under way has harmed is its own to heal. */
static bool is_somebodys(const struct history *history, const struct heal_row *heal)
{
	for (size_t i = 0; i < history->run_count; i++)
		if (history->runs[i].state == RUN_ALIVE &&
		    strcmp(history->runs[i].row->run_id, heal->record.run_id) == 0)
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

bool history_read(struct store *store, struct arena *arena, struct history *ret_history,
		  struct err *e)
{
	struct history history = { 0 };
	struct heal_row *heals = NULL;
	struct run_row *rows = NULL;
	struct history_run *runs;
	size_t heal_count = 0;
	size_t count = 0;

	/* Heals first: one of a run that begins in between is not taken for a leftover. */
	if (!store_heals_open(store, NULL, arena, &heals, &heal_count, e) ||
	    !store_runs(store, 0, arena, &rows, &count, e))
		return false;
	runs = arena_alloc(arena, (count + 1) * sizeof *runs);
	for (size_t i = 0; i < count; i++)
		runs[i] = (struct history_run){ .row = &rows[i], .state = state_of(&rows[i]) };
	history.runs = runs;
	history.run_count = count;
	keep_leftovers(&history, heals, heal_count);
	*ret_history = history;
	return true;
}

static struct outcome outcome_of(const struct history_run *run)
{
	return (struct outcome){ .exit_code = (enum run_exit)run->row->exit_code };
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
