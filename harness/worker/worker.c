/*
 * worker.c - see worker.h: the loop of a worker. It waits for signals, for news of the store and for the
 * next lease to renew; what becomes of one due run is job.c's.
 */
#include "worker/worker.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "engine/engine.h"
#include "model/verdict.h"
#include "worker/job.h"

/* A store that does not tell is asked this often; one that does, too, in case a message was lost. */
static const int64_t look_every_ns = NS_PER_S / 4;
static const int64_t look_seldom_ns = 30 * NS_PER_S;
static const int64_t take_over_every_ns = 5 * NS_PER_S;
static const int64_t retry_every_ns = NS_PER_S; /* a store that is away */

struct worker {
	const struct worker_request *request;
	struct clock clock;
	struct job watches[WORKER_WATCHES_MAX];
	struct job jobs[WORKER_JOBS_MAX];
	int signal_fd;
	int news_fd; /* -1: the store does not tell */
	sigset_t mask_before;
	size_t signal_count;
	bool is_leaving;    /* nothing more is taken; it ends when nothing runs */
	struct err trouble; /* why nothing can be taken, of one that ends for it */
	bool is_empty[DUE_WATCH + 1]; /* of each kind nothing was there to claim when it was last asked */
	int64_t look_ns;    /* when it is asked again */
	int64_t take_over_ns;
};

static const enum due_kind kinds[] = { DUE_WATCH, DUE_RUN }; /* a watch is awaited: it comes first */
enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

static size_t slot_count(const struct worker *worker)
{
	return WORKER_WATCHES_MAX + worker->request->job_count;
}

static struct job *slot_at(struct worker *worker, size_t index)
{
	return index < WORKER_WATCHES_MAX ? &worker->watches[index] :
					    &worker->jobs[index - WORKER_WATCHES_MAX];
}

static struct job *free_slot(struct worker *worker, enum due_kind kind)
{
	const size_t from = kind == DUE_WATCH ? 0 : WORKER_WATCHES_MAX;
	const size_t until = kind == DUE_WATCH ? WORKER_WATCHES_MAX : slot_count(worker);

	for (size_t i = from; i < until; i++)
		if (slot_at(worker, i)->phase == JOB_FREE)
			return slot_at(worker, i);
	return NULL;
}

static bool has_free_slot(struct worker *worker)
{
	return free_slot(worker, DUE_WATCH) != NULL || free_slot(worker, DUE_RUN) != NULL;
}

/* May there be something to claim, and a slot for it? */
static bool is_hungry(struct worker *worker)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (!worker->is_empty[kinds[i]] && free_slot(worker, kinds[i]) != NULL)
			return true;
	return false;
}

static void set_empty(struct worker *worker)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		worker->is_empty[kinds[i]] = true;
}

/* ---- signals ---- */

static bool block_signals(struct worker *worker, struct err *e)
{
	const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	sigset_t mask;

	(void)sigemptyset(&mask);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		(void)sigaddset(&mask, numbers[i]);
	worker->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (worker->signal_fd == -1)
		return err_set(e, ERR_LIMIT, "wait for signals: %s", strerror(errno));
	(void)sigprocmask(SIG_BLOCK, &mask, &worker->mask_before);
	return true;
}

static void stop_jobs(struct worker *worker)
{
	for (size_t i = 0; i < slot_count(worker); i++)
		job_stop(slot_at(worker, i));
}

static void take_signals(struct worker *worker)
{
	struct signalfd_siginfo info;

	while (read(worker->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGCHLD)
			continue; /* each job looks after its own process */
		worker->signal_count++;
		worker->is_leaving = true;
		if (worker->signal_count == 1)
			job_say(worker->request, "nothing more is taken; what runs goes on to its end. A "
				"second signal heals and ends it");
		if (worker->signal_count == 2) {
			job_say(worker->request, "what runs heals and ends");
			stop_jobs(worker);
		}
	}
}

/* Until a signal, news, or due_ns. */
static void wait_until(struct worker *worker, int64_t due_ns)
{
	const int64_t left_ns = due_ns - clock_now_ns(&worker->clock);
	const bool is_waiting = worker->news_fd != -1 && !is_hungry(worker) &&
				!worker->is_leaving && has_free_slot(worker);
	struct pollfd looks[] = { { .fd = worker->signal_fd, .events = POLLIN },
				  { .fd = is_waiting ? worker->news_fd : -1, .events = POLLIN } };

	if (left_ns <= 0)
		return;
	(void)poll(looks, sizeof looks / sizeof looks[0],
		   (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS)); /* at most look_seldom_ns */
	if (looks[1].revents != 0)
		worker->look_ns = 0;
}

/* ---- healing first ---- */

/* What died on this machine is healed before anything is taken. */
static bool heal_first(struct worker *worker, bool *ret_leftover, struct err *e)
{
	const struct worker_hands *hands = &worker->request->hands;
	struct child child = { 0 };
	struct text output = { 0 };
	int number = 0;
	enum child_state state;

	if (!hands->heal(hands->ctx, NULL, &child, e))
		return false;
	while ((state = child_look(&child, &number)) == CHILD_RUNS) {
		wait_until(worker, clock_now_ns(&worker->clock) + look_every_ns);
		take_signals(worker);
	}
	child_output(&child, &output);
	child_close(&child);
	*ret_leftover = state == CHILD_EXITED && number == EXIT_LEFTOVER;

	const char *complaint = text_str(&output);
	const bool ok = state == CHILD_EXITED && (number == EXIT_MET || *ret_leftover);

	if (!ok)
		(void)err_set(e, ERR_STORE, "heal what died here before anything is taken: %.600s",
			      complaint);
	text_release(&output);
	return ok;
}

