/*
 * fuzz_conninfo.c - a PostgreSQL connection text from an inventory: taken apart or refused, and a
 * refusal repeats no part of it, because that part may be the password.
 */
#include "tests/fuzz.h"
#include "fixtures/fuzz_input.h"
#include "probes/postgres_places.h"

#include <assert.h>
#include <string.h>

/* Names would be looked up in the DNS, so places are made of numbers, sockets and members alone. */
static void take_apart(const char *conninfo)
{
	static const struct host member = { .name = "db1", .address = "127.0.0.1" };
	const struct postgres_want want = { .conninfo = conninfo, .member = &member, .run_id = "r" };
	struct postgres_places places;
	struct err e = { 0 };

	if (postgres_places_init(&want, &places, &e)) {
		assert(places.count >= 1 && places.count <= POSTGRES_PLACES_MAX);
		for (size_t i = 0; i < places.count; i++)
			assert(strcmp(places.places[i].name, "db1") == 0);
	} else {
		assert(e.text[0] != '\0');
	}
	postgres_places_release(&places);
}

void fuzz_conninfo(const uint8_t *bytes, size_t length_bytes)
{
	struct fuzz_input input = { bytes, length_bytes };
	struct arena arena = { 0 };
	const char *text = fuzz_take_text(&input, &arena);
	const char *with_canary = arena_format(&arena, "%s password=ca'na", text);
	struct err e = { 0 };

	if (!postgres_conninfo_check(with_canary, "orders-db", &e))
		assert(strstr(e.text, "ca'na") == NULL && strstr(e.text, "orders-db") != NULL);
	/* libpq reads a file for `service`, and the environment has ports of its own. */
	if (strstr(text, "service") == NULL)
		take_apart(text);
	arena_release(&arena);
}
