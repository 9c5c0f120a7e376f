/*
 * serve_daemon.c - see serve_daemon.h. Which processes there are and with what words; when they are started and
 * ended is the keeper's.
 */
#include "cli/serve_daemon.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "cli/channels.h"
#include "worker/worker.h"

static const int64_t deliver_every_ns = 15 * NS_PER_S;

enum { WORDS_MAX = 2 * ARGUMENTS_MAX + 8 };

struct words {
	const char *items[WORDS_MAX];
	size_t count;
};

struct serve_daemon {
	const struct arguments *arguments;
	struct arena arena;
	struct arena documents; /* of the schedules */
	struct schedule_list schedules;
	bool is_read;           /* once, at the beginning; a reload reads again */
	int64_t job_count;
	struct text store;
	struct text outbox;
	bool was_there;         /* the store was, once: one that is put aside is waited for */
	struct words scheduler;
	struct words worker;
	struct words delivery;
	struct clock clock;
	struct keeper *owned_keeper;
};

/* ---- the files ---- */

static bool read_files(struct serve_daemon *daemon)
{
	struct schedule_list schedules = { 0 };
	struct arena arena = { 0 };

	if (!cli_load_schedules(daemon->arguments, daemon->arguments->words,
				daemon->arguments->word_count, &arena, &schedules)) {
		arena_release(&arena);
		return false;
	}
	arena_release(&daemon->documents);
	daemon->documents = arena;
	daemon->schedules = schedules;
	return true;
}

/* The scheduler reads them for itself and says so; this is for the pages. */
const struct schedule_list *serve_daemon_schedules(struct serve_daemon *daemon)
{
	if (!daemon->is_read && !read_files(daemon))
		(void)cli_fail_text(0, "the page goes on with the schedules from before");
	daemon->is_read = false;
	return &daemon->schedules;
}

/* ---- the processes ---- */

static void add(struct words *words, const char *word)
{
	if (words->count < WORDS_MAX)
		words->items[words->count++] = word;
}

/* Options of ours that are that command's as well. */
static void add_options(struct serve_daemon *daemon, struct words *words, const char *const *names)
{
	const struct arguments *arguments = daemon->arguments;

	for (size_t i = 0; i < arguments->option_count; i++)
		for (size_t j = 0; names[j] != NULL; j++) {
			const char *name = arguments->options[i].row->name;
			const char *value = arguments->options[i].value;

			if (strcmp(name, names[j]) != 0)
				continue;
			add(words, value == NULL ? arena_format(&daemon->arena, "--%s", name) :
						   arena_format(&daemon->arena, "--%s=%s", name, value));
		}
}

static void fill_words(struct serve_daemon *daemon)
{
	const struct arguments *arguments = daemon->arguments;

	add(&daemon->scheduler, "schedule");
	add(&daemon->scheduler, "run");
	add_options(daemon, &daemon->scheduler, (const char *[]){ "store", "inventory", "var", NULL });
	add(&daemon->scheduler, "--");
	for (size_t i = 0; i < arguments->word_count; i++)
		add(&daemon->scheduler, arguments->words[i]);
	add(&daemon->worker, "worker");
	add_options(daemon, &daemon->worker,
		    (const char *[]){ "store", "jobs", "labels", "own-documents", NULL });
	add(&daemon->delivery, "notifications");
	add(&daemon->delivery, "deliver");
	add_options(daemon, &daemon->delivery, (const char *[]){ "store", NULL });
}

/* Whoever opens a store that is not there makes one: right at the beginning, and wrong while it is put aside. */
static bool has_store(void *ctx)
{
	struct serve_daemon *daemon = ctx;
	const bool is_there = store_is_there(text_str(&daemon->store));

	daemon->was_there = daemon->was_there || is_there;
	return is_there || !daemon->was_there;
}

/* No message is read here: that may take longer than a look. */
static bool has_messages(void *ctx)
{
	struct serve_daemon *daemon = ctx;
	DIR *folder = opendir(text_str(&daemon->outbox));
	const struct dirent *entry;
	bool has_one = false;

	while (folder != NULL && !has_one && (entry = readdir(folder)) != NULL) {
		const size_t length = strlen(entry->d_name);

		has_one = length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
	}
	if (folder != NULL)
		(void)closedir(folder); /* it was read only */
	return has_one;
}

static void open_keeper(struct serve_daemon *daemon)
{
	struct kept kept[KEEPER_MAX] = {
		{ .name = "the scheduler", .words = daemon->scheduler.items,
		  .word_count = daemon->scheduler.count, .reload_signal = SIGHUP,
		  .is_wanted = has_store, .ctx = daemon },
		{ .name = "delivery of notifications", .words = daemon->delivery.items,
		  .word_count = daemon->delivery.count, .every_ns = deliver_every_ns,
		  .is_wanted = has_messages, .ctx = daemon },
		{ .name = "the worker", .words = daemon->worker.items,
		  .word_count = daemon->worker.count, .is_wanted = has_store, .ctx = daemon },
	};
	const struct keeper_request request = {
		.kept = kept,
		.kept_count = daemon->job_count > 0 ? 3 : 2,
		.clock = &daemon->clock,
		.say = cli_say,
	};

	daemon->owned_keeper = keeper_open(&request);
}

/* ---- open and close ---- */

static bool read_jobs(struct serve_daemon *daemon, struct err *e)
{
	const char *jobs = arguments_value(daemon->arguments, "jobs");

	daemon->job_count = 1;
	if (jobs != NULL && (!units_parse_count(jobs, &daemon->job_count, e) ||
			     daemon->job_count > WORKER_JOBS_MAX))
		return err_set(e, ERR_INPUT, "`--jobs %s` is no number from 0 to %d", jobs,
			       WORKER_JOBS_MAX);
	return true;
}

bool serve_daemon_open(const struct arguments *arguments, struct serve_daemon **ret_daemon,
		       struct err *e)
{
	struct serve_daemon *daemon;

	*ret_daemon = NULL;
	if (arguments->word_count == 0)
		return true;
	daemon = mem_alloc(sizeof *daemon);
	daemon->arguments = arguments;
	daemon->clock = clock_system();
	if (!read_jobs(daemon, e) || !read_files(daemon)) {
		serve_daemon_close(daemon);
		return false;
	}
	daemon->is_read = true;
	cli_store_path(arguments, &daemon->store);
	cli_outbox_path(arguments, &daemon->outbox);
	fill_words(daemon);
	open_keeper(daemon);
	*ret_daemon = daemon;
	return true;
}

void serve_daemon_close(struct serve_daemon *daemon)
{
	if (daemon == NULL)
		return;
	keeper_close(daemon->owned_keeper);
	text_release(&daemon->store);
	text_release(&daemon->outbox);
	arena_release(&daemon->documents);
	arena_release(&daemon->arena);
	free(daemon);
}

struct serve_job serve_daemon_job(struct serve_daemon *daemon)
{
	return keeper_job(daemon->owned_keeper);
}
