/*
 * judge_trials.c - see judge_trials.h. The words of a set: its rows, its exit code, its sentence.
 *
 * It never looks into a trial: each was judged by itself, and only the verdicts are put together.
 */
#include "engine/judge_trials.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/judge_words.h"
#include "engine/statistics.h"

enum { PPM = 1000000 };

/* ---- numbers ---- */

static void summarise(struct trial_set *set)
{
	struct span *spans = mem_alloc((set->trial_count + 1) * sizeof *spans);

	for (size_t i = 0; i < set->trial_count; i++) {
		const struct trial *trial = &set->trials[i];

		set->no_outage_count += trial->rto_kind == MEASURED_NO_OUTAGE ? 1 : 0;
		set->never_count += trial->rto_kind == MEASURED_NEVER_RECOVERED ? 1 : 0;
		if (trial->rto_kind != MEASURED_NOTHING)
			spans[set->ranked_count++] = trial->rto;
	}
	statistics_summarise(spans, set->ranked_count, &set->rto);
	free(spans);
}

static enum verdict verdict_of(const struct trial *trial, const char *objective)
{
	for (size_t i = 0; i < trial->objective_count; i++)
		if (strcmp(trial->objectives[i].name, objective) == 0)
			return trial->objectives[i].verdict;
	return VERDICT_NONE;
}

static double confidence_of(const struct trial_set *set)
{
	return (double)set->promised.rto_confidence_ppm / PPM;
}

static void count_share(struct trial_set *set)
{
	struct trial_share *share = &set->share;

	if (!set->promised.has_rto)
		return;
	for (size_t i = 0; i < set->trial_count; i++) {
		if (!set->trials[i].counts)
			continue;
		switch (verdict_of(&set->trials[i], "rto")) {
		case VERDICT_NONE:
			continue;
		case VERDICT_MET:
			share->met_count++;
			break;
		case VERDICT_MISSED:
			share->missed_count++;
			break;
		case VERDICT_INCONCLUSIVE:
			share->inconclusive_count++;
			break;
		}
		share->trial_count++;
	}
	share->low_ppm = (int64_t)floor(
		PPM * statistics_share_low(share->met_count, share->trial_count,
					   confidence_of(set)));
	share->high_ppm = (int64_t)ceil(
		PPM * statistics_share_high(share->met_count + share->inconclusive_count,
					    share->trial_count, confidence_of(set)));
}

/* ---- words ---- */

const char *judge_open_span(struct arena *arena, struct span span)
{
	if (span.high_ns == INT64_MAX)
		return arena_format(arena, "%s or more", judge_duration(arena, span.low_ns));
	return judge_span(arena, span);
}

/*
 * To a tenth of a percent, as tables of such bounds are printed; but exactly where rounding would
 * carry it over the share that was asked for, or to a certainty.
 */
static const char *say_bound(const struct trial_set *set, struct arena *arena, int64_t ppm)
{
	const int64_t rounded_ppm = (ppm + 500) / 1000 * 1000;
	const int64_t asked_ppm = set->promised.rto_share_ppm;

	if ((rounded_ppm >= asked_ppm) != (ppm >= asked_ppm) ||
	    (rounded_ppm == PPM && ppm < PPM) || (rounded_ppm == 0 && ppm > 0))
		return judge_percent(arena, ppm);
	return judge_percent(arena, rounded_ppm);
}

const char *judge_share_sentence(const struct trial_set *set, struct arena *arena)
{
	const struct trial_share *share = &set->share;
	const char *some = "";

	if (share->trial_count == 0)
		return NULL;
	if (share->inconclusive_count > 0)
		some = arena_format(arena, " (%s inconclusive)",
				    judge_count(arena, share->inconclusive_count));
	return arena_format(arena, "%s of %s within %s%s: at least %s with %s confidence",
			    judge_count(arena, share->met_count),
			    judge_count(arena, share->trial_count),
			    judge_duration(arena, set->promised.rto_ns), some,
			    say_bound(set, arena, share->low_ppm),
			    judge_percent(arena, set->promised.rto_confidence_ppm));
}

