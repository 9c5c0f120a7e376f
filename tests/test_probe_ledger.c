/*
 * test_probe_ledger.c - postgres.write against a real server: what counts as acknowledged, failed
 * or indeterminate, and what a read back finds.
 */
#include "fixtures/pg_try.h"
#include "fixtures/tcp_server.h"
#include "tests/suites.h"

#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t quick_ns = 300 * NS_PER_MS;
static const int64_t plenty_ns = 10 * NS_PER_S;

/* --- postgres.write --- */

/* What read_back found: how often each of the first slots, and how many were damaged. */
struct found {
	uint32_t rows[64];
	uint32_t damaged[64];
	uint64_t unexpected_count;
};

static void found_row(void *ctx, int64_t sequence, bool is_intact)
{
	struct found *found = ctx;

	if (sequence < 0 || sequence >= 64) {
		found->unexpected_count++;
		return;
	}
	found->rows[sequence]++;
	if (!is_intact)
		found->damaged[sequence]++;
}

static bool read_back(struct found *found, int64_t timeout_ns, struct err *e)
{
	const struct row_sink sink = { .row = found_row, .ctx = found };

	return pg_try.probe.ops->read_back(&pg_try.probe.spec, "Run-1", &pg_try.probe.clock,
					   pg_try_now_ns() + timeout_ns, &sink, e);
}

static bool prepare(int64_t timeout_ns, struct err *e)
{
	return pg_try.probe.ops->prepare(&pg_try.probe.spec, "Run-1", &pg_try.probe.clock,
					 pg_try_now_ns() + timeout_ns, e);
}

static bool clean(int64_t timeout_ns, struct err *e)
{
	return pg_try.probe.ops->clean(&pg_try.probe.spec, "Run-1", &pg_try.probe.clock,
				       pg_try_now_ns() + timeout_ns, e);
}

static void open_ledger(const char *const *params)
{
	struct err e = { 0 };

	pg_try_open("postgres.write", params);
	ck_assert_msg(prepare(plenty_ns, &e), "%s", e.text);
}

static enum write_outcome write_slot(uint64_t slot, int64_t timeout_ns, enum sample_state expected)
{
	const struct attempt_result result = probe_try_sample(&pg_try.probe, slot, timeout_ns);

	ck_assert_msg(result.state == expected, "slot %" PRIu64 ": %s", slot,
		      pg_try.probe.err.text);
	return result.write;
}

