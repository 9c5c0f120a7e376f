/*
 * test_store_disk.c - a store on a full, failing or locked disk, and that it waits for the disk.
 *
 * All are made with SQLite's own seams (its system calls, files and sleep), so no test needs root
 * or seconds.
 */
#include "fixtures/store_try.h"
#include "fixtures/temp_dir.h"
#include "store/store.h"
#include "tests/suites.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

static char *dir;
static struct text path;
static struct store *store;
static struct arena arena;
static struct err e;

static void open_again(void)
{
	store_close(store);
	store = NULL;
	ck_assert_msg(store_open(text_str(&path), NULL, &store, &e), "%s", e.text);
}

static void setup(void)
{
	dir = temp_dir_make();
	text_addf(&path, "%s/firedrill.db", dir);
}

static void teardown(void)
{
	store_close(store);
	store = NULL;
	text_release(&path);
	arena_release(&arena);
	temp_dir_remove(dir);
}

static bool begin(struct store *into, const char *run_id)
{
	const struct run_row row = { .run_id = run_id, .title = "a drill" };

	return store_run_begin(into, &row, &e);
}

static bool append(struct store *into, const char *run_id, const char *text)
{
	struct event event = { .kind = EVENT_NOTE, .phase = PHASE_OBSERVE, .text = text };

	return store_append(into, run_id, &event, &e);
}

enum disk { DISK_FINE, DISK_FULL_BUT_FOR_RESERVE, DISK_FULL, DISK_SMALL, DISK_BROKEN };

/* No file of a small disk grows beyond this. */
enum { SMALL_DISK_BYTES = 256 << 10 };

static enum disk disk;
static struct text reserve;

static bool is_disk_failing(off_t end_bytes)
{
	switch (disk) {
	case DISK_FINE:
		return false;
	case DISK_FULL_BUT_FOR_RESERVE:
		errno = ENOSPC;
		return access(text_str(&reserve), F_OK) == 0;
	case DISK_FULL:
		errno = ENOSPC;
		return true;
	case DISK_SMALL:
		errno = ENOSPC;
		return end_bytes > SMALL_DISK_BYTES;
	case DISK_BROKEN:
		errno = EIO;
		return true;
	}
	return false;
}

static ssize_t pwrite_or_fail(int fd, const void *bytes, size_t length, off_t at)
{
	return is_disk_failing(at + (off_t)length) ? -1 : pwrite(fd, bytes, length, at);
}

static void take_over_writes(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	text_addf(&reserve, "%s.reserve", text_str(&path));
	ck_assert_int_eq(vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)pwrite_or_fail),
			 SQLITE_OK);
	ck_assert_int_eq(vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)pwrite_or_fail),
			 SQLITE_OK);
}

START_TEST(test_full_disk_gives_up_the_reserve_and_then_says_so)
{
	struct timeline timeline;

	take_over_writes();
	open_again();
	ck_assert_int_eq(access(text_str(&reserve), F_OK), 0);
	ck_assert(begin(store, "run-a"));
	disk = DISK_FULL_BUT_FOR_RESERVE;
	ck_assert_msg(append(store, "run-a", "healed, on the reserve"), "%s", e.text);
	ck_assert_int_ne(access(text_str(&reserve), F_OK), 0);
	disk = DISK_FULL;
	ck_assert(!append(store, "run-a", "lost"));
	ck_assert_int_eq(e.kind, ERR_STORE);
	ck_assert_ptr_nonnull(strstr(e.text, "journal \"note\": store "));
	ck_assert_ptr_nonnull(strstr(e.text, "the disk is full; free some space"));
	disk = DISK_FINE;
	ck_assert_msg(append(store, "run-a", "space again"), "%s", e.text);
	ck_assert_msg(store_timeline(store, "run-a", &arena, &timeline, &e), "%s", e.text);
	ck_assert_uint_eq(timeline.event_count, 2);
	open_again();
	ck_assert_int_eq(access(text_str(&reserve), F_OK), 0);
	text_release(&reserve);
}
END_TEST

START_TEST(test_small_disk_holds_a_log_that_would_outgrow_it)
{
	struct timeline timeline;

	take_over_writes();
	open_again();
	ck_assert(begin(store, "run-a"));
	disk = DISK_SMALL;
	for (int i = 0; i < 100; i++)
		ck_assert_msg(append(store, "run-a", "more log than the disk has room for"), "%s",
			      e.text);
	ck_assert_msg(store_timeline(store, "run-a", &arena, &timeline, &e), "%s", e.text);
	ck_assert_uint_eq(timeline.event_count, 100);
	ck_assert_int_eq(access(text_str(&reserve), F_OK), 0); /* not needed yet */
	text_release(&reserve);
}
END_TEST

