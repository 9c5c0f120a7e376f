/*
 * month_view.c - see month_view.h. Days are those of UTC, as all moments of the pages are.
 */
#include "serve/month_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/zone.h"
#include "reports/escape.h"
#include "reports/words.h"
#include "serve/layout.h"

/* Of one schedule on one day, and of all of them in one cell; what is more is said. */
enum { EACH_A_DAY = 3, ITEMS_A_DAY = 12, YEAR_MIN = 1970, YEAR_MAX = 2199 };

static const int64_t day_ns = INT64_C(86400) * NS_PER_S;

static const char *const month_names[] = { "January", "February", "March", "April", "May", "June", "July",
					   "August", "September", "October", "November", "December" };
static const char *const weekdays[][2] = { { "Mon", "Monday" }, { "Tue", "Tuesday" }, { "Wed", "Wednesday" },
					   { "Thu", "Thursday" }, { "Fri", "Friday" }, { "Sat", "Saturday" },
					   { "Sun", "Sunday" } };

/* The day on which a month begins, since 1970-01-01. */
static int64_t first_day(int32_t year, int32_t month)
{
	char text[32];
	int64_t day = 0;

	(void)snprintf(text, sizeof text, "%04d-%02d-01", (int)year, (int)month);
	(void)zone_parse_date(text, &day, NULL); /* there is one in every month */
	return day;
}

static int64_t first_day_after(int32_t year, int32_t month)
{
	return month == 12 ? first_day(year, 12) + 31 : first_day(year, month + 1);
}

bool month_view_read(const char *text, int64_t now_wall_ns, struct month_view *ret_view, struct err *e)
{
	char date[ZONE_DATE_BYTES];
	int year = 0;
	int month = 0;
	int used = 0;

	if (*text == '\0')
		(void)sscanf(zone_format_date(now_wall_ns / day_ns, date), "%4d-%2d", &year, &month);
	else if (strlen(text) != 7 || sscanf(text, "%4d-%2d%n", &year, &month, &used) != 2 || used != 7 ||
		 year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12)
		return err_set(e, ERR_INPUT, "there is no month `%.40s`; write 2026-12", text);
	ret_view->year = year;
	ret_view->month = month;
	return true;
}

/* ---- one day ---- */

/* Of one whose run has ended, that run; its title is not known. */
static bool has_result(const struct due_row *due, struct history_run *ret_run)
{
	*ret_run = (struct history_run){ .state = RUN_ENDED, .exit_code = (enum run_exit)due->exit_code };
	return due->state == DUE_DONE && due->exit_code >= EXIT_MET && due->exit_code <= EXIT_INTERNAL;
}

enum verdict month_view_tone(const struct due_row *due)
{
	struct history_run run;

	if (has_result(due, &run))
		return history_tone(&run);
	return due->state == DUE_MISSED || due->state == DUE_ABANDONED ? VERDICT_MISSED :
									 VERDICT_INCONCLUSIVE;
}

const char *month_view_word(const struct due_row *due)
{
	struct history_run run;

	return has_result(due, &run) ? history_word(&run) : due_state_name(due->state);
}

static void add_clock(int64_t wall_ns, struct text *body)
{
	const int64_t minute = wall_ns % day_ns / (60 * NS_PER_S);

	text_addf(body, "%02" PRId64 ":%02" PRId64 " ", minute / 60, minute % 60);
}

static void add_due(const struct due_row *due, struct text *body)
{
	text_add(body, "<li class=\"was\">");
	add_clock(due->due_wall_ns, body);
	if (due->run_id != NULL) {
		struct text address = { 0 };

		text_add(&address, "/runs/");
		request_encode(&address, due->run_id);
		html_link(body, text_str(&address), due->schedule);
		text_release(&address);
	} else {
		escape_markup(body, due->schedule);
	}
	text_addf(body, " <span>%s %s</span></li>", words_mark(month_view_tone(due), true),
		  month_view_word(due));
}

static void add_planned(const struct planned *planned, bool has_more, struct text *body)
{
	const enum fate fate = planned->occurrence.fate;

	text_add(body, "<li>");
	add_clock(planned->occurrence.due_wall_ns, body);
	escape_markup(body, planned->schedule->name);
	if (fate != FATE_RUNS)
		text_addf(body, " <span>%s</span>", fate_name(fate));
	text_add(body, has_more ? ", and more</li>" : "</li>");
}

