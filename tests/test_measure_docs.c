/*
 * test_measure_docs.c - runs the worked examples of docs/measurement.md: each says what goes in and
 * what must come out, in the words of a report. Its first key says what it is an example of.
 */
#include "base/units.h"
#include "engine/compare.h"
#include "engine/judge_trials.h"
#include "engine/judge_words.h"
#include "engine/measure.h"
#include "engine/measure_events.h"
#include "engine/measure_primaries.h"
#include "engine/measure_reads.h"
#include "fixtures/court.h"
#include "fixtures/looks.h"
#include "fixtures/shows.h"
#include "tests/suites.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_AT_MOST = 16, LINE_BYTES = 256, TRIALS_AT_MOST = 64 };

struct example {
	int line; /* of the document, for messages */
	size_t count;
	char keys[LINES_AT_MOST][LINE_BYTES];
	char values[LINES_AT_MOST][LINE_BYTES];
};

static const char *look_up(const struct example *example, const char *key)
{
	for (size_t i = 0; i < example->count; i++)
		if (strcmp(example->keys[i], key) == 0)
			return example->values[i];
	return NULL;
}

/* The next box; false at the end of the document. */
static bool next_example(FILE *file, int *line_number, struct example *ret_example)
{
	char line[LINE_BYTES];
	bool is_inside = false;

	*ret_example = (struct example){ 0 };
	while (fgets(line, sizeof line, file) != NULL) {
		char *colon = strchr(line, ':');

		++*line_number;
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "```example") == 0) {
			is_inside = true;
			ret_example->line = *line_number;
			continue;
		}
		if (is_inside && strcmp(line, "```") == 0)
			return true;
		if (!is_inside)
			continue;
		ck_assert_msg(colon != NULL && colon[1] == ' ', "line %d: no key", *line_number);
		ck_assert_uint_lt(ret_example->count, LINES_AT_MOST);
		*colon = '\0';
		(void)snprintf(ret_example->keys[ret_example->count], LINE_BYTES, "%s", line);
		(void)snprintf(ret_example->values[ret_example->count], LINE_BYTES, "%s",
			       colon + 2);
		ret_example->count++;
	}
	return false;
}

static int64_t parse_ns(const char *text)
{
	struct err e = { 0 };
	int64_t ns = 0;

	ck_assert_msg(units_parse_duration(text, &ns, &e), "%s", e.text);
	return ns;
}

/* A share as it is written, "95%". */
static double parse_share(const char *text)
{
	struct err e = { 0 };
	int64_t ppm = 0;

	ck_assert_msg(units_parse_percent(text, &ppm, &e), "%s", e.text);
	return (double)ppm / 1e6;
}

static struct span read_fault(const struct example *example)
{
	const char *text = look_up(example, "fault");
	char *end;

	ck_assert_ptr_nonnull(text);

	const int64_t sent_ms = strtoll(text, &end, 10);
	const int64_t confirmed_ms = strtoll(end, NULL, 10);

	return timeline_fault(sent_ms, confirmed_ms);
}

/* "during p95", "after errors", "during kept" of one part of the run; NULL: none of these. */
static const char *say_level(struct arena *arena, const struct service_level *level,
			     const char *key)
{
	for (size_t i = 0; i < PERCENTILE_COUNT; i++)
		if (strcmp(key, percentile_word((enum percentile)i)) == 0)
			return judge_took(arena, level->latency[i]);
	if (strcmp(key, "errors") == 0)
		return judge_share(arena, level->error_low_ppm, level->error_high_ppm);
	if (strcmp(key, "kept") == 0)
		return judge_share(arena, level->kept_low_ppm, level->kept_high_ppm);
	return NULL;
}

