/*
 * test_outbox.c - messages as files: for one process at a time, whole or not at all, private, and never too
 * many; what the rules put there. No server.
 */
#include "base/file.h"
#include "base/limits.h"
#include "fixtures/happenings.h"
#include "fixtures/temp_dir.h"
#include "notify/notify.h"
#include "tests/suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena arena;
static char *folder;
static struct err e;

static void setup(void)
{
	arena = (struct arena){ 0 };
	e = (struct err){ 0 };
	folder = temp_dir_make();
	ck_assert_int_eq(setenv("TOKEN", "glsa_a-token", 1), 0);
}

static void teardown(void)
{
	temp_dir_remove(folder);
	arena_release(&arena);
}

static struct message message_of(const char *id)
{
	return (struct message){
		.id = id,
		.channel = "team",
		.inventory = "/srv/inventory.yaml",
		.created_wall_ns = INT64_C(1795255200000000001),
		.due_wall_ns = INT64_C(1795255200000000002),
		.attempt_count = 3,
		.error = "the server answered 503",
		.happening = happening_missed(),
		.report = "<p>report</p>",
	};
}

static bool put(const char *id)
{
	const struct message message = message_of(id);

	return outbox_put(folder, &message, &e);
}

static size_t list(enum outbox_part part, size_t *ret_broken_count)
{
	struct message *messages = NULL;
	size_t count = 0;

	ck_assert_msg(outbox_list(folder, part, &arena, &messages, &count, ret_broken_count, &e), "%s",
		      e.text);
	return count;
}

static size_t count_in(enum outbox_part part)
{
	size_t broken_count = 0;
	const size_t count = list(part, &broken_count);

	ck_assert_uint_eq(broken_count, 0);
	return count;
}

START_TEST(test_outbox_claim_gives_back_what_was_put)
{
	struct message message;
	struct claim *claim;

	ck_assert(put("run.missed.team"));
	claim = outbox_claim(folder, "run.missed.team", &arena, &message);
	ck_assert_ptr_nonnull(claim);
	ck_assert_str_eq(message.channel, "team");
	ck_assert_str_eq(message.inventory, "/srv/inventory.yaml");
	ck_assert_int_eq(message.created_wall_ns, INT64_C(1795255200000000001));
	ck_assert_int_eq(message.due_wall_ns, INT64_C(1795255200000000002));
	ck_assert_int_eq(message.attempt_count, 3);
	ck_assert_str_eq(message.error, "the server answered 503");
	ck_assert_str_eq(message.report, "<p>report</p>");
	ck_assert_str_eq(message.happening.title, "Kill the PostgreSQL primary");
	outbox_leave(claim);
}
END_TEST

START_TEST(test_outbox_claim_is_for_one)
{
	struct message message;
	struct claim *claim;

	ck_assert(put("a"));
	claim = outbox_claim(folder, "a", &arena, &message);
	ck_assert_ptr_nonnull(claim);
	ck_assert_ptr_null(outbox_claim(folder, "a", &arena, &message));
	outbox_leave(claim);
	claim = outbox_claim(folder, "a", &arena, &message);
	ck_assert_ptr_nonnull(claim);
	ck_assert(outbox_remove(claim, &e));
	outbox_leave(claim);
	ck_assert_ptr_null(outbox_claim(folder, "a", &arena, &message));
	ck_assert_ptr_null(outbox_claim(folder, "../a", &arena, &message));
	outbox_leave(NULL);
}
END_TEST

START_TEST(test_outbox_bury_moves_it_to_the_dead_letters)
{
	struct message message;
	struct claim *claim;

	ck_assert(put("a"));
	claim = outbox_claim(folder, "a", &arena, &message);
	ck_assert(outbox_bury(claim, &message, &e));
	outbox_leave(claim);
	ck_assert_uint_eq(count_in(OUTBOX_WAITING), 0);
	ck_assert_uint_eq(count_in(OUTBOX_DEAD), 1);
}
END_TEST

