/*
 * markdown.c - report "markdown": the short form for a ticket, a pull request or a chat.
 *
 * GitHub flavoured. It has the verdict and the evidence for it; the timeline of events and the
 * picture are in the HTML report.
 */
#include "reports/report.h"

#include <inttypes.h>

#include "base/units.h"
#include "reports/escape.h"
#include "reports/facts.h"
#include "reports/findings.h"
#include "reports/trials.h"
#include "reports/words.h"
#include "reports/words_lag.h"
#include "reports/words_vantage.h"

static void add_cell(struct text *text, const char *raw)
{
	text_add(text, "| ");
	escape_markdown(text, raw);
	text_add(text, " ");
}

static void write_head(struct text *text, const struct story *story)
{
	const struct experiment *experiment = story->experiment;

	text_addf(text, "# %s %s: ", words_mark(words_tone(&story->outcome), true),
		  words_headline(&story->outcome));
	escape_markdown(text, experiment->title);
	text_add(text, "\n\n**");
	escape_markdown(text, story->outcome.sentence);
	text_add(text, "**\n\n");
	if (experiment->hypothesis != NULL) {
		text_add(text, "> Hypothesis: ");
		escape_markdown(text, experiment->hypothesis);
		text_add(text, "\n\n");
	}
}

static void write_objectives(struct text *text, const struct story *story)
{
	if (story->objective_count == 0)
		return;
	text_add(text, "| Objective | Target | Observed | Margin | Verdict |\n"
		       "| --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < story->objective_count; i++) {
		const struct objective_result *objective = &story->objectives[i];

		add_cell(text, objective->name);
		add_cell(text, objective->target);
		add_cell(text, objective->observed);
		add_cell(text, objective->margin);
		text_addf(text, "| %s %s |\n", words_mark(objective->verdict, true),
			  words_verdict(objective->verdict));
	}
	text_add(text, "\n");
	for (size_t i = 0; i < story->objective_count; i++) {
		const struct objective_result *objective = &story->objectives[i];

		if (objective->verdict == VERDICT_MET || objective->reason == NULL)
			continue;
		text_add(text, "- **");
		escape_markdown(text, objective->name);
		text_add(text, "**: ");
		escape_markdown(text, objective->reason);
		if (objective->advice != NULL) {
			text_add(text, " ");
			escape_markdown(text, objective->advice);
		}
		text_add(text, "\n");
	}
	text_add(text, "\n");
}

/* How well the probes kept their own timetables: the instrument's error. */
static void write_lateness(struct text *text, const struct story *story)
{
	const char *lanes = facts_lanes(story);
	char buffer[WORDS_BYTES];
	char every[UNITS_TEXT_BYTES];

	for (size_t i = 0; i < story->probe_count; i++) {
		const struct probe_result *probe = &story->probes[i];

		text_add(text, "- ");
		escape_markdown(text, probe->probe);
		text_addf(text, " sent every %s: %s",
			  units_format_duration(facts_every_ns(story, probe->probe), every),
			  words_lateness(probe, buffer));
		if (probe->late_count > 0)
			text_addf(text, "; %s in the next slot",
				  words_count(probe->late_count, buffer));
		text_add(text, "\n");
	}
	if (lanes != NULL) {
		text_add(text, "- ");
		escape_markdown(text, lanes);
		text_add(text, "\n");
	}
	text_add(text, "\n");
}

static void write_recovery(struct text *text, const struct story *story)
{
	char buffer[WORDS_BYTES];

	if (story->probe_count == 0)
		return;
	text_add(text, "## Recovery\n\n"
		       "| Probe | Recovery | Availability | Bad | Good | Flaps |\n"
		       "| --- | --- | --- | ---: | ---: | ---: |\n");
	for (size_t i = 0; i < story->probe_count; i++) {
		const struct probe_result *probe = &story->probes[i];

		add_cell(text, probe->probe);
		add_cell(text, words_rto(probe, facts_every_ns(story, probe->probe), buffer));
		add_cell(text, words_availability(probe, buffer));
		add_cell(text, words_count(probe->bad_count, buffer));
		add_cell(text, words_count(probe->good_count, buffer));
		text_addf(text, "| %" PRIu64 " |\n", probe->flap_count);
	}
	text_add(text, "\n");
	write_lateness(text, story);
}

