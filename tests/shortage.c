/*
 * shortage.c - no memory, no disk, or SIGKILL, at every single call: loading, planning, judging and telling, the
 * store, a bundle, the samples. Each ends well, or with a sentence, or, without memory, with the one sentence
 * of mem.c and an abort. A file is whole or not there; a store can be read; what was acknowledged is in it.
 *
 * usage: shortage [EVERY]: tries each call up to EVERY of a kind (default 150), and as many more spread over
 * the rest. One line for each scenario and shortage, and a closing count.
 */
#include "base/hash.h"
#include "base/units.h"
#include "cli/output.h"
#include "engine/engine.h"
#include "engine/sampler.h"
#include "fixtures/fuzzed_store.h"
#include "fixtures/probe_try.h"
#include "fixtures/stories.h"
#include "fixtures/temp_dir.h"
#include "load/load.h"
#include "store/bundle.h"
#include "tests/shortage_calls.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* One try, in a child; what it tells its parent. */
struct try {
	enum shortage kind;
	uint64_t nth;
	const char *folder;
	/* From the child: */
	bool is_finished;
	bool is_ok;
	uint64_t call_count;
	size_t given_count; /* orders that were acknowledged, of give_orders */
	struct err e;
};

struct scenario {
	const char *name;
	bool (*run)(struct try *try);
	bool (*is_sound)(const struct try *try); /* besides whole files; NULL: nothing more */
};

static void begin(struct try *try)
{
	shortage_begin(try->kind, try->nth);
}

static bool end(struct try *try, bool is_ok)
{
	try->call_count = shortage_end();
	return is_ok;
}

/* ---- the scenarios ---- */

static bool load(struct arena *arena, const struct experiment **ret_experiment, struct err *e)
{
	struct problems *problems = arena_alloc(arena, sizeof *problems);
	struct secrets secrets = { 0 };
	const bool is_ok = load_experiment(
		&(struct load_request){ .experiment_path = "experiments/db-failover.yaml",
					.inventory_path = "experiments/inventory.yaml" },
		arena, &secrets, ret_experiment, problems);

	if (!is_ok)
		err_set(e, ERR_INPUT, "%s", problems->items[0].text);
	secrets_release(&secrets);
	return is_ok;
}

static bool load_and_plan(struct try *try)
{
	struct arena arena = { 0 };
	const struct experiment *experiment = NULL;
	struct plan plan;
	bool is_ok;

	begin(try);
	is_ok = load(&arena, &experiment, &try->e) &&
		plan_build(experiment, "20261121-102030-k3f9", 7, &arena, &plan, &try->e);
	arena_release(&arena);
	return end(try, is_ok);
}

static bool write_reports(struct try *try)
{
	struct arena arena = { 0 };
	const struct story *story = story_missed(&arena);
	bool is_ok;

	begin(try);
	is_ok = output_write_all(story, try->folder, &try->e);
	(void)end(try, is_ok);
	arena_release(&arena);
	return is_ok;
}

static bool judge_again(struct try *try)
{
	struct arena arena = { 0 };
	struct secrets secrets = { 0 };
	struct store *bundle = NULL;
	struct run_row row = { 0 };
	struct story story = { 0 };
	bool is_ok;

	begin(try);
	is_ok = bundle_store_open("fixtures/fuzz/bundle/whole.tar", &bundle, &try->e) &&
		store_run_find(bundle, "last", &arena, &row, &try->e) &&
		story_build(bundle, row.run_id, &arena, &secrets, &story, &try->e);
	store_close(bundle);
	secrets_release(&secrets);
	arena_release(&arena);
	return end(try, is_ok);
}

static bool export_bundle(struct try *try)
{
	struct store *store = fuzzed_store();
	const struct bundle_extra report = { "report.txt", "MISSED\n", 7 };
	struct text path = { 0 };
	struct bundle_request request = {
		.run_id = fuzzed_store_run_id, .exporter = "1", .reports = &report, .report_count = 1
	};
	bool is_ok;

	text_addf(&path, "%s/run.tar", try->folder);
	request.path = text_str(&path);
	begin(try);
	is_ok = bundle_export(store, &request, &try->e);
	(void)end(try, is_ok);
	text_release(&path);
	return is_ok;
}

static void store_path(const char *folder, struct text *ret_path)
{
	text_addf(ret_path, "%s/firedrill.db", folder);
}

static bool keep_a_run(struct try *try)
{
	const struct run_row row = { .run_id = "run-1", .title = "a drill", .boot_id = "an earlier boot" };
	struct event event = { .kind = EVENT_NOTE, .text = "noted" };
	struct store *store = NULL;
	struct text path = { 0 };
	bool is_ok;

	store_path(try->folder, &path);
	begin(try);
	is_ok = store_open(text_str(&path), NULL, &store, &try->e) &&
		store_run_begin(store, &row, &try->e) && store_append(store, "run-1", &event, &try->e);
	store_close(store);
	(void)end(try, is_ok);
	text_release(&path);
	return is_ok;
}

