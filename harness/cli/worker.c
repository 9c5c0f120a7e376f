/*
 * worker.c - command "worker": takes due runs from the store, each run by `firedrill run` in a process of its
 * own. What it does when is harness/worker's; here is how a run is started and how one is healed.
 *
 * The documents come from the store. Where the same ones stand at the same place on this machine they are run
 * there, with what they name beside them; else copies are, in a private folder until the run is over.
 */
#include "worker/worker.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "base/units.h"
#include "cli/cli.h"

static const int64_t lease_default_ns = 60 * NS_PER_S;
static const int64_t lease_least_ns = 5 * NS_PER_S;

static const struct option_row worker_options[] = {
	{ "labels", "NAME=VALUE,...", "take what asks for these, too, such as site=eu-west" },
	{ "jobs", "NUMBER", "at most so many runs at one time; default 1" },
	{ "once", NULL, "end when nothing that is due is left" },
	{ "own-documents", NULL, "run only what stands on this machine, unchanged, where the schedule says" },
	{ "lease", "DURATION", "without a sign of life for so long it is held for dead; default 60s" },
	STORE_OPTION,
	{ NULL, NULL, NULL },
};

struct working {
	const struct arguments *arguments;
	struct arena arena;
	struct store *owned_store;
	struct text folder; /* for copies of documents */
};

/* ---- options ---- */

static bool read_labels(struct working *working, struct due_worker *self, struct err *e)
{
	const char *given = arguments_value(working->arguments, "labels");
	const char **labels = arena_alloc(&working->arena, LABELS_MAX * sizeof *labels);

	while (given != NULL && *given != '\0') {
		const size_t length = strcspn(given, ",");
		const char *label = arena_copy_bytes(&working->arena, given, length);

		if (!label_is_valid(label))
			return err_set(e, ERR_INPUT, "`--labels`: `%.80s` is no label; write one like "
				       "site=eu-west (lower case letters, digits, `-`, `.`)", label);
		if (self->label_count == LABELS_MAX)
			return err_set(e, ERR_INPUT, "`--labels` has more than %d", LABELS_MAX);
		labels[self->label_count++] = label;
		given += length + (given[length] == ',' ? 1 : 0);
	}
	self->labels = labels;
	return true;
}

static bool read_options(struct working *working, struct worker_request *request, struct err *e)
{
	const char *jobs = arguments_value(working->arguments, "jobs");
	const char *lease = arguments_value(working->arguments, "lease");
	int64_t job_count = 1;

	request->is_once = arguments_flag(working->arguments, "once");
	request->self.lease_ns = lease_default_ns;
	if (jobs != NULL && (!units_parse_count(jobs, &job_count, e) || job_count < 1 ||
			     job_count > WORKER_JOBS_MAX))
		return err_set(e, ERR_INPUT, "`--jobs %s` is no number from 1 to %d", jobs,
			       WORKER_JOBS_MAX);
	request->job_count = (size_t)job_count;
	if (lease != NULL && !units_parse_duration(lease, &request->self.lease_ns, e))
		return err_wrap(e, "`--lease %s`", lease);
	if (request->self.lease_ns < lease_least_ns)
		return err_set(e, ERR_INPUT, "`--lease %s` is too short: a store may be busy for some "
			       "seconds; give 5s or more", lease);
	return read_labels(working, &request->self, e);
}

/* No other worker has it: "db-3.4711-9022", of the host, the process and when it started. */
static bool make_name(struct working *working, struct due_worker *self, struct err *e)
{
	struct process_id process;
	char host[256] = "";

	if (!process_self(&process, e))
		return false;
	(void)gethostname(host, sizeof host - 1); /* without one the boot still tells machines apart */
	self->name = arena_format(&working->arena, "%s.%" PRId64 "-%" PRId64 "-%.8s", host, process.pid,
				  process.pid_start, process.boot_id);
	return true;
}

/* ---- documents ---- */

static const char *copy_folder(const struct working *working, struct arena *arena,
			       const struct due_row *due)
{
	return arena_format(arena, "%s/%s", text_str(&working->folder), due->run_id);
}

static bool stands_there(const char *path, const char *text)
{
	struct text bytes = { 0 };
	bool is_there = false;
	const bool is_same = path != NULL && file_read(path, &is_there, &bytes, NULL) && is_there &&
			     bytes.length_bytes == strlen(text) &&
			     memcmp(text_str(&bytes), text, bytes.length_bytes) == 0;

	text_release(&bytes);
	return is_same;
}

/* Where this document can be read: the path it came from, or a copy of ours. */
static bool place_document(const struct working *working, struct arena *arena,
			   const struct due_row *due, const char *path, const char *text,
			   const char *name, const char **ret_path, struct err *e)
{
	const char *folder = copy_folder(working, arena, due);
	const char *copy = arena_format(arena, "%s/%s", folder, name);

	if (stands_there(path, text)) {
		*ret_path = path;
		return true;
	}
	if (arguments_flag(working->arguments, "own-documents"))
		return err_set(e, ERR_REFUSED, "%s is not on this machine as the schedule had it, and "
			       "this worker runs its own documents only (--own-documents)", path);
	if (!folder_make(folder, e) ||
	    !file_write(copy, text, strlen(text), e))
		return err_wrap(e, "keep a copy of %s for the run", path);
	*ret_path = copy;
	return true;
}

