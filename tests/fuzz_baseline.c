/*
 * fuzz_baseline.c - a suite.json that somebody has written, as `--baseline` reads it: what is taken is a
 * recovery with a name, and can be compared with ours whatever its numbers; what is refused has a sentence.
 */
#include "tests/fuzz.h"
#include "cli/suite_base.h"
#include "engine/compare.h"
#include "engine/judge_trials.h"
#include "fixtures/fuzz_input.h"

#include <assert.h>
#include <string.h>

enum { COMPARED_MOST = 20 };

static void check_run(const struct base_run *run)
{
	assert(run->title != NULL);
	assert(run->run_id != NULL);
	assert(run->rto.low_ns >= 0);
	assert(run->rto.low_ns <= run->rto.high_ns);
}

/* As suite_baseline.c does it, with two recoveries of ours. */
static void compare(const struct base_file *base, struct arena *arena)
{
	const struct span own[] = { { 0, INT64_MAX }, { 4000000000, 4020000000 } };
	struct span *before = arena_alloc(arena, COMPARED_MOST * sizeof *before);
	struct comparison comparison;
	size_t count = 0;

	for (size_t i = 0; i < base->count && count < COMPARED_MOST; i++)
		before[count++] = base->runs[i].rto;
	if (count == 0)
		return;

	const struct compare_request request = {
		.before = before,
		.before_count = count,
		.after = own,
		.after_count = sizeof own / sizeof own[0],
		.margin_ns = compare_margin_ns(before, count, COMPARE_MARGIN_PPM),
		.confidence = COMPARE_CONFIDENCE_PPM / 1e6,
	};

	compare_groups(&request, &comparison);
	assert(*judge_open_span(arena, comparison.before.median) != '\0');
}

void fuzz_baseline(const uint8_t *bytes, size_t length_bytes)
{
	struct arena arena = { 0 };
	struct base_file base = { 0 };
	struct text text = { 0 };
	struct err e = { 0 };

	text_add_bytes(&text, (const char *)bytes, length_bytes);
	if (base_parse("suite.json", &text, &arena, &base, &e)) {
		for (size_t i = 0; i < base.count; i++)
			check_run(&base.runs[i]);
		compare(&base, &arena);
	} else {
		assert(e.kind == ERR_INPUT || e.kind == ERR_LIMIT);
		assert(e.text[0] != '\0');
		assert(base.count == 0);
	}
	text_release(&text);
	arena_release(&arena);
}
