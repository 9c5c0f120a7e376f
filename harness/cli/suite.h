/*
 * suite.h - what the files of a suite share: run_suite.c (the walk), suite_load.c (its documents),
 * suite_drills.c (one process for each experiment), suite_results.c (what came of them),
 * suite_baseline.c (earlier ones beside them), suite_ci.c (what the pipeline is told).
 */
#ifndef CLI_SUITE_H
#define CLI_SUITE_H

#include "base/child.h"
#include "cli/run_command.h"
#include "cli/suite_ci.h"
#include "engine/suite.h"
#include "model/suite.h"

#define SUITE_OPTIONS \
	{ "jobs", "NUMBER", "suite: at most so many experiments at one time; default 4" }, \
	{ "budget", "DURATION", "suite: no longer than this; what runs then is healed and ended" }, \
	{ "fail-on", "WORDS", "suite: which of missed,inconclusive,not-started,stopped,regression make " \
	  "it fail; default all but regression" }, \
	{ "baseline", "NAME|FILE", "suite: tell who recovers slower than in the newest runs recorded " \
	  "under that name, or in that suite.json or bundle" }, \
	{ "record-as", "NAME", "suite: runs with a verdict are from now on the newest of this name" }, \
	{ "annotations", "NAME", "suite: for github, gitlab or none; default auto, by the environment" }, \
	{ "junit", "FILE", "suite: its JUnit XML, also there" }

struct base_file;

/* One experiment on its way; the row of the same index in suite.drills says what came of it. */
struct suite_item {
	const struct experiment *experiment;
	struct plan plan;
	struct child child;
	int64_t begun_ns;
	bool was_told; /* to stop, by us */
	bool is_shown;
	struct text output;
};

struct suite_command {
	struct run_command *run;
	struct suite suite;
	struct suite_drill *drills;
	struct suite_item *items;
	struct footprint *footprints;
	enum suite_place *places;
	size_t job_count;
	uint64_t seed;
	bool has_seed;
	int64_t begun_ns;
	bool is_blocked; /* something is left unhealed: nothing more is started */
	size_t shown_lines; /* of the block on the terminal */
	struct suite_ci *owned_ci;
	struct base_file *base_file; /* NULL: the store is asked, or nobody */
	const char *record_name;     /* NULL: none */
};

/* A folder, more than one word, or an option that only a suite has. */
bool suite_is_meant(const struct arguments *arguments);
/* Everything from the documents to the reports; the exit code is the gate's. */
int run_suite(struct run_command *run);

/* Loads every document and plans it; tells every problem of every one. -1, or the exit code. */
int suite_read_documents(struct suite_command *command);

/* Runs them all, side by side where they do not clash, until each is over or nothing may begin. */
void suite_run_drills(struct suite_command *command);

/* What came of one whose process is over: from the store, as every later report. What a killed one
   left behind is healed here. */
void suite_take_result(struct suite_command *command, size_t index, enum child_state state,
		       int number);

/* --baseline and --record-as: what can be wrong with them is told before anything runs. */
bool suite_open_baseline(struct suite_command *command, struct err *e);
bool suite_compare_baseline(struct suite_command *command, struct err *e);
/* Puts the name of --record-as on the runs that came to a verdict. */
bool suite_record_runs(struct suite_command *command, struct err *e);

#endif
