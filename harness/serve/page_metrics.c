/*
 * page_metrics.c - page "/metrics". A store that cannot be read is a number there, too, and no failure:
 * else an alert about it would look like one about a server that is down.
 */
#include "serve/metric.h"
#include "serve/page.h"

static bool write_metrics(const struct visit *visit, struct answer *answer, struct err *e)
{
	static const struct history nothing;
	struct metric_facts facts = { .version = FIREDRILL_VERSION, .history = &nothing };

	facts.is_store_up = site_history(visit->site, &facts.history, e);
	metric_write_all(&facts, &answer->body);
	return true;
}

const struct page page_metrics = {
	.path = "/metrics",
	.content_type = METRIC_CONTENT_TYPE,
	.write = write_metrics,
};
