/*
 * test_serve_schedule.c - schedules on the page: what comes, the calendar, what became of what was due; and what
 * can be done about an experiment of theirs.
 */
#include "fixtures/schedule_try.h"
#include "fixtures/serve_browser.h"
#include "serve/month_view.h"
#include "tests/suites.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

static struct schedule_try try;
static const struct schedule *items[1];
static const struct schedule_list schedules = { .items = items, .count = 1 };
static char *drill;
static char *inventory;

static const struct schedule_list *tell_schedules(void *ctx)
{
	(void)ctx;
	return &schedules;
}

static void write_file(const char *path, const char *bytes)
{
	FILE *stream = fopen(path, "w");

	ck_assert_ptr_nonnull(stream);
	ck_assert_int_ge(fputs(bytes, stream), 0);
	ck_assert_int_eq(fclose(stream), 0);
}

static void write_inventory(const char *policy)
{
	struct text text = { 0 };

	text_addf(&text, "hosts: { here: { local: true } }\n"
			 "services:\n  web: { kind: http, url: \"http://127.0.0.1:9/\", members: [here] }\n%s",
		  policy);
	write_file(inventory, text_str(&text));
	text_release(&text);
}

static void setup(void)
{
	static const char document[] =
		"title: Hang a web server\nservice: web\nobjectives: { rto: 5s }\n"
		"probes:\n  health: { kind: http.get, on: web, every: 20ms, timeout: 300ms }\n"
		"steady_state: { good_for: 500ms, within: 20s }\nbaseline: 500ms\n"
		"method:\n  - { at: 0s, fault: process.pause, on: here, with: { name: nobody }, for: 1s }\n"
		"observe: { stable_for: 500ms, at_most: 10s }\nlease: 5s\n";

	schedule_try_init(&try);
	items[0] = &try.schedule;
	serve_browser_open();
	drill = arena_format(&serve_case.arena, "%s/drill.yaml", serve_case.dir);
	inventory = arena_format(&serve_case.arena, "%s/inventory.yaml", serve_case.dir);
	write_file(drill, document);
	write_inventory("policy: { approvals: 2 }\n");
	try.pool[0].path = drill;
	try.pool[0].title = "Hang a web server";
	try.policy.approval_count = 2;
	/* The page again, now that there are schedules. */
	ck_assert_int_eq(serve_try_stop(&serve_case.page, SIGTERM), 0);
	serve_try_start_as(&serve_case.page,
			   &(struct serve_request){ .store_path = text_str(&serve_case.path),
						    .token_path = text_str(&serve_browser.token_path),
						    .schedules = tell_schedules });
}

static void teardown(void)
{
	serve_browser_close();
	schedule_try_release(&try);
}

static const struct due_row *only_due(void)
{
	struct due_row *rows;
	size_t count;

	ck_assert(store_dues(serve_case.store, 0, &serve_case.arena, &rows, &count, &serve_case.e));
	ck_assert_uint_eq(count, 1);
	return rows;
}

/* ---- pages ---- */

START_TEST(test_schedule_shows_what_comes_next_and_who_paused_it)
{
	const struct pause_row pause = { try.schedule.name, "anna", "the cluster moves", 7 };
	const struct pause_row other = { "elsewhere", "ben", "holiday", 8 };

	serve_case_get("/schedule");
	assert_says("<h2 id=\"next-head\">Next runs</h2>");
	assert_says("Hang a web server");
	assert_says("<span>yes</span>");
	assert_silent_about("Paused elsewhere");
	serve_case_get("/");
	assert_says("<h2 id=\"next-head\">Next runs</h2>");
	ck_assert(store_pause(serve_case.store, &pause, &serve_case.e));
	ck_assert(store_pause(serve_case.store, &other, &serve_case.e));
	serve_case_get("/schedule");
	assert_says("<span>no: paused, ");
	assert_says("by anna since 1970-01-01 00:00:00 UTC: the cluster moves");
	assert_says("Paused elsewhere");
	assert_says("href=\"/actions/resume?on=elsewhere\"");
}
END_TEST

START_TEST(test_schedule_of_a_page_without_files_says_how_to_give_them)
{
	serve_case_restart(NULL);
	serve_case_get("/schedule");
	assert_says("HTTP/1.1 200 ");
	assert_says("This page was given no schedules");
	assert_says("Nothing was due yet.");
	serve_case_get("/");
	assert_silent_about("Next runs");
}
END_TEST

