/*
 * test_ledger_read.c - reading a ledger back takes as long as it takes while rows come, and no
 * longer than its patience when none do; and what is no COPY is never taken for rows.
 */
#include "engine/run.h"
#include "fixtures/probe_try.h"
#include "fixtures/script_pg.h"
#include "fixtures/sim_clock.h"
#include "fixtures/temp_dir.h"
#include "probes/ledger_row.h"
#include "tests/suites.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the probe, before a server that takes its time ---- */

enum { PAYLOAD_BYTES = 32, ROWS = 12 };

static int64_t patience_ns = 300 * NS_PER_MS;

static struct probe_try probe;
static pid_t server_pid;
static uint64_t row_count;
static bool is_patient;

/* What the server says instead of all rows. */
enum manner { TRICKLES, STALLS, NO_HEAD, OTHER_COLUMNS, CUT_FIELD };

static void add_row(int64_t number, struct text *out)
{
	const uint64_t seed = ledger_seed("Run-1", "probe");
	char payload[PAYLOAD_BYTES + 1];
	char checksum[LEDGER_CHECKSUM_BYTES];
	const char *const texts[] = { payload, checksum };

	ledger_payload(seed, (uint64_t)number, PAYLOAD_BYTES, payload);
	ledger_checksum(seed, (uint64_t)number, payload, PAYLOAD_BYTES, checksum);
	script_pg_copy_row(number, texts, 2, out);
}

static void say(int fd, struct text *out)
{
	if (send(fd, text_str(out), out->length_bytes, MSG_NOSIGNAL) != (ssize_t)out->length_bytes)
		_exit(1);
	text_clear(out);
}

/* A third of the patience for each row; or half of the rows, and then not a word. */
static void say_rows(int fd, enum manner manner, struct text *out)
{
	script_pg_copy_head(out);
	for (int64_t number = 0; number < ROWS; number++) {
		add_row(number, out);
		say(fd, out);
		if (manner == STALLS && number == ROWS / 2)
			(void)pause();
		(void)poll(NULL, 0, (int)(patience_ns / NS_PER_MS / 3));
	}
}

static void say_copy(int fd, enum manner manner, struct text *out)
{
	static const char one_column[] = { 0, 1, 0, 0, 0, 1, 'x' };
	static const char cut[] = { 0, 3, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 99, 'x' };

	if (manner == TRICKLES || manner == STALLS)
		say_rows(fd, manner, out);
	else if (manner == NO_HEAD)
		add_row(0, out);
	else
		script_pg_copy_head(out);
	if (manner == OTHER_COLUMNS)
		script_pg_copy_data(one_column, sizeof one_column, out);
	if (manner == CUT_FIELD)
		script_pg_copy_data(cut, sizeof cut, out);
}

static void serve(int listener, enum manner manner)
{
	const int fd = accept(listener, NULL, NULL);
	struct script_pg session = { 0 };
	struct text out = { 0 };
	char in[4096];
	size_t in_bytes = 0;

	for (;;) {
		const ssize_t got = read(fd, in + in_bytes, sizeof in - in_bytes);
		size_t used;

		if (got <= 0)
			_exit(0);
		in_bytes += (size_t)got;
		do {
			used = script_pg_answer(&session, in, in_bytes, false, &out);
			in_bytes -= used;
			memmove(in, in + used, in_bytes);
			if (session.is_copying) {
				say_copy(fd, manner, &out);
				script_pg_copy_end(&session, &out);
			}
		} while (used > 0);
		say(fd, &out);
	}
}

static void start(enum manner manner)
{
	static struct service service = { .name = "db", .kind = "postgres" };
	static struct text conninfo;
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t bytes = sizeof address;
	const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(listener, 8), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &bytes), 0);
	server_pid = fork();
	if (server_pid == 0)
		serve(listener, manner);
	(void)close(listener);
	text_addf(&conninfo, "host=127.0.0.1 port=%u user=postgres sslmode=disable "
			     "gssencmode=disable", ntohs(address.sin_port));
	service.conninfo = text_str(&conninfo);
	probe_try_init(&probe, "postgres.write", NULL);
	probe.spec.service = &service;
}

static void stop_server(void)
{
	if (server_pid > 0) {
		(void)kill(server_pid, SIGKILL);
		(void)waitpid(server_pid, NULL, 0);
	}
	probe_try_release(&probe);
}

