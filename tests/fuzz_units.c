/*
 * fuzz_units.c - numbers with units. What is taken and printed exactly reads back as the same number;
 * what is refused has a sentence; no form for people outgrows its buffer.
 */
#include "tests/fuzz.h"
#include "base/units.h"
#include "fixtures/fuzz_input.h"

#include <assert.h>
#include <string.h>

static void check_refused(const struct err *e)
{
	assert(e->kind == ERR_INPUT || e->kind == ERR_LIMIT);
	assert(e->text[0] != '\0');
}

static void try_duration(const char *text)
{
	char shown[UNITS_TEXT_BYTES];
	struct err e = { 0 };
	int64_t ns = 0;
	int64_t again = -1;

	if (!units_parse_duration(text, &ns, &e)) {
		check_refused(&e);
		return;
	}
	assert(ns >= 0);
	assert(units_parse_duration(units_format_duration_exact(ns, shown), &again, &e));
	assert(again == ns);
}

static void try_bytes(const char *text)
{
	char shown[UNITS_TEXT_BYTES];
	struct err e = { 0 };
	uint64_t bytes = 0;

	if (units_parse_bytes(text, &bytes, &e))
		assert(strlen(units_format_bytes(bytes, shown)) < UNITS_TEXT_BYTES);
	else
		check_refused(&e);
}

static void try_percent(const char *text)
{
	char shown[UNITS_TEXT_BYTES];
	struct err e = { 0 };
	int64_t ppm = 0;

	if (!units_parse_percent(text, &ppm, &e)) {
		check_refused(&e);
		return;
	}
	assert(ppm >= 0 && ppm <= 1000000);
	assert(strlen(units_format_percent(ppm, shown)) < UNITS_TEXT_BYTES);
}

static void try_count(const char *text, struct arena *arena)
{
	struct err e = { 0 };
	int64_t count = 0;
	int64_t again = 1;

	if (!units_parse_count(text, &count, &e)) {
		check_refused(&e);
		return;
	}
	assert(units_parse_count(arena_format(arena, "%lld", (long long)count), &again, &e));
	assert(again == count);
}

/* Any number at all, as a damaged journal may hold it. */
static void try_formats(struct fuzz_input input)
{
	char span[UNITS_SPAN_BYTES];
	char shown[UNITS_TEXT_BYTES];
	const int64_t one = (int64_t)fuzz_take_word(&input);
	const int64_t two = (int64_t)fuzz_take_word(&input);

	assert(strlen(units_format_duration(one, shown)) < sizeof shown);
	if (one >= 0)
		assert(strlen(units_format_duration_exact(one, shown)) < sizeof shown);
	assert(strlen(units_format_bytes((uint64_t)one, shown)) < sizeof shown);
	assert(strlen(units_format_percent(one, shown)) < sizeof shown);
	assert(strlen(units_format_span(one < two ? one : two, one < two ? two : one, span)) <
	       sizeof span);
}

void fuzz_units(const uint8_t *bytes, size_t length_bytes)
{
	struct fuzz_input input = { bytes, length_bytes };
	struct arena arena = { 0 };
	const char *text;

	try_formats(input);
	text = fuzz_take_text(&input, &arena);
	try_duration(text);
	try_bytes(text);
	try_percent(text);
	try_count(text, &arena);
	arena_release(&arena);
}
