/*
 * test_vantage.c - what one machine saw, measured, written down, read back and told beside others.
 */
#include "engine/measure_vantage.h"
#include "engine/vantage_text.h"
#include "fixtures/stories.h"
#include "fixtures/timelines.h"
#include "reports/report.h"
#include "tests/suites.h"

#include <string.h>

static struct arena arena;

static void setup(void)
{
	memset(&arena, 0, sizeof arena);
}

static void teardown(void)
{
	arena_release(&arena);
}

/* ---- measured ---- */

/* Slots every 20 ms, steady state seen from 0 to 190 ms, stable after 200 ms. */
static struct vantage_view measure(const char *slots, int64_t end_ms)
{
	static const struct probe_spec specs[] = {
		{ .name = "reads", .every_ns = 20 * NS_PER_MS, .timeout_ns = 200 * NS_PER_MS,
		  .is_required = true },
		{ .name = "writes", .every_ns = 20 * NS_PER_MS, .timeout_ns = 200 * NS_PER_MS,
		  .is_required = true, .is_ledger = true },
	};
	const struct experiment experiment = {
		.probes = specs, .probe_count = 2, .stable_for_ns = 200 * NS_PER_MS
	};
	const struct event steady = { .kind = EVENT_STEADY,
				      .phase = PHASE_GATE,
				      .from_ns = timeline_ns(0),
				      .until_ns = timeline_ns(190) };
	const struct track tracks[] = { timeline_track(&arena, "writes", slots, 20, 200),
					timeline_track(&arena, "reads", slots, 20, 200) };
	const struct timeline timeline = {
		.events = &steady, .event_count = 1, .tracks = tracks, .track_count = 2
	};
	struct vantage_view view = { .name = "eu", .run_id = "watch-1", .head = "ab" };

	measure_vantage(&timeline, &experiment, timeline_ns(end_ms), &arena, &view);
	ck_assert_ptr_null(view.why);
	ck_assert_uint_eq(view.sight_count, 1); /* the ledger is not for who only looks */
	ck_assert_str_eq(view.sights[0].probe, "reads");
	return view;
}

START_TEST(test_measure_vantage_outage_counts_from_its_first_failure_until_stable)
{
	/* Failures were due at 200 to 280, each ended 1 ms later; good attempts at 180 and 300. */
	const struct vantage_view view = measure("g*10 b*5 g*20", 700);
	const struct vantage_sight *sight = &view.sights[0];

	ck_assert_int_eq(sight->kind, MEASURED_SPAN);
	ck_assert_int_eq(sight->outage.low_ns, (280 - 201) * NS_PER_MS);
	ck_assert_int_eq(sight->outage.high_ns, (301 - 190) * NS_PER_MS); /* up when it was steady */
	ck_assert_uint_eq(sight->attempt_count, 25);
	ck_assert_uint_eq(sight->bad_count, 5);
	ck_assert_uint_eq(sight->unseen_count, 0);
}
END_TEST

START_TEST(test_measure_vantage_flapping_lasts_until_the_stable_stretch)
{
	const struct vantage_view view = measure("g*15 b*5 g*3 b*2 g*20", 900);

	/* From the good attempt at 280 and the failure at 300 on, to those at 480 and 500. */
	ck_assert_int_eq(view.sights[0].outage.low_ns, (480 - 301) * NS_PER_MS);
	ck_assert_int_eq(view.sights[0].outage.high_ns, (501 - 280) * NS_PER_MS);
	ck_assert_int_lt(view.sights[0].downtime.high_ns, view.sights[0].outage.high_ns);
}
END_TEST

START_TEST(test_measure_vantage_not_over_at_the_end_is_a_bound_and_no_span)
{
	const struct vantage_view view = measure("g*15 b*25", 800);

	ck_assert_int_eq(view.sights[0].kind, MEASURED_NEVER_RECOVERED);
	ck_assert_int_eq(view.sights[0].outage.low_ns, (780 - 301) * NS_PER_MS);
	ck_assert_int_eq(view.sights[0].outage.high_ns, NEVER_NS);
	ck_assert_str_eq(vantage_words(&view, &arena), "not over at the end, after at least 479 ms");
}
END_TEST

