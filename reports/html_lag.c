/*
 * html_lag.c - replication lag: the worst of each window, and the moments that a failover turns on.
 */
#include "reports/html_parts.h"

#include "base/units.h"
#include "reports/escape.h"
#include "reports/facts.h"
#include "reports/words_lag.h"

static void add_replica(struct text *page, const struct html_table *table, const struct story *story,
			const struct replica_lag *replica)
{
	const struct lag_worst *worst;
	const char *when;
	char buffer[WORDS_BYTES];

	for (size_t i = 0; (worst = words_lag_window(story, replica, i, &when)) != NULL; i++) {
		html_cell(page, table, 0, NULL, replica->replica);
		html_cell(page, table, 1, NULL, when);
		html_cell(page, table, 2, NULL, words_lag_bytes(worst->flush_bytes, buffer));
		html_cell(page, table, 3, NULL,
			  words_lag_time(worst->flush_bytes, worst->flush_behind, buffer));
		html_cell(page, table, 4, NULL, words_lag_bytes(worst->replay_bytes, buffer));
		html_cell(page, table, 5, NULL,
			  words_lag_time(worst->replay_bytes, worst->replay_behind, buffer));
		html_cell(page, table, 6,
			  worst->look_count == 0 || worst->unknown_count > 0 ?
				  "word tone-inconclusive" :
				  NULL,
			  words_lag_unknown(worst, buffer));
	}
}

static void add_moments(struct text *page, const struct story *story, const struct lag_result *lag)
{
	struct text words = { 0 };

	text_add(page, "<ul>\n");
	for (size_t i = 0; i < lag->replica_count; i++) {
		text_clear(&words);
		words_lag_moments(story, &lag->replicas[i], &words);
		if (words.length_bytes > 0)
			html_element(page, "li", NULL, text_str(&words));
	}
	text_add(page, "</ul>\n");
	text_release(&words);
}

static void add_lag(struct text *page, const struct story *story, const struct lag_result *lag)
{
	static const char *const heads[] = { "Replica",	     "At worst", "Not flushed", "Behind",
					     "Not replayed", "Behind",	 "Unknown for", NULL };
	static const struct html_table table = { "Replication lag", "stack", heads, 0x7c };

	html_table_open(page, &table);
	for (size_t i = 0; i < lag->replica_count; i++)
		add_replica(page, &table, story, &lag->replicas[i]);
	html_table_close(page);
	if (facts_has_fault(story))
		add_moments(page, story, lag);
}

void html_lags(struct text *page, const struct story *story)
{
	for (size_t i = 0; i < story->lag_count; i++) {
		const struct lag_result *lag = &story->lags[i];

		text_add(page, "<section><h2>Replication lag, ");
		escape_markup(page, lag->probe);
		text_add(page, "</h2>\n");
		if (lag->replica_count == 0)
			text_add(page, "<p class=\"word tone-inconclusive\">No primary told of a "
				       "replica.</p>\n");
		else
			add_lag(page, story, lag);
		text_add(page, "<p>By the primary's own word. What is not flushed on a replica is "
			       "lost when that one takes over; what is not replayed is not yet seen by "
			       "its readers. Behind: how long ago the primary had written no more than "
			       "that.</p></section>\n");
	}
}
