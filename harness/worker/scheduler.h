/*
 * scheduler.h - the other end of the due runs: asks schedule_decide what is to be done now, and puts that
 * into the store as rows, which workers take; what is skipped or missed is a row with its reason. It runs
 * nothing itself.
 *
 * The newest row of a schedule is its mark, so that any number of schedulers on one store, and one that
 * was down for a while, decide the same.
 */
#ifndef WORKER_SCHEDULER_H
#define WORKER_SCHEDULER_H

#include "base/clock.h"
#include "schedule/schedule.h"
#include "store/store_dues.h"

/* A run that was to take place and did not, of a schedule that says so to people. */
struct scheduler_alert {
	const struct schedule *schedule;
	const struct scheduled_experiment *experiment;
	int64_t due_wall_ns; /* of several the newest */
	size_t count;        /* of those that were missed */
	const char *why;     /* a sentence without a full stop */
};

struct scheduler_hands {
	/* The schedules as they are written now. False: they cannot be read, and those from before, which are
	   valid until this succeeds, stay. */
	bool (*read)(void *ctx, const struct schedule_list **ret_schedules);
	/* People are to be told; on one of all schedulers of a store, once, when the row is in the store. It
	   must come back soon: what is due waits. */
	void (*alert)(void *ctx, const struct scheduler_alert *alerts, size_t count);
	void (*say)(void *ctx, const char *line); /* a line for people, of now */
	void *ctx;
};

struct scheduler {
	struct store *store;
	struct clock clock;
	struct scheduler_hands hands;
	const struct schedule_list *schedules; /* as they were read first */
	char trouble[ERR_TEXT_BYTES]; /* said already */
};

/*
 * One look at everything, which puts what is to be put. *ret_wake_wall_ns: look again then, by the wall clock;
 * earlier is harmless. After the clock was set or a store was away the same look finds what is late.
 */
bool scheduler_look(struct scheduler *scheduler, int64_t *ret_wake_wall_ns, struct err *e);

/* The documents of an experiment as they are now, whole, into a row: workers may be elsewhere. */
bool scheduler_fill_documents(const struct scheduled_experiment *scheduled, struct arena *arena,
			      struct due_row *row, struct err *e);

/* Looks until nothing more is to be decided now: for a timer or cron. */
bool scheduler_look_once(struct scheduler *scheduler, struct err *e);

/* Looks whenever it is time, until SIGTERM or SIGINT; SIGHUP reads again. A look that fails is said, once, and
   comes again. These signals are blocked meanwhile. False: it could not begin, or the store was put aside. */
bool scheduler_run(struct scheduler *scheduler, struct err *e);

#endif
