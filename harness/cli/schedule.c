/*
 * schedule.c - command "schedule": when what is scheduled comes, and why it would not run then. It looks
 * at documents, and at the store for what is paused: it starts nothing. `run` stands in schedule_run.c,
 * `past` in schedule_past.c.
 */
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "cli/schedule_run.h"
#include "schedule/schedule.h"

enum { COUNT_DEFAULT = 3, NEXT_DEFAULT = 10, COUNT_MAX = 1000 };

static const char plan_default[] = "plan.yaml";

static const struct option_row schedule_options[] = {
	{ "from", "DATE", "from when on: `2026-12-24`, `2026-12-24T10:00` (in the schedule's zone) or "
			  "`...T10:00Z`; default now" },
	{ "count", "NUMBER", "how many: of each schedule 3, with `next` 10 of all together, with `past` 20" },
	{ "once", NULL, "with `run`: one look, and what is due now is in the store; for a timer or cron" },
	VAR_OPTION,
	INVENTORY_OPTION,
	STORE_OPTION,
	{ NULL, NULL, NULL },
};

struct listing {
	const struct arguments *arguments;
	struct arena arena;
	struct schedule_list schedules;
	struct pause_row *pauses; /* of the store, also of schedules that are not among these */
	size_t pause_count;
	bool is_next;       /* all together in the order of time */
	int64_t count;
	const char *from;   /* NULL: now */
	int64_t now_ns;
};

/* The occurrences of one schedule, and how far they are told. */
struct row {
	const struct schedule *schedule;
	struct occurrence *occurrences;
	size_t count;
	size_t told_count;
};

static bool read_options(struct listing *listing, struct err *e)
{
	const char *count = arguments_value(listing->arguments, "count");

	listing->is_next = listing->arguments->word_count > 0 &&
			   strcmp(listing->arguments->words[0], "next") == 0;
	listing->from = arguments_value(listing->arguments, "from");
	listing->count = listing->is_next ? NEXT_DEFAULT : COUNT_DEFAULT;
	if (count != NULL && (!units_parse_count(count, &listing->count, e) || listing->count < 1 ||
			      listing->count > COUNT_MAX))
		return err_set(e, ERR_INPUT, "`--count %s` is no whole number from 1 to %d", count,
			       COUNT_MAX);
	return true;
}

static bool load(struct listing *listing)
{
	const size_t skipped = listing->is_next ? 1 : 0;
	const char *const *paths = listing->arguments->words + skipped;
	size_t path_count = listing->arguments->word_count - skipped;
	static const char *const fallback[] = { plan_default };

	if (path_count == 0) {
		paths = fallback;
		path_count = 1;
	}
	return cli_load_schedules(listing->arguments, paths, path_count, &listing->arena,
				  &listing->schedules);
}

/* Without a store nothing is paused. */
static bool read_pauses(struct listing *listing, struct err *e)
{
	struct store *store = NULL;
	const bool ok = cli_open_kept(listing->arguments, &store, e) &&
			(store == NULL || store_pauses(store, &listing->arena, &listing->pauses,
						       &listing->pause_count, e));

	store_close(store);
	return ok;
}

/* NULL: this one is not paused. */
static const struct schedule_pause *find_pause(struct listing *listing, const char *name)
{
	for (size_t i = 0; i < listing->pause_count; i++) {
		const struct pause_row *row = &listing->pauses[i];
		struct schedule_pause *pause;

		if (strcmp(row->schedule, name) != 0)
			continue;
		pause = arena_alloc(&listing->arena, sizeof *pause);
		*pause = (struct schedule_pause){ row->schedule, row->person, row->reason,
						  row->wall_ns };
		return pause;
	}
	return NULL;
}

/* A name that was mistyped would pause nothing. */
static void print_strange_pauses(const struct listing *listing)
{
	for (size_t i = 0; i < listing->pause_count; i++) {
		const struct pause_row *row = &listing->pauses[i];
		struct text line = { 0 };
		bool is_listed = false;

		for (size_t j = 0; j < listing->schedules.count; j++)
			is_listed = is_listed ||
				    strcmp(listing->schedules.items[j]->name, row->schedule) == 0;
		text_addf(&line, "%s is paused (by %s: %s), and is none of these", row->schedule,
			  row->person, row->reason);
		if (!is_listed)
			cli_print_line(stdout, NULL, text_str(&line));
		text_release(&line);
	}
}

static bool fill(struct listing *listing, const struct schedule *schedule, struct row *row,
		 struct err *e)
{
	int64_t after_ns = listing->now_ns;

	if (listing->from != NULL) {
		if (!zone_parse_moment(listing->from, schedule->zone, &after_ns, e))
			return err_wrap(e, "`--from %s`", listing->from);
		after_ns -= after_ns > 0 ? 1 : 0; /* that moment itself counts */
	}
	row->schedule = schedule;
	row->occurrences = arena_alloc(&listing->arena,
				       (size_t)listing->count * sizeof *row->occurrences);
	row->count = schedule_next(schedule, find_pause(listing, schedule->name), after_ns,
				   (size_t)listing->count, &listing->arena, row->occurrences);
	return true;
}

