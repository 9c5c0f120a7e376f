/*
 * limits.h - every bound of the program on one screen.
 *
 * Passing one is ERR_LIMIT with the bound in the sentence; nothing grows without a bound.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include <stdint.h>

enum {
	LIMIT_DOCUMENT_BYTES = 1 << 20,  /* one YAML or JSON document */
	LIMIT_NESTING = 32,              /* levels of a document */
	LIMIT_SCALAR_BYTES = 64 << 10,   /* one value in a document */
	LIMIT_KEYS = 1024,               /* keys of one mapping, items of one list */
	LIMIT_PROBLEMS = 100,            /* problems listed for one document */
	LIMIT_HOSTS = 1024,              /* hosts of an inventory */
	LIMIT_SERVICES = 256,
	LIMIT_PROBES = 1000,             /* probes of one experiment */
	LIMIT_LANES = 256,               /* lanes of one probe */
	LIMIT_STEPS = 64,                /* steps of one method */
	LIMIT_TARGETS = 256,             /* targets of one step, after resolving */
	LIMIT_STOP_CONDITIONS = 16,
	LIMIT_CHECKS = 64,
	LIMIT_POLICY_ROWS = 64,          /* windows, frozen times, allowed faults, caps: of each */
	LIMIT_SCHEDULES = 256,           /* of one plan file; as many experiments in all of them */
	LIMIT_CALENDARS = 16,            /* of one schedule, with those of its plan file */
	LIMIT_APPROVALS = 9,             /* people who must have approved */
	LIMIT_REASON_BYTES = 400,        /* a reason for an override, a stop, a freeze */
	LIMIT_ERROR_TEXTS = 64,          /* different error texts kept for one probe */
	LIMIT_NAME_BYTES = 64,           /* a name of a host, probe, service, step */
	LIMIT_COMMAND_OUTPUT_BYTES = 1 << 20, /* of one command on a host, each of out and err */
	LIMIT_HTTP_BODY_BYTES = 4 << 20,
	LIMIT_LOST_KEYS_SHOWN = 20,      /* sample keys of lost writes in a report */
	LIMIT_EVENTS = 100000,           /* events of one run */
	LIMIT_TRIALS = 1000,             /* runs of one set of trials, or of one compared group */
	LIMIT_SUITE = 200,               /* experiments of one suite */
	LIMIT_CHILD_OUTPUT_BYTES = 4 << 20, /* kept of what one experiment of a suite prints */
	LIMIT_CHANNELS = 64,             /* channels, and rules, of one `notify:` */
	LIMIT_ESCALATIONS = 16,          /* steps of one rule's escalation */
	LIMIT_MESSAGES = 1000,           /* waiting in one outbox, and as many dead letters */
	LIMIT_MESSAGE_BYTES = 8 << 20,   /* one message with its report */
	LIMIT_TOLD_HARMS = 200,          /* of a set of trials, each in a message of its own */
};

static const int64_t LIMIT_DRILL_NS = INT64_C(24) * 3600 * 1000000000; /* longest run */
static const int64_t LIMIT_LEDGER_ROWS = 86400000; /* of one ledger in one run */
static const int64_t LIMIT_EVERY_MIN_NS = INT64_C(1000000);            /* closest slots: 1 ms */

#endif