/* Of one schedule the first few, the last of which says whether there are more. */
static size_t add_comings(const struct visit *visit, const struct month_view *view, int64_t begin_ns,
			  size_t room, struct text *body)
{
	const int64_t now_ns = site_wall_ns(visit->site);
	const int64_t after_ns = (begin_ns > now_ns ? begin_ns : now_ns + 1) - 1;
	struct planned *planned;
	size_t count;
	size_t item_count = 0;

	if (begin_ns + day_ns <= now_ns)
		return 0;
	schedule_view_next(visit, view->pauses, after_ns, EACH_A_DAY + 1, SIZE_MAX, &planned, &count);
	for (size_t i = 0; i < count && planned[i].occurrence.due_wall_ns < begin_ns + day_ns; i++) {
		size_t before = 0;
		size_t behind = 0;

		for (size_t k = 0; k < count; k++)
			if (planned[k].schedule == planned[i].schedule &&
			    planned[k].occurrence.due_wall_ns < begin_ns + day_ns) {
				before += k < i;
				behind += k > i;
			}
		if (before < EACH_A_DAY && item_count++ < room)
			add_planned(&planned[i], before == EACH_A_DAY - 1 && behind > 0, body);
	}
	return item_count;
}

/* Whether there is anything on it. */
static bool add_day(const struct visit *visit, const struct month_view *view, int64_t day, struct text *body)
{
	const int64_t begin_ns = day * day_ns;
	const bool is_today = site_wall_ns(visit->site) / day_ns == day;
	struct text items = { 0 };
	char date[ZONE_DATE_BYTES];
	size_t count = 0;

	(void)zone_format_date(day, date);
	for (size_t i = view->due_count; i > 0; i--) {
		const struct due_row *due = &view->dues[i - 1];

		if (due->turn > 0 && due->due_wall_ns >= begin_ns && due->due_wall_ns < begin_ns + day_ns &&
		    count++ < ITEMS_A_DAY)
			add_due(due, &items);
	}
	count += add_comings(visit, view, begin_ns, count < ITEMS_A_DAY ? ITEMS_A_DAY - count : 0, &items);
	if (count > ITEMS_A_DAY)
		text_addf(&items, "<li>and %zu more</li>", count - ITEMS_A_DAY);
	text_addf(body, "<td data-day=\"%s\"%s%s><time datetime=\"%.10s\">%d</time>",
		  weekdays[(day + 3) % 7][0], count == 0 ? " class=\"empty\"" : "", is_today ? " aria-current=\"date\"" : "", date,
		  (date[8] - '0') * 10 + date[9] - '0');
	if (count > 0)
		text_addf(body, "<ul>%s</ul>", text_str(&items));
	text_add(body, "</td>");
	text_release(&items);
	return count > 0;
}

/* ---- the month ---- */

static void add_link(const char *words, int32_t year, int32_t month, struct text *body)
{
	if (year < YEAR_MIN || year > YEAR_MAX)
		return;
	text_addf(body, "<a href=\"/schedule?month=%04d-%02d#month-head\">%s</a>\n", (int)year, (int)month,
		  words);
}

static void add_around(const struct month_view *view, struct text *body)
{
	text_add(body, "<nav class=\"paging\" aria-label=\"Other months\">\n");
	add_link("Month before", view->month == 1 ? view->year - 1 : view->year,
		 view->month == 1 ? 12 : view->month - 1, body);
	text_add(body, "<a href=\"/schedule#month-head\">This month</a>\n");
	add_link("Month after", view->month == 12 ? view->year + 1 : view->year,
		 view->month == 12 ? 1 : view->month + 1, body);
	text_add(body, "</nav>\n");
}

void month_view_write(const struct visit *visit, const struct month_view *view, struct text *body)
{
	const int64_t first = first_day(view->year, view->month);
	const int64_t end = first_day_after(view->year, view->month);
	const int64_t weekday = (first + 3) % 7; /* 1970-01-01 was a Thursday */
	bool is_empty = true;

	text_addf(body, "<div class=\"scroll\" role=\"region\" aria-label=\"Calendar\" tabindex=\"0\">"
			"<table class=\"month\"><caption>%s %d, days and times of UTC</caption>\n<thead><tr>",
		  month_names[view->month - 1], (int)view->year);
	for (size_t i = 0; i < 7; i++)
		text_addf(body, "<th scope=\"col\"><abbr title=\"%s\">%s</abbr></th>", weekdays[i][1],
			  weekdays[i][0]);
	text_add(body, "</tr></thead>\n<tbody>\n");
	for (int64_t monday = first - weekday; monday < end; monday += 7) {
		text_add(body, "<tr>");
		for (int64_t day = monday; day < monday + 7; day++) {
			if (day < first || day >= end)
				text_add(body, "<td class=\"empty\"></td>");
			else
				is_empty &= !add_day(visit, view, day, body);
		}
		text_add(body, "</tr>\n");
	}
	text_add(body, "</tbody></table></div>\n");
	if (is_empty)
		text_add(body, "<p>Nothing in this month.</p>\n");
	add_around(view, body);
}
