/*
 * test_probe_log.c - probe log.event against files that grow, are rotated and cut, and a scripted
 * journalctl; and the threads that look at places of event probes (engine/follower.c).
 */
#include "engine/follower.h"
#include "fixtures/temp_dir.h"
#include "fixtures/watch_try.h"
#include "probes/stamp.h"
#include "tests/suites.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const int64_t plenty_ns = 10 * NS_PER_S;

/* ---- stamp ---- */

START_TEST(test_stamp_read_knows_what_machines_write)
{
	static const struct {
		const char *text;
		int64_t wall_ns; /* after 2026-11-21T00:00:00Z; -1: says nothing */
		int64_t grain_ns;
	} rows[] = {
		{ "2026-11-21T00:00:01Z", NS_PER_S, NS_PER_S },
		{ "2026-11-21 00:00:01 UTC rest", NS_PER_S, NS_PER_S },
		{ "2026-11-21 00:00:01.250 GMT", 1250 * NS_PER_MS, NS_PER_MS },
		{ "2026-11-21 00:00:01,25+00", 1250 * NS_PER_MS, 10 * NS_PER_MS },
		{ "2026-11-21T01:30:01.000001+01:30", NS_PER_S + NS_PER_US, NS_PER_US },
		{ "2026-11-20T20:00:01.1234567899-0400", NS_PER_S + 123456789, 1 },
		{ "2026-11-21T00:00:01.Z", -1, 0 },
		{ "2026-11-21 00:00:01", -1, 0 },
		{ "2026-11-21 00:00:01 CET", -1, 0 },
		{ "2026-13-21T00:00:01Z", -1, 0 },
		{ "2026-11-21T00:00:61Z", -1, 0 },
		{ "2026-11-21T00:00:01+99", -1, 0 },
		{ "2026-11-2", -1, 0 },
		{ "now", -1, 0 },
		{ "", -1, 0 },
	};
	const int64_t midnight_ns = 1795219200 * NS_PER_S;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t wall_ns = 0;
		int64_t grain_ns = 0;
		const bool is_read = stamp_read(rows[i].text, &wall_ns, &grain_ns, NULL);

		ck_assert_msg(is_read == (rows[i].wall_ns != -1), "%s", rows[i].text);
		if (!is_read)
			continue;
		ck_assert_msg(wall_ns - midnight_ns == rows[i].wall_ns, "%s: %" PRId64, rows[i].text,
			      wall_ns - midnight_ns);
		ck_assert_int_eq(grain_ns, rows[i].grain_ns);
	}
}
END_TEST

/* ---- log.event ---- */

static const struct host here = { .name = "db3", .is_local = true };
static char *folder;
static char path[256];

static void set_up_log(void)
{
	folder = temp_dir_make();
	(void)snprintf(path, sizeof path, "%s/some app.log", folder);
}

static void tear_down_log(void)
{
	watch_close();
	temp_dir_remove(folder);
}

