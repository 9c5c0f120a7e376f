/*
 * judge.c - one verdict for each promise; see judge.h.
 *
 * It never looks at single samples to find an outage (measure.c does): only for slots that nobody
 * could see, because what was not seen may hide the contrary of "met", never of "missed".
 */
#include "engine/judge.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "engine/judge_facts.h"
#include "engine/judge_words.h"
#include "engine/measure.h"

/* More slots than this without a look at the service, through our own shortage, and met is too much
   to say. */
enum { SKIPPED_AT_MOST_PERCENT = 1 };

struct bench {
	const struct judge_request *request;
	struct judge_facts facts;
	struct arena *arena;
	struct objective_result *results;
	size_t count;
};

static const char *inside_reason = "the target lies inside the span of what was measured";

static void put(struct bench *bench, const struct objective_result *result)
{
	bench->results[bench->count++] = *result;
}

static void decide(struct bench *bench, struct objective_result *result, enum verdict verdict,
		   const char *reason, const char *advice)
{
	result->verdict = verdict;
	result->reason = judge_sentence(bench->arena, reason);
	result->advice = advice == NULL ? NULL : judge_sentence(bench->arena, advice);
}

/* True when the run itself leaves nothing to judge; then the row is filled. */
static bool is_moot(struct bench *bench, struct objective_result *result)
{
	if (bench->facts.not_started == NULL)
		return false;
	result->observed = "not measured";
	decide(bench, result, VERDICT_NONE, bench->facts.not_started, NULL);
	return true;
}

static bool is_unconfirmed(struct bench *bench, struct objective_result *result)
{
	if (bench->facts.unconfirmed == NULL)
		return false;
	decide(bench, result, VERDICT_INCONCLUSIVE, bench->facts.unconfirmed,
	       "see why the fault could not be confirmed, and run it again");
	return true;
}

/* ---- rto ---- */

static const struct track *find_track(const struct judge_request *request, const char *probe)
{
	for (size_t i = 0; i < request->timeline->track_count; i++)
		if (strcmp(request->timeline->tracks[i].probe, probe) == 0)
			return &request->timeline->tracks[i];
	return NULL;
}

/* The longest time between the due times of two attempts that came to something. */
static int64_t longest_blind_ns(const struct track *track, int64_t from_ns, int64_t until_ns)
{
	int64_t seen_ns = from_ns;
	int64_t longest_ns = 0;

	for (uint64_t slot = 0; slot < track->slot_count; slot++) {
		const uint8_t state = track->samples[slot].state;
		const int64_t due_ns = track_due_ns(track, slot);

		if (due_ns < from_ns || due_ns >= until_ns ||
		    (state != SAMPLE_GOOD && state != SAMPLE_BAD))
			continue;
		if (due_ns - seen_ns > longest_ns)
			longest_ns = due_ns - seen_ns;
		seen_ns = due_ns;
	}
	return longest_ns;
}

/*
 * Why "met" cannot be said of this probe, or NULL. A hole longer than the target could hide an
 * outage longer than the target: after the fault when none was seen, else in the stable stretch.
 * The target 0 s means "no failed attempt", and is left to the timetable as it was asked for.
 */
static const char *find_blindness(struct bench *bench, const struct probe_result *probe,
				  int64_t target_ns)
{
	const struct judge_request *request = bench->request;
	const struct track *track = find_track(request, probe->probe);
	const uint64_t slot_count = probe->good_count + probe->bad_count + probe->skipped_count +
				    probe->not_sampled_count;
	int64_t until_ns = INT64_MAX;
	int64_t from_ns = request->fault.low_ns;

	if (probe->skipped_count * 100 > slot_count * SKIPPED_AT_MOST_PERCENT)
		return arena_format(bench->arena,
				    "%s of %s slots of `%s` were skipped because this machine was "
				    "short of something, and may hide failures",
				    judge_count(bench->arena, probe->skipped_count),
				    judge_count(bench->arena, slot_count), probe->probe);
	if (track == NULL)
		return NULL;
	if (probe->rto_kind == MEASURED_SPAN) {
		from_ns = probe->stable_from_ns;
		until_ns = from_ns + request->experiment->stable_for_ns;
	}

	const int64_t blind_ns = longest_blind_ns(track, from_ns, until_ns);
	const bool is_timetable =
		blind_ns <= track->every_ns && (target_ns == 0 || probe->rto_kind == MEASURED_SPAN);

	if (blind_ns <= target_ns || is_timetable)
		return NULL;
	return arena_format(bench->arena,
			    "`%s` did not look for %s, so an outage longer than the "
			    "target could hide there",
			    probe->probe, judge_duration(bench->arena, blind_ns));
}

