/*
 * test_measure_truth.c - 1,000 seeded outages whose truth is known: it must lie in every span.
 *
 * A little world: a service that is down in known intervals, in one of three ways; attempts on a
 * fixed timetable from lanes, late by chance, slow by chance, hit while under way, answered late,
 * skipped. measure.c sees only the samples. The world keeps to the assumptions A1 to A4 that
 * measure.c states; a drawn history that breaks A3 (an outage that no attempt was made in) is drawn
 * again, and counted.
 */
#include "base/random.h"
#include "engine/measure.h"
#include "fixtures/timelines.h"
#include "tests/suites.h"

#include <inttypes.h>
#include <stdlib.h>

enum { WORLDS = 1000, SLOTS = 1600, DOWNS_AT_MOST = 4 };

enum death {
	DEATH_REFUSES = 0, /* attempts fail at once, those under way are cut off */
	DEATH_SWALLOWS, /* attempts get no answer; some are sent again by the kernel and arrive */
	DEATH_FREEZES,	/* attempts wait, and are answered when the service goes on */
	DEATHS,
};

struct down {
	int64_t from_ns;
	int64_t until_ns;
	bool has_failed; /* an attempt was made in it, and failed */
};

struct world {
	struct random random;
	enum death death;
	bool is_plain; /* nothing skipped, no attempt answered late */
	int64_t every_ns;
	int64_t timeout_ns;
	int64_t slowest_ns; /* work of one answer */
	int64_t latest_ns;  /* of our own timetable */
	int64_t stable_for_ns;
	uint32_t lane_count;
	bool has_second_outage;
	struct span fault;
	int64_t fault_ns;
	int64_t recovered_ns;
	struct down downs[DOWNS_AT_MOST];
	size_t down_count;
	size_t flap_downs; /* downs before the recovery */
	struct sample samples[SLOTS];
	int64_t lane_free_ns[SLOTS];
	struct track track;
};

static int64_t between(struct world *world, int64_t low, int64_t high)
{
	return low + (int64_t)random_below(&world->random, (uint64_t)(high - low) + 1);
}

static bool chance(struct world *world, uint64_t percent)
{
	return random_below(&world->random, 100) < percent;
}

static struct down *down_at(struct world *world, int64_t at_ns)
{
	for (size_t i = 0; i < world->down_count; i++)
		if (at_ns >= world->downs[i].from_ns && at_ns < world->downs[i].until_ns)
			return &world->downs[i];
	return NULL;
}

static struct down *down_beginning(struct world *world, int64_t after_ns, int64_t until_ns)
{
	for (size_t i = 0; i < world->down_count; i++)
		if (world->downs[i].from_ns > after_ns && world->downs[i].from_ns <= until_ns)
			return &world->downs[i];
	return NULL;
}

static void end_attempt(struct sample *sample, enum sample_state state, int64_t done_ns,
			int64_t deadline_ns)
{
	const bool is_late = done_ns >= deadline_ns;

	sample->state = (uint8_t)(is_late ? SAMPLE_BAD : state);
	sample->done_ns = is_late ? deadline_ns : done_ns;
}

/* The attempt meets, or is overtaken by, a service that is down. */
static void fail_attempt(struct world *world, const struct down *down, struct sample *sample,
			 int64_t hit_ns, int64_t deadline_ns)
{
	const int64_t again_ns = sample->sent_ns + world->timeout_ns * 2 / 3;

	switch (world->death) {
	case DEATH_REFUSES:
		end_attempt(sample, SAMPLE_BAD, hit_ns + between(world, 0, 200 * NS_PER_US),
			    deadline_ns);
		return;
	case DEATH_SWALLOWS:
		if (!world->is_plain && chance(world, 50) && down_at(world, again_ns) == NULL &&
		    down_beginning(world, again_ns, again_ns + world->slowest_ns) == NULL)
			end_attempt(sample, SAMPLE_GOOD,
				    again_ns + between(world, 0, world->slowest_ns), deadline_ns);
		else
			end_attempt(sample, SAMPLE_BAD, deadline_ns, deadline_ns);
		return;
	case DEATH_FREEZES:
		end_attempt(sample, SAMPLE_GOOD,
			    down->until_ns + between(world, 0, 200 * NS_PER_US), deadline_ns);
		return;
	case DEATHS:
		break;
	}
	abort();
}

