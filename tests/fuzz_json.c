/*
 * fuzz_json.c - JSON from elsewhere: what is read prints, and what was printed reads as the same; fields
 * of a body that was read are compared by any path.
 */
#include "tests/fuzz.h"
#include "base/json.h"
#include "fixtures/fuzz_input.h"
#include "probes/json_fields.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void walk(const struct json *value, int depth)
{
	struct text plain = { 0 };
	int64_t number = 0;
	bool is_true = false;

	json_plain(value, &plain);
	text_release(&plain);
	assert((json_text_of(value) != NULL) == (json_type_of(value) == JSON_TEXT));
	assert(!json_int_of(value, &number) || json_type_of(value) == JSON_NUMBER);
	assert(json_bool_of(value, &is_true) == (json_type_of(value) == JSON_BOOL));
	if (depth == 0)
		return;
	for (const struct json *child = json_at(value, 0); child != NULL; child = json_next(child)) {
		if (json_type_of(value) == JSON_OBJECT)
			assert(json_get(value, json_key_of(child)) == child);
		walk(child, depth - 1);
	}
}

static void print_and_read_again(const struct json *root)
{
	struct text once = { 0 };
	struct text twice = { 0 };
	struct json *again = NULL;
	struct err e = { 0 };

	json_print(root, false, &once);
	assert(json_parse(text_str(&once), once.length_bytes, &again, &e));
	json_print(again, false, &twice);
	assert(strcmp(text_str(&once), text_str(&twice)) == 0);
	json_release(again);
	text_release(&once);
	text_release(&twice);
}

static void match(const char *body, const char *path)
{
	const struct pair expected[] = { { "status", "ok" }, { path, "1" } };
	const struct param_value fields = { .pairs = expected, .pair_count = 2 };
	struct text text = { 0 };
	struct err e = { 0 };

	text_add(&text, body);
	if (!json_fields_match(&text, &fields, &e))
		assert(e.kind == ERR_REMOTE && e.text[0] != '\0');
	text_release(&text);
}

/* The first line is a path, the rest is the body. */
void fuzz_json(const uint8_t *bytes, size_t length_bytes)
{
	struct fuzz_input input = { bytes, length_bytes };
	struct arena arena = { 0 };
	const char *path = fuzz_take_line(&input, &arena);
	struct json *root = NULL;
	struct err e = { 0 };

	if (json_parse((const char *)input.bytes, input.left_bytes, &root, &e)) {
		walk(root, 3);
		print_and_read_again(root);
	} else {
		assert(e.text[0] != '\0');
	}
	json_release(root);
	match(fuzz_take_text(&input, &arena), path);
	arena_release(&arena);
}
