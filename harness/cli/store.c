/*
 * store.c - command "store": looking after a store. One action a row.
 *
 * Exit codes: 0 done, 1 something is not as it was written, 2 the words are wrong, 7 the store cannot be
 * read or written.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/units.h"
#include "cli/find.h"
#include "engine/facts.h"
#include "store/bundle.h"
#include "store/store_care.h"
#include "store/store_parts.h"

static const struct option_row store_options[] = {
	STORE_OPTION,
	{ "older-than", "DURATION", "prune: runs that began longer ago than that, such as 180d" },
	{ "keep", "NUMBER", "prune: and never the newest so many" },
	{ "dry-run", NULL, "prune: only say what would go" },
	{ NULL, NULL, NULL },
};

struct care {
	const struct arguments *arguments;
	struct store *owned_store;
	struct arena arena;
};

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	struct text line = { 0 };
	va_list args;

	va_start(args, format);
	text_addv(&line, format, args);
	va_end(args);
	cli_print_line(stdout, NULL, text_str(&line));
	text_release(&line);
}

/* ---- migrate, check ---- */

static int migrate(struct care *care)
{
	const struct store_schema schema = store_schema(care->owned_store);

	if (schema.found == 0)
		say("made, with schema %" PRId64, schema.now);
	else if (schema.found < schema.now)
		say("brought from schema %" PRId64 " to %" PRId64, schema.found, schema.now);
	else
		say("up to date: schema %" PRId64, schema.now);
	return EXIT_MET;
}

static void tell_finding(void *ctx, const char *sentence)
{
	(void)ctx;
	(void)cli_fail_text(EXIT_MISSED, "%s", sentence);
}

static int check(struct care *care)
{
	struct store_findings findings = { .tell = tell_finding };
	struct err e = { 0 };

	if (!store_check(care->owned_store, &findings, &e))
		return cli_fail(EXIT_INTERNAL, NULL, &e);
	say("%zu run%s with %" PRIu64 " events, %zu sets, %zu approvals: %zu thing%s not as written",
	    findings.run_count, findings.run_count == 1 ? "" : "s", findings.event_count,
	    findings.set_count, findings.approval_count, findings.bad_count,
	    findings.bad_count == 1 ? "" : "s");
	return findings.bad_count == 0 ? EXIT_MET : EXIT_MISSED;
}

/* ---- export, backup ---- */

static bool export_one(struct care *care, const struct run_row *row, const char *folder, struct err *e)
{
	struct text path = { 0 };
	struct bundle_request request = { .run_id = row->run_id, .exporter = FIREDRILL_VERSION };
	struct stat found;
	bool ok = true;

	text_addf(&path, "%s/%s.tar", folder, row->run_id);
	request.path = text_str(&path);
	/* The same run gives the same bytes: what is there already is only made again. */
	if (lstat(request.path, &found) == 0 && !S_ISREG(found.st_mode))
		ok = err_set(e, ERR_INPUT, "%s is no ordinary file", request.path);
	ok = ok && bundle_export(care->owned_store, &request, e);
	text_release(&path);
	return ok;
}

