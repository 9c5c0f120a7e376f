/*
 * schedule_json.c - see schedule_json.h. Moments are ISO 8601 in UTC, as in the other documents.
 */
#include "cli/schedule_json.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

enum { FORMAT_VERSION = 1, MOMENT_BYTES = 32 };

const struct scheduled_experiment *coming_first(const struct coming *coming)
{
	const struct schedule *schedule = coming->schedule;

	if (!schedule->is_chaos_day || coming->occurrence->fate != FATE_RUNS)
		return NULL;
	return &schedule->experiments[schedule_chaos_turn(schedule,
							  coming->occurrence->nominal_wall_ns, 0)
					      .experiment_index];
}

bool schedule_lists(const struct schedule_list *schedules, const char *name)
{
	for (size_t i = 0; i < schedules->count; i++)
		if (strcmp(schedules->items[i]->name, name) == 0)
			return true;
	return false;
}

static void put_moment(struct json *object, const char *key, int64_t wall_ns)
{
	char moment[MOMENT_BYTES];

	clock_format_wall(wall_ns, moment, sizeof moment);
	json_put_text(object, key, moment);
}

static struct json *begin(const char *format)
{
	struct json *root = json_object();

	json_put_text(root, "format", format);
	json_put_int(root, "format_version", FORMAT_VERSION);
	return root;
}

static void end(struct json *taken_root)
{
	struct text text = { 0 };

	json_print(taken_root, true, &text);
	(void)printf("%s\n", text_str(&text)); /* main.c looks at the stream at the end */
	text_release(&text);
	json_release(taken_root);
}

/* ---- what comes ---- */

static void put_schedule(struct json *row, const struct schedule *schedule)
{
	struct json *experiments;
	struct json *labels;

	json_put_text(row, "name", schedule->name);
	json_put_text(row, "when", schedule->text);
	json_put_bool(row, "is_chaos_day", schedule->is_chaos_day);
	experiments = json_put_array(row, "experiments");
	for (size_t i = 0; i < schedule->experiment_count; i++) {
		struct json *experiment = json_push_object(experiments);

		json_put_text(experiment, "path", schedule->experiments[i].path);
		json_put_text(experiment, "title", schedule->experiments[i].title);
	}
	labels = json_put_array(row, "labels");
	for (size_t i = 0; i < schedule->label_count; i++)
		json_push_text(labels, schedule->labels[i]);
}

static void put_coming(struct json *row, const struct coming *coming)
{
	const struct occurrence *occurrence = coming->occurrence;
	const struct scheduled_experiment *first = coming_first(coming);
	char local[ZONE_MOMENT_BYTES];

	json_put_text(row, "schedule", coming->schedule->name);
	put_moment(row, "nominal", occurrence->nominal_wall_ns);
	put_moment(row, "due", occurrence->due_wall_ns);
	json_put_text(row, "due_local", zone_format_moment(coming->schedule->zone,
							   occurrence->due_wall_ns, local));
	json_put_bool(row, "runs", occurrence->fate == FATE_RUNS);
	json_put_text(row, "not_run", occurrence->fate == FATE_RUNS ? NULL :
								      fate_name(occurrence->fate));
	json_put_text(row, "why", occurrence->why);
	json_put_text(row, "begins_with", first == NULL ? NULL : first->path);
}

static void put_pause(struct json *row, const struct schedule_list *schedules,
		      const struct pause_row *pause)
{
	json_put_text(row, "schedule", pause->schedule);
	json_put_text(row, "person", pause->person);
	json_put_text(row, "reason", pause->reason);
	put_moment(row, "since", pause->wall_ns);
	json_put_bool(row, "is_known", schedule_lists(schedules, pause->schedule));
}

void schedule_print_json(const struct schedule_listing *listing)
{
	struct json *root = begin("firedrill schedule");
	struct json *schedules = json_put_array(root, "schedules");
	struct json *occurrences = json_put_array(root, "occurrences");
	struct json *pauses = json_put_array(root, "pauses");

	for (size_t i = 0; i < listing->schedules->count; i++)
		put_schedule(json_push_object(schedules), listing->schedules->items[i]);
	for (size_t i = 0; i < listing->coming_count; i++)
		put_coming(json_push_object(occurrences), &listing->coming[i]);
	for (size_t i = 0; i < listing->pause_count; i++)
		put_pause(json_push_object(pauses), listing->schedules, &listing->pauses[i]);
	end(root);
}

/* ---- what was ---- */

static void put_past(struct json *row, const struct due_row *due)
{
	json_put_text(row, "schedule", due->schedule);
	put_moment(row, "nominal", due->nominal_wall_ns);
	json_put_int(row, "turn", due->turn);
	put_moment(row, "due", due->due_wall_ns);
	json_put_text(row, "state", due_state_name(due->state));
	json_put_text(row, "worker", due->worker);
	json_put_text(row, "run", due->run_id);
	if (due->ended_wall_ns == 0)
		json_put_null(row, "ended");
	else
		put_moment(row, "ended", due->ended_wall_ns);
	if (due->exit_code < 0)
		json_put_null(row, "exit_code");
	else
		json_put_int(row, "exit_code", due->exit_code);
	json_put_text(row, "sentence", due->sentence);
}

void schedule_print_past_json(const struct due_row *rows, size_t count)
{
	struct json *root = begin("firedrill schedule past");
	struct json *occurrences = json_put_array(root, "occurrences");

	for (size_t i = 0; i < count; i++)
		put_past(json_push_object(occurrences), &rows[i]);
	end(root);
}
