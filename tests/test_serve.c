/*
 * test_serve.c - the web page over loopback: what it answers to browsers, and to strangers who mean no
 * good.
 */
#include "fixtures/evidence_run.h"
#include "fixtures/paper_world.h"
#include "fixtures/run_tool.h"
#include "fixtures/serve_case.h"
#include "notify/outbox.h"
#include "store/store_dues.h"
#include "tests/suites.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- pages ---- */

START_TEST(test_overview_of_an_empty_store_says_what_to_do)
{
	serve_case_get("/");
	assert_says("HTTP/1.1 200 ");
	assert_says("There are no runs yet");
	assert_says("No run is under way");
}
END_TEST

START_TEST(test_overview_names_runs_under_way)
{
	serve_case_begin("run-a", "Kill the primary");
	serve_case_get("/");
	assert_says("RUNNING");
	assert_says("href=\"/runs/run-a\">Kill the primary</a>");
	ck_assert(store_run_end(serve_case.store, "run-a", 1, EXIT_MET, "Recovered.", &serve_case.e));
	serve_case_get("/runs");
	assert_says("1 of 1 runs");
}
END_TEST

START_TEST(test_overview_has_leftovers_on_top_with_their_command)
{
	evidence_run_make(serve_case.store, &serve_case.arena, 10);
	serve_case_get("/");
	assert_says("Still broken: heal this first");
	assert_says("<code>firedrill heal 20261121-102030-k3f9 --store ");
	serve_case_get("/metrics");
	assert_says("\nfiredrill_leftovers 1\n");
}
END_TEST

START_TEST(test_pages_make_hostile_texts_harmless)
{
	static const char hostile[] = "</title><script>alert(1)</script>\" onload=\"x";

	serve_case_begin("run-a", hostile);
	serve_case_append("run-a", hostile);
	for (size_t i = 0; i < 3; i++) {
		static const char *const targets[] = { "/", "/runs?text=%22%3E%3Cscript%3E", "/runs/run-a" };

		serve_case_get(targets[i]);
		assert_says("HTTP/1.1 200 ");
		assert_silent_about("<script>");
		assert_silent_about("\" onload=\"x");
	}
	assert_says("&lt;script&gt;alert(1)");
	serve_case_get("/%3Cscript%3E");
	assert_says("there is no page /&lt;script&gt; here");
}
END_TEST

START_TEST(test_runs_are_chosen_and_paged)
{
	for (int i = 0; i < 60; i++) {
		char run_id[32];

		(void)snprintf(run_id, sizeof run_id, "run-%02d", i);
		serve_case_begin(run_id, i % 2 == 0 ? "Kill the primary" : "Fill the disk");
		ck_assert(store_run_end(serve_case.store, run_id, 1, i < 10 ? EXIT_MISSED : EXIT_MET, "", &serve_case.e));
	}
	serve_case_get("/runs");
	assert_says("page 1 of 2");
	assert_says("run-59");
	assert_silent_about("run-09");
	serve_case_get("/runs?page=2");
	assert_says("run-09");
	assert_silent_about("run-10");
	serve_case_get("/runs?verdict=MISSED&text=fill+the");
	assert_says("5 of 60 runs");
	assert_says("<option selected>MISSED</option>");
	serve_case_get("/runs?page=0");
	assert_says("HTTP/1.1 404 ");
	serve_case_get("/runs?page=18446744073709551616");
	assert_says("HTTP/1.1 404 ");
}
END_TEST

static struct world world;

/* A page over the store of a drill on paper. */
static void serve_world(void)
{
	struct text place = { 0 };

	world = (struct world){ 0 };
	world_open(&world, &(struct sim_script){ 0 });
	world_run_ok(&world);
	text_addf(&place, "%s/store.db", world.owned_folder);
	ck_assert_int_eq(serve_try_stop(&serve_case.page, SIGTERM), 0);
	serve_try_start(&serve_case.page, text_str(&place), NULL);
	text_release(&place);
}

START_TEST(test_run_that_has_ended_is_its_report_with_a_style_the_policy_allows)
{
	serve_world();
	serve_case_get("/runs/last");
	assert_says("HTTP/1.1 200 ");
	assert_says("<header class=\"verdict tone-");
	assert_says("This report as one file");
	assert_silent_about("<style>");
	serve_case_get("/runs/last/report");
	assert_says("style-src 'sha256-");
	assert_says("<style>");
	world_close(&world);
}
END_TEST

