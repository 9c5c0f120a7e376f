/*
 * test_probe_s3.c - s3.write against a small S3 that verifies signatures by itself.
 */
#include "fixtures/ledger_try.h"
#include "fixtures/store_server.h"
#include "tests/suites.h"

#include <stdio.h>
#include <string.h>

static const int64_t quick_ns = 300 * NS_PER_MS;
static const int64_t plenty_ns = 10 * NS_PER_S;

static struct daemon server;

static void start_server(void)
{
	struct err e = { 0 };

	ck_assert_msg(store_server_start_s3(&server, &e), "%s", e.text);
}

static void stop_server(void)
{
	daemon_close(&server);
}

static void open_ledger(const char *bucket, const char *secret)
{
	char endpoint[64];
	const char *service[] = { "endpoint", NULL, "bucket", bucket, "access_key", "AKTEST",
				  "secret_key", secret, "region", "eu-test-1", NULL };

	(void)snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u/", server.port);
	service[1] = arena_copy(&ledger_try.arena, endpoint);
	ledger_try_init("s3", service);
	ledger_try_open("s3.write", NULL, 1);
}

START_TEST(test_write_objects_are_acknowledged_listed_and_removed)
{
	open_ledger("good", "open-sesame");
	ledger_try_must_prepare();
	ledger_try_must_write(40); /* six pages */
	ledger_try_must_read();
	ledger_try_must_have(40);
	ck_assert(ledger_try_clean(plenty_ns, NULL));
	ck_assert(ledger_try_clean(plenty_ns, NULL));
	ledger_try_must_read();
	ledger_try_must_have(0);
}
END_TEST

START_TEST(test_write_wrong_secret_is_refused_and_never_shown)
{
	struct err e = { 0 };

	open_ledger("good", "wrong-sesame");
	ck_assert(!ledger_try_prepare(plenty_ns, &e));
	ck_assert_str_eq(e.text,
			 "prepare the ledger on store: put: status 403, SignatureDoesNotMatch");
	ck_assert_int_eq(ledger_try_write(0, plenty_ns, SAMPLE_BAD), WRITE_FAILED);
	ck_assert(!ledger_try_read(&ledger_try_found, plenty_ns, &e));
	ck_assert_ptr_null(strstr(e.text, "sesame"));
}
END_TEST

START_TEST(test_write_lost_damaged_and_unknown_objects_are_found)
{
	open_ledger("lose", "open-sesame");
	ledger_try_must_prepare();
	ledger_try_must_write(2);
	ledger_try_must_read();
	ck_assert_uint_eq(ledger_try_lost(&ledger_try_found), 2);
	ledger_try_release();
	open_ledger("damage", "open-sesame");
	ledger_try_must_write(1);
	ledger_try_must_read();
	ck_assert_uint_eq(ledger_try_found.rows[2], 1);
	ck_assert_uint_eq(ledger_try_found.damaged[2], 1);
	ledger_try_release();
	open_ledger("broken", "open-sesame");
	ck_assert_int_eq(ledger_try_write(0, plenty_ns, SAMPLE_BAD), WRITE_INDETERMINATE);
	ck_assert_str_eq(ledger_try_error(0), "put: status 503, SlowDown");
	ledger_try_must_read();
	ck_assert_uint_eq(ledger_try_found.rows[3], 1);
}
END_TEST

START_TEST(test_prepare_store_that_does_not_do_says_why)
{
	static const struct {
		const char *bucket;
		const char *text;
	} cases[] = {
		{ "readonly", "prepare the ledger on store: put: status 403, AccessDenied" },
		{ "nolist", "prepare the ledger on store: list: status 403, AccessDenied" },
		{ "kms", "its ETags are no MD5" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = { 0 };

		open_ledger(cases[i].bucket, "open-sesame");
		ck_assert(!ledger_try_prepare(plenty_ns, &e));
		ck_assert_msg(strstr(e.text, cases[i].text) != NULL, "%s", e.text);
		ledger_try_release();
	}
}
END_TEST

START_TEST(test_write_frozen_store_is_indeterminate)
{
	struct err e = { 0 };

	open_ledger("frozen", "open-sesame");
	daemon_freeze(&server);
	ck_assert_int_eq(ledger_try_write(0, quick_ns, SAMPLE_BAD), WRITE_INDETERMINATE);
	ck_assert_str_eq(ledger_try_error(0), "put: no answer in time");
	ck_assert(!ledger_try_read(&ledger_try_found, quick_ns, &e));
	daemon_thaw(&server);
	ck_assert_int_eq(e.kind, ERR_DEADLINE);
	ledger_try_must_write(1);
}
END_TEST

void suite_probe_s3(Suite *suite)
{
	TCase *tests = tcase_create("s3.write");

	suite_add_tcase(suite, tests);
	if (!store_server_is_installed()) {
		(void)fprintf(stderr, "skipped: tests of s3.write, because there is no python3 "
				      "here\n");
		return;
	}
	tcase_add_unchecked_fixture(tests, start_server, stop_server);
	tcase_add_checked_fixture(tests, NULL, ledger_try_release);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, test_write_objects_are_acknowledged_listed_and_removed);
	tcase_add_test(tests, test_write_wrong_secret_is_refused_and_never_shown);
	tcase_add_test(tests, test_write_lost_damaged_and_unknown_objects_are_found);
	tcase_add_test(tests, test_prepare_store_that_does_not_do_says_why);
	tcase_add_test(tests, test_write_frozen_store_is_indeterminate);
}
