/*
 * fuzz_http.c - what a web server answers to http.get, status line and headers included: a sample, good or bad.
 */
#include "tests/fuzz.h"
#include "fixtures/answer_try.h"

void fuzz_http(const uint8_t *bytes, size_t length_bytes)
{
	static const char *const params[] = { "json", "status=healthy", "contains", "ok", NULL };
	static const struct answer_case http = { .probe = "http.get", .params = params, .service = "http" };

	answer_try(&http, bytes, length_bytes);
}
