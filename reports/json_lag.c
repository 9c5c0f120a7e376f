/*
 * json_lag.c - `lags` and `loss_bounds` of the JSON report. What nobody knows is null, never 0.
 */
#include "reports/json_parts.h"

#include "reports/words_lag.h"

static void put_bytes(struct json *object, const char *key, int64_t bytes)
{
	if (bytes == LAG_UNKNOWN)
		json_put_null(object, key);
	else
		json_put_int(object, key, bytes);
}

static void put_worst(struct json *windows, const char *key, const struct story *story,
		      const struct lag_worst *worst)
{
	struct json *row = json_put_object(windows, key);

	put_moment(row, "from", story, worst->from_ns);
	put_moment(row, "until", story, worst->until_ns);
	json_put_bool(row, "was_primary", worst->was_primary);
	json_put_int(row, "look_count", (int64_t)worst->look_count);
	json_put_int(row, "unknown_count", (int64_t)worst->unknown_count);
	json_put_int(row, "unseen_ns", worst->unseen_ns);
	put_bytes(row, "flush_bytes", worst->flush_bytes);
	put_bytes(row, "replay_bytes", worst->replay_bytes);
	if (worst->flush_bytes != LAG_UNKNOWN)
		put_bounds(row, "flush_behind", worst->flush_behind);
	if (worst->replay_bytes != LAG_UNKNOWN)
		put_bounds(row, "replay_behind", worst->replay_behind);
}

static void put_point(struct json *object, const char *key, const struct story *story,
		      const struct lag_point *point)
{
	if (point == NULL) {
		json_put_null(object, key);
		return;
	}

	struct json *row = json_put_object(object, key);

	put_moment(row, "asked", story, point->from_ns);
	put_moment(row, "answered", story, point->until_ns);
	json_put_text(row, "primary", point->primary);
	json_put_int(row, "wal_bytes", (int64_t)point->wal_bytes);
	json_put_bool(row, "is_sync", point->is_sync);
	put_bytes(row, "flush_bytes", point->flush_bytes);
	put_bytes(row, "replay_bytes", point->replay_bytes);
	put_bounds(row, "flush_behind", point->flush_behind);
	put_bounds(row, "replay_behind", point->replay_behind);
	put_bytes(row, "replay_told_ns", point->replay_told_ns);
}

static void push_replica(struct json *rows, const struct story *story,
			 const struct replica_lag *replica)
{
	struct json *row = json_push_object(rows);
	struct json *windows;
	const struct lag_worst *worst;
	const char *when;

	json_put_text(row, "name", replica->replica);
	windows = json_put_object(row, "worst");
	for (size_t i = 0; (worst = words_lag_window(story, replica, i, &when)) != NULL; i++)
		put_worst(windows, when, story, worst);
	put_point(row, "last_before_fault", story, replica->last_before);
	put_point(row, "last_words", story, replica->last_words);
}

static void push_bound(struct json *rows, const struct loss_bound *bound)
{
	const struct failover_settings *settings = &bound->settings;
	struct json *row = json_push_object(rows);
	struct text words = { 0 };

	json_put_text(row, "service", bound->service);
	json_put_text(row, "manager", settings->manager);
	json_put_text(row, "told_by", bound->told_by);
	json_put_bool(row, "is_synchronous", settings->is_synchronous);
	json_put_bool(row, "is_strict", settings->is_strict);
	json_put_bool(row, "is_paused", settings->is_paused);
	json_put_int(row, "maximum_lag_bytes", settings->maximum_lag_bytes);
	json_put_int(row, "ttl_ns", settings->ttl_ns);
	json_put_int(row, "loop_wait_ns", settings->loop_wait_ns);
	json_put_int(row, "retry_timeout_ns", settings->retry_timeout_ns);
	put_bytes(row, "wal_bytes_per_s", bound->wal_bytes_per_s);
	put_bytes(row, "bound_bytes", settings->is_paused ? LAG_UNKNOWN : bound->bound_bytes);
	words_bound(bound, &words);
	json_put_text(row, "sentence", text_str(&words));
	text_release(&words);
}

void put_lags(struct json *root, const struct story *story)
{
	struct json *lags = json_put_array(root, "lags");
	struct json *bounds = json_put_array(root, "loss_bounds");

	for (size_t i = 0; i < story->lag_count; i++) {
		const struct lag_result *lag = &story->lags[i];
		struct json *row = json_push_object(lags);
		struct json *replicas;

		json_put_text(row, "probe", lag->probe);
		json_put_int(row, "look_count", (int64_t)lag->look_count);
		json_put_int(row, "unreadable_count", (int64_t)lag->unreadable_count);
		put_bytes(row, "wal_bytes_per_s", lag->wal_bytes_per_s);
		replicas = json_put_array(row, "replicas");
		for (size_t r = 0; r < lag->replica_count; r++)
			push_replica(replicas, story, &lag->replicas[r]);
	}
	for (size_t i = 0; i < story->bound_count; i++)
		push_bound(bounds, &story->bounds[i]);
}
