/*
 * fuzz_mariadb.c - what a MariaDB says, which speaks first: to a write and to a read back. libmariadb reads it first.
 */
#include "tests/fuzz.h"
#include "fixtures/answer_try.h"

void fuzz_mariadb(const uint8_t *bytes, size_t length_bytes)
{
	static const char *const service[] = { "address", "127.0.0.1:%u", "user", "u", "database", "d", NULL };
	static const struct answer_case mariadb = { .probe = "mariadb.write", .service = "mariadb",
						    .service_params = service, .says_first = true };

	answer_try(&mariadb, bytes, length_bytes);
}