START_TEST(test_measure_vantage_without_a_failure_says_how_finely_it_looked)
{
	const struct vantage_view view = measure("b*5 g*30 s*2", 740); /* those failed before it was steady */

	ck_assert_int_eq(view.sights[0].kind, MEASURED_NO_OUTAGE);
	ck_assert_uint_eq(view.sights[0].unseen_count, 2);
	ck_assert_str_eq(vantage_words(&view, &arena), "no outage at every=20ms");
}
END_TEST

START_TEST(test_measure_vantage_without_steady_state_tells_nothing)
{
	const struct experiment experiment = { .probe_count = 0 };
	const struct timeline timeline = { .event_count = 0 };
	struct vantage_view view = { .name = "eu" };

	measure_vantage(&timeline, &experiment, timeline_ns(100), &arena, &view);
	ck_assert_ptr_nonnull(view.why);
	ck_assert_uint_eq(view.sight_count, 0);
}
END_TEST

/* ---- written down and read back ---- */

static struct vantage_view read_back(const char *data)
{
	const struct event event = { .kind = EVENT_SEEN_FROM, .name = "eu", .text = "", .data = data };
	struct vantage_view view;

	vantage_text_read(&event, &arena, &view);
	return view;
}

START_TEST(test_vantage_text_reads_back_what_it_wrote)
{
	static const char *const tracks[] = { "g*10 b*5 g*20", "g*15 b*25", "g*35" };

	for (size_t i = 0; i < sizeof tracks / sizeof tracks[0]; i++) {
		const struct vantage_view view = measure(tracks[i], 900);
		struct text written = { 0 };
		struct text again = { 0 };

		vantage_text_write(&view, &written);

		const struct vantage_view back = read_back(text_str(&written));

		ck_assert_ptr_null(back.why);
		ck_assert_int_eq(back.sights[0].outage.high_ns, view.sights[0].outage.high_ns);
		vantage_text_write(&back, &again);
		ck_assert_str_eq(text_str(&written), text_str(&again));
		text_release(&written);
		text_release(&again);
	}
}
END_TEST

START_TEST(test_vantage_text_keeps_the_reason_of_one_that_tells_nothing)
{
	const struct vantage_view dead = { .name = "eu", .run_id = "watch-1", .why = "it died" };
	struct text written = { 0 };

	vantage_text_write(&dead, &written);

	const struct vantage_view back = read_back(text_str(&written));

	ck_assert_str_eq(back.why, "it died");
	ck_assert_str_eq(back.run_id, "watch-1");
	ck_assert_ptr_null(vantage_worst(&back));
	ck_assert_str_eq(vantage_words(&back, &arena), "nothing is told (it died)");
	text_release(&written);
}
END_TEST

#define SIGHT(outage, low, high)                                                                   \
	"{\"run\":\"w\",\"head\":\"h\",\"sights\":[{\"probe\":\"reads\",\"every_ns\":1,"                   \
	"\"is_required\":true,\"outage\":\"" outage "\",\"low_ns\":" low ",\"high_ns\":" high ","      \
	"\"down_low_ns\":0,\"down_high_ns\":0,\"attempts\":1,\"bad\":0,\"unseen\":0,"                \
	"\"late_p99_ns\":0}]}"

START_TEST(test_vantage_text_that_is_damaged_tells_nothing)
{
	static const char *const damaged[] = {
		NULL, "", "[]", "{}", "{\"run\":\"w\",\"head\":\"h\",\"sights\":[]}",
		"{\"run\":\"w\",\"head\":\"h\",\"sights\":[{}]}",
		SIGHT("outage", "1", "2"), SIGHT("span", "2", "1"), SIGHT("span", "-1", "1"),
		SIGHT("span", "1", "null"), SIGHT("never_recovered", "1", "2"),
		"{\"run\":null,\"head\":\"h\",\"sights\":[]}",
	};

	ck_assert_ptr_null(read_back(SIGHT("span", "1", "2")).why);
	for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
		const struct vantage_view view = read_back(damaged[i]);

		ck_assert_msg(view.why != NULL, "%s was read", damaged[i]);
		ck_assert_uint_eq(view.sight_count, 0);
	}
}
END_TEST

