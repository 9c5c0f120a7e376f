/*
 * occurrence.c - when a schedule means to run: nominal moments, what chance adds, and the turns of a
 * chaos day. See schedule.h.
 */
#include "schedule/schedule_parts.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/random.h"
#include "schedule/cron.h"

enum { DAY_MINUTES = 24 * 60, SEED_DIGITS = 16 };

static int64_t moment_of(const struct zone *zone, int64_t day, int32_t minute)
{
	int64_t first_ns;
	int64_t second_ns;

	(void)zone_find(zone, day, minute * 60, &first_ns, &second_ns);
	return first_ns;
}

/* The same on every machine, and another one for each occurrence and each purpose. */
static struct random chance_of(const struct schedule *schedule, int64_t nominal_wall_ns,
			       const char *purpose)
{
	char digits[HASH_TEXT_BYTES];
	char text[160];

	(void)snprintf(text, sizeof text, "%s %" PRId64 " %.64s", purpose,
		       nominal_wall_ns / NS_PER_S, schedule->name);
	hash_chain("", text, strlen(text), digits);
	digits[SEED_DIGITS] = '\0';
	return random_from_seed(strtoull(digits, NULL, 16));
}

/* The opening of the first window of `random:` after a moment. */
static bool window_after(const struct schedule *schedule, int64_t after_ns, int64_t *ret_wall_ns)
{
	const struct zone_time now = zone_time_at(schedule->zone, after_ns);
	const int64_t first = now.day > 0 ? now.day - 1 : 0;

	for (int64_t day = first; day <= first + 9 && day < ZONE_DAY_MAX; day++) {
		const int64_t weekday = (day + 3) % 7; /* 1970-01-01 was a Thursday */
		const int64_t open_ns =
			moment_of(schedule->zone, day, schedule->random.from_minute);

		if (open_ns > after_ns && (schedule->random.days >> weekday & 1) != 0) {
			*ret_wall_ns = open_ns;
			return true;
		}
	}
	return false;
}

static bool nominal_after(const struct schedule *schedule, int64_t after_ns, int64_t *ret_wall_ns)
{
	switch (schedule->kind) {
	case SCHEDULE_CRON:
		return cron_next(&schedule->cron, schedule->zone, after_ns, ret_wall_ns);
	case SCHEDULE_RANDOM:
		return window_after(schedule, after_ns, ret_wall_ns);
	}
	return false;
}

/* What chance may add: jitter, or the window of `random:` as long as it is on that day. */
static int64_t spread_of(const struct schedule *schedule, int64_t nominal_ns, int64_t day)
{
	const struct random_time *random = &schedule->random;
	const bool is_next_day = random->until_minute <= random->from_minute;

	if (schedule->kind == SCHEDULE_CRON)
		return schedule->jitter_ns;
	return moment_of(schedule->zone, day + (is_next_day ? 1 : 0), random->until_minute) -
	       nominal_ns;
}

bool occurrence_after(const struct schedule *schedule, int64_t nominal_wall_ns,
		      struct occurrence *ret_occurrence)
{
	int64_t nominal_ns;
	int64_t next_ns;
	int64_t spread_ns;
	int64_t latest_ns = INT64_MAX;

	if (!nominal_after(schedule, nominal_wall_ns, &nominal_ns))
		return false;

	const int64_t day = zone_time_at(schedule->zone, nominal_ns).day;

	spread_ns = spread_of(schedule, nominal_ns, day);
	if (schedule->has_not_after) /* the minute itself still counts */
		latest_ns = moment_of(schedule->zone, day, schedule->not_after_minute) +
			    60 * NS_PER_S - 1;
	/* Chance leads neither past the latest moment nor to the next occurrence. */
	if (spread_ns > 0 && latest_ns != INT64_MAX && nominal_ns + spread_ns > latest_ns)
		spread_ns = latest_ns - nominal_ns;
	if (spread_ns > 0 && nominal_after(schedule, nominal_ns, &next_ns) &&
	    nominal_ns + spread_ns > next_ns)
		spread_ns = next_ns - nominal_ns;
	*ret_occurrence = (struct occurrence){ .nominal_wall_ns = nominal_ns,
					       .due_wall_ns = nominal_ns,
					       .latest_wall_ns = latest_ns,
					       .fate = FATE_RUNS };
	if (spread_ns >= NS_PER_S) {
		struct random random = chance_of(schedule, nominal_ns, "due");

		ret_occurrence->due_wall_ns +=
			(int64_t)random_below(&random, (uint64_t)(spread_ns / NS_PER_S)) * NS_PER_S;
	}
	return true;
}

size_t schedule_next(const struct schedule *schedule, const struct schedule_pause *pause,
		     int64_t after_wall_ns, size_t count, struct arena *arena,
		     struct occurrence *ret_occurrences)
{
	int64_t nominal_ns = after_wall_ns > OCCURRENCE_SPREAD_MAX_NS ?
				     after_wall_ns - OCCURRENCE_SPREAD_MAX_NS : 0;
	const bool has_spread = schedule->kind == SCHEDULE_RANDOM || schedule->jitter_ns > 0;
	size_t found_count = 0;
	struct occurrence next;

	assert(after_wall_ns >= 0);

	if (!has_spread)
		nominal_ns = after_wall_ns;
	while (found_count < count && occurrence_after(schedule, nominal_ns, &next)) {
		nominal_ns = next.nominal_wall_ns;
		if (next.due_wall_ns <= after_wall_ns)
			continue;
		next.fate = fate_of(schedule, &next, pause, next.due_wall_ns, arena, &next.why);
		ret_occurrences[found_count++] = next;
	}
	return found_count;
}

struct chaos_turn schedule_chaos_turn(const struct schedule *schedule, int64_t nominal_wall_ns,
				      size_t index)
{
	const size_t pool_count = schedule->experiment_count;
	const int64_t pause_span_ns = schedule->pause_high_ns - schedule->pause_low_ns;
	struct random random = chance_of(schedule, nominal_wall_ns, "chaos day");
	size_t order[SCHEDULE_POOL_MAX];
	struct chaos_turn turn = { 0 };

	assert(schedule->is_chaos_day);
	assert(pool_count >= 1 && pool_count <= SCHEDULE_POOL_MAX);

	for (size_t i = 0; i < pool_count; i++)
		order[i] = i;
	for (size_t i = 0; i <= index; i++) {
		const size_t place = i % pool_count;
		/* Those before `place` have had their turn in this round of the pool. */
		const size_t drawn = place + random_below(&random, pool_count - place);
		const size_t taken = order[drawn];
		const uint64_t pause_s = random_below(&random, (uint64_t)(pause_span_ns / NS_PER_S) + 1);

		order[drawn] = order[place];
		order[place] = taken;
		turn.experiment_index = taken;
		turn.pause_ns = schedule->pause_low_ns + (int64_t)pause_s * NS_PER_S;
	}
	if (index == 0)
		turn.pause_ns = 0;
	return turn;
}
