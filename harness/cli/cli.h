/*
 * cli.h - the contract of a command: one file and one row of commands.c each. The only code that
 * prints and exits.
 *
 * Commands return the exit code (design.md 4). Options are declared rows: --help and the parser see
 * the same ones.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/secrets.h"
#include "load/load.h"
#include "model/verdict.h"
#include "store/store.h"

struct option_row {
	const char *name;       /* "var", without dashes; NULL ends the rows */
	const char *value_name; /* "NAME=VALUE"; NULL: a flag */
	const char *help;
};

enum { ARGUMENTS_MAX = 256 };

/* The words behind the command's name, sorted into options and others. */
struct arguments {
	const struct verb *command;
	const char *words[ARGUMENTS_MAX];
	size_t word_count;
	bool has_dashes; /* a `--` stood among them, behind so many words */
	size_t words_before_dashes;
	struct {
		const struct option_row *row;
		const char *value;
	} options[ARGUMENTS_MAX];
	size_t option_count;
};

struct verb {
	const char *name;
	const char *arguments; /* "EXPERIMENT", for the usage line */
	size_t word_min;
	size_t word_max;
	const char *summary;   /* one line */
	const char *example;   /* one line, runs as it stands */
	const struct option_row *options;
	int (*run)(const struct arguments *arguments);
};

const struct verb *const *verb_table(size_t *ret_count);
void verb_print_help(const struct verb *command, FILE *stream);

/* The last one given, or NULL. */
const char *arguments_value(const struct arguments *arguments, const char *name);
bool arguments_flag(const struct arguments *arguments, const char *name);
/* Every value given with this name, in order. */
size_t arguments_values(const struct arguments *arguments, const char *name,
			const char *ret_values[ARGUMENTS_MAX]);

/* ---- what several commands do the same way ---- */

/* "firedrill: <text>" on stderr, free of control bytes and secrets; returns the code. */
int cli_fail(int code, const struct secrets *secrets, const struct err *e);
int cli_fail_text(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line on the stream; foreign bytes that could steer a terminal are made visible. */
void cli_print_line(FILE *stream, const struct secrets *secrets, const char *line);
void cli_add_line(struct text *text, const struct secrets *secrets, const char *line);

/* A line of what goes on, out at once: who looks at a log looks now. A callback; ctx is not looked at. */
void cli_say(void *ctx, const char *line);

/* `first` (ours, `indent` columns wide) and the line; on a terminal wrapped to its width. */
void cli_print_wrapped(FILE *stream, const struct secrets *secrets, const char *first,
		       size_t indent, const char *line);

/* --store FILE or URL, else $FIREDRILL_STORE, else the default place. */
void cli_store_path(const struct arguments *arguments, struct text *ret_path);
/* ERR_INPUT: --store holds a password. Every function below that opens one has asked. */
bool cli_check_store_option(const struct arguments *arguments, struct err *e);
/* Where lanes keep the samples of a run under way. */
void cli_sample_path(const struct arguments *arguments, struct text *ret_path);
bool cli_open_store(const struct arguments *arguments, const struct secrets *secrets,
		    struct store **ret_store, struct err *e);
/*
 * The store of a command that only looks: none is made. *ret_store NULL: there is none yet. False
 * also when --store names one that is not there.
 */
bool cli_open_kept(const struct arguments *arguments, struct store **ret_store, struct err *e);
/* The same for a command that needs what is in it. */
bool cli_need_store(const struct arguments *arguments, struct store **ret_store, struct err *e);
/* Is this word the path of a bundle? It has a / or ends in .tar. */
bool cli_is_bundle(const char *run);
/* cli_fail with the codes of verify and export: 1 altered, 2 not there, 7 cannot be read. */
int cli_fail_evidence(const struct secrets *secrets, const struct err *e);
/* Loads the experiment with --inventory and --var; prints every problem to stderr. False: the
   command ends with EXIT_NOT_RUN. */
bool cli_load(const struct arguments *arguments, const char *path, bool has_secrets,
	      struct arena *arena, struct secrets *secrets,
	      const struct experiment **ret_experiment);

/* The inventory alone, by --inventory or inventory.yaml, without its secrets; else like cli_load. */
bool cli_load_inventory(const struct arguments *arguments, struct arena *arena,
			struct secrets *secrets, const struct inventory **ret_inventory);

/* The schedules of these experiments and plan files, without secrets; else like cli_load. */
bool cli_load_schedules(const struct arguments *arguments, const char *const *paths,
			size_t path_count, struct arena *arena, struct schedule_list *ret_list);

/* Declared rows, one line each, as `firedrill faults` shows them. NULL: none. */
void cli_print_params(const struct param *params);

/* Is this stream a terminal that wants colour (NO_COLOR unset, TERM not dumb)? */
bool cli_has_colour(FILE *stream);
bool cli_is_utf8(void);
unsigned cli_columns(FILE *stream);
unsigned cli_rows(FILE *stream); /* 24 when unknown */

#define STORE_OPTION \
	{ "store", "FILE|URL", \
	  "the store, a file or postgresql://...; default $FIREDRILL_STORE, else the user's state folder" }
#define INVENTORY_OPTION \
	{ "inventory", "FILE", \
	  "the inventory; default the experiment's own, else inventory.yaml beside it" }
#define VAR_OPTION { "var", "NAME=VALUE", "a variable of the experiment; may be given often" }

#endif
