/*
 * test_notify_deliver.c - messages into the outbox and out of it, against a server that writes down what
 * it is asked: retries, final answers, crashes between the two, escalations, and what is kept of secrets.
 */
#include "fixtures/happenings.h"
#include "fixtures/post_office.h"
#include "fixtures/run_tool.h"
#include "fixtures/sim_clock.h"
#include "fixtures/temp_dir.h"
#include "notify/notify.h"
#include "tests/suites.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char hook_path[] = "/services/T0123/B4567/qzhookqzhookqzhookqz";
static const char hook_key[] = "qzkeyqz of the hook";

static struct arena arena;
static struct secrets secrets;
static struct daemon server;
static bool has_server;
static char *folder;
static struct sim_clock *sim;
static struct clock clock;
static const struct notify *notify;
static struct delivered delivered;
static struct err e;

static void set_url(const char *name, uint16_t port)
{
	ck_assert_int_eq(setenv(name, arena_format(&arena, "http://127.0.0.1:%u%s", port, hook_path),
				1), 0);
}

static void use_rules(const char *rules)
{
	notify = notify_of(arena_format(&arena,
					"notify:\n"
					"  channels:\n"
					"    team: { kind: slack, url: ${env:HOOK} }\n"
					"    hook: { kind: webhook, url: ${env:HOOK}, key: ${env:KEY} }\n"
					"    gone: { kind: slack, url: ${env:NOWHERE} }\n"
					"    pager: { kind: pagerduty, routing_key: ${env:KEY}, "
					"url: '${env:HOOK}' }\n"
					"    graphs: { kind: grafana, url: '${env:HOOK}', "
					"token: '${env:TOKEN}' }\n"
					"  rules:\n%s", rules),
			   &arena, &secrets);
}

/* One server for all tests. */
static void open_server(void)
{
	has_server = recorder_open(&server);
}

static void close_server(void)
{
	if (has_server)
		daemon_close(&server);
}

static void setup(void)
{
	arena = (struct arena){ 0 };
	secrets = (struct secrets){ 0 };
	e = (struct err){ 0 };
	if (has_server)
		post_office_clear(&server, "request");
	folder = temp_dir_make();
	sim = sim_clock_open();
	clock = sim_clock_as_clock(sim);
	set_url("HOOK", has_server ? server.port : 1);
	set_url("NOWHERE", 1);
	ck_assert_int_eq(setenv("KEY", hook_key, 1), 0);
	ck_assert_int_eq(setenv("TOKEN", "glsa_qztokenqz", 1), 0);
	use_rules("    - { on: [missed], channels: [hook] }\n");
}

static void teardown(void)
{
	sim_clock_close(sim);
	temp_dir_remove(folder);
	arena_release(&arena);
	secrets_release(&secrets);
}

static bool find(void *ctx, const char *inventory, const char *channel,
		 const struct channel_spec **ret_channel, struct err *why)
{
	(void)ctx;
	ck_assert_str_eq(inventory, "/srv/inventory.yaml");
	*ret_channel = notify_channel(notify, channel);
	return *ret_channel != NULL || err_set(why, ERR_INPUT, "no such channel any more");
}

static size_t post(const struct happening *happening)
{
	const struct notifier notifier = { notify, "/srv/inventory.yaml", folder, &secrets, &clock };
	struct happening now = *happening;
	size_t count = 0;

	now.wall_ns = clock_wall_ns(&clock);
	ck_assert_msg(notify_post(&notifier, &now, "<p>report</p>", &count, &e), "%s", e.text);
	return count;
}

static size_t post_missed(void)
{
	const struct happening happening = happening_missed();

	return post(&happening);
}

static void deliver_with(bool waits, int64_t patience_ns)
{
	const struct delivery delivery = {
		.folder = folder,
		.clock = &clock,
		.deadline_ns = clock_now_ns(&clock) + patience_ns,
		.waits = waits,
		.secrets = &secrets,
		.find = find,
	};

	notify_deliver(&delivery, &delivered);
}

