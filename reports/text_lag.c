/*
 * text_lag.c - replication lag in the text report: the worst of each window, and the moments that a
 * failover turns on.
 */
#include "reports/text_lag.h"

#include "reports/grid.h"
#include "reports/words_lag.h"

static void add_replica(const struct story *story, const struct replica_lag *replica,
			struct grid *grid)
{
	const struct lag_worst *worst;
	const char *when;
	char buffer[WORDS_BYTES];

	grid_row(grid);
	grid_cell(grid, 0, replica->replica, NULL);
	for (size_t i = 0; (worst = words_lag_window(story, replica, i, &when)) != NULL; i++) {
		struct text name = { 0 };

		text_addf(&name, "  %s", when);
		grid_row(grid);
		grid_cell(grid, 0, text_str(&name), NULL);
		grid_cell(grid, 1, words_lag_bytes(worst->flush_bytes, buffer), NULL);
		grid_cell(grid, 2, words_lag_time(worst->flush_bytes, worst->flush_behind, buffer),
			  NULL);
		grid_cell(grid, 3, words_lag_bytes(worst->replay_bytes, buffer), NULL);
		grid_cell(grid, 4, words_lag_unknown(worst, buffer), NULL);
		text_release(&name);
	}
}

void text_lag(const struct story *story, const struct lag_result *lag, size_t width, bool has_colour,
	      struct text *text)
{
	static const struct grid_column columns[] = {
		{ .head = "At worst", .can_wrap = true },
		{ .head = "Not flushed", .is_right = true },
		{ .head = "Behind", .can_wrap = true, .is_right = true },
		{ .head = "Not replayed", .is_right = true },
		{ .head = "Unknown for", .can_wrap = true, .is_right = true },
	};
	struct grid grid = { .columns = columns, .column_count = 5 };
	struct text line = { 0 };

	for (size_t i = 0; i < lag->replica_count; i++)
		add_replica(story, &lag->replicas[i], &grid);
	if (lag->replica_count > 0)
		grid_print(&grid, 2, width, has_colour, text);
	else
		grid_sentence(text, "  ", 2, width, "no primary told of a replica");
	grid_release(&grid);
	for (size_t i = 0; i < lag->replica_count; i++) {
		text_clear(&line);
		words_lag_moments(story, &lag->replicas[i], &line);
		if (line.length_bytes > 0)
			grid_sentence(text, "  ", 4, width, text_str(&line));
	}
	text_release(&line);
}