START_TEST(test_drills_are_on_every_page_of_the_history)
{
	static const struct {
		const char *target;
		const char *says;
	} rows[] = {
		{ "/", "data-label=\"Service\"><span>db</span>" },
		{ "/", "data-label=\"Scenarios proven\"><span>" },
		{ "/trends", "<svg class=\"trend\"" },
		{ "/trends", "aria-label=\"Observed RTO of db, process.pause on primary\"" },
		{ "/trends", "<figcaption>process.pause on primary</figcaption>" },
		/* The only drill stands beside the scale, where a phone looks first. */
		{ "/trends", "<rect class=\"touch\" x=\"853.2\" width=\"76.8\"" },
		{ "/trends?service=db", "<figcaption>process.pause on primary</figcaption>" },
		{ "/trends?service=nobody", "There is no drill of that service." },
		{ "/kpi", "<span>1 of 1</span>\n<span class=\"moment\">5 % to 100 %" },
		{ "/coverage", "process.pause" },
		{ "/runs", "<option>db</option>" },
		{ "/runs?service=db", "1 of 1 runs" },
		{ "/runs?service=db", "<option selected>db</option>" },
		{ "/runs?service=another", "0 of 1 runs" },
		{ "/kpi", "data-label=\"Drills\"><span>1</span>" },
		{ "/metrics", "\nfiredrill_drills{service=\"db\",environment=\"\",result=\"met\"} " },
		{ "/metrics", "\nfiredrill_last_drill_timestamp_seconds{service=\"db\"," },
		{ "/metrics", "scenario=\"process.pause on primary\"} " },
	};

	serve_world();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		serve_case_get(rows[i].target);
		assert_says("HTTP/1.1 200 ");
		assert_says(rows[i].says);
	}
	world_close(&world);
}
END_TEST

START_TEST(test_run_that_is_not_there_is_a_sentence)
{
	serve_case_get("/runs/nobody");
	assert_says("HTTP/1.1 404 ");
	assert_says("find run nobody: the store has none whose id begins so");
	serve_case_get("/runs/nobody/report");
	assert_says("HTTP/1.1 404 ");
	serve_case_get("/runs/nobody/events");
	assert_says("HTTP/1.1 404 ");
	serve_case_get("/sets/nobody");
	assert_says("HTTP/1.1 404 ");
}
END_TEST

START_TEST(test_live_run_tells_its_events_as_they_come)
{
	struct text told = { 0 };
	int fd;

	serve_case_begin("run-a", "a drill");
	serve_case_append("run-a", "the first");
	serve_case_append("run-a", "the second");
	serve_case_get("/runs/run-a");
	assert_says("data-events=\"/runs/run-a/events?after=2\"");
	assert_says("the second");

	fd = serve_try_connect(&serve_case.page);
	serve_try_send(fd, "GET /runs/run-a/events?after=9 HTTP/1.1\r\nHost: localhost\r\n"
			   "Last-Event-ID: 1\r\n\r\n");
	ck_assert_msg(serve_try_read(fd, "the second", &told), "%s", text_str(&told));
	ck_assert_ptr_null(strstr(text_str(&told), "the first"));
	serve_case_append("run-a", "line\nend");
	ck_assert_msg(serve_try_read(fd, "id: 3\n", &told), "%s", text_str(&told));
	ck_assert_msg(serve_try_read(fd, "line\\nend", &told), "%s", text_str(&told));
	ck_assert(store_run_end(serve_case.store, "run-a", 1, EXIT_MET, "", &serve_case.e));
	ck_assert_msg(serve_try_read(fd, "event: end", &told), "%s", text_str(&told));
	(void)close(fd);
	text_release(&told);
}
END_TEST

START_TEST(test_streams_are_few)
{
	struct web_limits limits = web_limits_default;
	struct text told = { 0 };
	int fd;

	limits.streams = 1;
	serve_case_restart(&limits);
	serve_case_begin("run-a", "a drill");
	serve_case_append("run-a", "first");
	fd = serve_try_connect(&serve_case.page);
	serve_try_send(fd, "GET /runs/run-a/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ck_assert(serve_try_read(fd, "first", &told));
	serve_case_get("/runs/run-a/events");
	assert_says("HTTP/1.1 503 ");
	assert_says("too many are watching");
	assert_says("Retry-After: 5");
	/* The page ends while somebody still watches. */
	ck_assert_int_eq(serve_try_stop(&serve_case.page, SIGTERM), 0);
	(void)close(fd);
	text_release(&told);
}
END_TEST

/* ---- the store ---- */

/* As docs/store.md says: with the files beside it. */
static void put_aside_store(void)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };

	store_close(serve_case.store);
	serve_case.store = NULL;
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		struct text file = { 0 };

		text_addf(&file, "%s%s", text_str(&serve_case.path), suffixes[i]);
		(void)unlink(text_str(&file)); /* they may not be there */
		text_release(&file);
	}
}