static void write_parts(struct text *text, const struct story *story)
{
	const struct probe_result *service = story->service;
	char buffer[WORDS_BYTES];

	if (service == NULL || service->part_count == 0)
		return;
	text_add(text, "The recovery in its parts, as ");
	escape_markdown(text, service->probe);
	text_add(text, " saw it:\n\n");
	for (size_t i = 0; i < service->part_count; i++) {
		text_add(text, "- ");
		escape_markdown(text, service->parts[i].name);
		text_addf(text, ": %s\n", words_span(service->parts[i].span, buffer));
	}
	text_add(text, "\n");
}

static void write_levels(struct text *text, const struct story *story)
{
	const struct service_level *level;
	char buffer[WORDS_BYTES];
	const char *when;

	if (story->probe_count == 0)
		return;
	text_addf(text, "## %s\n\n| Probe | When ",
		  facts_has_fault(story) ? "Before, during and after the fault" : "Service level");
	for (size_t i = 0; i < PERCENTILE_COUNT; i++)
		text_addf(text, "| %s ", percentile_word((enum percentile)i));
	text_add(text, "| Errors | Per second | Kept |\n| --- | --- |");
	for (size_t i = 0; i < PERCENTILE_COUNT + 3; i++)
		text_add(text, " ---: |");
	text_add(text, "\n");
	for (size_t i = 0; i < story->probe_count; i++) {
		for (size_t k = 0; (level = words_level(story, &story->probes[i], k, &when)) != NULL;
		     k++) {
			add_cell(text, story->probes[i].probe);
			add_cell(text, when);
			for (size_t p = 0; p < PERCENTILE_COUNT; p++)
				add_cell(text, level->slot_count == 0 ?
						       "-" :
						       words_latency(level->latency[p], buffer));
			add_cell(text, words_errors(level, buffer));
			add_cell(text, words_per_s(level, buffer));
			add_cell(text, words_kept(level, buffer));
			text_add(text, "|\n");
		}
	}
	text_add(text, "\n");
}

static void write_class(struct text *text, const struct class_row *row,
			const struct ledger_result *ledger)
{
	const struct ledger_count_result *counts[] = { &ledger->stable, &ledger->healed };
	char buffer[WORDS_BYTES];

	text_addf(text, "| %s | %s ", row->name, row->meaning);
	for (size_t i = 0; i < 2; i++) {
		if (!counts[i]->was_counted || !counts[i]->is_readable) {
			text_add(text, "| - ");
			continue;
		}

		const uint64_t count = row->count(&counts[i]->classes);
		const bool is_loss = row->weight == CLASS_LOSS && count > 0;

		text_addf(text, is_loss ? "| **%s** " : "| %s ", words_count(count, buffer));
	}
	text_add(text, "|\n");
}

/* What was to be expected, beside what came. */
static void write_bound(struct text *text, const struct story *story,
			const struct ledger_result *ledger)
{
	struct text line = { 0 };

	words_bound_beside_loss(story, ledger, &line);
	if (line.length_bytes > 0) {
		escape_markdown(text, text_str(&line));
		text_add(text, "\n\n");
	}
	text_release(&line);
}

