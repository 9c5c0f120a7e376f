/*
 * secrets.c - see secrets.h. A value is looked for as it is, URL-encoded, and JSON-escaped.
 */
#include "base/secrets.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { SECRET_BYTES_MIN = 4 };

static const char hidden[] = "[secret]";

static void register_form(struct secrets *secrets, const char *form)
{
	for (size_t i = 0; i < secrets->value_count; i++)
		if (strcmp(secrets->owned_values[i], form) == 0)
			return;

	const size_t count = secrets->value_count + 1;

	secrets->owned_values =
		mem_grow(secrets->owned_values, count * sizeof *secrets->owned_values);
	secrets->owned_values[secrets->value_count++] = mem_copy(form);
}

static void add_url_encoded(struct text *text, const char *value)
{
	for (const char *at = value; *at != '\0'; at++) {
		const unsigned char byte = (unsigned char)*at;

		if (isalnum(byte) || strchr("-._~", byte) != NULL)
			text_add_bytes(text, at, 1);
		else
			text_addf(text, "%%%02X", byte);
	}
}

/* As json.c writes it, escapes and what becomes of bytes that are no UTF-8 included. */
static void add_json_escaped(struct text *text, const char *value)
{
	struct json *array = json_array();
	struct text printed = { 0 };

	json_push_text(array, value);
	json_print(array, false, &printed);
	text_add_bytes(text, text_str(&printed) + strlen("[\""),
		       printed.length_bytes - strlen("[\"\"]"));
	json_release(array);
	text_release(&printed);
}

void secrets_register(struct secrets *secrets, const char *value)
{
	struct text form = { 0 };

	if (value == NULL || strlen(value) < SECRET_BYTES_MIN)
		return;
	register_form(secrets, value);
	add_url_encoded(&form, value);
	register_form(secrets, text_str(&form));
	text_clear(&form);
	add_json_escaped(&form, value);
	register_form(secrets, text_str(&form));
	text_release(&form);
}

static void redact_value(struct text *text, const char *value)
{
	const char *from = text_str(text);
	const char *found = strstr(from, value);

	if (found == NULL)
		return;

	struct text clean = { 0 };

	while (found != NULL) {
		text_add_bytes(&clean, from, (size_t)(found - from));
		text_add(&clean, hidden);
		from = found + strlen(value);
		found = strstr(from, value);
	}
	text_add(&clean, from);
	text_release(text);
	*text = clean;
}

/* Longest first, so that a secret inside another one does not leave the rest of it readable. */
void secrets_redact(const struct secrets *secrets, struct text *text)
{
	if (secrets == NULL || text->length_bytes == 0)
		return;

	size_t done_below = SIZE_MAX;

	for (;;) {
		size_t longest = 0;

		for (size_t i = 0; i < secrets->value_count; i++) {
			const size_t length = strlen(secrets->owned_values[i]);

			if (length < done_below && length > longest)
				longest = length;
		}
		if (longest == 0)
			return;
		for (size_t i = 0; i < secrets->value_count; i++)
			if (strlen(secrets->owned_values[i]) == longest)
				redact_value(text, secrets->owned_values[i]);
		done_below = longest;
	}
}

void secrets_release(struct secrets *secrets)
{
	for (size_t i = 0; i < secrets->value_count; i++) {
		explicit_bzero(secrets->owned_values[i], strlen(secrets->owned_values[i]));
		free(secrets->owned_values[i]);
	}
	free(secrets->owned_values);
	*secrets = (struct secrets){ 0 };
}
