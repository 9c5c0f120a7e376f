/*
 * json_parts.c - see json_parts.h: what more than one kind of JSON report says in the same shape.
 */
#include "reports/json_parts.h"

#include "base/clock.h"

void put_wall(struct json *object, const char *key, int64_t wall_ns)
{
	char iso[32];

	if (wall_ns == 0) {
		json_put_null(object, key);
		return;
	}
	clock_format_wall(wall_ns, iso, sizeof iso);
	json_put_text(object, key, iso);
}

void put_open_span(struct json *object, struct span span)
{
	json_put_int(object, "low_ns", span.low_ns);
	if (span.high_ns == INT64_MAX)
		json_put_null(object, "high_ns");
	else
		json_put_int(object, "high_ns", span.high_ns);
}

void put_results(struct json *object, const struct objective_result *objectives, size_t count)
{
	struct json *rows = json_put_array(object, "objectives");

	for (size_t i = 0; i < count; i++) {
		const struct objective_result *objective = &objectives[i];
		struct json *row = json_push_object(rows);

		json_put_text(row, "name", objective->name);
		json_put_text(row, "verdict", verdict_name(objective->verdict));
		json_put_text(row, "target", objective->target);
		json_put_text(row, "observed", objective->observed);
		json_put_text(row, "reason", objective->reason);
		json_put_text(row, "advice", objective->advice);
	}
}
