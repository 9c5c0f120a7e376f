/*
 * suite_drills.c - the experiments of a suite, each `firedrill run` in a process of its own, and what a
 * person sees meanwhile.
 *
 * The locks in the store are what keeps two runs from one target; here nobody is started only to be
 * refused. When the budget ends, a signal comes or somebody orders it, each that runs is told once, by SIGINT: it heals
 * and ends, and is waited for, however long that takes. A second signal changes nothing.
 */
#include "cli/suite.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "base/units.h"
#include "engine/trials.h"
#include "reports/escape.h"
#include "reports/suite.h"
#include "reports/utf8.h"
#include "reports/words.h"

static const int64_t look_every_ns = NS_PER_S / 4; /* an end, or a signal, is seen at once */

enum { WORDS_MAX = ARGUMENTS_MAX * 2 };

struct words {
	const char *items[WORDS_MAX];
	size_t count;
};

static void add_word(struct words *words, const char *word)
{
	if (words->count < WORDS_MAX)
		words->items[words->count++] = word;
}

static void add_option(struct words *words, struct arena *arena, const char *name, const char *value)
{
	if (value != NULL)
		add_word(words, arena_format(arena, "--%s=%s", name, value));
}

/* The same command for one experiment, as a person would have typed it. */
static void make_words(const struct suite_command *command, size_t index, struct words *words)
{
	static const char *const handed_on[] = { "store", "inventory", "repeat", "by", "override" };
	const struct suite_drill *drill = &command->drills[index];
	struct run_command *run = command->run;
	const char *vars[ARGUMENTS_MAX];
	const size_t var_count = arguments_values(run->arguments, "var", vars);

	add_word(words, "run");
	add_word(words, "--yes");
	add_option(words, &run->arena, "id", drill->run_id);
	add_option(words, &run->arena, "out", drill->folder);
	for (size_t i = 0; i < sizeof handed_on / sizeof handed_on[0]; i++)
		add_option(words, &run->arena, handed_on[i],
			   arguments_value(run->arguments, handed_on[i]));
	add_option(words, &run->arena, "confirm", run->claim.environment);
	if (arguments_flag(run->arguments, "no-notify"))
		add_word(words, "--no-notify");
	for (size_t i = 0; i < var_count; i++)
		add_option(words, &run->arena, "var", vars[i]);
	if (command->has_seed)
		add_option(words, &run->arena, "seed",
			   arena_format(&run->arena, "%" PRIu64,
					trials_seed(command->seed, (int64_t)index + 1)));
	add_word(words, "--");
	add_word(words, drill->path);
}

/* ---- what a person sees ---- */

static bool is_terminal(const struct suite_command *command)
{
	const char *term = getenv("TERM");

	return isatty(fileno(command->run->progress_stream)) == 1 && term != NULL &&
	       strcmp(term, "dumb") != 0;
}

static void erase_block(struct suite_command *command)
{
	for (; command->shown_lines > 0; command->shown_lines--)
		(void)fputs("\033[1A\033[2K", command->run->progress_stream);
}

static size_t count_places(const struct suite_command *command, enum suite_place place)
{
	size_t count = 0;

	for (size_t i = 0; i < command->suite.drill_count; i++)
		count += command->places[i] == place ? 1 : 0;
	return count;
}

/* Never wider than the terminal: a line that wraps would be counted as one and never erased. */
static void draw_line(struct suite_command *command, const char *line)
{
	FILE *stream = command->run->progress_stream;
	struct text clean = { 0 };
	struct text safe = { 0 };
	struct text cut = { 0 };

	text_add(&clean, line);
	secrets_redact(&command->run->secrets, &clean);
	escape_terminal(&safe, text_str(&clean));
	utf8_add_cut(&cut, text_str(&safe), cli_columns(stream) - 1);
	(void)fprintf(stream, "%s\n", text_str(&cut));
	command->shown_lines++;
	text_release(&clean);
	text_release(&safe);
	text_release(&cut);
}

