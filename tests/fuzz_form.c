/*
 * fuzz_form.c - bodies of forms, Cookie and Origin headers, and where a form wants to lead, as strangers send
 * them: what is taken can be written again and means the same, and leads nowhere but to us.
 */
#include "tests/fuzz.h"

#include <assert.h>
#include <string.h>

#include "serve/request.h"

static void read_again(const struct request_params *form, struct arena *arena)
{
	struct text body = { 0 };
	struct request_params again;
	struct err e = { 0 };

	for (size_t i = 0; i < form->count; i++) {
		request_encode(&body, form->items[i].name);
		text_add(&body, "=");
		request_encode(&body, form->items[i].value);
		text_add(&body, "&");
	}
	assert(request_parse_form(text_str(&body), body.length_bytes, arena, &again, &e));
	assert(again.count == form->count);
	for (size_t i = 0; i < again.count; i++) {
		assert(strcmp(again.items[i].name, form->items[i].name) == 0);
		assert(strcmp(again.items[i].value, form->items[i].value) == 0);
	}
	text_release(&body);
}

void fuzz_form(const uint8_t *bytes, size_t length_bytes)
{
	struct arena arena = { 0 };
	const char *text = arena_copy_bytes(&arena, (const char *)bytes, length_bytes);
	struct request_params form;
	struct err e = { 0 };
	size_t length = 0;
	const char *id = request_cookie(text, "firedrill", &length);

	assert(id == NULL || (id > text && length <= strlen(id)));
	if (request_is_local(text))
		assert(text[0] == '/' && text[1] != '/' && strpbrk(text, "\r\n\t \\") == NULL);
	assert(!request_origin_is(text, "127.0.0.1:7333") || strstr(text, "127.0.0.1:7333") != NULL);
	if (request_parse_form((const char *)bytes, length_bytes, &arena, &form, &e))
		read_again(&form, &arena);
	else
		assert(e.kind == ERR_INPUT);
	arena_release(&arena);
}
