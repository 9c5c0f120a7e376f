/*
 * test_probe_batch.c - postgres.write with `batch:`: what each row of a batch came to when the
 * server refuses one, hangs, or dies between them. Against a real server, and against a script that
 * stops exactly between "INSERT 0 1" and the commit's own answer.
 */
#include "base/random.h"
#include "fixtures/pg_try.h"
#include "fixtures/script_pg.h"
#include "tests/suites.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCH = 8, SLOTS_MAX = 128, ROWS_MAX = BATCH * SLOTS_MAX };

static const int64_t quick_ns = 300 * NS_PER_MS;
static const int64_t plenty_ns = 10 * NS_PER_S;
static const char *const of_eight[] = { "batch", "8", NULL };

static struct sample samples[SLOTS_MAX];
static uint64_t slot_count;
static uint32_t row_counts[ROWS_MAX];

static struct track track(void)
{
	return (struct track){ .rows_per_slot = BATCH,
			       .slot_count = slot_count,
			       .samples = samples };
}

static void open_ledger(const char *const *params)
{
	struct err e = { 0 };

	pg_try_open("postgres.write", params);
	ck_assert_msg(pg_try.probe.ops->prepare(&pg_try.probe.spec, "Run-1", &pg_try.probe.clock,
						pg_try_now_ns() + plenty_ns, &e),
		      "%s", e.text);
}

/* One batch. Its rows as letters: acknowledged, failed, indeterminate, or nothing sent. */
static const char *write_slot(int64_t timeout_ns)
{
	static char letters[BATCH + 1];
	const struct attempt_result result =
		probe_try_sample(&pg_try.probe, slot_count, timeout_ns);
	const struct track now = track();
	bool are_all_there = true;

	ck_assert_uint_lt(slot_count, SLOTS_MAX);
	samples[slot_count].state = (uint8_t)result.state;
	samples[slot_count].write = (uint8_t)result.write;
	samples[slot_count].detail = result.detail;
	for (uint64_t i = 0; i < BATCH; i++) {
		letters[i] = ".afi"[track_row_write(&now, slot_count * BATCH + i)];
		are_all_there = are_all_there && letters[i] == 'a';
	}
	ck_assert_int_eq(result.state == SAMPLE_GOOD, are_all_there);
	ck_assert_int_eq(result.write == WRITE_ACKNOWLEDGED, are_all_there);
	slot_count++;
	return letters;
}

/* So many acknowledged at most, then none: the tail is indeterminate, but for rows that were never
   sent because the connection was known to be gone before all of them were. (Then libpq gives up
   answers, too, that have come and were not read.) */
static bool is_torn_after(const char *letters, size_t answered_at_most)
{
	const size_t answered = strspn(letters, "a");
	const size_t tail = strspn(letters + answered, "i");

	return answered <= answered_at_most && tail > 0 &&
	       answered + tail + strspn(letters + answered + tail, ".") == BATCH;
}

static void count_row(void *ctx, int64_t sequence, bool is_intact)
{
	(void)ctx;
	ck_assert(is_intact);
	ck_assert_int_ge(sequence, 0);
	ck_assert_int_lt(sequence, ROWS_MAX);
	row_counts[sequence]++;
}

static void read_back(void)
{
	const struct row_sink sink = { .row = count_row };
	struct err e = { 0 };

	memset(row_counts, 0, sizeof row_counts);
	ck_assert_msg(pg_try.probe.ops->read_back(&pg_try.probe.spec, "Run-1", &pg_try.probe.clock,
						  pg_try_now_ns() + plenty_ns, &sink, &e),
		      "%s", e.text);
}

/* What each outcome allows: acknowledged once, failed and not sent never, the rest once at most. */
static void assert_rows_fit(void)
{
	const struct track all = track();

	read_back();
	for (uint64_t row = 0; row < ROWS_MAX; row++) {
		const enum write_outcome write =
			row < track_row_count(&all) ? track_row_write(&all, row) : WRITE_NONE;
		const uint32_t least = write == WRITE_ACKNOWLEDGED;
		const uint32_t most = least == 1 || write == WRITE_INDETERMINATE;

		ck_assert_msg(row_counts[row] >= least && row_counts[row] <= most,
			      "row %d: outcome %d, %u times", (int)row, (int)write,
			      row_counts[row]);
	}
}

/* ---- a real server ---- */