/* Newest first in the store, but told in the order they happened. */
static int export_runs(struct care *care, const struct run_row *rows, size_t count,
		       const char *folder)
{
	size_t skipped_count = 0;
	struct err e = { 0 };

	if (!folder_make(folder, &e))
		return cli_fail(EXIT_NOT_RUN, NULL, &e);
	for (size_t i = count; i > 0; i--) {
		if (export_one(care, &rows[i - 1], folder, &e))
			continue;
		if (e.kind != ERR_REFUSED)
			return cli_fail_evidence(NULL, &e);
		(void)cli_fail(EXIT_INCONCLUSIVE, NULL, &e); /* under way, or without documents */
		err_clear(&e);
		skipped_count++;
	}
	say("%zu run%s in %s", count - skipped_count, count - skipped_count == 1 ? "" : "s", folder);
	return skipped_count == 0 ? EXIT_MET : EXIT_INCONCLUSIVE;
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void say_parts(const char *path, const struct parts_counts *counts)
{
	say("%s  %zu set%s of trials, %zu recording%s, %zu hold%s, %zu pause%s", path, counts->set_count,
	    plural(counts->set_count), counts->recording_count, plural(counts->recording_count),
	    counts->hold_count, plural(counts->hold_count), counts->pause_count,
	    plural(counts->pause_count));
}

static void say_left(const struct parts_counts *counts)
{
	if (counts->approval_count > 0)
		say("stays here: %zu approval%s; ask for new ones where the runs go", counts->approval_count,
		    plural(counts->approval_count));
	if (counts->audit_count > 0)
		say("stays here: %zu row%s of the audit of the page", counts->audit_count,
		    plural(counts->audit_count));
	if (counts->due_count > 0)
		say("stays here: %" PRIu64 " occurrence%s of schedules; a scheduler there begins anew",
		    counts->due_count, plural(counts->due_count));
	if (counts->is_stopped)
		say("stays here: an emergency stop is in force; there `firedrill stop --all` gives one");
}

/* What is of no single run. */
static int export_parts(struct care *care, const char *folder)
{
	struct text json = { 0 };
	struct text path = { 0 };
	struct parts_counts counts;
	struct err e = { 0 };
	int code = EXIT_MET;

	text_addf(&path, "%s/%s", folder, STORE_PARTS_NAME);
	if (!store_parts_export(care->owned_store, FIREDRILL_VERSION, &json, &counts, &e) ||
	    !file_write(text_str(&path), text_str(&json), json.length_bytes, &e)) {
		code = cli_fail_evidence(NULL, &e);
	} else {
		say_parts(text_str(&path), &counts);
		say_left(&counts);
	}
	text_release(&json);
	text_release(&path);
	return code;
}

static int export_all(struct care *care)
{
	struct run_row *rows = NULL;
	const char *folder = care->arguments->words[1];
	size_t count = 0;
	struct err e = { 0 };
	int code;
	int parts_code;

	if (!store_runs(care->owned_store, 0, &care->arena, &rows, &count, &e))
		return cli_fail(EXIT_INTERNAL, NULL, &e);
	code = export_runs(care, rows, count, folder);
	if (code != EXIT_MET && code != EXIT_INCONCLUSIVE)
		return code;
	parts_code = export_parts(care, folder);
	return parts_code == EXIT_MET ? code : parts_code;
}

static int export_some(struct care *care)
{
	const struct arguments *arguments = care->arguments;
	struct run_row *rows = arena_alloc(&care->arena, arguments->word_count * sizeof *rows);
	size_t count = 0;
	struct err e = { 0 };

	if (arguments->word_count == 2)
		return export_all(care);
	for (size_t i = arguments->word_count - 1; i > 1; i--)
		if (!store_run_find(care->owned_store, arguments->words[i], &care->arena,
				    &rows[count++], &e))
			return cli_fail_evidence(NULL, &e);
	return export_runs(care, rows, count, arguments->words[1]);
}

static int backup(struct care *care)
{
	const char *place = care->arguments->words[1];
	struct err e = { 0 };

	if (!store_has_backup(care->owned_store))
		return export_all(care);
	if (!store_backup(care->owned_store, place, &e))
		return cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, NULL, &e);
	say("%s", place);
	return EXIT_MET;
}

/* ---- import ---- */

struct bundles {
	const char **paths;
	size_t count;
};

static void push_bundle(struct care *care, struct bundles *bundles, const char *path)
{
	bundles->paths = arena_more(&care->arena, bundles->paths, bundles->count,
				    sizeof *bundles->paths);
	bundles->paths[bundles->count++] = path;
}

/* An id begins with the time of its run, so in the order of their names they come in the order they
   happened; the list of a store is in the order of coming. */
