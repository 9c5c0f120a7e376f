/*
 * test_bundle_forged.c - bundles that somebody has put together on purpose: every hash of the archive
 * fits, and still nothing passes for what it is not. Never a crash, never memory for what is only claimed.
 */
#include "base/random.h"
#include "fixtures/evidence_run.h"
#include "fixtures/temp_dir.h"
#include "store/bundle.h"
#include "store/bundle_file.h"
#include "store/bundle_tar.h"
#include "store/store.h"
#include "tests/suites.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *dir;
static struct text store_path;
static struct text path; /* of the bundle */
static struct store *store;
static struct arena arena;
static struct err e;

static void setup(void)
{
	dir = temp_dir_make();
	text_addf(&store_path, "%s/firedrill/firedrill.db", dir);
	text_addf(&path, "%s/run.tar", dir);
	ck_assert_msg(store_open(text_str(&store_path), NULL, &store, &e), "%s", e.text);
}

static void teardown(void)
{
	store_close(store);
	store = NULL;
	text_release(&store_path);
	text_release(&path);
	arena_release(&arena);
	temp_dir_remove(dir);
}

static bool export_to(const char *file)
{
	static const struct bundle_extra reports[] = { { "report.txt", "MISSED\n", 7 },
						       { "report.md", "", 0 } };
	const struct bundle_request request = {
		.run_id = evidence_run_id, .exporter = "9", .reports = reports, .report_count = 2, .path = file
	};

	return bundle_export(store, &request, &e);
}

static char *read_file(const char *file, size_t *ret_bytes)
{
	FILE *stream = fopen(file, "r");
	struct stat found;
	char *bytes;

	ck_assert_ptr_nonnull(stream);
	ck_assert_int_eq(fstat(fileno(stream), &found), 0);
	bytes = arena_alloc(&arena, (size_t)found.st_size + 1);
	*ret_bytes = fread(bytes, 1, (size_t)found.st_size, stream);
	ck_assert_int_eq(fclose(stream), 0);
	return bytes;
}

/* Opens and reads all of it; true when nothing was found. */
static bool verifies(void)
{
	struct store *bundle = NULL;
	struct arena scratch = { 0 };
	struct timeline timeline;
	bool ok;

	err_clear(&e);
	ok = bundle_store_open(text_str(&path), &bundle, &e) &&
	     store_timeline(bundle, evidence_run_id, &scratch, &timeline, &e);
	store_close(bundle);
	arena_release(&scratch);
	return ok;
}

/* ---- forged with hashes that fit ---- */

struct forged {
	const char *name;
	const char *bytes;
	size_t length;
};

enum { FORGED_MAX = 64 };

/* The members of a bundle. */
static size_t take_apart(const char *bytes, size_t length, struct forged *ret_members)
{
	size_t count = 0;
	size_t from = 0;

	while (from + TAR_END_BYTES < length) {
		const uint64_t size = strtoull(bytes + from + 124, NULL, 8);

		if (from > 0) {
			ck_assert_uint_lt(count, FORGED_MAX);
			ret_members[count].name = bytes + from;
			ret_members[count].bytes = bytes + from + TAR_BLOCK_BYTES;
			ret_members[count++].length = (size_t)size;
		}
		from += TAR_BLOCK_BYTES + (size_t)tar_padded_bytes(size);
	}
	return count;
}

/* Put together by our own writer, so that everything fits but what was forged. */
static void put_together(const struct forged *members, size_t count)
{
	const char *names[FORGED_MAX];
	struct bundle_writer *writer = NULL;

	for (size_t i = 0; i < count; i++)
		names[i] = members[i].name;
	ck_assert_msg(bundle_writer_open(text_str(&path), evidence_run_id, names, count, &writer, &e), "%s",
		      e.text);
	for (size_t i = 0; i < count; i++)
		ck_assert(bundle_writer_next(writer, &e) &&
			  bundle_writer_add(writer, members[i].bytes, members[i].length, &e));
	ck_assert_msg(bundle_writer_finish(writer, &e), "%s", e.text);
	bundle_writer_close(writer);
}

static struct forged *find(struct forged *members, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(members[i].name, name) == 0)
			return &members[i];
	ck_abort_msg("no member %s", name);
	return NULL;
}

static void expect_refused(const char *words)
{
	ck_assert_msg(!verifies(), "verified, and should say: %s", words);
	ck_assert_msg(e.kind == ERR_ALTERED && strstr(e.text, words) != NULL, "%s, and not: %s", words,
		      e.text);
}

static size_t make_members(struct forged *members)
{
	size_t length = 0;

	evidence_run_make(store, &arena, 30);
	ck_assert(export_to(text_str(&path)));

	const char *bytes = read_file(text_str(&path), &length);

	return take_apart(bytes, length, members);
}

