/*
 * test_base.c - err, mem, clock, hash.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tests/suites.h"

#include <string.h>

START_TEST(test_err_wrap_puts_context_in_front)
{
	struct err e = { 0 };

	err_set(&e, ERR_REMOTE, "connection refused");
	err_wrap(&e, "heal %s on %s", "net.partition", "db2");
	ck_assert_str_eq(e.text, "heal net.partition on db2: connection refused");
	ck_assert_int_eq(e.kind, ERR_REMOTE);
}
END_TEST

START_TEST(test_err_set_cuts_a_text_that_is_too_long)
{
	struct err e = { 0 };
	struct text text = { 0 };

	for (int i = 0; i < 5000; i++)
		text_add(&text, "x");
	err_set(&e, ERR_REMOTE, "%s", text_str(&text));
	err_wrap(&e, "%s", text_str(&text));
	ck_assert_uint_eq(strlen(e.text), sizeof e.text - 1);
	text_release(&text);
}
END_TEST

START_TEST(test_arena_alloc_survives_large_wishes)
{
	struct arena arena = { 0 };
	const char *small = arena_copy(&arena, "small");
	char *large = arena_alloc(&arena, 1 << 20);

	memset(large, 'x', 1 << 20);
	ck_assert_str_eq(small, "small");
	ck_assert_str_eq(arena_format(&arena, "%d of %s", 3, small), "3 of small");
	arena_release(&arena);
}
END_TEST

START_TEST(test_hash_chain_is_sha256_of_previous_and_bytes)
{
	char hash[HASH_TEXT_BYTES];

	hash_chain("a", "bc", 2, hash);
	ck_assert_str_eq(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

START_TEST(test_clock_format_wall_is_utc_with_milliseconds)
{
	char text[32];

	clock_format_wall(INT64_C(1700000000123000000), text, sizeof text);
	ck_assert_str_eq(text, "2023-11-14T22:13:20.123Z");
}
END_TEST

void suite_base(Suite *suite)
{
	TCase *tcase = tcase_create("base");

	tcase_add_test(tcase, test_err_wrap_puts_context_in_front);
	tcase_add_test(tcase, test_err_set_cuts_a_text_that_is_too_long);
	tcase_add_test(tcase, test_arena_alloc_survives_large_wishes);
	tcase_add_test(tcase, test_hash_chain_is_sha256_of_previous_and_bytes);
	tcase_add_test(tcase, test_clock_format_wall_is_utc_with_milliseconds);
	suite_add_tcase(suite, tcase);
}
