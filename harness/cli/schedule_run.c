/*
 * schedule_run.c - `firedrill schedule run`: the scheduler. It asks schedule_decide what is to be done now,
 * and puts that into the store as rows of due runs, which workers take; what is skipped or missed is a row
 * with its reason. The newest row of a schedule is its mark, so that any number of schedulers on one store,
 * and one that was down for a while, decide the same. It runs nothing itself.
 *
 * It sleeps by the wall clock, with a timer that ends when the clock is set.
 */
#include "cli/schedule_run.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "schedule/schedule.h"
#include "store/store_dues.h"

/* Ends of runs, pauses and resumes are seen so late at most. */
static const int64_t look_every_ns = 5 * NS_PER_S;

/* The turn of a row that says since when a schedule is known. */
enum { TURN_FIRST_SEEN = -1 };

struct scheduler {
	const struct arguments *arguments;
	struct clock clock;
	struct store *owned_store;
	struct arena documents; /* the schedules as they were read last */
	struct schedule_list schedules;
	int timer_fd;
	int signal_fd;
	bool is_over;
	char trouble[ERR_TEXT_BYTES]; /* told already */
};

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	struct text line = { 0 };
	va_list args;

	va_start(args, format);
	text_addv(&line, format, args);
	va_end(args);
	cli_print_line(stdout, NULL, text_str(&line));
	(void)fflush(stdout); /* who looks at a log looks now */
	text_release(&line);
}

/* Once, however often it comes; what is over may come again. */
static void say_trouble(struct scheduler *scheduler, const char *trouble)
{
	if (*trouble != '\0' && strcmp(scheduler->trouble, trouble) != 0)
		say("%s", trouble);
	(void)snprintf(scheduler->trouble, sizeof scheduler->trouble, "%s", trouble);
}

/* ---- documents ---- */

static bool read_files(struct scheduler *scheduler)
{
	static const char *const fallback[] = { "plan.yaml" };
	const bool has_files = scheduler->arguments->word_count > 1;
	struct schedule_list schedules = { 0 };
	struct arena arena = { 0 };

	if (!cli_load_schedules(scheduler->arguments,
				has_files ? scheduler->arguments->words + 1 : fallback,
				has_files ? scheduler->arguments->word_count - 1 : 1, &arena,
				&schedules)) {
		arena_release(&arena);
		return false;
	}
	arena_release(&scheduler->documents);
	scheduler->documents = arena;
	scheduler->schedules = schedules;
	say("%zu schedule%s", schedules.count, schedules.count == 1 ? "" : "s");
	return true;
}

/* The documents as they are now, whole; workers may be elsewhere. */
static bool fill_documents(const struct scheduled_experiment *scheduled, struct arena *arena,
			   struct due_row *row, struct err *e)
{
	const struct load_request request = { .experiment_path = scheduled->path,
					      .inventory_path = scheduled->inventory_path,
					      .vars = scheduled->vars,
					      .var_count = scheduled->var_count };
	struct problems *problems = arena_alloc(arena, sizeof *problems);
	const struct experiment *experiment = NULL;
	struct secrets none = { 0 };
	char *whole;

	if (!load_experiment(&request, arena, &none, &experiment, problems)) {
		struct text first = { 0 };

		if (problems->count > 0)
			problem_print(&problems->items[0], &first);
		(void)err_set(e, ERR_INPUT, "read %s: %.600s", scheduled->path, text_str(&first));
		text_release(&first);
		return false;
	}
	whole = realpath(scheduled->path, NULL);
	row->experiment_path = arena_copy(arena, whole == NULL ? scheduled->path : whole);
	free(whole);
	row->experiment_text = experiment->source_text;
	whole = experiment->inventory_path == NULL ? NULL : realpath(experiment->inventory_path, NULL);
	row->inventory_path = whole == NULL ? experiment->inventory_path : arena_copy(arena, whole);
	free(whole);
	row->inventory_text = experiment->inventory_text;
	row->vars = scheduled->vars;
	row->var_count = scheduled->var_count;
	secrets_release(&none);
	return true;
}

/* ---- what is known ---- */

static bool put_first_seen(struct scheduler *scheduler, const char *name, int64_t now_ns, struct err *e)
{
	const struct due_row row = {
		.schedule = name,
		.nominal_wall_ns = now_ns,
		.turn = TURN_FIRST_SEEN,
		.due_wall_ns = now_ns,
		.latest_wall_ns = now_ns,
		.state = DUE_SKIPPED,
		.ended_wall_ns = now_ns,
		.exit_code = -1,
		.sentence = "first seen: nothing from before is due",
	};
	bool is_new = false;

	return store_due_put(scheduler->owned_store, &row, &is_new, e);
}