/* Nobody looks at letters for ever: the oldest make room. */
START_TEST(test_outbox_bury_keeps_a_bounded_number)
{
	struct message message;
	struct claim *claim;

	ck_assert(put("a"));
	claim = outbox_claim(folder, "a", &arena, &message);
	ck_assert(outbox_bury(claim, &message, &e));
	outbox_leave(claim);
	for (int i = 0; i < LIMIT_MESSAGES; i++) {
		const char *path = arena_format(&arena, "%s/dead/m%d.json", folder, i);

		ck_assert_int_eq(link(arena_format(&arena, "%s/dead/a.json", folder), path), 0);
	}
	ck_assert(put("b"));
	claim = outbox_claim(folder, "b", &arena, &message);
	ck_assert(outbox_bury(claim, &message, &e));
	outbox_leave(claim);
	ck_assert_int_ne(access(arena_format(&arena, "%s/dead/a.json", folder), F_OK), 0);
	ck_assert_int_eq(access(arena_format(&arena, "%s/dead/b.json", folder), F_OK), 0);
}
END_TEST

START_TEST(test_outbox_put_same_message_again_replaces_it)
{
	ck_assert(put("a"));
	ck_assert(put("a"));
	ck_assert_uint_eq(count_in(OUTBOX_WAITING), 1);
}
END_TEST

START_TEST(test_outbox_put_full_outbox_is_said)
{
	for (int i = 0; i < LIMIT_MESSAGES; i++) {
		const char *path = arena_format(&arena, "%s/m%d.json", folder, i);

		ck_assert_int_eq(mknod(path, S_IFREG | 0600, 0), 0);
	}
	ck_assert(!put("a"));
	ck_assert_int_eq(e.kind, ERR_LIMIT);
	ck_assert_ptr_nonnull(strstr(e.text, "1000 messages are waiting"));
}
END_TEST

START_TEST(test_outbox_put_folder_that_cannot_be_made_is_said)
{
	const struct message message = message_of("a");

	ck_assert(!outbox_put("/proc/nowhere/outbox", &message, &e));
	ck_assert_int_eq(e.kind, ERR_LIMIT);
	ck_assert_ptr_nonnull(strstr(e.text, "/proc/nowhere"));
}
END_TEST

START_TEST(test_outbox_list_damaged_files_are_counted_and_passed_over)
{
	static const char other_place[] = "{\"format\":1,\"id\":\"../x\",\"channel\":\"c\","
					  "\"inventory\":\"i\",\"happening\":5}";
	static const char *const damaged[] = { "", "{", "[]", "{}", "{\"format\":1}", other_place };
	struct message message;
	size_t broken_count = 0;

	for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++)
		ck_assert(file_write(arena_format(&arena, "%s/m%zu.json", folder, i), damaged[i],
				     strlen(damaged[i]), NULL));
	ck_assert(put("a"));
	ck_assert_uint_eq(list(OUTBOX_WAITING, &broken_count), 1);
	ck_assert_uint_eq(broken_count, 6);
	ck_assert_ptr_null(outbox_claim(folder, "m1", &arena, &message));
}
END_TEST

START_TEST(test_outbox_list_no_folder_is_no_message)
{
	const char *gone = arena_format(&arena, "%s/gone", folder);
	struct message *messages = NULL;
	size_t count = 7;
	size_t broken_count = 7;

	ck_assert(outbox_list(gone, OUTBOX_WAITING, &arena, &messages, &count, &broken_count, &e));
	ck_assert_uint_eq(count + broken_count, 0);
}
END_TEST

START_TEST(test_outbox_files_are_private)
{
	struct stat info;

	(void)umask(0);
	ck_assert(put("a"));
	ck_assert_int_eq(stat(arena_format(&arena, "%s/a.json", folder), &info), 0);
	ck_assert_int_eq(info.st_mode & 0777, 0600);
}
END_TEST

