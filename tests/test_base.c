/*
 * test_base.c - err, mem, clock, hash.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/random.h"
#include "base/secrets.h"
#include "base/units.h"
#include "tests/suites.h"

#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

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
	ck_assert_str_eq(e.text + strlen(e.text) - 4, "x...");
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

static void expect_span(int64_t low_ns, int64_t high_ns, const char *expected)
{
	char text[UNITS_SPAN_BYTES];

	ck_assert_str_eq(units_format_span(low_ns, high_ns, text), expected);
}

START_TEST(test_units_format_span_contains_what_was_measured)
{
	expect_span(0, 0, "0 s");
	expect_span(4310 * NS_PER_MS, 4310 * NS_PER_MS, "4.31 s");
	expect_span(4319999999, 4310000001 + 10 * NS_PER_MS, "4.31 s to 4.33 s");
	expect_span(999, 9999999, "999 ns to 10 ms");
	expect_span(99950 * NS_PER_MS, 99951 * NS_PER_MS, "99.9 s to 100 s");
	expect_span(100 * NS_PER_S + 1, 121 * NS_PER_S + 1, "100 s to 2 min 2 s");
}
END_TEST

static void expect_share(int64_t low_ppm, int64_t high_ppm, const char *expected)
{
	char text[UNITS_SPAN_BYTES];

	ck_assert_str_eq(units_format_share(low_ppm, high_ppm, text), expected);
}

START_TEST(test_units_format_share_has_digits_that_tell_and_holds_the_span)
{
	expect_share(434108, 434109, "43.41 %"); /* one number without an end */
	expect_share(434108, 434110, "43.41 % to 43.42 %");
	expect_share(750000, 875000, "75 % to 87.5 %");
	expect_share(999876, 999876, "99.9876 %");
	expect_share(998765, 998766, "99.876 %");
	expect_share(434108, 999876, "43.4108 % to 99.9876 %");
	expect_share(0, 1000000, "0 % to 100 %");
	expect_share(0, 0, "0 %");
	expect_share(12, 12, "0.0012 %");
	expect_share(1004321, 1004399, "100.43 % to 100.44 %"); /* throughput kept */
}
END_TEST

START_TEST(test_units_parse_duration_refuses_what_has_no_unit)
{
	struct err e = { 0 };
	int64_t ns = 7;

	ck_assert(!units_parse_duration("30", &ns, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "30s"));
	ck_assert(!units_parse_duration("-3s", &ns, &e));
	ck_assert(!units_parse_duration("99999999999d", &ns, &e));
	ck_assert_int_eq(ns, 7);
	ck_assert(units_parse_duration("1m30.5s", &ns, &e));
	ck_assert_int_eq(ns, 90500 * NS_PER_MS);
}
END_TEST

START_TEST(test_secrets_redact_hides_every_form_and_the_longest_first)
{
	struct secrets secrets = { 0 };
	struct text text = { 0 };

	secrets_register(&secrets, "pa ss\"word");
	secrets_register(&secrets, "word");
	text_add(&text, "a pa ss\"word b pa%20ss%22word c pa ss\\\"word d word");
	secrets_redact(&secrets, &text);
	ck_assert_str_eq(text_str(&text), "a [secret] b [secret] c [secret] d [secret]");
	text_release(&text);
	secrets_release(&secrets);
}
END_TEST

/* What a server, a shell or one of our own probes may have made of a value. */
START_TEST(test_secrets_redact_hides_what_others_made_of_a_value)
{
	static const char value[] = "pa'ss \"wo\\rd 12345\xc3\xa9&<x>";
	static const char *const forms[] = {
		"pa'ss \"wo\\rd 12345\xc3\xa9&<x>",
		"pa%27ss%20%22wo%5crd%2012345%c3%a9%26%3cx%3e",
		"pa%27ss+%22wo%5Crd+12345%C3%A9%26%3Cx%3E",
		"pa'ss \\\"wo\\\\rd 12345\xc3\xa9&<x>",	   /* JSON */
		"pa'ss \\u0022wo\\u005crd 12345\xc3\xa9\\u0026\\u003cx\\u003e",
		"pa''ss \"wo\\rd 12345\xc3\xa9&<x>",		   /* SQL */
		"pa\\'ss \"wo\\\\rd 12345\xc3\xa9&<x>",	   /* conninfo */
		"pa'\\''ss \"wo\\rd 12345\xc3\xa9&<x>",	   /* a shell */
		"pa&#39;ss &quot;wo\\rd 12345\xc3\xa9&amp;&lt;x&gt;", /* HTML */
		"pa'ss \"wo\\rd N??&<x>",			   /* stable_text */
		"pa'ss \"wo\\r...",				   /* and cut */
		"cGEnc3MgIndvXHJkIDEyMzQ1w6kmPHg+",		   /* base64 */
	};
	struct secrets secrets = { 0 };

	secrets_register(&secrets, value);
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		struct text text = { 0 };

		text_addf(&text, "said '%s', \"%s\"", forms[i], forms[i]);
		secrets_redact(&secrets, &text);
		ck_assert_msg(strstr(text_str(&text), "pa") == NULL, "%s", text_str(&text));
		ck_assert_msg(strstr(text_str(&text), "rd") == NULL, "%s", text_str(&text));
		ck_assert_msg(strstr(text_str(&text), "cG") == NULL, "%s", text_str(&text));
		ck_assert_int_eq(strncmp(text_str(&text), "said '[secret]", 14), 0);
		text_release(&text);
	}
	secrets_release(&secrets);
}
END_TEST