static void deliver(void)
{
	deliver_with(false, 60 * NS_PER_S);
}

static struct message *list(enum outbox_part part, size_t *ret_count)
{
	struct message *messages = NULL;
	size_t broken_count = 0;

	ck_assert_msg(outbox_list(folder, part, &arena, &messages, ret_count, &broken_count, &e), "%s",
		      e.text);
	ck_assert_uint_eq(broken_count, 0);
	return messages;
}

static size_t count_in(enum outbox_part part)
{
	size_t count = 0;

	(void)list(part, &count);
	return count;
}

static const char *request(size_t number)
{
	struct text bytes = { 0 };
	const char *copy;

	post_office_read(&server, "request", number, &bytes);
	copy = arena_copy(&arena, text_str(&bytes));
	text_release(&bytes);
	return copy;
}

static size_t request_count(void)
{
	return post_office_count(&server, "request");
}

/* The value of a header of request N. */
static const char *header(size_t number, const char *name)
{
	const char *line = strstr(request(number), arena_format(&arena, "\n%s: ", name));

	ck_assert_msg(line != NULL, "request %zu has no %s", number, name);
	line += strlen(name) + 3;
	return arena_copy_bytes(&arena, line, strcspn(line, "\r\n"));
}

START_TEST(test_notify_deliver_sends_once_and_forgets)
{
	if (!has_server)
		return;
	ck_assert_uint_eq(post_missed(), 1);
	ck_assert_uint_eq(count_in(OUTBOX_WAITING), 1);
	ck_assert_uint_eq(request_count(), 0);
	deliver();
	deliver();
	ck_assert_uint_eq(request_count(), 1);
	ck_assert_uint_eq(count_in(OUTBOX_WAITING), 0);
	ck_assert_ptr_nonnull(strstr(request(1), arena_format(&arena, "POST %s HTTP/1.1", hook_path)));
	ck_assert_str_eq(header(1, "Idempotency-Key"), "20261121-100000-k3f9.missed.hook");
	ck_assert_str_eq(header(1, "Firedrill-Event"), "missed");
}
END_TEST

/* A receiver that is not ours agrees with the signature. */
START_TEST(test_notify_deliver_signature_is_what_the_documents_say)
{
	static const char check[] =
		"import hashlib, hmac, sys\n"
		"head, body = open(sys.argv[1], 'rb').read().split(b'\\n\\n', 1)\n"
		"lines = dict(l.split(': ', 1) for l in head.decode().splitlines()[1:])\n"
		"text = lines['Firedrill-Timestamp'].encode() + b'.' + body\n"
		"wanted = 'v1=' + hmac.new(sys.argv[2].encode(), text, hashlib.sha256).hexdigest()\n"
		"sys.exit(0 if hmac.compare_digest(wanted, lines['Firedrill-Signature']) else 1)\n";
	struct text said = { 0 };

	if (!has_server)
		return;
	(void)post_missed();
	deliver();

	const char *path = arena_format(&arena, "%s/request-1", server.folder);
	const char *const right[] = { "python3", "-c", check, path, hook_key, NULL };
	const char *const wrong[] = { "python3", "-c", check, path, "another key", NULL };

	ck_assert_msg(tool_run(right, &said) == 0, "%s", text_str(&said));
	ck_assert_int_eq(tool_run(wrong, &said), 1);
	text_release(&said);
}
END_TEST

