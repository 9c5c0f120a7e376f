/*
 * fuzz_s3.c - what an object store answers to a write and to a listing: rows of ours, or a sentence.
 */
#include "tests/fuzz.h"
#include "fixtures/answer_try.h"

void fuzz_s3(const uint8_t *bytes, size_t length_bytes)
{
	static const char *const service[] = { "endpoint", "http://127.0.0.1:%u", "bucket", "b", "access_key", "AK",
					       "secret_key", "open-sesame", "region", "eu-1", NULL };
	static const struct answer_case s3 = { .probe = "s3.write", .service = "s3", .service_params = service };

	answer_try(&s3, bytes, length_bytes);
}
