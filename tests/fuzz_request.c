/*
 * fuzz_request.c - addresses and Host headers, as strangers send them to the web page: what is taken can be
 * written as an address again and means the same.
 */
#include "tests/fuzz.h"

#include <assert.h>
#include <string.h>

#include "serve/request.h"

static void read_again(const struct request *request, struct arena *arena)
{
	struct text target = { 0 };
	struct request again;
	struct err e = { 0 };

	text_add(&target, "/?");
	for (size_t i = 0; i < request->params.count; i++) {
		request_encode(&target, request->params.items[i].name);
		text_add(&target, "=");
		request_encode(&target, request->params.items[i].value);
		text_add(&target, "&");
	}
	if (target.length_bytes <= REQUEST_TARGET_BYTES) {
		assert(request_parse(text_str(&target), arena, &again, &e));
		assert(again.params.count == request->params.count);
		for (size_t i = 0; i < again.params.count; i++)
			assert(strcmp(again.params.items[i].value, request->params.items[i].value) == 0);
	}
	text_release(&target);
}

void fuzz_request(const uint8_t *bytes, size_t length_bytes)
{
	static const struct host_names names = { { "127.0.0.1", "localhost", NULL } };
	struct arena arena = { 0 };
	const char *target = arena_copy_bytes(&arena, (const char *)bytes, length_bytes);
	struct request request;
	struct err e = { 0 };

	(void)request_host_is_ours(target, &names);
	if (request_parse(target, &arena, &request, &e)) {
		read_again(&request, &arena);
	} else {
		assert(e.kind == ERR_INPUT);
	}
	arena_release(&arena);
}
