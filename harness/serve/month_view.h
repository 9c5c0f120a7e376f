/*
 * month_view.h - a month as a table of weeks: what was due on each day and what became of it, and what
 * comes.
 */
#ifndef SERVE_MONTH_VIEW_H
#define SERVE_MONTH_VIEW_H

#include "serve/schedule_view.h"
#include "store/store_dues.h"

struct month_view {
	int32_t year;
	int32_t month; /* from 1 */
	const struct pause_list *pauses;
	const struct due_row *dues; /* newest first */
	size_t due_count;
};

/* "2026-12", or "" for the month of this moment. ERR_INPUT: there is no such. */
bool month_view_read(const char *text, int64_t now_wall_ns, struct month_view *ret_view, struct err *e);
/* What became of an occurrence, in a colour and a word: how its run ended, or why there is none. */
enum verdict month_view_tone(const struct due_row *due);
const char *month_view_word(const struct due_row *due);
/* With links to the months around it. */
void month_view_write(const struct visit *visit, const struct month_view *view, struct text *body);

#endif
