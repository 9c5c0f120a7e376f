/*
 * unit.c - runs every unit test: one suite for each row of suites.h. Needs no root and no network
 * beyond loopback. `unit NAME` runs one suite, `unit --list` names them. tests/unit.sh runs several at
 * a time: most of them wait more than they work.
 */
#include "tests/suites.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct suite_row {
	const char *name;
	void (*fill)(Suite *suite);
};

static const struct suite_row suite_rows[] = {
#define X(id) { #id, suite_##id },
	SUITE_ROWS(X)
#undef X
};

int main(int argc, char **argv)
{
	const size_t suite_count = sizeof suite_rows / sizeof suite_rows[0];
	SRunner *runner;
	int failed_count;

	if (argc > 1 && strcmp(argv[1], "--list") == 0) {
		for (size_t i = 0; i < suite_count; i++)
			(void)puts(suite_rows[i].name);
		return EXIT_SUCCESS;
	}
	runner = srunner_create(NULL);
	for (size_t i = 0; i < suite_count; i++) {
		if (argc > 1 && strcmp(argv[1], suite_rows[i].name) != 0)
			continue;

		Suite *suite = suite_create(suite_rows[i].name);

		suite_rows[i].fill(suite);
		srunner_add_suite(runner, suite);
	}
	srunner_run_all(runner, CK_NORMAL);
	failed_count = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