/* "3.9 s to 4.61 s (median 4.2 s to 4.3 s)"; NULL when nothing was measured. */
static const char *say_rto(const struct trial_set *set, struct arena *arena)
{
	const struct span whole = { set->rto.min.low_ns, set->rto.max.high_ns };

	if (set->ranked_count == 0)
		return NULL;
	if (set->no_outage_count == set->ranked_count)
		return "no outage seen";
	return arena_format(arena, "%s (median %s)", judge_open_span(arena, whole),
			    judge_open_span(arena, set->rto.median));
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* ---- the share ---- */

static const char *advise_more(const struct trial_set *set, struct arena *arena)
{
	const struct trial_share *share = &set->share;
	const uint64_t more = statistics_trials_more(
		share->met_count, share->trial_count, (double)set->promised.rto_share_ppm / PPM,
		confidence_of(set), LIMIT_TRIALS);

	if (more > LIMIT_TRIALS)
		return arena_format(arena,
				    "not even %d more trials within the target would show it: see "
				    "what went wrong in those that were not",
				    (int)LIMIT_TRIALS);
	return arena_format(
		arena,
		"%s more trial%s, all within the target, would show it; run %s in one set, because "
		"trials that are added until a promise is met show less than they seem to",
		judge_count(arena, more), plural(more),
		judge_count(arena, share->trial_count + more));
}

static void judge_share_row(const struct trial_set *set, struct arena *arena,
			struct objective_result *row)
{
	const struct trial_share *share = &set->share;
	const double asked = (double)set->promised.rto_share_ppm / PPM;
	const uint64_t at_best = share->met_count + share->inconclusive_count;
	const double confidence = confidence_of(set);
	const char *bounds = arena_format(arena, "%s to %s", say_bound(set, arena, share->low_ppm),
					  say_bound(set, arena, share->high_ppm));

	row->advice = NULL;
	if (share->trial_count == 0) {
		row->verdict = VERDICT_NONE;
		row->observed = "not measured";
		row->reason = "No trial came as far as the fault.";
	} else if (statistics_is_share_shown(share->met_count, share->trial_count, asked,
					     confidence)) {
		row->verdict = VERDICT_MET;
		row->reason = judge_sentence(
			arena, arena_format(arena, "the share of the long run is %s or more",
					    say_bound(set, arena, share->low_ppm)));
	} else if (statistics_is_share_missed(at_best, share->trial_count, asked, confidence)) {
		row->verdict = VERDICT_MISSED;
		row->reason = judge_sentence(
			arena, arena_format(arena, "the share of the long run is %s at most",
					    say_bound(set, arena, share->high_ppm)));
	} else {
		row->verdict = VERDICT_INCONCLUSIVE;
		row->reason = judge_sentence(
			arena, arena_format(arena, "the share of the long run may be %s", bounds));
		row->advice = judge_sentence(arena, advise_more(set, arena));
	}
}

/* ---- the rows ---- */

static int badness(enum verdict verdict)
{
	static const int ranks[] = { [VERDICT_MET] = 0,
				     [VERDICT_NONE] = 1,
				     [VERDICT_INCONCLUSIVE] = 2,
				     [VERDICT_MISSED] = 3 };

	return ranks[verdict];
}

/* One promise over all trials that have a row of it: the worst verdict, and whose it is. */
static void judge_over_trials(const struct trial_set *set, struct arena *arena,
			      struct objective_result *row)
{
	const struct trial *worst = NULL;
	const struct objective_result *worst_row = NULL;
	uint64_t row_count = 0;
	uint64_t met_count = 0;

	for (size_t i = 0; i < set->trial_count; i++)
		for (size_t j = 0; j < set->trials[i].objective_count; j++) {
			const struct objective_result *own = &set->trials[i].objectives[j];

			if (strcmp(own->name, row->name) != 0)
				continue;
			row_count++;
			met_count += own->verdict == VERDICT_MET ? 1 : 0;
			if (worst_row != NULL &&
			    badness(own->verdict) <= badness(worst_row->verdict))
				continue;
			worst = &set->trials[i];
			worst_row = own;
		}
	assert(worst_row != NULL); /* the row is of a trial */
	row->verdict = worst_row->verdict;
	row->observed = arena_format(arena, "met in %s of %s trials", judge_count(arena, met_count),
				     judge_count(arena, row_count));
	row->reason = worst_row->verdict == VERDICT_MET ?
			      "Every trial met it." :
			      arena_format(arena, "Trial %" PRId64 ": %s", worst->number,
					   worst_row->reason == NULL ? "" : worst_row->reason);
	row->advice = worst_row->advice;
}

static void judge_row(const struct trial_set *set, const struct objective_result *first,
		      struct arena *arena, struct objective_result *ret_row)
{
	const bool is_rto = set->promised.has_rto && strcmp(first->name, "rto") == 0;
	const char *observed = is_rto ? judge_share_sentence(set, arena) : NULL;

	*ret_row = (struct objective_result){ .name = first->name,
					      .target = first->target,
					      .margin = "" };
	judge_over_trials(set, arena, ret_row);
	if (observed != NULL)
		ret_row->observed = observed;
	if (!is_rto || !set->promised.has_rto_share)
		return;
	ret_row->target = arena_format(
		arena, "%s in %s of trials, with %s confidence", first->target,
		judge_percent(arena, set->promised.rto_share_ppm),
		judge_percent(arena, set->promised.rto_confidence_ppm));
	judge_share_row(set, arena, ret_row);
}

static bool is_new(const struct objective_result *rows, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].name, name) == 0)
			return false;
	return true;
}

static void judge_rows(struct trial_set *set, struct arena *arena)
{
	struct objective_result *rows;
	size_t room = 1;

	for (size_t i = 0; i < set->trial_count; i++)
		room += set->trials[i].objective_count;
	rows = arena_alloc(arena, room * sizeof *rows);
	for (size_t i = 0; i < set->trial_count; i++)
		for (size_t j = 0; j < set->trials[i].objective_count; j++) {
			const struct objective_result *own = &set->trials[i].objectives[j];

			if (is_new(rows, set->objective_count, own->name))
				judge_row(set, own, arena, &rows[set->objective_count++]);
		}
	set->objectives = rows;
}