/* ---- told ---- */

static const struct vantage_sight outages[] = {
	{ .probe = "reads", .every_ns = 50 * NS_PER_MS, .is_required = true, .kind = MEASURED_SPAN,
	  .outage = { 4100 * NS_PER_MS, 4120 * NS_PER_MS }, .attempt_count = 340, .bad_count = 80 },
	{ .probe = "reads", .every_ns = 50 * NS_PER_MS, .is_required = true, .kind = MEASURED_SPAN,
	  .outage = { 6300 * NS_PER_MS, 6320 * NS_PER_MS }, .attempt_count = 338, .bad_count = 124 },
	{ .probe = "spare", .every_ns = 50 * NS_PER_MS, .kind = MEASURED_NEVER_RECOVERED,
	  .outage = { NS_PER_S, NEVER_NS }, .attempt_count = 10, .bad_count = 9 },
};

static const struct vantage_view seen[] = {
	{ .name = VANTAGE_HERE, .sights = &outages[0], .sight_count = 1 },
	{ .name = "us", .run_id = "watch-us", .head = "ab", .sights = &outages[1], .sight_count = 2 },
	{ .name = "ap", .why = "no worker came" },
};

START_TEST(test_vantage_sentence_stands_side_by_side_by_required_probes)
{
	ck_assert_str_eq(vantage_sentence(seen, 3, &arena),
			 "seen from here: 4.10 s to 4.12 s, from us: 6.30 s to 6.32 s, from ap: nothing "
			 "is told (no worker came)");
}
END_TEST

START_TEST(test_report_with_vantage_points_has_them_in_every_format)
{
	static const struct {
		const char *format;
		const char *words;
	} rows[] = {
		{ "text", "us    6.30 s to 6.32 s" },
		{ "text", "nothing is told" },
		{ "markdown", "| us | 6.30 s to 6.32 s |" },
		{ "html", "6.30 s to 6.32 s" },
		{ "html", "nothing is told" },
		{ "json", "\"low_ns\":\t6300000000" },
		{ "json", "\"untold\":\t\"no worker came\"" },
		{ "junit", "name=\"seen from\" value=\"seen from here: 4.10 s to 4.12 s, from us: 6.30 s" },
	};
	struct story story = *story_met(&arena);
	const struct report_style style = { .columns = 110 };

	story.views = seen;
	story.view_count = 3;
	story.seen_from = vantage_sentence(seen, 3, &arena);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct text bytes = { 0 };
		struct err e = { 0 };

		ck_assert_msg(report_write(report_find(rows[i].format), &story, &style, &bytes, &e),
			      "%s", e.text);
		ck_assert_msg(strstr(text_str(&bytes), rows[i].words) != NULL,
			      "%s does not say '%s':\n%.3000s", rows[i].format, rows[i].words,
			      text_str(&bytes));
		text_release(&bytes);
	}
}
END_TEST

void suite_vantage(Suite *suite)
{
	TCase *tests = tcase_create("vantage");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_measure_vantage_outage_counts_from_its_first_failure_until_stable);
	tcase_add_test(tests, test_measure_vantage_flapping_lasts_until_the_stable_stretch);
	tcase_add_test(tests, test_measure_vantage_not_over_at_the_end_is_a_bound_and_no_span);
	tcase_add_test(tests, test_measure_vantage_without_a_failure_says_how_finely_it_looked);
	tcase_add_test(tests, test_measure_vantage_without_steady_state_tells_nothing);
	tcase_add_test(tests, test_vantage_text_reads_back_what_it_wrote);
	tcase_add_test(tests, test_vantage_text_keeps_the_reason_of_one_that_tells_nothing);
	tcase_add_test(tests, test_vantage_text_that_is_damaged_tells_nothing);
	tcase_add_test(tests, test_vantage_sentence_stands_side_by_side_by_required_probes);
	tcase_add_test(tests, test_report_with_vantage_points_has_them_in_every_format);
	suite_add_tcase(suite, tests);
}