static const char *find_any_blindness(struct bench *bench, int64_t target_ns)
{
	const char *why = NULL;

	for (size_t i = 0; i < bench->request->probe_count && why == NULL; i++)
		if (bench->request->probes[i].is_required)
			why = find_blindness(bench, &bench->request->probes[i], target_ns);
	return why;
}

/* Down again later does not change the RTO, but nobody may overlook it. */
static const char *say_again(struct bench *bench, const char *reason)
{
	for (size_t i = 0; i < bench->request->probe_count; i++) {
		const struct probe_result *probe = &bench->request->probes[i];

		if (probe->is_required && probe->rto_kind == MEASURED_SPAN &&
		    probe->downtime.low_ns > probe->rto.high_ns)
			return arena_format(
				bench->arena, "%s; but `%s` was down again later, in all for %s",
				reason, probe->probe, judge_span(bench->arena, probe->downtime));
	}
	return reason;
}

static void judge_met_rto(struct bench *bench, struct objective_result *result, int64_t high_ns,
			  const char *reason)
{
	const int64_t target_ns = bench->request->experiment->objectives.rto_ns;
	const char *blindness = find_any_blindness(bench, target_ns);

	if (blindness != NULL) {
		decide(bench, result, VERDICT_INCONCLUSIVE, blindness,
		       "probe more often, or with fewer probes and lanes, so that no slot goes "
		       "unused");
		return;
	}
	result->margin =
		judge_duration(bench->arena, target_ns > high_ns ? target_ns - high_ns : 0);
	decide(bench, result, VERDICT_MET, say_again(bench, reason), NULL);
}

static void judge_rto_span(struct bench *bench, struct objective_result *result, struct span rto)
{
	const struct span fault = bench->request->fault;
	const int64_t target_ns = bench->request->experiment->objectives.rto_ns;
	const int64_t every_ns = judge_every_ns(bench->request);
	const char *advice;

	if (rto.high_ns <= target_ns) {
		judge_met_rto(bench, result, rto.high_ns,
			      "the service was stable again within the target");
		return;
	}
	if (rto.low_ns > target_ns) {
		result->margin = judge_duration(bench->arena, target_ns - rto.low_ns);
		decide(bench, result, VERDICT_MISSED,
		       say_again(bench, "the service was stable again only after the target"),
		       NULL);
		return;
	}
	advice = arena_format(bench->arena, "probe every %s or less",
			      judge_closer(bench->arena, every_ns));
	if (fault.high_ns - fault.low_ns > (rto.high_ns - rto.low_ns) / 2)
		advice =
			arena_format(bench->arena,
				     "the moment of the fault is only known to %s: a fault that is "
				     "confirmed sooner would narrow the span",
				     judge_duration(bench->arena, fault.high_ns - fault.low_ns));
	else if (every_ns <= LIMIT_EVERY_MIN_NS)
		advice =
			"run it again: probes cannot be closer, and the target is too near to tell";
	decide(bench, result, VERDICT_INCONCLUSIVE, inside_reason, advice);
}

/* Down for longer than the target is proof; watched for less than the target is not. */
static void judge_never(struct bench *bench, struct objective_result *result, struct span rto)
{
	const int64_t target_ns = bench->request->experiment->objectives.rto_ns;

	if (rto.low_ns > target_ns) {
		result->margin = judge_duration(bench->arena, target_ns - rto.low_ns);
		decide(bench, result, VERDICT_MISSED, "the service did not recover by itself",
		       NULL);
		return;
	}
	decide(bench, result, VERDICT_INCONCLUSIVE,
	       arena_format(bench->arena,
			    "the service was seen down until %s after the fault and was not stable "
			    "after it, but it was watched for %s only",
			    judge_duration(bench->arena, rto.low_ns),
			    judge_duration(bench->arena, rto.high_ns)),
	       arena_format(bench->arena, "let `observe.at_most` be %s or more",
			    judge_duration(bench->arena,
					   target_ns + bench->request->experiment->stable_for_ns)));
}