START_TEST(test_batch_rows_are_acknowledged_and_read_back)
{
	const char *const params[] = { "batch", "8", "payload", "1000B", NULL };

	open_ledger(params);
	for (int i = 0; i < 5; i++)
		ck_assert_str_eq(write_slot(plenty_ns), "aaaaaaaa");
	ck_assert_str_eq(pg_try.probe.err.text, "");
	ck_assert_int_eq(pg_try_count("select count(distinct (seq, xmin::text)) from "
				      "firedrill_ledger_run_1 where length(payload) = 1000"),
			 5 * BATCH);
	ck_assert_int_eq(pg_try_count("select count(distinct xmin::text) from "
				      "firedrill_ledger_run_1"),
			 5 * BATCH); /* each its own transaction */
	assert_rows_fit();
	ck_assert_uint_eq(row_counts[5 * BATCH - 1], 1);
}
END_TEST

/* COMMAND_OK comes before the commit, and here the commit of one row fails. */
START_TEST(test_batch_row_refused_by_its_commit_is_failed_and_the_others_are_not)
{
	open_ledger(of_eight);
	pg_try_do("create or replace function refuse() returns trigger language plpgsql as "
		  "$$ begin if new.seq = 11 then raise exception 'not at commit'; end if; "
		  "return null; end $$");
	pg_try_do("create constraint trigger late after insert on firedrill_ledger_run_1 "
		  "deferrable initially deferred for each row execute function refuse()");
	ck_assert_str_eq(write_slot(plenty_ns), "aaaaaaaa");
	ck_assert_str_eq(write_slot(plenty_ns), "aaafaaaa");
	ck_assert_int_eq(samples[1].write, WRITE_FAILED);
	ck_assert_str_eq(pg_try.probe.err.text, "insert: not at commit, SQLSTATE P0001");
	ck_assert_str_eq(write_slot(plenty_ns), "aaaaaaaa");
	assert_rows_fit();
}
END_TEST

START_TEST(test_batch_row_refused_at_once_is_failed_and_the_others_are_not)
{
	open_ledger(of_eight);
	pg_try_do("alter table firedrill_ledger_run_1 add check (seq <> 0 and seq <> 7)");
	ck_assert_str_eq(write_slot(plenty_ns), "faaaaaaf");
	ck_assert_str_eq(write_slot(plenty_ns), "aaaaaaaa");
	assert_rows_fit();
}
END_TEST

START_TEST(test_batch_backend_killed_between_rows_leaves_an_indeterminate_tail)
{
	open_ledger(of_eight);
	pg_try_do("create or replace function stay() returns trigger language plpgsql as $$ begin "
		  "if new.seq = 5 then perform pg_terminate_backend(pg_backend_pid()); end if; "
		  "return new; end $$");
	pg_try_do("create trigger stay before insert on firedrill_ledger_run_1 "
		  "for each row execute function stay()");
	ck_assert(is_torn_after(write_slot(plenty_ns), 5));
	ck_assert_int_eq(samples[0].write, WRITE_INDETERMINATE);
	ck_assert_ptr_nonnull(strstr(pg_try.probe.err.text, "SQLSTATE 57P01"));
	ck_assert_str_eq(write_slot(plenty_ns), "aaaaaaaa");
	assert_rows_fit();
	for (int row = 5; row < BATCH; row++)
		ck_assert_uint_eq(row_counts[row], 0);
}
END_TEST

/* Its connection is kept: the rows land when it answers, and nothing is sent meanwhile. */
START_TEST(test_batch_that_hangs_in_the_middle_is_waited_for)
{
	pid_t holder;

	open_ledger(of_eight);
	pg_try_do("create or replace function hang() returns trigger language plpgsql as $$ begin "
		  "if new.seq = 12 then perform pg_advisory_xact_lock(77); end if; "
		  "return new; end $$");
	pg_try_do("create trigger hang before insert on firedrill_ledger_run_1 "
		  "for each row execute function hang()");
	ck_assert_str_eq(write_slot(plenty_ns), "aaaaaaaa");
	holder = fork();
	if (holder == 0) {
		(void)pg_server_sql(&pg_try.server,
				    "select pg_advisory_lock(77); select pg_sleep(60)", NULL, NULL);
		_exit(0);
	}
	while (pg_try_count("select count(*) from pg_locks where locktype = 'advisory' and "
			    "granted") == 0)
		continue;
	ck_assert_str_eq(write_slot(quick_ns), "aaaaiiii");
	ck_assert_str_eq(pg_try.probe.err.text, "insert: no answer in time");
	ck_assert_str_eq(write_slot(quick_ns), "........");
	pg_try_do("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and "
		  "granted");
	ck_assert_str_eq(write_slot(plenty_ns), "aaaaaaaa");
	ck_assert_int_eq(pg_try_count("select count(*) from pg_stat_activity where "
				      "application_name = 'firedrill-Run-1'"),
			 1);
	assert_rows_fit();
	for (int row = BATCH; row < 2 * BATCH; row++)
		ck_assert_uint_eq(row_counts[row], 1);
	ck_assert_int_eq(waitpid(holder, NULL, 0), holder);
}
END_TEST

