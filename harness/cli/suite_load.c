/*
 * suite_load.c - the documents of a suite: found, read and planned before anything is touched. Every
 * problem of every one is told at once.
 */
#include "cli/suite.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/random.h"
#include "cli/plan_view.h"
#include "engine/trials.h"

struct paths {
	struct arena *arena;
	const char **items;
	size_t count;
};

static bool is_folder(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool is_document_name(const char *name)
{
	static const char *const ends[] = { ".yaml", ".yml", ".json" };
	const size_t length = strlen(name);

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		const size_t end_length = strlen(ends[i]);

		if (name[0] != '.' && length > end_length &&
		    strcmp(name + length - end_length, ends[i]) == 0)
			return true;
	}
	return false;
}

static bool add_path(struct paths *paths, const char *path, struct err *e)
{
	if (paths->count >= LIMIT_SUITE)
		return err_set(e, ERR_LIMIT, "a suite has more than %d experiments", LIMIT_SUITE);
	for (size_t i = 0; i < paths->count; i++)
		if (strcmp(paths->items[i], path) == 0)
			return err_set(e, ERR_INPUT, "`%s` was given twice", path);
	paths->items = arena_more(paths->arena, paths->items, paths->count, sizeof *paths->items);
	paths->items[paths->count++] = path;
	return true;
}

static int by_name(const struct dirent **one, const struct dirent **other)
{
	return strcmp((*one)->d_name, (*other)->d_name); /* not the locale's order: the same everywhere */
}

/* The experiments in it, by name; inventories and plan files are left out, folders below it are not entered. */
static bool add_folder(struct paths *paths, const char *folder, struct err *e)
{
	const size_t count_before = paths->count;
	const size_t length = strlen(folder);
	const char *between = length > 0 && folder[length - 1] == '/' ? "" : "/";
	struct dirent **entries = NULL;
	const int count = scandir(folder, &entries, NULL, by_name);
	bool ok = count != -1 || err_set(e, ERR_INPUT, "read the folder %s: %s", folder,
					  strerror(errno));

	for (int i = 0; i < count; i++) {
		const char *path = arena_format(paths->arena, "%s%s%s", folder, between,
						entries[i]->d_name);

		if (ok && is_document_name(entries[i]->d_name) && !is_folder(path) &&
		    !load_is_other_document(path))
			ok = add_path(paths, path, e);
		free(entries[i]);
	}
	free(entries);
	if (ok && paths->count == count_before)
		ok = err_set(e, ERR_INPUT, "there is no experiment in the folder %s: no .yaml, .yml or "
			     ".json that is not an inventory or a plan file", folder);
	return ok;
}

static bool find_paths(const struct arguments *arguments, struct paths *paths, struct err *e)
{
	for (size_t i = 0; i < arguments->word_count; i++) {
		const char *word = arguments->words[i];

		if (strcmp(word, "-") == 0)
			return err_set(e, ERR_INPUT, "a suite takes files and folders, not standard "
				       "input");
		if (is_folder(word) ? !add_folder(paths, word, e) : !add_path(paths, word, e))
			return false;
	}
	return true;
}

bool suite_is_meant(const struct arguments *arguments)
{
	static const struct option_row own[] = { SUITE_OPTIONS };

	if (arguments->word_count > 1 || is_folder(arguments->words[0]))
		return true;
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (arguments_value(arguments, own[i].name) != NULL)
			return true;
	return false;
}

/* "03-db-hang": sorts as the suite does, and is no more than a name. */
static const char *folder_name(struct arena *arena, size_t index, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash == NULL ? path : slash + 1;
	const char *dot = strrchr(base, '.');
	char *name = arena_format(arena, "%02zu-%.*s", index + 1,
				  dot == NULL ? (int)strlen(base) : (int)(dot - base), base);

	for (char *at = name; *at != '\0'; at++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
			   *at) == NULL)
			*at = '_';
	return name;
}

static const char *clean(struct run_command *run, const char *raw)
{
	struct text text = { 0 };

	text_add(&text, raw);
	secrets_redact(&run->secrets, &text);

	const char *result = arena_copy(&run->arena, text_str(&text));

	text_release(&text);
	return result;
}

static void describe(struct suite_command *command, size_t index, const char *path)
{
	struct run_command *run = command->run;
	const struct experiment *experiment = command->items[index].experiment;

	command->drills[index] = (struct suite_drill){
		.path = path,
		.title = clean(run, experiment->title),
		.service = experiment->service == NULL ? NULL :
							 clean(run, experiment->service->name),
		.folder = arena_format(&run->arena, "%s/%s", command->suite.folder,
				       folder_name(&run->arena, index, path)),
		.run_id = arena_format(&run->arena, "%s" SUITE_MEMBER "%02zu", run->run_id, index + 1),
		.outcome = { .exit_code = EXIT_NOT_STARTED },
	};
}

/* False: what is wrong with it was told. *code stays, or is what the command ends with. */
static bool load_one(struct suite_command *command, size_t index, const char *path, int *code)
{
	struct run_command one = *command->run; /* for what the rest of `run` asks of one experiment */
	struct suite_item *item = &command->items[index];
	struct err e = { 0 };
	uint64_t seed;
	int planned;

	if (!cli_load(one.arguments, path, true, &command->run->arena, &command->run->secrets,
		      &one.experiment)) {
		*code = EXIT_NOT_RUN;
		return false;
	}
	if (!run_take_trials(&one, &e)) {
		*code = cli_fail(EXIT_NOT_RUN, NULL, &e);
		return false;
	}
	item->experiment = one.experiment;
	describe(command, index, path);
	if (command->has_seed)
		seed = trials_seed(command->seed, (int64_t)index + 1);
	else
		seed = one.experiment->has_seed ? one.experiment->seed : random_fresh_seed();
	planned = plan_view_build(item->experiment, command->drills[index].run_id, seed,
				  &command->run->arena, &command->run->secrets, &item->plan);
	if (planned != -1) {
		if (*code != EXIT_NOT_RUN)
			*code = planned;
		return false;
	}
	suite_footprint(&item->plan, &command->run->arena, &command->footprints[index]);
	return true;
}

int suite_read_documents(struct suite_command *command)
{
	struct arena *arena = &command->run->arena;
	struct paths paths = { .arena = arena };
	struct err e = { 0 };
	int code = -1;

	if (!find_paths(command->run->arguments, &paths, &e))
		return cli_fail(EXIT_NOT_RUN, NULL, &e);
	command->drills = arena_alloc(arena, paths.count * sizeof *command->drills);
	command->items = arena_alloc(arena, paths.count * sizeof *command->items);
	command->footprints = arena_alloc(arena, paths.count * sizeof *command->footprints);
	command->places = arena_alloc(arena, paths.count * sizeof *command->places);
	for (size_t i = 0; i < paths.count; i++)
		(void)load_one(command, i, paths.items[i], &code); /* all are told, then none runs */
	command->suite.drills = command->drills;
	command->suite.drill_count = paths.count;
	return code;
}
