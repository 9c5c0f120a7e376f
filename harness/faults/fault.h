/*
 * fault.h - the contract of a fault: a harm with its heal. One file and one row of table.c each.
 *
 * Order in a run: plan_heal (pure), read_back (the state before), journal intent, arm, inject,
 * confirm, ..., heal, read_back (must equal the state before). All of them know only the record:
 * what a fault needs later it writes into the record's fields, or on the target below
 * record_dir(), which is /run/firedrill/RUN/STEP and vanishes with a reboot.
 */
#ifndef FAULTS_FAULT_H
#define FAULTS_FAULT_H

#include "base/err.h"
#include "base/mem.h"
#include "model/heal_record.h"
#include "model/param.h"
#include "remote/remote.h"

enum fault_scope {
	FAULT_ON_HOST = 1, /* once on each selected host */
	FAULT_ON_SERVICE,  /* once for the service; runs from the harness (scope host is a member) */
};

/* What the engine knows when the step's targets are resolved, just before the harm. */
struct fault_request {
	const char *run_id;
	uint32_t step;
	const struct host *host;        /* the victim; for FAULT_ON_SERVICE the resolved member */
	const struct service *service;  /* NULL when the selector named none */
	const struct inventory *inventory;
	const struct params *with;
	int64_t lease_ns;
};

struct script_set; /* script.h: named here, because it knows this file */

enum confirmation { CONFIRMED = 1, CONFIRM_MISMATCH, CONFIRM_UNKNOWN };

/* Where commands of a fault run. `harness` reaches this machine (power commands, REST). */
struct fault_context {
	struct remote *target;  /* the host of the record; NULL when it cannot be reached */
	struct remote *harness; /* this machine */
	const struct clock *clock;
};

struct fault_ops {
	const char *name;       /* "net.partition" */
	const char *summary;    /* one line */
	const char *caution;    /* what a user must know before using it; NULL */
	enum fault_scope scope;
	/* True when the heal has an effect. False: nothing to undo (a killed process is not raised
	   again by us); read_back then waits for the system's own recovery. */
	bool has_heal;
	/* True when the target is unreachable while the fault is on (power off, partition from us). */
	bool cuts_target;
	const struct param *params;
	const struct script_set *scripts; /* what it runs on the target; NULL: nothing */

	/* What this host lacks for the fault, a sentence a line; nothing: it lacks nothing. Harms nothing.
	   request->with and ->service are NULL. False: it could not be looked. */
	bool (*examine)(const struct fault_request *request, struct fault_context *ctx,
			struct text *ret_missing, struct err *e);
	/* Pure: no connection, no clock. Also checks what the rows cannot (e.g. never freeze "/"). */
	bool (*plan_heal)(const struct fault_request *request, struct arena *arena,
			  struct heal_record *ret_record, struct err *e);
	/* For plan, journal and report: what inject and heal will do, as a person would type it. */
	void (*describe)(const struct heal_record *record, struct text *ret_inject,
			 struct text *ret_heal);
	/* Arms the dead man's switch on the target; durable there before it returns. */
	bool (*arm)(const struct heal_record *record, struct fault_context *ctx, struct err *e);
	/* Puts the lease's end at now + lease. The engine calls it every lease / 3. */
	bool (*renew)(const struct heal_record *record, struct fault_context *ctx, struct err *e);
	bool (*inject)(const struct heal_record *record, struct fault_context *ctx, struct err *e);
	/* *ret_evidence gets what was seen, a sentence, for every answer. */
	enum confirmation (*confirm)(const struct heal_record *record, struct fault_context *ctx,
				     struct text *ret_evidence);
	/* From the record alone, repeatable, after a half-done inject and when inject never ran.
	   Also disarms the guard and removes record_dir. */
	bool (*heal)(const struct heal_record *record, struct fault_context *ctx, struct err *e);
	/* The state of everything the fault may change, as stable text (no pids, no times): equal
	   before and after when nothing is left behind. The engine polls until equal or a deadline. */
	bool (*read_back)(const struct heal_record *record, struct fault_context *ctx,
			  struct text *ret_state, struct err *e);
};

/* NULL when there is none. */
const struct fault_ops *fault_find(const char *name);
const struct fault_ops *const *fault_table(size_t *ret_count);

#endif