static void write_to(const char *name, const char *mode, const char *text)
{
	FILE *file = fopen(name, mode);

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void watch_file(const char *matches)
{
	const char *const params[] = { "matches", matches, "says", "it promotes", "file", path, NULL };

	watch_open("log.event", params, NULL, &here);
}

START_TEST(test_log_line_lies_between_two_looks_and_has_its_own_time)
{
	const int64_t wall_ns = INT64_C(1795256430123) * NS_PER_MS;
	int64_t before_ns;
	int64_t after_ns;

	write_to(path, "w", "promote: an old line\n");
	watch_file("promot(e|ing)");
	watch_look();
	watch_look();
	ck_assert_uint_eq(watch.seen_count, 0);
	before_ns = clock_now_ns(&watch.probe.clock);
	write_to(path, "a", "2026-11-21 10:20:30.123 UTC [7] LOG:  promoting\nanother line\n");
	after_ns = clock_now_ns(&watch.probe.clock);
	watch_look();
	watch_look();
	ck_assert_uint_eq(watch.seen_count, 1);
	watch_expect(0, "db3: it promotes", before_ns, after_ns);
	ck_assert_ptr_eq(watch.seen[0].host, &here);
	ck_assert_int_le(watch.seen[0].own_low_ns, wall_ns);
	ck_assert_int_ge(watch.seen[0].own_high_ns, wall_ns);
	ck_assert_int_le(watch.seen[0].own_high_ns - watch.seen[0].own_low_ns, 2 * NS_PER_MS);
}
END_TEST

START_TEST(test_log_line_in_pieces_is_one_line)
{
	write_to(path, "w", "");
	watch_file("^pro.*mote$");
	watch_look();
	write_to(path, "a", "pro");
	watch_look();
	ck_assert_uint_eq(watch.seen_count, 0);
	write_to(path, "a", "-mote\npro-mote");
	watch_look();
	ck_assert_uint_eq(watch.seen_count, 1);
	ck_assert_int_eq(watch.seen[0].own_high_ns, 0);
	write_to(path, "a", "\n");
	watch_look();
	ck_assert_uint_eq(watch.seen_count, 2);
}
END_TEST

START_TEST(test_log_that_is_rotated_or_cut_is_read_from_its_beginning)
{
	char old_path[sizeof path + 8];

	write_to(path, "w", "a line that was there\n");
	watch_file("promote");
	watch_look();
	(void)snprintf(old_path, sizeof old_path, "%s.1", path);
	ck_assert_int_eq(rename(path, old_path), 0);
	write_to(path, "w", "promote in a new file\n");
	watch_look();
	ck_assert_uint_eq(watch.seen_count, 1);
	write_to(path, "w", "promote!\n"); /* the same file, shorter */
	watch_look();
	ck_assert_uint_eq(watch.seen_count, 2);
}
END_TEST

START_TEST(test_log_longer_than_a_look_is_read_on_and_hides_no_moment)
{
	struct text block = { 0 };
	int64_t before_ns;

	write_to(path, "w", "");
	watch_file("promote");
	watch_look();
	for (size_t i = 0; i < 20000; i++)
		text_add(&block, "a line of some other program, forty bytes\n");
	text_add(&block, "promote\n");
	before_ns = clock_now_ns(&watch.probe.clock);
	write_to(path, "a", text_str(&block));

	const int64_t after_ns = clock_now_ns(&watch.probe.clock);

	watch_look(); /* 512 KiB of 840 */
	ck_assert_uint_eq(watch.seen_count, 0);
	watch_look();
	ck_assert_uint_eq(watch.seen_count, 1);
	/* The look that did not get that far proves nothing. */
	watch_expect(0, "db3: it promotes", before_ns, after_ns);
	text_release(&block);
}
END_TEST

START_TEST(test_log_with_bytes_that_are_no_text_goes_on)
{
	FILE *file;

	write_to(path, "w", "");
	watch_file("promote");
	watch_look();
	file = fopen(path, "a");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite("\0\xff\n\0promote\0\n", 1, 13, file), 13);
	ck_assert_int_eq(fclose(file), 0);
	watch_look();
	ck_assert_uint_eq(watch.seen_count, 1);
}
END_TEST

START_TEST(test_log_that_is_not_there_is_a_failure)
{
	watch_file("promote");
	ck_assert(!watch_look_within(plenty_ns));
	ck_assert_msg(strstr(watch.failure.text, "look at the log of db3: status 1: ") == watch.failure.text &&
			      strstr(watch.failure.text, "No such file") != NULL,
		      "%s", watch.failure.text);
	write_to(path, "w", "promote, but nobody knows when\n");
	watch_look();
	ck_assert_uint_eq(watch.seen_count, 0);
}
END_TEST

/* A journalctl that prints the file "entries", and notes its words. */
static void script_journalctl(void)
{
	struct text script = { 0 };
	struct text place = { 0 };
	char name[256];

	text_addf(&script, "#!/bin/sh\necho \"$*\" >>'%s/asked'\ncat '%s/entries' 2>/dev/null\nexit 0\n",
		  folder, folder);
	(void)snprintf(name, sizeof name, "%s/journalctl", folder);
	write_to(name, "w", text_str(&script));
	ck_assert_int_eq(chmod(name, 0755), 0);
	text_addf(&place, "%s:%s", folder, getenv("PATH"));
	ck_assert_int_eq(setenv("PATH", text_str(&place), 1), 0);
	text_release(&script);
	text_release(&place);
}

