/*
 * facts.h - what one run comes to, in a few numbers: what a history is made of. Derived from the run's
 * story by engine/facts.c, kept by the store beside the run, added up by engine/kpi.c.
 */
#ifndef MODEL_FACTS_H
#define MODEL_FACTS_H

#include "model/verdict.h"

/* What many runs have in common: who is harmed how, by which documents, and what was promised. No text
   is NULL. */
struct facts_subject {
	const char *service;     /* that the objectives speak of; "": the experiment names none */
	const char *environment; /* of the inventory's policy; "": it names none */
	const char *scenario;    /* "process.kill on primary"; "": nothing is harmed */
	const char *title;
	const char *experiment;  /* digest of the document and its variables */
	const char *inventory;   /* digest of that document */
	bool has_rto;
	int64_t rto_ns;
	bool has_rpo;
	int64_t rpo_ns;
};

struct run_facts {
	const char *run_id;
	size_t subject;          /* index into the subjects that come with the rows */
	int64_t trial;           /* its number in a set, from 1; 0: none */
	int64_t began_wall_ns;
	int64_t ended_wall_ns;   /* of its last event, where it never came to its end */
	bool is_ended;
	enum run_exit exit_code;
	bool has_harmed;         /* a fault was confirmed */
	enum measured rto_kind;  /* of the service */
	struct span rto;         /* never recovered: low is how long it was down at least */
	enum verdict rto_verdict; /* VERDICT_NONE: not promised, or not judged */
	bool is_rpo_known;       /* a ledger was read back */
	struct span rpo;         /* of the ledger that lost most */
	uint64_t lost_count;
	enum verdict rpo_verdict;
};

#endif