static void attempt(struct world *world, uint64_t slot)
{
	struct sample *sample = &world->samples[slot];
	const int64_t due_ns = track_due_ns(&world->track, slot);
	const int64_t deadline_ns = due_ns + world->timeout_ns;
	/* The baseline has seen the slowest answer of a working service: A4. */
	const bool is_worst = slot == 3;
	const int64_t work_ns = is_worst ? world->slowest_ns : between(world, 0, world->slowest_ns);
	struct down *down;

	sample->sent_ns =
		due_ns + (is_worst ? world->latest_ns : between(world, 0, world->latest_ns));

	const int64_t arrived_ns = sample->sent_ns + work_ns / 3;

	down = down_at(world, arrived_ns);
	if (down != NULL) {
		fail_attempt(world, down, sample, arrived_ns, deadline_ns);
		down->has_failed |= sample->state == SAMPLE_BAD && sample->sent_ns >= down->from_ns;
		return;
	}
	down = down_beginning(world, arrived_ns, sample->sent_ns + work_ns);
	if (down != NULL)
		fail_attempt(world, down, sample, down->from_ns, deadline_ns);
	else
		end_attempt(sample, SAMPLE_GOOD, sample->sent_ns + work_ns, deadline_ns);
}

static void draw_downs(struct world *world)
{
	/* Long enough that an attempt is made in it and fails (A3), also where few lanes hang. */
	const int64_t shortest_ns = 3 * world->every_ns + world->slowest_ns + world->latest_ns +
				    (world->death == DEATH_REFUSES ? 0 : world->timeout_ns);
	int64_t at_ns = world->fault_ns + (chance(world, 50) ? 0 : between(world, 0, NS_PER_S));

	world->flap_downs = 1 + (chance(world, 40) ? (size_t)between(world, 1, 2) : 0);
	world->down_count = world->flap_downs + (world->has_second_outage ? 1 : 0);
	for (size_t i = 0; i < world->down_count; i++) {
		struct down *down = &world->downs[i];

		if (i == world->flap_downs)
			at_ns += 2 * world->stable_for_ns + world->timeout_ns;
		down->from_ns = at_ns;
		down->until_ns = at_ns + between(world, shortest_ns, shortest_ns + NS_PER_S);
		down->has_failed = false;
		at_ns = down->until_ns + between(world, 1, world->stable_for_ns / 2);
	}
	world->recovered_ns = world->downs[world->flap_downs - 1].until_ns;
}

static void draw_samples(struct world *world)
{
	const uint64_t skip_from = (uint64_t)between(world, 0, SLOTS);
	const uint64_t skip_until = skip_from + (uint64_t)between(world, 0, 4);

	for (uint64_t slot = 0; slot < SLOTS; slot++) {
		struct sample *sample = &world->samples[slot];
		int64_t *free_ns = &world->lane_free_ns[slot % world->lane_count];

		*sample = (struct sample){ 0 };
		if (*free_ns > track_due_ns(&world->track, slot))
			continue;
		if (!world->is_plain && slot != 3 &&
		    (chance(world, 1) || (slot >= skip_from && slot < skip_until))) {
			sample->state = SAMPLE_SKIPPED;
			continue;
		}
		attempt(world, slot);
		*free_ns = sample->done_ns;
	}
}

/* False when the history breaks A3. */
static bool draw(struct world *world, uint64_t seed, enum death death, bool is_plain)
{
	static const int64_t everies_ms[] = { 5, 10, 20 };

	*world = (struct world){ .random = random_from_seed(seed),
				 .death = death,
				 .is_plain = is_plain };
	world->every_ns = everies_ms[between(world, 0, 2)] * NS_PER_MS;
	world->timeout_ns = world->every_ns * between(world, 5, 20);
	world->slowest_ns = chance(world, 50) ? NS_PER_MS : 2 * world->every_ns;
	world->latest_ns = chance(world, 70) ? 100 * NS_PER_US : 2 * NS_PER_MS;
	world->stable_for_ns = world->timeout_ns + world->every_ns * between(world, 5, 30);
	world->lane_count = (uint32_t)(world->timeout_ns / world->every_ns);
	if (chance(world, 25))
		world->lane_count = (uint32_t)between(world, 2, 4);
	world->has_second_outage = chance(world, 20);
	world->track = (struct track){ .probe = "reads",
				       .t0_ns = timeline_ns(0),
				       .every_ns = world->every_ns,
				       .slot_count = SLOTS,
				       .samples = world->samples };
	world->fault.low_ns = timeline_ns(1000) + between(world, 0, 100 * NS_PER_MS);
	world->fault.high_ns =
		world->fault.low_ns +
		between(world, 0, chance(world, 80) ? 5 * NS_PER_MS : 800 * NS_PER_MS);
	world->fault_ns = between(world, world->fault.low_ns, world->fault.high_ns);
	draw_downs(world);
	draw_samples(world);
	for (size_t i = 0; i < world->down_count; i++)
		if (!world->downs[i].has_failed)
			return false;
	return track_due_ns(&world->track, SLOTS) >
	       world->downs[world->down_count - 1].until_ns + 2 * world->stable_for_ns;
}

static void expect_inside(uint64_t seed, const char *what, int64_t truth_ns, struct span span)
{
	ck_assert_msg(span.low_ns <= truth_ns && truth_ns <= span.high_ns,
		      "seed %" PRIu64 ": %s is %" PRId64 " ns, outside [%" PRId64 ", %" PRId64 "]",
		      seed, what, truth_ns, span.low_ns, span.high_ns);
}