static void judge_rto(struct bench *bench)
{
	const struct judge_request *request = bench->request;
	const int64_t target_ns = request->experiment->objectives.rto_ns;
	struct objective_result result = {
		.name = "rto",
		.target = arena_format(bench->arena, "at most %s",
				       judge_duration(bench->arena, target_ns)),
		.margin = "",
	};
	enum measured kind;
	struct span rto;
	const char *probe;

	measure_service_rto(request->probes, request->probe_count, &kind, &rto, &probe);
	result.observed = judge_observed_rto(request, bench->arena);
	if (is_moot(bench, &result)) {
		put(bench, &result);
		return;
	}
	if (request->experiment->step_count == 0)
		decide(bench, &result, VERDICT_INCONCLUSIVE,
		       "the experiment does no harm, so there is no recovery to time",
		       "add a `method`, or drop the objective `rto`");
	else if (is_unconfirmed(bench, &result))
		result.margin = "";
	else if (kind == MEASURED_NOTHING)
		decide(bench, &result, VERDICT_INCONCLUSIVE,
		       "no required probe could look at the service after the fault",
		       "give the service a required probe");
	else if (kind == MEASURED_NO_OUTAGE)
		judge_met_rto(bench, &result, judge_every_ns(request),
			      "the fault was confirmed, and no outage was seen");
	else if (kind == MEASURED_NEVER_RECOVERED)
		judge_never(bench, &result, rto);
	else
		judge_rto_span(bench, &result, rto);
	put(bench, &result);
}

/* ---- rpo ---- */

static bool is_usable(const struct ledger_count_result *count)
{
	return count->was_counted && count->is_readable;
}

/* A loss beyond the target is proof, whichever count shows it and whoever caused it. */
static bool is_rpo_missed(const struct ledger_count_result *count, int64_t target_ns)
{
	const uint64_t loss_count = count->classes.lost + count->classes.corrupted;

	return is_usable(count) && loss_count > 0 &&
	       (target_ns == 0 || count->rpo.low_ns > target_ns);
}

/* Why one of the two counts cannot be used; NULL when both can. */
static const char *find_missing_count(struct bench *bench, const struct ledger_result *ledger)
{
	static const char *const names[] = { "once the service was stable", "after the heal" };
	const struct ledger_count_result *const counts[] = { &ledger->stable, &ledger->healed };

	for (size_t i = 0; i < 2; i++) {
		if (!counts[i]->was_counted)
			return arena_format(bench->arena, "ledger `%s` was not counted %s",
					    ledger->probe, names[i]);
		if (!counts[i]->is_readable)
			return arena_format(bench->arena, "ledger `%s` could not be read %s: %s",
					    ledger->probe, names[i],
					    counts[i]->error == NULL ? "no reason was given"
								     : counts[i]->error);
	}
	return NULL;
}

static void judge_ledger(struct bench *bench, const struct ledger_result *ledger,
			 struct objective_result *result)
{
	const int64_t target_ns = bench->request->experiment->objectives.rpo_ns;
	const struct ledger_count_result *worse = ledger->worse;
	const char *missing = find_missing_count(bench, ledger);

