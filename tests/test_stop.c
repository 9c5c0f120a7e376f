/*
 * test_stop.c - stop conditions on written tracks: when they are met, since when, and what they say.
 * Tracks are written as in fixtures/timelines.h; slots are 20 ms apart, so 50 of them are a second.
 */
#include "base/random.h"
#include "engine/stop.h"
#include "fixtures/timelines.h"
#include "tests/suites.h"

#include <string.h>

enum { SLOT_MS = 20, RANDOM_SLOTS = 400, RANDOM_TRACKS = 300 };

static struct arena arena;
static struct probe_spec spec;
static struct experiment experiment;
static struct track track;
static uint64_t shown_count;
static struct watch *watch;

static void show_track(void *ctx, size_t probe_index, int64_t now_ns, struct track *ret_track)
{
	(void)ctx;
	(void)probe_index;
	(void)now_ns;
	*ret_track = track;
	ret_track->slot_count = shown_count;
}

static const struct outside_ops track_ops = { .view = show_track };
static const struct outside outside = { .ops = &track_ops };

static void setup(void)
{
	spec = (struct probe_spec){ .name = "reads", .every_ns = SLOT_MS * NS_PER_MS,
				    .timeout_ns = 200 * NS_PER_MS, .lane_count = 10 };
	experiment = (struct experiment){ .probes = &spec, .probe_count = 1 };
}

static void teardown(void)
{
	arena_release(&arena);
}

static void write_track(const char *slots)
{
	track = timeline_track(&arena, "reads", slots, SLOT_MS, 200);
	shown_count = track.slot_count;
	watch = arena_alloc(&arena, sizeof *watch);
	watch_init(watch, &experiment, &outside);
}

struct answer {
	bool is_met;
	int64_t met_ms;
	struct text why;
};

/* Looks after every slot, as a run does, until the condition is met. */
static struct answer ask(const struct stop_condition *condition, int64_t harm_ms)
{
	struct stop_window window = { 0 };
	struct answer answer = { 0 };
	int64_t met_ns = 0;

	for (shown_count = 1; !answer.is_met && shown_count <= track.slot_count; shown_count++) {
		const int64_t now_ns = track_due_ns(&track, shown_count) + 200 * NS_PER_MS;

		watch_update(watch, now_ns);
		answer.is_met = stop_is_met(condition, &window, watch, timeline_ns(harm_ms), now_ns,
					    &met_ns, &answer.why);
	}
	answer.met_ms = answer.is_met ? timeline_ms(met_ns) : -1;
	return answer;
}

static struct stop_condition a_fifth_of_a_second(void)
{
	return (struct stop_condition){ .probe = &spec, .share_ppm = 200000, .window_ns = NS_PER_S };
}

static void expect(const char *slots, const struct stop_condition *condition, int64_t harm_ms,
		   int64_t met_ms, const char *why)
{
	struct answer answer;

	write_track(slots);
	answer = ask(condition, harm_ms);
	ck_assert_msg(answer.met_ms == met_ms && strcmp(text_str(&answer.why), why) == 0,
		      "%s: met at %lld ms: %s", slots, (long long)answer.met_ms,
		      text_str(&answer.why));
	text_release(&answer.why);
}

START_TEST(test_stop_bad_for_is_met_that_long_after_the_last_good_sample)
{
	const struct stop_condition condition = { .probe = &spec, .bad_for_ns = 3 * NS_PER_S };

	expect("g*50 b*200", &condition, 500, 980 + 3000, "probe `reads` has been bad for 3 s");
	expect("g*50 b*120 g b*100", &condition, 500, -1, "");
	/* What was bad before the harm is not the fault's doing. */
	expect("b*250", &condition, 1000, 4000, "probe `reads` has been bad for 3 s");
}
END_TEST

START_TEST(test_stop_share_is_met_by_the_sample_that_reaches_it)
{
	const struct stop_condition condition = a_fifth_of_a_second();
	static const char why[] = "10 of the last 50 samples of probe `reads` (1 s) were bad";

	/* The tenth bad one of 50: slot 109, refused after 1 ms. */
	expect("g*100 b*50", &condition, 1000, 109 * SLOT_MS + 1, why);
	/* Every fifth, in any order, and none of them is bad for long. */
	expect("g*100 b g*4 b g*4 b g*4 b g*4 b g*4 b g*4 b g*4 b g*4 b g*4 b g*4", &condition, 1000,
	       145 * SLOT_MS + 1, why);
	expect("g*100 b*9 g*100 b*9 g*50", &condition, 1000, -1, "");
	/* Bad ones leave the window again. */
	expect("g*100 b*9 g*41 b*9 g*41 b*9 g", &condition, 1000, -1, "");
}
END_TEST

