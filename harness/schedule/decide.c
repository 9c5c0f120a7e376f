/*
 * decide.c - what is to be done now; schedule.h has the contract.
 */
#include "schedule/schedule_parts.h"

#include <assert.h>

#include "base/units.h"

struct bench {
	const struct schedule_state *states;
	int64_t now_ns;
	struct arena *arena;
	struct schedule_decision *decisions;
	size_t count;
	int64_t wake_ns;
	const char *trouble;
};

/* Occurrences that cannot run any more, told as one. */
struct heap {
	size_t count;
	struct occurrence newest;
	enum fate fate;
	const char *why;
};

/* One schedule in one round. */
struct turn {
	const struct schedule_state *state;
	const struct schedule *schedule;
	size_t state_index;
	int64_t mark_ns;
	int64_t floor_ns;      /* what was due before this is neither due nor missed */
	bool is_mark_aside;
	bool has_newest;
	struct occurrence newest; /* due, and the only one that can still run */
	struct heap missed;
	struct heap skipped;
};

static void wake_at(struct bench *bench, int64_t wall_ns)
{
	if (wall_ns < bench->wake_ns)
		bench->wake_ns = wall_ns;
}

static struct schedule_decision *add(struct bench *bench, const struct turn *turn,
				     enum schedule_deed deed, const struct occurrence *occurrence)
{
	struct schedule_decision *decision;

	bench->decisions = arena_more(bench->arena, bench->decisions, bench->count,
				      sizeof *bench->decisions);
	decision = &bench->decisions[bench->count++];
	*decision = (struct schedule_decision){
		.state_index = turn->state_index,
		.deed = deed,
		.nominal_wall_ns = occurrence->nominal_wall_ns,
		.due_wall_ns = occurrence->due_wall_ns,
		.latest_wall_ns = occurrence->latest_wall_ns,
		.count = 1,
		.fate = FATE_RUNS,
	};
	return decision;
}

static void skip(struct bench *bench, const struct turn *turn, enum fate fate, const char *why)
{
	struct schedule_decision *decision = add(bench, turn, DEED_SKIP, &turn->newest);

	decision->fate = fate;
	decision->why = why;
}

/* ---- what is pending ---- */

static void read_mark(struct bench *bench, struct turn *turn)
{
	const struct schedule_state *state = turn->state;
	const int64_t known_ns = state->has_handled ? state->handled_wall_ns : state->since_wall_ns;
	char known[32];

	turn->mark_ns = state->handled_wall_ns;
	turn->floor_ns = 0;
	turn->is_mark_aside = known_ns > bench->now_ns + SCHEDULE_CLOCK_BACK_NS;
	if (state->has_handled && !turn->is_mark_aside)
		return;
	turn->floor_ns = turn->is_mark_aside ? bench->now_ns - SCHEDULE_ON_TIME_NS :
					       state->since_wall_ns;
	turn->mark_ns = turn->floor_ns > OCCURRENCE_SPREAD_MAX_NS ?
				turn->floor_ns - OCCURRENCE_SPREAD_MAX_NS : 0;
	if (!turn->is_mark_aside || bench->trouble != NULL)
		return;
	/* With its moment, not with its distance: the same trouble is the same sentence a minute later. */
	clock_format_wall(known_ns, known, sizeof known);
	bench->trouble = arena_format(bench->arena,
				      "schedule `%s` was %s at %.16sZ, which lies ahead: the clock was "
				      "wrong then, or is now; it goes on from now", turn->schedule->name,
				      state->has_handled ? "decided" : "first seen", known);
}

static void put_on(struct heap *heap, const struct occurrence *occurrence, enum fate fate,
		   const char *why)
{
	heap->count++;
	heap->newest = *occurrence;
	heap->fate = fate;
	heap->why = why;
}

/* A later one is due as well, so this one has had its time. */
static void pass_over(struct bench *bench, struct turn *turn, const struct occurrence *occurrence)
{
	const char *why = NULL;
	const enum fate fate = fate_of(turn->schedule, occurrence, turn->state->pause,
				       occurrence->due_wall_ns, bench->arena, &why);

	if (fate != FATE_RUNS)
		put_on(&turn->skipped, occurrence, fate, why);
	else if (turn->state->is_running)
		put_on(&turn->skipped, occurrence, FATE_BUSY,
		       "the run before it is still under way, and the next one is due");
	else
		put_on(&turn->missed, occurrence, FATE_MISSED, "a later one is due as well");
}

