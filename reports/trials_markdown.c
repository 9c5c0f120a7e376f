/*
 * trials_markdown.c - a set of trials for a ticket or a chat, GitHub flavoured.
 */
#include "reports/trials.h"

#include <inttypes.h>

#include "base/clock.h"
#include "reports/escape.h"

static void add_cell(struct text *text, const char *raw)
{
	text_add(text, "| ");
	escape_markdown(text, raw);
	text_add(text, " ");
}

static void write_objectives(struct text *text, const struct trial_set *set)
{
	if (set->objective_count == 0)
		return;
	text_add(text, "| Objective | Target | All trials | Verdict |\n"
		       "| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < set->objective_count; i++) {
		const struct objective_result *objective = &set->objectives[i];

		add_cell(text, objective->name);
		add_cell(text, objective->target);
		add_cell(text, objective->observed);
		text_addf(text, "| %s %s |\n", words_mark(objective->verdict, true),
			  words_verdict(objective->verdict));
	}
	text_add(text, "\n");
	for (size_t i = 0; i < set->objective_count; i++) {
		const struct objective_result *objective = &set->objectives[i];

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

static void write_recovery(struct text *text, const struct trial_set *set)
{
	struct trials_quantile quantiles[TRIALS_QUANTILES];
	char buffer[WORDS_BYTES];

	if (set->ranked_count == 0)
		return;
	trials_quantiles(set, quantiles);
	text_add(text, "## Recovery\n\n");
	for (size_t i = 0; i < TRIALS_QUANTILES; i++)
		text_addf(text, "%s%s", i == 0 ? "| " : " | ", quantiles[i].name);
	text_add(text, " |\n| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < TRIALS_QUANTILES; i++)
		text_addf(text, "%s%s", i == 0 ? "| " : " | ",
			  trials_span(quantiles[i].span, buffer));
	text_add(text, " |\n\n");
	if (*trials_remark(set, buffer) != '\0')
		text_addf(text, "Of %zu trials, %s.\n\n", set->trial_count, buffer);
}

static void write_trials(struct text *text, const struct trial_set *set)
{
	char buffer[WORDS_BYTES];

	if (set->trial_count == 0)
		return;
	text_add(text, "## Trials\n\n| Trial | Recovery | rto | Came to | Seed |\n"
		       "| ---: | --- | --- | --- | ---: |\n");
	for (size_t i = 0; i < set->trial_count; i++) {
		const struct trial *trial = &set->trials[i];
		const enum verdict verdict = trials_rto_verdict(trial);

		text_addf(text, "| %" PRId64 " ", trial->number);
		add_cell(text, trials_rto(trial, buffer));
		text_addf(text, "| %s %s | %s %s | %" PRIu64 " |\n", words_mark(verdict, true),
			  words_verdict(verdict), words_mark(words_tone(&trial->outcome), true),
			  words_headline(&trial->outcome), trial->seed);
	}
	text_add(text, "\n");
}

TRIALS_WRITER(markdown)
{
	char iso[32];

	(void)style; /* the same bytes for everyone */
	(void)e;     /* nothing here can fail */

	text_addf(ret_bytes, "# %s %s: ", words_mark(words_tone(&set->outcome), true),
		  words_headline(&set->outcome));
	escape_markdown(ret_bytes, set->title);
	text_add(ret_bytes, "\n\n**");
	escape_markdown(ret_bytes, set->outcome.sentence);
	text_add(ret_bytes, "**\n\n");
	if (set->hypothesis != NULL) {
		text_add(ret_bytes, "> Hypothesis: ");
		escape_markdown(ret_bytes, set->hypothesis);
		text_add(ret_bytes, "\n\n");
	}
	write_objectives(ret_bytes, set);
	write_recovery(ret_bytes, set);
	write_trials(ret_bytes, set);
	clock_format_wall(set->begun_wall_ns, iso, sizeof iso);
	text_add(ret_bytes, "Set ");
	escape_markdown(ret_bytes, set->set_id);
	text_addf(ret_bytes, ", started %s, seed %" PRIu64 ", firedrill ", iso, set->seed);
	escape_markdown(ret_bytes, set->version);
	text_add(ret_bytes, ".\n");
	return true;
}
