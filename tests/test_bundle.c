/*
 * test_bundle.c - a run goes into a bundle and comes out of it as it was; whatever is done to the
 * bundle's bytes on the way is refused and named.
 */
#include "fixtures/evidence_run.h"
#include "fixtures/temp_dir.h"
#include "store/bundle.h"
#include "store/bundle_tar.h"
#include "store/store.h"
#include "tests/suites.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Sanitizers make each try many times dearer; then some of the bytes must do. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { FLIP_STEP = 13 };
#else
enum { FLIP_STEP = 1 };
#endif

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

/* ---- what comes out ---- */

static void expect_same_samples(const struct timeline *a, const struct timeline *b)
{
	ck_assert_uint_eq(a->track_count, b->track_count);
	for (size_t i = 0; i < a->track_count; i++) {
		ck_assert_str_eq(a->tracks[i].probe, b->tracks[i].probe);
		ck_assert_uint_eq(a->tracks[i].slot_count, b->tracks[i].slot_count);
		ck_assert_uint_eq(a->tracks[i].error_count, b->tracks[i].error_count);
		ck_assert_mem_eq(a->tracks[i].samples, b->tracks[i].samples,
				 a->tracks[i].slot_count * sizeof(struct sample));
	}
	ck_assert_uint_eq(a->ledger_read_count, b->ledger_read_count);
	for (size_t i = 0; i < a->ledger_read_count; i++)
		ck_assert_mem_eq(a->ledger_reads[i].rows, b->ledger_reads[i].rows,
				 a->ledger_reads[i].row_count);
}

START_TEST(test_export_and_open_give_the_same_run)
{
	struct store *bundle = NULL;
	struct timeline kept;
	struct timeline found;
	struct run_row row;
	struct heal_row *heals = NULL;
	size_t heal_count = 0;

	evidence_run_make(store, &arena, 40000); /* three chunks */
	ck_assert_msg(export_to(text_str(&path)), "%s", e.text);
	ck_assert_msg(bundle_store_open(text_str(&path), &bundle, &e), "%s", e.text);
	ck_assert(bundle_is(bundle));
	ck_assert_msg(store_timeline(store, evidence_run_id, &arena, &kept, &e), "%s", e.text);
	ck_assert_msg(store_timeline(bundle, evidence_run_id, &arena, &found, &e), "%s", e.text);
	ck_assert_str_eq(kept.head, found.head);
	ck_assert_str_eq(kept.head, bundle_head(bundle));
	ck_assert_uint_eq(kept.event_count, found.event_count);
	for (size_t i = 0; i < kept.event_count; i++) {
		ck_assert_str_eq(kept.events[i].text, found.events[i].text);
		ck_assert_str_eq(kept.events[i].hash, found.events[i].hash);
	}
	ck_assert_str_eq(found.events[1].text, "latin \xe4, quote \", tab \t");
	expect_same_samples(&kept, &found);
	ck_assert_int_eq(found.ledger_reads[0].unexpected[1], INT64_C(9007199254740993));

	ck_assert_msg(store_run_find(bundle, "last", &arena, &row, &e), "%s", e.text);
	ck_assert_str_eq(row.vars[0].value, "\"\\\n\x01");
	ck_assert_str_eq(row.experiment_text, "title: x\npassword: ${env:PGPASSWORD}\n");
	ck_assert_msg(store_heals_open(bundle, evidence_run_id, &arena, &heals, &heal_count, &e), "%s",
		      e.text);
	ck_assert_uint_eq(heal_count, 1);
	ck_assert_str_eq(heals[0].before, "running\n");
	store_close(bundle);
}
END_TEST

START_TEST(test_bundle_of_an_unfinished_run_opens)
{
	struct store *bundle = NULL;
	struct timeline found;

	evidence_run_begin(store);
	ck_assert_msg(export_to(text_str(&path)), "%s", e.text);
	ck_assert_msg(bundle_store_open(text_str(&path), &bundle, &e), "%s", e.text);
	ck_assert_msg(store_timeline(bundle, evidence_run_id, &arena, &found, &e), "%s", e.text);
	ck_assert(!found.is_sealed);
	store_close(bundle);
}
END_TEST

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

