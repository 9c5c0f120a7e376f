/*
 * run_heal.c - what a run undoes, and when: the harms whose `for:` is over, and in the end all of them.
 * How one is undone and read back is heal.c's.
 */
#include "engine/run.h"

static const int64_t ask_quickly_ns = 2 * NS_PER_S;

/* Healing waits out its time even when the run is stopping. */
static void wait_healing(void *ctx, int64_t until_ns)
{
	struct run *run = ctx;

	do {
		run_tick(run, until_ns);
	} while (clock_now_ns(run->clock) < until_ns);
}

/*
 * A lease that could not be renewed may have ended, and the guard with it the fault: then what was measured
 * since is not the fault's. Asked once, just before the heal, and quickly: the heal is what matters.
 */
static void tell_whether_it_lasted(struct run *run, const struct harm *harm)
{
	const struct heal_record *record = harm->record;
	enum confirmation answer = CONFIRM_UNKNOWN;
	struct fault_context ctx;
	struct text evidence = { 0 };
	struct err e = { 0 };

	sessions_set_patience(run->sessions, ask_quickly_ns);
	if (sessions_context(run->sessions, record, &ctx, &e))
		answer = fault_find(record->fault)->confirm(record, &ctx, &evidence);
	else
		text_add(&evidence, e.text);
	sessions_set_patience(run->sessions, 0);
	if (answer != CONFIRMED)
		(void)journal_append(
			&run->journal,
			(struct event){ .kind = answer == CONFIRM_MISMATCH ? EVENT_MISMATCH :
									     EVENT_UNKNOWN,
					.step = record->step,
					.host = record->host->name,
					.text = text_str(&evidence) });
	text_release(&evidence);
}

/*
 * When a harm's `for:` is over. The hosts of a step are healed together, so that one that does not
 * answer keeps no other waiting: each is held at least as long as it was asked for.
 */
static int64_t harm_due_ns(const struct run *run, const struct harm *harm)
{
	int64_t due_ns = harm->heal_due_ns;

	if (due_ns == 0)
		return INT64_MAX;
	for (size_t i = 0; i < run->harm_count; i++)
		if (run->harms[i].record->step == harm->record->step &&
		    run->harms[i].heal_due_ns > due_ns)
			due_ns = run->harms[i].heal_due_ns;
	return due_ns;
}

bool run_heal_due(struct run *run, int64_t due_by_ns)
{
	struct heal_job jobs[sizeof run->harms / sizeof run->harms[0]];
	size_t count = 0;

	for (size_t i = run->harm_count; i > 0; i--) {
		struct harm *harm = &run->harms[i - 1];

		if (!harm->is_on || harm_due_ns(run, harm) > due_by_ns)
			continue;
		if (harm->is_renew_noted)
			tell_whether_it_lasted(run, harm);
		harm->is_on = false; /* no lease is renewed from here on */
		jobs[count++] = (struct heal_job){
			.record = harm->record,
			.before = harm->before,
			.journal = &run->journal,
			.sessions = run->sessions,
			.patience = { .wait_until = wait_healing, .ctx = run },
			.recover_at_most_ns = run->experiment->settle_at_most_ns,
		};
	}
	if (count == 0)
		return false;
	run->last_change_ns = clock_now_ns(run->clock);
	run->leftover_count += count - heal_many(jobs, count, NULL);
	run->last_change_ns = clock_now_ns(run->clock);
	return true;
}
