/*
 * run.c - the walk of design.md 2, told in its own order. The run thread decides; lanes only look.
 *
 * Whatever happens, the way out leads through heal_all: an error, a stop condition, a signal. What
 * kills the process itself is left to the guards on the targets and to `firedrill heal`.
 */
#include "engine/run.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "base/process.h"
#include "engine/facts.h"
#include "engine/permission.h"
#include "engine/run_watch.h"
#include "engine/settings_log.h"

static const int64_t tick_ns = 20 * NS_PER_MS;
static const int64_t show_every_ns = 100 * NS_PER_MS;
static const int64_t check_timeout_ns = 10 * NS_PER_S;
static const int64_t clean_timeout_ns = 10 * NS_PER_S;

/* ---- while it runs ---- */

static void renew_leases(struct run *run)
{
	for (size_t i = 0; i < run->harm_count; i++) {
		struct harm *harm = &run->harms[i];
		const struct fault_ops *fault = fault_find(harm->record->fault);
		struct fault_context ctx;
		struct err e = { 0 };

		if (!harm->is_on || clock_now_ns(run->clock) < harm->renew_due_ns)
			continue;

		const bool ok = sessions_context(run->sessions, harm->record, &ctx, &e) &&
				fault->renew(harm->record, &ctx, &e);

		harm->renew_due_ns = clock_now_ns(run->clock) + harm->record->lease_ns / 3;
		if (ok || harm->is_renew_noted)
			continue;
		harm->is_renew_noted = true;
		(void)journal_say(&run->journal, EVENT_NOTE,
				  "the lease of %s on %s could not be renewed (%s); its guard heals it "
				  "when the lease ends",
				  harm->record->fault, harm->record->host->name, e.text);
	}
}

void run_stop(struct run *run, enum event_kind kind, int64_t met_ns, const char *sentence)
{
	const int64_t now_ns = clock_now_ns(run->clock);

	if (run->is_stopping)
		return;
	run->is_stopping = true;
	run->stopped_ns = now_ns;
	(void)journal_append(&run->journal,
			     (struct event){ .kind = kind,
					     .from_ns = met_ns == 0 ? now_ns : met_ns,
					     .until_ns = now_ns,
					     .text = sentence });
}

static void look_at_stop_conditions(struct run *run, int64_t now_ns)
{
	const struct experiment *experiment = run->experiment;
	const int64_t over_ns = run->begun_ns + experiment->run_at_most_ns;
	const bool is_watched = run->first_harm_ns != 0 && run->journal.phase <= PHASE_HEAL;
	char limit[UNITS_TEXT_BYTES];
	struct text text = { 0 };
	int64_t met_ns = 0;

	if (now_ns > over_ns) {
		text_addf(&text, "the run took longer than run_at_most: %s",
			  units_format_duration(experiment->run_at_most_ns, limit));
		run_stop(run, EVENT_STOP, over_ns, text_str(&text));
	}
	for (size_t i = 0; is_watched && !run->is_stopping && i < experiment->stop_condition_count;
	     i++)
		if (stop_is_met(&experiment->stop_conditions[i], &run->stop_windows[i], &run->watch,
				run->first_harm_ns, now_ns, &met_ns, &text))
			run_stop(run, EVENT_STOP, met_ns, text_str(&text));
	text_release(&text);
}

static void look_at_signal(struct run *run)
{
	const volatile sig_atomic_t *stop_signal = run->request->stop_signal;
	struct text text = { 0 };

	if (run->is_stopping || stop_signal == NULL || *stop_signal == 0)
		return;
	text_addf(&text, "stopped by signal %d (%s)", (int)*stop_signal,
		  sigabbrev_np((int)*stop_signal) == NULL ? "?" : sigabbrev_np((int)*stop_signal));
	run_stop(run, EVENT_SIGNAL, 0, text_str(&text));
	text_release(&text);
}

static void show(struct run *run, int64_t now_ns)
{
	const struct progress *progress = run->request->progress;

	if (progress == NULL || progress->on_tick == NULL ||
	    now_ns - run->tick_shown_ns < show_every_ns)
		return;
	run->tick_shown_ns = now_ns;

	const struct timeline so_far = {
		.run_id = run->request->run_id,
		.tracks = run->watch.tracks,
		.track_count = run->are_lanes_running ? run->experiment->probe_count : 0,
	};

	progress->on_tick(progress->ctx, &so_far, run->journal.phase, now_ns);
}