static void draw_head(struct suite_command *command)
{
	const size_t waiting_count = count_places(command, SUITE_WAITS);
	struct text line = { 0 };

	if (command->suite.stopped != NULL)
		text_addf(&line, "%zu heal and end", count_places(command, SUITE_RUNS));
	else
		text_addf(&line, "%zu run, %zu wait%s; Ctrl-C heals and ends",
			  count_places(command, SUITE_RUNS), waiting_count,
			  waiting_count == 1 ? "s" : "");
	draw_line(command, text_str(&line));
	text_release(&line);
}

/* On a terminal only: what runs now, and what waits. Drawn again until it is erased. */
static void draw_block(struct suite_command *command)
{
	FILE *stream = command->run->progress_stream;
	const int64_t now_ns = clock_now_ns(&command->run->clock);
	const size_t line_max = cli_rows(stream) - 2;
	char took[UNITS_TEXT_BYTES];

	if (!is_terminal(command))
		return;
	erase_block(command);
	draw_head(command);
	for (size_t i = 0; i < command->suite.drill_count && command->shown_lines < line_max; i++) {
		struct text line = { 0 };

		if (command->places[i] != SUITE_RUNS)
			continue;
		text_addf(&line, "  %8s  %s",
			  units_format_duration((now_ns - command->items[i].begun_ns) / NS_PER_S *
							NS_PER_S, took),
			  command->drills[i].path);
		draw_line(command, text_str(&line));
		text_release(&line);
	}
	(void)fflush(stream);
}

static void say(struct suite_command *command, const char *line)
{
	erase_block(command);
	cli_print_line(command->run->progress_stream, &command->run->secrets, line);
	(void)fflush(command->run->progress_stream);
}

static void say_moment(struct suite_command *command, const char *word, size_t index)
{
	const int64_t after_ns = clock_now_ns(&command->run->clock) - command->begun_ns;
	struct text line = { 0 };

	text_addf(&line, "%8.2f s  %-8s %zu of %zu  %s", (double)after_ns / (double)NS_PER_S, word,
		  index + 1, command->suite.drill_count, command->drills[index].path);
	say(command, text_str(&line));
	text_release(&line);
}

/* Whole, and in the order of the suite: each waits for those before it. */
static void show_finished(struct suite_command *command)
{
	FILE *stream = command->run->progress_stream;

	for (size_t i = 0; i < command->suite.drill_count; i++) {
		struct suite_item *item = &command->items[i];
		const struct suite_drill *drill = &command->drills[i];
		struct text head = { 0 };

		if (item->is_shown)
			continue;
		if (command->places[i] != SUITE_OVER)
			return;
		text_addf(&head, "%zu of %zu  %s  %s", i + 1, command->suite.drill_count,
			  drill->path, words_headline(&drill->outcome));
		erase_block(command);
		suite_ci_group_begin(command->owned_ci, i, text_str(&head));
		(void)fwrite(text_str(&item->output), 1, item->output.length_bytes, stream);
		suite_ci_group_end(command->owned_ci, i);
		item->is_shown = true;
		text_release(&head);
		text_release(&item->output);
	}
}

/* ---- starting, stopping, collecting ---- */

static void start(struct suite_command *command, size_t index)
{
	struct suite_item *item = &command->items[index];
	struct suite_drill *drill = &command->drills[index];
	struct words words = { .count = 0 };
	struct err e = { 0 };

	make_words(command, index, &words);
	say_moment(command, "begins", index);
	item->begun_ns = clock_now_ns(&command->run->clock);
	drill->begun_wall_ns = clock_wall_ns(&command->run->clock);
	if (!child_start(words.items, words.count, &item->child, &e)) {
		drill->outcome.exit_code = EXIT_INTERNAL;
		drill->outcome.sentence = arena_copy(&command->run->arena, e.text);
		command->places[index] = SUITE_OVER;
		return;
	}
	drill->is_begun = true;
	command->places[index] = SUITE_RUNS;
}