/* What came out under this key; NULL when the key is one of those that go in. */
static const char *say_slots(struct court *court, const char *key)
{
	const struct probe_result *probe = &court->probes[0];
	struct arena *arena = &court->arena;

	for (size_t i = 0; i < probe->part_count; i++)
		if (strcmp(key, probe->parts[i].name) == 0)
			return judge_span(arena, probe->parts[i].span);
	if (strcmp(key, "rto") == 0)
		return judge_observed_rto(&court->request, arena);
	if (strcmp(key, "downtime") == 0)
		return judge_span(arena, probe->downtime);
	if (strcmp(key, "flaps") == 0)
		return judge_count(arena, probe->flap_count);
	if (strcmp(key, "skipped") == 0)
		return judge_count(arena, probe->skipped_count);
	if (strcmp(key, "availability") == 0)
		return judge_share(arena, probe->availability_low_ppm,
				   probe->availability_high_ppm);
	if (strcmp(key, "late p50") == 0)
		return judge_duration(arena, probe->lateness_p50_ns);
	if (strcmp(key, "late p99") == 0)
		return judge_duration(arena, probe->lateness_p99_ns);
	if (strcmp(key, "time over") == 0)
		return judge_span(arena, probe->time_over);
	if (strncmp(key, "during ", 7) == 0)
		return say_level(arena, &probe->during, key + 7);
	if (strncmp(key, "after ", 6) == 0)
		return say_level(arena, &probe->after, key + 6);
	if (strcmp(key, "verdict") == 0)
		return verdict_name(court->rows[0].verdict);
	if (strcmp(key, "margin") == 0)
		return court->rows[0].margin;
	if (strcmp(key, "advice") == 0)
		return court->rows[0].advice;
	ck_assert_msg(strcmp(key, "slots") == 0 || strcmp(key, "fault") == 0 ||
			      strcmp(key, "target") == 0 || strcmp(key, "over") == 0,
		      "unknown key `%s`", key);
	return NULL;
}

static const char *say_ledger(struct arena *arena, const struct ledger_count_result *result,
			      const char *key)
{
	const struct ledger_classes *c = &result->classes;

	if (strcmp(key, "rpo") == 0)
		return judge_span(arena, result->rpo);
	if (strcmp(key, "classes") == 0)
		return arena_format(arena,
				    "%" PRIu64 " acknowledged, %" PRIu64 " ok, %" PRIu64
				    " lost, %" PRIu64 " corrupted, %" PRIu64 " recovered, %" PRIu64
				    " absent, %" PRIu64 " duplicated, %" PRIu64 " unexpected",
				    c->acknowledged, c->ok, c->lost, c->corrupted, c->recovered,
				    c->absent, c->duplicated, c->unexpected);
	ck_assert_msg(strcmp(key, "writes") == 0 || strcmp(key, "rows") == 0 ||
			      strcmp(key, "fault") == 0,
		      "unknown key `%s`", key);
	return NULL;
}

static size_t expect(const struct example *example, size_t i, const char *got)
{
	if (got == NULL)
		return 0;
	ck_assert_msg(strcmp(example->values[i], got) == 0,
		      "docs/measurement.md, box at line %d: %s is \"%s\", not \"%s\"",
		      example->line, example->keys[i], got, example->values[i]);
	return 1;
}

static size_t run_slots(const struct example *example)
{
	const char *target = look_up(example, "target");
	const char *over = look_up(example, "over");
	struct court court;
	size_t compared = 0;

	court_open(&court, look_up(example, "slots"));
	court_say_ordinary_run(&court);
	court.request.fault = read_fault(example);
	if (target != NULL)
		court_promise_rto(&court, parse_ns(target) / NS_PER_MS);
	if (over != NULL)
		court.experiment.objectives.degraded.over_ns = parse_ns(over);
	court_judge(&court);
	for (size_t i = 0; i < example->count; i++)
		compared += expect(example, i, say_slots(&court, example->keys[i]));
	arena_release(&court.arena);
	return compared;
}

static size_t run_ledger(const struct example *example)
{
	struct arena arena = { 0 };
	const struct track track =
		timeline_track(&arena, "writes", look_up(example, "writes"), 20, 200);
	const struct ledger_read read =
		timeline_read(&arena, "writes", COUNT_HEALED, look_up(example, "rows"));
	struct ledger_count_result result;
	size_t compared = 0;

	measure_ledger(&track, &read, read_fault(example), &result);
	for (size_t i = 0; i < example->count; i++)
		compared += expect(example, i, say_ledger(&arena, &result, example->keys[i]));
	arena_release(&arena);
	return compared;
}

/* ---- clocks of hosts ---- */

static void add_clock_event(struct arena *arena, const char *four, struct event *ret_event)
{
	int64_t t_ns[4];
	char words[4][LINE_BYTES];

	ck_assert_int_eq(sscanf(four, "%255s %255s %255s %255s", words[0], words[1], words[2],
				words[3]), 4);
	for (size_t i = 0; i < 4; i++)
		t_ns[i] = parse_ns(words[i]);
	*ret_event = (struct event){
		.kind = EVENT_CLOCK, .host = "db2", .from_ns = t_ns[0], .until_ns = t_ns[3],
		.data = arena_format(arena, "{\"low_ns\":\"%" PRId64 "\",\"high_ns\":\"%" PRId64 "\"}",
				     t_ns[2] - t_ns[3], t_ns[1] - t_ns[0]),
	};
}

