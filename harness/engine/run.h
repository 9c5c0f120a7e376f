/*
 * run.h - one run while it happens; shared by run.c and its neighbours (run_gate.c,
 * run_heal.c, inject.c, ledger.c, waits.c, vantage.c, run_watch.c), and by nobody else.
 */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include "engine/heal.h"
#include "engine/journal.h"
#include "engine/sessions.h"
#include "engine/shown.h"
#include "engine/sights.h"
#include "engine/stop.h"
#include "engine/vantage.h"
#include "engine/watch.h"

/* One fault on one target, from its written record on. */
struct harm {
	const struct heal_record *record;
	const char *before;
	bool is_on;           /* written down and not yet healed */
	int64_t heal_due_ns;  /* `for:`; 0: in the heal phase */
	int64_t renew_due_ns;
	bool is_renew_noted;  /* a lease that cannot be renewed is said once */
};

struct run {
	const struct run_request *request;
	const struct experiment *experiment;
	const struct clock *clock;
	struct arena arena;
	struct plan plan;
	struct journal journal;
	struct sessions *sessions;
	struct watch watch;
	struct stop_window stop_windows[LIMIT_STOP_CONDITIONS];
	struct sights *sights;
	struct shown_log *shown;
	struct clock waits;      /* waits_clock of this run */
	int64_t waits_tick_due_ns;
	int64_t stopped_ns;      /* since when is_stopping; 0: it is not */
	struct harm harms[LIMIT_STEPS * 4];
	size_t harm_count;
	int64_t begun_ns;
	int64_t first_harm_ns;   /* 0: nothing was harmed yet */
	int64_t last_change_ns;  /* the last harm or timed heal: stable counts from here */
	int64_t tick_shown_ns;
	int64_t beat_due_ns;     /* when the next sign of life is due */
	int64_t store_away_ns;   /* since when the store cannot be asked; 0: it can */
	int64_t orders_due_ns;   /* when the store is asked for orders to stop again */
	struct vantage vantages[VANTAGE_POINTS_MAX]; /* in the order of the experiment's */
	int64_t asked_ns;        /* when the vantage points were asked for */
	bool is_watched;         /* from all that are needed */
	bool is_let_go;
	size_t leftover_count;
	bool is_stopping;        /* stop condition or signal: heal and end */
	bool is_blocked;         /* could not start: nothing was harmed */
	bool is_open;            /* outside is open */
	bool are_lanes_running;
};

/* Looks at samples, leases, signals and stop conditions, then sleeps a moment, until_ns at most. */
void run_tick(struct run *run, int64_t until_ns);
/* Ticks until then, or until the run is stopping. */
void run_wait(struct run *run, int64_t until_ns);

/* Heals and ends, for this reason; a second reason changes nothing. met_ns: since when it was so; 0: since
   now. */
void run_stop(struct run *run, enum event_kind kind, int64_t met_ns, const char *sentence);
/*
 * The clock for calls of the run thread that wait for a service, which may hang: the run lives on while
 * they do, since a look at this clock is a tick now and then. Once the run is to end, what is under way
 * has a moment, and then the clock is past any deadline: the call gives up by itself. (waits.c)
 */
struct clock waits_clock(struct run *run);
/* When that moment is over; INT64_MAX while the run goes on. */
int64_t waits_end_ns(const struct run *run);

/* ---- run_gate.c ---- */

/* Starts the lanes, and waits for steady state. False: it did not hold, and the journal says so, or the run is
   stopping. */
bool run_gate(struct run *run);
/* Waits until all required probes were good for so long, and says so with an event of this kind; from..until
   is the stretch. False: not by the deadline, or the run is stopping. */
bool run_wait_good(struct run *run, enum event_kind kind, int64_t from_ns, int64_t good_for_ns,
		   int64_t deadline_ns);
/* "`writes` was not good (insert: permission denied)": WHAT is "good" or "stable within 10 s" */
void run_add_bad(const struct run *run, const char *what, struct text *text);
/* When they run: returns once all attempts have ended, with all samples in run->watch. */
void lanes_stop(struct run *run);

/* Writes down why the run does not start. Returns false. */
bool run_not_started(struct run *run, const char *why);

/* One step on all its targets. False: something could not be done; the journal says what, and what
   was done so far will be healed. */
bool inject_step(struct run *run, size_t step_index);
/* Before the gate: does the helper of each host that has `sudo: true` do what the plan needs? Harms
   nothing. False: e says what is in the way, and on which host. */
bool inject_ask_helpers(struct run *run, struct err *e);

/*
 * Undoes the harms that are on and due by then, newest first, and the hosts of a step together;
 * INT64_MAX: all of them. False: there were none. What cannot be healed is counted and journaled.
 */
bool run_heal_due(struct run *run, int64_t due_by_ns);

/* Reads every ledger back until what is missing stops shrinking; the result is in the store. */
void ledger_count_all(struct run *run, enum ledger_count count);

#endif