/* ---- taking ---- */

static void complain(struct worker *worker, const struct err *e, int64_t now_ns)
{
	job_say(worker->request, "nothing can be taken now: %s", e->text);
	if (worker->request->is_once)
		worker->trouble = *e;
	set_empty(worker);
	worker->look_ns = now_ns + retry_every_ns;
}

/* *ret_is_there: one was claimed, or taken over, and has begun. */
static bool take_one(struct worker *worker, enum due_kind kind, bool is_gone, bool *ret_is_there,
		     struct err *e)
{
	const struct worker_request *request = worker->request;
	struct job *job = free_slot(worker, kind);
	char run_id[40];
	bool is_there = false;

	assert(job != NULL);
	run_id_make(&worker->clock, run_id, sizeof run_id);
	if (!(is_gone ? store_due_take_over(request->store, &request->self, kind, &job->arena,
					    &is_there, &job->due, e) :
			store_due_claim(request->store, &request->self, kind, run_id, &job->arena,
					&is_there, &job->due, e))) {
		arena_release(&job->arena);
		return false;
	}
	*ret_is_there = is_there;
	if (!is_there)
		arena_release(&job->arena);
	else if (is_gone)
		job_settle(job, clock_now_ns(&worker->clock));
	else
		job_start(job, clock_now_ns(&worker->clock));
	return true;
}

/* As many as there are slots for. False: e says why the store does not answer. */
static bool take_all(struct worker *worker, bool is_gone, struct err *e)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		bool is_there = true;

		while (is_there && free_slot(worker, kinds[i]) != NULL)
			if (!take_one(worker, kinds[i], is_gone, &is_there, e))
				return false;
		if (!is_gone)
			worker->is_empty[kinds[i]] = !is_there;
	}
	return true;
}

/* What it runs goes on to its end where it began. */
static bool check_place(struct worker *worker)
{
	if (store_check_place(worker->request->store, &worker->trouble))
		return true;
	if (!worker->is_leaving)
		job_say(worker->request, "nothing more is taken: %s", worker->trouble.text);
	worker->is_leaving = true;
	return false;
}

static void look_for_work(struct worker *worker)
{
	const int64_t lease_third_ns = worker->request->self.lease_ns / 3;
	int64_t now_ns = clock_now_ns(&worker->clock);
	bool has_news = false;
	struct err e = { 0 };

	if (worker->is_leaving || !has_free_slot(worker) ||
	    (!is_hungry(worker) && now_ns < worker->look_ns && now_ns < worker->take_over_ns) ||
	    !check_place(worker))
		return;
	if (worker->take_over_ns <= now_ns) {
		worker->take_over_ns = now_ns + (lease_third_ns < take_over_every_ns ? lease_third_ns :
								       take_over_every_ns);
		if (!take_all(worker, true, &e)) {
			complain(worker, &e, now_ns);
			return;
		}
	}
	/* Listening comes first: what is put behind it is told. */
	do {
		if (!store_due_news(worker->request->store, &has_news, &worker->news_fd, &e) ||
		    !take_all(worker, false, &e)) {
			complain(worker, &e, clock_now_ns(&worker->clock));
			return;
		}
	} while (has_news && has_free_slot(worker));
	now_ns = clock_now_ns(&worker->clock);
	worker->look_ns = now_ns + (worker->news_fd == -1 ? look_every_ns : look_seldom_ns);
}

/* ---- the loop ---- */

static size_t count_jobs(struct worker *worker)
{
	size_t count = 0;

	for (size_t i = 0; i < slot_count(worker); i++)
		count += slot_at(worker, i)->phase != JOB_FREE ? 1 : 0;
	return count;
}

static int64_t next_wake_ns(struct worker *worker)
{
	int64_t wake_ns = clock_now_ns(&worker->clock) + look_seldom_ns;

	for (size_t i = 0; i < slot_count(worker); i++) {
		const int64_t job_ns = job_wake_ns(slot_at(worker, i));

		wake_ns = job_ns < wake_ns ? job_ns : wake_ns;
	}
	if (!worker->is_leaving && has_free_slot(worker)) {
		wake_ns = worker->look_ns < wake_ns ? worker->look_ns : wake_ns;
		wake_ns = worker->take_over_ns < wake_ns ? worker->take_over_ns : wake_ns;
	}
	return wake_ns;
}

static void work(struct worker *worker)
{
	const struct worker_request *request = worker->request;

	for (;;) {
		take_signals(worker);
		for (size_t i = 0; i < slot_count(worker); i++)
			job_tick(slot_at(worker, i), clock_now_ns(&worker->clock));
		look_for_work(worker);
		if (count_jobs(worker) == 0 &&
		    (worker->is_leaving || (request->is_once && !is_hungry(worker))))
			return;
		wait_until(worker, next_wake_ns(worker));
	}
}

bool worker_run(const struct worker_request *request, bool *ret_leftover, struct err *e)
{
	struct worker worker = { .request = request,
				 .clock = clock_system(),
				 .signal_fd = -1,
				 .news_fd = -1 };
	bool ok;

	assert(request->job_count >= 1 && request->job_count <= WORKER_JOBS_MAX);

	if (!block_signals(&worker, e))
		return false;
	for (size_t i = 0; i < slot_count(&worker); i++)
		slot_at(&worker, i)->request = request;
	ok = heal_first(&worker, ret_leftover, e);
	if (ok && !*ret_leftover)
		work(&worker);
	if (worker.trouble.kind != ERR_NONE) {
		*e = worker.trouble;
		ok = false;
	}
	(void)close(worker.signal_fd); /* nothing is written to it */
	(void)sigprocmask(SIG_SETMASK, &worker.mask_before, NULL);
	return ok;
}
