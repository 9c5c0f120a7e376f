/*
 * words_lag.c - see words_lag.h.
 */
#include "reports/words_lag.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "reports/facts.h"

const char *words_lag_bytes(int64_t bytes, char text[WORDS_BYTES])
{
	char number[UNITS_TEXT_BYTES];

	(void)snprintf(text, WORDS_BYTES, "%s",
		       bytes == LAG_UNKNOWN ? "-" :
					      units_format_bytes((uint64_t)bytes, number));
	return text;
}

const char *words_lag_time(int64_t bytes, struct span behind, char text[WORDS_BYTES])
{
	if (bytes != LAG_UNKNOWN)
		return words_latency(behind, text);
	(void)snprintf(text, WORDS_BYTES, "-");
	return text;
}

const char *words_lag_unknown(const struct lag_worst *worst, char text[WORDS_BYTES])
{
	char unseen[UNITS_TEXT_BYTES];

	if (worst->look_count == 0)
		(void)snprintf(text, WORDS_BYTES, "%s",
			       worst->was_primary ? "it was the primary" : "nobody told of it");
	else if (worst->unknown_count == 0)
		(void)snprintf(text, WORDS_BYTES, "%s at most",
			       units_format_duration(worst->unseen_ns, unseen));
	else
		(void)snprintf(text, WORDS_BYTES, "%s at most (%" PRIu64 " of %" PRIu64 " answers)",
			       units_format_duration(worst->unseen_ns, unseen),
			       worst->unknown_count, worst->look_count);
	return text;
}

const struct lag_worst *words_lag_window(const struct story *story, const struct replica_lag *replica,
					 size_t index, const char **ret_when)
{
	static const char *const names[LAG_WINDOWS] = { "baseline", "during", "after" };

	if (index >= (facts_has_fault(story) ? LAG_WINDOWS : 1))
		return NULL;
	*ret_when = names[index];
	return &replica->windows[index];
}

void words_lag_moments(const struct story *story, const struct replica_lag *replica,
		       struct text *text)
{
	const struct lag_point *before = replica->last_before;
	const struct lag_point *last = replica->last_words;
	char bytes[WORDS_BYTES];
	char moment[WORDS_BYTES];

	if (before == NULL && last == NULL)
		return;
	text_addf(text, "%s lacked ", replica->replica);
	if (before != NULL)
		text_addf(text, "%s when last seen before the fault%s",
			  words_lag_bytes(before->flush_bytes, bytes), last == NULL ? "" : ", and ");
	if (last != NULL && last != before)
		text_addf(text, "%s when %s last spoke as primary of it (%s)",
			  words_lag_bytes(last->flush_bytes, bytes), last->primary,
			  words_moment(last->until_ns - facts_zero_ns(story), moment));
	else if (last != NULL)
		text_addf(text, "%s said no more of it as primary", last->primary);
}

const struct loss_bound *words_bound_of(const struct story *story, const char *probe)
{
	const struct probe_spec *spec = facts_spec(story, probe);

	for (size_t i = 0; spec != NULL && spec->service != NULL && i < story->bound_count; i++)
		if (strcmp(story->bounds[i].service, spec->service->name) == 0)
			return &story->bounds[i];
	return NULL;
}

static void add_synchronous(const struct failover_settings *settings, struct text *text)
{
	text_addf(text,
		  "By its own settings %s may lose nothing that was acknowledged: it promotes "
		  "synchronous replicas only (synchronous_mode%s). That does not hold for clients with "
		  "synchronous_commit off or local, for a failover by hand, nor against an old leader "
		  "that takes the lead back%s.", settings->manager,
		  settings->is_strict ? ", strict" : "",
		  settings->is_strict ? "" : "; and with no replica left the leader goes on alone (it "
					     "is not strict), as the only one that has the writes");
}

static void add_asynchronous(const struct loss_bound *bound, struct text *text)
{
	const struct failover_settings *settings = &bound->settings;
	char lag[WORDS_BYTES];
	char ttl[UNITS_TEXT_BYTES];
	char number[WORDS_BYTES];

	(void)words_lag_bytes(settings->maximum_lag_bytes, lag);
	(void)units_format_duration(settings->ttl_ns, ttl);
	if (bound->bound_bytes == LAG_UNKNOWN) {
		text_addf(text,
			  "By its own settings %s may lose up to %s of WAL (maximum_lag_on_failover) and "
			  "what the leader writes within its ttl of %s; how much that is is not known, "
			  "since no lag probe measured it.", settings->manager, lag, ttl);
		return;
	}
	text_addf(text, "By its own settings %s may lose up to %s of WAL: ", settings->manager,
		  words_lag_bytes(bound->bound_bytes, number));
	text_addf(text,
		  "%s (maximum_lag_on_failover), and what the leader writes within its ttl of %s, at "
		  "%s/s, the fastest that was measured.", lag, ttl,
		  words_lag_bytes(bound->wal_bytes_per_s, number));
}

void words_bound(const struct loss_bound *bound, struct text *text)
{
	if (bound->settings.is_paused)
		text_addf(text, "%s is paused: it fails nothing over by itself, so its settings bound "
			  "nothing.", bound->settings.manager);
	else if (bound->settings.is_synchronous)
		add_synchronous(&bound->settings, text);
	else
		add_asynchronous(bound, text);
}

void words_bound_beside_loss(const struct story *story, const struct ledger_result *ledger,
			     struct text *text)
{
	const struct loss_bound *bound = words_bound_of(story, ledger->probe);
	char count[WORDS_BYTES];
	uint64_t lost;

	if (bound == NULL)
		return;
	words_bound(bound, text);
	if (ledger->worse == NULL) {
		text_add(text, " Observed: not known.");
		return;
	}
	lost = ledger->worse->classes.lost + ledger->worse->classes.corrupted;
	if (lost == 0)
		text_add(text, " Observed: nothing lost.");
	else
		text_addf(text, " Observed: %s acknowledged write%s lost.", words_count(lost, count),
			  lost == 1 ? "" : "s");
}
