/*
 * text_vantage.c - see text_vantage.h.
 */
#include "reports/text_vantage.h"

#include "base/units.h"
#include "reports/grid.h"
#include "reports/words_vantage.h"

static void add_row(const struct vantage_view *view, const struct vantage_sight *sight,
		    struct grid *grid)
{
	char buffer[WORDS_BYTES];
	char late[UNITS_TEXT_BYTES];

	grid_row(grid);
	grid_cell(grid, 0, sight == NULL ? "-" : sight->probe, NULL);
	grid_cell(grid, 1, view->name, NULL);
	if (sight == NULL) {
		grid_cell(grid, 2, "nothing is told", NULL);
		return;
	}
	grid_cell(grid, 2, words_outage(sight, buffer), NULL);
	grid_cell(grid, 3, words_span(sight->downtime, buffer), NULL);
	grid_cell(grid, 4, words_failed(sight, buffer), NULL);
	grid_cell(grid, 5, words_count(sight->unseen_count, buffer), NULL);
	grid_cell(grid, 6, units_format_duration(sight->lateness_p99_ns, late), NULL);
}

void text_vantage(const struct story *story, size_t width, bool has_colour, struct text *text)
{
	static const struct grid_column columns[] = {
		{ .head = "Probe", .can_wrap = true },
		{ .head = "From" },
		{ .head = "Outage", .can_wrap = true },
		{ .head = "Down in all", .can_wrap = true },
		{ .head = "Failed", .can_wrap = true, .is_right = true },
		{ .head = "Unseen", .is_right = true },
		{ .head = "Late p99", .is_right = true },
	};
	struct grid grid = { .columns = columns, .column_count = 7 };
	const struct vantage_view *view;
	const struct vantage_sight *sight;
	struct text line = { 0 };

	grid_sentence(text, "  ", 2, width, story->seen_from);
	text_add(text, "\n");
	for (size_t i = 0; (view = words_vantage_row(story, i, &sight)) != NULL; i++)
		add_row(view, sight, &grid);
	grid_print(&grid, 2, width, has_colour, text);
	grid_release(&grid);
	for (size_t i = 0; i < story->view_count; i++) {
		if (story->views[i].run_id == NULL)
			continue;
		text_clear(&line);
		text_addf(&line, "%s: run %s", story->views[i].name, story->views[i].run_id);
		grid_sentence(text, "  ", 4, width, text_str(&line));
	}
	text_release(&line);
}
