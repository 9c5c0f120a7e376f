/*
 * run_watch.c - see run_watch.h.
 *
 * It takes no locks, asks for no permission and plans nothing, because it can harm nothing: its experiment has
 * no steps (experiment_for_watch). An order to stop everything ends it as any run.
 */
#include "engine/run_watch.h"

#include "engine/run.h"

static const int64_t look_every_ns = 100 * NS_PER_MS;
static const int64_t look_at_life_every_ns = NS_PER_S;

struct watched {
	uint64_t seen_number; /* of its events: the last one that was read */
	int64_t life_due_ns;
	bool is_over;
};

/* An unreadable store is asked again; one that stays so ends the run by itself (permission.c). */
static void read_journal(struct run *run, struct watched *watched)
{
	struct arena scratch = { 0 };
	struct event *events = NULL;
	size_t count = 0;
	struct err ignored = { 0 };

	if (!store_events_after(run->request->store, run->request->watch_of, watched->seen_number,
				&scratch, &events, &count, &ignored))
		count = 0;
	for (size_t i = 0; i < count; i++) {
		watched->seen_number = events[i].number;
		if (events[i].kind == EVENT_WATCH_OVER || events[i].kind == EVENT_RUN_ENDED)
			watched->is_over = true;
	}
	arena_release(&scratch);
}

static void look_at_life(struct run *run, struct watched *watched)
{
	const int64_t now_ns = clock_now_ns(run->clock);
	struct arena scratch = { 0 };
	struct run_row row;
	struct err ignored = { 0 };

	if (watched->is_over || run->is_stopping || now_ns < watched->life_due_ns)
		return;
	watched->life_due_ns = now_ns + look_at_life_every_ns;
	if (store_run_find(run->request->store, run->request->watch_of, &scratch, &row, &ignored)) {
		watched->is_over = row.is_ended;
		if (!row.is_ended && !store_run_is_alive(&row))
			run_stop(run, EVENT_STOP, 0, "stopped: the run that it watched is gone");
	}
	arena_release(&scratch);
}

static bool prepare(struct run *run)
{
	const struct run_request *request = run->request;
	struct run_row row;
	struct err e = { 0 };

	(void)journal_phase(&run->journal, PHASE_PLAN);
	if (!store_run_find(request->store, request->watch_of, &run->arena, &row, &e))
		return run_not_started(run, e.text);
	if (row.is_ended || !store_run_is_alive(&row))
		return run_not_started(run, "the run that it was to watch is over");
	sights_begin(run);
	run->is_open = true;
	return request->outside.ops->open(request->outside.ctx, request, &run->waits, &e) ||
	       (!run->is_stopping && run_not_started(run, e.text));
}

void run_watch(struct run *run)
{
	struct watched watched = { 0 };

	if (!prepare(run) || !run_gate(run))
		return;
	(void)journal_phase(&run->journal, PHASE_OBSERVE);
	while (!run->is_stopping && !watched.is_over) {
		run_wait(run, clock_now_ns(run->clock) + look_every_ns);
		read_journal(run, &watched);
		look_at_life(run, &watched);
	}
}
