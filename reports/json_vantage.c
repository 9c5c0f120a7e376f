/*
 * json_vantage.c - `vantage_points` and `seen_from` of the JSON report; `watch` of a run that only watched.
 * What nobody knows is null, never 0.
 */
#include "reports/json_parts.h"

#include "reports/words.h"

static void push_sight(struct json *rows, const struct vantage_sight *sight)
{
	struct json *row = json_push_object(rows);

	json_put_text(row, "name", sight->probe);
	json_put_bool(row, "is_required", sight->is_required);
	json_put_int(row, "every_ns", sight->every_ns);
	json_put_text(row, "kind", words_rto_kind(sight->kind));
	if (sight->kind == MEASURED_SPAN || sight->kind == MEASURED_NEVER_RECOVERED)
		put_bounds(row, "outage", sight->outage);
	else
		json_put_null(row, "outage");
	put_bounds(row, "downtime", sight->downtime);
	json_put_int(row, "attempt_count", (int64_t)sight->attempt_count);
	json_put_int(row, "bad_count", (int64_t)sight->bad_count);
	json_put_int(row, "unseen_count", (int64_t)sight->unseen_count);
	json_put_int(row, "lateness_p99_ns", sight->lateness_p99_ns);
}

static void push_view(struct json *rows, const struct vantage_view *view)
{
	struct json *row = json_push_object(rows);
	struct json *probes;

	json_put_text(row, "name", view->name);
	json_put_text(row, "run", view->run_id);
	json_put_text(row, "head", view->head);
	json_put_text(row, "untold", view->why);
	probes = json_put_array(row, "probes");
	for (size_t i = 0; i < view->sight_count; i++)
		push_sight(probes, &view->sights[i]);
}

void put_vantage(struct json *root, const struct story *story)
{
	struct json *rows;

	if (story->watch_of != NULL) {
		struct json *watch = json_put_object(root, "watch");

		json_put_text(watch, "of", story->watch_of);
		json_put_text(watch, "vantage_point", story->vantage);
	}
	json_put_text(root, "seen_from", story->seen_from);
	rows = json_put_array(root, "vantage_points");
	for (size_t i = 0; i < story->view_count; i++)
		push_view(rows, &story->views[i]);
}
