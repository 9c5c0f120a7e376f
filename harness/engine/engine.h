/*
 * engine.h - the story, from plan to verdict. The table of contents of harness/engine:
 *
 *   plan.c     experiment -> plan: targets, heal records, caps; pure but for random choice (seeded)
 *   run.c      the walk of design.md 2: gate, baseline, inject, observe, heal, settle, validate;
 *              run_gate.c its lanes and steady state
 *   vantage.c  the vantage points of a run; run_watch.c a run that only watches, from one of them
 *   inject.c   one step: resolve, write down, arm, inject, confirm
 *   permit.c   is it permitted? pure; permission.c asks it before the start and before each inject
 *   heal.c     undo from written records, for run.c and for `firedrill heal`
 *   watch.c    what the samples say so far: steady, stable, bad for how long
 *   outside.c  probes, roles, ledgers and checks as the run sees them; sampler.c the lanes
 *   follower.c threads that look what the system itself does; sights.c takes what they saw
 *   host_clock.c   how far a host's clock is from ours; measure_events.c puts both together
 *   ledger.c   read back a ledger again and again until the missing set stops shrinking
 *   shown.c    what readers were shown, from the lanes into the journal
 *   salvage.c  the samples of a run whose process died
 *   sessions.c one kept connection for each host
 *   measure.c, judge.c   pure; see their headers
 *   story.c    store -> story, for the reports
 *   trials.c   an experiment several times; trials_story.c, judge_trials.c what comes of it;
 *              statistics.c the numbers;
 *              compare.c two groups of runs
 *   facts.c    what a run leaves for the history; kpi.c the history in numbers
 *   suite.c    several experiments: which may run at one time
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <signal.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/secrets.h"
#include "model/experiment.h"
#include "model/heal_record.h"
#include "model/story.h"
#include "probes/probe.h"
#include "remote/remote.h"
#include "store/store.h"

/* ---- plan ---- */

struct run_request;

struct plan_target {
	const struct host *host;
	struct heal_record record;
	const char *inject;       /* what will be done, for people */
	const char *heal;
};

struct plan_step {
	const struct step *step;
	/* False: a role decides when it runs, and targets holds everybody who may be hit. */
	bool is_resolved;
	struct plan_target *targets;
	size_t target_count;
	const char *note;         /* "resolved when it runs: role primary of orders-db"; NULL */
};

struct plan {
	const char *run_id;
	uint64_t seed;
	const struct experiment *experiment;
	struct plan_step *steps;
	size_t step_count;
	const char *const *cautions; /* sentences a person must read before saying yes */
	size_t caution_count;
};

/* Pure. Refuses what breaks the blast radius or touches a protected host (ERR_REFUSED). */
bool plan_build(const struct experiment *experiment, const char *run_id, uint64_t seed,
		struct arena *arena, struct plan *ret_plan, struct err *e);

/* One thing that is in the way of a plan; at: the step that it is about, line 0: all of them. */
typedef void plan_problem_fn(void *ctx, struct mark at, const struct err *e);

/* The same, telling of every step what is wrong with it. False when there was something to tell. */
bool plan_build_telling(const struct experiment *experiment, const char *run_id, uint64_t seed,
			struct arena *arena, struct plan *ret_plan, plan_problem_fn *tell,
			void *ctx);

/* Makes the targets of one step whole once the members that play its role are known. */
bool plan_resolve(struct plan *plan, size_t step_index, const struct host *const *members,
		  size_t member_count, struct arena *arena, struct err *e);

/* May the step hit this host, whatever chance and roles decide? */
bool plan_may_hit(const struct experiment *experiment, const struct step *step,
		  const struct host *host);

/* "20261121-102030-k3f9": sorts by time, safe in file names, nft and unit names. */
void run_id_make(const struct clock *clock, char *ret_text, size_t text_bytes);

/* ---- outside ---- */

/* What an event probe saw. */
struct outside_sight {
	const struct probe_spec *spec;
	bool is_blind; /* it saw nothing: sighting.host never answered, and sighting.what says why */
	bool is_lag;   /* lag is what it saw, and there is no sighting */
	struct sighting sighting;
	struct lag_look lag;
};

/*
 * All that the engine sees of a service from outside: lanes of probes, roles, ledgers, checks. The
 * real one is outside_real (outside.c, sampler.c); a simulation brings its own.
 */