START_TEST(test_notify_deliver_tries_again_until_it_is_taken)
{
	if (!has_server)
		return;
	recorder_answer(&server, "503\n500 oops\n200\n");
	(void)post_missed();
	deliver();
	ck_assert_uint_eq(delivered.waiting_count, 1);
	ck_assert_str_eq(delivered.first.text, "channel `hook`: the server answered 503");
	deliver(); /* not due yet */
	ck_assert_uint_eq(request_count(), 1);
	sim_clock_advance(sim, 2 * NS_PER_S);
	deliver();
	sim_clock_advance(sim, 6 * NS_PER_S);
	deliver();
	ck_assert_uint_eq(request_count(), 3);
	ck_assert_uint_eq(count_in(OUTBOX_WAITING), 0);
	ck_assert_str_eq(header(1, "Idempotency-Key"), header(3, "Idempotency-Key"));
	/* The signature is of the attempt, so that an old one cannot be sent again. */
	ck_assert_str_ne(header(1, "Firedrill-Timestamp"), header(3, "Firedrill-Timestamp"));
	ck_assert_str_ne(header(1, "Firedrill-Signature"), header(3, "Firedrill-Signature"));
}
END_TEST

START_TEST(test_notify_deliver_waits_for_retries_as_long_as_it_may)
{
	if (!has_server)
		return;
	recorder_answer(&server, "503\n503\n200\n");
	(void)post_missed();
	deliver_with(true, 10 * NS_PER_S);
	ck_assert_uint_eq(delivered.sent_count, 1);
	ck_assert_uint_eq(delivered.waiting_count, 0);
	ck_assert_uint_eq(request_count(), 3);
}
END_TEST

START_TEST(test_notify_deliver_gives_up_waiting_at_its_deadline)
{
	const int64_t begun_ns = sim_clock_now_ns(sim);

	if (!has_server)
		return;
	recorder_answer(&server, "503\n");
	(void)post_missed();
	deliver_with(true, 10 * NS_PER_S);
	ck_assert_uint_eq(delivered.waiting_count, 1);
	ck_assert_int_le(sim_clock_now_ns(sim) - begun_ns, 10 * NS_PER_S);
	ck_assert_uint_eq(request_count(), 3); /* after 0, about 1 and about 5 s; the next is too late */
}
END_TEST

START_TEST(test_notify_deliver_respects_retry_after)
{
	size_t count = 0;

	if (!has_server)
		return;
	recorder_answer(&server, "429 [Retry-After: 120] slow down\n200\n");
	(void)post_missed();
	deliver();
	ck_assert_str_eq(delivered.first.text, "channel `hook`: the server answered 429: slow down");
	ck_assert_int_eq(list(OUTBOX_WAITING, &count)[0].due_wall_ns,
			 clock_wall_ns(&clock) + 120 * NS_PER_S);
	sim_clock_advance(sim, 119 * NS_PER_S);
	deliver();
	ck_assert_uint_eq(request_count(), 1);
	sim_clock_advance(sim, 1 * NS_PER_S);
	deliver();
	ck_assert_uint_eq(request_count(), 2);
}
END_TEST

static const struct {
	const char *answer;
	bool is_final;
} answers[] = {
	{ "400 invalid_payload\n", true }, { "404 no_service\n", true }, { "410\n", true },
	{ "302 [Location: /x]\n", true },  { "408\n", false },		 { "429\n", false },
	{ "500\n", false },		   { "503\n", false },		 { "502\n", false },
};

START_TEST(test_notify_deliver_a_final_no_is_a_dead_letter_at_once)
{
	if (!has_server)
		return;
	recorder_answer(&server, answers[_i].answer);
	(void)post_missed();
	deliver();
	ck_assert_uint_eq(count_in(OUTBOX_DEAD), answers[_i].is_final ? 1 : 0);
	ck_assert_uint_eq(count_in(OUTBOX_WAITING), answers[_i].is_final ? 0 : 1);
	ck_assert_uint_eq(delivered.dead_count, answers[_i].is_final ? 1 : 0);
}
END_TEST