static void write_ledgers(struct text *text, const struct story *story)
{
	size_t class_count;
	const struct class_row *classes = words_classes(&class_count);
	char buffer[WORDS_BYTES];

	for (size_t i = 0; i < story->ledger_count; i++) {
		const struct ledger_result *ledger = &story->ledgers[i];

		text_add(text, "## Ledger ");
		escape_markdown(text, ledger->probe);
		text_add(text, "\n\n");
		if (ledger->worse == NULL) {
			text_add(text, "Could not be read: what was lost is not known.\n\n");
			continue;
		}
		text_addf(text, "%s of ", words_count(ledger->worse->classes.acknowledged, buffer));
		text_addf(text, "%s writes were acknowledged; ",
			  words_count(ledger->worse->classes.attempted, buffer));
		text_addf(text, "observed RPO %s.\n\n", words_span(ledger->worse->rpo, buffer));
		write_bound(text, story, ledger);
		text_add(text, "| Class | Meaning | Once stable | After the heal |\n"
			       "| --- | --- | ---: | ---: |\n");
		for (size_t row = 0; row < class_count; row++)
			write_class(text, &classes[row], ledger);
		text_add(text, "\n");
	}
}

static void write_findings(struct text *text, const struct story *story)
{
	struct findings findings;

	for (size_t i = 0; findings_at(story, i, &findings); i++) {
		text_addf(text, "## %s ", findings.heading);
		escape_markdown(text, findings.probe);
		text_add(text, "\n\n| Finding | Observed | Meaning |\n| --- | --- | --- |\n");
		for (size_t n = 0; n < findings.row_count; n++) {
			const struct finding_row *row = &findings.rows[n];

			text_addf(text, "| %s | %s", row->name, row->is_bad ? "**" : "");
			escape_markdown(text, row->value);
			text_addf(text, "%s | %s |\n", row->is_bad ? "**" : "", row->meaning);
		}
		text_add(text, "\n");
	}
}

static void write_replica(struct text *text, const struct story *story,
			  const struct replica_lag *replica)
{
	const struct lag_worst *worst;
	const char *when;
	char buffer[WORDS_BYTES];

	for (size_t i = 0; (worst = words_lag_window(story, replica, i, &when)) != NULL; i++) {
		add_cell(text, replica->replica);
		add_cell(text, when);
		add_cell(text, words_lag_bytes(worst->flush_bytes, buffer));
		add_cell(text, words_lag_time(worst->flush_bytes, worst->flush_behind, buffer));
		add_cell(text, words_lag_bytes(worst->replay_bytes, buffer));
		add_cell(text, words_lag_time(worst->replay_bytes, worst->replay_behind, buffer));
		add_cell(text, words_lag_unknown(worst, buffer));
		text_add(text, "|\n");
	}
}

static void write_views(struct text *text, const struct story *story)
{
	const struct vantage_view *view;
	const struct vantage_sight *sight;
	char buffer[WORDS_BYTES];

	if (story->view_count == 0)
		return;
	text_add(text, "## From several places\n\n");
	escape_markdown(text, story->seen_from);
	text_add(text, "\n\n| Probe | Seen from | Outage | Down in all | Failed | Not seen |\n"
		       "| --- | --- | --- | --- | ---: | ---: |\n");
	for (size_t i = 0; (view = words_vantage_row(story, i, &sight)) != NULL; i++) {
		add_cell(text, sight == NULL ? "-" : sight->probe);
		add_cell(text, view->name);
		add_cell(text, sight == NULL ? "nothing is told" : words_outage(sight, buffer));
		add_cell(text, sight == NULL ? "-" : words_span(sight->downtime, buffer));
		add_cell(text, sight == NULL ? "-" : words_failed(sight, buffer));
		add_cell(text, sight == NULL ? "-" : words_count(sight->unseen_count, buffer));
		text_add(text, "|\n");
	}
	text_addf(text, "\n%s\n\n", words_vantage_note);
}

static void write_lag(struct text *text, const struct story *story, const struct lag_result *lag)
{
	struct text line = { 0 };

	text_add(text, "## Replication lag, ");
	escape_markdown(text, lag->probe);
	text_add(text, "\n\n");
	if (lag->replica_count == 0) {
		text_add(text, "No primary told of a replica.\n\n");
		return;
	}
	text_add(text, "| Replica | At worst | Not flushed | Behind | Not replayed | Behind | Unknown for |\n"
		       "| --- | --- | ---: | ---: | ---: | ---: | ---: |\n");
	for (size_t i = 0; i < lag->replica_count; i++)
		write_replica(text, story, &lag->replicas[i]);
	text_add(text, "\n");
	for (size_t i = 0; i < lag->replica_count; i++) {
		text_clear(&line);
		words_lag_moments(story, &lag->replicas[i], &line);
		if (line.length_bytes == 0)
			continue;
		text_add(text, "- ");
		escape_markdown(text, text_str(&line));
		text_add(text, "\n");
	}
	text_add(text, "\n");
	text_release(&line);
}