struct outside_ops {
	/* Maps the samples, makes the ledgers' places, opens the probes. Nothing runs yet. waits: the
	   clock for every call below that waits for a service (read_back, check, resolve_role, settings,
	   and open itself): the run lives on by it, and once it is to end, it is past their deadlines. */
	bool (*open)(void *ctx, const struct run_request *request, const struct clock *waits,
		     struct err *e);
	/* Slot 0 of every probe is due within one `every` of t0_ns. ret_how: how many lanes there
	   are and how they are scheduled; empty when there are none (a simulation).
	   ret_note: what may make the measurement worse; empty when all is well. */
	bool (*start)(void *ctx, int64_t t0_ns, struct text *ret_how, struct text *ret_note,
		      struct err *e);
	/* The samples so far; read a sample's state with sample_state_now while lanes run. */
	void (*view)(void *ctx, size_t probe_index, int64_t now_ns, struct track *ret_track);
	/* What the event probes saw since the last call, one at a time; false: no more. NULL: the
	   outside has no event probes. */
	bool (*take)(void *ctx, struct outside_sight *ret_sight);
	/* One read of this reader that saw a change, since the last call, those of a lane in their
	   order; false: no more. ret_changes is appended to. NULL: the outside has no readers. */
	bool (*take_shown)(void *ctx, size_t probe_index, uint64_t *ret_slot,
			   struct text *ret_changes);
	/* No slot begins after this; returns when the attempts under way have ended. */
	void (*stop)(void *ctx);
	bool (*read_back)(void *ctx, const struct probe_spec *spec, int64_t deadline_ns,
			  const struct row_sink *sink, struct err *e);
	/* One attempt, now. ret_got: the answer as text. */
	enum sample_state (*check)(void *ctx, const struct check *check, int64_t deadline_ns,
				   struct text *ret_got, struct err *e);
	bool (*resolve_role)(void *ctx, const struct service *service, const char *role,
			     int64_t deadline_ns, const struct host **ret_members,
			     size_t *ret_count, struct err *e);
	/* What the software that fails this service over was told (failover_find knows it). NULL: the
	   outside has none. */
	bool (*settings)(void *ctx, const struct service *service, int64_t deadline_ns,
			 struct failover_settings *ret_settings, const struct host **ret_told_by,
			 struct err *e);
	/* Removes what open made in the service and on this disk. e names what stays. */
	bool (*clean)(void *ctx, int64_t deadline_ns, struct err *e);
	void (*close)(void *ctx);
};

struct outside {
	const struct outside_ops *ops;
	void *ctx;
};

/* The real one; ops->close frees it. */
struct outside outside_real(void);

/* The state of a sample while its lane may be writing it. */
enum sample_state sample_state_now(const struct sample *sample);

/* ---- run ---- */

/* Live view: called by the run thread only, at each event and about ten times a second. */
struct progress {
	void (*on_event)(void *ctx, const struct event *event);
	void (*on_tick)(void *ctx, const struct timeline *so_far, enum phase phase, int64_t now_ns);
	void *ctx;
};

/* What the person who starts a run says for it. */
struct permit_claim {
	const char *by;              /* who; NULL: nobody said */
	const char *environment;     /* typed back: --confirm; NULL */
	const char *override_reason; /* NULL: none */
};

struct run_request {
	const struct experiment *experiment;
	const char *run_id;
	uint64_t seed;
	const char *set_id; /* of the set of trials it is one of, and its number there; NULL, 0 */
	int64_t trial;
	/* The run that this one only watches, and from which of its vantage points; the experiment is then one
	   of experiment_for_watch. NULL: none. */
	const char *watch_of;
	const char *vantage;
	const char *version;
	struct store *store;
	const struct secrets *secrets;
	const struct clock *clock;
	struct remote_opener opener;
	struct outside outside;                 /* run_experiment closes it */
	const struct progress *progress;        /* NULL: none */
	const volatile sig_atomic_t *stop_signal; /* becomes the signal's number; heals and ends */
	struct permit_claim claim;
	const char *sample_dir;                 /* mapped sample files; survive a crash of ours */
	struct arena *arena;                    /* the outcome's sentence stays there */
};

/*
 * Runs the experiment to its end, whatever happens on the way: every fault is healed on every way
 * out. True when the journal is complete (the exit code is then in *ret_outcome); false only when
 * the store itself could not be written (exit 7), after healing what could be healed.
 */
bool run_experiment(const struct run_request *request, struct outcome *ret_outcome, struct err *e);

/* ---- heal ---- */

struct heal_summary {
	size_t healed_count;
	size_t leftover_count;
	struct text leftovers; /* one sentence a line */
	/* Of the runs that were healed, as far as their sources are still there. */
	struct secrets secrets;
};

void heal_summary_release(struct heal_summary *summary);

/* Heals every open record of one run (or of all, run_id NULL); a second call finds nothing to do.
   Healing needs no secrets, but a command may print one: those that the documents name are hidden.
   sample_dir: where died runs left their samples; NULL: nowhere. */
bool heal_runs(struct store *store, const char *run_id, const struct remote_opener *opener,
	       const struct clock *clock, const struct progress *progress, const char *sample_dir,
	       struct heal_summary *ret_summary, struct err *e);

/* Takes the samples of a run whose process died from its mapped files into the store, and removes the
   files. A run that ended by itself has none. */
bool salvage_samples(struct store *store, const char *run_id, const char *sample_dir, struct err *e);

/* ---- story ---- */

/* Everything a report needs, from the store alone. */
bool story_build(struct store *store, const char *run_id, struct arena *arena,
		 struct secrets *secrets, struct story *ret_story, struct err *e);

#endif
