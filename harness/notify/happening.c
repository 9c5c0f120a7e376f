/*
 * happening.c - see happening.h. One table of its texts serves hiding secrets, writing and reading.
 */
#include "notify/happening.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"

struct kind_row {
	uint32_t kind;
	enum weight weight;
	const char *name;
	const char *headline;
};

/* The heaviest last, as in HAPPENING_ROWS; those that no rule asks for come first. */
static const struct kind_row kind_rows[] = {
	{ HAPPENING_TEST, WEIGHT_INFO, "test", "TEST" },
	{ HAPPENING_START, WEIGHT_INFO, "start", "STARTED" },
	{ HAPPENING_END, WEIGHT_GOOD, "end", "MET" },
	{ HAPPENING_CHANGE, WEIGHT_GOOD, "change", "MET AGAIN" },
	{ HAPPENING_NOT_STARTED, WEIGHT_WARNING, "not_started", "NOT STARTED" },
	{ HAPPENING_STOPPED, WEIGHT_WARNING, "stopped", "STOPPED" },
	{ HAPPENING_INCONCLUSIVE, WEIGHT_WARNING, "inconclusive", "INCONCLUSIVE" },
	{ HAPPENING_MISSED, WEIGHT_BAD, "missed", "MISSED" },
	{ HAPPENING_FAILED, WEIGHT_BAD, "failed", "FAILED" },
	{ HAPPENING_MISSED_SCHEDULE, WEIGHT_BAD, "missed_schedule", "DID NOT RUN" },
	{ HAPPENING_LEFTOVER, WEIGHT_WORST, "leftover", "LEFT UNHEALED" },
	{ HAPPENING_RECOVERED, WEIGHT_GOOD, "recovered", "WELL AGAIN" },
	{ HAPPENING_ACKNOWLEDGED, WEIGHT_INFO, "acknowledged", "ACKNOWLEDGED" },
};

enum { KIND_COUNT = sizeof kind_rows / sizeof kind_rows[0] };

static const struct kind_row *heaviest(uint32_t kinds)
{
	const struct kind_row *row = &kind_rows[0];

	for (size_t i = 0; i < KIND_COUNT; i++)
		if ((kinds & kind_rows[i].kind) != 0)
			row = &kind_rows[i];
	return row;
}

const char *happening_name(uint32_t kinds)
{
	return heaviest(kinds)->name;
}

const char *happening_headline(uint32_t kinds)
{
	return heaviest(kinds)->headline;
}

uint32_t happening_find(const char *name)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (strcmp(kind_rows[i].name, name) == 0)
			return kind_rows[i].kind;
	return 0;
}

enum weight happening_weight(const struct happening *happening)
{
	return heaviest(happening->kinds)->weight;
}

bool happening_is_trouble(uint32_t kinds)
{
	return heaviest(kinds)->weight >= WEIGHT_WARNING;
}

void happening_title(const struct happening *happening, struct text *text)
{
	const char *service = happening->service;
	const char *environment = happening->environment;

	text_addf(text, "%s: %s", happening_headline(happening->kinds), happening->title);
	if (service != NULL || environment != NULL)
		text_addf(text, " (%s%s%s)", service == NULL ? "" : service,
			  service == NULL || environment == NULL ? "" : ", ",
			  environment == NULL ? "" : environment);
}

/* ---- the texts ---- */

struct text_row {
	const char *name;
	size_t offset;
};

#define TEXT(member) { #member, offsetof(struct happening, member) }
#define OBJECTIVE_TEXT(member) { #member, offsetof(struct told_objective, member) }

static const struct text_row text_rows[] = {
	TEXT(run_id),	    TEXT(title),	TEXT(hypothesis),
	TEXT(service),	    TEXT(environment),	TEXT(verdict),
	TEXT(sentence),	    TEXT(previous_run), TEXT(previous_sentence),
	TEXT(heal_command), TEXT(report),	TEXT(link),
	TEXT(machine),	    TEXT(person),
};

static const struct text_row objective_rows[] = {
	OBJECTIVE_TEXT(name),	 OBJECTIVE_TEXT(target), OBJECTIVE_TEXT(observed),
	OBJECTIVE_TEXT(verdict), OBJECTIVE_TEXT(reason),
};

static const struct text_row harm_rows[] = {
	{ "fault", offsetof(struct told_harm, fault) },
	{ "hosts", offsetof(struct told_harm, hosts) },
};

enum {
	TEXT_COUNT = sizeof text_rows / sizeof text_rows[0],
	OBJECTIVE_TEXT_COUNT = sizeof objective_rows / sizeof objective_rows[0],
	HARM_TEXT_COUNT = sizeof harm_rows / sizeof harm_rows[0],
};

static const char *text_at(const void *record, const struct text_row *row)
{
	const char *text;

	memcpy(&text, (const char *)record + row->offset, sizeof text);
	return text;
}