	if (is_rpo_missed(&ledger->healed, target_ns) && worse != NULL &&
	    !is_rpo_missed(worse, target_ns))
		worse = &ledger->healed;
	if (is_rpo_missed(&ledger->stable, target_ns) && worse != NULL &&
	    !is_rpo_missed(worse, target_ns))
		worse = &ledger->stable;
	result->observed =
		worse == NULL
			? "not known"
			: arena_format(bench->arena, "%s; %s", judge_span(bench->arena, worse->rpo),
				       judge_losses(bench->arena, &worse->classes));
	if (worse != NULL && is_rpo_missed(worse, target_ns)) {
		result->margin = judge_duration(bench->arena, target_ns - worse->rpo.high_ns);
		decide(bench, result, VERDICT_MISSED, judge_losses(bench->arena, &worse->classes),
		       NULL);
	} else if (is_unconfirmed(bench, result)) {
		result->margin = "";
	} else if (missing != NULL) {
		decide(bench, result, VERDICT_INCONCLUSIVE, missing,
		       "read the ledger by hand once the service is back, or give it more time "
		       "with "
		       "`settle_at_most`");
	} else if (worse == NULL || worse->classes.acknowledged == 0) {
		decide(bench, result, VERDICT_INCONCLUSIVE, "no write was ever acknowledged",
		       "see whether the ledger can write at all before the fault");
	} else if (ledger->stable.rpo.high_ns > target_ns ||
		   ledger->healed.rpo.high_ns > target_ns) {
		decide(bench, result, VERDICT_INCONCLUSIVE, inside_reason,
		       "write more often, so that the moment of the last good write is known "
		       "better");
	} else {
		result->margin = judge_duration(bench->arena, target_ns - worse->rpo.high_ns);
		decide(bench, result, VERDICT_MET,
		       worse->classes.lost + worse->classes.corrupted == 0
			       ? "no acknowledged write is lost"
			       : "what is lost is newer than the target allows",
		       NULL);
	}
}

static int badness(enum verdict verdict)
{
	static const int ranks[] = { [VERDICT_MET] = 0,
				     [VERDICT_NONE] = 1,
				     [VERDICT_INCONCLUSIVE] = 2,
				     [VERDICT_MISSED] = 3 };

	return ranks[verdict];
}

static void judge_rpo(struct bench *bench)
{
	const struct judge_request *request = bench->request;
	const struct objective_result blank = {
		.name = "rpo",
		.target = arena_format(
			bench->arena, "at most %s",
			judge_duration(bench->arena, request->experiment->objectives.rpo_ns)),
		.observed = "not known",
		.margin = "",
	};
	struct objective_result worst = blank;

	if (!is_moot(bench, &worst) && request->ledger_count == 0)
		decide(bench, &worst, VERDICT_INCONCLUSIVE,
		       "the experiment has no ledger, so nobody counted its writes",
		       "add a probe that is a ledger, such as `postgres.write`");
	for (size_t i = 0; bench->facts.not_started == NULL && i < request->ledger_count; i++) {
		struct objective_result result = blank;

		judge_ledger(bench, &request->ledgers[i], &result);
		if (i == 0 || badness(result.verdict) > badness(worst.verdict))
			worst = result;
	}
	put(bench, &worst);
}

/* ---- availability ---- */

static void judge_availability(struct bench *bench)
{
	const struct judge_request *request = bench->request;
	const int64_t target_ppm = request->experiment->objectives.availability_ppm;
	struct objective_result result = {
		.name = "availability",
		.target = arena_format(bench->arena, "at least %s",
				       judge_percent(bench->arena, target_ppm)),
		.observed = "not measured",
		.margin = "",
	};
	int64_t low_ppm = 1000000;
	int64_t high_ppm = 1000000;
	uint64_t seen_count = 0;

	for (size_t i = 0; i < request->probe_count; i++) {
		const struct probe_result *probe = &request->probes[i];

		if (!probe->is_required)
			continue;
		seen_count += probe->good_count + probe->bad_count;
		if (probe->availability_low_ppm < low_ppm)
			low_ppm = probe->availability_low_ppm;
		if (probe->availability_high_ppm < high_ppm)
			high_ppm = probe->availability_high_ppm;
	}
	if (!is_moot(bench, &result) && seen_count > 0)
		result.observed = low_ppm == high_ppm
					  ? judge_percent(bench->arena, low_ppm)
					  : arena_format(bench->arena, "%s to %s",
							 judge_percent(bench->arena, low_ppm),
							 judge_percent(bench->arena, high_ppm));
	if (result.reason != NULL) {
		put(bench, &result);
		return;
	}
	if (is_unconfirmed(bench, &result)) {
		result.margin = "";
	} else if (seen_count == 0) {
		decide(bench, &result, VERDICT_INCONCLUSIVE,
		       "no required probe could look at the service after the fault",
		       "give the service a required probe");
	} else if (low_ppm >= target_ppm) {
		result.margin = judge_percent(bench->arena, low_ppm - target_ppm);
		decide(bench, &result, VERDICT_MET,
		       "enough slots of every required probe were good", NULL);
	} else if (high_ppm < target_ppm) {
		result.margin = judge_percent(bench->arena, high_ppm - target_ppm);
		decide(bench, &result, VERDICT_MISSED,
		       "too many slots of a required probe were bad", NULL);
	} else {
		decide(bench, &result, VERDICT_INCONCLUSIVE,
		       "slots that were skipped or not sampled decide, and nobody knows what they "
		       "would have shown",
		       "allow more `lanes`, or probe less often, so that no slot goes unused");
	}
	put(bench, &result);
}

