/*
 * show.c - command "show": every event of a run as the journal has it, its hash chain checked; of a
 * set of trials, its runs.
 */
#include <inttypes.h>

#include "cli/find.h"

static const struct option_row show_options[] = {
	STORE_OPTION,
	{ "data", NULL, "also print each event's data" },
	{ NULL, NULL, NULL },
};

static void print_event(const struct timeline *timeline, const struct event *event, bool has_data)
{
	const int64_t since_ns = event->at_ns - timeline->anchor.boot_ns;
	struct text line = { 0 };

	text_addf(&line, "%10.3f s  %-9s %-16s", (double)since_ns / (double)NS_PER_S,
		  phase_name(event->phase), event_kind_name(event->kind));
	if (event->host != NULL)
		text_addf(&line, " %s:", event->host);
	text_addf(&line, " %s", event->text);
	cli_print_line(stdout, NULL, text_str(&line));
	if (has_data && event->data != NULL) {
		text_clear(&line);
		text_addf(&line, "              %s", event->data);
		cli_print_line(stdout, NULL, text_str(&line));
	}
	text_release(&line);
}

static bool show_set(struct store *store, const char *set_id, struct arena *arena, struct err *e)
{
	struct run_row *runs = NULL;
	size_t count = 0;

	if (!store_set_runs(store, set_id, arena, &runs, &count, e))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct text line = { 0 };

		text_addf(&line, "trial %3" PRId64 "  %s  ", runs[i].trial, runs[i].run_id);
		if (runs[i].is_ended)
			text_addf(&line, "exit %" PRId64 "  %s", runs[i].exit_code,
				  runs[i].sentence == NULL ? "" : runs[i].sentence);
		else
			text_add(&line, "not ended");
		cli_print_line(stdout, NULL, text_str(&line));
		text_release(&line);
	}
	return true;
}

static bool show_run(struct store *store, const char *run_id, bool has_data, struct arena *arena,
		     struct err *e)
{
	struct timeline timeline = { 0 };

	if (!store_timeline(store, run_id, arena, &timeline, e))
		return false;
	for (size_t i = 0; i < timeline.event_count; i++)
		print_event(&timeline, &timeline.events[i], has_data);
	return true;
}

static int run_show(const struct arguments *arguments)
{
	struct arena arena = { 0 };
	struct store *store = NULL;
	struct found found = { 0 };
	struct err e = { 0 };
	int code = EXIT_MET;

	if (!find_open(arguments, arguments->words[0], &arena, &store, &found, &e) ||
	    !(found.is_set ? show_set(store, found.id, &arena, &e) :
			     show_run(store, found.id, arguments_flag(arguments, "data"), &arena,
				      &e)))
		code = cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, NULL, &e);
	store_close(store);
	arena_release(&arena);
	return code;
}

const struct verb verb_show = {
	.name = "show",
	.arguments = "RUN|BUNDLE",
	.word_min = 1,
	.word_max = 1,
	.summary = "print every event of a run, or the trials of a set",
	.example = "firedrill show last",
	.options = show_options,
	.run = run_show,
};