/* "tue 2026-11-24 09:34:12 +01:00  NAME  not run: frozen, ..." */
static void print_occurrence(const struct row *row, const struct occurrence *occurrence,
			     const char *before, const char *name)
{
	const struct schedule *schedule = row->schedule;
	char moment[ZONE_MOMENT_BYTES];
	struct text line = { 0 };

	text_addf(&line, "%s%s%s%s", before,
		  zone_format_moment(schedule->zone, occurrence->due_wall_ns, moment),
		  *name == '\0' ? "" : "  ", name);
	if (occurrence->fate != FATE_RUNS)
		text_addf(&line, "  not run: %s, %s", fate_name(occurrence->fate), occurrence->why);
	else if (schedule->is_chaos_day)
		text_addf(&line, "  begins with %s",
			  schedule->experiments[schedule_chaos_turn(schedule,
								    occurrence->nominal_wall_ns, 0)
							.experiment_index]
				  .path);
	cli_print_line(stdout, NULL, text_str(&line));
	text_release(&line);
}

static void print_schedule(const struct row *row)
{
	const struct schedule *schedule = row->schedule;
	struct text line = { 0 };

	text_addf(&line, "%s: %s", schedule->name, schedule->text);
	cli_print_line(stdout, NULL, text_str(&line));
	for (size_t i = 0; i < schedule->experiment_count; i++) {
		text_clear(&line);
		text_addf(&line, "  %s%s: %s", schedule->is_chaos_day ? "chaos day: " : "",
			  schedule->experiments[i].path, schedule->experiments[i].title);
		cli_print_line(stdout, NULL, text_str(&line));
	}
	for (size_t i = 0; i < row->count; i++)
		print_occurrence(row, &row->occurrences[i], "  ", "");
	if (row->count == 0)
		cli_print_line(stdout, NULL, "  never again before 2200");
	text_release(&line);
}

/* The row whose next occurrence comes first; NULL: all are told. */
static struct row *find_first(struct row *rows, size_t row_count)
{
	struct row *first = NULL;

	for (size_t i = 0; i < row_count; i++) {
		struct row *row = &rows[i];

		if (row->told_count == row->count)
			continue;
		if (first == NULL || row->occurrences[row->told_count].due_wall_ns <
					     first->occurrences[first->told_count].due_wall_ns)
			first = row;
	}
	return first;
}

static void print(const struct listing *listing, struct row *rows)
{
	struct row *row;

	if (!listing->is_next) {
		for (size_t i = 0; i < listing->schedules.count; i++)
			print_schedule(&rows[i]);
		print_strange_pauses(listing);
		return;
	}
	for (int64_t i = 0; i < listing->count; i++) {
		row = find_first(rows, listing->schedules.count);
		if (row == NULL)
			return;
		print_occurrence(row, &row->occurrences[row->told_count], "", row->schedule->name);
		row->told_count++;
	}
}

static int run_schedule(const struct arguments *arguments)
{
	const struct clock clock = clock_system();
	struct listing listing = { .arguments = arguments, .now_ns = clock_wall_ns(&clock) };
	struct err e = { 0 };
	struct row *rows;
	int code = EXIT_MET;

	if (arguments->word_count > 0 && strcmp(arguments->words[0], "run") == 0)
		return schedule_run(arguments);
	if (arguments->word_count > 0 && strcmp(arguments->words[0], "past") == 0)
		return schedule_past(arguments);
	if (!read_options(&listing, &e))
		code = cli_fail(EXIT_NOT_RUN, NULL, &e);
	else if (!load(&listing))
		code = EXIT_NOT_RUN;
	else if (!read_pauses(&listing, &e))
		code = cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, NULL, &e);
	rows = arena_alloc(&listing.arena, (listing.schedules.count + 1) * sizeof *rows);
	for (size_t i = 0; code == EXIT_MET && i < listing.schedules.count; i++)
		if (!fill(&listing, listing.schedules.items[i], &rows[i], &e))
			code = cli_fail(EXIT_NOT_RUN, NULL, &e);
	if (code == EXIT_MET)
		print(&listing, rows);
	arena_release(&listing.arena);
	return code;
}

const struct verb verb_schedule = {
	.name = "schedule",
	.arguments = "[next|run|past] [FILE...]",
	.word_min = 0,
	.word_max = ARGUMENTS_MAX,
	.summary = "when scheduled experiments run next, and why they would not; `run` lets them run",
	.example = "firedrill schedule next experiments/plan.yaml --from 2026-12-18 --count 5",
	.options = schedule_options,
	.run = run_schedule,
};