static void clear(void *ctx, const struct due_row *due)
{
	static const char *const names[] = { "experiment.yaml", "inventory.yaml" };
	const struct working *working = ctx;
	struct arena scratch = { 0 };
	const char *folder = copy_folder(working, &scratch, due);

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		(void)unlink(arena_format(&scratch, "%s/%s", folder, names[i])); /* most have none */
	(void)rmdir(folder);
	(void)rmdir(text_str(&working->folder)); /* kept while another has copies in it */
	arena_release(&scratch);
}

/* ---- processes ---- */

enum { WORDS_MAX = 16 + 2 * ARGUMENTS_MAX };

struct words {
	const char *items[WORDS_MAX];
	size_t count;
};

static void add_word(struct words *words, const char *word)
{
	if (words->count < WORDS_MAX)
		words->items[words->count++] = word;
}

/* The one that was given: what is in the environment is handed on by itself. */
static void add_store(const struct working *working, struct arena *arena, struct words *words)
{
	const char *place = arguments_value(working->arguments, "store");

	if (place != NULL)
		add_word(words, arena_format(arena, "--store=%s", place));
}

static void add_what(const struct due_row *due, struct arena *arena, struct words *words)
{
	if (due->watch_of == NULL) {
		add_word(words, "run");
		add_word(words, "--yes");
		add_word(words, arena_format(arena, "--by=schedule %s", due->schedule));
		return;
	}
	add_word(words, "watch");
	add_word(words, arena_format(arena, "--of=%s", due->watch_of));
	add_word(words, arena_format(arena, "--vantage=%s", due->vantage));
}

/* Nobody is there to type: a policy that wants its environment's name typed refuses the run. */
static bool start(void *ctx, const struct due_row *due, struct child *ret_child, struct err *e)
{
	const struct working *working = ctx;
	struct words words = { .count = 0 };
	struct arena scratch = { 0 };
	const char *experiment = NULL;
	const char *inventory = NULL;
	bool ok = place_document(working, &scratch, due, due->experiment_path, due->experiment_text,
				 "experiment.yaml", &experiment, e) &&
		  (due->inventory_text == NULL ||
		   place_document(working, &scratch, due, due->inventory_path, due->inventory_text,
				  "inventory.yaml", &inventory, e));

	if (ok) {
		add_what(due, &scratch, &words);
		add_word(&words, arena_format(&scratch, "--id=%s", due->run_id));
		add_store(working, &scratch, &words);
		if (inventory != NULL)
			add_word(&words, arena_format(&scratch, "--inventory=%s", inventory));
		for (size_t i = 0; i < due->var_count; i++)
			add_word(&words, arena_format(&scratch, "--var=%s=%s", due->vars[i].name,
						      due->vars[i].value));
		add_word(&words, "--");
		add_word(&words, experiment);
		ok = child_start(words.items, words.count, ret_child, e);
	}
	arena_release(&scratch);
	return ok;
}

static bool heal(void *ctx, const char *run_id, struct child *ret_child, struct err *e)
{
	const struct working *working = ctx;
	struct words words = { .count = 0 };
	struct arena scratch = { 0 };
	bool ok;

	add_word(&words, "heal");
	add_store(working, &scratch, &words);
	if (run_id != NULL)
		add_word(&words, run_id);
	ok = child_start(words.items, words.count, ret_child, e);
	arena_release(&scratch);
	return ok;
}

/* ---- the command ---- */

static int work(struct working *working, struct worker_request *request)
{
	struct text line = { 0 };
	bool is_leftover = false;
	struct err e = { 0 };

	text_addf(&line, "worker %s takes due runs", request->self.name);
	for (size_t i = 0; i < request->self.label_count; i++)
		text_addf(&line, "%s%s", i == 0 ? ", also for " : ", ", request->self.labels[i]);
	cli_say(NULL, text_str(&line));
	text_release(&line);
	request->store = working->owned_store;
	if (!worker_run(request, &is_leftover, &e))
		return cli_fail(EXIT_INTERNAL, NULL, &e);
	return is_leftover ? cli_fail_text(EXIT_LEFTOVER,
					   "an earlier run left something unhealed; nothing is taken. "
					   "`firedrill heal` tries again") :
			     EXIT_MET;
}

static int run_worker(const struct arguments *arguments)
{
	struct working working = { .arguments = arguments };
	struct worker_request request = {
		.hands = { .start = start, .heal = heal, .clear = clear, .say = cli_say, .ctx = &working },
	};
	struct text place = { 0 };
	struct err e = { 0 };
	int code;

	cli_store_path(arguments, &place);
	store_beside(text_str(&place), &working.folder);
	text_add(&working.folder, ".due");
	text_release(&place);
	if (!read_options(&working, &request, &e) || !make_name(&working, &request.self, &e) ||
	    !cli_open_store(arguments, NULL, &working.owned_store, &e))
		code = cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, NULL, &e);
	else
		code = work(&working, &request);
	store_close(working.owned_store);
	text_release(&working.folder);
	arena_release(&working.arena);
	return code;
}

const struct verb verb_worker = {
	.name = "worker",
	.arguments = "",
	.word_min = 0,
	.word_max = 0,
	.summary = "take due runs from the store and run each once; several machines may share a store",
	.example = "firedrill worker --labels site=eu-west",
	.options = worker_options,
	.run = run_worker,
};
