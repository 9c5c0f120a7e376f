/*
 * run_heal.c - what a run undoes, and when: the harms whose `for:` is over, and in the end all of them.
 * How one is undone and read back is heal.c's.
 */
#include "engine/run.h"

/* Healing waits out its time even when the run is stopping. */
static void wait_healing(void *ctx, int64_t until_ns)
{
	struct run *run = ctx;

	do {
		run_tick(run, until_ns);
	} while (clock_now_ns(run->clock) < until_ns);
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
