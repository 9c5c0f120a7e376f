/*
 * heal.c - command "heal": undo what runs left behind, from their written records. A second call
 * finds nothing to do.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/afterwards.h"
#include "cli/find.h"
#include "cli/live.h"
#include "engine/engine.h"
#include "store/store_url.h"

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

/* One run (NULL: all), or every trial of a set. */
static bool heal_found(const struct arguments *arguments, struct store *store,
		       const struct found *found, struct arena *arena,
		       struct heal_summary *ret_summary, struct err *e)
{
	const struct clock clock = clock_system();
	const struct remote_opener opener = remote_opener_real();
	struct run_row *trials = NULL;
	struct unhealed *unhealed = NULL;
	struct text samples = { 0 };
	size_t unhealed_count = 0;
	size_t count = 1;
	bool ok = !found->is_set || store_set_runs(store, found->id, arena, &trials, &count, e);
	struct live *live = live_open(stdout, &ret_summary->secrets, &clock);

	afterwards_list_unhealed(store, NULL, arena, &unhealed, &unhealed_count);
	cli_sample_path(arguments, &samples);
	for (size_t i = 0; ok && i < count; i++)
		ok = heal_runs(store, found->is_set ? trials[i].run_id : found->id, &opener, &clock,
			       live_progress(live), text_str(&samples), ret_summary, e);
	live_close(live);
	(void)rmdir(text_str(&samples)); /* kept while a run has samples in it */
	text_release(&samples);
	afterwards_tell_healed(arguments, store, unhealed, unhealed_count);
	return ok;
}

/*
 * The shared store is away, but what a process of this machine has left behind stands in its spool. What
 * is healed from there is brought to the store by the next command that reaches it.
 */
static bool heal_from_spools(const struct arguments *arguments, struct arena *arena,
			     struct heal_summary *ret_summary, struct err *e)
{
	const struct found all = { .id = NULL };
	const char *const *paths = NULL;
	struct text place = { 0 };
	size_t count = 0;
	bool ok;

	cli_store_path(arguments, &place);
	ok = store_is_url(text_str(&place)) && arguments->word_count == 0 &&
	     store_spools(text_str(&place), arena, &paths, &count);
	text_release(&place);
	if (!ok)
		return false;
	(void)cli_fail(EXIT_INTERNAL, NULL, e);
	(void)fputs("healing what runs of this machine have left, from what they have kept here\n",
		    stderr);
	err_clear(e);
	for (size_t i = 0; ok && i < count; i++) {
		struct store *spool = NULL;

		ok = store_open(paths[i], NULL, &spool, e) &&
		     heal_found(arguments, spool, &all, arena, ret_summary, e);
		store_close(spool);
	}
	return ok;
}

static int run_heal(const struct arguments *arguments)
{
	const bool is_one = arguments->word_count > 0;
	struct heal_summary summary = { 0 };
	struct arena arena = { 0 };
	struct store *store = NULL;
	struct found found = { 0 };
	struct err e = { 0 };
	bool ok = is_one ? cli_need_store(arguments, &store, &e) &&
				   find_subject(store, arguments->words[0], &arena, &found, &e) :
			   cli_open_kept(arguments, &store, &e);
	int code;

	if (ok && store != NULL)
		ok = heal_found(arguments, store, &found, &arena, &summary, &e);
	else if (!ok && e.kind == ERR_STORE)
		ok = heal_from_spools(arguments, &arena, &summary, &e);
	if (ok)
		code = tell(&summary);
	else
		code = cli_fail(summary.leftover_count > 0 ? EXIT_LEFTOVER :
				e.kind == ERR_INPUT	   ? EXIT_NOT_RUN :
				e.kind == ERR_REFUSED	   ? EXIT_NOT_STARTED :
							     EXIT_INTERNAL,
				&summary.secrets, &e);
	heal_summary_release(&summary);
	store_close(store);
	arena_release(&arena);
	return code;
}

const struct verb verb_heal = {
	.name = "heal",
	.arguments = "[RUN]",
	.word_min = 0,
	.word_max = 1,
	.summary = "undo everything that unfinished runs left behind, or what one run or set did",
	.example = "firedrill heal",
	.options = heal_options,
	.run = run_heal,
};