START_TEST(test_full_disk_at_open_gives_up_the_reserve)
{
	take_over_writes();
	open_again();
	ck_assert(begin(store, "run-a"));
	store_close(store);
	store = NULL;
	store_try_go_back(&path, 8); /* so that the next open itself has to write */
	disk = DISK_FULL_BUT_FOR_RESERVE;
	ck_assert_msg(store_open(text_str(&path), NULL, &store, &e), "%s", e.text);
	disk = DISK_FULL;
	ck_assert(!begin(store, "run-b"));
	disk = DISK_FINE;
	ck_assert_msg(begin(store, "run-b"), "%s", e.text);
	text_release(&reserve);
}
END_TEST

START_TEST(test_failing_disk_is_named_as_that)
{
	take_over_writes();
	open_again();
	ck_assert(begin(store, "run-a"));
	disk = DISK_BROKEN;
	ck_assert(!append(store, "run-a", "lost"));
	ck_assert_int_eq(e.kind, ERR_STORE);
	ck_assert_ptr_nonnull(strstr(e.text, "the disk does not read or write"));
	ck_assert_int_eq(access(text_str(&reserve), F_OK), 0); /* space is not what is missing */
	text_release(&reserve);
}
END_TEST

/* SQLite waits by sleeping; this one only says that it has. */
static int sleep_not(sqlite3_vfs *vfs, int microseconds)
{
	(void)vfs;
	return microseconds;
}

START_TEST(test_locked_store_says_so_after_its_patience)
{
	static sqlite3_vfs impatient;
	sqlite3 *other = NULL;

	impatient = *sqlite3_vfs_find(NULL);
	impatient.zName = "impatient";
	impatient.xSleep = sleep_not;
	ck_assert_int_eq(sqlite3_vfs_register(&impatient, 1), SQLITE_OK);
	open_again();
	ck_assert(begin(store, "run-a"));
	ck_assert_int_eq(sqlite3_open(text_str(&path), &other), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(other, "begin immediate", NULL, NULL, NULL), SQLITE_OK);
	ck_assert(!append(store, "run-a", "lost"));
	ck_assert_int_eq(e.kind, ERR_STORE);
	ck_assert_ptr_nonnull(strstr(e.text, "another process has kept it locked for 5 s"));
	ck_assert_int_eq(sqlite3_exec(other, "commit", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_msg(append(store, "run-a", "free again"), "%s", e.text);
	ck_assert_int_eq(sqlite3_close(other), SQLITE_OK);
}
END_TEST

/* Counts what SQLite sends to the disk: its files, with one method looked at. */
static int sync_count;
static sqlite3_io_methods counted_methods;
static int (*sync_really)(sqlite3_file *file, int flags);
static int (*open_really)(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
			  int *ret_flags);

static int sync_counted(sqlite3_file *file, int flags)
{
	sync_count++;
	return sync_really(file, flags);
}

static int open_counted(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
			int *ret_flags)
{
	const int code = open_really(vfs, name, file, flags, ret_flags);

	if (code == SQLITE_OK && (flags & SQLITE_OPEN_WAL) != 0) {
		counted_methods = *file->pMethods;
		sync_really = counted_methods.xSync;
		counted_methods.xSync = sync_counted;
		file->pMethods = &counted_methods;
	}
	return code;
}

START_TEST(test_append_is_on_the_disk_when_it_returns)
{
	static sqlite3_vfs counting;

	counting = *sqlite3_vfs_find(NULL);
	counting.zName = "counting";
	open_really = counting.xOpen;
	counting.xOpen = open_counted;
	ck_assert_int_eq(sqlite3_vfs_register(&counting, 1), SQLITE_OK);
	open_again();
	ck_assert(begin(store, "run-a"));
	for (int i = 0; i < 3; i++) {
		sync_count = 0;
		ck_assert(append(store, "run-a", "durable"));
		ck_assert_int_eq(sync_count, 1);
	}
}
END_TEST

void suite_store_disk(Suite *suite)
{
	TCase *tcase = tcase_create("store_disk");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_full_disk_gives_up_the_reserve_and_then_says_so);
	tcase_add_test(tcase, test_small_disk_holds_a_log_that_would_outgrow_it);
	tcase_add_test(tcase, test_full_disk_at_open_gives_up_the_reserve);
	tcase_add_test(tcase, test_failing_disk_is_named_as_that);
	tcase_add_test(tcase, test_locked_store_says_so_after_its_patience);
	tcase_add_test(tcase, test_append_is_on_the_disk_when_it_returns);
	suite_add_tcase(suite, tcase);
}
