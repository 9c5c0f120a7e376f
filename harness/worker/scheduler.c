/*
 * scheduler.c - see scheduler.h. What is to be done follows from harness/schedule alone; here is what is known
 * of it in the store, and what is put there.
 *
 * It sleeps by the wall clock, with a timer that ends when that is set, and never for long: ends of runs, pauses
 * and a clock whose setting nobody told are seen with the next look.
 */
#include "worker/scheduler.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "load/load.h"

static const int64_t look_every_ns = 5 * NS_PER_S;

/* The turn of a row that says since when a schedule is known. */
enum { TURN_FIRST_SEEN = -1 };

/* One look under way. */
struct look {
	struct scheduler *scheduler;
	struct arena arena;
	int64_t now_ns;
	struct scheduler_alert *alerts;
	size_t alert_count;
};

static void say(const struct scheduler *scheduler, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(const struct scheduler *scheduler, const char *format, ...)
{
	struct text line = { 0 };
	va_list args;

	va_start(args, format);
	text_addv(&line, format, args);
	va_end(args);
	scheduler->hands.say(scheduler->hands.ctx, text_str(&line));
	text_release(&line);
}

/* Once, however often it comes; what is over may come again. */
static void say_trouble(struct scheduler *scheduler, const char *trouble)
{
	if (*trouble != '\0' && strcmp(scheduler->trouble, trouble) != 0)
		say(scheduler, "%s", trouble);
	(void)snprintf(scheduler->trouble, sizeof scheduler->trouble, "%s", trouble);
}

/* What one schedule has missed is one alert, of its newest: they come in the order of their time. */
static void add_alert(struct look *look, struct scheduler_alert alert)
{
	for (size_t i = 0; i < look->alert_count; i++)
		if (look->alerts[i].schedule == alert.schedule) {
			alert.count += look->alerts[i].count;
			look->alerts[i] = alert;
			return;
		}
	look->alerts = arena_more(&look->arena, look->alerts, look->alert_count, sizeof *look->alerts);
	look->alerts[look->alert_count++] = alert;
}

/* ---- documents ---- */

bool scheduler_fill_documents(const struct scheduled_experiment *scheduled, struct arena *arena,
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

static bool put_first_seen(const struct look *look, const char *name, struct err *e)
{
	const struct due_row row = {
		.schedule = name,
		.nominal_wall_ns = look->now_ns,
		.turn = TURN_FIRST_SEEN,
		.due_wall_ns = look->now_ns,
		.latest_wall_ns = look->now_ns,
		.state = DUE_SKIPPED,
		.ended_wall_ns = look->now_ns,
		.exit_code = -1,
		.sentence = "first seen: nothing from before is due",
	};
	bool is_new = false;

	return store_due_put(look->scheduler->store, &row, &is_new, e);
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

static bool fill_state(struct look *look, const struct schedule *schedule,
		       struct schedule_state *state, struct err *e)
{
	struct due_row newest = { 0 };
	bool is_there = false;

	*state = (struct schedule_state){ .schedule = schedule, .since_wall_ns = look->now_ns };
	if (!store_due_newest(look->scheduler->store, schedule->name, &look->arena, &is_there,
			      &newest, e))
		return false;
	if (!is_there)
		return put_first_seen(look, schedule->name, e);
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

static const struct schedule *find_schedule(const struct look *look, const char *name)
{
	const struct schedule_list *schedules = look->scheduler->schedules;

	for (size_t i = 0; i < schedules->count; i++)
		if (strcmp(schedules->items[i]->name, name) == 0)
			return schedules->items[i];
	return NULL;
}

static const struct scheduled_experiment *experiment_of(const struct schedule *schedule,
							const struct due_row *row)
{
	const size_t index = schedule->is_chaos_day && row->turn > 0 ?
				     schedule_chaos_turn(schedule, row->nominal_wall_ns,
							 (size_t)row->turn - 1)
					     .experiment_index :
				     0;

	return &schedule->experiments[index];
}

/* What was put, and no worker has begun it in time. */
static bool miss_late(struct look *look, struct due_row *open, size_t open_count, struct err *e)
{
	static const char why[] = "no worker that may run it was there in time";

	for (size_t i = 0; i < open_count; i++) {
		const struct schedule *schedule = find_schedule(look, open[i].schedule);
		bool is_new = false;

		if (schedule == NULL || open[i].state != DUE_WAITS ||
		    open[i].latest_wall_ns >= look->now_ns)
			continue;
		if (!store_due_miss(look->scheduler->store, open[i].due_id, &is_new, e))
			return false;
		if (!is_new)
			continue;
		open[i].state = DUE_MISSED;
		say(look->scheduler, "%s: missed, %s", schedule->name, why);
		if (schedule->missed != MISSED_SKIP)
			add_alert(look, (struct scheduler_alert){
						schedule, experiment_of(schedule, &open[i]),
						open[i].due_wall_ns, 1, why });
	}
	return true;
}

static bool fill_states(struct look *look, struct schedule_state *states, struct err *e)
{
	const struct schedule_list *schedules = look->scheduler->schedules;
	struct store *store = look->scheduler->store;
	struct pause_row *pauses = NULL;
	struct due_row *open = NULL;
	size_t pause_count = 0;
	size_t open_count = 0;

	if (!store_pauses(store, &look->arena, &pauses, &pause_count, e) ||
	    !store_dues_open(store, &look->arena, &open, &open_count, e) ||
	    !miss_late(look, open, open_count, e) || !store_dues_miss(store, e))
		return false;
	for (size_t i = 0; i < schedules->count; i++) {
		const struct schedule *schedule = schedules->items[i];

		if (!fill_state(look, schedule, &states[i], e))
			return false;
		states[i].pause = find_pause(pauses, pause_count, schedule->name, &look->arena);
		for (size_t j = 0; j < open_count; j++)
			states[i].is_running |= open[j].state != DUE_MISSED &&
						strcmp(open[j].schedule, schedule->name) == 0;
	}
	return true;
}

/* ---- what is done ---- */

/* How late a worker may begin it: as late as the schedule allows, and a little for the way; never after
   `not_after`. */
static int64_t latest_of(const struct schedule *schedule, const struct schedule_decision *decision,
			 int64_t now_ns)
{
	const int64_t grace_ns = schedule->missed == MISSED_RUN ? schedule->grace_ns : 0;
	const int64_t late_ns = decision->due_wall_ns + grace_ns;
	const int64_t latest_ns = (late_ns > now_ns ? late_ns : now_ns) + SCHEDULE_ON_TIME_NS;

	return latest_ns < decision->latest_wall_ns ? latest_ns : decision->latest_wall_ns;
}

static void fill_end(struct look *look, const struct schedule_decision *decision,
		     struct due_row *row)
{
	struct text why = { 0 };

	text_addf(&why, "%s: %s", fate_name(decision->fate), decision->why);
	if (decision->count > 1)
		text_addf(&why, " (%zu of them, this is the newest)", decision->count);
	row->state = decision->deed == DEED_MISS ? DUE_MISSED : DUE_SKIPPED;
	row->ended_wall_ns = look->now_ns;
	row->sentence = arena_copy(&look->arena, text_str(&why));
	text_release(&why);
}

static bool put(struct look *look, const struct schedule_decision *decision, struct err *e)
{
	struct scheduler *scheduler = look->scheduler;
	const struct schedule *schedule = scheduler->schedules->items[decision->state_index];
	const struct scheduled_experiment *experiment =
		&schedule->experiments[decision->experiment_index];
	struct due_row row = {
		.schedule = schedule->name,
		.nominal_wall_ns = decision->nominal_wall_ns,
		.turn = schedule->is_chaos_day ? (int64_t)decision->begun_count : 1,
		.due_wall_ns = decision->due_wall_ns,
		.latest_wall_ns = latest_of(schedule, decision, look->now_ns),
		.labels = schedule->labels,
		.label_count = schedule->label_count,
		.state = DUE_WAITS,
	};
	bool is_alert = decision->deed == DEED_MISS && decision->is_alert;
	const char *why = decision->why;
	struct err problem = { 0 };
	bool is_new = false;

	if (decision->deed != DEED_START) {
		fill_end(look, decision, &row);
	} else if (!scheduler_fill_documents(experiment, &look->arena, &row, &problem)) {
		row.state = DUE_MISSED; /* one that cannot be read now is not tried for ever */
		row.ended_wall_ns = look->now_ns;
		row.sentence = problem.text;
		why = arena_copy(&look->arena, problem.text);
		is_alert = schedule->missed != MISSED_SKIP;
	}
	if (!store_due_put(scheduler->store, &row, &is_new, e))
		return false;
	if (is_new)
		say(scheduler, "%s: %s%s%s", schedule->name, due_state_name(row.state),
		    row.sentence == NULL ? "" : ", ", row.sentence == NULL ? "" : row.sentence);
	if (is_new && is_alert)
		add_alert(look, (struct scheduler_alert){
					schedule, experiment, decision->due_wall_ns,
					decision->deed == DEED_MISS ? decision->count : 1, why });
	return true;
}

/* What is in the store is told also when something else could not be put: nobody tells it again. */
static void tell_alerts(const struct look *look)
{
	const struct scheduler_hands *hands = &look->scheduler->hands;

	if (look->alert_count > 0 && hands->alert != NULL)
		hands->alert(hands->ctx, look->alerts, look->alert_count);
}

bool scheduler_look(struct scheduler *scheduler, int64_t *ret_wake_wall_ns, struct err *e)
{
	const size_t count = scheduler->schedules->count;
	struct look look = { .scheduler = scheduler, .now_ns = clock_wall_ns(&scheduler->clock) };
	struct schedule_state *states = arena_alloc(&look.arena, (count + 1) * sizeof *states);
	struct schedule_round round = { .wake_wall_ns = INT64_MAX };
	bool ok = fill_states(&look, states, e);

	if (ok)
		schedule_decide(states, count, look.now_ns, &look.arena, &round);
	for (size_t i = 0; ok && i < round.count; i++)
		ok = put(&look, &round.decisions[i], e);
	tell_alerts(&look);
	if (ok) {
		*ret_wake_wall_ns = round.wake_wall_ns < look.now_ns + look_every_ns ?
					    round.wake_wall_ns :
					    look.now_ns + look_every_ns;
		say_trouble(scheduler, round.trouble == NULL ? "" : round.trouble);
	}
	arena_release(&look.arena);
	return ok;
}

bool scheduler_look_once(struct scheduler *scheduler, struct err *e)
{
	int64_t wake_ns = 0;

	do
		if (!scheduler_look(scheduler, &wake_ns, e))
			return false;
	while (wake_ns <= clock_wall_ns(&scheduler->clock));
	return true;
}

/* ---- waiting ---- */

struct waits {
	int timer_fd;
	int signal_fd;
	sigset_t mask_before;
	bool is_over;
};

static bool open_waits(struct waits *waits, struct err *e)
{
	const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	sigset_t mask;

	(void)sigemptyset(&mask);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		(void)sigaddset(&mask, numbers[i]);
	waits->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	waits->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (waits->signal_fd == -1 || waits->timer_fd == -1)
		return err_set(e, ERR_LIMIT, "wait for signals and the time: %s", strerror(errno));
	(void)sigprocmask(SIG_BLOCK, &mask, &waits->mask_before);
	return true;
}

static void close_waits(struct waits *waits)
{
	if (waits->timer_fd != -1)
		(void)close(waits->timer_fd); /* nothing is written to either */
	if (waits->signal_fd != -1)
		(void)close(waits->signal_fd);
}

static void read_schedules(struct scheduler *scheduler)
{
	const struct scheduler_hands *hands = &scheduler->hands;

	if (!hands->read(hands->ctx, &scheduler->schedules))
		say(scheduler, "the files are not read again: what was read before stays");
}

static void take_signals(struct scheduler *scheduler, struct waits *waits)
{
	struct signalfd_siginfo info;

	while (read(waits->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGHUP)
			read_schedules(scheduler);
		else
			waits->is_over = true;
	}
}

/* Until the wall clock shows this, it is set, or a signal comes; and at most until the next look. */
static void wait_until(struct scheduler *scheduler, struct waits *waits, int64_t wall_ns)
{
	const struct itimerspec due = {
		.it_value = { .tv_sec = wall_ns / NS_PER_S, .tv_nsec = wall_ns % NS_PER_S },
	};
	struct pollfd looks[] = { { .fd = waits->timer_fd, .events = POLLIN },
				  { .fd = waits->signal_fd, .events = POLLIN } };
	uint64_t ignored_count = 0;

	(void)timerfd_settime(waits->timer_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &due, NULL);
	(void)poll(looks, sizeof looks / sizeof looks[0], (int)(look_every_ns / NS_PER_MS));
	if (read(waits->timer_fd, &ignored_count, sizeof ignored_count) == -1 && errno == ECANCELED)
		say(scheduler, "the clock was set; what is due is looked at anew");
	take_signals(scheduler, waits);
}

bool scheduler_run(struct scheduler *scheduler, struct err *e)
{
	struct waits waits = { .timer_fd = -1, .signal_fd = -1 };
	const bool is_open = open_waits(&waits, e);
	bool ok = is_open;

	while (ok && !waits.is_over) {
		int64_t wake_ns = clock_wall_ns(&scheduler->clock) + look_every_ns;
		struct err why = { 0 };

		if (!scheduler_look(scheduler, &wake_ns, &why))
			say_trouble(scheduler, why.text);
		wait_until(scheduler, &waits, wake_ns);
		ok = store_check_place(scheduler->store, e);
	}
	if (is_open)
		(void)sigprocmask(SIG_SETMASK, &waits.mask_before, NULL);
	close_waits(&waits);
	return ok;
}