START_TEST(test_bundle_with_other_members_is_refused)
{
	struct forged members[FORGED_MAX] = { 0 };
	struct forged changed[FORGED_MAX] = { 0 };
	const size_t count = make_members(members);
	static const char *const bad_names[] = { "../x", "/etc/passwd", "a/../b", ".hidden", "a//b",
						 "a/.b", "a\\b" };

	put_together(members, count);
	ck_assert_msg(verifies(), "%s", e.text);
	memcpy(changed, members, sizeof changed);
	changed[1] = members[2];
	changed[2] = members[1];
	put_together(changed, count);
	expect_refused("member 2 should be run.json and is experiment.yaml");
	memcpy(changed, members, sizeof changed);
	changed[count - 1] = members[count - 2];
	put_together(changed, count); /* one twice */
	expect_refused("MANIFEST.sha256 is not as it was written");
	memcpy(changed, members, sizeof changed);
	changed[count - 1].name = "more.txt";
	put_together(changed, count);
	expect_refused("more.txt does not belong there");
	put_together(members, 8);
	expect_refused("member 9 should be samples/01-writes.csv and is missing");
	put_together(members, 3);
	expect_refused("inventory.yaml is missing");
	for (size_t i = 0; i < sizeof bad_names / sizeof bad_names[0]; i++) {
		changed[count - 1].name = bad_names[i];
		put_together(changed, count);
		expect_refused("MANIFEST.sha256 is not as it was written");
	}
}
END_TEST

/* One text in one member replaced by another; hashes fit, seals do not. */
static void forge(struct forged *members, size_t count, const char *name, const char *old,
		  const char *fresh)
{
	struct forged *member = find(members, count, name);
	const struct forged whole = *member;
	const char *bytes = arena_copy_bytes(&arena, whole.bytes, whole.length);
	const char *at = strstr(bytes, old);

	ck_assert_msg(at != NULL, "%s has no %s", name, old);
	member->bytes = arena_format(&arena, "%.*s%s%s", (int)(at - bytes), bytes, fresh,
				     at + strlen(old));
	member->length = strlen(member->bytes);
	put_together(members, count);
	*member = whole;
}

struct forgery {
	const char *member;
	const char *old;
	const char *fresh;
	const char *words;
};

static const struct forgery forgeries[] = {
	{ "run.json", "\"exit_code\":1", "\"exit_code\":0", "its result is not as it was written" },
	{ "run.json", "Missed", "Met", "its result is not as it was written" },
	{ "run.json", "\"pid\":7", "\"pid\":07", "something else than pid" },
	{ "run.json", "\"pid\":7", "\"pid\":99999999999999999999", "something else than pid" },
	{ "run.json", "20261121-102030-k3f9", "20261121-102030-k3f8", "of another one" },
	{ "run.json", "}", "", "something else than exported_by" },
	{ "experiment.yaml", "title", "titel", "its documents or its beginning are not as they were" },
	{ "inventory.yaml", "hosts", "guests", "its documents or its beginning are not as they were" },
	{ "events.jsonl", "a drill", "a thrill", "event 1 is not as it was written" },
	{ "events.jsonl", "\"kind\":\"intent\"", "\"kind\":\"miracle\"", "event 2 is damaged" },
	{ "events.jsonl", "{\"number\":2", "{\"number\":3", "event 2 is missing" },
	{ "events.jsonl", "4611686018427387903", "4611686018427387905", "line 3 of events.jsonl" },
	{ "events.jsonl", "\"step\":1", "\"step\":-1", "line 2 of events.jsonl" },
	{ "tracks.jsonl", "\"lane_count\":50", "\"lane_count\":51", "they are not as they were written" },
	{ "tracks.jsonl", "\"every_ns\":20000000", "\"every_ns\":0", "line 1 of tracks.jsonl" },
	{ "tracks.jsonl", "\"slot_count\":30", "\"slot_count\":86400000",
	  "tracks.jsonl names 86400000 slots of writes" },
	{ "tracks.jsonl", "\"slot_count\":30", "\"slot_count\":86400001", "line 1 of tracks.jsonl" },
	{ "tracks.jsonl", "\"slot_count\":30", "\"slot_count\":29", "a reading of the ledger writes" },
	{ "tracks.jsonl", "\"slot_count\":40", "\"slot_count\":39", "has more lines than it should" },
	{ "tracks.jsonl", "\"probe\":\"reads\"", "\"probe\":\"../../x\"", "should be samples/02-../../x.csv" },
	{ "ledger_reads.jsonl", "\"slot_count\":30", "\"slot_count\":86400000",
	  "a reading of the ledger writes has more rows" },
	{ "ledger_reads.jsonl", "\"count\":1", "\"count\":3", "line 1 of ledger_reads.jsonl" },
	{ "ledger_reads.jsonl", "\"settle_ns\":1", "\"settle_ns\":2", "it is not as it was written" },
	{ "samples/01-writes.csv", "\n0,", "\n00,", "line 2 of samples/01-writes.csv" },
	{ "samples/01-writes.csv", "\n3,", "\n4,", "line 5 of samples/01-writes.csv" },
	{ "samples/01-writes.csv", "slot,", "slots,", "line 1 of samples/01-writes.csv" },
	{ "samples/01-writes.csv", ",acknowledged,", ",failed,", "they are not as they were written" },
	{ "samples/02-reads.csv", ",bad,", ",good,", "they are not as they were written" },
	{ "samples/02-reads.csv", ",bad,", ",fine,", "of samples/02-reads.csv is none" },
	{ "samples/03-none.csv", "detail\n", "detail\n0,,,none,,,\n", "has more lines than it should" },
	{ "ledger/02-writes-healed.csv", "found\n", "found\n0,0,1\n", "has more lines than it should" },
	{ "ledger/01-writes-stable.csv", "found\n0,0,0\n", "found\n0,0,1\n", "not as it was written" },
	{ "ledger/01-writes-stable.csv", "found\n0,0,", "found\n0,99999999,", "line 2 of ledger/01" },
	{ "ledger/01-writes-stable.csv", "found\n0,0,0\n", "found\n", "line 2 of ledger/01" },
};