static void count_row(void *ctx, int64_t sequence, bool is_intact)
{
	(void)ctx;
	ck_assert(is_intact);
	ck_assert_int_eq(sequence, (int64_t)row_count);
	row_count++;
}

static int64_t be_patient(void *ctx, int64_t deadline_ns)
{
	(void)ctx;
	return is_patient ? clock_now_ns(&probe.clock) + patience_ns : deadline_ns;
}

static bool read_back(struct err *e)
{
	const struct row_sink sink = { .row = count_row, .heard = be_patient };

	return probe.ops->read_back(&probe.spec, "Run-1", &probe.clock,
				    clock_now_ns(&probe.clock) + patience_ns, &sink, e);
}

START_TEST(test_read_back_that_goes_on_outlasts_its_first_deadline)
{
	struct err e = { 0 };

	is_patient = true;
	start(TRICKLES);
	ck_assert_msg(read_back(&e), "%s", e.text);
	ck_assert_uint_eq(row_count, ROWS);
}
END_TEST

START_TEST(test_read_back_without_more_time_ends_at_its_deadline)
{
	struct err e = { 0 };

	start(TRICKLES);
	ck_assert(!read_back(&e));
	ck_assert_str_eq(e.text, "read the ledger back from db: the rows did not all arrive in time");
	ck_assert_uint_lt(row_count, ROWS);
}
END_TEST

START_TEST(test_read_back_that_stalls_is_given_up_when_patience_ends)
{
	struct err e = { 0 };

	patience_ns = NS_PER_S; /* in which half of the rows surely come */
	is_patient = true;
	start(STALLS);
	ck_assert(!read_back(&e)); /* the server would wait for ever */
	ck_assert_int_eq(e.kind, ERR_DEADLINE);
	ck_assert_uint_eq(row_count, ROWS / 2 + 1);
}
END_TEST

START_TEST(test_read_back_of_what_is_no_copy_is_refused)
{
	static const enum manner manners[] = { NO_HEAD, OTHER_COLUMNS, CUT_FIELD };
	struct err e = { 0 };

	is_patient = true;
	start(manners[_i]);
	ck_assert(!read_back(&e));
	ck_assert_str_eq(e.text, "read the ledger back from db: an answer that is no COPY of 3 "
				 "columns in binary");
	ck_assert_uint_eq(row_count, 0);
}
END_TEST

/* ---- the run that reads, on paper ---- */

enum { SLOTS = 8 };

static struct sim_clock *sim_clock;
static struct clock paper_clock;
static struct sample samples[SLOTS];
static volatile sig_atomic_t stop_signal;
static int64_t first_deadline_ns;
static int64_t last_heard_ns;
static struct {
	int64_t piece_ns; /* between two pieces */
	int64_t piece_count;
	int64_t signal_at; /* this piece comes with SIGTERM */
} plan;

static void paper_view(void *ctx, size_t probe_index, int64_t now_ns, struct track *ret_track)
{
	(void)ctx;
	(void)probe_index;
	(void)now_ns;
	*ret_track = (struct track){ .probe = "writes",
				     .every_ns = NS_PER_S,
				     .lane_count = 1,
				     .slot_count = SLOTS,
				     .samples = samples };
}

static bool paper_read_back(void *ctx, const struct probe_spec *spec, int64_t deadline_ns,
			    const struct row_sink *sink, struct err *e)
{
	(void)ctx;
	(void)spec;
	first_deadline_ns = deadline_ns;
	for (int64_t piece = 0; piece < plan.piece_count; piece++) {
		const int64_t next_ns = clock_now_ns(&paper_clock) + plan.piece_ns;

		if (piece == plan.signal_at)
			stop_signal = SIGTERM;
		if (next_ns > deadline_ns)
			return err_set(e, ERR_DEADLINE, "on paper: too late");
		clock_sleep_until_ns(&paper_clock, next_ns);
		sink->row(sink->ctx, piece % SLOTS, true);
		deadline_ns = row_sink_heard(sink, deadline_ns);
		last_heard_ns = clock_now_ns(&paper_clock);
	}
	return true;
}

static const struct outside_ops paper_ops = { .view = paper_view, .read_back = paper_read_back };