/* ---- checks and steady state ---- */

static const struct event *find_check(const struct judge_request *request, const char *name)
{
	const struct event *found = NULL;

	for (size_t i = 0; i < request->timeline->event_count; i++) {
		const struct event *event = &request->timeline->events[i];

		if (event->kind == EVENT_CHECK && event->name != NULL &&
		    strcmp(event->name, name) == 0)
			found = event;
	}
	return found;
}

static const char *read_text(struct arena *arena, const struct json *root, const char *key)
{
	const struct json *value = json_get(root, key);
	const char *text = value == NULL ? NULL : json_text_of(value);

	return arena_copy(arena, text == NULL ? "" : text);
}

/* What the event says, into the row; data that cannot be read is inconclusive. */
static void read_check(struct bench *bench, const struct event *event,
		       struct objective_result *result)
{
	struct json *root = NULL;
	struct err e = { 0 };
	const char *verdict;

	if (event->data == NULL || !json_parse(event->data, strlen(event->data), &root, &e) ||
	    json_type_of(root) != JSON_OBJECT) {
		json_release(root);
		decide(bench, result, VERDICT_INCONCLUSIVE,
		       "the record of this check cannot be read", "run it again");
		return;
	}
	result->target = read_text(bench->arena, root, "expected");
	result->observed = read_text(bench->arena, root, "got");
	verdict = read_text(bench->arena, root, "verdict");
	if (strcmp(verdict, verdict_name(VERDICT_MET)) == 0)
		decide(bench, result, VERDICT_MET, event->text, NULL);
	else if (strcmp(verdict, verdict_name(VERDICT_MISSED)) == 0)
		decide(bench, result, VERDICT_MISSED, event->text, NULL);
	else
		decide(bench, result, VERDICT_INCONCLUSIVE, event->text,
		       "see why the check could not be made, and run it again");
	json_release(root);
}

static void judge_check(struct bench *bench, const struct check *check)
{
	const struct event *event = find_check(bench->request, check->probe.name);
	struct objective_result result = {
		.name = arena_format(bench->arena, "check %s", check->probe.name),
		.target = "",
		.observed = "not checked",
		.margin = "",
	};

	if (is_moot(bench, &result)) {
		put(bench, &result);
		return;
	}
	if (event == NULL)
		decide(bench, &result, VERDICT_INCONCLUSIVE,
		       "the run ended before this check was made", "run it again");
	else
		read_check(bench, event, &result);
	put(bench, &result);
}

static void judge_steady_state(struct bench *bench)
{
	struct objective_result result = {
		.name = "steady state",
		.target =
			arena_format(bench->arena, "steady within %s of the heal",
				     judge_duration(bench->arena,
						    bench->request->experiment->settle_at_most_ns)),
		.observed = "not steady",
		.margin = "",
	};

	decide(bench, &result, VERDICT_MISSED, bench->facts.not_steady, NULL);
	put(bench, &result);
}

void judge_objectives(const struct judge_request *request, struct arena *arena,
		      struct objective_result **ret_results, size_t *ret_count)
{
	const struct experiment *experiment = request->experiment;
	struct bench bench = { .request = request, .arena = arena };

	assert(request->fault.low_ns <= request->fault.high_ns);

	bench.results = arena_alloc(arena, (4 + experiment->check_count) * sizeof *bench.results);
	judge_facts_read(request, arena, &bench.facts);
	if (experiment->objectives.has_rto)
		judge_rto(&bench);
	if (experiment->objectives.has_rpo)
		judge_rpo(&bench);
	if (experiment->objectives.has_availability)
		judge_availability(&bench);
	for (size_t i = 0; i < experiment->check_count; i++)
		judge_check(&bench, &experiment->checks[i]);
	if (bench.facts.not_steady != NULL)
		judge_steady_state(&bench);
	*ret_results = bench.results;
	*ret_count = bench.count;
}
