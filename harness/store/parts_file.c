/*
 * parts_file.c - see parts_file.h. Moments and seeds are texts: they are more than a number of JSON can hold
 * for every reader.
 */
#include "store/parts_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/units.h"

static const char format_name[] = "firedrill store";

enum { FORMAT_VERSION = 1 };

/* ---- out ---- */

static void put_moment(struct json *object, const char *key, int64_t wall_ns)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%" PRId64, wall_ns);
	json_put_text(object, key, text);
}

static void put_set(struct json *object, const struct stored_set *set)
{
	const struct set_row *row = &set->row;
	char seed[24];

	(void)snprintf(seed, sizeof seed, "%" PRIu64, row->seed);
	json_put_text(object, "id", row->set_id);
	json_put_text(object, "title", row->title);
	json_put_text(object, "version", row->version);
	put_moment(object, "wall_ns", row->wall_ns);
	json_put_text(object, "seed", seed);
	json_put_int(object, "planned_count", row->planned_count);
	json_put_text(object, "boot_id", row->boot_id);
	json_put_int(object, "pid", row->pid);
	json_put_int(object, "pid_start", row->pid_start);
	json_put_text(object, "seal", set->seal);
	put_moment(object, "ended_wall_ns", row->ended_wall_ns);
	json_put_int(object, "trial_count", row->trial_count);
	json_put_int(object, "exit_code", row->exit_code);
	json_put_text(object, "sentence", row->sentence);
	json_put_text(object, "stopped", row->stopped);
	json_put_text(object, "end_seal", row->is_ended ? set->end_seal : NULL);
}

void parts_print(const struct store_parts *parts, const char *exporter, struct text *json)
{
	struct json *root = json_object();
	struct json *rows;

	json_put_text(root, "format", format_name);
	json_put_int(root, "format_version", FORMAT_VERSION);
	json_put_text(root, "exporter", exporter);
	rows = json_put_array(root, "sets");
	for (size_t i = 0; i < parts->set_count; i++)
		put_set(json_push_object(rows), &parts->sets[i]);
	rows = json_put_array(root, "recordings");
	for (size_t i = 0; i < parts->recording_count; i++) {
		struct json *row = json_push_object(rows);

		json_put_text(row, "name", parts->recordings[i].name);
		json_put_text(row, "title", parts->recordings[i].title);
		json_put_text(row, "run", parts->recordings[i].run_id);
		put_moment(row, "wall_ns", parts->recordings[i].wall_ns);
	}
	rows = json_put_array(root, "holds");
	for (size_t i = 0; i < parts->hold_count; i++) {
		struct json *row = json_push_object(rows);

		json_put_text(row, "run", parts->holds[i].run_id);
		json_put_text(row, "person", parts->holds[i].person);
		json_put_text(row, "reason", parts->holds[i].reason);
		put_moment(row, "wall_ns", parts->holds[i].wall_ns);
	}
	rows = json_put_array(root, "pauses");
	for (size_t i = 0; i < parts->pause_count; i++) {
		struct json *row = json_push_object(rows);

		json_put_text(row, "schedule", parts->pauses[i].schedule);
		json_put_text(row, "person", parts->pauses[i].person);
		json_put_text(row, "reason", parts->pauses[i].reason);
		put_moment(row, "wall_ns", parts->pauses[i].wall_ns);
	}
	json_print(root, true, json);
	text_add(json, "\n");
	json_release(root);
}

/* ---- in ---- */

/* Reads one row; the first thing that is missing is kept, and told. */
struct reader {
	struct arena *arena;
	const struct json *row;
	const char *missing;
};

static const char *take_text(struct reader *reader, const char *key)
{
	const char *text = json_text_of(json_get(reader->row, key));

	if (text == NULL && reader->missing == NULL)
		reader->missing = key;
	return text == NULL ? "" : arena_copy(reader->arena, text);
}

static const char *take_text_or_null(struct reader *reader, const char *key)
{
	return arena_copy(reader->arena, json_text_of(json_get(reader->row, key)));
}

static int64_t take_int(struct reader *reader, const char *key)
{
	int64_t number = 0;

	if (!json_int_of(json_get(reader->row, key), &number) && reader->missing == NULL)
		reader->missing = key;
	return number;
}

static int64_t take_moment(struct reader *reader, const char *key)
{
	int64_t wall_ns = 0;

	if (!units_parse_count(take_text(reader, key), &wall_ns, NULL) && reader->missing == NULL)
		reader->missing = key;
	return wall_ns;
}

static bool is_whole(const struct reader *reader, const char *what, struct err *e)
{
	return reader->missing == NULL ||
	       err_set(e, ERR_INPUT, "%s without `%s`, or with something else there", what,
		       reader->missing);
}

