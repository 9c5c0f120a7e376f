/*
 * fuzz_redis.c - what a Redis says: to the opening, to a write and to a read back.
 */
#include "tests/fuzz.h"
#include "fixtures/answer_try.h"

void fuzz_redis(const uint8_t *bytes, size_t length_bytes)
{
	static const char *const service[] = { "address", "127.0.0.1:%u", NULL };
	static const struct answer_case redis = { .probe = "redis.write", .service = "redis",
						  .service_params = service };

	answer_try(&redis, bytes, length_bytes);
}