START_TEST(test_notify_deliver_is_dead_after_a_day_of_trying)
{
	use_rules("    - { on: [missed], channels: [gone] }\n");
	(void)post_missed();
	for (int hour = 0; hour < 30 && count_in(OUTBOX_WAITING) > 0; hour++) {
		deliver();
		sim_clock_advance(sim, 3600 * NS_PER_S);
	}
	ck_assert_uint_eq(count_in(OUTBOX_WAITING), 0);
	ck_assert_uint_eq(count_in(OUTBOX_DEAD), 1);
}
END_TEST

START_TEST(test_outbox_revive_dead_letter_is_sent_and_drop_throws_it_away)
{
	size_t count = 0;
	const char *id;

	if (!has_server)
		return;
	recorder_answer(&server, "404\n404\n200\n");
	(void)post_missed();
	deliver();
	id = list(OUTBOX_DEAD, &count)[0].id;
	ck_assert_msg(outbox_revive(folder, id, clock_wall_ns(&clock), &e), "%s", e.text);
	ck_assert_uint_eq(count_in(OUTBOX_DEAD), 0);
	deliver();
	ck_assert_uint_eq(count_in(OUTBOX_DEAD), 1);
	ck_assert(outbox_revive(folder, id, clock_wall_ns(&clock), &e));
	deliver();
	ck_assert_uint_eq(delivered.sent_count, 1);
	ck_assert(!outbox_drop(folder, id, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	ck_assert(!outbox_drop(folder, "../../etc/passwd", &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	ck_assert(!outbox_revive(folder, "", 0, &e));
}
END_TEST

/* A channel that hangs or is gone keeps the others neither from being told nor waiting for each other. */
START_TEST(test_notify_deliver_one_dead_channel_does_not_stop_the_others)
{
	if (!has_server)
		return;
	use_rules("    - { on: [missed], channels: [gone, hook, team] }\n");
	ck_assert_uint_eq(post_missed(), 3);
	deliver();
	ck_assert_uint_eq(delivered.sent_count, 2);
	ck_assert_uint_eq(delivered.waiting_count, 1);
	ck_assert_ptr_nonnull(strstr(delivered.first.text, "channel `gone`"));
}
END_TEST

START_TEST(test_notify_deliver_server_that_hangs_costs_its_timeout)
{
	const struct clock real = clock_system();
	const int64_t begun_ns = clock_now_ns(&real);

	if (!has_server)
		return;
	notify = notify_of("notify: { channels: { slow: { kind: slack, url: '${env:HOOK}', timeout: 200ms } }, "
			   "rules: [{ on: [missed], channels: [slow] }] }\n", &arena, &secrets);
	recorder_answer(&server, "hang\n");
	(void)post_missed();
	deliver();
	ck_assert_uint_eq(delivered.waiting_count, 1);
	ck_assert_int_eq(delivered.first.kind, ERR_DEADLINE);
	ck_assert_int_lt(clock_now_ns(&real) - begun_ns, 3 * NS_PER_S);
}
END_TEST

START_TEST(test_notify_deliver_channel_that_is_gone_from_the_inventory_waits)
{
	(void)post_missed();
	use_rules("    - { on: [missed], channels: [team] }\n");
	notify = notify_of("notify: { channels: { x: { kind: slack, url: '${env:HOOK}' } }, rules: "
			   "[{ on: [end], channels: [x] }] }\n", &arena, &secrets);
	deliver();
	ck_assert_uint_eq(delivered.waiting_count, 1);
	ck_assert_str_eq(delivered.first.text, "channel `hook`: no such channel any more");
}
END_TEST

/* ---- crashes ---- */

/* In a child that is killed: between the outbox and the first attempt, or while the server has it. */
static void in_a_child_that_is_killed(void (*act)(void), size_t wanted_requests)
{
	const pid_t pid = fork();
	int status;

	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		act();
		(void)raise(SIGKILL);
	}
	if (wanted_requests > 0) {
		ck_assert(post_office_wait(&server, "request", wanted_requests));
		(void)kill(pid, SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void post_only(void)
{
	(void)post_missed();
}

static void post_and_deliver(void)
{
	(void)post_missed();
	deliver();
}

START_TEST(test_notify_deliver_killed_before_the_attempt_is_delivered_once)
{
	if (!has_server)
		return;
	in_a_child_that_is_killed(post_only, 0);
	ck_assert_uint_eq(count_in(OUTBOX_WAITING), 1);
	deliver();
	deliver();
	ck_assert_uint_eq(request_count(), 1);
}
END_TEST

/* Whether the server has taken it nobody knows: it comes once more, and can be told by its key. */
START_TEST(test_notify_deliver_killed_during_the_attempt_comes_once_more_with_the_same_key)
{
	if (!has_server)
		return;
	recorder_answer(&server, "hang\n200\n");
	in_a_child_that_is_killed(post_and_deliver, 1);
	ck_assert_uint_eq(count_in(OUTBOX_WAITING), 1);
	deliver();
	deliver();
	ck_assert_uint_eq(request_count(), 2);
	ck_assert_str_eq(header(1, "Idempotency-Key"), header(2, "Idempotency-Key"));
}
END_TEST

/* ---- escalation ---- */

START_TEST(test_notify_deliver_escalates_until_somebody_acknowledges)
{
	size_t count = 0;

	if (!has_server)
		return;
	use_rules("    - { on: [missed], channels: [team], escalate: [{ after: 5m, channels: [hook] }, "
		  "{ after: 15m, channels: [hook, pager] }] }\n");
	ck_assert_uint_eq(post_missed(), 4);
	deliver();
	ck_assert_uint_eq(request_count(), 1);
	ck_assert_uint_eq(delivered.waiting_count, 0); /* what is not due is not late */
	sim_clock_advance(sim, 299 * NS_PER_S);
	deliver();
	ck_assert_uint_eq(request_count(), 1);
	sim_clock_advance(sim, 1 * NS_PER_S);
	deliver();
	ck_assert_uint_eq(request_count(), 2);
	ck_assert_ptr_nonnull(strstr(request(2), "\"after_ns\":300000000000"));
	ck_assert_str_eq(header(2, "Idempotency-Key"), "20261121-100000-k3f9.missed.hook.300s");
	ck_assert(notify_end_escalations(folder, "another-run", &count, &e));
	ck_assert_uint_eq(count, 0);
	ck_assert(notify_end_escalations(folder, "20261121-100000-k3f9", &count, &e));
	ck_assert_uint_eq(count, 2);
	sim_clock_advance(sim, 3600 * NS_PER_S);
	deliver();
	ck_assert_uint_eq(request_count(), 2);
}
END_TEST

START_TEST(test_notify_post_missed_run_tells_what_was_due_and_escalates)
{
	struct notifier notifier = { NULL, "/srv/inventory.yaml", folder, &secrets, &clock };
	const struct missed_run missed = {
		.schedule = "weekly: a b/../c", .title = "Kill the primary", .service = "orders-db",
		.tier = 1, .due_wall_ns = clock_wall_ns(&clock) - 600 * NS_PER_S, .count = 2,
		.why = "nobody was there",
	};
	size_t count = 0;

	if (!has_server)
		return;
	use_rules("    - { on: [missed_schedule], channels: [hook], tiers: [1], "
		  "escalate: [{ after: 5m, channels: [pager] }] }\n");
	notifier.notify = notify;
	ck_assert_msg(notify_post_missed(&notifier, &missed, &count, &e), "%s", e.text);
	ck_assert_uint_eq(count, 2);
	deliver();
	ck_assert_uint_eq(request_count(), 1);
	ck_assert_str_eq(header(1, "Firedrill-Event"), "missed_schedule");
	ck_assert_ptr_nonnull(strstr(request(1), "was due at 2026-11-21T09:50Z and did not run: nobody was "
						 "there (2 in all were missed)."));
	ck_assert_ptr_nonnull(strstr(request(1), "\"run_id\":\"missed-weekly--a-b----c-1795254600\""));
	ck_assert(notify_end_escalations(folder, "missed-weekly--a-b----c-1795254600", &count, &e));
	ck_assert_uint_eq(count, 1);
}
END_TEST

/* ---- secrets ---- */

static void add_files(const char *path, struct text *all)
{
	const char *const argv[] = { "grep", "-r", "", path, NULL };

	(void)tool_run(argv, all);
}

/* The server tells back where it was asked, as real ones do, and the drill's own secret is in a title. */
START_TEST(test_notify_deliver_no_secret_of_a_channel_is_in_any_file_or_error)
{
	struct happening happening = happening_missed();
	struct text all = { 0 };

	if (!has_server)
		return;
	use_rules("    - { on: [missed], channels: [team, hook, gone, pager, graphs] }\n");
	secrets_register(&secrets, "qzdrillsecretqz");
	happening.sentence = "The password qzdrillsecretqz was refused.";
	recorder_answer(&server,
			arena_format(&arena, "404 no hook at %s\n503 no qzhookqzhookqzhookqz\n500 %s\n",
				     hook_path, hook_key));
	ck_assert_uint_eq(post(&happening), 5);
	add_files(folder, &all);
	ck_assert_uint_gt(all.length_bytes, 1000); /* grep has looked */
	deliver();
	add_files(folder, &all);
	text_add(&all, delivered.first.text);
	ck_assert_uint_eq(count_in(OUTBOX_DEAD), 1);
	ck_assert_msg(strstr(text_str(&all), "qz") == NULL, "%s", strstr(text_str(&all), "qz") - 80);
	ck_assert_ptr_nonnull(strstr(text_str(&all), "The password [secret] was refused."));
	text_release(&all);
}
END_TEST

void suite_notify_deliver(Suite *suite)
{
	TCase *tcase = tcase_create("notify_deliver");

	tcase_add_unchecked_fixture(tcase, open_server, close_server);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_notify_deliver_sends_once_and_forgets);
	tcase_add_test(tcase, test_notify_deliver_signature_is_what_the_documents_say);
	tcase_add_test(tcase, test_notify_deliver_tries_again_until_it_is_taken);
	tcase_add_test(tcase, test_notify_deliver_waits_for_retries_as_long_as_it_may);
	tcase_add_test(tcase, test_notify_deliver_gives_up_waiting_at_its_deadline);
	tcase_add_test(tcase, test_notify_deliver_respects_retry_after);
	tcase_add_loop_test(tcase, test_notify_deliver_a_final_no_is_a_dead_letter_at_once, 0,
			    (int)(sizeof answers / sizeof answers[0]));
	tcase_add_test(tcase, test_notify_deliver_is_dead_after_a_day_of_trying);
	tcase_add_test(tcase, test_outbox_revive_dead_letter_is_sent_and_drop_throws_it_away);
	tcase_add_test(tcase, test_notify_deliver_one_dead_channel_does_not_stop_the_others);
	tcase_add_test(tcase, test_notify_deliver_server_that_hangs_costs_its_timeout);
	tcase_add_test(tcase, test_notify_deliver_channel_that_is_gone_from_the_inventory_waits);
	tcase_add_test(tcase, test_notify_deliver_killed_before_the_attempt_is_delivered_once);
	tcase_add_test(tcase,
		       test_notify_deliver_killed_during_the_attempt_comes_once_more_with_the_same_key);
	tcase_add_test(tcase, test_notify_deliver_escalates_until_somebody_acknowledges);
	tcase_add_test(tcase, test_notify_post_missed_run_tells_what_was_due_and_escalates);
	tcase_add_test(tcase, test_notify_deliver_no_secret_of_a_channel_is_in_any_file_or_error);
	suite_add_tcase(suite, tcase);
}
