/*
 * test_watch.c - the live reading of samples: what counts as a good stretch, and what does not make
 * it longer. Tracks are written as in fixtures/timelines.h; slots are 20 ms apart.
 */
#include "engine/watch.h"
#include "fixtures/timelines.h"
#include "tests/suites.h"

struct seen {
	struct arena arena;
	struct probe_spec spec;
	struct experiment experiment;
	struct track track;
	struct outside outside;
	struct watch *watch;
};

static void show_track(void *ctx, size_t probe_index, int64_t now_ns, struct track *ret_track)
{
	const struct seen *seen = ctx;

	(void)probe_index;
	(void)now_ns;
	*ret_track = seen->track;
}

static const struct outside_ops track_ops = { .view = show_track };

static void seen_open(struct seen *seen, const char *slots)
{
	*seen = (struct seen){ .spec = { .name = "reads", .every_ns = 20 * NS_PER_MS,
					 .timeout_ns = 200 * NS_PER_MS, .lane_count = 10,
					 .is_required = true } };
	seen->track = timeline_track(&seen->arena, "reads", slots, 20, 200);
	seen->experiment = (struct experiment){ .probes = &seen->spec, .probe_count = 1 };
	seen->outside = (struct outside){ .ops = &track_ops, .ctx = seen };
	seen->watch = arena_alloc(&seen->arena, sizeof *seen->watch);
	watch_init(seen->watch, &seen->experiment, &seen->outside);
	watch_update(seen->watch, timeline_ns(1000000));
}

static bool is_good_for(const char *slots, int64_t from_ms, int64_t good_for_ms)
{
	struct seen seen;
	int64_t since_ns;
	bool is_good;

	seen_open(&seen, slots);
	is_good = watch_is_good(seen.watch, timeline_ns(from_ms), good_for_ms * NS_PER_MS, &since_ns);
	arena_release(&seen.arena);
	return is_good;
}

START_TEST(test_watch_good_stretch_is_as_long_as_its_slots)
{
	ck_assert(is_good_for("g*51", 0, 1000));
	ck_assert(!is_good_for("g*51", 0, 1001));
	ck_assert(!is_good_for("g*51", 20, 1000));
	ck_assert(!is_good_for("g*51 b", 0, 20));
	ck_assert(!is_good_for("g*30 b g*21", 0, 420));
	ck_assert(is_good_for("g*30 b g*21", 0, 400));
}
END_TEST

/* The gate must not hold, and nothing be called stable, on time in which nobody looked. */
START_TEST(test_watch_last_error_is_that_of_the_last_bad_slot)
{
	static const char *const errors[] = { "connect: refused", "insert: permission denied" };
	struct seen seen;

	seen_open(&seen, "g*3 b*2 s*2");

	struct sample *samples = (struct sample *)(uintptr_t)seen.track.samples;

	ck_assert_ptr_null(watch_last_error(seen.watch, &seen.spec)); /* it said nothing */
	samples[3].error_index = 1;
	samples[4].error_index = 2;
	seen.track.error_texts = errors;
	seen.track.error_count = 2;
	watch_update(seen.watch, timeline_ns(1000000));
	ck_assert_str_eq(watch_last_error(seen.watch, &seen.spec), errors[1]);
	seen.track.error_count = 1; /* the lane has not made it known yet */
	watch_update(seen.watch, timeline_ns(1000000));
	ck_assert_ptr_null(watch_last_error(seen.watch, &seen.spec));
	arena_release(&seen.arena);
	seen_open(&seen, "g*3 s .");
	ck_assert_ptr_null(watch_last_error(seen.watch, &seen.spec));
	arena_release(&seen.arena);
}
END_TEST

START_TEST(test_watch_skipped_slots_do_not_make_a_stretch_longer)
{
	ck_assert(!is_good_for("g s*49 g", 0, 1000));
	ck_assert(is_good_for("g s*49 g*50", 0, 1000));
	ck_assert(!is_good_for("g s*49 g*49", 0, 1000));
}
END_TEST

START_TEST(test_watch_late_slots_do_not_make_a_stretch_longer)
{
	ck_assert(is_good_for("g*51", 0, 1000));
	ck_assert(is_good_for("g g@19*50", 0, 1000)); /* late, but in its own slot */
	ck_assert(!is_good_for("g g@20*50", 0, 1000));
	ck_assert(is_good_for("g g@20*50 g*50", 0, 1000));
}
END_TEST

void suite_watch(Suite *suite)
{
	TCase *tcase = tcase_create("watch");

	tcase_add_test(tcase, test_watch_good_stretch_is_as_long_as_its_slots);
	tcase_add_test(tcase, test_watch_last_error_is_that_of_the_last_bad_slot);
	tcase_add_test(tcase, test_watch_skipped_slots_do_not_make_a_stretch_longer);
	tcase_add_test(tcase, test_watch_late_slots_do_not_make_a_stretch_longer);
	suite_add_tcase(suite, tcase);
}