static void collect(struct suite_command *command, size_t index)
{
	struct suite_item *item = &command->items[index];
	struct suite_drill *drill = &command->drills[index];
	int number = 0;
	const enum child_state state = child_look(&item->child, &number);

	if (state == CHILD_RUNS)
		return;
	suite_take_result(command, index, state, number);
	child_close(&item->child);
	drill->took_ns = clock_now_ns(&command->run->clock) - item->begun_ns;
	command->places[index] = SUITE_OVER;
	/* Each that began now would find it and refuse. */
	command->is_blocked = command->is_blocked || drill->outcome.exit_code == EXIT_LEFTOVER;
	say_moment(command, "ended", index);
}

/* An order for it, or for everything. Whether there is one that cannot be read is the runs' own matter. */
static const char *look_for_order(struct suite_command *command)
{
	struct run_command *run = command->run;
	struct arena scratch = { 0 };
	struct stop_row stop;
	bool is_there = false;
	const char *why = NULL;

	if (store_stop_find(run->owned_store, run->run_id, NULL, &scratch, &is_there, &stop, NULL) &&
	    is_there)
		why = arena_format(&run->arena, "%s has stopped %s (%s)", stop.person,
				   stop.subject == NULL ? "everything" : "it", stop.reason);
	arena_release(&scratch);
	return why;
}

/* Why no more may begin, and what runs must end; NULL: no reason. */
static const char *look_for_stop(struct suite_command *command)
{
	struct run_command *run = command->run;
	const int number = (int)*run->stop_signal;
	char budget[UNITS_TEXT_BYTES];

	if (number != 0)
		return arena_format(&run->arena, "signal %d (%s) came", number,
				    sigabbrev_np(number) == NULL ? "?" : sigabbrev_np(number));
	if (command->suite.budget_ns > 0 &&
	    clock_now_ns(&run->clock) - command->begun_ns >= command->suite.budget_ns)
		return arena_format(&run->arena, "the budget of %s was used up",
				    units_format_duration(command->suite.budget_ns, budget));
	return look_for_order(command);
}

static void stop_all(struct suite_command *command, const char *why)
{
	struct text line = { 0 };

	command->suite.stopped = why;
	text_addf(&line, "%s: nothing more begins, what runs heals and ends", why);
	say(command, text_str(&line));
	for (size_t i = 0; i < command->suite.drill_count; i++)
		if (command->places[i] == SUITE_RUNS) {
			command->items[i].was_told = true;
			child_signal(&command->items[i].child, SIGINT);
		}
	text_release(&line);
}

static void start_those_free(struct suite_command *command)
{
	const size_t count = command->suite.drill_count;

	while (command->suite.stopped == NULL && !command->is_blocked) {
		const size_t next = suite_next(command->footprints, command->places, count,
					       command->job_count);

		if (next == count)
			return;
		start(command, next);
	}
}

/* Those that never began: their row says why. */
static void leave_the_rest(struct suite_command *command)
{
	const char *why = command->suite.stopped != NULL ?
				  command->suite.stopped :
				  "an experiment before it has left something unhealed";

	for (size_t i = 0; i < command->suite.drill_count; i++)
		if (command->places[i] == SUITE_WAITS) {
			command->places[i] = SUITE_OVER;
			command->drills[i].outcome.sentence =
				arena_format(&command->run->arena, "Not started: %s.", why);
		}
}

void suite_run_drills(struct suite_command *command)
{
	for (;;) {
		for (size_t i = 0; i < command->suite.drill_count; i++)
			if (command->places[i] == SUITE_RUNS)
				collect(command, i);
		if (command->suite.stopped == NULL) {
			const char *why = look_for_stop(command);

			if (why != NULL)
				stop_all(command, why);
		}
		start_those_free(command);
		show_finished(command);
		if (count_places(command, SUITE_RUNS) == 0)
			break;
		draw_block(command);
		child_wait_until(clock_now_ns(&command->run->clock) + look_every_ns);
	}
	erase_block(command);
	leave_the_rest(command);
	show_finished(command);
}