static const struct schedule_pause *find_pause(const struct pause_row *rows, size_t count,
					       const char *name, struct arena *arena)
{
	for (size_t i = 0; i < count; i++) {
		struct schedule_pause *pause;

		if (strcmp(rows[i].schedule, name) != 0)
			continue;
		pause = arena_alloc(arena, sizeof *pause);
		*pause = (struct schedule_pause){ rows[i].schedule, rows[i].person, rows[i].reason,
						  rows[i].wall_ns };
		return pause;
	}
	return NULL;
}

static bool fill_state(struct scheduler *scheduler, const struct schedule *schedule, int64_t now_ns,
		       struct arena *arena, struct schedule_state *state, struct err *e)
{
	struct due_row newest = { 0 };
	bool is_there = false;

	*state = (struct schedule_state){ .schedule = schedule, .since_wall_ns = now_ns };
	if (!store_due_newest(scheduler->owned_store, schedule->name, arena, &is_there, &newest, e))
		return false;
	if (!is_there)
		return put_first_seen(scheduler, schedule->name, now_ns, e);
	state->since_wall_ns = newest.nominal_wall_ns;
	if (newest.turn == TURN_FIRST_SEEN)
		return true;
	state->has_handled = true;
	state->handled_wall_ns = newest.nominal_wall_ns;
	state->begun_count = (size_t)newest.turn;
	state->has_ended = newest.ended_wall_ns != 0;
	state->ended_wall_ns = newest.ended_wall_ns;
	return true;
}

static bool fill_states(struct scheduler *scheduler, int64_t now_ns, struct arena *arena,
			struct schedule_state *states, struct err *e)
{
	struct pause_row *pauses = NULL;
	struct due_row *open = NULL;
	size_t pause_count = 0;
	size_t open_count = 0;

	if (!store_dues_miss(scheduler->owned_store, e) ||
	    !store_pauses(scheduler->owned_store, arena, &pauses, &pause_count, e) ||
	    !store_dues_open(scheduler->owned_store, arena, &open, &open_count, e))
		return false;
	for (size_t i = 0; i < scheduler->schedules.count; i++) {
		const struct schedule *schedule = scheduler->schedules.items[i];

		if (!fill_state(scheduler, schedule, now_ns, arena, &states[i], e))
			return false;
		states[i].pause = find_pause(pauses, pause_count, schedule->name, arena);
		for (size_t j = 0; j < open_count; j++)
			states[i].is_running |= strcmp(open[j].schedule, schedule->name) == 0;
	}
	return true;
}

/* ---- what is done ---- */

/* How late a worker may begin it: as late as the schedule allows, and a little for the way. */
static int64_t latest_of(const struct schedule *schedule, int64_t due_ns, int64_t now_ns)
{
	const int64_t grace_ns =
		schedule->missed == MISSED_RUN && !schedule->has_not_after ? schedule->grace_ns : 0;

	return (due_ns + grace_ns > now_ns ? due_ns + grace_ns : now_ns) + SCHEDULE_ON_TIME_NS;
}

static void fill_end(const struct schedule_decision *decision, int64_t now_ns, struct arena *arena,
		     struct due_row *row)
{
	struct text why = { 0 };

	text_addf(&why, "%s: %s", fate_name(decision->fate), decision->why);
	if (decision->count > 1)
		text_addf(&why, " (%zu of them, this is the newest)", decision->count);
	row->state = decision->deed == DEED_MISS ? DUE_MISSED : DUE_SKIPPED;
	row->ended_wall_ns = now_ns;
	row->sentence = arena_copy(arena, text_str(&why));
	text_release(&why);
}

static bool put(struct scheduler *scheduler, const struct schedule_decision *decision, int64_t now_ns,
		struct arena *arena, struct err *e)
{
	const struct schedule *schedule = scheduler->schedules.items[decision->state_index];
	struct due_row row = {
		.schedule = schedule->name,
		.nominal_wall_ns = decision->nominal_wall_ns,
		.turn = schedule->is_chaos_day ? (int64_t)decision->begun_count : 1,
		.due_wall_ns = decision->due_wall_ns,
		.latest_wall_ns = latest_of(schedule, decision->due_wall_ns, now_ns),
		.labels = schedule->labels,
		.label_count = schedule->label_count,
		.state = DUE_WAITS,
	};
	struct err problem = { 0 };
	bool is_new = false;

