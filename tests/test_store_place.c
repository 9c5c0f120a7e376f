/*
 * test_store_place.c - the files of a store are private, and places that are not are refused.
 */
#include "fixtures/temp_dir.h"
#include "store/place.h"
#include "store/store.h"
#include "tests/suites.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *dir;
static struct text path;
static struct store *store;
static struct err e;

static void setup(void)
{
	dir = temp_dir_make();
	text_addf(&path, "%s/state/firedrill/firedrill.db", dir);
}

static void teardown(void)
{
	store_close(store);
	store = NULL;
	text_release(&path);
	temp_dir_remove(dir);
}

static mode_t mode_of(const char *suffix)
{
	struct text file = { 0 };
	struct stat found;

	text_addf(&file, "%s%s", text_str(&path), suffix);
	ck_assert_msg(stat(text_str(&file), &found) == 0, "%s", text_str(&file));
	text_release(&file);
	return found.st_mode & 07777;
}

static mode_t folder_mode(const char *name)
{
	struct text folder = { 0 };
	struct stat found;

	text_addf(&folder, "%s/%s", dir, name);
	ck_assert_int_eq(stat(text_str(&folder), &found), 0);
	text_release(&folder);
	return found.st_mode & 07777;
}

static void expect_refused(const char *place, const char *words)
{
	ck_assert(!store_open(place, NULL, &store, &e));
	ck_assert_msg(strstr(e.text, words) != NULL, "%s", e.text);
}

START_TEST(test_open_makes_private_files_whatever_the_umask)
{
	static const mode_t umasks[] = { 0, 022, 0777 };
	const struct run_row row = { .run_id = "run-a" };
	const mode_t old = umask(umasks[_i]);

	ck_assert_msg(store_open(text_str(&path), NULL, &store, &e), "%s", e.text);
	ck_assert(store_run_begin(store, &row, &e));
	(void)umask(old);
	ck_assert_uint_eq(folder_mode("state"), 0700);
	ck_assert_uint_eq(folder_mode("state/firedrill"), 0700);
	ck_assert_uint_eq(mode_of(""), 0600);
	ck_assert_uint_eq(mode_of("-wal"), 0600);
	ck_assert_uint_eq(mode_of("-shm"), 0600);
	ck_assert_uint_eq(mode_of(".reserve") & 0177, 0);
}
END_TEST

START_TEST(test_open_makes_a_readable_store_private_again)
{
	ck_assert(store_open(text_str(&path), NULL, &store, &e));
	ck_assert_int_eq(chmod(text_str(&path), 0644), 0);
	store_close(store);
	ck_assert_msg(store_open(text_str(&path), NULL, &store, &e), "%s", e.text);
	ck_assert_uint_eq(mode_of(""), 0600);
}
END_TEST

START_TEST(test_open_refuses_a_store_that_others_may_have_changed)
{
	ck_assert(store_open(text_str(&path), NULL, &store, &e));
	store_close(store);
	store = NULL;
	ck_assert_int_eq(chmod(text_str(&path), 0666), 0);
	expect_refused(text_str(&path), "other users may have changed it");
	ck_assert_int_eq(e.kind, ERR_STORE);
}
END_TEST

START_TEST(test_open_refuses_a_folder_that_others_may_change)
{
	struct text file = { 0 };

	text_addf(&file, "%s/firedrill.db", dir);
	ck_assert_int_eq(chmod(dir, 0777), 0);
	expect_refused(text_str(&file), "other users may change that folder; run `chmod go-w");
	ck_assert_int_eq(chmod(dir, 01777), 0); /* like /tmp: nobody can take our file away */
	ck_assert_msg(store_open(text_str(&file), NULL, &store, &e), "%s", e.text);
	text_release(&file);
}
END_TEST

START_TEST(test_open_refuses_links_folders_and_impossible_places)
{
	struct text file = { 0 };

	text_addf(&file, "%s/link.db", dir);
	ck_assert_int_eq(symlink("/dev/null", text_str(&file)), 0);
	expect_refused(text_str(&file), "it is a symbolic link");
	expect_refused(dir, "no ordinary file");
	text_clear(&file);
	text_addf(&file, "%s/link.db/firedrill.db", dir);
	expect_refused(text_str(&file), "that is no folder");
	expect_refused("/proc/nowhere/firedrill.db", "make the folder /proc/nowhere");
	expect_refused("/proc/firedrill.db", "make the store /proc/firedrill.db");
	text_release(&file);
}
END_TEST

START_TEST(test_open_refuses_paths_that_are_none)
{
	expect_refused("", "its path is empty");
	ck_assert_int_eq(e.kind, ERR_INPUT);
	expect_refused("mysql://user:pass@host/firedrill", "a file or a PostgreSQL database");
	ck_assert_ptr_null(strstr(e.text, "pass"));
}
END_TEST

START_TEST(test_open_refuses_the_store_of_another_user)
{
	enum { NOBODY = 65534 };

	if (geteuid() != 0)
		return; /* only root can make a file that belongs to somebody else */
	ck_assert(store_open(text_str(&path), NULL, &store, &e));
	store_close(store);
	store = NULL;
	ck_assert_int_eq(chown(text_str(&path), NOBODY, NOBODY), 0);
	expect_refused(text_str(&path), "it belongs to user 65534 and this is user 0");
}
END_TEST

START_TEST(test_open_in_the_working_folder_needs_no_slash)
{
	ck_assert_int_eq(chdir(dir), 0);
	ck_assert_msg(store_open("here.db", NULL, &store, &e), "%s", e.text);
	ck_assert_int_eq(access("here.db", R_OK), 0);
}
END_TEST

START_TEST(test_reserve_is_a_megabyte_that_can_be_given_up_once)
{
	struct text reserve = { 0 };
	struct stat found;

	text_addf(&reserve, "%s.reserve", text_str(&path));
	ck_assert(store_open(text_str(&path), NULL, &store, &e));
	ck_assert_int_eq(stat(text_str(&reserve), &found), 0);
	ck_assert_int_eq(found.st_size, PLACE_RESERVE_BYTES);
	ck_assert_int_ge(found.st_blocks * 512, PLACE_RESERVE_BYTES); /* real space, no hole */
	ck_assert(place_reserve_give_up(text_str(&path)));
	ck_assert(!place_reserve_give_up(text_str(&path)));
	text_release(&reserve);
}
END_TEST

void suite_store_place(Suite *suite)
{
	TCase *tcase = tcase_create("store_place");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_open_makes_private_files_whatever_the_umask, 0, 3);
	tcase_add_test(tcase, test_open_makes_a_readable_store_private_again);
	tcase_add_test(tcase, test_open_refuses_a_store_that_others_may_have_changed);
	tcase_add_test(tcase, test_open_refuses_a_folder_that_others_may_change);
	tcase_add_test(tcase, test_open_refuses_links_folders_and_impossible_places);
	tcase_add_test(tcase, test_open_refuses_paths_that_are_none);
	tcase_add_test(tcase, test_open_refuses_the_store_of_another_user);
	tcase_add_test(tcase, test_open_in_the_working_folder_needs_no_slash);
	tcase_add_test(tcase, test_reserve_is_a_megabyte_that_can_be_given_up_once);
	suite_add_tcase(suite, tcase);
}