/* What is in it is a run up to some point, and every seal fits. */
static bool is_store_sound(const struct try *try)
{
	struct store *store = NULL;
	struct arena arena = { 0 };
	struct run_row *rows = NULL;
	struct timeline timeline;
	struct text path = { 0 };
	size_t count = 0;
	struct err e = { 0 };
	bool is_ok;

	store_path(try->folder, &path);
	is_ok = store_open(text_str(&path), NULL, &store, &e) &&
		store_runs(store, 0, &arena, &rows, &count, &e) &&
		(count == 0 || store_timeline(store, "run-1", &arena, &timeline, &e));
	if (!is_ok)
		(void)printf("    %s\n", e.text);
	store_close(store);
	arena_release(&arena);
	text_release(&path);
	return is_ok;
}

/* What people say to a store, one after the other: each gives one order, and counts when it is acknowledged. */
static bool give_orders(struct try *try)
{
	const struct run_row run = { .run_id = "run-1", .title = "a drill", .boot_id = "an earlier boot" };
	const struct approval_row approval = { .digest = "plan", .person = "anna", .account = "anna@here" };
	const struct stop_row of_run = { .subject = "run-1", .person = "anna", .reason = "late" };
	const struct stop_row of_all = { .person = "anna", .reason = "INC-7" };
	const struct set_row set = { .set_id = "set-1", .title = "trials", .planned_count = 2 };
	const struct set_row set_end = { .set_id = "set-1", .sentence = "Stopped." };
	struct store *store = NULL;
	struct text path = { 0 };
	size_t lifted_count = 0;
	bool is_ok;

	store_path(try->folder, &path);
	begin(try);
	is_ok = store_open(text_str(&path), NULL, &store, &try->e) &&
		store_run_begin(store, &run, &try->e) && ++try->given_count &&
		store_run_beat(store, "run-1", 1, 7, &try->e) && ++try->given_count &&
		store_approve(store, &approval, &try->e) && ++try->given_count &&
		store_stop(store, &of_run, &try->e) && ++try->given_count &&
		store_stop(store, &of_all, &try->e) && ++try->given_count &&
		store_set_begin(store, &set, &try->e) && ++try->given_count &&
		store_resume(store, &of_all, &lifted_count, &try->e) && ++try->given_count &&
		store_set_end(store, &set_end, &try->e) && ++try->given_count;
	store_close(store);
	(void)end(try, is_ok);
	text_release(&path);
	return is_ok;
}

/* How many of the orders are in force; false: the store cannot be read, or one is there without those
   before it. */
static bool count_orders(struct store *store, size_t *ret_count, struct err *e)
{
	struct arena arena = { 0 };
	struct run_row *runs = NULL;
	struct run_row run = { 0 };
	struct approval_row *approvals = NULL;
	struct set_row *sets = NULL;
	struct stop_row stop;
	size_t run_count = 0;
	size_t approval_count = 0;
	size_t set_count = 0;
	bool is_run_stopped = false;
	bool is_all_stopped = false;
	const bool is_read =
		store_runs(store, 0, &arena, &runs, &run_count, e) &&
		(run_count == 0 || store_run_find(store, "run-1", &arena, &run, e)) &&
		store_approvals(store, "plan", &arena, &approvals, &approval_count, e) &&
		store_stop_find(store, "run-1", NULL, &arena, &is_run_stopped, &stop, e) &&
		store_stop_find(store, NULL, NULL, &arena, &is_all_stopped, &stop, e) &&
		store_sets(store, 0, &arena, &sets, &set_count, e) &&
		(set_count == 0 || store_set_find(store, "set-1", &arena, &sets[0], e));
	const bool is_set = is_read && set_count == 1;
	const bool is_there[] = { run_count == 1,
				  run.alive_until_wall_ns == 7,
				  approval_count == 1,
				  is_run_stopped,
				  is_all_stopped || is_set,
				  is_set,
				  is_set && !is_all_stopped,
				  is_set && sets[0].is_ended };
	const size_t all = sizeof is_there / sizeof is_there[0];
	size_t count = 0;
	bool is_prefix = true;

	while (count < all && is_there[count])
		count++;
	for (size_t i = count; i < all; i++)
		is_prefix = is_prefix && !is_there[i];
	arena_release(&arena);
	*ret_count = count;
	return is_read && (is_prefix || err_set(e, ERR_STORE, "order %zu is missing", count + 1));
}

