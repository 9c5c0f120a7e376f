/*
 * judge_run.c - the verdict of the whole run, its exit code and its one sentence.
 *
 * The sentence is what somebody reads who reads nothing else: it says what was seen before it says
 * what that means, and it never says "met" for something that was not looked at.
 */
#include "engine/judge.h"

#include <string.h>

#include "base/units.h"
#include "engine/judge_facts.h"
#include "engine/judge_words.h"
#include "engine/measure.h"

static enum verdict judge_all(const struct judge_facts *facts,
			      const struct objective_result *objectives, size_t count)
{
	const bool is_whole = facts->unconfirmed == NULL && facts->not_read_back == NULL &&
			      (facts->has_settled || !facts->has_harmed);
	enum verdict verdict = is_whole ? VERDICT_MET : VERDICT_INCONCLUSIVE;

	for (size_t i = 0; i < count; i++) {
		if (objectives[i].verdict == VERDICT_MISSED)
			return VERDICT_MISSED;
		if (objectives[i].verdict != VERDICT_MET)
			verdict = VERDICT_INCONCLUSIVE;
	}
	return verdict;
}

/* design.md 4: when several hold, the first of these counts. */
static enum run_exit choose_exit(const struct judge_facts *facts, enum verdict verdict)
{
	if (facts->leftover != NULL)
		return EXIT_LEFTOVER;
	if (facts->failed != NULL)
		return EXIT_INTERNAL;
	if (facts->stopped != NULL)
		return EXIT_STOPPED;
	if (facts->not_started != NULL)
		return EXIT_NOT_STARTED;
	if (verdict == VERDICT_MISSED)
		return EXIT_MISSED;
	return verdict == VERDICT_MET ? EXIT_MET : EXIT_INCONCLUSIVE;
}

static void add_clause(struct text *text, const char *clause)
{
	if (text->length_bytes > 0)
		text_add(text, "; ");
	text_add(text, clause);
}

static void tell_recovery(const struct judge_request *request, struct arena *arena,
			  struct text *text)
{
	const struct objectives *objectives = &request->experiment->objectives;
	enum measured kind;
	struct span rto;
	const char *probe;

	measure_service_rto(request->probes, request->probe_count, &kind, &rto, &probe);
	switch (kind) {
	case MEASURED_NOTHING:
		return;
	case MEASURED_SPAN:
		text_addf(text, "recovered in %s", judge_span(arena, rto));
		break;
	case MEASURED_NO_OUTAGE:
		text_add(text, judge_observed_rto(request, arena));
		break;
	case MEASURED_NEVER_RECOVERED:
		text_addf(text, "never recovered: `%s` was down for at least %s", probe,
			  judge_duration(arena, rto.low_ns));
		break;
	}
	if (objectives->has_rto)
		text_addf(text, ", target %s", judge_duration(arena, objectives->rto_ns));
}

/* The ledger that lost most, at its worse count. */
static void tell_ledger(const struct judge_request *request, struct arena *arena, struct text *text)
{
	const struct ledger_classes *worst = NULL;

	for (size_t i = 0; i < request->ledger_count; i++) {
		const struct ledger_count_result *count = request->ledgers[i].worse;

		if (count == NULL)
			continue;
		if (worst == NULL ||
		    count->classes.lost + count->classes.corrupted > worst->lost + worst->corrupted)
			worst = &count->classes;
	}
	if (worst != NULL)
		add_clause(text, judge_losses(arena, worst));
}

static void tell_rows(const struct objective_result *objectives, size_t count, enum verdict verdict,
		      struct text *text)
{
	bool is_first = true;

	for (size_t i = 0; i < count; i++) {
		if (objectives[i].verdict != verdict)
			continue;
		if (is_first)
			add_clause(text, verdict_name(verdict));
		text_addf(text, "%s %s", is_first ? ":" : ",", objectives[i].name);
		is_first = false;
	}
}

static const char *tell_measured(const struct judge_request *request,
				 const struct judge_facts *facts,
				 const struct objective_result *objectives, size_t count,
				 struct arena *arena)
{
	struct text text = { 0 };
	const char *sentence;