static void set_text(void *record, const struct text_row *row, const char *text)
{
	memcpy((char *)record + row->offset, &text, sizeof text);
}

static const char *without(const char *raw, const struct secrets *secrets, struct arena *arena)
{
	struct text text = { 0 };
	const char *clean;

	if (raw == NULL)
		return NULL;
	text_add(&text, raw);
	secrets_redact(secrets, &text);
	clean = arena_copy(arena, text_str(&text));
	text_release(&text);
	return clean;
}

struct happening happening_redact(const struct happening *happening, const struct secrets *secrets,
				  struct arena *arena)
{
	struct happening clean = *happening;
	struct told_objective *objectives =
		arena_alloc(arena, (happening->objective_count + 1) * sizeof *objectives);
	const char **leftovers =
		arena_alloc(arena, (happening->leftover_count + 1) * sizeof *leftovers);
	struct told_harm *harms = arena_alloc(arena, (happening->harm_count + 1) * sizeof *harms);

	for (size_t i = 0; i < TEXT_COUNT; i++)
		set_text(&clean, &text_rows[i],
			 without(text_at(happening, &text_rows[i]), secrets, arena));
	for (size_t i = 0; i < happening->objective_count; i++)
		for (size_t k = 0; k < OBJECTIVE_TEXT_COUNT; k++)
			set_text(&objectives[i], &objective_rows[k],
				 without(text_at(&happening->objectives[i], &objective_rows[k]),
					 secrets, arena));
	for (size_t i = 0; i < happening->leftover_count; i++)
		leftovers[i] = without(happening->leftovers[i], secrets, arena);
	for (size_t i = 0; i < happening->harm_count; i++) {
		harms[i] = happening->harms[i];
		for (size_t k = 0; k < HARM_TEXT_COUNT; k++)
			set_text(&harms[i], &harm_rows[k],
				 without(text_at(&happening->harms[i], &harm_rows[k]), secrets, arena));
	}
	clean.harms = harms;
	clean.objectives = objectives;
	clean.leftovers = leftovers;
	return clean;
}

/* ---- JSON ---- */

static void put_span(struct json *object, const char *key, struct told_span span)
{
	struct json *child;

	if (!span.is_known) {
		json_put_null(object, key);
		return;
	}
	child = json_put_object(object, key);
	json_put_int(child, "low_ns", span.low_ns);
	json_put_int(child, "high_ns", span.high_ns);
}

void moment_put(struct json *object, const char *key, int64_t wall_ns)
{
	char text[32];

	(void)snprintf(text, sizeof text, "%" PRId64, wall_ns);
	json_put_text(object, key, text);
}

int64_t moment_get(const struct json *object, const char *key)
{
	const char *text = json_text_of(json_get(object, key));
	int64_t wall_ns = 0;

	return text != NULL && units_parse_count(text, &wall_ns, NULL) ? wall_ns : 0;
}

static void put_harms(struct json *object, const struct happening *happening)
{
	struct json *harms = json_put_array(object, "harms");

	for (size_t i = 0; i < happening->harm_count; i++) {
		const struct told_harm *told = &happening->harms[i];
		struct json *harm = json_push_object(harms);

		for (size_t k = 0; k < HARM_TEXT_COUNT; k++)
			json_put_text(harm, harm_rows[k].name, text_at(told, &harm_rows[k]));
		moment_put(harm, "from_wall_ns", told->from_wall_ns);
		moment_put(harm, "until_wall_ns", told->until_wall_ns);
		json_put_bool(harm, "is_healed", told->is_healed);
	}
	json_put_int(object, "untold_harm_count", happening->untold_harm_count);
}

void happening_put(struct json *object, const struct happening *happening)
{
	struct json *kinds = json_put_array(object, "kinds");
	struct json *objectives;
	struct json *leftovers;
	char time[32];

	clock_format_wall(happening->wall_ns, time, sizeof time);
	json_put_text(object, "kind", happening_name(happening->kinds));
	for (size_t i = 0; i < KIND_COUNT; i++)
		if ((happening->kinds & kind_rows[i].kind) != 0)
			json_push_text(kinds, kind_rows[i].name);
	for (size_t i = 0; i < TEXT_COUNT; i++)
		json_put_text(object, text_rows[i].name, text_at(happening, &text_rows[i]));
	json_put_text(object, "time", time);
	moment_put(object, "wall_ns", happening->wall_ns);
	json_put_int(object, "tier", happening->tier);
	json_put_int(object, "exit_code", happening->exit_code);
	json_put_int(object, "after_ns", happening->after_ns);
	put_span(object, "rto", happening->rto);
	put_span(object, "rpo", happening->rpo);
	objectives = json_put_array(object, "objectives");
	for (size_t i = 0; i < happening->objective_count; i++) {
		struct json *objective = json_push_object(objectives);

		for (size_t k = 0; k < OBJECTIVE_TEXT_COUNT; k++)
			json_put_text(objective, objective_rows[k].name,
				      text_at(&happening->objectives[i], &objective_rows[k]));
	}
	leftovers = json_put_array(object, "leftovers");
	for (size_t i = 0; i < happening->leftover_count; i++)
		json_push_text(leftovers, happening->leftovers[i]);
	put_harms(object, happening);
}