static void write_deeds(struct text *text, const struct story *story)
{
	if (story->deed_count == 0)
		return;
	text_add(text, "## What was done, and undone\n\n"
		       "| Step | Host | Fault | Took effect | Heal | Read back |\n"
		       "| ---: | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < story->deed_count; i++) {
		const struct deed *deed = &story->deeds[i];

		text_addf(text, "| %" PRIu32 " ", deed->step);
		add_cell(text, deed->host);
		text_add(text, "| ");
		escape_markdown(text, deed->fault);
		text_add(text, ": ");
		escape_markdown(text, deed->what);
		text_add(text, " ");
		add_cell(text, words_confirmation(deed->confirmation));
		add_cell(text, deed->heal);
		text_addf(text, "| %s%s%s", deed->read_back == EVENT_LEFTOVER ? "**" : "",
			  words_read_back(deed), deed->read_back == EVENT_LEFTOVER ? "**" : "");
		if (deed->leftover != NULL) {
			text_add(text, ": ");
			escape_markdown(text, deed->leftover);
		}
		text_add(text, " |\n");
	}
	text_add(text, "\n");
}

static void write_list(struct text *text, const char *heading, const char *const *sentences,
		       size_t count)
{
	if (count == 0)
		return;
	text_addf(text, "## %s\n\n", heading);
	for (size_t i = 0; i < count; i++) {
		text_add(text, "- ");
		escape_markdown(text, sentences[i]);
		text_add(text, "\n");
	}
	text_add(text, "\n");
}

static void write_foot(struct text *text, const struct story *story)
{
	char buffer[WORDS_BYTES];
	char duration[UNITS_TEXT_BYTES];

	write_list(text, "Permission", story->permission, story->permission_count);
	write_list(text, "What could not be told", story->untold, story->untold_count);
	text_add(text, "Run ");
	escape_markdown(text, story->run_id);
	if (story->set_id != NULL) {
		text_add(text, ", ");
		escape_markdown(text, words_trial(story, buffer));
	}
	text_addf(text, ", started %s, ", words_wall(story, facts_started_ns(story), buffer));
	text_addf(text, "took %s, firedrill ",
		  units_format_duration(facts_ended_ns(story) - facts_started_ns(story), duration));
	escape_markdown(text, story->version);
	text_add(text, ".\n");
	if (facts_head(story) != NULL)
		text_addf(text, "Head `%s`.\n", facts_head(story));
}

static bool markdown_write(const struct story *story, const struct report_style *style,
			   struct text *ret_bytes, struct err *e)
{
	(void)style; /* the same bytes for everyone */
	(void)e;     /* nothing here can fail */

	write_head(ret_bytes, story);
	write_objectives(ret_bytes, story);
	write_recovery(ret_bytes, story);
	write_parts(ret_bytes, story);
	write_views(ret_bytes, story);
	write_levels(ret_bytes, story);
	write_ledgers(ret_bytes, story);
	write_findings(ret_bytes, story);
	for (size_t i = 0; i < story->lag_count; i++)
		write_lag(ret_bytes, story, &story->lags[i]);
	write_deeds(ret_bytes, story);
	write_foot(ret_bytes, story);
	return true;
}

const struct report_ops report_markdown = {
	.name = "markdown",
	.file_name = "report.md",
	.summary = "Markdown for a ticket or a chat: verdict, objectives, ledger, deeds",
	.write = markdown_write,
	.write_set = trials_markdown_write,
};