/* Everything that is due, and when the next one is. */
static void gather(struct bench *bench, struct turn *turn)
{
	struct occurrence next;
	size_t looked_count = 0;

	while (occurrence_after(turn->schedule, turn->mark_ns, &next)) {
		if (next.due_wall_ns > bench->now_ns) {
			wake_at(bench, next.due_wall_ns);
			return;
		}
		turn->mark_ns = next.nominal_wall_ns;
		if (next.due_wall_ns < turn->floor_ns)
			continue;
		if (turn->has_newest)
			pass_over(bench, turn, &turn->newest);
		turn->newest = next;
		turn->has_newest = true;
		if (++looked_count < SCHEDULE_PENDING_MAX)
			continue;
		/* There may be newer ones: none of these can be the one that still runs. */
		pass_over(bench, turn, &turn->newest);
		turn->has_newest = false;
		wake_at(bench, bench->now_ns);
		return;
	}
}

static void tell_heap(struct bench *bench, const struct turn *turn, const struct heap *heap,
		      enum schedule_deed deed)
{
	struct schedule_decision *decision;

	if (heap->count == 0)
		return;
	decision = add(bench, turn, deed, &heap->newest);
	decision->count = heap->count;
	decision->fate = heap->fate;
	decision->why = heap->why;
	decision->is_alert = deed == DEED_MISS && turn->schedule->missed != MISSED_SKIP;
}

/* The mark only ever goes forward, so the older one is told first. */
static void tell_passed(struct bench *bench, const struct turn *turn)
{
	const bool is_missed_first =
		turn->missed.newest.nominal_wall_ns < turn->skipped.newest.nominal_wall_ns;

	if (is_missed_first)
		tell_heap(bench, turn, &turn->missed, DEED_MISS);
	tell_heap(bench, turn, &turn->skipped, DEED_SKIP);
	if (!is_missed_first)
		tell_heap(bench, turn, &turn->missed, DEED_MISS);
}

/* ---- the newest that is due ---- */

static void start(struct bench *bench, const struct turn *turn, size_t begun_count, const char *why)
{
	const struct schedule *schedule = turn->schedule;
	const size_t experiment_index =
		!schedule->is_chaos_day ? 0 :
		schedule_chaos_turn(schedule, turn->newest.nominal_wall_ns, begun_count)
			.experiment_index;
	const char *closed_why = NULL;
	const enum fate fate = fate_at(schedule, &schedule->experiments[experiment_index],
				       turn->state->pause, bench->now_ns, bench->arena, &closed_why);
	struct schedule_decision *decision =
		add(bench, turn, fate == FATE_RUNS ? DEED_START : DEED_SKIP, &turn->newest);

	decision->experiment_index = experiment_index;
	decision->begun_count = begun_count + 1;
	decision->fate = fate;
	decision->why = fate == FATE_RUNS ? why : closed_why;
}

/* True when it is too late for this one; that is told then. */
static bool miss(struct bench *bench, const struct turn *turn, int64_t late_ns)
{
	const struct schedule *schedule = turn->schedule;
	const int64_t grace_ns = schedule->missed == MISSED_RUN ? schedule->grace_ns : 0;
	const bool is_closed = bench->now_ns > turn->newest.latest_wall_ns;
	struct schedule_decision *decision;
	char late[UNITS_TEXT_BYTES];

	if (late_ns <= SCHEDULE_ON_TIME_NS || (late_ns <= grace_ns && !is_closed))
		return false;
	decision = add(bench, turn, DEED_MISS, &turn->newest);
	decision->fate = FATE_MISSED;
	decision->is_alert = schedule->missed != MISSED_SKIP;
	decision->why = arena_format(bench->arena, "%s late%s", units_format_duration(late_ns, late),
				     late_ns <= grace_ns ? ", and not after `not_after`" : "");
	return true;
}