/* Counts once, on the simulated clock. How long that took; the run is what it left. */
static int64_t count_once(struct run *run)
{
	static const struct probe_spec spec = {
		.name = "writes", .every_ns = NS_PER_S, .lane_count = 1, .is_ledger = true
	};
	static const struct experiment experiment = { .probes = &spec,
						      .probe_count = 1,
						      .run_at_most_ns = LIMIT_DRILL_NS };
	static struct run_request request;
	const struct run_row row = { .run_id = "run-a", .title = "on paper", .version = "test" };
	char *dir = temp_dir_make();
	struct text path = { 0 };
	struct store *store = NULL;
	struct err e = { 0 };
	int64_t begun_ns;

	text_addf(&path, "%s/store.db", dir);
	ck_assert_msg(store_open(text_str(&path), NULL, &store, &e) &&
			      store_run_begin(store, &row, &e),
		      "%s", e.text);
	request = (struct run_request){ .experiment = &experiment,
					.run_id = "run-a",
					.store = store,
					.clock = &paper_clock,
					.stop_signal = &stop_signal,
					.outside = { &paper_ops, NULL } };
	begun_ns = clock_now_ns(&paper_clock);
	*run = (struct run){ .request = &request,
			     .experiment = &experiment,
			     .clock = &paper_clock,
			     .begun_ns = begun_ns,
			     .journal = { .store = store, .run_id = "run-a", .clock = &paper_clock } };
	watch_init(&run->watch, &experiment, &request.outside);
	run->watch.probes[0].slot_count = SLOTS;
	paper_view(NULL, 0, 0, &run->watch.tracks[0]);
	for (size_t i = 0; i < SLOTS; i++)
		samples[i].write = WRITE_ACKNOWLEDGED;
	ledger_count_all(run, COUNT_STABLE);
	store_close(store);
	text_release(&path);
	temp_dir_remove(dir);
	return clock_now_ns(&paper_clock) - begun_ns;
}

static void open_clock(void)
{
	sim_clock = sim_clock_open();
	paper_clock = sim_clock_as_clock(sim_clock);
	plan.signal_at = -1;
}

static void close_clock(void)
{
	sim_clock_close(sim_clock);
}

static struct run run; /* too large for the stack */

START_TEST(test_count_takes_minutes_while_rows_come)
{
	plan.piece_ns = 10 * NS_PER_S;
	plan.piece_count = 30;
	ck_assert_int_eq(count_once(&run), 300 * NS_PER_S); /* one reading, nothing missing */
	ck_assert(!run.is_stopping);
}
END_TEST

START_TEST(test_count_of_a_silent_store_is_given_up)
{
	plan.piece_ns = 16 * NS_PER_S;
	plan.piece_count = 1;
	ck_assert_int_le(count_once(&run), 16 * NS_PER_S);
	ck_assert_int_eq(last_heard_ns, 0);
}
END_TEST

START_TEST(test_count_that_never_ends_is_bounded)
{
	plan.piece_ns = NS_PER_S;
	plan.piece_count = INT64_MAX;
	ck_assert_int_le(count_once(&run), 601 * NS_PER_S);
	ck_assert_int_ge(last_heard_ns, first_deadline_ns);
}
END_TEST

/* The run thread looks at signals, and renews leases, in the middle of a long reading. */
START_TEST(test_count_hears_a_signal_in_the_middle_and_then_ends_soon)
{
	plan.piece_ns = NS_PER_S;
	plan.piece_count = INT64_MAX;
	plan.signal_at = 20;
	ck_assert_int_le(count_once(&run), (20 + 2) * NS_PER_S);
	ck_assert(run.is_stopping);
}
END_TEST

void suite_ledger_read(Suite *suite)
{
	TCase *probes = tcase_create("probe");
	TCase *counts = tcase_create("count");

	tcase_add_checked_fixture(probes, NULL, stop_server);
	tcase_add_test(probes, test_read_back_that_goes_on_outlasts_its_first_deadline);
	tcase_add_test(probes, test_read_back_without_more_time_ends_at_its_deadline);
	tcase_add_test(probes, test_read_back_that_stalls_is_given_up_when_patience_ends);
	tcase_add_loop_test(probes, test_read_back_of_what_is_no_copy_is_refused, 0, 3);
	suite_add_tcase(suite, probes);
	tcase_add_checked_fixture(counts, open_clock, close_clock);
	tcase_add_test(counts, test_count_takes_minutes_while_rows_come);
	tcase_add_test(counts, test_count_of_a_silent_store_is_given_up);
	tcase_add_test(counts, test_count_that_never_ends_is_bounded);
	tcase_add_test(counts, test_count_hears_a_signal_in_the_middle_and_then_ends_soon);
	suite_add_tcase(suite, counts);
}