static int compare_paths(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

static bool list_folder(struct care *care, const char *folder, struct bundles *bundles, struct err *e)
{
	const size_t first = bundles->count;
	DIR *open_folder = opendir(folder);

	if (open_folder == NULL)
		return err_set(e, ERR_INPUT, "import from %s: %s", folder, strerror(errno));
	for (const struct dirent *entry; (entry = readdir(open_folder)) != NULL;) {
		const size_t length = strlen(entry->d_name);

		if (length > 4 && strcmp(entry->d_name + length - 4, ".tar") == 0)
			push_bundle(care, bundles,
				    arena_format(&care->arena, "%s/%s", folder, entry->d_name));
	}
	(void)closedir(open_folder); /* only read */
	if (bundles->count == first)
		return err_set(e, ERR_INPUT, "import from %s: there is no bundle (*.tar) in it", folder);
	qsort(bundles->paths + first, bundles->count - first, sizeof *bundles->paths, compare_paths);
	return true;
}

static bool list_bundles(struct care *care, struct bundles *bundles, struct err *e)
{
	const struct arguments *arguments = care->arguments;

	for (size_t i = 1; i < arguments->word_count; i++) {
		struct stat found;

		if (stat(arguments->words[i], &found) == 0 && S_ISDIR(found.st_mode)) {
			if (!list_folder(care, arguments->words[i], bundles, e))
				return false;
		} else {
			push_bundle(care, bundles, arguments->words[i]);
		}
	}
	return true;
}

/* Of a folder that `store export` has written; a folder without is one of bundles alone. */
static int import_parts(struct care *care, const char *folder)
{
	struct text path = { 0 };
	struct text json = { 0 };
	struct parts_counts counts = { 0 };
	struct err e = { 0 };
	bool is_there = false;
	int code = EXIT_MET;

	text_addf(&path, "%s/%s", folder, STORE_PARTS_NAME);
	if (!file_read(text_str(&path), &is_there, &json, &e) ||
	    (is_there && !store_parts_import(care->owned_store, &json, &counts, &e))) {
		(void)err_wrap(&e, "import %s", text_str(&path));
		code = cli_fail_evidence(NULL, &e);
	} else if (is_there) {
		say_parts(text_str(&path), &counts);
		if (counts.stray_count > 0)
			say("left out: %zu of runs that are not here", counts.stray_count);
	}
	text_release(&path);
	text_release(&json);
	return code;
}

static int import_all_parts(struct care *care)
{
	const struct arguments *arguments = care->arguments;
	int code = EXIT_MET;

	for (size_t i = 1; i < arguments->word_count; i++) {
		struct stat found;
		int parts_code = EXIT_MET;

		if (stat(arguments->words[i], &found) == 0 && S_ISDIR(found.st_mode))
			parts_code = import_parts(care, arguments->words[i]);
		if (parts_code != EXIT_MET)
			code = parts_code;
	}
	return code;
}

static int import_bundles(struct care *care)
{
	struct bundles bundles = { 0 };
	struct err e = { 0 };
	int parts_code;
	int code = EXIT_MET;

	if (!list_bundles(care, &bundles, &e))
		return cli_fail(EXIT_NOT_RUN, NULL, &e);
	for (size_t i = 0; i < bundles.count; i++) {
		struct arena scratch = { 0 };
		struct run_row row = { 0 };
		const enum import_end end =
			store_import(care->owned_store, bundles.paths[i], &scratch, &row, &e);

		if (end == IMPORT_FAILED) {
			code = cli_fail_evidence(NULL, &e);
			err_clear(&e);
		} else {
			/* For the history; when that fails, `kpi` says that they are missing. */
			(void)facts_derive(care->owned_store, row.run_id, NULL);
			say("%s  %s", row.run_id,
			    end == IMPORT_DONE ? "imported" : "was there already");
		}
		arena_release(&scratch);
	}
	parts_code = import_all_parts(care);
	return parts_code == EXIT_MET ? code : parts_code;
}

/* ---- prune ---- */

struct pruned {
	bool is_dry;
	size_t removed_count;
	size_t kept_count;
};

static void tell_pruned(void *ctx, const struct run_row *row, enum prune_end end)
{
	static const char *const why[] = {
		[PRUNE_NOT_ENDED] = "it has not ended",
		[PRUNE_UNHEALED] = "something of it is unhealed",
		[PRUNE_HELD] = "it is held",
	};
	struct pruned *pruned = ctx;

	if (end == PRUNE_REMOVED) {
		pruned->removed_count++;
		say("%s  %s", row->run_id, pruned->is_dry ? "would go" : "removed");
	} else {
		pruned->kept_count++;
		say("%s  stays: %s", row->run_id, why[end]);
	}
}

static bool read_prune(const struct arguments *arguments, struct prune *prune, struct err *e)
{
	const struct clock clock = clock_system();
	const char *older_than = arguments_value(arguments, "older-than");
	const char *keep = arguments_value(arguments, "keep");
	int64_t age_ns = 0;
	int64_t count = 0;

	if (older_than == NULL && keep == NULL)
		return err_set(e, ERR_INPUT, "prune what? write --older-than 180d, --keep 1000 or both");
	if (older_than != NULL && !units_parse_duration(older_than, &age_ns, e))
		return err_wrap(e, "`--older-than %s`", older_than);
	if (keep != NULL && (!units_parse_count(keep, &count, e) || count < 1))
		return err_set(e, ERR_INPUT, "`--keep %s` is no whole number from 1 on", keep);
	prune->before_wall_ns = older_than == NULL ? 0 : clock_wall_ns(&clock) - age_ns;
	prune->keep_count = (size_t)count;
	prune->is_dry = arguments_flag(arguments, "dry-run");
	return true;
}

static int prune_runs(struct care *care)
{
	struct pruned pruned = { 0 };
	struct prune prune = { .tell = tell_pruned, .ctx = &pruned };
	struct err e = { 0 };

	if (!read_prune(care->arguments, &prune, &e))
		return cli_fail(EXIT_NOT_RUN, NULL, &e);
	pruned.is_dry = prune.is_dry;
	if (!store_prune(care->owned_store, &prune, &e))
		return cli_fail(EXIT_INTERNAL, NULL, &e);
	say("%zu run%s %s, %zu of that age stay", pruned.removed_count,
	    pruned.removed_count == 1 ? "" : "s", prune.is_dry ? "would go" : "removed",
	    pruned.kept_count);
	say("%" PRIu64 " occurrence%s of schedules %s", prune.due_count,
	    prune.due_count == 1 ? "" : "s", prune.is_dry ? "would go" : "removed");
	return EXIT_MET;
}

/* ---- the command ---- */

static const struct action {
	const char *name;
	const char *words; /* behind the name */
	size_t word_min;
	size_t word_max;
	bool is_maker; /* makes a store when there is none */
	int (*run)(struct care *care);
} actions[] = {
	{ "migrate", "", 1, 1, true, migrate },
	{ "check", "", 1, 1, false, check },
	{ "backup", " PLACE", 2, 2, false, backup },
	{ "export", " FOLDER [RUN...]", 2, ARGUMENTS_MAX, false, export_some },
	{ "import", " BUNDLE|FOLDER...", 2, ARGUMENTS_MAX, true, import_bundles },
	{ "prune", " --older-than 180d --keep 1000", 1, 1, false, prune_runs },
};

static const struct action *find_action(const struct arguments *arguments)
{
	struct text known = { 0 };

	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
		if (strcmp(actions[i].name, arguments->words[0]) == 0 &&
		    arguments->word_count >= actions[i].word_min &&
		    arguments->word_count <= actions[i].word_max) {
			text_release(&known);
			return &actions[i];
		}
		text_addf(&known, "%sfiredrill store %s%s", i == 0 ? "" : ", ", actions[i].name,
			  actions[i].words);
	}
	(void)cli_fail_text(EXIT_NOT_RUN, "`store %s` with these words is none of: %s",
			    arguments->words[0], text_str(&known));
	text_release(&known);
	return NULL;
}

static int run_store(const struct arguments *arguments)
{
	const struct action *action = find_action(arguments);
	struct care care = { .arguments = arguments };
	struct err e = { 0 };
	int code;

	if (action == NULL)
		return EXIT_NOT_RUN;
	if (action->is_maker ? cli_open_store(arguments, NULL, &care.owned_store, &e) :
			       cli_need_store(arguments, &care.owned_store, &e))
		code = action->run(&care);
	else
		code = cli_fail_evidence(NULL, &e);
	store_close(care.owned_store);
	arena_release(&care.arena);
	return code;
}

const struct verb verb_store = {
	.name = "store",
	.arguments = "migrate|check|backup|export|import|prune ...",
	.word_min = 1,
	.word_max = ARGUMENTS_MAX,
	.summary = "look after the store: bring it up to date, check, copy and prune it, move runs between stores",
	.example = "firedrill store backup friday.db",
	.options = store_options,
	.run = run_store,
};