	tell_recovery(request, arena, &text);
	tell_ledger(request, arena, &text);
	tell_rows(objectives, count, VERDICT_MISSED, &text);
	tell_rows(objectives, count, VERDICT_INCONCLUSIVE, &text);
	if (facts->unconfirmed != NULL)
		add_clause(&text, facts->unconfirmed);
	else if (facts->not_read_back != NULL)
		add_clause(&text, facts->not_read_back);
	else if (facts->has_harmed && !facts->has_settled)
		add_clause(&text,
			   "the run ended before it was known whether the service was steady "
			   "again");
	if (count == 0)
		add_clause(&text, "no objective was declared");
	if (text.length_bytes == 0)
		text_add(&text, "nothing was measured");
	sentence = judge_sentence(arena, text_str(&text));
	text_release(&text);
	return sentence;
}

static const char *tell_leftover(const struct judge_request *request,
				 const struct judge_facts *facts, struct arena *arena)
{
	const char *more = facts->leftover_count < 2
				   ? ""
				   : arena_format(arena, " (and %s more)",
						  judge_count(arena, facts->leftover_count - 1));

	return arena_format(arena, "Left unhealed: %s%s. Run `firedrill heal %s`.", facts->leftover,
			    more, request->timeline->run_id);
}

/* Engine sentences already begin with the word; anything else gets it. */
static const char *with_word(struct arena *arena, const char *word, const char *text)
{
	if (strncmp(text, word, strlen(word)) == 0)
		return text;
	return arena_format(arena, "%s: %s", word, text);
}

/* From the moment there was a reason to stop to the answer of the last heal; 0: there is none. */
static int64_t stop_to_heal_ns(const struct judge_facts *facts)
{
	if (facts->stopped == NULL || facts->last_heal_ns <= facts->stopped_ns)
		return 0;
	return facts->last_heal_ns - facts->stopped_ns;
}

static const char *tell_stopped(const struct judge_facts *facts, struct arena *arena)
{
	const int64_t took_ns = stop_to_heal_ns(facts);
	char length[UNITS_TEXT_BYTES];
	const char *state = "everything is healed";

	if (took_ns > 0)
		state = arena_format(arena, "everything is healed, %s after that",
				     units_format_duration(took_ns, length));
	if (facts->not_read_back != NULL)
		state = facts->not_read_back;
	if (!facts->has_harmed)
		state = "nothing was harmed";
	return judge_sentence(
		arena,
		arena_format(arena, "%s; %s", with_word(arena, "stopped", facts->stopped), state));
}

static const char *tell(const struct judge_request *request, const struct judge_facts *facts,
			const struct objective_result *objectives, size_t count, enum run_exit code,
			struct arena *arena)
{
	switch (code) {
	case EXIT_LEFTOVER:
		return tell_leftover(request, facts, arena);
	case EXIT_INTERNAL:
		return judge_sentence(arena, with_word(arena, "failed", facts->failed));
	case EXIT_STOPPED:
		return tell_stopped(facts, arena);
	case EXIT_NOT_STARTED:
		return judge_sentence(arena, with_word(arena, "not started", facts->not_started));
	case EXIT_MET:
	case EXIT_MISSED:
	case EXIT_INCONCLUSIVE:
	case EXIT_NOT_RUN:
		break;
	}
	return tell_measured(request, facts, objectives, count, arena);
}

void judge_run(const struct judge_request *request, const struct objective_result *objectives,
	       size_t objective_count, struct arena *arena, struct outcome *ret_outcome)
{
	struct judge_facts facts;
	enum verdict verdict;
	enum run_exit code;

	judge_facts_read(request, arena, &facts);
	verdict = judge_all(&facts, objectives, objective_count);
	code = choose_exit(&facts, verdict);
	*ret_outcome = (struct outcome){
		.verdict = code == EXIT_INTERNAL || code == EXIT_STOPPED || code == EXIT_NOT_STARTED
				   ? VERDICT_NONE
				   : verdict,
		.exit_code = code,
		.sentence = tell(request, &facts, objectives, objective_count, code, arena),
		.stop_to_heal_ns = stop_to_heal_ns(&facts),
	};
}
