/*
 * vantage_text.c - see vantage_text.h.
 */
#include "engine/vantage_text.h"

#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "engine/judge_words.h"

static const char *const kind_words[] = {
	[MEASURED_NOTHING] = "nothing",
	[MEASURED_SPAN] = "span",
	[MEASURED_NO_OUTAGE] = "no_outage",
	[MEASURED_NEVER_RECOVERED] = "never_recovered",
};

enum { KIND_COUNT = sizeof kind_words / sizeof kind_words[0] };

/* ---- writing ---- */

static void push_sight(struct json *sights, const struct vantage_sight *sight)
{
	struct json *row = json_push_object(sights);

	json_put_text(row, "probe", sight->probe);
	json_put_int(row, "every_ns", sight->every_ns);
	json_put_bool(row, "is_required", sight->is_required);
	json_put_text(row, "outage", kind_words[sight->kind]);
	json_put_int(row, "low_ns", sight->outage.low_ns);
	if (sight->outage.high_ns == NEVER_NS)
		json_put_null(row, "high_ns");
	else
		json_put_int(row, "high_ns", sight->outage.high_ns);
	json_put_int(row, "down_low_ns", sight->downtime.low_ns);
	json_put_int(row, "down_high_ns", sight->downtime.high_ns);
	json_put_int(row, "attempts", (int64_t)sight->attempt_count);
	json_put_int(row, "bad", (int64_t)sight->bad_count);
	json_put_int(row, "unseen", (int64_t)sight->unseen_count);
	json_put_int(row, "late_p99_ns", sight->lateness_p99_ns);
}

void vantage_text_write(const struct vantage_view *view, struct text *ret_data)
{
	struct json *root = json_object();

	json_put_text(root, "run", view->run_id);
	if (view->why != NULL) {
		json_put_text(root, "why", view->why);
	} else {
		struct json *sights;

		json_put_text(root, "head", view->head);
		sights = json_put_array(root, "sights");
		for (size_t i = 0; i < view->sight_count; i++)
			push_sight(sights, &view->sights[i]);
	}
	json_print(root, false, ret_data);
	json_release(root);
}

/* ---- reading ---- */

static bool read_number(const struct json *row, const char *key, int64_t *ret_number)
{
	return json_int_of(json_get(row, key), ret_number) && *ret_number >= 0;
}

/* The end of an outage that was not over is not known. */
static bool read_end(const struct json *row, enum measured kind, int64_t *ret_ns)
{
	if (kind != MEASURED_NEVER_RECOVERED)
		return read_number(row, "high_ns", ret_ns);
	*ret_ns = NEVER_NS;
	return json_type_of(json_get(row, "high_ns")) == JSON_NULL;
}

static bool read_count(const struct json *row, const char *key, uint64_t *ret_count)
{
	int64_t number = 0;
	const bool ok = read_number(row, key, &number);

	*ret_count = (uint64_t)number;
	return ok;
}

static bool read_kind(const struct json *row, enum measured *ret_kind)
{
	const char *word = json_text_of(json_get(row, "outage"));

	for (size_t i = 0; word != NULL && i < KIND_COUNT; i++)
		if (strcmp(word, kind_words[i]) == 0) {
			*ret_kind = (enum measured)i;
			return true;
		}
	return false;
}

static bool read_sight(const struct json *row, struct arena *arena, struct vantage_sight *sight)
{
	const char *probe = json_text_of(json_get(row, "probe"));

	if (probe == NULL || !read_kind(row, &sight->kind) ||
	    !json_bool_of(json_get(row, "is_required"), &sight->is_required) ||
	    !read_number(row, "every_ns", &sight->every_ns) ||
	    !read_number(row, "low_ns", &sight->outage.low_ns) ||
	    !read_end(row, sight->kind, &sight->outage.high_ns) ||
	    !read_number(row, "down_low_ns", &sight->downtime.low_ns) ||
	    !read_number(row, "down_high_ns", &sight->downtime.high_ns) ||
	    !read_count(row, "attempts", &sight->attempt_count) ||
	    !read_count(row, "bad", &sight->bad_count) ||
	    !read_count(row, "unseen", &sight->unseen_count) ||
	    !read_number(row, "late_p99_ns", &sight->lateness_p99_ns))
		return false;
	sight->probe = arena_copy(arena, probe);
	return sight->outage.low_ns <= sight->outage.high_ns &&
	       sight->downtime.low_ns <= sight->downtime.high_ns;
}

static bool read_sights(const struct json *rows, struct arena *arena, struct vantage_view *view)
{
	const size_t count = json_type_of(rows) == JSON_ARRAY ? json_count(rows) : 0;
	struct vantage_sight *sights = arena_alloc(arena, (count + 1) * sizeof *sights);

	if (count == 0 || count > LIMIT_PROBES)
		return false;
	for (const struct json *row = json_at(rows, 0); row != NULL; row = json_next(row))
		if (!read_sight(row, arena, &sights[view->sight_count++]))
			return false;
	view->sights = sights;
	return true;
}

static const char *copy_text(const struct json *root, const char *key, struct arena *arena)
{
	const char *text = json_text_of(json_get(root, key));

	return text == NULL ? NULL : arena_copy(arena, text);
}

void vantage_text_read(const struct event *event, struct arena *arena,
		       struct vantage_view *ret_view)
{
	struct json *root = NULL;
	struct vantage_view view = { .name = event->name == NULL ? "" : event->name };
	const bool is_object = event->data != NULL &&
			       json_parse(event->data, strlen(event->data), &root, NULL) &&
			       json_type_of(root) == JSON_OBJECT;

	if (is_object) {
		view.run_id = copy_text(root, "run", arena);
		view.head = copy_text(root, "head", arena);
		view.why = copy_text(root, "why", arena);
	}
	if (!is_object || (view.why == NULL && (view.run_id == NULL || view.head == NULL ||
						!read_sights(json_get(root, "sights"), arena, &view)))) {
		view.why = "what was written down of it cannot be read";
		view.sights = NULL;
		view.sight_count = 0;
	}
	json_release(root);
	*ret_view = view;
}

/* ---- words ---- */

const char *vantage_words(const struct vantage_view *view, struct arena *arena)
{
	const struct vantage_sight *worst = vantage_worst(view);
	char every[UNITS_TEXT_BYTES];

	if (view->why != NULL)
		return arena_format(arena, "nothing is told (%s)", view->why);
	if (worst == NULL)
		return "nothing is told (no required probe looked)";
	switch (worst->kind) {
	case MEASURED_NOTHING:
		break;
	case MEASURED_SPAN:
		return judge_span(arena, worst->outage);
	case MEASURED_NO_OUTAGE:
		return arena_format(arena, "no outage at every=%s",
				    units_format_duration_exact(worst->every_ns, every));
	case MEASURED_NEVER_RECOVERED:
		return arena_format(arena, "not over at the end, after at least %s",
				    judge_duration(arena, worst->outage.low_ns));
	}
	return "nothing is told (no attempt was made)";
}

const char *vantage_sentence(const struct vantage_view *views, size_t count, struct arena *arena)
{
	struct text text = { 0 };
	const char *sentence;

	for (size_t i = 0; i < count; i++)
		text_addf(&text, "%sfrom %s: %s", i == 0 ? "seen " : ", ", views[i].name,
			  vantage_words(&views[i], arena));
	sentence = arena_copy(arena, text_str(&text));
	text_release(&text);
	return sentence;
}
