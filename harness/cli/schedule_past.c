/*
 * schedule_past.c - `firedrill schedule past`: what became of what was due, as the store has it.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/schedule_json.h"
#include "cli/schedule_run.h"
#include "store/store_dues.h"

enum { COUNT_DEFAULT = 20 };

/* "2026-11-24T08:34:12.000Z  weekly  done  20261124-083412-k3f9-17  All objectives were met." */
static void print_row(const struct due_row *row)
{
	char moment[32];
	struct text line = { 0 };

	clock_format_wall(row->due_wall_ns, moment, sizeof moment);
	text_addf(&line, "%s  %s  %s", moment, row->schedule, due_state_name(row->state));
	if (row->run_id != NULL)
		text_addf(&line, "  %s", row->run_id);
	if (row->sentence != NULL)
		text_addf(&line, "  %s", row->sentence);
	cli_print_line(stdout, NULL, text_str(&line));
	text_release(&line);
}

int schedule_past(const struct arguments *arguments)
{
	const char *given = arguments_value(arguments, "count");
	struct arena arena = { 0 };
	struct store *store = NULL;
	struct due_row *rows = NULL;
	struct err e = { 0 };
	int64_t limit = COUNT_DEFAULT;
	size_t count = 0;
	bool is_json = false;
	int code = EXIT_MET;

	if (!schedule_take_format(arguments, &is_json, &e))
		return cli_fail(EXIT_NOT_RUN, NULL, &e);
	if (given != NULL && (!units_parse_count(given, &limit, &e) || limit < 1))
		return cli_fail_text(EXIT_NOT_RUN, "`--count %s` is no whole number from 1 on", given);
	if (!cli_open_kept(arguments, &store, &e) ||
	    (store != NULL && !store_dues(store, (size_t)limit, &arena, &rows, &count, &e)))
		code = cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, NULL, &e);
	else if (is_json)
		schedule_print_past_json(rows, count);
	else if (count == 0)
		(void)fputs("nothing was due yet\n", stdout);
	for (size_t i = 0; !is_json && i < count; i++)
		print_row(&rows[i]);
	store_close(store);
	arena_release(&arena);
	return code;
}