START_TEST(test_schedule_calendar_has_each_day_of_a_month_with_what_comes)
{
	serve_case_get("/schedule?month=2099-02");
	assert_says("<caption>February 2099, days and times of UTC</caption>");
	assert_says("<th scope=\"col\"><abbr title=\"Monday\">Mon</abbr></th>");
	/* Every day at ten in Berlin; the first of February 2099 is a Sunday. */
	assert_says("<tbody>\n<tr><td class=\"empty\"></td><td class=\"empty\"></td><td class=\"empty\"></td>"
		    "<td class=\"empty\"></td><td class=\"empty\"></td><td class=\"empty\"></td>"
		    "<td data-day=\"Sun\"><time datetime=\"2099-02-01\">1</time><ul><li>09:00 ");
	assert_says("<time datetime=\"2099-02-28\">28</time>");
	assert_silent_about("2099-02-29");
	assert_says("href=\"/schedule?month=2099-01#month-head\">Month before</a>");
	assert_says("href=\"/schedule?month=2099-03#month-head\">Month after</a>");
	serve_case_get("/schedule?month=2099-13");
	assert_says("HTTP/1.1 404 ");
	serve_case_get("/schedule?month=2099-1x");
	assert_says("HTTP/1.1 404 ");
}
END_TEST

START_TEST(test_schedule_calendar_says_when_there_is_more_than_it_shows)
{
	schedule_try_cron(&try, "* * * * *");
	ck_assert_int_eq(serve_try_stop(&serve_case.page, SIGTERM), 0);
	serve_try_start_as(&serve_case.page, &(struct serve_request){ .store_path = text_str(&serve_case.path),
								       .schedules = tell_schedules });
	serve_case_get("/schedule?month=2099-02");
	assert_says("<li>00:00 ");
	assert_says(", and more</li></ul>");
	assert_silent_about("<li>00:03 ");
}
END_TEST

START_TEST(test_schedule_tells_how_a_run_ended_that_was_due)
{
	const struct due_row missed = { .state = DUE_DONE, .exit_code = EXIT_MISSED };
	const struct due_row met = { .state = DUE_DONE, .exit_code = EXIT_MET };
	const struct due_row ended = { .state = DUE_DONE, .exit_code = -1 };
	const struct due_row late = { .state = DUE_MISSED, .exit_code = -1 };

	ck_assert_str_eq(month_view_word(&missed), "MISSED");
	ck_assert_int_eq(month_view_tone(&missed), VERDICT_MISSED);
	ck_assert_str_eq(month_view_word(&met), "MET");
	ck_assert_int_eq(month_view_tone(&met), VERDICT_MET);
	ck_assert_str_eq(month_view_word(&ended), "done");
	ck_assert_int_eq(month_view_tone(&ended), VERDICT_INCONCLUSIVE);
	ck_assert_str_eq(month_view_word(&late), "missed");
	ck_assert_int_eq(month_view_tone(&late), VERDICT_MISSED);
}
END_TEST

START_TEST(test_schedule_shows_what_became_of_what_was_due)
{
	const struct due_row due = { .schedule = "weekly",
				     .nominal_wall_ns = 1000 * NS_PER_S,
				     .turn = 1,
				     .due_wall_ns = 1000 * NS_PER_S,
				     .latest_wall_ns = 1000 * NS_PER_S,
				     .state = DUE_SKIPPED,
				     .ended_wall_ns = 1000 * NS_PER_S,
				     .exit_code = -1,
				     .sentence = "frozen: <holiday>" };
	bool is_new = false;

	struct due_row mark = due;

	mark.turn = -1;
	mark.nominal_wall_ns = mark.due_wall_ns = 2000 * NS_PER_S;
	mark.sentence = "first seen";
	ck_assert(store_due_put(serve_case.store, &due, &is_new, &serve_case.e));
	ck_assert(store_due_put(serve_case.store, &mark, &is_new, &serve_case.e));
	serve_case_get("/schedule?month=1970-01");
	assert_silent_about("first seen");
	assert_silent_about("00:33 weekly");
	assert_says("<li class=\"was\">00:16 weekly <span>");
	assert_says(" skipped</span></li>");
	assert_says("frozen: &lt;holiday&gt;");
}
END_TEST

/* ---- actions ---- */