void run_tick(struct run *run, int64_t until_ns)
{
	int64_t now_ns = clock_now_ns(run->clock);

	if (run->are_lanes_running) {
		watch_update(&run->watch, now_ns);
		sights_take(run);
		shown_take(run);
	}
	look_at_signal(run);
	permission_look_at_orders(run);
	permission_beat(run);
	look_at_stop_conditions(run, now_ns);
	renew_leases(run);
	show(run, now_ns);
	now_ns = clock_now_ns(run->clock);
	if (until_ns > now_ns)
		clock_sleep_until_ns(run->clock,
				     until_ns - now_ns < tick_ns ? until_ns : now_ns + tick_ns);
}

void run_wait(struct run *run, int64_t until_ns)
{
	do {
		run_tick(run, until_ns);
	} while (!run->is_stopping && clock_now_ns(run->clock) < until_ns);
}

/* ---- the phases ---- */

bool run_not_started(struct run *run, const char *why)
{
	run->is_blocked = true;
	run->journal.phase = PHASE_GATE;
	(void)journal_say(&run->journal, EVENT_NOT_STEADY, "not started: %s; nothing was harmed",
			  why);
	return false;
}

/* Every host that may be hit, once. */
static size_t list_hosts(const struct plan *plan, const struct host **hosts)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->step_count; i++)
		for (size_t j = 0; j < plan->steps[i].target_count; j++) {
			const struct host *host = plan->steps[i].targets[j].host;
			size_t k = 0;

			while (k < count && hosts[k] != host)
				k++;
			if (k == count)
				hosts[count++] = host;
		}
	return count;
}

static bool prepare(struct run *run)
{
	const struct run_request *request = run->request;
	const struct host *hosts[LIMIT_HOSTS];
	struct err e = { 0 };

	(void)journal_phase(&run->journal, PHASE_PLAN);
	if (!plan_build(run->experiment, request->run_id, request->seed, &run->arena, &run->plan,
			&e))
		return run_not_started(run, e.text);

	const size_t host_count = list_hosts(&run->plan, hosts);

	if (!permission_lock(run, hosts, host_count, &e))
		return run_not_started(run, e.text);
	if (!permission_to_start(run))
		return false;
	if (!sessions_open_all(run->sessions, hosts, host_count, &e))
		return run_not_started(run, e.text);
	if (!inject_ask_helpers(run, &e))
		return run_not_started(run, e.text);
	sights_begin(run);
	run->is_open = true;
	if (!request->outside.ops->open(request->outside.ctx, request, &run->waits, &e))
		return !run->is_stopping && run_not_started(run, e.text);
	settings_log_read(run);
	return !run->is_stopping;
}

/* The next thing the method asks for, at now_ns; false when there is nothing to do yet. */
static bool act_on_method(struct run *run, size_t *next_step, int64_t base_ns, int64_t now_ns)
{
	if (run_heal_due(run, now_ns))
		return true;
	if (*next_step < run->plan.step_count &&
	    now_ns >= base_ns + run->plan.steps[*next_step].step->at_ns) {
		if (!inject_step(run, *next_step))
			run->is_blocked = true; /* go on to the heal: a half-done method proves nothing */
		*next_step += 1;
		return true;
	}
	return false;
}

static bool is_method_over(const struct run *run, size_t next_step)
{
	for (size_t i = 0; i < run->harm_count; i++)
		if (run->harms[i].is_on && run->harms[i].heal_due_ns != 0)
			return false;
	return next_step == run->plan.step_count;
}

static void inject_all(struct run *run)
{
	const int64_t base_ns = clock_now_ns(run->clock);
	size_t next_step = 0;

	(void)journal_phase(&run->journal, PHASE_INJECT);
	run->last_change_ns = base_ns;
	while (!run->is_stopping && !run->is_blocked && !is_method_over(run, next_step)) {
		const int64_t now_ns = clock_now_ns(run->clock);

		if (!act_on_method(run, &next_step, base_ns, now_ns))
			run_tick(run, now_ns + tick_ns);
	}
}

