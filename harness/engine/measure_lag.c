/*
 * measure_lag.c - see measure_lag.h.
 */
#include "engine/measure_lag.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/lag_text.h"
#include "engine/settings_log.h"

/* A rate over less than this is about single writes. */
static const int64_t rate_over_ns = NS_PER_S;

/* An answer, compact: a day of them is kept at one time. */
struct look {
	const char *primary;
	int64_t from_ns;
	int64_t until_ns;
	uint64_t wal_bytes;
	size_t first_row;
	size_t row_count;
	size_t number; /* in the journal: keeps the order of what began at one time */
};

struct row {
	size_t replica; /* index of names */
	bool is_sync;
	int64_t flush_bytes;
	int64_t replay_bytes;
	int64_t replay_told_ns;
};

struct lags {
	struct arena *arena;
	struct look *looks;
	size_t look_count;
	struct row *rows;
	size_t row_count;
	const char **names;
	size_t name_count;
};

/* ---- from the journal ---- */

static size_t name_of(struct lags *lags, const char *replica)
{
	for (size_t i = 0; i < lags->name_count; i++)
		if (strcmp(lags->names[i], replica) == 0)
			return i;
	lags->names = arena_more(lags->arena, lags->names, lags->name_count, sizeof *lags->names);
	lags->names[lags->name_count] = arena_copy(lags->arena, replica);
	return lags->name_count++;
}

static void take_look(void *ctx, const struct lag_look *look)
{
	struct lags *lags = ctx;

	lags->looks = arena_more(lags->arena, lags->looks, lags->look_count, sizeof *lags->looks);
	lags->looks[lags->look_count] = (struct look){
		.primary = look->primary,
		.from_ns = look->from_ns,
		.until_ns = look->until_ns,
		.wal_bytes = look->wal_bytes,
		.first_row = lags->row_count,
		.row_count = look->row_count,
		.number = lags->look_count,
	};
	lags->look_count++;
	for (size_t i = 0; i < look->row_count; i++) {
		const struct lag_row *row = &look->rows[i];

		lags->rows = arena_more(lags->arena, lags->rows, lags->row_count,
					sizeof *lags->rows);
		lags->rows[lags->row_count++] = (struct row){
			.replica = name_of(lags, row->replica),
			.is_sync = row->is_sync,
			.flush_bytes = row->flush_bytes,
			.replay_bytes = row->replay_bytes,
			.replay_told_ns = row->replay_told_ns,
		};
	}
}

