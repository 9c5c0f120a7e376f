/*
 * schedule.h - from schedules and the time of day to what is to be done. Pure: no clock, no store, no
 * file; what is known is passed in, and what is to be done comes back. Who asks (`firedrill schedule`, the
 * daemon) does it and keeps what became of it.
 *
 * **An occurrence** is one time at which a schedule means to run. Its name, for ever and on every machine,
 * is the schedule's name and its nominal moment: what cron says, or when the window of `random:` opens.
 * It is due a little later: what jitter and chance add is drawn from that name, so every machine draws
 * the same, and it never reaches the next occurrence.
 */
#ifndef SCHEDULE_SCHEDULE_H
#define SCHEDULE_SCHEDULE_H

#include "base/clock.h"
#include "base/mem.h"
#include "model/schedule.h"

enum fate {
	FATE_RUNS = 1,
	FATE_FROZEN,  /* a frozen time of the schedule or of the inventory's policy */
	FATE_CLOSED,  /* no window of the policy is open, or it is after `not_after` */
	FATE_PAUSED,
	FATE_BUSY,    /* its own run before it is still under way */
	FATE_MISSED,  /* nobody was there in time */
};

const char *fate_name(enum fate fate); /* "frozen", "outside the window", ... */

struct occurrence {
	int64_t nominal_wall_ns;
	int64_t due_wall_ns;
	int64_t latest_wall_ns; /* of `not_after`; INT64_MAX: no bound */
	enum fate fate;         /* at the moment in which it is due */
	const char *why;        /* NULL when it runs */
};

struct schedule_pause {
	const char *name;   /* the schedule's */
	const char *person;
	const char *reason;
	int64_t wall_ns;    /* since when */
};

/*
 * The first `count` occurrences that are due after after_wall_ns, whether they run or not, each with its
 * fate as it looks from here. pause may be NULL. How many there are: fewer only where time ends.
 */
size_t schedule_next(const struct schedule *schedule, const struct schedule_pause *pause,
		     int64_t after_wall_ns, size_t count, struct arena *arena,
		     struct occurrence *ret_occurrences);

/*
 * A chaos day, experiment by experiment: which one is the index-th of it, and how long the pause before it
 * is (0 before the first). Each comes once, in random order, before one comes again.
 */
struct chaos_turn {
	size_t experiment_index;
	int64_t pause_ns;
};

struct chaos_turn schedule_chaos_turn(const struct schedule *schedule, int64_t nominal_wall_ns,
				      size_t index);

/* ---- what is to be done now ---- */

/* A run that begins this much after it was due is on time: what a wake-up and a busy machine cost. */
static const int64_t SCHEDULE_ON_TIME_NS = 60 * NS_PER_S;
/* A mark that lies further ahead than this was set by a clock that was wrong. */
static const int64_t SCHEDULE_CLOCK_BACK_NS = 24 * 3600 * NS_PER_S;

/*
 * What is known of one schedule; whoever asks keeps it in the store. The mark (has_handled, handled_wall_ns,
 * begun_count) is what makes a run happen once: it is made durable before the run begins, so that a
 * crash in between costs a run and never doubles one.
 */
struct schedule_state {
	const struct schedule *schedule;
	int64_t since_wall_ns;   /* first seen then: nothing from before is due, nor missed */
	bool has_handled;
	int64_t handled_wall_ns; /* the nominal moment of the newest occurrence that was decided */
	size_t begun_count;      /* of that occurrence: experiments begun or passed over */
	bool is_running;         /* a run of this schedule is under way, here or elsewhere */
	bool has_ended;
	int64_t ended_wall_ns;   /* when its newest run ended, or its newest experiment was passed over */
	const struct schedule_pause *pause; /* NULL: not paused */
};

enum schedule_deed {
	DEED_START = 1, /* begin the experiment now */
	DEED_SKIP,      /* it was not to run: frozen, outside the window, paused, the one before still runs */
	DEED_MISS,      /* it was to run, and nobody was there in time */
};

struct schedule_decision {
	size_t state_index;      /* of states[] */
	enum schedule_deed deed;
	int64_t nominal_wall_ns; /* the new mark: handled_wall_ns ... */
	size_t begun_count;      /* ... and begun_count */
	int64_t due_wall_ns;
	/* Of START: nobody may begin it later. `not_after`, of a chaos day also `for`; INT64_MAX: no bound. */
	int64_t latest_wall_ns;
	size_t experiment_index; /* of schedule->experiments, for DEED_START */
	size_t count;            /* of SKIP and MISS: so many occurrences, this is the newest of them */
	bool is_alert;           /* of MISS: `missed: alert`, or its grace is over */
	enum fate fate;          /* of SKIP and MISS */
	const char *why;         /* NULL for START on time; else a sentence without a full stop */
};

struct schedule_round {
	const struct schedule_decision *decisions;
	size_t count;
	int64_t wake_wall_ns;    /* ask again then at the latest; INT64_MAX: nothing is coming */
	const char *trouble;     /* NULL, or a sentence: the clock was set far back */
};

/*
 * For every schedule: what is due, missed or passed over at now_wall_ns, and when to ask again.
 *
 * Whoever asks does this with each decision, in order: make the mark durable; for START begin the run
 * (is_running), for SKIP set ended_wall_ns to now. Then it sleeps until wake_wall_ns **by the wall clock**
 * (a timer on CLOCK_REALTIME that is cancelled when the clock is set, or naps of at most a minute), and
 * asks again then, after the clock was set, when a run has ended, on pause, resume and reload. Asking too
 * often is harmless: without news the same states give no decision twice.
 *
 * **The clock is set forward**, the machine slept, or nobody was there: what was due in between is late.
 * Up to SCHEDULE_ON_TIME_NS it runs as if nothing had been; beyond that `missed:` decides. Of several
 * that are late only the newest can run; those before it are missed, in one decision with their count.
 * What was not to run anyway (frozen, outside the window, paused) is not counted as missed.
 *
 * **The clock is set back**: nothing at or before the mark is due again, so nothing runs twice; the schedule
 * is silent until the clock has passed the mark. When the mark lies more than SCHEDULE_CLOCK_BACK_NS
 * ahead, it was made by a clock that was wrong: it is set aside, `trouble` says so, and the schedule
 * goes on from now, without counting anything as missed. The same holds for since_wall_ns.
 *
 * **An own run under way** (overlap): with `skip` an occurrence that comes due meanwhile is skipped; with
 * `wait` it stays undecided until the run has ended, and is on time if asked within SCHEDULE_ON_TIME_NS of
 * that end. It gives up when the next one comes due, or after `not_after`.
 *
 * **A chaos day** is one occurrence. Its first experiment is decided like any run; each further one is
 * due its drawn pause after the end of the one before, as long as that is not after `for:` and
 * `not_after`. Each is asked anew whether it is frozen, closed or paused; one that is, is skipped alone.
 *
 * At most SCHEDULE_PENDING_MAX occurrences of a schedule are looked at in one round; when there are more
 * (a year's absence), wake_wall_ns is now.
 */
enum { SCHEDULE_PENDING_MAX = 1000 };

void schedule_decide(const struct schedule_state *states, size_t state_count, int64_t now_wall_ns,
		     struct arena *arena, struct schedule_round *ret_round);

#endif