/* All that was acknowledged, and at most the one that was under way. */
static bool are_orders_sound(const struct try *try)
{
	struct store *store = NULL;
	struct text path = { 0 };
	size_t count = 0;
	struct err e = { 0 };
	bool is_ok;

	store_path(try->folder, &path);
	is_ok = store_open(text_str(&path), NULL, &store, &e) && count_orders(store, &count, &e) &&
		(count == try->given_count || count == try->given_count + 1 ||
		 err_set(&e, ERR_STORE, "%zu orders were acknowledged, %zu are there", try->given_count,
			 count));
	if (!is_ok)
		(void)printf("    %s\n", e.text);
	store_close(store);
	text_release(&path);
	return is_ok;
}

static bool reserve_samples(struct try *try)
{
	static const char *const params[] = { "url", "http://127.0.0.1:9/", NULL };
	static const struct inventory inventory = { 0 };
	struct sampler *sampler = NULL;
	struct probe_try probe;
	bool is_ok;

	probe_try_init(&probe, "http.get", params);
	probe.spec.inventory = &inventory;
	begin(try);
	is_ok = sampler_open(&(struct sampler_request){ .spec = &probe.spec,
							.run_id = "run-1",
							.clock = &probe.clock,
							.sample_dir = try->folder,
							.at_most_ns = 10 * NS_PER_S },
			     &sampler, &try->e);
	sampler_close(sampler);
	(void)end(try, is_ok);
	probe_try_release(&probe);
	return is_ok;
}

static const struct scenario scenarios[] = {
	{ "load and plan", load_and_plan, NULL },
	{ "write reports", write_reports, NULL },
	{ "judge a bundle", judge_again, NULL },
	{ "export a bundle", export_bundle, NULL },
	{ "keep a run", keep_a_run, is_store_sound },
	{ "give orders", give_orders, are_orders_sound },
	{ "reserve samples", reserve_samples, NULL },
};

/* ---- one try ---- */

static void run_child(const struct scenario *scenario, struct try *try)
{
	struct text path = { 0 };

	/* libcrypto 3.0 does not survive it while it starts. A run starts it with the journal's first seal,
	   before anything can have been harmed. */
	hash_close(hash_open(), NULL);
	text_addf(&path, "%s/stderr", try->folder);
	if (freopen(text_str(&path), "w", stderr) == NULL)
		_exit(3);
	(void)setvbuf(stderr, NULL, _IONBF, 0);
	try->is_ok = scenario->run(try);
	try->is_finished = true;
	exit(0);
}

static bool read_file(const char *folder, const char *name, struct text *ret_bytes)
{
	struct text path = { 0 };
	bool is_there = false;
	struct err e = { 0 };

	text_addf(&path, "%s/%s", folder, name);

	const bool ok = file_read(text_str(&path), &is_there, ret_bytes, &e);

	text_release(&path);
	return ok && is_there;
}

static bool is_same_file(const char *name, const char *folder, const char *whole_folder)
{
	struct text mine = { 0 };
	struct text whole = { 0 };
	const bool ok = read_file(folder, name, &mine) && read_file(whole_folder, name, &whole) &&
			mine.length_bytes == whole.length_bytes &&
			memcmp(text_str(&mine), text_str(&whole), whole.length_bytes) == 0;

	text_release(&mine);
	text_release(&whole);
	return ok;
}

/* Every file is as in the folder where nothing came up short. Only a death may leave half of one, under
   another name. */
static bool are_files_whole(const char *folder, const char *whole_folder, bool has_died)
{
	DIR *listed = opendir(folder);
	const struct dirent *entry;
	bool ok = true;

	assert(listed != NULL);
	while ((entry = readdir(listed)) != NULL) {
		const char *name = entry->d_name;
		const char *end = strrchr(name, '.');

		if (name[0] == '.' || strcmp(name, "stderr") == 0 || strstr(name, ".db") != NULL)
			continue;
		if (end != NULL && (strcmp(end, ".part") == 0 || strcmp(end, ".samples") == 0) && has_died)
			continue;
		if (is_same_file(name, folder, whole_folder))
			continue;
		(void)printf("    %s is neither whole nor absent\n", name);
		ok = false;
	}
	(void)closedir(listed);
	return ok;
}

static bool says_no_memory(const char *folder)
{
	struct text said = { 0 };
	const bool ok = read_file(folder, "stderr", &said) &&
			strstr(text_str(&said), "bytes of memory left; run `firedrill heal`") != NULL;

	if (!ok)
		(void)printf("    it said: %s\n", text_str(&said));
	text_release(&said);
	return ok;
}

