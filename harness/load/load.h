/*
 * load.h - documents in, model out: every problem at once, each with file:line:column, what is wrong,
 * and what to write instead. Nothing is connected to, nothing is changed.
 */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/secrets.h"
#include "model/experiment.h"

struct problem {
	struct mark mark;
	const char *text; /* a sentence: what is wrong and what to write instead */
	bool is_warning;  /* worth knowing; does not stop the load */
};

struct problems {
	struct problem items[LIMIT_PROBLEMS];
	size_t count;         /* of items */
	size_t dropped_count; /* beyond the limit */
};

struct load_request {
	const char *experiment_path;
	/* NULL: the experiment's `inventory:`, else inventory.yaml beside it. */
	const char *inventory_path;
	/* When not NULL, taken instead of reading the files (report RUN reads them from the store). */
	const char *experiment_text;
	const char *inventory_text;
	const struct pair *vars;
	size_t var_count;
	/* False: ${env:..} and ${file:..} become "[secret]" and are never read (check, report). */
	bool has_secrets;
};

/*
 * True: *ret_experiment is whole, and problems holds warnings at most. False: problems has at least
 * one that is no warning. All memory is the arena's.
 */
bool load_experiment(const struct load_request *request, struct arena *arena,
		     struct secrets *secrets, const struct experiment **ret_experiment,
		     struct problems *problems);

/* The inventory alone, from request->inventory_path; request->experiment_path is not looked at. */
bool load_inventory(const struct load_request *request, struct arena *arena, struct secrets *secrets,
		    const struct inventory **ret_inventory, struct problems *problems);

/* Its `notify:` alone, for who delivers later: what else is wrong with the inventory, or which of its other
   secrets are not at hand, does not matter then. Rules are not checked against services. */
bool load_notify(const struct load_request *request, struct arena *arena, struct secrets *secrets,
		 const struct notify **ret_notify, struct problems *problems);

/*
 * The schedules of some files: experiments with a `schedule:`, and plan files, whose experiments are
 * loaded too, so that nothing is found out at three in the morning. Two schedules of one name are a
 * problem. request: what holds for the experiments among them; its paths are not looked at.
 */
bool load_schedules(const struct load_request *request, const char *const *paths, size_t path_count,
		    struct arena *arena, struct schedule_list *ret_list, struct problems *problems);

/* Is this file an inventory or a plan file, as far as its keys tell? One that cannot be read is none:
   loading it as an experiment says why. */
bool load_is_other_document(const char *path);

/* "file:12:3: unknown key `evry`; did you mean `every`?" */
void problem_print(const struct problem *problem, struct text *text);

/* JSON Schema (draft 2020-12) of experiment, inventory and plan file, made from the same rows. */
void load_schema(struct text *text);

#endif