static void observe(struct run *run)
{
	const int64_t deadline_ns = run->last_change_ns + run->experiment->observe_at_most_ns;
	char length[UNITS_TEXT_BYTES];
	struct text what = { 0 };
	struct text why = { 0 };

	(void)journal_phase(&run->journal, PHASE_OBSERVE);
	if (run_wait_good(run, EVENT_STABLE, run->last_change_ns, run->experiment->stable_for_ns,
		      deadline_ns)) {
		ledger_count_all(run, COUNT_STABLE);
	} else if (!run->is_stopping) { /* nothing to read back from: the heal must not wait for that */
		text_addf(&what, "stable within %s",
			  units_format_duration(run->experiment->observe_at_most_ns, length));
		run_add_bad(run, text_str(&what), &why);
		(void)journal_say(&run->journal, EVENT_NOT_STABLE, "%s", text_str(&why));
	}
	text_release(&what);
	text_release(&why);
}

/* Newest first, on every way out. */
static void heal_all(struct run *run)
{
	(void)journal_phase(&run->journal, PHASE_HEAL);
	(void)run_heal_due(run, INT64_MAX);
}

static void settle(struct run *run)
{
	const int64_t now_ns = clock_now_ns(run->clock);
	char length[UNITS_TEXT_BYTES];
	struct text why = { 0 };

	(void)journal_phase(&run->journal, PHASE_SETTLE);
	if (!run_wait_good(run, EVENT_STEADY, now_ns, run->experiment->steady_good_for_ns,
		       now_ns + run->experiment->settle_at_most_ns) &&
	    !run->is_stopping) {
		run_add_bad(run, "good", &why);
		(void)journal_say(&run->journal, EVENT_NOT_STEADY,
				  "steady state did not come back within %s after the heal: %s",
				  units_format_duration(run->experiment->settle_at_most_ns, length),
				  text_str(&why));
	}
	text_release(&why);
}

/* The contract of EVENT_CHECK's data is judge.h's. */
static void run_check(struct run *run, const struct check *check)
{
	const struct outside *outside = &run->request->outside;
	struct text got = { 0 };
	struct text text = { 0 };
	struct text data = { 0 };
	struct err e = { 0 };
	const enum sample_state state = outside->ops->check(
		outside->ctx, check, clock_now_ns(run->clock) + check_timeout_ns, &got, &e);
	struct json *root = json_object();

	json_put_text(root, "verdict", state == SAMPLE_GOOD ? "met" :
				       state == SAMPLE_BAD  ? "missed" :
							      "inconclusive");
	json_put_text(root, "expected", params_find(&check->probe.params, "expect") == NULL ?
						NULL :
						params_text(&check->probe.params, "expect"));
	json_put_text(root, "got", text_str(&got));
	json_print(root, false, &data);
	text_addf(&text, "check `%s`: %s", check->probe.name,
		  state == SAMPLE_GOOD ? "as expected" : e.text);
	(void)journal_append(&run->journal, (struct event){ .kind = EVENT_CHECK,
							    .name = check->probe.name,
							    .text = text_str(&text),
							    .data = text_str(&data) });
	json_release(root);
	text_release(&got);
	text_release(&text);
	text_release(&data);
}

static void validate(struct run *run)
{
	(void)journal_phase(&run->journal, PHASE_VALIDATE);
	ledger_count_all(run, COUNT_HEALED);
	for (size_t i = 0; i < run->experiment->check_count && !run->is_stopping; i++)
		run_check(run, &run->experiment->checks[i]);
	look_at_signal(run); /* what arrived meanwhile still makes it a run that was stopped */
}

static void walk(struct run *run)
{
	if (!prepare(run) || !vantages_ask(run) || !run_gate(run) || !vantages_wait(run))
		return;
	(void)journal_phase(&run->journal, PHASE_BASELINE);
	run_wait(run, clock_now_ns(run->clock) + run->experiment->baseline_ns);
	/* What cannot be written down is not done. */
	if (run->is_stopping || run->journal.is_broken)
		return;
	inject_all(run);
	if (!run->is_stopping && !run->is_blocked)
		observe(run);
	heal_all(run);
	if (run->is_stopping || run->is_blocked)
		return;
	settle(run);
	lanes_stop(run);
	if (!run->is_stopping)
		validate(run);
}

/* ---- begin and end ---- */