static void journal_says(const char *entries)
{
	char name[256];

	(void)snprintf(name, sizeof name, "%s/entries", folder);
	write_to(name, "w", entries);
}

static void expect_asked(const char *words)
{
	char name[256];
	char line[1024] = "";
	char last[1024] = "";
	FILE *file;

	(void)snprintf(name, sizeof name, "%s/asked", folder);
	file = fopen(name, "r");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof line, file) != NULL)
		memcpy(last, line, sizeof last);
	(void)fclose(file);
	ck_assert_msg(strstr(last, words) != NULL, "asked: %s", last);
}

START_TEST(test_log_of_the_journal_goes_on_from_its_cursor)
{
	const char *const params[] = { "matches", "promot", "unit", "patroni", NULL };
	int64_t before_ns;

	script_journalctl();
	journal_says("");
	watch_open("log.event", params, NULL, &here);
	ck_assert(!watch_look_within(plenty_ns));
	ck_assert_str_eq(watch.failure.text, "the journal of db3 is empty, or may not be read by this user");
	journal_says("{\"__CURSOR\":\"s=1;i=7\",\"__REALTIME_TIMESTAMP\":\"1795256430000000\","
		     "\"MESSAGE\":\"promoted long ago\"}\n");
	watch_look();
	expect_asked("-n 1");
	ck_assert_uint_eq(watch.seen_count, 0);
	before_ns = clock_now_ns(&watch.probe.clock);
	journal_says("{\"__CURSOR\":\"s=1;i=8\",\"__REALTIME_TIMESTAMP\":\"1795256440123456\","
		     "\"MESSAGE\":\"promoted self to leader\"}\n"
		     "{\"__CURSOR\":\"s=1;i=9\",\"MESSAGE\":[112,114,111]}\n"
		     "{\"__CURSOR\":\"s=1;i=10\",\"MESSAGE\":\"cut off in the mid");
	watch_look();
	expect_asked("--after-cursor=s=1;i=7 -u patroni");
	ck_assert_uint_eq(watch.seen_count, 1);
	watch_expect(0, "db3: promot", before_ns, before_ns);
	ck_assert_int_eq(watch.seen[0].own_low_ns, INT64_C(1795256440123456) * NS_PER_US);
	ck_assert_int_eq(watch.seen[0].own_high_ns, INT64_C(1795256440123457) * NS_PER_US);
	journal_says("");
	watch_look();
	expect_asked("--after-cursor=s=1;i=9 -u patroni");
}
END_TEST

START_TEST(test_log_check_names_what_is_wrong)
{
	static const struct {
		const char *params[7];
		const char *why;
	} rows[] = {
		{ { "matches", "a(b" },
		  "`matches` is no POSIX extended regular expression: Unmatched ( or \\(" },
		{ { "matches", "" },
		  "log.event would take every line for an event; write what it `matches`" },
		{ { "matches", "a", "unit", "u", "file", "/f" },
		  "log.event follows one log: write `unit` or `file`, not both" },
	};

	probe_try_init(&watch.probe, "log.event", rows[_i].params);
	ck_assert(!watch.probe.ops->check(&watch.probe.spec, &watch.failure));
	ck_assert_str_eq(watch.failure.text, rows[_i].why);
}
END_TEST

/* ---- the threads that look ---- */

static struct follower *follower;

static bool take_until(struct outside_sight *sight, int64_t within_ns)
{
	const int64_t deadline_ns = clock_now_ns(&watch.probe.clock) + within_ns;

	while (!follower_take(follower, sight)) {
		if (clock_now_ns(&watch.probe.clock) > deadline_ns)
			return false;
		clock_sleep_until_ns(&watch.probe.clock, clock_now_ns(&watch.probe.clock) + NS_PER_MS);
	}
	return true;
}