START_TEST(test_batch_frozen_server_is_indeterminate_then_unsent)
{
	open_ledger(of_eight);
	ck_assert_str_eq(write_slot(plenty_ns), "aaaaaaaa");
	pg_server_freeze(&pg_try.server);
	ck_assert_str_eq(write_slot(quick_ns), "iiiiiiii");
	ck_assert_str_eq(write_slot(quick_ns), "........");
	ck_assert_int_eq(samples[2].write, WRITE_NONE);
	pg_server_thaw(&pg_try.server);
	ck_assert_str_eq(write_slot(plenty_ns), "aaaaaaaa");
	assert_rows_fit();
}
END_TEST

static bool is_killing(void)
{
	return pg_try_count("select count(*) from pg_stat_activity where query like "
			    "'select count(pg_terminate_backend%'") != 0;
}

/* Backends are killed at moments that nobody chose: no row is acknowledged and gone, none is there
   that was not sent, and behind the first row without an answer none has one. */
START_TEST(test_batch_killed_at_random_never_acknowledges_what_is_not_there)
{
	size_t torn_count = 0;
	pid_t killer;

	open_ledger(of_eight);
	killer = fork();
	if (killer == 0) {
		for (;;) /* killed below, or with the test's process group */
			(void)pg_server_sql(&pg_try.server,
					    "select count(pg_terminate_backend(pid)) from "
					    "pg_stat_activity where application_name = "
					    "'firedrill-Run-1'; select pg_sleep(0.003)",
					    NULL, NULL);
	}
	while (!is_killing())
		continue;
	while (slot_count < SLOTS_MAX) {
		const char *letters = write_slot(plenty_ns);
		const size_t answered = strspn(letters, "a");

		torn_count += answered < BATCH;
		ck_assert_msg(answered == BATCH || is_torn_after(letters, answered) ||
				      strspn(letters, ".") == BATCH,
			      "%s", letters);
	}
	(void)kill(killer, SIGKILL);
	ck_assert_int_eq(waitpid(killer, NULL, 0), killer);
	while (is_killing())
		continue; /* its last words go on without it */
	ck_assert_uint_gt(torn_count, 0);
	assert_rows_fit();
}
END_TEST

/* ---- a script ---- */

enum { BEFORE_THE_BATCH = 2 }; /* ReadyForQuery of the start and of PREPARE */

/* How many bytes of `out` come before the last word that this server says. */
static size_t bytes_until(const struct text *out, size_t *ready_count, size_t last_ready)
{
	size_t at = 0;

	while (at < out->length_bytes) {
		uint32_t bytes;

		if (out->owned_bytes[at] == 'Z' && ++*ready_count > last_ready)
			break;
		memcpy(&bytes, out->owned_bytes + at + 1, sizeof bytes);
		at += 1 + ntohl(bytes);
	}
	return at;
}

/* Answers as PostgreSQL does, up to and without one ReadyForQuery; then it closes, or hangs. */
static void serve_until(int listener, size_t last_ready, bool closes)
{
	const int fd = accept(listener, NULL, NULL);
	struct script_pg session = { 0 };
	struct text out = { 0 };
	char in[1 << 16];
	size_t in_bytes = 0;
	size_t ready_count = 0;

	while (ready_count <= last_ready) {
		const ssize_t got = read(fd, in + in_bytes, sizeof in - in_bytes);
		size_t used;

		if (got <= 0)
			_exit(1);
		in_bytes += (size_t)got;
		text_clear(&out);
		used = script_pg_answer(&session, in, in_bytes, false, &out);
		in_bytes -= used;
		memmove(in, in + used, in_bytes);

		const size_t out_bytes = session.is_started && out.length_bytes > 1
						 ? bytes_until(&out, &ready_count, last_ready)
						 : out.length_bytes;

		if (send(fd, text_str(&out), out_bytes, MSG_NOSIGNAL) != (ssize_t)out_bytes)
			_exit(1);
	}
	if (closes)
		_exit(0);
	(void)pause();
}

static pid_t start_script(size_t last_ready, bool closes, struct text *conninfo)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t bytes = sizeof address;
	const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(listener, 8), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &bytes), 0);
	text_addf(conninfo, "host=127.0.0.1 port=%u user=postgres sslmode=disable "
			    "gssencmode=disable", ntohs(address.sin_port));
	pid = fork();
	if (pid == 0) {
		serve_until(listener, last_ready, closes);
		_exit(0);
	}
	(void)close(listener);
	return pid;
}

