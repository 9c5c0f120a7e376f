/*
 * test_report_lag.c - how replication lag and the bound on loss read; and the picture's lag panel.
 */
#include "fixtures/stories.h"
#include "fixtures/story_lag.h"
#include "reports/picture.h"
#include "reports/words_lag.h"
#include "tests/suites.h"

#include <stdio.h>
#include <string.h>

static struct arena arena;

static void tear_down(void)
{
	arena_release(&arena);
}

static struct loss_bound bound_of(int64_t bound_bytes)
{
	struct loss_bound bound = { .service = "orders-db",
				    .told_by = "db1",
				    .settings = { .maximum_lag_bytes = 1048576,
						  .ttl_ns = 5 * NS_PER_S },
				    .wal_bytes_per_s = 48000,
				    .bound_bytes = bound_bytes };

	(void)snprintf(bound.settings.manager, sizeof bound.settings.manager, "Patroni");
	return bound;
}

static void assert_says(const struct loss_bound *bound, const char *words)
{
	struct text text = { 0 };

	words_bound(bound, &text);
	ck_assert_msg(strstr(text_str(&text), words) != NULL, "%s", text_str(&text));
	text_release(&text);
}

START_TEST(test_words_bound_says_what_it_is_made_of)
{
	const struct loss_bound bound = bound_of(1048576 + 5 * 48000);

	assert_says(&bound, "By its own settings Patroni may lose up to 1.22 MiB of WAL: 1 MiB "
			    "(maximum_lag_on_failover), and what the leader writes within its ttl of 5 s, "
			    "at 46.8 KiB/s, the fastest that was measured.");
}
END_TEST

START_TEST(test_words_bound_without_a_rate_gives_no_sum)
{
	const struct loss_bound bound = bound_of(LAG_UNKNOWN);

	assert_says(&bound, "may lose up to 1 MiB of WAL (maximum_lag_on_failover) and what the leader "
			    "writes within its ttl of 5 s; how much that is is not known");
}
END_TEST

START_TEST(test_words_bound_synchronous_names_its_conditions)
{
	struct loss_bound bound = bound_of(0);

	bound.settings.is_synchronous = true;
	assert_says(&bound, "may lose nothing that was acknowledged");
	assert_says(&bound, "with no replica left the leader goes on alone");
	bound.settings.is_strict = true;
	assert_says(&bound, "(synchronous_mode, strict)");
	assert_says(&bound, "an old leader that takes the lead back.");
}
END_TEST

START_TEST(test_words_bound_of_a_paused_manager_is_none)
{
	struct loss_bound bound = bound_of(1);

	bound.settings.is_paused = true;
	assert_says(&bound, "Patroni is paused: it fails nothing over by itself, so its settings bound "
			    "nothing.");
}
END_TEST

START_TEST(test_words_bound_beside_loss_of_an_unreadable_ledger_is_not_zero)
{
	struct story story = *story_missed(&arena);
	struct ledger_result ledger = story.ledgers[0];
	struct text text = { 0 };

	words_bound_beside_loss(&story, &ledger, &text);
	ck_assert_ptr_nonnull(strstr(text_str(&text), " Observed: 143 acknowledged writes lost."));
	text_clear(&text);
	ledger.worse = NULL;
	words_bound_beside_loss(&story, &ledger, &text);
	ck_assert_ptr_nonnull(strstr(text_str(&text), " Observed: not known."));
	text_clear(&text);
	story.bound_count = 0; /* nobody's settings are known: nothing is said */
	words_bound_beside_loss(&story, &ledger, &text);
	ck_assert_str_eq(text_str(&text), "");
	text_release(&text);
}
END_TEST

START_TEST(test_words_lag_unknown_is_never_zero)
{
	struct lag_worst worst = { .flush_bytes = LAG_UNKNOWN };
	char text[WORDS_BYTES];

	ck_assert_str_eq(words_lag_bytes(LAG_UNKNOWN, text), "-");
	ck_assert_str_eq(words_lag_bytes(0, text), "0 B");
	ck_assert_str_eq(words_lag_time(LAG_UNKNOWN, worst.flush_behind, text), "-");
	ck_assert_str_eq(words_lag_time(1, (struct span){ 2 * NS_PER_S, NEVER_NS }, text), ">= 2 s");
	ck_assert_str_eq(words_lag_unknown(&worst, text), "nobody told of it");
	worst.was_primary = true;
	ck_assert_str_eq(words_lag_unknown(&worst, text), "it was the primary");
	worst = (struct lag_worst){ .look_count = 9, .unknown_count = 2, .unseen_ns = NS_PER_S };
	ck_assert_str_eq(words_lag_unknown(&worst, text), "1 s at most (2 of 9 answers)");
}
END_TEST

static bool is_drawn(const struct story *story, const char *words)
{
	struct text svg = { 0 };
	struct err e = { 0 };
	bool found;

	ck_assert_msg(picture_draw(CANVAS_SVG, story, &svg, &e), "%s", e.text);
	found = strstr(text_str(&svg), words) != NULL;
	text_release(&svg);
	return found;
}

START_TEST(test_picture_has_a_lag_panel_only_where_a_replica_was_told_of)
{
	struct story story = *story_missed(&arena);

	ck_assert(is_drawn(&story, "not flushed"));
	ck_assert(is_drawn(&story, "62.5 KiB"));
	ck_assert(is_drawn(&story, ">db2<"));
	story.lag_count = 0;
	ck_assert(!is_drawn(&story, "not flushed"));
}
END_TEST

void suite_report_lag(Suite *suite)
{
	TCase *tests = tcase_create("report_lag");

	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_add_test(tests, test_words_bound_says_what_it_is_made_of);
	tcase_add_test(tests, test_words_bound_without_a_rate_gives_no_sum);
	tcase_add_test(tests, test_words_bound_synchronous_names_its_conditions);
	tcase_add_test(tests, test_words_bound_of_a_paused_manager_is_none);
	tcase_add_test(tests, test_words_bound_beside_loss_of_an_unreadable_ledger_is_not_zero);
	tcase_add_test(tests, test_words_lag_unknown_is_never_zero);
	tcase_add_test(tests, test_picture_has_a_lag_panel_only_where_a_replica_was_told_of);
	suite_add_tcase(suite, tests);
}
