/*
 * fuzz_prometheus.c - what Prometheus answers to a query: a sample, good or bad, and a bad one says why.
 */
#include "tests/fuzz.h"
#include "fixtures/answer_try.h"

void fuzz_prometheus(const uint8_t *bytes, size_t length_bytes)
{
	static const char *const params[] = { "url", "http://127.0.0.1:%u", "query", "up", "at_least", "1", NULL };
	static const struct answer_case prometheus = { .probe = "prometheus.query", .params = params };

	answer_try(&prometheus, bytes, length_bytes);
}