static bool begin(struct run *run, struct err *e)
{
	const struct run_request *request = run->request;
	const struct experiment *experiment = run->experiment;
	struct process_id self;
	struct text data = { 0 };

	if (!process_self(&self, e))
		return false;

	const struct run_row row = {
		.run_id = request->run_id,
		.title = experiment->title,
		.version = request->version,
		.anchor = clock_anchor_take(request->clock),
		.experiment_path = experiment->source_path,
		.experiment_text = experiment->source_text,
		.inventory_path = experiment->inventory_path,
		.inventory_text = experiment->inventory_text,
		.vars = experiment->vars,
		.var_count = experiment->var_count,
		.boot_id = self.boot_id,
		.pid = self.pid,
		.pid_start = self.pid_start,
		.set_id = request->set_id,
		.trial = request->trial,
		.watch_of = request->watch_of,
		.vantage = request->vantage,
	};

	if (!store_run_begin(request->store, &row, e))
		return false;
	text_addf(&data, "{\"seed\":%" PRIu64 ",\"version\":\"%s\"}", request->seed,
		  request->version);

	const bool ok = journal_append(&run->journal, (struct event){ .kind = EVENT_RUN_STARTED,
								      .text = experiment->title,
								      .data = text_str(&data) });

	text_release(&data);
	if (!ok)
		*e = run->journal.failure;
	return ok;
}

static void put_tracks(struct run *run)
{
	for (size_t i = 0; i < run->experiment->probe_count; i++) {
		struct err e = { 0 };

		if (run->watch.tracks[i].probe == NULL ||
		    store_track_put(run->request->store, run->request->run_id,
				    &run->watch.tracks[i], &e) ||
		    run->journal.is_broken)
			continue;
		run->journal.is_broken = true;
		run->journal.failure = e;
	}
}

static void close_outside(struct run *run)
{
	const struct outside *outside = &run->request->outside;
	struct err e = { 0 };

	if (run->is_open &&
	    !outside->ops->clean(outside->ctx, clock_now_ns(run->clock) + clean_timeout_ns, &e))
		(void)journal_say(&run->journal, EVENT_NOTE, "%s", e.text);
	outside->ops->close(outside->ctx);
}

/* The verdict comes from the store, as every later report's does. */
static bool conclude(struct run *run, struct outcome *ret_outcome, struct err *e)
{
	const struct run_request *request = run->request;
	struct secrets none = { 0 };
	struct story story = { 0 };

	(void)journal_phase(&run->journal, PHASE_MEASURE);
	if (run->journal.is_broken)
		(void)journal_say(&run->journal, EVENT_FAILED, "the store failed: %s",
				  run->journal.failure.text);
	(void)journal_say(&run->journal, EVENT_RUN_ENDED, "ended");

	const bool ok = story_build(request->store, request->run_id, &run->arena, &none, &story, e) &&
			store_run_end(request->store, request->run_id, clock_wall_ns(run->clock),
				      story.outcome.exit_code, story.outcome.sentence, e);

	if (ok) /* the run is whole without them, and they can be derived again */
		(void)facts_keep(request->store, &story, NULL);
	*ret_outcome = story.outcome;
	if (story.outcome.sentence != NULL)
		ret_outcome->sentence = arena_copy(request->arena, story.outcome.sentence);
	secrets_release(&none);
	return ok && store_locks_drop(request->store, request->run_id, e) && !run->journal.is_broken;
}

bool run_experiment(const struct run_request *request, struct outcome *ret_outcome, struct err *e)
{
	struct run *run = mem_alloc(sizeof *run);
	bool ok;

	run->request = request;
	run->experiment = request->experiment;
	run->clock = request->clock;
	run->begun_ns = clock_now_ns(request->clock);
	run->journal = (struct journal){ .store = request->store,
					 .run_id = request->run_id,
					 .clock = request->clock,
					 .progress = request->progress };
	run->waits = waits_clock(run);
	watch_init(&run->watch, request->experiment, &request->outside);
	run->sights = sights_make();
	run->shown = shown_log_make();
	run->sessions = sessions_make(&request->opener, request->clock);
	ok = begin(run, e);
	if (ok) {
		if (request->watch_of != NULL)
			run_watch(run);
		else
			walk(run);
		lanes_stop(run);
		vantages_collect(run);
		put_tracks(run);
		close_outside(run);
		ok = conclude(run, ret_outcome, e);
	} else {
		request->outside.ops->close(request->outside.ctx);
	}
	if (!ok) {
		if (run->journal.is_broken)
			*e = run->journal.failure;
		*ret_outcome = (struct outcome){
			.exit_code = run->leftover_count > 0 ? EXIT_LEFTOVER :
				     e->kind == ERR_REFUSED  ? EXIT_NOT_STARTED :
							       EXIT_INTERNAL,
			.sentence = "The run's record is not whole.",
		};
	}
	sessions_release(run->sessions);
	sights_release(run->sights);
	shown_log_release(run->shown);
	arena_release(&run->arena);
	free(run);
	return ok;
}