START_TEST(test_stop_share_speaks_from_the_first_harm_on)
{
	const struct stop_condition condition = a_fifth_of_a_second();

	expect("g*20 b*20 g*200", &condition, 2000, -1, "");
	/* A window longer than the baseline is not blind: the time before counts as good. */
	expect("g*10 b*40", &condition, 200, 19 * SLOT_MS + 1,
	       "10 of the last 50 samples of probe `reads` (1 s) were bad");
}
END_TEST

START_TEST(test_stop_share_does_not_count_slots_this_machine_missed)
{
	const struct stop_condition condition = a_fifth_of_a_second();

	expect("g*100 s*40 b*3 g*50", &condition, 1000, 141 * SLOT_MS + 1,
	       "2 of the last 10 samples of probe `reads` (1 s) were bad");
	expect("g*100 s*60 g*50", &condition, 1000, -1, "");
}
END_TEST

START_TEST(test_stop_share_counts_slow_samples_when_asked_to)
{
	struct stop_condition condition = a_fifth_of_a_second();

	expect("g*100 g~150*100", &condition, 1000, -1, "");
	condition.slower_than_ns = 100 * NS_PER_MS;
	expect("g*100 g~150*100", &condition, 1000, 109 * SLOT_MS + 150,
	       "10 of the last 50 samples of probe `reads` (1 s) were bad or slower than 100 ms");
	expect("g*100 g~100*100", &condition, 1000, -1, "");
}
END_TEST

/* The first slot at which a plain count over the window reaches the share; -1: none does. */
static int64_t count_plainly(const char *letters, int64_t harm_slot)
{
	for (int64_t last = harm_slot; last < RANDOM_SLOTS; last++) {
		int64_t seen = 50;
		int64_t bad = 0;

		for (int64_t slot = last < 49 ? 0 : last - 49; slot <= last; slot++) {
			bad += letters[slot] == 'b' ? 1 : 0;
			seen -= letters[slot] == 's' ? 1 : 0;
		}
		if (bad > 0 && bad * 5 >= seen)
			return last;
	}
	return -1;
}

START_TEST(test_stop_share_agrees_with_a_plain_count_on_random_tracks)
{
	const struct stop_condition condition = a_fifth_of_a_second();
	struct random random = random_from_seed(20261121);
	size_t met_count = 0;

	for (size_t i = 0; i < RANDOM_TRACKS; i++) {
		const uint64_t bad_percent = 1 + random_below(&random, 30);
		const int64_t harm_slot = (int64_t)random_below(&random, 150);
		char letters[RANDOM_SLOTS + 1] = { 0 };
		char slots[2 * RANDOM_SLOTS + 1] = { 0 };
		struct answer answer;
		int64_t slot;

		for (size_t j = 0; j < RANDOM_SLOTS; j++) {
			const uint64_t drawn = random_below(&random, 100);

			letters[j] = drawn < bad_percent ? 'b' : drawn > 92 ? 's' : 'g';
			slots[2 * j] = letters[j];
			slots[2 * j + 1] = ' ';
		}
		slot = count_plainly(letters, harm_slot);
		write_track(slots);
		answer = ask(&condition, harm_slot * SLOT_MS);
		ck_assert_int_eq(answer.is_met, slot >= 0);
		if (slot >= 0)
			ck_assert_int_eq(answer.met_ms / SLOT_MS, slot);
		met_count += answer.is_met ? 1 : 0;
		text_release(&answer.why);
	}
	ck_assert_uint_gt(met_count, RANDOM_TRACKS / 4);
	ck_assert_uint_lt(met_count, RANDOM_TRACKS);
}
END_TEST

START_TEST(test_stop_tell_says_the_rule)
{
	struct stop_condition condition = a_fifth_of_a_second();
	struct text text = { 0 };

	condition.slower_than_ns = 100 * NS_PER_MS;
	stop_tell(&condition, &text);
	ck_assert_str_eq(text_str(&text),
			 "20 % of the samples of probe `reads` in 1 s are bad or slower than 100 ms");
	text_clear(&text);
	condition = (struct stop_condition){ .probe = &spec, .bad_for_ns = 3 * NS_PER_S };
	stop_tell(&condition, &text);
	ck_assert_str_eq(text_str(&text), "probe `reads` has no good sample for 3 s");
	text_release(&text);
}
END_TEST

void suite_stop(Suite *suite)
{
	TCase *tcase = tcase_create("stop");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_stop_bad_for_is_met_that_long_after_the_last_good_sample);
	tcase_add_test(tcase, test_stop_share_is_met_by_the_sample_that_reaches_it);
	tcase_add_test(tcase, test_stop_share_speaks_from_the_first_harm_on);
	tcase_add_test(tcase, test_stop_share_does_not_count_slots_this_machine_missed);
	tcase_add_test(tcase, test_stop_share_counts_slow_samples_when_asked_to);
	tcase_add_test(tcase, test_stop_share_agrees_with_a_plain_count_on_random_tracks);
	tcase_add_test(tcase, test_stop_tell_says_the_rule);
	suite_add_tcase(suite, tcase);
}