START_TEST(test_store_that_is_replaced_is_read_anew)
{
	struct text other = { 0 };

	serve_case_begin("run-old", "the old one");
	serve_case_get("/");
	assert_says("the old one");
	put_aside_store();
	text_addf(&other, "%s/other.db", serve_case.dir);
	ck_assert(store_open(text_str(&other), NULL, &serve_case.store, &serve_case.e));
	serve_case_begin("run-new", "the new one");
	store_close(serve_case.store);
	serve_case.store = NULL;
	ck_assert_int_eq(rename(text_str(&other), text_str(&serve_case.path)), 0);
	serve_case_get("/");
	assert_says("the new one");
	assert_silent_about("the old one");
	put_aside_store();
	serve_case_get("/");
	assert_says("There are no runs yet");
	text_release(&other);
}
END_TEST

START_TEST(test_store_that_cannot_be_read_is_said_and_the_page_goes_on)
{
	FILE *file;

	put_aside_store();
	file = fopen(text_str(&serve_case.path), "w");
	ck_assert_ptr_nonnull(file);
	(void)fputs("this is no store", file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(text_str(&serve_case.path), 0600), 0);
	serve_case_get("/");
	assert_says("HTTP/1.1 500 ");
	assert_says("This page cannot be shown now");
	serve_case_get("/metrics");
	assert_says("HTTP/1.1 200 ");
	assert_says("\nfiredrill_store_up 0\n");
	assert_silent_about("firedrill_leftovers");
	ck_assert_int_eq(unlink(text_str(&serve_case.path)), 0);
	serve_case_get("/");
	assert_says("HTTP/1.1 200 ");
}
END_TEST

/* ---- metrics ---- */

static void put_due(struct due_row row)
{
	bool is_new = false;

	row.schedule = "weekly \"a\"";
	row.turn = 1;
	row.due_wall_ns = row.nominal_wall_ns;
	row.latest_wall_ns = INT64_MAX;
	ck_assert_msg(store_due_put(serve_case.store, &row, &is_new, &serve_case.e), "%s",
		      serve_case.e.text);
}

static void put_message(const char *id)
{
	const struct message message = { .id = id, .channel = "team", .inventory = "/inventory.yaml" };
	struct text folder = { 0 };

	text_addf(&folder, "%s%s", text_str(&serve_case.path), OUTBOX_NAME_END);
	ck_assert_msg(outbox_put(text_str(&folder), &message, &serve_case.e), "%s",
		      serve_case.e.text);
	text_release(&folder);
}

/* What Prometheus would alert about: nobody works, or nobody was told. */
START_TEST(test_metrics_tell_of_schedules_workers_and_messages)
{
	const struct due_worker worker = { .name = "w1", .lease_ns = 60 * NS_PER_S };
	const struct clock clock = clock_system();
	const int64_t now_ns = clock_wall_ns(&clock);
	struct due_row claimed;
	bool is_there = false;

	put_due((struct due_row){ .nominal_wall_ns = 90 * NS_PER_S, .state = DUE_MISSED,
				  .sentence = "no worker" });
	put_due((struct due_row){ .nominal_wall_ns = now_ns - 3600 * NS_PER_S, .state = DUE_WAITS,
				  .experiment_text = "title: a" });
	put_due((struct due_row){ .nominal_wall_ns = now_ns - 7200 * NS_PER_S, .state = DUE_WAITS,
				  .experiment_text = "title: a" });
	ck_assert(store_due_claim(serve_case.store, &worker, DUE_RUN, "run", &serve_case.arena,
				  &is_there, &claimed, &serve_case.e));
	ck_assert(is_there);
	put_message("m1");
	put_message("m2");
	serve_case_get("/metrics");
	assert_says("\nfiredrill_dues{schedule=\"weekly \\\"a\\\"\",state=\"due\"} 1\n");
	assert_says("state=\"claimed\"} 1\n");
	assert_says("state=\"missed\"} 1\n");
	assert_says("state=\"done\"} 0\n");
	assert_says("\nfiredrill_schedule_lag_seconds{schedule=\"weekly \\\"a\\\"\"} 36"); /* 00 */
	assert_says("\nfiredrill_schedule_last_missed_timestamp_seconds{schedule=\"weekly \\\"a\\\"\"} "
		    "90.000000000\n");
	assert_silent_about("firedrill_schedule_last_delay_seconds"); /* no run has begun */
	assert_says("\nfiredrill_leases{state=\"valid\"} 1\nfiredrill_leases{state=\"expired\"} 0\n");
	assert_says("\nfiredrill_workers 1\n");
	assert_says("\nfiredrill_notifications{state=\"waiting\"} 2\n"
		    "firedrill_notifications{state=\"dead\"} 0\n");
}
END_TEST

