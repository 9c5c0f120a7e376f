/*
 * trials.c - the loop over the trials of a set; see trials.h. What a trial does is run.c's.
 */
#include "engine/trials.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "engine/judge_trials.h"

uint64_t trials_seed(uint64_t set_seed, int64_t number)
{
	struct random random = random_from_seed(set_seed);
	uint64_t drawn = 0;

	assert(number >= 1);

	for (int64_t i = 0; i < number; i++)
		drawn = random_next(&random);
	return drawn >> 32; /* short enough to be typed back with --seed, as a fresh one is */
}

void trials_run_id(const char *set_id, int64_t number, char *ret_text, size_t text_bytes)
{
	(void)snprintf(ret_text, text_bytes, "%s-t%02" PRId64, set_id, number);
}

/* Is there a reason to go no further? */
static bool ends_the_set(enum run_exit code)
{
	switch (code) {
	case EXIT_MET:
	case EXIT_MISSED:
	case EXIT_INCONCLUSIVE:
		return false;
	case EXIT_NOT_RUN:
	case EXIT_LEFTOVER:
	case EXIT_NOT_STARTED:
	case EXIT_STOPPED:
	case EXIT_INTERNAL:
		break;
	}
	return true;
}

static bool run_one(const struct trials_request *request, int64_t number,
		    struct outcome *ret_outcome, struct err *e)
{
	struct run_request run = *request->run;
	char run_id[LIMIT_NAME_BYTES + 1];
	bool ok;

	trials_run_id(request->run->run_id, number, run_id, sizeof run_id);
	run.run_id = run_id;
	run.seed = trials_seed(request->run->seed, number);
	run.set_id = request->run->run_id;
	run.trial = number;
	request->before(request->ctx, number, &run);
	ok = run_experiment(&run, ret_outcome, e);
	if (request->after != NULL)
		request->after(request->ctx, number, &run, ret_outcome, ok ? NULL : e);
	return ok;
}

/* NULL: nobody has asked to stop. */
static const char *look_at_signal(const struct run_request *run, char *text, size_t text_bytes)
{
	const int number = run->stop_signal == NULL ? 0 : (int)*run->stop_signal;

	if (number == 0)
		return NULL;
	(void)snprintf(text, text_bytes, "stopped by signal %d (%s)", number,
		       sigabbrev_np(number) == NULL ? "?" : sigabbrev_np(number));
	return text;
}

/* From the store, as every later report of the set. */
static bool conclude(const struct run_request *run, const char *stopped,
		     struct outcome *ret_outcome, struct err *e)
{
	struct secrets none = { 0 };
	struct arena arena = { 0 };
	struct trial_set set;
	bool ok = trials_read(run->store, run->run_id, &arena, &none, &set, e);

	if (ok) {
		set.is_ended = true;
		set.is_alive = false;
		set.stopped = stopped;
		judge_trials(&set, &arena);

		const struct set_row end = {
			.set_id = run->run_id,
			.ended_wall_ns = clock_wall_ns(run->clock),
			.trial_count = (int64_t)set.trial_count,
			.exit_code = set.outcome.exit_code,
			.sentence = set.outcome.sentence,
			.stopped = stopped,
		};

		ok = store_set_end(run->store, &end, e);
		/* The sentence stays in the store: its text does not outlive this arena. */
		ret_outcome->exit_code = set.outcome.exit_code;
		ret_outcome->verdict = set.outcome.verdict;
	}
	ret_outcome->sentence = "";
	secrets_release(&none);
	arena_release(&arena);
	return ok;
}

bool trials_run(const struct trials_request *request, struct outcome *ret_outcome, struct err *e)
{
	const struct run_request *run = request->run;
	const struct set_row row = {
		.set_id = run->run_id,
		.title = run->experiment->title,
		.version = run->version,
		.wall_ns = clock_wall_ns(run->clock),
		.seed = run->seed,
		.planned_count = request->trial_count,
	};
	const char *stopped = NULL;
	char text[64];

	assert(request->trial_count >= 1 && request->trial_count <= LIMIT_TRIALS);
	assert(request->before != NULL);

	*ret_outcome = (struct outcome){ .exit_code = EXIT_INTERNAL, .sentence = "" };
	if (!store_set_begin(run->store, &row, e))
		return false;
	for (int64_t number = 1; number <= request->trial_count; number++) {
		stopped = look_at_signal(run, text, sizeof text);
		if (stopped != NULL)
			break;
		if (!run_one(request, number, ret_outcome, e)) {
			struct err ignored = { 0 }; /* the first error counts */
			struct outcome unknown = { .exit_code = EXIT_INTERNAL };

			(void)conclude(run, NULL, &unknown, &ignored);
			return false;
		}
		if (ends_the_set(ret_outcome->exit_code))
			break;
	}
	return conclude(run, stopped, ret_outcome, e);
}
