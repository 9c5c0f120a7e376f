/*
 * fuzz_postgres.c - what a PostgreSQL says to postgres.query, from the handshake on. libpq reads it first.
 */
#include "tests/fuzz.h"
#include "fixtures/answer_try.h"

void fuzz_postgres(const uint8_t *bytes, size_t length_bytes)
{
	static const char *const params[] = { "sql", "select 1", "expect", "1", NULL };
	static const struct answer_case postgres = {
		.probe = "postgres.query", .params = params, .service = "postgres",
		.conninfo = "host=127.0.0.1 port=%u user=u dbname=d sslmode=disable connect_timeout=2"
	};

	answer_try(&postgres, bytes, length_bytes);
}