static void follow_file(const char *matches)
{
	const char *const params[] = { "matches", matches, "says", "it promotes", "file", path, NULL };

	probe_try_init(&watch.probe, "log.event", params);
	watch.probe.spec.host = &here;
	watch.probe.spec.is_event = true;
	ck_assert_msg(follower_open(&watch.probe.spec, "Run-1", &watch.probe.clock, &follower, &watch.failure), "%s",
		      watch.failure.text);
	ck_assert_msg(follower_start(follower, clock_now_ns(&watch.probe.clock), &watch.failure), "%s",
		      watch.failure.text);
}

START_TEST(test_follower_tells_what_happens_while_it_looks)
{
	struct outside_sight sight;
	int64_t at_ns;

	write_to(path, "w", "");
	follow_file("promote");
	/* Written again until seen: the first look takes what is there for old. */
	do {
		at_ns = clock_now_ns(&watch.probe.clock);
		write_to(path, "a", "promote\n");
	} while (!take_until(&sight, 200 * NS_PER_MS));
	ck_assert(!sight.is_blind);
	ck_assert_str_eq(sight.sighting.what, "db3: it promotes");
	ck_assert_int_ge(sight.sighting.until_ns, at_ns);
	ck_assert_int_le(sight.sighting.from_ns, sight.sighting.until_ns);
	follower_stop_begin(follower);
	follower_stop_wait(follower);
	while (follower_take(follower, &sight))
		ck_assert(!sight.is_blind);
	follower_close(follower);
}
END_TEST

START_TEST(test_follower_place_that_never_answers_is_named_at_the_end)
{
	struct outside_sight sight;

	follow_file("promote"); /* there is no such file */
	ck_assert(!take_until(&sight, 100 * NS_PER_MS));
	follower_stop_begin(follower);
	follower_stop_wait(follower);
	ck_assert(follower_take(follower, &sight));
	ck_assert(sight.is_blind);
	ck_assert_ptr_eq(sight.sighting.host, &here);
	ck_assert_ptr_nonnull(strstr(sight.sighting.what, "No such file"));
	ck_assert(!follower_take(follower, &sight));
	follower_close(follower);
}
END_TEST

START_TEST(test_follower_full_queue_says_how_many_were_lost)
{
	struct text lines = { 0 };
	struct outside_sight sight;
	size_t taken = 0;

	write_to(path, "w", "");
	follow_file("promote");
	for (size_t i = 0; i < 300; i++)
		text_add(&lines, "promote\n");
	do {
		write_to(path, "a", text_str(&lines));
	} while (!take_until(&sight, 200 * NS_PER_MS));
	follower_stop_begin(follower);
	follower_stop_wait(follower);
	for (taken = 1; !sight.is_blind && follower_take(follower, &sight); taken++)
		continue;
	ck_assert(sight.is_blind);
	ck_assert_ptr_null(sight.sighting.host);
	ck_assert_msg(strstr(sight.sighting.what, "came faster than they could be written down") !=
			      NULL && taken >= 256,
		      "%zu, %s", taken, sight.sighting.what);
	follower_close(follower);
	text_release(&lines);
}
END_TEST

void suite_probe_log(Suite *suite)
{
	TCase *tests = tcase_create("log");

	tcase_add_checked_fixture(tests, set_up_log, tear_down_log);
	tcase_add_test(tests, test_stamp_read_knows_what_machines_write);
	tcase_add_test(tests, test_log_line_lies_between_two_looks_and_has_its_own_time);
	tcase_add_test(tests, test_log_line_in_pieces_is_one_line);
	tcase_add_test(tests, test_log_that_is_rotated_or_cut_is_read_from_its_beginning);
	tcase_add_test(tests, test_log_longer_than_a_look_is_read_on_and_hides_no_moment);
	tcase_add_test(tests, test_log_with_bytes_that_are_no_text_goes_on);
	tcase_add_test(tests, test_log_that_is_not_there_is_a_failure);
	tcase_add_test(tests, test_log_of_the_journal_goes_on_from_its_cursor);
	tcase_add_loop_test(tests, test_log_check_names_what_is_wrong, 0, 3);
	tcase_add_test(tests, test_follower_tells_what_happens_while_it_looks);
	tcase_add_test(tests, test_follower_place_that_never_answers_is_named_at_the_end);
	tcase_add_test(tests, test_follower_full_queue_says_how_many_were_lost);
	suite_add_tcase(suite, tests);
}