/* To a tenth of a millisecond, outwards. */
static const char *say_moment(struct arena *arena, struct span at)
{
	const double unit = 1e5;

	return arena_format(arena, "%.4f s to %.4f s", floor((double)at.low_ns / unit) / 1e4,
			    ceil((double)at.high_ns / unit) / 1e4);
}

static size_t run_clock(const struct example *example)
{
	struct arena arena = { 0 };
	struct event events[3] = { { 0 } };
	const struct timeline timeline = { .events = events, .event_count = 3 };
	const struct named_event *named = NULL;
	char low[LINE_BYTES];
	char high[LINE_BYTES];
	size_t count = 0;
	size_t compared = 0;

	add_clock_event(&arena, look_up(example, "asked"), &events[0]);
	add_clock_event(&arena, look_up(example, "again"), &events[2]);
	ck_assert_int_eq(sscanf(look_up(example, "event"), "%255s to %255s", low, high), 2);
	events[1] = (struct event){
		.kind = EVENT_SEEN, .host = "db2", .text = "promoted",
		.until_ns = parse_ns(look_up(example, "seen")),
		.data = arena_format(&arena, "{\"own_low_ns\":\"%" PRId64 "\",\"own_high_ns\":\"%"
				     PRId64 "\"}", parse_ns(low), parse_ns(high)),
	};
	measure_events(&timeline, &arena, &named, &count);
	ck_assert_uint_eq(count, 1);
	for (size_t i = 0; i < example->count; i++)
		if (strcmp(example->keys[i], "took place") == 0)
			compared += expect(example, i,
					   named[0].is_placed ? say_moment(&arena, named[0].at) :
								named[0].why);
	arena_release(&arena);
	return compared;
}

/* ---- trials ---- */

/* "4.3s-4.4s 0s-20ms 2m-": the last has no upper bound. */
static size_t read_trials(const char *text, struct span spans[TRIALS_AT_MOST])
{
	char copy[LINE_BYTES];
	size_t count = 0;
	char *rest = copy;

	(void)snprintf(copy, sizeof copy, "%s", text);
	for (char *word; (word = strsep(&rest, " ")) != NULL; count++) {
		char *dash = strchr(word, '-');

		ck_assert_uint_lt(count, TRIALS_AT_MOST);
		ck_assert_ptr_nonnull(dash);
		*dash = '\0';
		spans[count] = (struct span){
			parse_ns(word), dash[1] == '\0' ? INT64_MAX : parse_ns(dash + 1)
		};
	}
	return count;
}

static size_t run_trials(const struct example *example)
{
	static const char *const keys[] = { "fastest", "median", "p95", "slowest" };
	struct arena arena = { 0 };
	struct span spans[TRIALS_AT_MOST];
	struct span_summary summary;
	size_t compared = 0;

	statistics_summarise(spans, read_trials(look_up(example, "trials"), spans), &summary);

	const struct span values[] = { summary.min, summary.median, summary.p95, summary.max };

	for (size_t i = 0; i < example->count; i++)
		for (size_t j = 0; j < 4; j++)
			if (strcmp(example->keys[i], keys[j]) == 0)
				compared += expect(example, i, judge_open_span(&arena, values[j]));
	arena_release(&arena);
	return compared;
}

struct passes {
	unsigned met;
	unsigned all;
	double confidence;
};

static const char *say_passes(struct arena *arena, const struct example *example,
			      const struct passes *passes, const char *key)
{
	const double low = statistics_share_low(passes->met, passes->all, passes->confidence);
	const double high = statistics_share_high(passes->met, passes->all, passes->confidence);
	struct trial_set set = { .share = { .trial_count = passes->all,
					    .met_count = passes->met } };

	if (strcmp(key, "at least") == 0)
		return judge_percent(arena, (int64_t)floor(low * 1e6));
	if (strcmp(key, "at most") == 0)
		return judge_percent(arena, (int64_t)ceil(high * 1e6));
	if (strncmp(key, "more for ", 9) == 0)
		return judge_count(arena, statistics_trials_more(passes->met, passes->all,
								 parse_share(key + 9),
								 passes->confidence, LIMIT_TRIALS));
	if (strcmp(key, "report") != 0)
		return NULL;
	set.share.low_ppm = (int64_t)floor(low * 1e6);
	set.promised.rto_ns = parse_ns(look_up(example, "within"));
	set.promised.rto_confidence_ppm = (int64_t)llround(passes->confidence * 1e6);
	return judge_share_sentence(&set, arena);
}