/* ---- the whole ---- */

/* design.md 4: when several hold, the first of these counts. */
static const enum run_exit exit_order[] = { EXIT_LEFTOVER,    EXIT_INTERNAL, EXIT_STOPPED,
					    EXIT_NOT_STARTED, EXIT_MISSED,   EXIT_INCONCLUSIVE,
					    EXIT_MET };

/* Fewer trials than planned, and none of them says why: what stopped it was mended since then. */
static bool is_short(const struct trial_set *set)
{
	for (size_t i = 0; i < set->trial_count; i++)
		if (run_exit_verdict(set->trials[i].outcome.exit_code) == VERDICT_NONE)
			return false;
	return set->is_ended && (int64_t)set->trial_count < set->planned_count;
}

static bool share_holds(const struct trial_set *set, enum run_exit code)
{
	for (size_t i = 0; set->promised.has_rto_share && i < set->objective_count; i++)
		if (strcmp(set->objectives[i].name, "rto") == 0)
			return run_exit_verdict(code) != VERDICT_NONE &&
			       run_exit_verdict(code) == set->objectives[i].verdict;
	return false;
}

static bool holds(const struct trial_set *set, enum run_exit code)
{
	for (size_t i = 0; i < set->trial_count; i++)
		if ((set->promised.has_rto_share ? set->trials[i].exit_but_rto :
						   set->trials[i].outcome.exit_code) == code)
			return true;
	if (code == EXIT_STOPPED)
		return set->stopped != NULL || is_short(set);
	if (code == EXIT_INTERNAL) /* it broke off, or goes on: there is no verdict yet */
		return !set->is_ended || set->trial_count == 0;
	return share_holds(set, code);
}

static void add_clause(struct text *text, const char *clause)
{
	if (clause == NULL)
		return;
	if (text->length_bytes > 0)
		text_add(text, "; ");
	text_add(text, clause);
}

static void add_rows(const struct trial_set *set, enum verdict verdict, struct text *text)
{
	bool is_first = true;

	for (size_t i = 0; i < set->objective_count; i++) {
		if (set->objectives[i].verdict != verdict)
			continue;
		if (is_first)
			add_clause(text, verdict_name(verdict));
		text_addf(text, "%s %s", is_first ? ":" : ",", set->objectives[i].name);
		is_first = false;
	}
}

/* The last trial has the reason when a set ends early. */
static const char *tell_end(const struct trial_set *set, struct arena *arena)
{
	if (set->stopped != NULL)
		return arena_format(arena,
				    "%s after trial %zu of %" PRId64 "; everything is healed",
				    set->stopped, set->trial_count, set->planned_count);
	if (set->is_alive)
		return arena_format(arena, "the set is still under way: trial %zu of %" PRId64,
				    set->trial_count, set->planned_count);
	if (set->trial_count == 0)
		return "the set ended before its first trial began";

	const struct trial *last = &set->trials[set->trial_count - 1];

	if (run_exit_verdict(last->outcome.exit_code) == VERDICT_NONE)
		return arena_format(arena, "the set ended with trial %" PRId64 " of %" PRId64 ": %s",
				    last->number, set->planned_count, last->outcome.sentence);
	return arena_format(arena, "the set %s after trial %" PRId64 " of %" PRId64,
			    set->is_ended ? "ended" : "broke off", last->number,
			    set->planned_count);
}

static const char *tell(const struct trial_set *set, struct arena *arena)
{
	const char *rto = say_rto(set, arena);
	const char *share = judge_share_sentence(set, arena);
	struct text text = { 0 };
	const char *sentence;

	text_addf(&text, "%zu trial%s", set->trial_count, plural(set->trial_count));
	if (rto != NULL)
		text_addf(&text, ": %s%s",
			  set->no_outage_count == set->ranked_count ? "" : "recovered in ", rto);
	if (set->never_count > 0)
		add_clause(&text, arena_format(arena, "%zu never recovered", set->never_count));
	add_clause(&text, share);
	add_rows(set, VERDICT_MISSED, &text);
	add_rows(set, VERDICT_INCONCLUSIVE, &text);
	sentence = judge_sentence(arena, text_str(&text));
	text_release(&text);
	return sentence;
}

void judge_trials(struct trial_set *set, struct arena *arena)
{
	enum run_exit code = EXIT_MET;

	summarise(set);
	count_share(set);
	judge_rows(set, arena);
	for (size_t i = 0; i < sizeof exit_order / sizeof exit_order[0]; i++)
		if (holds(set, exit_order[i])) {
			code = exit_order[i];
			break;
		}
	set->outcome = (struct outcome){
		.exit_code = code,
		.verdict = run_exit_verdict(code),
		.sentence = run_exit_verdict(code) == VERDICT_NONE ?
				    judge_sentence(arena, tell_end(set, arena)) :
				    tell(set, arena),
	};
}
