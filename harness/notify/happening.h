/*
 * happening.h - what happened, as messages tell it: plain texts and numbers, and nothing of the
 * machinery. Also its form as JSON: what waits in the outbox, and what a webhook gets.
 */
#ifndef NOTIFY_HAPPENING_H
#define NOTIFY_HAPPENING_H

#include "base/err.h"
#include "base/json.h"
#include "base/secrets.h"
#include "model/notify.h"

/* One objective, in the words of the report. */
struct told_objective {
	const char *name;
	const char *target;
	const char *observed;
	const char *verdict;
	const char *reason;
};

/* What was measured, in nanoseconds: the truth lies between. */
struct told_span {
	bool is_known;
	int64_t low_ns;
	int64_t high_ns;
};

/* One step that harmed something, at the moments of the journal. */
struct told_harm {
	const char *fault;     /* "disk.fill" */
	const char *hosts;     /* "db1, db2" */
	int64_t from_wall_ns;  /* the first inject was sent */
	int64_t until_wall_ns; /* the last heal was answered; not healed: the end of the run */
	bool is_healed;
};

struct happening {
	uint32_t kinds;           /* of enum happening_bit */
	int64_t wall_ns;          /* when */
	const char *run_id;       /* of a run or a set of trials */
	const char *title;        /* of the experiment */
	const char *hypothesis;   /* NULL: none; so for every text below but sentence and verdict */
	const char *service;
	const char *environment;
	int64_t tier;             /* of the service; 0: none */
	const char *verdict;      /* "met", "missed", "inconclusive", "none" */
	int64_t exit_code;        /* -1: it has not ended */
	const char *sentence;     /* what there is to say, for people */
	const char *previous_run; /* the last run of the same experiment */
	const char *previous_sentence;
	struct told_span rto;
	struct told_span rpo;
	const struct told_objective *objectives;
	size_t objective_count;
	const struct told_harm *harms;
	size_t harm_count;
	int64_t untold_harm_count; /* of a large set of trials: so many more there were */
	const char *const *leftovers;
	size_t leftover_count;
	const char *heal_command; /* what undoes the leftovers */
	const char *report;       /* where the report lies on the machine that ran it */
	const char *link;         /* where it can be seen */
	const char *machine;      /* that ran it */
	const char *person;       /* who acknowledged */
	int64_t after_ns;         /* an escalation: so long nobody has acknowledged; 0: it is none */
};

/* "missed": the heaviest of the kinds. */
const char *happening_name(uint32_t kinds);
/* "MISSED", "LEFT UNHEALED", "STARTED": in capitals, for the head of a message. */
const char *happening_headline(uint32_t kinds);
/* The kind of this word of `on:`; 0: there is none. */
uint32_t happening_find(const char *name);

/* How much it presses: what colours and severities are made of. */
enum weight { WEIGHT_INFO = 1, WEIGHT_GOOD, WEIGHT_WARNING, WEIGHT_BAD, WEIGHT_WORST };

enum weight happening_weight(const struct happening *happening);
/* Should somebody look after it? Such a one can be acknowledged and escalates. */
bool happening_is_trouble(uint32_t kinds);

/* "MISSED: Kill the primary (orders-db, production)", one line. */
void happening_title(const struct happening *happening, struct text *text);

/* The copy without secrets; its texts are the arena's. */
struct happening happening_redact(const struct happening *happening, const struct secrets *secrets,
				  struct arena *arena);

/* Into the object, and back out of it. A field that is not there, or of another type, is unset. */
void happening_put(struct json *object, const struct happening *happening);
void happening_get(const struct json *object, struct arena *arena, struct happening *ret_happening);

/* A moment as text: nanoseconds since 1970 are more than a number of JSON can hold for every reader. */
void moment_put(struct json *object, const char *key, int64_t wall_ns);
int64_t moment_get(const struct json *object, const char *key); /* 0: there is none */

#endif