START_TEST(test_outbox_drop_and_revive_want_a_dead_letter)
{
	static const char *const names[] = { "a", "../a", "", ".", "a/b" };

	ck_assert(put("a")); /* it waits, and is not dead */
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		ck_assert(!outbox_drop(folder, names[i], &e));
		ck_assert_int_eq(e.kind, ERR_INPUT);
		ck_assert(!outbox_revive(folder, names[i], 0, &e));
		ck_assert_int_eq(e.kind, ERR_INPUT);
	}
	ck_assert_uint_eq(count_in(OUTBOX_WAITING), 1);
	outbox_forget(folder, "a");
	ck_assert_uint_eq(count_in(OUTBOX_WAITING), 0);
}
END_TEST

/* Each harm is a region of its own; an escalation tells that something happened, and is a point. */
START_TEST(test_notify_post_tells_a_channel_of_annotations_each_harm_by_itself)
{
	static const struct told_harm harms[] = { { "disk.fill", "db1", 1, 2, true },
						  { "net.delay", "db2", 3, 4, true } };
	const struct clock clock = clock_system();
	struct secrets secrets = { 0 };
	const struct notifier notifier = {
		.notify = notify_of("notify: { channels: { g: { kind: grafana, url: 'http://g', "
				    "token: '${env:TOKEN}' } }, rules: [{ on: [end], channels: [g], "
				    "escalate: [{ after: 5m, channels: [g] }] }] }\n",
				    &arena, &secrets),
		.inventory = "/srv/inventory.yaml",
		.folder = folder,
		.secrets = &secrets,
		.clock = &clock,
	};
	struct happening happening = happening_missed();
	struct message *messages = NULL;
	size_t count = 0;
	size_t broken_count = 0;

	happening.harms = harms;
	happening.harm_count = 2;
	ck_assert_msg(notify_post(&notifier, &happening, NULL, &count, &e), "%s", e.text);
	ck_assert(outbox_list(folder, OUTBOX_WAITING, &arena, &messages, &count, &broken_count, &e));
	ck_assert_uint_eq(count, 3);
	ck_assert_str_eq(messages[0].id, "20261121-100000-k3f9.missed.g.h1");
	ck_assert_uint_eq(messages[0].happening.harm_count, 1);
	ck_assert_str_eq(messages[0].happening.harms[0].fault, "disk.fill");
	ck_assert_int_eq(messages[1].happening.harms[0].from_wall_ns, 3);
	ck_assert_int_eq(messages[1].happening.harms[0].until_wall_ns, 4);
	ck_assert_uint_eq(messages[2].happening.harm_count, 2);
	secrets_release(&secrets);
}
END_TEST

void suite_outbox(Suite *suite)
{
	TCase *tcase = tcase_create("outbox");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_outbox_claim_gives_back_what_was_put);
	tcase_add_test(tcase, test_outbox_claim_is_for_one);
	tcase_add_test(tcase, test_outbox_bury_moves_it_to_the_dead_letters);
	tcase_add_test(tcase, test_outbox_bury_keeps_a_bounded_number);
	tcase_add_test(tcase, test_outbox_put_same_message_again_replaces_it);
	tcase_add_test(tcase, test_outbox_put_full_outbox_is_said);
	tcase_add_test(tcase, test_outbox_put_folder_that_cannot_be_made_is_said);
	tcase_add_test(tcase, test_outbox_list_damaged_files_are_counted_and_passed_over);
	tcase_add_test(tcase, test_outbox_list_no_folder_is_no_message);
	tcase_add_test(tcase, test_outbox_files_are_private);
	tcase_add_test(tcase, test_outbox_drop_and_revive_want_a_dead_letter);
	tcase_add_test(tcase, test_notify_post_tells_a_channel_of_annotations_each_harm_by_itself);
	suite_add_tcase(suite, tcase);
}