static size_t run_passes(const struct example *example)
{
	struct arena arena = { 0 };
	struct passes passes = { .confidence = parse_share(look_up(example, "confidence")) };
	size_t compared = 0;

	ck_assert_int_eq(sscanf(look_up(example, "passes"), "%u of %u", &passes.met, &passes.all), 2);
	for (size_t i = 0; i < example->count; i++)
		compared += expect(example, i, say_passes(&arena, example, &passes, example->keys[i]));
	arena_release(&arena);
	return compared;
}

/* ---- two groups ---- */

static const char *say_comparison(struct arena *arena, const struct comparison *result,
				  const char *key)
{
	static const char *const answers[] = { "cannot tell", "not slower", "slower" };

	if (strcmp(key, "answer") == 0)
		return answers[result->answer];
	if (strcmp(key, "U") == 0)
		return arena_format(arena, "%g", result->slower.u);
	if (strcmp(key, "chance") == 0)
		return arena_format(arena, "%.4f", result->slower.p_greater);
	if (strcmp(key, "chance within") == 0)
		return arena_format(arena, "%.4f", result->within.p_less);
	if (strcmp(key, "A12") == 0)
		return arena_format(arena, "%.2f to %.2f", result->a12.low, result->a12.high);
	if (strcmp(key, "shift") == 0)
		return judge_span(arena, (struct span){ llround(result->shift_ns.low),
							llround(result->shift_ns.high) });
	return NULL;
}

static size_t run_comparison(const struct example *example)
{
	struct arena arena = { 0 };
	struct span before[TRIALS_AT_MOST];
	struct span after[TRIALS_AT_MOST];
	struct comparison result;
	const struct compare_request request = {
		.before = before,
		.before_count = read_trials(look_up(example, "base"), before),
		.after = after,
		.after_count = read_trials(look_up(example, "new"), after),
		.margin_ns = parse_ns(look_up(example, "margin")),
		.confidence = 0.95,
	};
	size_t compared = 0;

	compare_groups(&request, &result);
	for (size_t i = 0; i < example->count; i++)
		compared += expect(example, i, say_comparison(&arena, &result, example->keys[i]));
	arena_release(&arena);
	return compared;
}

/* ---- looks at members ---- */

static const char *say_watch(struct court *court, const struct primaries_result *watch,
			     const char *key)
{
	struct arena *arena = &court->arena;

	if (strcmp(key, "writable") == 0)
		return judge_span(arena, watch->writable.time);
	if (strcmp(key, "primaries") == 0)
		return judge_span(arena, watch->primaries.time);
	if (strcmp(key, "silent") == 0)
		return judge_duration(arena, watch->silent_ns);
	if (strcmp(key, "verdict") == 0)
		return verdict_name(court->rows[0].verdict);
	ck_assert_msg(strncmp(key, "db", 2) == 0, "unknown key `%s`", key);
	return NULL;
}

/* Looks of 1 ms, every 100 ms, of the members whose keys begin with "db". */
static size_t run_watch(const struct example *example)
{
	struct primaries_result watch;
	struct looks looks;
	struct court court;
	size_t compared = 0;

	court_open(&court, "g*10 b*5 g*20");
	court_say_ordinary_run(&court);
	looks_init(&looks, &court.arena);
	for (size_t i = 0; i < example->count; i++)
		if (strncmp(example->keys[i], "db", 2) == 0)
			looks_put_text(&looks, example->keys[i], example->values[i], 100);
	measure_primaries(&looks.timeline, "watch", &court.arena, &watch);
	court.experiment.objectives.has_split_brain = true;
	court.request.primaries = &watch;
	court.request.primaries_count = 1;
	court_judge(&court);
	for (size_t i = 0; i < example->count; i++)
		compared += expect(example, i, say_watch(&court, &watch, example->keys[i]));
	arena_release(&court.arena);
	return compared;
}

