/*
 * permit.h - is it permitted? Pure: the inventory's policy against who would be hit, the moment, what
 * people have agreed to and what other runs hold. Who reads these from the store is permission.h.
 *
 * Fails closed: what cannot be told (a zone that cannot be read, a host without the label that a cap
 * needs, a store that does not answer) is refused, and no override helps.
 */
#ifndef ENGINE_PERMIT_H
#define ENGINE_PERMIT_H

#include "engine/engine.h"

/* Rule, its word in journal and messages, and whether `--override REASON` may set it aside. */
#define PERMIT_ROWS(X) \
	X(EVALUATION, "policy", false) \
	X(STOP, "emergency stop", false) \
	X(PROTECTED, "protected", false) \
	X(FAULT, "allowed faults", true) \
	X(CAP, "cap", true) \
	X(WINDOW, "window", true) \
	X(FREEZE, "freeze", true) \
	X(ENVIRONMENT, "environment", false) \
	X(APPROVAL, "approval", false)

enum permit_rule {
	PERMIT_NONE = 0,
#define X(id, name, may_override) PERMIT_##id,
	PERMIT_ROWS(X)
#undef X
};

const char *permit_rule_name(enum permit_rule rule);

/* One fault on one host, from its inject to its heal. Times are on any one clock. */
struct permit_hit {
	const struct host *host;
	const char *fault;     /* NULL: another run's, whose fault does not matter */
	uint32_t step;
	int64_t from_ns;
	int64_t until_ns;
	bool is_certain;       /* false: it may be hit, a role decides later; caps do not count it */
	const char *held_by;   /* the other run that may harm it; NULL: this one */
};

enum permit_scope {
	PERMIT_STANDING = 1, /* what the documents alone can tell, on any day: `check` */
	PERMIT_NOW,          /* and the moment, the people and the other runs */
};

struct permit_question {
	enum permit_scope scope;
	const struct inventory *inventory;
	const struct permit_hit *hits;
	size_t hit_count;
	int64_t wall_ns;
	const struct approval_row *approvals; /* of exactly this plan, expired ones too */
	size_t approval_count;
	const struct stop_row *stop;          /* NULL: no emergency stop */
	const char *trouble;                  /* what could not be read, a sentence; NULL */
	struct permit_claim claim;
};

struct permit_refusal {
	enum permit_rule rule;
	const char *text;     /* what is refused, why, and what to do; no full stop */
	bool is_overridden;
};

struct permit_answer {
	const struct permit_refusal *refusals;
	size_t refusal_count;
	bool is_permitted;    /* every refusal is overridden */
	const char *grounds;  /* when permitted: on what grounds */
};

void permit_check(const struct permit_question *question, struct arena *arena,
		  struct permit_answer *ret_answer);

/* The hits of a plan on its own timetable; a fault without `for:` stays until the end. */
void permit_hits_of_plan(const struct plan *plan, struct arena *arena, struct permit_hit **ret_hits,
			 size_t *ret_count);

/*
 * What an approval stands for: both documents, the variables, and the reason of an override (NULL:
 * none). Any change needs new approvals.
 */
void permit_digest(const struct experiment *experiment, const char *override_reason,
		   char ret_digest[HASH_TEXT_BYTES]);

/* The refusals that are not overridden as one sentence: "A; B". */
void permit_say(const struct permit_answer *answer, struct text *text);

#endif