static void get_texts(const struct json *object, const struct text_row *rows, size_t count,
		      struct arena *arena, void *record)
{
	for (size_t i = 0; i < count; i++)
		set_text(record, &rows[i],
			 arena_copy(arena, json_text_of(json_get(object, rows[i].name))));
}

/* A file that somebody has damaged must not end a process that delivers. */
static const char *never_null(const char *text)
{
	return text == NULL ? "" : text;
}

static int64_t get_int(const struct json *object, const char *key)
{
	int64_t number = 0;

	return json_int_of(json_get(object, key), &number) ? number : 0;
}

static struct told_span get_span(const struct json *object, const char *key)
{
	const struct json *span = json_get(object, key);

	return (struct told_span){ .is_known = json_type_of(span) == JSON_OBJECT,
				   .low_ns = get_int(span, "low_ns"),
				   .high_ns = get_int(span, "high_ns") };
}

static void get_lists(const struct json *object, struct arena *arena, struct happening *happening)
{
	const struct json *listed = json_get(object, "objectives");
	const size_t objective_count = json_type_of(listed) == JSON_ARRAY ? json_count(listed) : 0;
	struct told_objective *objectives =
		arena_alloc(arena, (objective_count + 1) * sizeof *objectives);

	for (size_t i = 0; i < objective_count; i++) {
		get_texts(json_at(listed, i), objective_rows, OBJECTIVE_TEXT_COUNT, arena,
			  &objectives[i]);
		for (size_t k = 0; k < OBJECTIVE_TEXT_COUNT; k++)
			set_text(&objectives[i], &objective_rows[k],
				 never_null(text_at(&objectives[i], &objective_rows[k])));
	}
	happening->objectives = objectives;
	happening->objective_count = objective_count;
	listed = json_get(object, "leftovers");

	const size_t leftover_count = json_type_of(listed) == JSON_ARRAY ? json_count(listed) : 0;
	const char **leftovers = arena_alloc(arena, (leftover_count + 1) * sizeof *leftovers);

	for (size_t i = 0; i < leftover_count; i++)
		leftovers[i] = never_null(
			arena_copy(arena, json_text_of(json_at(listed, i))));
	happening->leftovers = leftovers;
	happening->leftover_count = leftover_count;
}

static void get_harms(const struct json *object, struct arena *arena, struct happening *happening)
{
	const struct json *listed = json_get(object, "harms");
	const size_t count = json_type_of(listed) == JSON_ARRAY ? json_count(listed) : 0;
	struct told_harm *harms = arena_alloc(arena, (count + 1) * sizeof *harms);

	for (size_t i = 0; i < count; i++) {
		const struct json *harm = json_at(listed, i);

		get_texts(harm, harm_rows, HARM_TEXT_COUNT, arena, &harms[i]);
		harms[i].fault = never_null(harms[i].fault);
		harms[i].hosts = never_null(harms[i].hosts);
		harms[i].from_wall_ns = moment_get(harm, "from_wall_ns");
		harms[i].until_wall_ns = moment_get(harm, "until_wall_ns");
		(void)json_bool_of(json_get(harm, "is_healed"), &harms[i].is_healed);
	}
	happening->harms = harms;
	happening->harm_count = count;
	happening->untold_harm_count = get_int(object, "untold_harm_count");
}

void happening_get(const struct json *object, struct arena *arena, struct happening *ret_happening)
{
	struct happening happening = { 0 };
	const struct json *kinds = json_get(object, "kinds");
	const size_t kind_count = json_type_of(kinds) == JSON_ARRAY ? json_count(kinds) : 0;

	get_texts(object, text_rows, TEXT_COUNT, arena, &happening);
	happening.run_id = never_null(happening.run_id);
	happening.title = never_null(happening.title);
	happening.verdict = never_null(happening.verdict);
	happening.sentence = never_null(happening.sentence);
	if (happening.previous_run != NULL)
		happening.previous_sentence = never_null(happening.previous_sentence);
	for (size_t i = 0; i < kind_count; i++) {
		const char *name = json_text_of(json_at(kinds, i));

		happening.kinds |= name == NULL ? 0 : happening_find(name);
	}
	happening.wall_ns = moment_get(object, "wall_ns");
	happening.tier = get_int(object, "tier");
	happening.exit_code = get_int(object, "exit_code");
	happening.after_ns = get_int(object, "after_ns");
	happening.rto = get_span(object, "rto");
	happening.rpo = get_span(object, "rpo");
	get_lists(object, arena, &happening);
	get_harms(object, arena, &happening);
	*ret_happening = happening;
}