static const char *say_reads(struct arena *arena, const struct reader_result *reader,
			     const char *key)
{
	if (strcmp(key, "stale") == 0)
		return arena_format(arena, "%" PRIu64 " of %" PRIu64, reader->stale_read_count,
				    reader->read_count);
	if (strcmp(key, "staleness") == 0)
		return judge_span(arena, reader->staleness);
	if (strcmp(key, "non-monotonic") == 0)
		return judge_count(arena, reader->non_monotonic_read_count);
	if (strcmp(key, "gone") == 0)
		return judge_count(arena, reader->gone_row_count);
	ck_assert_msg(strcmp(key, "acknowledged") == 0 || strcmp(key, "reads") == 0 ||
			      strcmp(key, "present") == 0,
		      "unknown key `%s`", key);
	return NULL;
}

static size_t run_reads(const struct example *example)
{
	static struct shows shows;
	struct arena arena = { 0 };
	const struct track ledger =
		timeline_track(&arena, "writes", look_up(example, "acknowledged"), 20, 200);
	const struct ledger_read settled =
		timeline_read(&arena, "writes", COUNT_HEALED, look_up(example, "present"));
	const struct reads_request request = { .timeline = &shows.timeline,
					       .reader = &shows.track,
					       .ledger = &ledger,
					       .settled = &settled };
	struct reader_result reader;
	size_t compared = 0;

	shows_init(&shows, &arena, 50, 1);
	shows_put_text(&shows, look_up(example, "reads"));
	shows_end(&shows);
	measure_reads(&request, &arena, &reader);
	for (size_t i = 0; i < example->count; i++)
		compared += expect(example, i, say_reads(&arena, &reader, example->keys[i]));
	arena_release(&arena);
	return compared;
}

/* ---- the page ---- */

static size_t run_example(const struct example *example)
{
	static const struct {
		const char *first_key;
		size_t (*run)(const struct example *example);
	} kinds[] = {
		{ "slots", run_slots },	  { "writes", run_ledger }, { "asked", run_clock },
		{ "trials", run_trials }, { "passes", run_passes }, { "base", run_comparison },
		{ "db1", run_watch },	  { "acknowledged", run_reads },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(example->keys[0], kinds[i].first_key) == 0)
			return kinds[i].run(example);
	ck_abort_msg("box at line %d is an example of `%s`", example->line, example->keys[0]);
	return 0;
}

START_TEST(test_measurement_page_examples_are_true)
{
	FILE *file = fopen("docs/measurement.md", "r");
	struct example example;
	int line_number = 0;
	size_t compared = 0;
	size_t boxes = 0;

	ck_assert_msg(file != NULL, "run the tests from the top folder");
	for (; next_example(file, &line_number, &example); boxes++) {
		const size_t before = compared;

		compared += run_example(&example);
		ck_assert_msg(compared > before, "box at line %d compares nothing", example.line);
	}
	(void)fclose(file);
	ck_assert_uint_ge(boxes, 30);
}
END_TEST

/* "| 5 | 63.1 % | 54.9 % | 39.8 % |": so many trials, all met, with 90, 95 and 99 % confidence. */
static void check_bounds_row(const char *line)
{
	static const double confidences[] = { 0.90, 0.95, 0.99 };
	unsigned trials = 0;
	double said[3];

	ck_assert_int_eq(sscanf(line, "| %u | %lf %% | %lf %% | %lf %% |", &trials, &said[0],
				&said[1], &said[2]), 4);
	for (size_t i = 0; i < 3; i++) {
		const double low = statistics_share_low(trials, trials, confidences[i]);

		ck_assert_msg(fabs(low * 100 - said[i]) <= 0.05 + 1e-9, "%.4f: %s", low, line);
	}
}

START_TEST(test_measurement_page_table_of_bounds_is_true)
{
	FILE *file = fopen("docs/measurement.md", "r");
	char line[LINE_BYTES];
	bool is_inside = false;
	size_t rows = 0;

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof line, file) != NULL) {
		if (strncmp(line, "| trials, all met", 17) == 0)
			is_inside = true;
		else if (is_inside && line[0] != '|')
			break;
		else if (is_inside && strncmp(line, "| -", 3) != 0) {
			check_bounds_row(line);
			rows++;
		}
	}
	(void)fclose(file);
	ck_assert_uint_ge(rows, 5);
}
END_TEST

void suite_measure_docs(Suite *suite)
{
	TCase *tcase = tcase_create("measure_docs");

	tcase_add_test(tcase, test_measurement_page_examples_are_true);
	tcase_add_test(tcase, test_measurement_page_table_of_bounds_is_true);
	suite_add_tcase(suite, tcase);
}
