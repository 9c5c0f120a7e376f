/*
 * fuzz_mariadb.c - what a MariaDB says, which speaks first: to a write and to a read back. libmariadb reads it
 * first, and with one thing it does not live (SECURITY.md, "Not defended"): that is left out here.
 */
#include "tests/fuzz.h"
#include "fixtures/answer_try.h"

#include <string.h>

/* Before a greeting, an error packet with the number 65535: libmariadb 3.3 takes it for a report of
   progress, looks up the server's version, and reads address 0. */
static bool kills_the_library(const uint8_t *bytes, size_t length_bytes)
{
	enum { HEAD_BYTES = 4 };
	static const uint8_t progress[] = { 0xff, 0xff, 0xff };

	return length_bytes > HEAD_BYTES &&
	       memmem(bytes + HEAD_BYTES, length_bytes - HEAD_BYTES, progress, sizeof progress) != NULL;
}

void fuzz_mariadb(const uint8_t *bytes, size_t length_bytes)
{
	static const char *const service[] = { "address", "127.0.0.1:%u", "user", "u", "database", "d", NULL };
	static const struct answer_case mariadb = { .probe = "mariadb.write", .service = "mariadb",
						    .service_params = service, .says_first = true };

	if (kills_the_library(bytes, length_bytes))
		return;
	answer_try(&mariadb, bytes, length_bytes);
}
