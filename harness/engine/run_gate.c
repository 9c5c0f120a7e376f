/*
 * run_gate.c - lanes from their start to their end, and the wait for steady state: what a run and one that
 * only watches have in common. It harms nothing.
 */
#include "engine/run.h"

#include "base/units.h"

static const int64_t tick_ns = 20 * NS_PER_MS;
static const int64_t short_tick_ns = NS_PER_MS; /* while a stretch shorter than a few ticks is awaited */
/* From here to the first slot: so long the threads may take to start. */
static const int64_t lead_ns = 5 * NS_PER_MS;
static const int64_t lead_of_lane_ns = 100 * NS_PER_US;

static bool start_lanes(struct run *run)
{
	const struct outside *outside = &run->request->outside;
	struct text how = { 0 };
	struct text note = { 0 };
	struct err e = { 0 };

	run->are_lanes_running = true;

	int64_t t0_ns = clock_now_ns(run->clock) + lead_ns;

	for (size_t i = 0; i < run->experiment->probe_count; i++)
		t0_ns += run->experiment->probes[i].lane_count * lead_of_lane_ns;

	const bool ok = outside->ops->start(outside->ctx, t0_ns, &how, &note, &e);

	if (ok && how.length_bytes > 0)
		(void)journal_say(&run->journal, EVENT_LANES, "%s", text_str(&how));
	text_release(&how);
	if (ok && note.length_bytes > 0)
		(void)journal_say(&run->journal, EVENT_NOTE, "%s", text_str(&note));
	text_release(&note);
	return ok || run_not_started(run, e.text);
}

bool run_wait_good(struct run *run, enum event_kind kind, int64_t from_ns, int64_t good_for_ns,
		   int64_t deadline_ns)
{
	char length[UNITS_TEXT_BYTES];
	struct text text = { 0 };
	int64_t since_ns = 0;
	int64_t look_ns = good_for_ns / 4;

	look_ns = look_ns > tick_ns ? tick_ns : look_ns < short_tick_ns ? short_tick_ns : look_ns;
	while (!watch_is_good(&run->watch, from_ns, good_for_ns, &since_ns)) {
		if (run->is_stopping || clock_now_ns(run->clock) >= deadline_ns)
			return false;
		run_tick(run, clock_now_ns(run->clock) + look_ns);
	}
	text_addf(&text, "every required probe was good for %s",
		  units_format_duration(good_for_ns, length));
	(void)journal_append(&run->journal, (struct event){ .kind = kind,
							    .from_ns = since_ns,
							    .until_ns = clock_now_ns(run->clock),
							    .text = text_str(&text) });
	text_release(&text);
	return true;
}

void run_add_bad(const struct run *run, const char *what, struct text *text)
{
	const struct probe_spec *bad = watch_first_bad(&run->watch);
	const char *why = bad == NULL ? NULL : watch_last_error(&run->watch, bad);

	text_addf(text, "`%s` was not %s", bad == NULL ? "a probe" : bad->name, what);
	if (why != NULL)
		text_addf(text, " (%s)", why);
}

bool run_gate(struct run *run)
{
	const int64_t begun_ns = clock_now_ns(run->clock);
	char within[UNITS_TEXT_BYTES];
	struct text why = { 0 };

	(void)journal_phase(&run->journal, PHASE_GATE);
	if (!start_lanes(run))
		return false;
	if (run_wait_good(run, EVENT_STEADY, begun_ns, run->experiment->steady_good_for_ns,
		      begun_ns + run->experiment->steady_within_ns))
		return true;
	if (run->is_stopping)
		return false;
	text_addf(&why, "steady state did not hold within %s: ",
		  units_format_duration(run->experiment->steady_within_ns, within));
	run_add_bad(run, "good", &why);
	(void)run_not_started(run, text_str(&why));
	text_release(&why);
	return false;
}

void lanes_stop(struct run *run)
{
	const struct outside *outside = &run->request->outside;

	if (!run->are_lanes_running)
		return;
	outside->ops->stop(outside->ctx);
	run->are_lanes_running = false;
	sights_end(run);
	shown_end(run);
	vantages_let_go(run);
	/* All attempts have ended: what is empty now was never sampled. */
	for (size_t i = 0; i < run->experiment->probe_count; i++) {
		outside->ops->view(outside->ctx, i, clock_now_ns(run->clock), &run->watch.tracks[i]);
		run->watch.probes[i].slot_count = run->watch.tracks[i].slot_count;
	}
}
