/*
 * test_fuzz.c - every input of fixtures/fuzz through its harness, in every build: with sanitizers, and
 * without clang. Searching for new ones is tests/fuzz.sh's business.
 */
#include "tests/fuzz.h"
#include "base/mem.h"
#include "tests/suites.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { INPUT_BYTES_MAX = 1 << 20 };

static char *input; /* exactly as long as it is: so a look behind its end is seen */

static void replay(const struct fuzz_row *row, const char *path)
{
	FILE *stream = fopen(path, "r");
	size_t length;

	ck_assert_msg(stream != NULL, "%s cannot be read", path);
	input = mem_alloc(INPUT_BYTES_MAX);
	length = fread(input, 1, INPUT_BYTES_MAX, stream);
	ck_assert_int_eq(fclose(stream), 0);
	input = mem_grow(input, length);
	row->run((const uint8_t *)input, length);
	free(input);
}

START_TEST(test_fuzz_every_input_of_the_corpus_keeps_the_promises)
{
	const struct fuzz_row *row = &fuzz_harnesses[_i];
	struct text path = { 0 };
	size_t input_count = 0;
	const struct dirent *entry;
	DIR *folder;

	text_addf(&path, "fixtures/fuzz/%s", row->name);
	folder = opendir(text_str(&path));
	ck_assert_msg(folder != NULL, "there is no %s", text_str(&path));
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		text_clear(&path);
		text_addf(&path, "fixtures/fuzz/%s/%s", row->name, entry->d_name);
		replay(row, text_str(&path));
		input_count++;
	}
	(void)closedir(folder);
	text_release(&path);
	ck_assert_uint_gt(input_count, 0);
}
END_TEST

void suite_fuzz(Suite *suite)
{
	TCase *tcase = tcase_create("fuzz");
	int row_count = 0;

	while (fuzz_harnesses[row_count].name != NULL)
		row_count++;
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, test_fuzz_every_input_of_the_corpus_keeps_the_promises, 0,
			    row_count);
	suite_add_tcase(suite, tcase);
}