START_TEST(test_metrics_pass_the_check_of_prometheus)
{
	static const char *const argv[] = { "sh", "-c", NULL, NULL };
	const char *check[sizeof argv / sizeof argv[0]];
	struct text command = { 0 };
	struct text said = { 0 };
	struct text file = { 0 };
	FILE *stream;
	int code;

	serve_case_begin("run-a", "a \"drill\"\n\\");
	evidence_run_make(serve_case.store, &serve_case.arena, 10);
	put_due((struct due_row){ .nominal_wall_ns = 1, .state = DUE_MISSED, .sentence = "no worker" });
	serve_case_get("/metrics");
	assert_says("Content-Type: text/plain; version=0.0.4");
	assert_says("firedrill_schedule_last_due_timestamp_seconds");
	text_addf(&file, "%s/metrics", serve_case.dir);
	stream = fopen(text_str(&file), "w");
	ck_assert_ptr_nonnull(stream);
	(void)fputs(serve_case_body(), stream);
	ck_assert_int_eq(fclose(stream), 0);
	text_addf(&command, "command -v promtool >/dev/null || exit 77; promtool check metrics <%s",
		  text_str(&file));
	memcpy(check, argv, sizeof check);
	check[2] = text_str(&command);
	code = tool_run(check, &said);
	if (code == 77)
		(void)printf("skipped: promtool is not installed (Debian package prometheus)\n");
	else
		ck_assert_msg(code == 0 && said.length_bytes == 0, "%d: %s", code, text_str(&said));
	text_release(&command);
	text_release(&said);
	text_release(&file);
}
END_TEST

/* ---- systemd ---- */

static bool hear(int fd, const char *wanted)
{
	char bytes[256];

	for (int i = 0; i < 100; i++) {
		const ssize_t got = recv(fd, bytes, sizeof bytes - 1, 0);

		if (got <= 0)
			return false;
		bytes[got] = '\0';
		if (strstr(bytes, wanted) != NULL)
			return true;
	}
	return false;
}

START_TEST(test_manager_is_told_of_ready_watchdog_reload_and_end)
{
	const struct timeval patience = { .tv_sec = 10 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", serve_case.dir);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
	ck_assert_int_eq(setenv("WATCHDOG_USEC", "200000", 1), 0);
	serve_case_restart(NULL);
	ck_assert(hear(fd, "READY=1"));
	ck_assert(hear(fd, "WATCHDOG=1"));
	ck_assert(hear(fd, "WATCHDOG=1"));
	ck_assert_int_eq(kill(serve_case.page.pid, SIGHUP), 0);
	ck_assert(hear(fd, "RELOADING=1\nMONOTONIC_USEC="));
	ck_assert(hear(fd, "READY=1"));
	ck_assert_int_eq(serve_try_stop(&serve_case.page, SIGTERM), 0);
	ck_assert(hear(fd, "STOPPING=1"));
	(void)close(fd);
}
END_TEST

void suite_serve(Suite *suite)
{
	TCase *tests = tcase_create("serve");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, serve_case_open, serve_case_close);
	tcase_add_test(tests, test_overview_of_an_empty_store_says_what_to_do);
	tcase_add_test(tests, test_overview_names_runs_under_way);
	tcase_add_test(tests, test_overview_has_leftovers_on_top_with_their_command);
	tcase_add_test(tests, test_pages_make_hostile_texts_harmless);
	tcase_add_test(tests, test_runs_are_chosen_and_paged);
	tcase_add_test(tests, test_run_that_has_ended_is_its_report_with_a_style_the_policy_allows);
	tcase_add_test(tests, test_drills_are_on_every_page_of_the_history);
	tcase_add_test(tests, test_run_that_is_not_there_is_a_sentence);
	tcase_add_test(tests, test_live_run_tells_its_events_as_they_come);
	tcase_add_test(tests, test_streams_are_few);
	tcase_add_test(tests, test_store_that_is_replaced_is_read_anew);
	tcase_add_test(tests, test_store_that_cannot_be_read_is_said_and_the_page_goes_on);
	tcase_add_test(tests, test_metrics_tell_of_schedules_workers_and_messages);
	tcase_add_test(tests, test_metrics_pass_the_check_of_prometheus);
	tcase_add_test(tests, test_manager_is_told_of_ready_watchdog_reload_and_end);
	suite_add_tcase(suite, tests);
}