/* Up for a moment between two downs, and no attempt fell in: nobody saw it. */
static bool is_unseen(const struct world *world, int64_t from_ns, int64_t until_ns)
{
	for (uint64_t slot = 0; slot < SLOTS; slot++)
		if (world->samples[slot].state == SAMPLE_GOOD &&
		    track_due_ns(&world->track, slot) >= from_ns &&
		    world->samples[slot].done_ns <= until_ns)
			return false;
	return true;
}

static void expect_downtime(const struct world *world, uint64_t seed, struct span span)
{
	int64_t downtime_ns = 0;
	int64_t unseen_ns = 0;

	for (size_t i = 0; i < world->down_count; i++) {
		const struct down *down = &world->downs[i];

		downtime_ns += down->until_ns - down->from_ns;
		if (i > 0 && is_unseen(world, down[-1].until_ns, down->from_ns))
			unseen_ns += down->from_ns - down[-1].until_ns;
	}
	ck_assert_msg(span.low_ns <= downtime_ns + unseen_ns && downtime_ns <= span.high_ns,
		      "seed %" PRIu64 ": down for %" PRId64 " ns (and %" PRId64
		      " unseen), outside [%" PRId64 ", %" PRId64 "]",
		      seed, downtime_ns, unseen_ns, span.low_ns, span.high_ns);
}

static void expect_truth(const struct world *world, uint64_t seed,
			 const struct probe_result *result)
{
	ck_assert_msg(result->rto_kind == MEASURED_SPAN, "seed %" PRIu64 ": kind %d", seed,
		      result->rto_kind);
	expect_inside(seed, "the RTO", world->recovered_ns - world->fault_ns, result->rto);
	expect_downtime(world, seed, result->downtime);
	expect_inside(seed, "the first failure", world->downs[0].from_ns - world->fault_ns,
		      result->parts[0].span);
	ck_assert_uint_lt(result->flap_count, world->flap_downs);
	if (world->flap_downs > 1)
		return; /* a short flap may be unseen: then the first success is a later one */
	expect_inside(seed, "the first success", world->downs[0].until_ns - world->downs[0].from_ns,
		      result->parts[1].span);
}

static struct measure_request request_for(const struct world *world)
{
	return (struct measure_request){
		.track = &world->track,
		.is_required = true,
		.fault = world->fault,
		.baseline_from_ns = timeline_ns(0),
		.end_ns = track_due_ns(&world->track, SLOTS),
		.stable_for_ns = world->stable_for_ns,
	};
}

START_TEST(test_measure_probe_truth_lies_in_the_span_of_1000_outages)
{
	struct world *world = malloc(sizeof *world);
	size_t drawn_again = 0;
	uint64_t seed = 0;

	ck_assert_ptr_nonnull(world);
	for (int i = 0; i < WORLDS; i++) {
		struct probe_result result;

		while (!draw(world, ++seed, (enum death)(i % DEATHS), false))
			drawn_again++;

		const struct measure_request request = request_for(world);

		measure_probe(&request, &result);
		expect_truth(world, seed, &result);
	}
	/* The assumptions must not be an excuse for most histories. */
	ck_assert_msg(drawn_again < WORLDS / 4, "%zu drawn again", drawn_again);
	free(world);
}
END_TEST

static int compare_ns(const void *a, const void *b)
{
	const int64_t left = *(const int64_t *)a;
	const int64_t right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* At 10 ms, all lanes, a timetable that is kept, refused or swallowed attempts: design.md 10. */
START_TEST(test_measure_probe_span_is_one_slot_and_two_ms_wide)
{
	static int64_t widths_ns[WORLDS];
	struct world *world = malloc(sizeof *world);
	uint64_t seed = 0;
	int count = 0;

	ck_assert_ptr_nonnull(world);
	while (count < WORLDS) {
		struct probe_result result;

		seed++;
		if (!draw(world, seed, (enum death)(seed % DEATH_FREEZES), true) ||
		    world->every_ns != 10 * NS_PER_MS || world->slowest_ns != NS_PER_MS ||
		    world->latest_ns > NS_PER_MS ||
		    world->lane_count < world->timeout_ns / world->every_ns)
			continue;

		const struct measure_request request = request_for(world);

		measure_probe(&request, &result);
		widths_ns[count++] = result.rto.high_ns - result.rto.low_ns -
				     (world->fault.high_ns - world->fault.low_ns);
	}
	qsort(widths_ns, WORLDS, sizeof widths_ns[0], compare_ns);
	ck_assert_int_le(widths_ns[WORLDS * 99 / 100], 12 * NS_PER_MS);
	free(world);
}
END_TEST

void suite_measure_truth(Suite *suite)
{
	TCase *tcase = tcase_create("measure_truth");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, test_measure_probe_truth_lies_in_the_span_of_1000_outages);
	tcase_add_test(tcase, test_measure_probe_span_is_one_slot_and_two_ms_wide);
	suite_add_tcase(suite, tcase);
}
