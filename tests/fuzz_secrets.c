/*
 * fuzz_secrets.c - the one function that hides secrets. However a value stands in a text (plain, in a
 * URL, in JSON as we print it), nothing of it is left whole between the marks that hide it.
 */
#include "tests/fuzz.h"
#include "base/json.h"
#include "base/secrets.h"
#include "fixtures/fuzz_input.h"

#include <assert.h>
#include <string.h>

static const char mark[] = "[secret]";

/* Between two marks there is no whole secret. A secret that is a part of the mark cannot be told apart. */
static void check_hidden(const struct secrets *secrets, const char *text)
{
	const char *from = text;

	for (;;) {
		const char *end = strstr(from, mark);
		const size_t piece_bytes = end == NULL ? strlen(from) : (size_t)(end - from);

		for (size_t i = 0; i < secrets->value_count; i++) {
			const char *value = secrets->owned_values[i];

			assert(memmem(from, piece_bytes, value, strlen(value)) == NULL);
		}
		if (end == NULL)
			return;
		from = end + strlen(mark);
	}
}

static void redact(const struct secrets *secrets, struct text *text)
{
	secrets_redact(secrets, text);
	check_hidden(secrets, text_str(text));
}

/* As a journal or a report writes it: the value within other words, within JSON. */
static void redact_in_json(const struct secrets *secrets, const char *value, const char *words)
{
	struct json *root = json_object();
	struct text told = { 0 };
	struct text printed = { 0 };
	struct json *again = NULL;
	struct err e = { 0 };

	text_addf(&told, "%s<%s>", words, value);
	json_put_text(root, "told", text_str(&told));
	json_print(root, false, &printed);
	redact(secrets, &printed);
	/* When it is JSON still, reading it must not bring the value back. */
	if (strlen(value) >= 4 && strstr(value, "secret") == NULL &&
	    json_parse(text_str(&printed), printed.length_bytes, &again, &e)) {
		const char *read = json_text_of(json_get(again, "told"));

		text_clear(&told);
		text_addf(&told, "<%s>", value);
		assert(read == NULL || strstr(read, text_str(&told)) == NULL);
	}
	json_release(again);
	json_release(root);
	text_release(&told);
	text_release(&printed);
}

/* Two lines are secrets, the rest is a text. */
void fuzz_secrets(const uint8_t *bytes, size_t length_bytes)
{
	struct fuzz_input input = { bytes, length_bytes };
	struct arena arena = { 0 };
	const char *one = fuzz_take_line(&input, &arena);
	const char *two = fuzz_take_line(&input, &arena);
	const char *words = fuzz_take_text(&input, &arena);
	struct secrets secrets = { 0 };
	struct text text = { 0 };

	secrets_register(&secrets, one);
	secrets_register(&secrets, two);
	text_addf(&text, "%s%s%s%s", words, one, two, words);
	redact(&secrets, &text);
	redact_in_json(&secrets, one, words);
	redact_in_json(&secrets, two, words);
	text_release(&text);
	secrets_release(&secrets);
	arena_release(&arena);
}
