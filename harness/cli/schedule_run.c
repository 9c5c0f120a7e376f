/*
 * schedule_run.c - `firedrill schedule run`: the scheduler of harness/worker over the files that were given. It
 * runs nothing itself: workers do.
 */
#include "cli/schedule_run.h"

#include <signal.h>

#include "cli/schedule_alert.h"

struct scheduling {
	const struct arguments *arguments;
	struct store *owned_store;
	struct arena documents; /* the schedules as they were read last */
	struct schedule_list schedules;
};

static void alert(void *ctx, const struct scheduler_alert *alerts, size_t count)
{
	const struct scheduling *scheduling = ctx;

	schedule_alert(scheduling->arguments, alerts, count);
}

/* The scheduler_hands.read. */
static bool read_files(void *ctx, const struct schedule_list **ret_schedules)
{
	static const char *const fallback[] = { "plan.yaml" };
	struct scheduling *scheduling = ctx;
	const struct arguments *arguments = scheduling->arguments;
	const bool has_files = arguments->word_count > 1;
	struct schedule_list schedules = { 0 };
	struct arena arena = { 0 };
	struct text line = { 0 };

	if (!cli_load_schedules(arguments, has_files ? arguments->words + 1 : fallback,
				has_files ? arguments->word_count - 1 : 1, &arena, &schedules)) {
		arena_release(&arena);
		return false;
	}
	arena_release(&scheduling->documents);
	scheduling->documents = arena;
	scheduling->schedules = schedules;
	*ret_schedules = &scheduling->schedules;
	text_addf(&line, "%zu schedule%s", schedules.count, schedules.count == 1 ? "" : "s");
	cli_say(NULL, text_str(&line));
	text_release(&line);
	return true;
}

/* One that comes while the files are read for the first time is not the end, and not lost. */
static void hold_reload(void)
{
	sigset_t reload;

	(void)sigemptyset(&reload);
	(void)sigaddset(&reload, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &reload, NULL);
}

int schedule_run(const struct arguments *arguments)
{
	struct scheduling scheduling = { .arguments = arguments };
	struct scheduler scheduler = {
		.clock = clock_system(),
		.hands = { .read = read_files, .alert = alert, .say = cli_say, .ctx = &scheduling },
	};
	struct err e = { 0 };
	int code = EXIT_MET;

	hold_reload();
	if (!read_files(&scheduling, &scheduler.schedules)) {
		code = EXIT_NOT_RUN;
	} else if (!cli_open_store(arguments, NULL, &scheduling.owned_store, &e)) {
		code = cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, NULL, &e);
	} else {
		scheduler.store = scheduling.owned_store;
		if (arguments_flag(arguments, "once") ? !scheduler_look_once(&scheduler, &e) :
							!scheduler_run(&scheduler, &e))
			code = cli_fail(EXIT_INTERNAL, NULL, &e);
	}
	store_close(scheduling.owned_store);
	arena_release(&scheduling.documents);
	return code;
}
