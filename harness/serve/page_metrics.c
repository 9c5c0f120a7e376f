/*
 * page_metrics.c - page "/metrics". A store that cannot be read is a number there, too, and no failure:
 * else an alert about it would look like one about a server that is down.
 */
#include "notify/outbox.h"
#include "serve/metric.h"
#include "serve/page.h"

/* -1: they cannot be counted. */
static int64_t count_messages(const char *folder, enum outbox_part part)
{
	size_t count = 0;

	return outbox_count(folder, part, &count, NULL) ? (int64_t)count : -1;
}

static bool write_metrics(const struct visit *visit, struct answer *answer, struct err *e)
{
	static const struct history nothing;
	struct metric_facts facts = { .version = FIREDRILL_VERSION, .history = &nothing };

	struct text folder = { 0 };

	site_outbox(visit->site, &folder);
	facts.is_store_up = site_history(visit->site, &facts.history, e);
	facts.waiting_count = count_messages(text_str(&folder), OUTBOX_WAITING);
	facts.dead_count = count_messages(text_str(&folder), OUTBOX_DEAD);
	metric_write_all(&facts, &answer->body);
	text_release(&folder);
	return true;
}

const struct page page_metrics = {
	.path = "/metrics",
	.content_type = METRIC_CONTENT_TYPE,
	.write = write_metrics,
};