START_TEST(test_run_puts_a_due_row_for_a_worker_and_leaves_the_mark_alone)
{
	struct due_row mark;
	bool is_there = true;

	serve_browser_sign_in(ANNA);
	serve_browser_get(arena_format(&serve_case.arena, "/actions/run?on=%s", try.schedule.name));
	assert_says("process.pause, ");
	assert_says("What stands in its way now:");
	serve_browser_submit("run", arena_format(&serve_case.arena, "&on=%s&reason=before+the+audit",
						 try.schedule.name));
	assert_says("HTTP/1.1 303 ");

	const struct due_row *due = only_due();

	ck_assert_int_eq(due->state, DUE_WAITS);
	ck_assert_str_eq(due->schedule, arena_format(&serve_case.arena, "%s by hand", try.schedule.name));
	ck_assert_int_eq(due->latest_wall_ns - due->due_wall_ns, 300 * NS_PER_S);
	ck_assert(store_due_newest(serve_case.store, try.schedule.name, &serve_case.arena, &is_there, &mark,
				   &serve_case.e));
	ck_assert(!is_there);
	serve_browser_submit("run", "&on=nobody&reason=x");
	ck_assert_str_eq(serve_browser_audit(),
			 arena_format(&serve_case.arena, "anna run nobody refused; anna run %s done; "
				      "anna sign-in - done", try.schedule.name));
}
END_TEST

static void approve_as(const char *token)
{
	struct text digest = { 0 };

	serve_browser_sign_in(token);
	serve_browser_get(arena_format(&serve_case.arena, "/actions/approve?on=%s", try.schedule.name));
	serve_browser_take("name=\"digest\" value=\"", "\"", &digest);
	serve_browser_submit("approve", arena_format(&serve_case.arena, "&on=%s&digest=%s", try.schedule.name,
						     text_str(&digest)));
	assert_says("HTTP/1.1 303 ");
	text_release(&digest);
}

START_TEST(test_approve_takes_two_different_people)
{
	approve_as(ANNA);
	approve_as(ANNA);
	serve_browser_get(arena_format(&serve_case.arena, "/actions/run?on=%s", try.schedule.name));
	assert_says("anna");
	assert_says("What stands in its way now:");
	approve_as(BEN);
	serve_browser_get(arena_format(&serve_case.arena, "/actions/run?on=%s", try.schedule.name));
	assert_silent_about("What stands in its way now:");
}
END_TEST

START_TEST(test_approve_of_what_was_not_shown_is_refused)
{
	struct text digest = { 0 };
	struct approval_row *rows;
	size_t count;

	serve_browser_sign_in(ANNA);
	serve_browser_get(arena_format(&serve_case.arena, "/actions/approve?on=%s", try.schedule.name));
	serve_browser_take("name=\"digest\" value=\"", "\"", &digest);
	write_inventory("policy: { approvals: 2, environment: prod }\n");
	serve_browser_submit("approve", arena_format(&serve_case.arena, "&on=%s&digest=%s", try.schedule.name,
						     text_str(&digest)));
	serve_browser_get("/audit");
	assert_says("is not the one that was shown");
	serve_browser_submit("approve", arena_format(&serve_case.arena, "&on=%s", try.schedule.name));
	ck_assert(store_approvals(serve_case.store, NULL, &serve_case.arena, &rows, &count, &serve_case.e));
	ck_assert_uint_eq(count, 0);
	text_release(&digest);
}
END_TEST

START_TEST(test_approve_where_the_policy_wants_nobody_is_refused)
{
	write_inventory("");
	serve_browser_sign_in(ANNA);
	serve_browser_get(arena_format(&serve_case.arena, "/actions/approve?on=%s", try.schedule.name));
	assert_says("asks for no approvals");
}
END_TEST

START_TEST(test_run_of_documents_that_are_wrong_says_what_is_wrong)
{
	serve_browser_sign_in(ANNA);
	write_file(drill, "title: [\n");
	serve_browser_submit("run", arena_format(&serve_case.arena, "&on=%s&reason=x", try.schedule.name));
	serve_browser_get("/audit");
	assert_says("drill.yaml:");
	assert_says("refused");
}
END_TEST

void suite_serve_schedule(Suite *suite)
{
	TCase *tests = tcase_create("serve_schedule");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_schedule_shows_what_comes_next_and_who_paused_it);
	tcase_add_test(tests, test_schedule_of_a_page_without_files_says_how_to_give_them);
	tcase_add_test(tests, test_schedule_calendar_has_each_day_of_a_month_with_what_comes);
	tcase_add_test(tests, test_schedule_calendar_says_when_there_is_more_than_it_shows);
	tcase_add_test(tests, test_schedule_tells_how_a_run_ended_that_was_due);
	tcase_add_test(tests, test_schedule_shows_what_became_of_what_was_due);
	tcase_add_test(tests, test_run_puts_a_due_row_for_a_worker_and_leaves_the_mark_alone);
	tcase_add_test(tests, test_approve_takes_two_different_people);
	tcase_add_test(tests, test_approve_of_what_was_not_shown_is_refused);
	tcase_add_test(tests, test_approve_where_the_policy_wants_nobody_is_refused);
	tcase_add_test(tests, test_run_of_documents_that_are_wrong_says_what_is_wrong);
	suite_add_tcase(suite, tests);
}