static void write_file(const char *bytes, size_t length)
{
	FILE *stream = fopen(text_str(&path), "w");

	ck_assert_ptr_nonnull(stream);
	ck_assert_uint_eq(fwrite(bytes, 1, length, stream), length);
	ck_assert_int_eq(fclose(stream), 0);
}

START_TEST(test_export_gives_the_same_bytes_again)
{
	struct text other = { 0 };
	size_t length = 0;
	size_t other_length = 0;

	evidence_run_make(store, &arena, 100);
	text_addf(&other, "%s/again.tar", dir);
	ck_assert(export_to(text_str(&path)));
	ck_assert(export_to(text_str(&other)));

	const char *bytes = read_file(text_str(&path), &length);
	const char *again = read_file(text_str(&other), &other_length);

	ck_assert_uint_eq(length, other_length);
	ck_assert_mem_eq(bytes, again, length);
	text_release(&other);
}
END_TEST

START_TEST(test_export_says_why_it_cannot)
{
	struct text other = { 0 };
	struct event event = { .kind = EVENT_NOTE, .text = "x" };
	const struct run_row alive = { .run_id = "alive",
				       .experiment_text = "x",
				       .inventory_text = "y" };
	struct bundle_request request = { .run_id = "alive", .path = text_str(&path) };

	ck_assert(!export_to(text_str(&path)));
	ck_assert_ptr_nonnull(strstr(e.text, "the store has none with this id"));
	ck_assert(store_run_begin(store, &alive, &e)); /* by this very process */
	ck_assert(!bundle_export(store, &request, &e));
	ck_assert_int_eq(e.kind, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "still under way"));
	evidence_run_make(store, &arena, 10);
	ck_assert(!export_to(dir));
	ck_assert_ptr_nonnull(strstr(e.text, "Is a directory"));
	text_addf(&other, "%s/nowhere/x.tar", dir);
	ck_assert(!export_to(text_str(&other)));
	ck_assert_ptr_nonnull(strstr(e.text, "No such file"));
	text_release(&other);

	struct store *bundle = NULL;

	ck_assert(export_to(text_str(&path)));
	ck_assert(bundle_store_open(text_str(&path), &bundle, &e));
	ck_assert(!store_append(bundle, evidence_run_id, &event, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "it is evidence, and only read"));
	store_close(bundle);
}
END_TEST

/* ---- altered bytes ---- */

struct place {
	char what[TAR_NAME_BYTES + 40]; /* what the sentence must hold */
	size_t line;                    /* of events.jsonl, from 1; else 0 */
};

