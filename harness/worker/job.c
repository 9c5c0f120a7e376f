/*
 * job.c - see job.h.
 *
 * Whatever fails is tried again: a lease that could not be renewed, an outcome that the store did not
 * take, a heal that left something. The claim stays with this worker as long as it lives.
 */
#include "worker/job.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "model/verdict.h"

static const int64_t retry_every_ns = NS_PER_S;
/* A run that its dead worker was about to begin has begun or ended by then, or within a lease. */
static const int64_t begin_at_most_ns = 5 * NS_PER_S;

void job_say(const struct worker_request *request, const char *format, ...)
{
	struct text line = { 0 };
	va_list args;

	va_start(args, format);
	text_addv(&line, format, args);
	va_end(args);
	request->hands.say(request->hands.ctx, text_str(&line));
	text_release(&line);
}

static void release(struct job *job)
{
	const struct worker_request *request = job->request;

	if (request->hands.clear != NULL)
		request->hands.clear(request->hands.ctx, &job->due);
	child_close(&job->child);
	arena_release(&job->arena);
	*job = (struct job){ .request = request };
}

/* ---- the outcome ---- */

static void end_with(struct job *job, enum due_state state, int64_t exit_code, const char *sentence)
{
	job->due.state = state;
	job->due.exit_code = exit_code;
	job->due.sentence = arena_copy(&job->arena, sentence);
	job->phase = JOB_ENDS;
	job->retry_ns = 0;
}

static void record(struct job *job, int64_t now_ns)
{
	bool is_ours = false;
	struct err e = { 0 };

	if (!store_due_finish(job->request->store, &job->request->self, &job->due, &is_ours, &e)) {
		job->retry_ns = now_ns + retry_every_ns;
		job_say(job->request, "run %s is over, and its outcome could not be kept yet: %s",
			job->due.run_id, e.text);
		return;
	}
	if (is_ours)
		job_say(job->request, "%s %s: %s: %s", job->due.schedule, job->due.run_id,
			due_state_name(job->due.state), job->due.sentence);
	else
		job_say(job->request, "run %s is over; another worker has taken over its due run",
			job->due.run_id);
	release(job);
}

/* ---- what the store has of its run ---- */

/* The runs that were begun under its id: none, one, or the trials of a set. */
static bool find_runs(const struct job *job, struct arena *arena, struct run_row **ret_runs,
		      size_t *ret_count, struct err *e)
{
	struct run_row *own = arena_alloc(arena, sizeof *own);
	struct err why = { 0 };

	if (!store_set_runs(job->request->store, job->due.run_id, arena, ret_runs, ret_count, e))
		return false;
	if (*ret_count > 0)
		return true;
	if (store_run_find(job->request->store, job->due.run_id, arena, own, &why)) {
		*ret_count = strcmp(own->run_id, job->due.run_id) == 0;
		*ret_runs = own;
	} else if (why.kind != ERR_INPUT) { /* that is: none */
		*e = why;
		return false;
	}
	return true;
}

/* What its runs have left. */
struct left {
	struct arena arena;
	size_t run_count;
	bool is_alive;
	bool needs_heal;
	bool was_healed; /* by somebody: it had not ended by itself */
	const struct run_row *last;
};

static bool look(const struct job *job, struct left *left, struct err *e)
{
	struct run_row *runs = NULL;

	if (!find_runs(job, &left->arena, &runs, &left->run_count, e))
		return false;
	for (size_t i = 0; i < left->run_count; i++) {
		struct heal_row *heals = NULL;
		size_t heal_count = 0;

		if (!store_heals_open(job->request->store, runs[i].run_id, &left->arena, &heals,
				      &heal_count, e))
			return false;
		left->is_alive |= !runs[i].is_ended && store_run_is_alive(&runs[i]);
		left->needs_heal |= !runs[i].is_ended || heal_count > 0;
		left->was_healed |= runs[i].exit_code == EXIT_INTERNAL ||
				    runs[i].exit_code == EXIT_LEFTOVER;
		left->last = &runs[i];
	}
	return true;
}

/* Its own row says whether all of its trials were made. */
static bool is_whole_set(const struct job *job, struct left *left, struct set_row *ret_set)
{
	struct err ignored = { 0 }; /* then it is not whole */

	return left->last->set_id != NULL &&
	       store_set_find(job->request->store, left->last->set_id, &left->arena, ret_set,
			      &ignored) &&
	       ret_set->is_ended;
}

static void settle_healed(struct job *job, struct left *left)
{
	struct set_row set;

	if (left->run_count == 0)
		end_with(job, DUE_ABANDONED, -1,
			 job->is_taken_over ?
				 "its worker was gone before the run began: nothing was harmed" :
				 "its process ended before the run began: nothing was harmed");
	else if (is_whole_set(job, left, &set))
		end_with(job, DUE_DONE, set.exit_code, set.sentence);
	else if (left->was_healed || left->last->set_id != NULL)
		end_with(job, DUE_ABANDONED, EXIT_INTERNAL,
			 job->is_taken_over ?
				 "its worker was gone in the middle of it; what the run left is healed" :
				 "its process was killed; what the run left is healed");
	else
		end_with(job, DUE_DONE, left->last->exit_code, left->last->sentence);
}

static void start_heal(struct job *job, int64_t now_ns)
{
	const struct worker_hands *hands = &job->request->hands;
	struct err e = { 0 };

	child_close(&job->child);
	if (hands->heal(hands->ctx, job->due.run_id, &job->child, &e)) {
		job->phase = JOB_HEALS;
		return;
	}
	job_say(job->request, "run %s is to be healed, and cannot be yet: %s", job->due.run_id, e.text);
	job->retry_ns = now_ns + retry_every_ns;
}

