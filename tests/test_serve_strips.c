/*
 * test_serve_strips.c - what the page shows of the probes of a run under way, from files that lanes write, and
 * from files that are not what they seem.
 */
#include "engine/sampler.h"
#include "fixtures/serve_case.h"
#include "tests/suites.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLOTS = 40 };

static struct sample_file_head head;
static struct sample samples[SLOTS];
static struct text folder;

static int64_t now_ns(void)
{
	const struct clock clock = clock_system();

	return clock_now_ns(&clock);
}

/* A probe that has been asked every second for 40 s. */
static void setup(void)
{
	serve_case_open();
	serve_case_begin("run-a", "Kill the primary");
	text_addf(&folder, "%s.samples", text_str(&serve_case.path));
	ck_assert_int_eq(mkdir(text_str(&folder), 0700), 0);
	head = (struct sample_file_head){ .magic = SAMPLE_FILE_MAGIC,
					  .lane_count = 1,
					  .t0_ns = now_ns() - (SLOTS - 1) * NS_PER_S,
					  .every_ns = NS_PER_S,
					  .slot_room = SLOTS,
					  .probe = "health" };
	for (size_t i = 0; i < SLOTS; i++)
		samples[i] = (struct sample){ .state = i < 20 ? SAMPLE_GOOD : SAMPLE_BAD };
}

static void teardown(void)
{
	serve_case_close();
	text_release(&folder);
}

static void write_samples(const char *name, size_t slot_count)
{
	char place[512];
	char page[SAMPLE_FILE_HEAD_BYTES] = { 0 };
	int fd;

	memcpy(page, &head, sizeof head);
	(void)snprintf(place, sizeof place, "%s/%s", text_str(&folder), name);
	fd = open(place, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, page, sizeof page), (ssize_t)sizeof page);
	ck_assert_int_eq(write(fd, samples, slot_count * sizeof samples[0]),
			 (ssize_t)(slot_count * sizeof samples[0]));
	ck_assert_int_eq(close(fd), 0);
}

START_TEST(test_run_under_way_shows_what_its_probes_have_seen)
{
	write_samples("run-a.0", SLOTS);
	serve_case_get("/runs/run-a");
	assert_says("Seen in the last minute");
	assert_says("aria-label=\"health, the last minute: bad now\"");
	/* 120 cells are 60 s: the last 20 s are bad, and 20 s before them good. */
	assert_says("<rect class=\"cell-good\" x=\"");
	assert_says("<rect class=\"cell-bad\" x=\"");
	assert_says("data-strips=\"/runs/run-a/strips\"");
	samples[SLOTS - 1].state = SAMPLE_GOOD;
	write_samples("run-a.0", SLOTS);
	serve_case_get("/runs/run-a/strips");
	assert_says("aria-label=\"health, the last minute: good now\"");
	assert_silent_about("<html");
}
END_TEST

START_TEST(test_strips_are_of_this_run_alone_and_one_for_each_probe)
{
	write_samples("run-a.1", SLOTS);
	(void)snprintf(head.probe, sizeof head.probe, "<another>");
	write_samples("run-a.0", SLOTS);
	(void)snprintf(head.probe, sizeof head.probe, "foreign");
	write_samples("run-ab.0", SLOTS);
	serve_case_get("/runs/run-a/strips");
	assert_says("&lt;another&gt;, the last minute");
	assert_says("health, the last minute");
	assert_silent_about("foreign");
	ck_assert(strstr(text_str(&serve_case.answer), "&lt;another&gt;, the") <
		  strstr(text_str(&serve_case.answer), "health, the"));
	serve_case_get("/runs/nobody/strips");
	assert_says("HTTP/1.1 404 ");
}
END_TEST

START_TEST(test_strips_of_files_that_are_damaged_are_none)
{
	const struct sample_file_head good = head;

	head.magic = 7;
	write_samples("run-a.0", SLOTS);
	head = good;
	head.every_ns = 0;
	write_samples("run-a.1", SLOTS);
	head = good;
	head.slot_room = UINT64_MAX;
	write_samples("run-a.2", SLOTS);
	head = good;
	head.t0_ns = INT64_MAX;
	write_samples("run-a.3", SLOTS);
	head = good;
	memset(head.probe, 'x', sizeof head.probe);
	write_samples("run-a.4", SLOTS);
	head = good;
	write_samples("run-a.5", 0);
	serve_case_get("/runs/run-a/strips");
	assert_says("HTTP/1.1 200 ");
	assert_says("No probe has seen anything here yet.");
	assert_silent_about("<svg");
	serve_case_get("/runs/run-a");
	assert_says("HTTP/1.1 200 ");
}
END_TEST

START_TEST(test_strips_of_states_that_are_none_are_empty)
{
	for (size_t i = 0; i < SLOTS; i++)
		samples[i].state = 99;
	write_samples("run-a.0", SLOTS);
	serve_case_get("/runs/run-a/strips");
	assert_says("health, the last minute: not seen now");
	assert_silent_about("<rect");
}
END_TEST

void suite_serve_strips(Suite *suite)
{
	TCase *tests = tcase_create("serve_strips");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_run_under_way_shows_what_its_probes_have_seen);
	tcase_add_test(tests, test_strips_are_of_this_run_alone_and_one_for_each_probe);
	tcase_add_test(tests, test_strips_of_files_that_are_damaged_are_none);
	tcase_add_test(tests, test_strips_of_states_that_are_none_are_empty);
	suite_add_tcase(suite, tests);
}
