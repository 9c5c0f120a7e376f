/*
 * suite_results.c - what came of an experiment of a suite. The exit code is its process's own, and the
 * store must agree; all else is read from the store, as every later report reads it.
 *
 * A process that was killed could not heal: what it left is healed here, from its written records.
 */
#include "cli/suite.h"

#include <inttypes.h>
#include <string.h>

#include "cli/live.h"
#include "engine/trials.h"

/* The runs that this experiment has begun: none, one, or the trials of its set. */
static void find_runs(struct suite_command *command, const struct suite_drill *drill,
		      struct run_row **ret_runs, size_t *ret_count)
{
	struct run_command *run = command->run;
	struct run_row *own = arena_alloc(&run->arena, sizeof *own);
	struct err ignored = { 0 }; /* none is an answer, too */

	*ret_runs = NULL;
	*ret_count = 0;
	if (store_set_runs(run->owned_store, drill->run_id, &run->arena, ret_runs, ret_count,
			   &ignored) &&
	    *ret_count > 0)
		return;
	if (store_run_find(run->owned_store, drill->run_id, &run->arena, own, &ignored) &&
	    strcmp(own->run_id, drill->run_id) == 0) {
		*ret_runs = own;
		*ret_count = 1;
	}
}

/* How many heals of this run are still open. */
static size_t count_open(struct suite_command *command, const char *run_id)
{
	struct heal_row *rows = NULL;
	size_t count = 0;
	struct err ignored = { 0 };

	if (!store_heals_open(command->run->owned_store, run_id, &command->run->arena, &rows, &count,
			      &ignored))
		return 1; /* what cannot be told counts as left */
	return count;
}

/* How many heals are still open afterwards. */
static size_t heal_died(struct suite_command *command, const struct suite_drill *drill)
{
	struct run_command *run = command->run;
	const struct remote_opener opener = remote_opener_real();
	struct heal_summary summary = { 0 };
	struct live *live = live_open(run->progress_stream, &summary.secrets, &run->clock);
	struct text samples = { 0 };
	struct run_row *runs;
	size_t run_count;
	size_t left_count = 0;

	cli_sample_path(run->arguments, &samples);
	find_runs(command, drill, &runs, &run_count);
	for (size_t i = 0; i < run_count; i++) {
		struct err e = { 0 };

		/* Another experiment may have healed it first: what is still open decides. */
		if (!heal_runs(run->owned_store, runs[i].run_id, &opener, &run->clock,
			       live_progress(live), text_str(&samples), &summary, &e) &&
		    count_open(command, runs[i].run_id) > 0)
			(void)cli_fail(EXIT_LEFTOVER, &summary.secrets, &e);
		left_count += count_open(command, runs[i].run_id);
	}
	live_close(live);
	text_release(&samples);
	heal_summary_release(&summary);
	return left_count;
}

static bool read_set(struct suite_command *command, struct suite_drill *drill,
		     struct outcome *ret_outcome)
{
	struct run_command *run = command->run;
	struct trial_set set;
	struct err ignored = { 0 };

	if (!trials_story(run->owned_store, drill->run_id, &run->arena, &run->secrets, &set,
			  &ignored))
		return false;
	drill->is_set = true;
	drill->trials = set.trials;
	drill->trial_count = set.trial_count;
	drill->objectives = set.objectives;
	drill->objective_count = set.objective_count;
	*ret_outcome = set.outcome;
	return true;
}

static bool read_run(struct suite_command *command, struct suite_drill *drill,
		     struct outcome *ret_outcome)
{
	struct run_command *run = command->run;
	struct trial *trial = arena_alloc(&run->arena, sizeof *trial);
	struct trial_set about = { 0 };
	struct err ignored = { 0 };

	if (!trials_read_one(run->owned_store, drill->run_id, &run->arena, trial, &about, &ignored))
		return false;
	drill->trials = trial;
	drill->trial_count = 1;
	drill->objectives = trial->objectives;
	drill->objective_count = trial->objective_count;
	*ret_outcome = trial->outcome;
	return true;
}

/* The process and the store must say the same; else no code of it is to be trusted. */
static enum run_exit code_of(int number, bool is_stored, const struct outcome *stored)
{
	if (number < EXIT_MET || number > EXIT_INTERNAL ||
	    (is_stored && (enum run_exit)number != stored->exit_code))
		return EXIT_INTERNAL;
	return (enum run_exit)number;
}

static void take_killed(struct suite_command *command, size_t index, int number)
{
	struct suite_drill *drill = &command->drills[index];
	struct arena *arena = &command->run->arena;
	const size_t left_count = heal_died(command, drill);
	const char *name = sigabbrev_np(number);

	/* Told to stop before it had a handler for that: nothing was begun. */
	if (left_count == 0 && number == SIGINT && command->items[index].was_told) {
		drill->outcome = (struct outcome){
			.exit_code = EXIT_STOPPED,
			.sentence = arena_format(arena, "Stopped before it began: %s.",
						 command->suite.stopped),
		};
		return;
	}
	drill->outcome.exit_code = left_count > 0 ? EXIT_LEFTOVER : EXIT_INTERNAL;
	drill->outcome.sentence = arena_format(
		arena, left_count > 0 ? "Its process was killed by signal %d (%s), and not everything "
					"could be healed afterwards; `firedrill heal %s` tries again." :
					"Its process was killed by signal %d (%s); the suite has "
					"healed what run %s left.",
		number, name == NULL ? "?" : name, drill->run_id);
}

void suite_take_result(struct suite_command *command, size_t index, enum child_state state,
		       int number)
{
	struct suite_drill *drill = &command->drills[index];
	struct suite_item *item = &command->items[index];
	struct arena *arena = &command->run->arena;
	struct outcome stored = { 0 };

	child_output(&item->child, &item->output);
	if (state == CHILD_KILLED)
		take_killed(command, index, number);

	const bool is_stored = read_set(command, drill, &stored) ||
			       read_run(command, drill, &stored);

	if (state == CHILD_KILLED)
		return;
	drill->outcome.exit_code = code_of(number, is_stored, &stored);
	drill->outcome.verdict = run_exit_verdict(drill->outcome.exit_code);
	if (is_stored && stored.exit_code == drill->outcome.exit_code)
		drill->outcome.sentence = stored.sentence;
	else
		drill->outcome.sentence = child_complaint(text_str(&item->output), arena);
	if (drill->outcome.sentence == NULL)
		drill->outcome.sentence = arena_format(arena, "Its process ended with %d.", number);
	if (drill->outcome.exit_code == EXIT_STOPPED && item->was_told)
		drill->outcome.sentence = arena_format(arena, "Stopped because %s. %s",
						       command->suite.stopped,
						       drill->outcome.sentence);
}
