/*
 * fuzz_patroni.c - what Patroni answers to /history and /cluster: sightings that fit their buffers, with their
 * times in order.
 */
#include "tests/fuzz.h"
#include "fixtures/answer_try.h"

void fuzz_patroni(const uint8_t *bytes, size_t length_bytes)
{
	static const struct answer_case patroni = { .probe = "patroni.history", .service = "postgres",
						    .conninfo = "host=127.0.0.1" };

	answer_try(&patroni, bytes, length_bytes);
}
