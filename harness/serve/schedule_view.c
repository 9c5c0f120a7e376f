/*
 * schedule_view.c - see schedule_view.h.
 */
#include "serve/schedule_view.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/zone.h"
#include "serve/layout.h"

bool schedule_view_pauses(const struct visit *visit, struct pause_list *ret_pauses, struct err *e)
{
	struct store *store;

	*ret_pauses = (struct pause_list){ 0 };
	return site_store(visit->site, &store, e) &&
	       (store == NULL ||
		store_pauses(store, visit->arena, &ret_pauses->rows, &ret_pauses->count, e));
}

const struct pause_row *schedule_view_pause(const struct pause_list *pauses, const char *name)
{
	for (size_t i = 0; i < pauses->count; i++)
		if (strcmp(pauses->rows[i].schedule, name) == 0)
			return &pauses->rows[i];
	return NULL;
}

static int by_due(const void *one, const void *other)
{
	const struct planned *a = one;
	const struct planned *b = other;

	if (a->occurrence.due_wall_ns != b->occurrence.due_wall_ns)
		return a->occurrence.due_wall_ns < b->occurrence.due_wall_ns ? -1 : 1;
	return strcmp(a->schedule->name, b->schedule->name);
}

void schedule_view_next(const struct visit *visit, const struct pause_list *pauses, int64_t after_wall_ns,
			size_t most_each, size_t most, struct planned **ret_planned, size_t *ret_count)
{
	const struct schedule_list *schedules = site_schedules(visit->site);
	const size_t schedule_count = schedules == NULL ? 0 : schedules->count;
	struct planned *planned =
		arena_alloc(visit->arena, (schedule_count * most_each + 1) * sizeof *planned);
	struct occurrence *next = arena_alloc(visit->arena, most_each * sizeof *next);
	size_t count = 0;

	for (size_t i = 0; i < schedule_count; i++) {
		const struct schedule *schedule = schedules->items[i];
		const struct pause_row *row = schedule_view_pause(pauses, schedule->name);
		const struct schedule_pause pause = { schedule->name, row == NULL ? "" : row->person,
						      row == NULL ? "" : row->reason,
						      row == NULL ? 0 : row->wall_ns };
		const size_t found = schedule_next(schedule, row == NULL ? NULL : &pause, after_wall_ns,
						   most_each, visit->arena, next);

		for (size_t k = 0; k < found; k++)
			planned[count++] = (struct planned){ schedule, next[k] };
	}
	if (count > 1)
		qsort(planned, count, sizeof *planned, by_due);
	*ret_planned = planned;
	*ret_count = count < most ? count : most;
}

const struct schedule *schedule_view_find(const struct visit *visit, const char *name)
{
	const struct schedule_list *schedules = site_schedules(visit->site);

	for (size_t i = 0; schedules != NULL && i < schedules->count; i++)
		if (strcmp(schedules->items[i]->name, name) == 0)
			return schedules->items[i];
	return NULL;
}

bool schedule_view_experiment(const struct visit *visit, const char *word,
			      const struct schedule **ret_schedule,
			      const struct scheduled_experiment **ret_experiment, struct err *e)
{
	const char *slash = strchr(word, '/');
	const char *name = slash == NULL ? word :
					   arena_copy_bytes(visit->arena, word, (size_t)(slash - word));
	const struct schedule *schedule = schedule_view_find(visit, name);
	int64_t number = 1;

	if (schedule == NULL)
		return err_set(e, ERR_INPUT, "this page knows no schedule `%.80s`: name its file to "
			       "`firedrill serve`", name);
	if ((slash == NULL && schedule->experiment_count > 1) ||
	    (slash != NULL && (!units_parse_count(slash + 1, &number, NULL) || number < 1 ||
			       (uint64_t)number > schedule->experiment_count)))
		return err_set(e, ERR_INPUT, "schedule %s has the experiments 1 to %zu: write %s/1", name,
			       schedule->experiment_count, name);
	*ret_schedule = schedule;
	*ret_experiment = &schedule->experiments[number - 1];
	return true;
}

const char *schedule_view_word(const struct schedule *schedule, size_t experiment_index,
			       struct arena *arena)
{
	return schedule->experiment_count == 1 ?
		       schedule->name :
		       arena_format(arena, "%s/%zu", schedule->name, experiment_index + 1);
}

/* ---- what comes next ---- */

static const char *what_of(const struct planned *planned, struct arena *arena)
{
	const struct schedule *schedule = planned->schedule;

	if (!schedule->is_chaos_day)
		return schedule->experiments[0].title;
	return arena_format(arena, "chaos day, beginning with %s",
			    schedule->experiments[schedule_chaos_turn(schedule,
								      planned->occurrence.nominal_wall_ns, 0)
							  .experiment_index]
				    .title);
}

void schedule_view_moment(const struct schedule *schedule, int64_t wall_ns, struct text *body)
{
	char moment[LAYOUT_AGE_BYTES];
	char there[ZONE_MOMENT_BYTES];

	html_element(body, "span", NULL, layout_moment(wall_ns, moment));
	if (zone_time_at(schedule->zone, wall_ns).offset_s != 0)
		html_element(body, "span", "moment there",
			     zone_format_moment(schedule->zone, wall_ns, there));
}

bool schedule_view_table(const struct visit *visit, size_t most, struct text *body, struct err *e)
{
	static const char *const heads[] = { "When", "Schedule", "What", "Will it run", NULL };
	static const struct html_table table = { "Next runs", "stack runs next", heads, 0 };
	struct planned *planned;
	struct pause_list pauses;
	size_t count;

	if (!schedule_view_pauses(visit, &pauses, e))
		return false;
	schedule_view_next(visit, &pauses, site_wall_ns(visit->site), most, most, &planned, &count);
	if (count == 0) {
		text_add(body, "<p>Nothing comes: no schedule of this page has another time.</p>\n");
		return true;
	}
	html_table_open(body, &table);
	for (size_t i = 0; i < count; i++) {
		const struct occurrence *occurrence = &planned[i].occurrence;

		html_cell_open(body, &table, 0, NULL);
		schedule_view_moment(planned[i].schedule, occurrence->due_wall_ns, body);
		html_cell_close(body, &table, 0);
		html_cell(body, &table, 1, NULL, planned[i].schedule->name);
		html_cell(body, &table, 2, NULL, what_of(&planned[i], visit->arena));
		if (occurrence->fate == FATE_RUNS)
			html_cell(body, &table, 3, NULL, "yes");
		else
			html_cell(body, &table, 3, NULL,
				  arena_format(visit->arena, "no: %s, %s", fate_name(occurrence->fate),
					       occurrence->why));
	}
	html_table_close(body);
	return true;
}