/* The run before it goes on. */
static void yield_to_run(struct bench *bench, const struct turn *turn)
{
	const int64_t latest_ns = turn->newest.latest_wall_ns;

	if (turn->schedule->overlap == OVERLAP_SKIP)
		skip(bench, turn, FATE_BUSY, "the run before it is still under way");
	else if (bench->now_ns > latest_ns)
		skip(bench, turn, FATE_BUSY,
		     "it waited for the run before it until `not_after`");
	else if (latest_ns != INT64_MAX)
		wake_at(bench, latest_ns + 1);
}

static void decide_newest(struct bench *bench, const struct turn *turn)
{
	const struct schedule_state *state = turn->state;
	const struct occurrence *newest = &turn->newest;
	const bool has_waited = turn->schedule->overlap == OVERLAP_WAIT && state->has_ended &&
				state->ended_wall_ns > newest->due_wall_ns;
	const int64_t late_ns =
		bench->now_ns - (has_waited ? state->ended_wall_ns : newest->due_wall_ns);
	char late[UNITS_TEXT_BYTES];
	const char *why = NULL;
	enum fate fate = fate_of(turn->schedule, newest, state->pause, newest->due_wall_ns,
				 bench->arena, &why);

	if (fate != FATE_RUNS) {
		skip(bench, turn, fate, why);
		return;
	}
	if (state->is_running) {
		yield_to_run(bench, turn);
		return;
	}
	if (miss(bench, turn, late_ns))
		return;
	fate = fate_of(turn->schedule, newest, state->pause, bench->now_ns, bench->arena, &why);
	if (fate != FATE_RUNS) {
		skip(bench, turn, fate, why);
		return;
	}
	start(bench, turn, 0, late_ns <= SCHEDULE_ON_TIME_NS ? NULL :
			      arena_format(bench->arena, "%s late, within its grace",
					   units_format_duration(late_ns, late)));
}

/* ---- a chaos day under way ---- */

static void go_on(struct bench *bench, struct turn *turn)
{
	const struct schedule_state *state = turn->state;
	const struct schedule *schedule = turn->schedule;
	struct occurrence *day = &turn->newest;

	if (!schedule->is_chaos_day || !state->has_handled || state->begun_count == 0 ||
	    turn->is_mark_aside || state->is_running ||
	    !occurrence_after(schedule, state->handled_wall_ns - 1, day) ||
	    day->nominal_wall_ns != state->handled_wall_ns)
		return;

	const int64_t for_end_ns = day->due_wall_ns + schedule->chaos_for_ns;
	const int64_t last_ns =
		for_end_ns < day->latest_wall_ns ? for_end_ns : day->latest_wall_ns;
	const int64_t ended_ns = state->has_ended && state->ended_wall_ns > day->due_wall_ns ?
					 state->ended_wall_ns : day->due_wall_ns;
	const int64_t due_ns =
		ended_ns + schedule_chaos_turn(schedule, day->nominal_wall_ns, state->begun_count)
				   .pause_ns;

	if (due_ns > last_ns || bench->now_ns > last_ns)
		return; /* the day is over */
	if (bench->now_ns < due_ns) {
		wake_at(bench, due_ns);
		return;
	}
	day->due_wall_ns = due_ns;
	day->latest_wall_ns = last_ns;
	start(bench, turn, state->begun_count, NULL);
}

void schedule_decide(const struct schedule_state *states, size_t state_count, int64_t now_wall_ns,
		     struct arena *arena, struct schedule_round *ret_round)
{
	struct bench bench = { .states = states, .now_ns = now_wall_ns, .arena = arena,
			       .wake_ns = INT64_MAX };

	assert(now_wall_ns >= 0);

	for (size_t i = 0; i < state_count; i++) {
		struct turn turn = { .state = &states[i], .schedule = states[i].schedule,
				     .state_index = i };

		read_mark(&bench, &turn);
		gather(&bench, &turn);
		tell_passed(&bench, &turn);
		if (turn.has_newest)
			decide_newest(&bench, &turn);
		else
			go_on(&bench, &turn);
	}
	*ret_round = (struct schedule_round){ bench.decisions, bench.count, bench.wake_ns,
					      bench.trouble };
}
