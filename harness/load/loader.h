/*
 * loader.h - what the files of this folder share while they load: where problems go, what the
 * variables are worth, and which inventory is known. Lives only as long as load_experiment.
 */
#ifndef LOAD_LOADER_H
#define LOAD_LOADER_H

#include "load/load.h"

/* One variable of `vars:` or --var. */
struct var {
	const char *name;
	const char *value; /* NULL: declared without a default, and not given */
	bool is_secret;    /* its default was made from ${env:..} or ${file:..} */
	bool is_declared;  /* in `vars:`; else only given */
	bool is_used;
};

struct loader {
	const struct load_request *request;
	struct arena *arena;
	struct secrets *secrets;
	struct problems *problems;
	size_t error_count;      /* problems that are not warnings, also the dropped ones */
	size_t unresolved_count; /* secrets met and not read, because the request has none */
	struct var *vars;
	size_t var_count;
	struct inventory *inventory; /* NULL until it was built */
	bool is_inventory_sound;     /* read and built without a problem */
	const char *inventory_path;
	const char *inventory_text;
};

/* Both take sentences without a full stop. A problem that is already listed is not listed again. */
void problem_add(struct loader *loader, struct mark mark, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Something that the user should know and that does not stop the load. */
void problem_warn(struct loader *loader, struct mark mark, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* By file (first_file first), then by line and column. */
void problems_sort(struct problems *problems, const char *first_file);

/* `path` as written in document `file`: "~/" is the home, relative is beside the document. */
const char *path_resolve(struct loader *loader, const char *file, const char *path);

#endif