/* Rows that came to their ReadyForQuery, and whether the server then closes or hangs. */
static const struct {
	size_t answered;
	bool closes;
} cuts[] = { { 0, true }, { 3, true }, { 7, true }, { 0, false }, { 3, false } };

/* The last row before the silence had its "INSERT 0 1": that is not an acknowledgement. */
START_TEST(test_batch_row_counts_only_at_its_own_ready_for_query)
{
	struct text conninfo = { 0 };
	const pid_t script =
		start_script(BEFORE_THE_BATCH + cuts[_i].answered, cuts[_i].closes, &conninfo);

	pg_try.service.conninfo = text_str(&conninfo);
	pg_try_open("postgres.write", of_eight);
	const char *letters = write_slot(quick_ns);

	ck_assert_msg(is_torn_after(letters, cuts[_i].answered), "%s: %s", letters,
		      pg_try.probe.err.text);
	if (!cuts[_i].closes)
		ck_assert_uint_eq(strspn(letters, "a"), cuts[_i].answered);
	ck_assert_int_eq(samples[0].write, WRITE_INDETERMINATE);
	(void)kill(script, SIGKILL);
	ck_assert_int_eq(waitpid(script, NULL, 0), script);
	text_release(&conninfo);
}
END_TEST

/* ---- the record ---- */

START_TEST(test_write_pack_keeps_every_outcome_of_every_row)
{
	struct random random = random_from_seed(7);

	for (int i = 0; i < 1000; i++) {
		const uint32_t count = 2 + (uint32_t)random_below(&random, BATCH_ROWS_MAX - 1);
		enum write_outcome writes[BATCH_ROWS_MAX];
		struct sample packed[2] = { 0 };
		const struct track pair = { .rows_per_slot = count,
					    .slot_count = 2,
					    .samples = packed };

		for (uint32_t n = 0; n < count; n++)
			writes[n] = (enum write_outcome)random_below(&random, 4);
		packed[1].detail = write_pack(writes, count);
		ck_assert_uint_eq(track_row_count(&pair), 2 * count);
		for (uint32_t n = 0; n < count; n++) {
			ck_assert_int_eq(track_row_write(&pair, n), WRITE_NONE);
			ck_assert_int_eq(track_row_write(&pair, count + n), writes[n]);
			ck_assert_ptr_eq(track_row_sample(&pair, count + n), &packed[1]);
		}
	}
}
END_TEST

START_TEST(test_write_of_all_is_the_outcome_they_share_or_the_least_certain)
{
	static const struct {
		enum write_outcome writes[3];
		enum write_outcome all;
	} rows[] = {
		{ { 1, 1, 1 }, WRITE_ACKNOWLEDGED }, { { 0, 0, 0 }, WRITE_NONE },
		{ { 2, 2, 2 }, WRITE_FAILED },	     { { 1, 2, 1 }, WRITE_FAILED },
		{ { 1, 2, 3 }, WRITE_INDETERMINATE }, { { 3, 2, 1 }, WRITE_INDETERMINATE },
		{ { 1, 3, 0 }, WRITE_INDETERMINATE }, { { 1, 0, 1 }, WRITE_FAILED },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_int_eq(write_of_all(rows[i].writes, 3), rows[i].all);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, test_batch_rows_are_acknowledged_and_read_back);
	tcase_add_test(tests, test_batch_row_refused_by_its_commit_is_failed_and_the_others_are_not);
	tcase_add_test(tests, test_batch_row_refused_at_once_is_failed_and_the_others_are_not);
	tcase_add_test(tests, test_batch_backend_killed_between_rows_leaves_an_indeterminate_tail);
	tcase_add_test(tests, test_batch_that_hangs_in_the_middle_is_waited_for);
	tcase_add_test(tests, test_batch_frozen_server_is_indeterminate_then_unsent);
	tcase_add_test(tests, test_batch_killed_at_random_never_acknowledges_what_is_not_there);
	tcase_add_loop_test(tests, test_batch_row_counts_only_at_its_own_ready_for_query, 0,
			    sizeof cuts / sizeof cuts[0]);
	tcase_add_test(tests, test_write_pack_keeps_every_outcome_of_every_row);
	tcase_add_test(tests, test_write_of_all_is_the_outcome_they_share_or_the_least_certain);
}

void suite_probe_batch(Suite *suite)
{
	suite_add_tcase(suite, pg_try_case(add_tests));
}
