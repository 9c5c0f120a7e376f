/*
 * run_command.h - what the files of the command "run" share: run.c (one run), run_trials.c and, for
 * several experiments, run_suite.c. The command "watch" does a part of the same.
 */
#ifndef CLI_RUN_COMMAND_H
#define CLI_RUN_COMMAND_H

#include <signal.h>

#include "cli/cli.h"
#include "engine/engine.h"

struct run_command {
	const struct arguments *arguments;
	struct arena arena;
	struct secrets secrets;
	const struct experiment *experiment;
	struct store *owned_store;
	struct clock clock;
	const char *format;
	char run_id[40]; /* of the run, of the set of trials, or of the suite */
	uint64_t seed;
	struct permit_claim claim;
	int64_t trial_count;
	bool is_set;     /* more than one trial, or a promise that speaks of trials */
	const volatile sig_atomic_t *stop_signal;
	FILE *progress_stream; /* stderr when standard output carries a machine's format */
};

/* SIGINT, SIGTERM, SIGHUP and SIGXCPU become this number, the first of them for good. */
const volatile sig_atomic_t *run_catch_signals(void);
/* --id, else a fresh one. A suite and a set make those of their own runs of it. */
bool run_take_id(struct run_command *command, struct err *e);
/* Where lanes keep their samples. */
bool run_make_sample_folder(const struct run_command *command, struct text *ret_path,
			    struct err *e);
/* Exit code of a refusal, or -1: somebody sits at a terminal. */
int run_need_person(void);
/* The same: that person has typed the wanted word. */
int run_let_type(const struct run_command *command, const char *wanted);
/* What an earlier run left behind comes first: nobody experiments on a patient still open. Exit code
   when it stays, or -1. */
int run_heal_earlier(const struct run_command *command);
/* What runs of this command have in common; `outside` and `progress` are each run's own. */
struct run_request run_request_of(struct run_command *command, const char *sample_dir);
/* --seed. */
bool run_parse_seed(const struct arguments *arguments, bool *ret_is_given, uint64_t *ret_seed,
		    struct err *e);
/* --repeat, else `trials:`, else one. */
bool run_take_trials(struct run_command *command, struct err *e);
/* One line for each trial, with its seed: what --dry-run shows of them. */
void run_show_trials(const struct run_command *command, FILE *stream);
/* All trials, each with its reports in a folder of its own, and then those of the set. */
int run_trials(struct run_command *command, const char *folder, const char *sample_dir);
/* "reports: FOLDER/   again: firedrill report ID" */
void run_tell_reports(const struct run_command *command, const char *folder);

#endif