	if (decision->deed != DEED_START) {
		fill_end(decision, now_ns, arena, &row);
	} else if (!fill_documents(&schedule->experiments[decision->experiment_index], arena, &row,
				   &problem)) {
		row.state = DUE_MISSED; /* one that cannot be read now is not tried for ever */
		row.ended_wall_ns = now_ns;
		row.sentence = problem.text;
	}
	if (!store_due_put(scheduler->owned_store, &row, &is_new, e))
		return false;
	if (is_new)
		say("%s: %s%s%s", schedule->name, due_state_name(row.state),
		    row.sentence == NULL ? "" : ", ", row.sentence == NULL ? "" : row.sentence);
	return true;
}

/* One look at everything. *ret_wake_ns: when the next one is to be, by the wall clock. */
static bool look(struct scheduler *scheduler, int64_t *ret_wake_ns, struct err *e)
{
	const int64_t now_ns = clock_wall_ns(&scheduler->clock);
	struct arena arena = { 0 };
	struct schedule_state *states =
		arena_alloc(&arena, (scheduler->schedules.count + 1) * sizeof *states);
	struct schedule_round round = { .wake_wall_ns = INT64_MAX };
	bool ok = fill_states(scheduler, now_ns, &arena, states, e);

	if (ok)
		schedule_decide(states, scheduler->schedules.count, now_ns, &arena, &round);
	for (size_t i = 0; ok && i < round.count; i++)
		ok = put(scheduler, &round.decisions[i], now_ns, &arena, e);
	*ret_wake_ns = round.wake_wall_ns < now_ns + look_every_ns ? round.wake_wall_ns :
								      now_ns + look_every_ns;
	if (ok)
		say_trouble(scheduler, round.trouble == NULL ? "" : round.trouble);
	arena_release(&arena);
	return ok;
}

/* ---- waiting ---- */

static bool open_waits(struct scheduler *scheduler, struct err *e)
{
	const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	sigset_t mask;

	(void)sigemptyset(&mask);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		(void)sigaddset(&mask, numbers[i]);
	scheduler->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	scheduler->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (scheduler->signal_fd == -1 || scheduler->timer_fd == -1)
		return err_set(e, ERR_LIMIT, "wait for signals and the time: %s", strerror(errno));
	(void)sigprocmask(SIG_BLOCK, &mask, NULL);
	return true;
}

static void take_signals(struct scheduler *scheduler)
{
	struct signalfd_siginfo info;

	while (read(scheduler->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo != SIGHUP)
			scheduler->is_over = true;
		else if (!read_files(scheduler))
			say("the files are not read again: what was read before stays");
	}
}

/* Until the wall clock shows this, it is set, or a signal comes. */
static void wait_until(struct scheduler *scheduler, int64_t wall_ns)
{
	const struct itimerspec due = {
		.it_value = { .tv_sec = wall_ns / NS_PER_S, .tv_nsec = wall_ns % NS_PER_S },
	};
	struct pollfd looks[] = { { .fd = scheduler->timer_fd, .events = POLLIN },
				  { .fd = scheduler->signal_fd, .events = POLLIN } };
	uint64_t ignored_count = 0;

	if (timerfd_settime(scheduler->timer_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &due,
			    NULL) == 0)
		(void)poll(looks, sizeof looks / sizeof looks[0], -1);
	if (read(scheduler->timer_fd, &ignored_count, sizeof ignored_count) == -1 &&
	    errno == ECANCELED)
		say("the clock was set; what is due is looked at anew");
	take_signals(scheduler);
}

static void schedule(struct scheduler *scheduler)
{
	while (!scheduler->is_over) {
		int64_t wake_ns = 0;
		struct err e = { 0 };

		if (!look(scheduler, &wake_ns, &e))
			say_trouble(scheduler, e.text);
		wait_until(scheduler, wake_ns);
	}
}

int schedule_run(const struct arguments *arguments)
{
	struct scheduler scheduler = { .arguments = arguments,
				       .clock = clock_system(),
				       .timer_fd = -1,
				       .signal_fd = -1 };
	struct err e = { 0 };
	int code = EXIT_MET;

	if (!read_files(&scheduler))
		code = EXIT_NOT_RUN;
	else if (!cli_open_store(arguments, NULL, &scheduler.owned_store, &e) ||
		 !open_waits(&scheduler, &e))
		code = cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, NULL, &e);
	else
		schedule(&scheduler);
	if (scheduler.signal_fd != -1)
		(void)close(scheduler.signal_fd); /* nothing is written to either */
	if (scheduler.timer_fd != -1)
		(void)close(scheduler.timer_fd);
	store_close(scheduler.owned_store);
	arena_release(&scheduler.documents);
	return code;
}
