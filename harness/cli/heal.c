/*
 * heal.c - command "heal": undo what runs left behind, from their written records. A second call
 * finds nothing to do.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/live.h"
#include "engine/engine.h"

static const struct option_row heal_options[] = {
	STORE_OPTION,
	{ NULL, NULL, NULL },
};

/* Names come from the store, which others may have handed over. */
static void print_lines(const char *lines)
{
	struct text line = { 0 };

	while (*lines != '\0') {
		const size_t length = strcspn(lines, "\n");

		text_clear(&line);
		text_add_bytes(&line, lines, length);
		cli_print_line(stderr, NULL, text_str(&line));
		lines += lines[length] == '\0' ? length : length + 1;
	}
	text_release(&line);
}

static int tell(const struct heal_summary *summary)
{
	if (summary->leftover_count == 0) {
		if (summary->healed_count == 0)
			(void)fputs("nothing to heal\n", stdout);
		else
			(void)fprintf(stdout, "%zu healed, nothing left behind\n",
				      summary->healed_count);
		return EXIT_MET;
	}
	(void)fputs("firedrill: still unhealed; when the cause is mended, run `firedrill heal` again:\n",
		    stderr);
	print_lines(text_str(&summary->leftovers));
	return EXIT_LEFTOVER;
}

static int run_heal(const struct arguments *arguments)
{
	const struct clock clock = clock_system();
	const struct remote_opener opener = remote_opener_real();
	const char *run_id = NULL;
	struct heal_summary summary = { 0 };
	struct text samples = { 0 };
	struct arena arena = { 0 };
	struct store *store = NULL;
	struct live *live = NULL;
	struct run_row row = { 0 };
	struct err e = { 0 };
	bool ok = cli_open_store(arguments, NULL, &store, &e);
	int code;

	if (ok && arguments->word_count > 0) {
		ok = store_run_find(store, arguments->words[0], &arena, &row, &e);
		run_id = row.run_id;
	}
	if (ok) {
		cli_sample_path(arguments, &samples);
		live = live_open(stdout, NULL, &clock);
		ok = heal_runs(store, run_id, &opener, &clock, live_progress(live),
			       text_str(&samples), &summary, &e);
		live_close(live);
		(void)rmdir(text_str(&samples)); /* kept while a run has samples in it */
	}
	if (ok)
		code = tell(&summary);
	else
		code = cli_fail(summary.leftover_count > 0 ? EXIT_LEFTOVER :
				e.kind == ERR_INPUT	   ? EXIT_NOT_RUN :
				e.kind == ERR_REFUSED	   ? EXIT_NOT_STARTED :
							     EXIT_INTERNAL,
				NULL, &e);
	text_release(&samples);
	text_release(&summary.leftovers);
	store_close(store);
	arena_release(&arena);
	return code;
}

const struct verb verb_heal = {
	.name = "heal",
	.arguments = "[RUN]",
	.word_min = 0,
	.word_max = 1,
	.summary = "undo everything that unfinished runs left behind",
	.example = "firedrill heal",
	.options = heal_options,
	.run = run_heal,
};