/* How it ended is one of the ways that are promised. */
static bool is_promised(const struct scenario *scenario, const struct try *try, int status,
			const char *whole_folder)
{
	const bool has_died = WIFSIGNALED(status);
	const bool was_killed = has_died && WTERMSIG(status) == SIGKILL && try->kind == SHORTAGE_DEATH;

	if (has_died && !was_killed &&
	    (WTERMSIG(status) != SIGABRT || try->kind != SHORTAGE_MEMORY ||
	     !says_no_memory(try->folder))) {
		(void)printf("    it died of signal %d\n", WTERMSIG(status));
		return false;
	}
	if (!has_died && !try->is_finished) {
		(void)printf("    it ended with status %d by itself\n", WEXITSTATUS(status));
		return false;
	}
	if (!has_died && !try->is_ok) {
		const bool is_named = try->kind == SHORTAGE_MEMORY ||
				      strstr(try->e.text, try->folder) != NULL;

		if (try->e.text[0] == '\0' || !is_named) {
			(void)printf("    the sentence names no file: %s\n", try->e.text);
			return false;
		}
	}
	if (!has_died && try->kind == SHORTAGE_SHORT_WRITE && !try->is_ok) {
		(void)printf("    a short write is no failure: %s\n", try->e.text);
		return false;
	}
	return are_files_whole(try->folder, whole_folder, has_died) &&
	       (scenario->is_sound == NULL || scenario->is_sound(try));
}

/* In a child, in this folder. *ret_count: calls of the kind that there were. */
static bool try_in(const char *folder, const struct scenario *scenario, enum shortage kind, uint64_t nth,
		   const char *whole_folder, uint64_t *ret_count)
{
	struct try *try = mmap(NULL, sizeof *try, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			       -1, 0);
	int status = 0;
	pid_t pid;
	bool ok;

	assert(try != MAP_FAILED);
	*try = (struct try){ .kind = kind, .nth = nth, .folder = folder };
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0)
		run_child(scenario, try);
	pid = waitpid(pid, &status, 0);
	assert(pid > 0);
	*ret_count = try->call_count;
	ok = is_promised(scenario, try, status, whole_folder) && (nth != 0 || try->is_ok);
	(void)munmap(try, sizeof *try);
	return ok;
}

static bool try_at(const struct scenario *scenario, enum shortage kind, uint64_t nth,
		   const char *whole_folder)
{
	char *folder = temp_dir_make();
	uint64_t count = 0;
	const bool ok = try_in(folder, scenario, kind, nth, whole_folder, &count);

	if (!ok)
		(void)printf("    at call %" PRIu64 "\n", nth);
	temp_dir_remove(folder);
	return ok;
}

/* Every call up to `every`, and as many of the others, evenly. */
static bool try_all(const struct scenario *scenario, enum shortage kind, const char *name, uint64_t every)
{
	char *whole_folder = temp_dir_make();
	uint64_t call_count = 0;
	uint64_t tried_count = 0;
	uint64_t broken_count = 0;
	bool ok = try_in(whole_folder, scenario, kind, 0, whole_folder, &call_count);
	const uint64_t stride = call_count > 2 * every ? (call_count - every) / every : 1;

	for (uint64_t nth = 1; ok && nth <= call_count; nth += nth < every ? 1 : stride) {
		tried_count++;
		broken_count += try_at(scenario, kind, nth, whole_folder) ? 0 : 1;
	}
	ok = ok && broken_count == 0;
	(void)printf("%s - %s: %s at %" PRIu64 " of %" PRIu64 " calls\n", ok ? "ok" : "not ok",
		     scenario->name, name, tried_count, call_count);
	temp_dir_remove(whole_folder);
	return ok;
}

int main(int argc, char **argv)
{
	static const char *const names[] = {
		[SHORTAGE_NONE] = NULL,
#define X(id, name) [SHORTAGE_##id] = name,
		SHORTAGE_ROWS(X)
#undef X
	};
	int64_t every = 150;
	unsigned passed = 0;
	unsigned failed = 0;
	char *all;

	if (argc > 1 && (!units_parse_count(argv[1], &every, NULL) || every < 1)) {
		(void)fprintf(stderr, "usage: shortage [EVERY]\n");
		return 2;
	}
	/* A child that ends where it stands leaves its own folders: all of them are in this one. */
	all = temp_dir_make();
	if (setenv("TMPDIR", all, 1) != 0) {
		perror("set TMPDIR");
		return 2;
	}
	for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
		for (size_t kind = 1; kind < sizeof names / sizeof names[0]; kind++) {
			if (try_all(&scenarios[i], (enum shortage)kind, names[kind], (uint64_t)every))
				passed++;
			else
				failed++;
		}
	temp_dir_remove(all);
	(void)printf("shortage: %u passed, %u failed\n", passed, failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
