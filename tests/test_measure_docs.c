/*
 * test_measure_docs.c - runs the worked examples of docs/measurement.md: each says what goes in and
 * what must come out, in the words of a report.
 */
#include "engine/judge_words.h"
#include "engine/measure.h"
#include "engine/measure_primaries.h"
#include "engine/measure_reads.h"
#include "base/units.h"
#include "fixtures/court.h"
#include "fixtures/looks.h"
#include "fixtures/shows.h"
#include "tests/suites.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_AT_MOST = 16, LINE_BYTES = 256 };

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

static struct span read_fault(const struct example *example)
{
	const char *text = look_up(example, "fault");
	char *end;

	ck_assert_ptr_nonnull(text);

	const int64_t sent_ms = strtoll(text, &end, 10);
	const int64_t confirmed_ms = strtoll(end, NULL, 10);

	return timeline_fault(sent_ms, confirmed_ms);
}

static const char *say_availability(struct arena *arena, const struct probe_result *probe)
{
	return arena_format(arena, "%s to %s", judge_percent(arena, probe->availability_low_ppm),
			    judge_percent(arena, probe->availability_high_ppm));
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

	if (strcmp(key, "rto") == 0)
		return judge_observed_rto(&court->request, arena);
	if (strcmp(key, "downtime") == 0)
		return judge_span(arena, probe->downtime);
	if (strcmp(key, "flaps") == 0)
		return judge_count(arena, probe->flap_count);
	if (strcmp(key, "skipped") == 0)
		return judge_count(arena, probe->skipped_count);
	if (strcmp(key, "availability") == 0)
		return say_availability(arena, probe);
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
			      strcmp(key, "target") == 0,
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
	struct court court;
	struct err e = { 0 };
	int64_t target_ns = 0;
	size_t compared = 0;

	court_open(&court, look_up(example, "slots"));
	court_say_ordinary_run(&court);
	court.request.fault = read_fault(example);
	if (target != NULL) {
		ck_assert_msg(units_parse_duration(target, &target_ns, &e), "%s", e.text);
		court_promise_rto(&court, target_ns / NS_PER_MS);
	}
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

static size_t run_example(const struct example *example)
{
	if (look_up(example, "writes") != NULL)
		return run_ledger(example);
	if (look_up(example, "reads") != NULL)
		return run_reads(example);
	return look_up(example, "db1") != NULL ? run_watch(example) : run_slots(example);
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
	ck_assert_uint_ge(boxes, 15);
}
END_TEST

void suite_measure_docs(Suite *suite)
{
	TCase *tcase = tcase_create("measure_docs");

	tcase_add_test(tcase, test_measurement_page_examples_are_true);
	suite_add_tcase(suite, tcase);
}
