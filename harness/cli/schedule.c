/*
 * schedule.c - command "schedule": when what is scheduled comes, and why it would not run then. It looks
 * at documents, and at the store for what is paused: it starts nothing. `run` stands in schedule_run.c,
 * `past` in schedule_past.c, what programs read in schedule_json.c.
 */
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "cli/schedule_json.h"
#include "cli/schedule_run.h"
#include "schedule/schedule.h"

enum { COUNT_DEFAULT = 3, NEXT_DEFAULT = 10, COUNT_MAX = 1000 };

static const char plan_default[] = "plan.yaml";

static const struct option_row schedule_options[] = {
	{ "from", "DATE", "from when on: `2026-12-24`, `2026-12-24T10:00` (in the schedule's zone) or "
			  "`...T10:00Z`; default now" },
	{ "count", "NUMBER", "how many: of each schedule 3, with `next` 10 of all together, with `past` 20" },
	{ "once", NULL, "with `run`: one look, and what is due now is in the store; for a timer or cron" },
	{ "format", "NAME", "text (default) or json" },
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
	bool is_json;
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

bool schedule_take_format(const struct arguments *arguments, bool *ret_is_json, struct err *e)
{
	const char *format = arguments_value(arguments, "format");

	*ret_is_json = format != NULL && strcmp(format, "json") == 0;
	return format == NULL || *ret_is_json || strcmp(format, "text") == 0 ||
	       err_set(e, ERR_INPUT, "schedules have no format `%s`; there are text and json", format);
}

static bool read_options(struct listing *listing, struct err *e)
{
	const char *count = arguments_value(listing->arguments, "count");

	listing->is_next = listing->arguments->word_count > 0 &&
			   strcmp(listing->arguments->words[0], "next") == 0;
	listing->from = arguments_value(listing->arguments, "from");
	if (!schedule_take_format(listing->arguments, &listing->is_json, e))
		return false;
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

		text_addf(&line, "%s is paused (by %s: %s), and is none of these", row->schedule,
			  row->person, row->reason);
		if (!schedule_lists(&listing->schedules, row->schedule))
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
static void print_coming(const struct coming *coming, const char *before, const char *name)
{
	const struct occurrence *occurrence = coming->occurrence;
	const struct scheduled_experiment *first = coming_first(coming);
	char moment[ZONE_MOMENT_BYTES];
	struct text line = { 0 };

	text_addf(&line, "%s%s%s%s", before,
		  zone_format_moment(coming->schedule->zone, occurrence->due_wall_ns, moment),
		  *name == '\0' ? "" : "  ", name);
	if (occurrence->fate != FATE_RUNS)
		text_addf(&line, "  not run: %s, %s", fate_name(occurrence->fate), occurrence->why);
	else if (first != NULL)
		text_addf(&line, "  begins with %s", first->path);
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
		print_coming(&(struct coming){ schedule, &row->occurrences[i] }, "  ", "");
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

/* All together, in the order of time. */
static size_t order(struct listing *listing, struct row *rows, const struct coming **ret_coming)
{
	const size_t row_count = listing->schedules.count;
	const size_t most = (size_t)listing->count * (listing->is_next ? 1 : row_count);
	struct coming *coming = arena_alloc(&listing->arena, (most + 1) * sizeof *coming);
	size_t count = 0;

	while (count < most) {
		struct row *row = find_first(rows, row_count);

		if (row == NULL)
			break;
		coming[count++] = (struct coming){ row->schedule, &row->occurrences[row->told_count++] };
	}
	*ret_coming = coming;
	return count;
}

static void print_text(const struct listing *listing, const struct row *rows,
		       const struct coming *coming, size_t coming_count)
{
	if (listing->is_next) {
		for (size_t i = 0; i < coming_count; i++)
			print_coming(&coming[i], "", coming[i].schedule->name);
		return;
	}
	for (size_t i = 0; i < listing->schedules.count; i++)
		print_schedule(&rows[i]);
	print_strange_pauses(listing);
}

static void print(struct listing *listing, struct row *rows)
{
	const struct coming *coming;
	const size_t count = order(listing, rows, &coming);
	const struct schedule_listing whole = {
		.schedules = &listing->schedules,
		.pauses = listing->pauses,
		.pause_count = listing->pause_count,
		.coming = coming,
		.coming_count = count,
	};

	if (listing->is_json)
		schedule_print_json(&whole);
	else
		print_text(listing, rows, coming, count);
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