/* Nobody runs it any more. Is there something to heal, and if not, how did it end? */
static void look_what_is_left(struct job *job, int64_t now_ns)
{
	const int64_t lease_ns = job->request->self.lease_ns;
	struct left left = { 0 };
	struct err e = { 0 };

	job->retry_ns = now_ns + retry_every_ns;
	if (!look(job, &left, &e)) {
		job_say(job->request, "run %s: %s", job->due.run_id, e.text);
	} else if (left.run_count == 0 && job->is_taken_over && !job->has_looked) {
		job->has_looked = true;
		job->retry_ns = now_ns + (lease_ns < begin_at_most_ns ? lease_ns : begin_at_most_ns);
	} else if (left.needs_heal && !left.is_alive) {
		start_heal(job, now_ns);
	} else if (!left.is_alive) { /* one that lives heals itself */
		settle_healed(job, &left);
		record(job, now_ns);
	}
	arena_release(&left.arena);
}

/* ---- its processes ---- */

/* The last thing that it complained about: why there is no run. */
static const char *sentence_of(struct job *job, int number)
{
	struct run_row *runs = NULL;
	struct text output = { 0 };
	struct err ignored = { 0 };
	const char *sentence;
	size_t count = 0;

	if (find_runs(job, &job->arena, &runs, &count, &ignored) && count == 1 && runs[0].is_ended &&
	    runs[0].exit_code == number)
		return runs[0].sentence;
	child_output(&job->child, &output);
	sentence = child_complaint(text_str(&output), &job->arena);
	text_release(&output);
	return sentence != NULL ? sentence :
				  arena_format(&job->arena, "its process ended with %d", number);
}

static void take_run(struct job *job, int64_t now_ns)
{
	int number = 0;
	const enum child_state state = child_look(&job->child, &number);

	if (state == CHILD_RUNS)
		return;
	if (state == CHILD_EXITED) {
		end_with(job, DUE_DONE, number, sentence_of(job, number));
		record(job, now_ns);
		return;
	}
	job_say(job->request, "run %s: its process was killed by signal %d (%s)", job->due.run_id,
		number, sigabbrev_np(number) == NULL ? "?" : sigabbrev_np(number));
	job->phase = JOB_LOOKS;
	look_what_is_left(job, now_ns);
}

static void take_heal(struct job *job, int64_t now_ns)
{
	int number = 0;
	const enum child_state state = child_look(&job->child, &number);

	if (state == CHILD_RUNS)
		return;
	job->phase = JOB_LOOKS;
	job->retry_ns = now_ns;
	if (state == CHILD_EXITED && number == EXIT_MET)
		return;
	job_say(job->request, "run %s is not wholly healed yet; it is tried again. `firedrill heal %s` "
		"tells more", job->due.run_id, job->due.run_id);
	job->retry_ns = now_ns + job->request->self.lease_ns;
}

void job_start(struct job *job, int64_t now_ns)
{
	const struct worker_hands *hands = &job->request->hands;
	struct err e = { 0 };

	job->renew_ns = now_ns + job->request->self.lease_ns / 3;
	if (hands->start(hands->ctx, &job->due, &job->child, &e)) {
		job->phase = JOB_RUNS;
		return;
	}
	end_with(job, DUE_DONE, EXIT_NOT_STARTED, e.text);
	record(job, now_ns);
}

void job_settle(struct job *job, int64_t now_ns)
{
	assert(job->due.run_id != NULL);

	job_say(job->request, "%s %s: taken over from worker %s, which is gone", job->due.schedule,
		job->due.run_id, job->due.worker);
	job->renew_ns = now_ns + job->request->self.lease_ns / 3;
	job->is_taken_over = true;
	job->phase = JOB_LOOKS;
}

void job_stop(struct job *job)
{
	if (job->phase != JOB_RUNS || job->was_told)
		return;
	job->was_told = true;
	child_signal(&job->child, SIGINT);
}

/* One that was taken over by another worker is looked after there; here it ends. */
static void renew(struct job *job, int64_t now_ns)
{
	bool is_ours = true;
	struct err e = { 0 };

	job->renew_ns = now_ns + job->request->self.lease_ns / 3;
	if (!store_due_renew(job->request->store, &job->request->self, job->due.due_id, &is_ours, &e)) {
		job_say(job->request, "the lease of run %s could not be renewed: %s", job->due.run_id,
			e.text);
		return;
	}
	if (!is_ours && !job->was_told && job->phase == JOB_RUNS) {
		job_say(job->request, "another worker holds this one for dead and has taken over run %s: "
			"it heals and ends here", job->due.run_id);
		job_stop(job);
	}
}

void job_tick(struct job *job, int64_t now_ns)
{
	switch (job->phase) {
	case JOB_FREE:
		return;
	case JOB_RUNS:
		take_run(job, now_ns);
		break;
	case JOB_HEALS:
		take_heal(job, now_ns);
		break;
	case JOB_LOOKS:
		if (job->retry_ns <= now_ns)
			look_what_is_left(job, now_ns);
		break;
	case JOB_ENDS:
		if (job->retry_ns <= now_ns)
			record(job, now_ns);
		break;
	}
	if (job->phase != JOB_FREE && job->renew_ns <= now_ns)
		renew(job, now_ns);
}

int64_t job_wake_ns(const struct job *job)
{
	int64_t wake_ns = INT64_MAX;

	if (job->phase != JOB_FREE)
		wake_ns = job->renew_ns;
	if ((job->phase == JOB_LOOKS || job->phase == JOB_ENDS) && job->retry_ns < wake_ns)
		wake_ns = job->retry_ns;
	return wake_ns;
}