START_TEST(test_write_rows_are_acknowledged_and_read_back)
{
	const char *const params[] = { "payload", "100B", NULL };
	struct found found = { 0 };
	struct err e = { 0 };

	open_ledger(params);
	for (uint64_t slot = 0; slot < 20; slot++)
		ck_assert_int_eq(write_slot(slot, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
	ck_assert_int_eq(pg_try_count("select count(*) from firedrill_ledger_run_1 "
				      "where length(payload) = 100 and writer = 'probe'"),
			 20);
	ck_assert_msg(read_back(&found, plenty_ns, &e), "%s", e.text);
	for (int i = 0; i < 64; i++) {
		ck_assert_uint_eq(found.rows[i], i < 20 ? 1 : 0);
		ck_assert_uint_eq(found.damaged[i], 0);
	}
}
END_TEST

START_TEST(test_read_back_finds_damage_loss_copies_and_strangers)
{
	struct found found = { 0 };
	struct err e = { 0 };

	open_ledger(NULL);
	for (uint64_t slot = 0; slot < 8; slot++)
		(void)write_slot(slot, plenty_ns, SAMPLE_GOOD);
	pg_try_do("update firedrill_ledger_run_1 set payload = 'x' where seq = 1");
	pg_try_do("update firedrill_ledger_run_1 set payload = E'a\\tb\\nc\\\\' where seq = 2");
	pg_try_do("update firedrill_ledger_run_1 set checksum = reverse(checksum) where seq = 3");
	pg_try_do("update firedrill_ledger_run_1 a set payload = b.payload, checksum = b.checksum "
		  "from firedrill_ledger_run_1 b where a.seq = 4 and b.seq = 5");
	pg_try_do("delete from firedrill_ledger_run_1 where seq = 6");
	pg_try_do("insert into firedrill_ledger_run_1 select * from firedrill_ledger_run_1 "
		  "where seq = 7");
	pg_try_do("insert into firedrill_ledger_run_1 values ('probe', -5, 'x', 'y')");
	pg_try_do("insert into firedrill_ledger_run_1 values ('another', 0, 'x', 'y')");

	ck_assert_msg(read_back(&found, plenty_ns, &e), "%s", e.text);
	ck_assert_uint_eq(found.rows[0], 1);
	ck_assert_uint_eq(found.damaged[0], 0);
	for (int i = 1; i <= 4; i++) {
		ck_assert_uint_eq(found.rows[i], 1);
		ck_assert_uint_eq(found.damaged[i], 1);
	}
	ck_assert_uint_eq(found.damaged[5], 0);
	ck_assert_uint_eq(found.rows[6], 0);
	ck_assert_uint_eq(found.rows[7], 2);
	ck_assert_uint_eq(found.unexpected_count, 1);
}
END_TEST

/* COMMAND_OK comes before the commit, and here the commit fails. */
START_TEST(test_write_refused_by_the_commit_is_failed_not_acknowledged)
{
	struct found found = { 0 };

	open_ledger(NULL);
	pg_try_do("create or replace function refuse() returns trigger language plpgsql as "
		  "$$ begin if new.seq = 1 then raise exception 'not at commit'; end if; "
		  "return null; end $$");
	pg_try_do("create constraint trigger late after insert on firedrill_ledger_run_1 "
		  "deferrable initially deferred for each row execute function refuse()");
	ck_assert_int_eq(write_slot(0, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
	ck_assert_int_eq(write_slot(1, plenty_ns, SAMPLE_BAD), WRITE_FAILED);
	ck_assert_str_eq(pg_try.probe.err.text, "insert: not at commit, SQLSTATE P0001");
	ck_assert_int_eq(write_slot(2, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
	ck_assert(read_back(&found, plenty_ns, NULL));
	ck_assert_uint_eq(found.rows[0], 1);
	ck_assert_uint_eq(found.rows[1], 0);
	ck_assert_uint_eq(found.rows[2], 1);
}
END_TEST

START_TEST(test_write_class_of_unknown_completion_is_indeterminate)
{
	open_ledger(NULL);
	pg_try_do("create or replace function refuse() returns trigger language plpgsql as "
		  "$$ begin raise exception 'who knows' using errcode = '08007'; end $$");
	pg_try_do("create trigger refuse before insert on firedrill_ledger_run_1 "
		  "for each row execute function refuse()");
	ck_assert_int_eq(write_slot(0, plenty_ns, SAMPLE_BAD), WRITE_INDETERMINATE);
}
END_TEST

START_TEST(test_write_frozen_server_is_indeterminate_then_unsent)
{
	open_ledger(NULL);
	ck_assert_int_eq(write_slot(0, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
	pg_server_freeze(&pg_try.server);
	ck_assert_int_eq(write_slot(1, quick_ns, SAMPLE_BAD), WRITE_INDETERMINATE);
	ck_assert_str_eq(pg_try.probe.err.text, "insert: no answer in time");
	ck_assert_int_eq(write_slot(2, quick_ns, SAMPLE_BAD), WRITE_NONE);
	pg_server_thaw(&pg_try.server);
	ck_assert_int_eq(write_slot(3, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
}
END_TEST

START_TEST(test_write_backend_killed_while_it_writes_is_indeterminate)
{
	open_ledger(NULL);
	pg_try_do("create or replace function stay() returns trigger language plpgsql as "
		  "$$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$");
	pg_try_do("create trigger stay before insert on firedrill_ledger_run_1 "
		  "for each row execute function stay()");
	/* FATAL 57P01: the session ended, and from outside nobody can tell at which moment. */
	ck_assert_int_eq(write_slot(0, plenty_ns, SAMPLE_BAD), WRITE_INDETERMINATE);
	ck_assert_ptr_nonnull(strstr(pg_try.probe.err.text, "SQLSTATE 57P01"));
	pg_try_do("drop trigger stay on firedrill_ledger_run_1");
	ck_assert_int_eq(write_slot(1, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
}
END_TEST

START_TEST(test_write_cancelled_wait_for_synchronous_replication_is_a_finding)
{
	open_ledger(NULL);
	ck_assert_int_eq(write_slot(0, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
	ck_assert_str_eq(pg_try.probe.err.text, "");
	/* Nobody is called "nobody", so a commit waits until somebody cancels it. */
	pg_try_set("synchronous_standby_names", "nobody");

	const pid_t canceller = fork();

	if (canceller == 0) {
		while (pg_try_count("select count(pg_cancel_backend(pid)) from pg_stat_activity "
				    "where wait_event = 'SyncRep'") == 0)
			continue; /* killed with the test's process group at the latest */
		_exit(0);
	}
	ck_assert_int_eq(write_slot(1, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
	ck_assert_ptr_nonnull(strstr(pg_try.probe.err.text, "durable on one host only"));
	ck_assert_int_eq(waitpid(canceller, NULL, 0), canceller);
}
END_TEST

START_TEST(test_write_nobody_there_is_unsent)
{
	struct tcp_server *refuses = tcp_server_open(TCP_SERVER_REFUSES, NULL, 0);
	struct text text = { 0 };
	struct found found = { 0 };
	struct err e = { 0 };

	text_addf(&text, "host=127.0.0.1 port=%u", tcp_server_port(refuses));
	pg_try.service.conninfo = text_str(&text);
	pg_try_open("postgres.write", NULL);
	ck_assert_int_eq(write_slot(0, quick_ns, SAMPLE_BAD), WRITE_NONE);
	ck_assert(!read_back(&found, quick_ns, &e));
	ck_assert_str_eq(e.text, "read the ledger back from db: connect to 127.0.0.1: "
				 "Connection refused");
	ck_assert(!prepare(quick_ns, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "make the ledger's table on db"));
	ck_assert(!clean(quick_ns, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "remove the ledger's table from db"));
	tcp_server_close(refuses);
	text_release(&text);
}
END_TEST

START_TEST(test_prepare_refused_for_good_does_not_wait_for_the_deadline)
{
	const int64_t start_ns = pg_try_now_ns();
	struct err e = { 0 };
	struct text text = { 0 };

	text_addf(&text, "%s options='-c search_path=nowhere'", text_str(&pg_try.conninfo));
	pg_try.service.conninfo = text_str(&text);
	pg_try_open("postgres.write", NULL);
	ck_assert(!prepare(plenty_ns, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "no schema has been selected"));
	ck_assert_int_lt(pg_try_now_ns() - start_ns, plenty_ns / 2);
	text_release(&text);
}
END_TEST

START_TEST(test_prepare_read_only_server_says_what_to_do)
{
	const int64_t long_enough_ns = 500 * NS_PER_MS; /* it may become a primary: it tries again */
	struct err e = { 0 };
	struct text text = { 0 };

	text_addf(&text, "%s options='-c default_transaction_read_only=on'",
		  text_str(&pg_try.conninfo));
	pg_try.service.conninfo = text_str(&text);
	pg_try_open("postgres.write", NULL);
	ck_assert(!prepare(long_enough_ns, &e));
	ck_assert_str_eq(e.text,
			 "make the ledger's table on db: connect to 127.0.0.1: session is "
			 "read-only. It is a standby, or default_transaction_read_only is on, and "
			 "a ledger writes: let `conninfo` name the primary, too");
	text_release(&text);
}
END_TEST

START_TEST(test_read_back_frozen_server_is_not_complete)
{
	struct found found = { 0 };
	struct err e = { 0 };

	open_ledger(NULL);
	pg_server_freeze(&pg_try.server);
	ck_assert(!read_back(&found, quick_ns, &e));
	ck_assert_int_eq(e.kind, ERR_DEADLINE);
}
END_TEST

START_TEST(test_read_back_lost_table_is_complete_and_empty)
{
	struct found found = { 0 };
	struct err e = { 0 };

	open_ledger(NULL);
	(void)write_slot(0, plenty_ns, SAMPLE_GOOD);
	pg_try_do("drop table firedrill_ledger_run_1");
	ck_assert_msg(read_back(&found, plenty_ns, &e), "%s", e.text);
	ck_assert_uint_eq(found.rows[0], 0);
}
END_TEST

START_TEST(test_clean_removes_the_table_and_repeats)
{
	const char *const keep[] = { "keep", "true", NULL };
	const char *const exists = "select count(*) from pg_class where relname = "
				   "'firedrill_ledger_run_1'";
	struct err e = { 0 };

	open_ledger(keep);
	ck_assert(clean(plenty_ns, &e));
	ck_assert_int_eq(pg_try_count(exists), 1);
	probe_try_release(&pg_try.probe);
	open_ledger(NULL);
	for (int i = 0; i < 2; i++)
		ck_assert(clean(plenty_ns, &e));
	ck_assert_int_eq(pg_try_count(exists), 0);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, test_write_rows_are_acknowledged_and_read_back);
	tcase_add_test(tests, test_read_back_finds_damage_loss_copies_and_strangers);
	tcase_add_test(tests, test_write_refused_by_the_commit_is_failed_not_acknowledged);
	tcase_add_test(tests, test_write_class_of_unknown_completion_is_indeterminate);
	tcase_add_test(tests, test_write_frozen_server_is_indeterminate_then_unsent);
	tcase_add_test(tests, test_write_backend_killed_while_it_writes_is_indeterminate);
	tcase_add_test(tests, test_write_cancelled_wait_for_synchronous_replication_is_a_finding);
	tcase_add_test(tests, test_write_nobody_there_is_unsent);
	tcase_add_test(tests, test_prepare_refused_for_good_does_not_wait_for_the_deadline);
	tcase_add_test(tests, test_prepare_read_only_server_says_what_to_do);
	tcase_add_test(tests, test_read_back_frozen_server_is_not_complete);
	tcase_add_test(tests, test_read_back_lost_table_is_complete_and_empty);
	tcase_add_test(tests, test_clean_removes_the_table_and_repeats);
}

void suite_probe_ledger(Suite *suite)
{
	suite_add_tcase(suite, pg_try_case(add_tests));
}