/* Whose byte is it? From the archive itself, read here in the plainest way. */
static void find_place(const char *bytes, size_t length, size_t at, struct place *place)
{
	size_t from = 0;

	place->line = 0;
	while (from + TAR_END_BYTES < length) {
		const uint64_t size = strtoull(bytes + from + 124, NULL, 8);
		const size_t data = from + TAR_BLOCK_BYTES;
		const size_t end = data + (size_t)tar_padded_bytes(size);

		if (at < end) {
			(void)snprintf(place->what, sizeof place->what, "%s", bytes + from);
			if (at >= data && at < data + size && strcmp(place->what, "events.jsonl") == 0) {
				place->line = 1;
				for (size_t i = data; i < at; i++)
					place->line += bytes[i] == '\n';
			}
			return;
		}
		from = end;
	}
	(void)snprintf(place->what, sizeof place->what, "the end of the archive");
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

START_TEST(test_every_flipped_byte_of_a_bundle_is_named)
{
	size_t length = 0;
	size_t tried_count = 0;

	evidence_run_make(store, &arena, 30);
	ck_assert(export_to(text_str(&path)));
	ck_assert_msg(verifies(), "%s", e.text);

	const char *bytes = read_file(text_str(&path), &length);
	const int fd = open(text_str(&path), O_RDWR | O_CLOEXEC);

	ck_assert_int_ne(fd, -1);
	for (size_t at = 0; at < length; at += FLIP_STEP) {
		const char flipped = (char)(bytes[at] ^ (1 << (at % 8)));
		struct place place;

		find_place(bytes, length, at, &place);
		if (place.line > 0)
			(void)snprintf(place.what, sizeof place.what, "event %zu is not",
				       place.line);
		ck_assert_int_eq(pwrite(fd, &flipped, 1, (off_t)at), 1);
		ck_assert_msg(!verifies(), "byte %zu of %s was flipped and not seen", at,
			      place.what);
		ck_assert_msg(e.kind == ERR_ALTERED && strstr(e.text, place.what) != NULL,
			      "byte %zu of %s, but: %s", at, place.what, e.text);
		ck_assert_int_eq(pwrite(fd, &bytes[at], 1, (off_t)at), 1);
		tried_count++;
	}
	ck_assert_int_eq(close(fd), 0);
	ck_assert_uint_gt(tried_count, length / FLIP_STEP - 1);
	ck_assert_msg(verifies(), "%s", e.text);
}
END_TEST

START_TEST(test_bundle_cut_or_with_more_behind_it_is_refused)
{
	size_t length = 0;

	evidence_run_make(store, &arena, 30);
	ck_assert(export_to(text_str(&path)));

	char *bytes = read_file(text_str(&path), &length);

	for (size_t cut = 0; cut < length; cut += 97) {
		write_file(bytes, cut);
		ck_assert(!verifies());
		ck_assert_int_eq(e.kind, ERR_ALTERED);
		ck_assert_msg(strstr(e.text, "cut off") != NULL || strstr(e.text, "too early") != NULL,
			      "%zu: %s", cut, e.text);
	}
	write_file(bytes, length + 1); /* the arena's zero behind it */
	ck_assert(!verifies());
	ck_assert_ptr_nonnull(strstr(e.text, "1 bytes that do not belong there come behind its end"));
	write_file("\x1f\x8b\x08\0\0\0\0\0", 8);
	ck_assert(!verifies());
	ck_assert_ptr_nonnull(strstr(e.text, "only 8 bytes"));
	memcpy(bytes, "\x1f\x8b", 2);
	write_file(bytes, length);
	ck_assert(!verifies());
	ck_assert_ptr_nonnull(strstr(e.text, "it is packed; a bundle is a plain tar file, so run gunzip"));
}
END_TEST

START_TEST(test_open_says_what_is_no_bundle)
{
	struct store *bundle = NULL;

	ck_assert(!bundle_store_open("/nowhere/x.tar", &bundle, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	ck_assert(!bundle_store_open(dir, &bundle, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "it is no ordinary file"));
	ck_assert(!bundle_store_open("/dev/zero", &bundle, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "it is no ordinary file"));
	ck_assert(!bundle_store_open(text_str(&store_path), &bundle, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "or this is no bundle of firedrill"));
	write_file("", 0);
	ck_assert(!verifies());
	ck_assert_ptr_nonnull(strstr(e.text, "only 0 bytes"));
}
END_TEST

void suite_bundle(Suite *suite)
{
	TCase *tests = tcase_create("bundle");

	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_export_and_open_give_the_same_run);
	tcase_add_test(tests, test_bundle_of_an_unfinished_run_opens);
	tcase_add_test(tests, test_export_gives_the_same_bytes_again);
	tcase_add_test(tests, test_export_says_why_it_cannot);
	tcase_add_test(tests, test_every_flipped_byte_of_a_bundle_is_named);
	tcase_add_test(tests, test_bundle_cut_or_with_more_behind_it_is_refused);
	tcase_add_test(tests, test_open_says_what_is_no_bundle);
	suite_add_tcase(suite, tests);
}