START_TEST(test_forged_member_with_hashes_that_fit_is_named)
{
	struct forged members[FORGED_MAX] = { 0 };
	const size_t count = make_members(members);

	for (size_t i = 0; i < sizeof forgeries / sizeof forgeries[0]; i++) {
		forge(members, count, forgeries[i].member, forgeries[i].old, forgeries[i].fresh);
		expect_refused(forgeries[i].words);
	}
}
END_TEST

START_TEST(test_forged_heal_is_named_by_whoever_reads_it)
{
	struct forged members[FORGED_MAX] = { 0 };
	const size_t count = make_members(members);
	struct heal_row *heals = NULL;
	struct store *bundle = NULL;
	size_t heal_count = 0;

	forge(members, count, "heals.jsonl", "running", "walking");
	ck_assert_msg(bundle_store_open(text_str(&path), &bundle, &e), "%s", e.text);
	ck_assert(!store_heals_open(bundle, evidence_run_id, &arena, &heals, &heal_count, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "the heal record of run"));
	store_close(bundle);
}
END_TEST

START_TEST(test_bundle_with_a_line_without_end_or_too_long_is_refused)
{
	struct forged members[FORGED_MAX] = { 0 };
	const size_t count = make_members(members);
	struct forged *events = find(members, count, "events.jsonl");
	const struct forged whole = *events;
	const size_t huge = (8u << 20) + 10;

	events->length--; /* the last newline */
	put_together(members, count);
	expect_refused("line 4 of events.jsonl has no end");
	*events = whole;
	events->bytes = arena_alloc(&arena, huge);
	memset((void *)(uintptr_t)events->bytes, '[', huge);
	events->length = huge;
	put_together(members, count);
	expect_refused("line 1 of events.jsonl is longer than any that is written");
	*events = whole;

	struct forged *experiment = find(members, count, "experiment.yaml");

	experiment->bytes = arena_alloc(&arena, huge);
	memset((void *)(uintptr_t)experiment->bytes, 'x', huge);
	experiment->length = huge;
	put_together(members, count);
	expect_refused("experiment.yaml has 8388618 bytes, and none is longer than 1048576");
	experiment->length = 5;
	experiment->bytes = "a\0b\0c";
	put_together(members, count);
	expect_refused("experiment.yaml has a zero byte in it");
}
END_TEST

/* Random bytes anywhere, hashes made to fit: refused or the same run, never a crash. */
START_TEST(test_bundle_forged_at_random_never_passes_for_another_run)
{
	enum { ROUNDS = 300 };
	struct forged members[FORGED_MAX] = { 0 };
	const size_t count = make_members(members);
	struct random random = random_from_seed(11);

	for (int i = 0; i < ROUNDS; i++) {
		/* Not the README and not the reports: seals do not speak of them. */
		struct forged *member = &members[1 + random_below(&random, count - 3)];
		const struct forged whole = *member;
		char *bytes = arena_copy_bytes(&arena, whole.bytes, whole.length);
		struct timeline timeline;
		struct store *bundle = NULL;

		for (uint64_t n = random_below(&random, 3); whole.length > 0; n--) {
			bytes[random_below(&random, whole.length)] = (char)random_below(&random, 256);
			if (n == 0)
				break;
		}
		member->bytes = bytes;
		put_together(members, count);
		*member = whole;
		if (!bundle_store_open(text_str(&path), &bundle, &e))
			continue;
		if (store_timeline(bundle, evidence_run_id, &arena, &timeline, &e))
			ck_assert_uint_eq(timeline.event_count, 4);
		store_close(bundle);
	}
}
END_TEST

void suite_bundle_forged(Suite *suite)
{
	TCase *tests = tcase_create("forged");

	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_bundle_with_other_members_is_refused);
	tcase_add_test(tests, test_forged_member_with_hashes_that_fit_is_named);
	tcase_add_test(tests, test_forged_heal_is_named_by_whoever_reads_it);
	tcase_add_test(tests, test_bundle_with_a_line_without_end_or_too_long_is_refused);
	tcase_add_test(tests, test_bundle_forged_at_random_never_passes_for_another_run);
	suite_add_tcase(suite, tests);
}