/* `Authorization: Basic` is base64 of USER:PASSWORD, so the password may begin anywhere in a group. */
START_TEST(test_secrets_redact_hides_a_password_in_base64_behind_any_name)
{
	static const char *const basics[] = { "dTpvcGVuLXNlc2FtZS05", "dXM6b3Blbi1zZXNhbWUtOQ==",
					      "dXNlOm9wZW4tc2VzYW1lLTk=" };
	struct secrets secrets = { 0 };

	secrets_register(&secrets, "open-sesame-9");
	for (size_t i = 0; i < sizeof basics / sizeof basics[0]; i++) {
		struct text text = { 0 };

		text_addf(&text, "Basic %s", basics[i]);
		secrets_redact(&secrets, &text);
		ck_assert_msg(strstr(text_str(&text), "[secret]") != NULL, "%s", text_str(&text));
		ck_assert_uint_lt(strlen(text_str(&text)), strlen("Basic xxx[secret]xxx==="));
		text_release(&text);
	}
	secrets_release(&secrets);
}
END_TEST

START_TEST(test_secrets_redact_leaves_what_only_looks_alike)
{
	static const char innocent[] = "N of 3 died; pa ss; 12346; host= N; openly... NNNN ????";
	struct secrets secrets = { 0 };
	struct text text = { 0 };

	secrets_register(&secrets, "12345");
	secrets_register(&secrets, "open-sesame-9");
	secrets_register(&secrets, "pa'ss");
	text_add(&text, innocent);
	secrets_redact(&secrets, &text);
	ck_assert_str_eq(text_str(&text), innocent);
	text_clear(&text);
	/* Cut within the escape of a byte that also begins one. */
	secrets_register(&secrets, "sesame<i>&gate%5");
	text_add(&text, "sesame&lt;i&gt;&am... sesame%3Ci%3E%2...");
	secrets_redact(&secrets, &text);
	ck_assert_str_eq(text_str(&text), "[secret]... [secret]...");
	text_clear(&text);
	text_add(&text, "open-se...");
	secrets_redact(&secrets, &text);
	ck_assert_str_eq(text_str(&text), "[secret]...");
	text_release(&text);
	secrets_release(&secrets);
}
END_TEST

START_TEST(test_secrets_redact_hides_a_value_as_json_has_it)
{
	static const char value[] = "-----BEGIN\r\nKEY\x01\xff-----";
	struct secrets secrets = { 0 };
	struct json *root = json_object();
	struct text text = { 0 };

	secrets_register(&secrets, value);
	json_put_text(root, "told", value);
	json_print(root, false, &text);
	secrets_redact(&secrets, &text);
	ck_assert_str_eq(text_str(&text), "{\"told\":\"[secret]\"}");
	json_release(root);
	text_release(&text);
	secrets_release(&secrets);
}
END_TEST

START_TEST(test_random_same_seed_same_choices)
{
	struct random one = random_from_seed(7);
	struct random two = random_from_seed(7);

	for (int i = 0; i < 100; i++) {
		const uint64_t drawn = random_below(&one, 3);

		ck_assert_uint_lt(drawn, 3);
		ck_assert_uint_eq(drawn, random_below(&two, 3));
	}
}
END_TEST

START_TEST(test_json_print_keeps_numbers_exact_and_text_valid)
{
	struct json *root = json_object();
	struct text text = { 0 };

	json_put_int(root, "ns", INT64_MAX);
	json_put_text(root, "bad", "a\xff" "b");
	json_print(root, false, &text);
	ck_assert_str_eq(text_str(&text), "{\"ns\":9223372036854775807,\"bad\":\"a\xef\xbf\xbd" "b\"}");
	text_release(&text);
	json_release(root);
}
END_TEST

START_TEST(test_json_parse_refuses_duplicates_and_trailing_text)
{
	struct json *root = NULL;
	struct err e = { 0 };

	ck_assert(!json_parse("{\"a\":1,\"a\":2}", 13, &root, &e));
	ck_assert(!json_parse("{} x", 4, &root, &e));
	ck_assert_ptr_null(root);
}
END_TEST

START_TEST(test_process_keep_private_forbids_core_dumps)
{
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
	process_keep_private();
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
}
END_TEST

/* A run must go on giving signs of life as an ordinary user who may no longer look at itself. */
START_TEST(test_process_space_is_known_to_a_private_process_without_root)
{
	ck_assert(getuid() != 0 || setuid(65534) == 0);
	process_keep_private();
	ck_assert_int_ne(process_space(), 0);
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
	tcase_add_test(tcase, test_units_format_span_contains_what_was_measured);
	tcase_add_test(tcase, test_units_format_share_has_digits_that_tell_and_holds_the_span);
	tcase_add_test(tcase, test_units_parse_duration_refuses_what_has_no_unit);
	tcase_add_test(tcase, test_secrets_redact_hides_every_form_and_the_longest_first);
	tcase_add_test(tcase, test_secrets_redact_hides_what_others_made_of_a_value);
	tcase_add_test(tcase, test_secrets_redact_hides_a_password_in_base64_behind_any_name);
	tcase_add_test(tcase, test_secrets_redact_leaves_what_only_looks_alike);
	tcase_add_test(tcase, test_secrets_redact_hides_a_value_as_json_has_it);
	tcase_add_test(tcase, test_random_same_seed_same_choices);
	tcase_add_test(tcase, test_json_print_keeps_numbers_exact_and_text_valid);
	tcase_add_test(tcase, test_json_parse_refuses_duplicates_and_trailing_text);
	tcase_add_test(tcase, test_process_keep_private_forbids_core_dumps);
	tcase_add_test(tcase, test_process_space_is_known_to_a_private_process_without_root);
	suite_add_tcase(suite, tcase);
}
