/*
 * show.c - command "show": every event of a run as the journal has it, its hash chain checked.
 */
#include "cli/cli.h"

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

static int run_show(const struct arguments *arguments)
{
	struct arena arena = { 0 };
	struct store *store = NULL;
	struct timeline timeline = { 0 };
	struct run_row row = { 0 };
	struct err e = { 0 };
	int code = EXIT_MET;

	if (!cli_open_store(arguments, NULL, &store, &e) ||
	    !store_run_find(store, arguments->words[0], &arena, &row, &e) ||
	    !store_timeline(store, row.run_id, &arena, &timeline, &e))
		code = cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, NULL, &e);
	for (size_t i = 0; code == EXIT_MET && i < timeline.event_count; i++)
		print_event(&timeline, &timeline.events[i], arguments_flag(arguments, "data"));
	store_close(store);
	arena_release(&arena);
	return code;
}

const struct verb verb_show = {
	.name = "show",
	.arguments = "RUN",
	.word_min = 1,
	.word_max = 1,
	.summary = "print every event of a run",
	.example = "firedrill show last",
	.options = show_options,
	.run = run_show,
};