static bool take_set(struct reader *reader, struct stored_set *set, struct err *e)
{
	set->row = (struct set_row){
		.set_id = take_text(reader, "id"),
		.title = take_text_or_null(reader, "title"),
		.version = take_text_or_null(reader, "version"),
		.wall_ns = take_moment(reader, "wall_ns"),
		.seed = strtoull(take_text(reader, "seed"), NULL, 10), /* the seal decides */
		.planned_count = take_int(reader, "planned_count"),
		.boot_id = take_text(reader, "boot_id"),
		.pid = take_int(reader, "pid"),
		.pid_start = take_int(reader, "pid_start"),
		.ended_wall_ns = take_moment(reader, "ended_wall_ns"),
		.trial_count = take_int(reader, "trial_count"),
		.exit_code = take_int(reader, "exit_code"),
		.sentence = take_text_or_null(reader, "sentence"),
		.stopped = take_text_or_null(reader, "stopped"),
	};
	set->seal = take_text(reader, "seal");
	set->end_seal = take_text_or_null(reader, "end_seal");
	set->row.is_ended = set->end_seal != NULL;
	return is_whole(reader, "a set of trials", e);
}

static bool take_recording(struct reader *reader, struct stored_recording *recording, struct err *e)
{
	*recording = (struct stored_recording){
		.name = take_text(reader, "name"),
		.title = take_text(reader, "title"),
		.run_id = take_text(reader, "run"),
		.wall_ns = take_moment(reader, "wall_ns"),
	};
	return is_whole(reader, "a recording", e);
}

static bool take_hold(struct reader *reader, struct hold_row *hold, struct err *e)
{
	*hold = (struct hold_row){
		.run_id = take_text(reader, "run"),
		.person = take_text(reader, "person"),
		.reason = take_text(reader, "reason"),
		.wall_ns = take_moment(reader, "wall_ns"),
	};
	return is_whole(reader, "a hold", e);
}

static bool take_pause(struct reader *reader, struct pause_row *pause, struct err *e)
{
	*pause = (struct pause_row){
		.schedule = take_text(reader, "schedule"),
		.person = take_text(reader, "person"),
		.reason = take_text(reader, "reason"),
		.wall_ns = take_moment(reader, "wall_ns"),
	};
	return is_whole(reader, "a pause", e);
}

/* NULL, and *ret_count 0, when it is no array. */
static const struct json *first_of(const struct json *root, const char *key, size_t *ret_count)
{
	const struct json *rows = json_get(root, key);

	*ret_count = json_type_of(rows) == JSON_ARRAY ? json_count(rows) : 0;
	return *ret_count == 0 ? NULL : json_at(rows, 0);
}

static bool take_rows(const struct json *root, struct arena *arena, struct store_parts *parts,
		      struct err *e)
{
	const struct json *row = first_of(root, "sets", &parts->set_count);
	bool ok = true;

	parts->sets = arena_alloc(arena, (parts->set_count + 1) * sizeof *parts->sets);
	for (size_t i = 0; ok && i < parts->set_count; i++, row = json_next(row))
		ok = take_set(&(struct reader){ arena, row, NULL }, &parts->sets[i], e);
	row = first_of(root, "recordings", &parts->recording_count);
	parts->recordings =
		arena_alloc(arena, (parts->recording_count + 1) * sizeof *parts->recordings);
	for (size_t i = 0; ok && i < parts->recording_count; i++, row = json_next(row))
		ok = take_recording(&(struct reader){ arena, row, NULL }, &parts->recordings[i], e);
	row = first_of(root, "holds", &parts->hold_count);
	parts->holds = arena_alloc(arena, (parts->hold_count + 1) * sizeof *parts->holds);
	for (size_t i = 0; ok && i < parts->hold_count; i++, row = json_next(row))
		ok = take_hold(&(struct reader){ arena, row, NULL }, &parts->holds[i], e);
	row = first_of(root, "pauses", &parts->pause_count);
	parts->pauses = arena_alloc(arena, (parts->pause_count + 1) * sizeof *parts->pauses);
	for (size_t i = 0; ok && i < parts->pause_count; i++, row = json_next(row))
		ok = take_pause(&(struct reader){ arena, row, NULL }, &parts->pauses[i], e);
	return ok;
}

bool parts_parse(const char *bytes, size_t length_bytes, struct arena *arena,
		 struct store_parts *ret_parts, struct err *e)
{
	struct store_parts parts = { 0 };
	struct json *root = NULL;
	const char *format;
	int64_t version = 0;
	bool ok = json_parse(bytes, length_bytes, &root, e);

	format = json_text_of(json_get(root, "format"));
	if (ok && (format == NULL || strcmp(format, format_name) != 0 ||
		   !json_int_of(json_get(root, "format_version"), &version) ||
		   version != FORMAT_VERSION))
		ok = err_set(e, ERR_INPUT, "it is no `%s` of format_version %d", format_name,
			     FORMAT_VERSION);
	ok = ok && take_rows(root, arena, &parts, e);
	json_release(root);
	if (ok)
		*ret_parts = parts;
	return ok;
}