static int compare_looks(const void *left, const void *right)
{
	const struct look *a = left;
	const struct look *b = right;

	if (a->from_ns != b->from_ns)
		return a->from_ns < b->from_ns ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* ---- time behind ---- */

/* The looks of one primary while its position went only up: bytes are moments there. */
struct history {
	const struct look *const *looks;
	size_t count;
};

/* How many of the looks had written no more than this. */
static size_t count_up_to(const struct history *history, uint64_t position)
{
	size_t low = 0;
	size_t high = history->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (history->looks[middle]->wal_bytes <= position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * The replica has all that the primary had written at the last look up to its position, and lacks
 * something that was written by the next one. The last of the history is the look itself.
 */
static struct span time_behind(const struct history *history, int64_t behind_bytes)
{
	const struct look *now = history->looks[history->count - 1];
	const size_t there = count_up_to(history, now->wal_bytes - (uint64_t)behind_bytes);
	struct span span = { 0, NEVER_NS };

	if (there > 0)
		span.high_ns = now->until_ns - history->looks[there - 1]->from_ns;
	if (there < history->count &&
	    now->from_ns > history->looks[there]->until_ns)
		span.low_ns = now->from_ns - history->looks[there]->until_ns;
	return span;
}

/* ---- points ---- */

static const struct row *find_row(const struct lags *lags, const struct look *look, size_t replica)
{
	for (size_t i = 0; i < look->row_count; i++)
		if (lags->rows[look->first_row + i].replica == replica)
			return &lags->rows[look->first_row + i];
	return NULL;
}

static struct lag_point make_point(const struct look *look, const struct row *row,
				   const struct history *history)
{
	struct lag_point point = { .from_ns = look->from_ns,
				   .until_ns = look->until_ns,
				   .primary = look->primary,
				   .wal_bytes = look->wal_bytes };

	assert(history->count > 0);
	if (row == NULL || row->flush_bytes == LAG_UNKNOWN ||
	    (uint64_t)row->flush_bytes > look->wal_bytes)
		return point;
	point.is_known = true;
	point.is_sync = row->is_sync;
	point.flush_bytes = row->flush_bytes;
	point.flush_behind = time_behind(history, row->flush_bytes);
	point.replay_told_ns = row->replay_told_ns;
	point.replay_bytes = row->replay_bytes;
	point.replay_behind = (struct span){ 0, NEVER_NS };
	if (row->replay_bytes != LAG_UNKNOWN && (uint64_t)row->replay_bytes <= look->wal_bytes)
		point.replay_behind = time_behind(history, row->replay_bytes);
	return point;
}

/* The looks of each primary, one after the other; those of the last one so far are its history. */
struct histories {
	struct history_of {
		const char *primary;
		const struct look **looks;
		size_t count;
	} *of;
	size_t count;
};

static struct history follow(struct histories *histories, const struct look *look,
			     struct arena *arena)
{
	struct history_of *mine = NULL;

	for (size_t i = 0; i < histories->count && mine == NULL; i++)
		if (strcmp(histories->of[i].primary, look->primary) == 0)
			mine = &histories->of[i];
	if (mine == NULL) {
		histories->of = arena_more(arena, histories->of, histories->count,
					   sizeof *histories->of);
		mine = &histories->of[histories->count++];
		*mine = (struct history_of){ .primary = look->primary };
	}
	if (mine->count > 0 && look->wal_bytes < mine->looks[mine->count - 1]->wal_bytes)
		mine->count = 0; /* rewound: what was is no history of this */
	mine->looks = arena_more(arena, mine->looks, mine->count, sizeof(const struct look *));
	mine->looks[mine->count++] = look;
	return (struct history){ mine->looks, mine->count };
}

/*
 * The fastest that a primary was seen writing over rate_over_ns or more. Twice that is far enough back:
 * of what is longer, one half was as fast.
 */
static void raise_rate(const struct history *history, int64_t *rate)
{
	const struct look *now = history->looks[history->count - 1];

	for (size_t i = history->count - 1; i-- > 0;) {
		const struct look *then = history->looks[i];
		const int64_t over_ns = now->from_ns - then->until_ns;

		if (over_ns < rate_over_ns)
			continue;

		const double bytes = (double)(now->wal_bytes - then->wal_bytes);
		const int64_t per_s = (int64_t)(bytes * (double)NS_PER_S / (double)over_ns) + 1;

		if (per_s > *rate)
			*rate = per_s;
		if (over_ns >= 2 * rate_over_ns)
			return;
	}
}

static void make_points(struct lags *lags, struct replica_lag *replicas, struct lag_result *result)
{
	struct lag_point **points = arena_alloc(lags->arena, (lags->name_count + 1) * sizeof *points);
	bool *is_known = arena_alloc(lags->arena, (lags->name_count + 1) * sizeof *is_known);
	struct histories histories = { 0 };

	for (size_t i = 0; i < lags->look_count; i++) {
		const struct look *look = &lags->looks[i];
		const struct history history = follow(&histories, look, lags->arena);

		raise_rate(&history, &result->wal_bytes_per_s);
		for (size_t r = 0; r < lags->name_count; r++) {
			const struct row *row = find_row(lags, look, r);

			is_known[r] = is_known[r] || row != NULL;
			if (!is_known[r])
				continue; /* nobody misses a replica before it was there */
			points[r] = arena_more(lags->arena, points[r], replicas[r].point_count,
					       sizeof *points[r]);

			struct lag_point *point = &points[r][replicas[r].point_count++];

			*point = make_point(look, row, &history);
			point->is_primary = strcmp(look->primary, lags->names[r]) == 0;
		}
	}
	for (size_t r = 0; r < lags->name_count; r++) {
		replicas[r].replica = lags->names[r];
		replicas[r].points = points[r];
	}
}

/* ---- windows ---- */

static int64_t greater(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void worsen(struct span *worst, struct span span)
{
	worst->low_ns = greater(worst->low_ns, span.low_ns);
	worst->high_ns = greater(worst->high_ns, span.high_ns);
}

static void measure_window(const struct replica_lag *replica, struct lag_worst *worst)
{
	int64_t seen_ns = worst->from_ns;

	worst->flush_bytes = LAG_UNKNOWN;
	worst->replay_bytes = LAG_UNKNOWN;
	for (size_t i = 0; i < replica->point_count; i++) {
		const struct lag_point *point = &replica->points[i];

		if (point->from_ns < worst->from_ns || point->from_ns >= worst->until_ns)
			continue;
		worst->was_primary = worst->was_primary || point->is_primary;
		worst->look_count += point->is_primary ? 0 : 1;
		worst->unknown_count += point->is_primary || point->is_known ? 0 : 1;
		if (!point->is_primary && !point->is_known)
			continue;
		worst->unseen_ns = greater(worst->unseen_ns, point->from_ns - seen_ns);
		seen_ns = greater(seen_ns, point->until_ns);
		if (point->is_primary)
			continue;
		worst->flush_bytes = greater(worst->flush_bytes, point->flush_bytes);
		worst->replay_bytes = greater(worst->replay_bytes, point->replay_bytes);
		worsen(&worst->flush_behind, point->flush_behind);
		worsen(&worst->replay_behind, point->replay_behind);
	}
	worst->unseen_ns = greater(worst->unseen_ns, worst->until_ns - seen_ns);
}

static void measure_windows(const struct measure_lag_request *request, struct replica_lag *replica)
{
	const bool has_fault = request->fault.high_ns != 0;
	const int64_t fault_ns = has_fault ? request->fault.low_ns : request->end_ns;
	const int64_t after_ns = has_fault && request->recovered_ns > fault_ns ?
					 request->recovered_ns :
					 request->end_ns;
	const int64_t edges_ns[LAG_WINDOWS + 1] = { request->baseline_from_ns, fault_ns, after_ns,
						    request->end_ns };

	for (size_t i = 0; i < LAG_WINDOWS; i++) {
		replica->windows[i].from_ns = edges_ns[i];
		replica->windows[i].until_ns = greater(edges_ns[i], edges_ns[i + 1]);
		measure_window(replica, &replica->windows[i]);
	}
}

/* ---- moments ---- */

static const char *primary_before(const struct lags *lags, int64_t fault_ns)
{
	const char *primary = NULL;

	for (size_t i = 0; i < lags->look_count && lags->looks[i].until_ns <= fault_ns; i++)
		primary = lags->looks[i].primary;
	return primary;
}

static bool is_followed(const struct lags *lags, const char *primary, int64_t fault_ns)
{
	for (size_t i = 0; i < lags->look_count; i++)
		if (lags->looks[i].from_ns > fault_ns &&
		    strcmp(lags->looks[i].primary, primary) != 0)
			return true;
	return false;
}

static void find_moments(const struct measure_lag_request *request, const struct lags *lags,
			 struct replica_lag *replica)
{
	const int64_t fault_ns = request->fault.low_ns;
	const char *primary;

	if (request->fault.high_ns == 0)
		return;
	primary = primary_before(lags, fault_ns);
	if (primary != NULL && !is_followed(lags, primary, fault_ns))
		primary = NULL;
	for (size_t i = 0; i < replica->point_count; i++) {
		const struct lag_point *point = &replica->points[i];

		if (!point->is_known)
			continue;
		if (point->until_ns <= fault_ns)
			replica->last_before = point;
		if (primary != NULL && strcmp(point->primary, primary) == 0 &&
		    (replica->last_words == NULL ||
		     replica->last_words->from_ns < point->from_ns))
			replica->last_words = point;
	}
}

void measure_lag(const struct measure_lag_request *request, struct arena *arena,
		 struct lag_result *ret_result)
{
	const struct timeline *timeline = request->timeline;
	struct lags lags = { .arena = arena };
	struct replica_lag *replicas;

	*ret_result = (struct lag_result){ .probe = request->probe,
					   .wal_bytes_per_s = LAG_UNKNOWN };
	for (size_t i = 0; i < timeline->event_count; i++) {
		const struct event *event = &timeline->events[i];

		if (event->kind == EVENT_LAG && event->name != NULL &&
		    strcmp(event->name, request->probe) == 0)
			ret_result->unreadable_count += lag_text_read(event, take_look, &lags);
	}
	if (lags.look_count > 0)
		qsort(lags.looks, lags.look_count, sizeof *lags.looks, compare_looks);
	replicas = arena_alloc(arena, (lags.name_count + 1) * sizeof *replicas);
	make_points(&lags, replicas, ret_result);
	for (size_t r = 0; r < lags.name_count; r++) {
		measure_windows(request, &replicas[r]);
		find_moments(request, &lags, &replicas[r]);
	}
	ret_result->replicas = replicas;
	ret_result->replica_count = lags.name_count;
	ret_result->look_count = lags.look_count;
}

/* ---- the bound ---- */

static int64_t rate_of(const struct experiment *experiment, const char *service,
		       const struct lag_result *lags, size_t lag_count)
{
	int64_t rate = LAG_UNKNOWN;

	for (size_t i = 0; i < lag_count; i++) {
		const struct probe_spec *spec = experiment_probe(experiment, lags[i].probe);

		if (spec != NULL && spec->service != NULL && strcmp(spec->service->name, service) == 0)
			rate = greater(rate, lags[i].wal_bytes_per_s);
	}
	return rate;
}

static int64_t bound_of(const struct loss_bound *bound)
{
	const struct failover_settings *settings = &bound->settings;

	if (settings->is_synchronous)
		return 0;
	if (bound->wal_bytes_per_s == LAG_UNKNOWN)
		return LAG_UNKNOWN;

	const double written = (double)bound->wal_bytes_per_s * (double)settings->ttl_ns /
			       (double)NS_PER_S;

	if (written > (double)(INT64_MAX / 4) || settings->maximum_lag_bytes > INT64_MAX / 4)
		return LAG_UNKNOWN;
	return settings->maximum_lag_bytes + (int64_t)written + 1;
}

void measure_bounds(const struct timeline *timeline, const struct experiment *experiment,
		    const struct lag_result *lags, size_t lag_count, struct arena *arena,
		    const struct loss_bound **ret_bounds, size_t *ret_count)
{
	struct loss_bound *bounds = NULL;
	size_t count = 0;

	for (size_t i = 0; i < timeline->event_count; i++) {
		const struct event *event = &timeline->events[i];
		struct loss_bound bound = { .service = event->name, .told_by = event->host };

		if (event->kind != EVENT_SETTINGS || !settings_log_parse(event, &bound.settings))
			continue;
		bound.wal_bytes_per_s = rate_of(experiment, event->name, lags, lag_count);
		bound.bound_bytes = bound_of(&bound);
		bounds = arena_more(arena, bounds, count, sizeof *bounds);
		bounds[count++] = bound;
	}
	*ret_bounds = bounds;
	*ret_count = count;
}
