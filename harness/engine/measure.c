/*
 * measure.c - the outage in a record of samples: observed RTO, its parts, downtime, availability.
 *
 * It says what the samples prove and how wide the gap between the proofs is; it never guesses
 * inside the gap. It does not say why the service was down. docs/measurement.md explains it with
 * examples.
 *
 * What is taken for granted:
 *
 *   A1  A good attempt proves that the service answered at some moment in [due, done].
 *   A2  A bad attempt proves that it did not at some moment in [due, done]. An attempt that began
 *       after the outage had begun was doomed when it was sent, not later.
 *   A3  An outage holds until at least one attempt was sent in it and failed.
 *   A4  A working service answers within the longest latency seen in the undisturbed baseline. This
 *       serves the beginning of an outage (parts, downtime); the RTO only when the fault was
 *       confirmed after the first failure, to know that it had struck by then.
 *
 * Let T be the moment from which on the service answered, and b the last bad attempt (by due time)
 * before the stable stretch. By A2 the service was down at or after due(b), so due(b) <= T. Every
 * good attempt of the stretch was due after b and no later attempt of the stretch failed, so each
 * of their answers came at or after T: T <= done of each of them, and the smallest done is the
 * tightest bound. It need not be the first one's: an attempt from before the recovery may hang and
 * complete long after its successors on other lanes.
 *
 * One exception: an attempt under way when the fault strikes may be hit at any moment until it
 * ends. If only such attempts failed, a good attempt that was sent earlier than they ended proves
 * nothing, because it may have been answered before the fault. It is in doubt and left out.
 *
 * With the fault in [sent, confirmed]: due(b) - confirmed <= RTO <= done - sent.
 */
#include "engine/measure.h"

#include <assert.h>
#include <string.h>

#include "engine/measure_latency.h"
#include "engine/measure_level.h"

/* Consecutive bad attempts, by due time; slots that say nothing do not part them. */
struct outage {
	int64_t began_low_ns; /* due of the last good attempt before, or the fault */
	int64_t began_high_ns;
	int64_t first_due_ns;
	int64_t last_due_ns;
};

/* Good attempts after an outage. */
struct stretch {
	int64_t first_due_ns;
	int64_t last_due_ns;
	int64_t answered_ns; /* the earliest done: the service answered by then */
	int64_t proven_ns;   /* the same, of attempts due when it was down for sure */
};

struct scan {
	const struct measure_request *request;
	bool has_baseline;
	int64_t answers_within_ns; /* A4 */
	int64_t knee_ns;	   /* the fault had struck by then */
	int64_t doubt_until_ns;	   /* good attempts due before it prove nothing */
	int64_t good_due_ns;	   /* the last good attempt before the outage */
	int64_t down_proof_ns;	   /* down for sure by then, since it was last up for sure */
	bool is_down;
	bool is_answering;
	bool has_answered;
	bool is_stable;		  /* the stable stretch was found */
	bool is_in_stable;	  /* and the present stretch is it */
	bool is_healed_by_us;	  /* it began only after the harness had begun to heal */
	int64_t unproven_flap_ns; /* a short stretch that had answered by then; INT64_MAX: none */
	int64_t stable_due_ns;
	struct outage outage;
	struct outage first;
	struct stretch stretch;
	struct span first_success;
	struct span stable;
	struct probe_result *result;
};

static int64_t at_least(int64_t value, int64_t least)
{
	return value > least ? value : least;
}

static int64_t at_most(int64_t value, int64_t most)
{
	return value < most ? value : most;
}

static bool has_fault(const struct measure_request *request)
{
	return request->fault.low_ns != 0 || request->fault.high_ns != 0;
}

/* The service was down by then. A hanging attempt tells it at its deadline, A4 much earlier. */
static int64_t down_by_ns(const struct scan *scan, const struct sample *sample)
{
	if (!scan->has_baseline || sample->sent_ns < scan->request->fault.low_ns)
		return sample->done_ns;
	return at_most(sample->done_ns, sample->sent_ns + scan->answers_within_ns);
}

/* Failed before the fault was sent: a blemish of the baseline, not the fault's doing. */
static bool is_before_fault(const struct scan *scan, const struct sample *sample)
{
	return sample->done_ns < scan->request->fault.low_ns;
}

static uint64_t slots_before_end(const struct measure_request *request)
{
	const struct track *track = request->track;
	uint64_t low = 0;
	uint64_t high = track->slot_count;

	while (low < high) {
		const uint64_t middle = low + (high - low) / 2;

		if (track_due_ns(track, middle) < request->end_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * Whoever failed after the inject was sent shows that the fault had struck: attempts due later met
 * the service in its new state, even when the confirmation came seconds after.
 */
static int64_t find_knee_ns(const struct scan *scan, uint64_t slot_count)
{
	const struct track *track = scan->request->track;
	int64_t knee_ns = scan->request->fault.high_ns;

	for (uint64_t slot = 0; slot < slot_count; slot++) {
		const struct sample *sample = &track->samples[slot];

		if (track_due_ns(track, slot) >= knee_ns)
			break;
		if (sample->state == SAMPLE_BAD && !is_before_fault(scan, sample))
			knee_ns = at_most(knee_ns, down_by_ns(scan, sample));
	}
	return knee_ns;
}

/* Adds an outage that is over (or open at the end) to the downtime. */
static void close_outage(struct scan *scan, int64_t answered_ns)
{
	struct span *downtime = &scan->result->downtime;
	const struct outage *outage = &scan->outage;

	downtime->low_ns += at_least(outage->last_due_ns - outage->began_high_ns, 0);
	downtime->high_ns += at_least(answered_ns - outage->began_low_ns, 0);
}

/*
 * From the first answer, not from the due time of the attempt that got it: attempts that hung
 * through the end of an outage would make the stretch look longer than the service was up.
 */
static bool is_long_enough(const struct scan *scan)
{
	return scan->stretch.last_due_ns - scan->stretch.answered_ns >=
	       scan->request->stable_for_ns;
}

/* A stretch of good attempts is broken. Stable or not, the outage before it is over. */
static void close_stretch(struct scan *scan, int64_t down_by)
{
	const struct stretch *stretch = &scan->stretch;

	if (is_long_enough(scan))
		scan->down_proof_ns = INT64_MAX;
	else
		scan->unproven_flap_ns = stretch->proven_ns;
	close_outage(scan, at_most(stretch->answered_ns, down_by));
	scan->good_due_ns = stretch->last_due_ns;
	scan->is_answering = false;
	scan->is_in_stable = false;
	scan->is_down = false;
}

static void take_bad(struct scan *scan, int64_t due_ns, const struct sample *sample)
{
	const int64_t down_by = down_by_ns(scan, sample);

	if (scan->is_answering)
		close_stretch(scan, down_by);
	if (!scan->is_down)
		scan->outage = (struct outage){
			.began_low_ns = at_least(scan->good_due_ns, scan->request->fault.low_ns),
			.began_high_ns = INT64_MAX,
			.first_due_ns = due_ns,
		};
	scan->is_down = true;
	scan->outage.last_due_ns = due_ns;
	scan->outage.began_high_ns = at_most(scan->outage.began_high_ns, down_by);
	/* Up, then down again for sure: an answer was in before this attempt was made. Without that
	   it may have been one long outage with a late answer to an early attempt. */
	if (scan->unproven_flap_ns <= due_ns) {
		scan->result->flap_count++;
		scan->unproven_flap_ns = INT64_MAX;
		scan->down_proof_ns = INT64_MAX;
	}
	scan->down_proof_ns = at_most(scan->down_proof_ns, down_by);
	if (!scan->has_answered)
		scan->first = scan->outage;
	if (scan->result->first_bad_due_ns == 0)
		scan->result->first_bad_due_ns = due_ns;
	if (!scan->is_stable)
		scan->result->last_bad_due_ns = due_ns;
	scan->doubt_until_ns =
		due_ns < scan->knee_ns ? at_least(scan->doubt_until_ns, sample->done_ns) : 0;
}

static void take_good(struct scan *scan, int64_t due_ns, const struct sample *sample)
{
	struct stretch *stretch = &scan->stretch;

	if (due_ns < scan->doubt_until_ns)
		return;
	if (!scan->is_down) {
		scan->good_due_ns = due_ns;
		return;
	}
	if (!scan->is_answering)
		*stretch = (struct stretch){ .first_due_ns = due_ns,
					     .answered_ns = INT64_MAX,
					     .proven_ns = INT64_MAX };
	scan->is_answering = true;
	scan->unproven_flap_ns = INT64_MAX;
	stretch->last_due_ns = due_ns;
	stretch->answered_ns = at_most(stretch->answered_ns, sample->done_ns);
	if (!scan->is_stable && is_long_enough(scan)) {
		scan->is_stable = true;
		scan->is_in_stable = true;
		scan->stable_due_ns = stretch->first_due_ns;
		scan->stable.low_ns = scan->outage.last_due_ns;
	}
	if (scan->is_in_stable)
		scan->stable.high_ns = stretch->answered_ns;
	/* Due before it was down for sure: it may have been answered before. */
	if (due_ns < scan->down_proof_ns)
		return;
	stretch->proven_ns = at_most(stretch->proven_ns, sample->done_ns);
	if (!scan->has_answered || scan->first.first_due_ns == scan->outage.first_due_ns)
		scan->first_success = (struct span){ scan->outage.last_due_ns, stretch->proven_ns };
	scan->has_answered = true;
}

static void walk(struct scan *scan, uint64_t slot_count)
{
	const struct measure_request *request = scan->request;

	for (uint64_t slot = 0; slot < slot_count; slot++) {
		const struct sample *sample = &request->track->samples[slot];
		const int64_t due_ns = track_due_ns(request->track, slot);

		assert(sample->state <= SAMPLE_SKIPPED);
		if (sample->state == SAMPLE_BAD && !is_before_fault(scan, sample))
			take_bad(scan, due_ns, sample);
		else if (sample->state == SAMPLE_GOOD)
			take_good(scan, due_ns, sample);
	}
	if (scan->is_down)
		close_outage(scan,
			     scan->is_answering ? scan->stretch.answered_ns : request->end_ns);

	struct span *downtime = &scan->result->downtime;

	downtime->high_ns =
		at_most(downtime->high_ns, at_least(request->end_ns - request->fault.low_ns, 0));
	downtime->high_ns = at_least(downtime->high_ns, downtime->low_ns);
}

/* From one moment that is known to lie in a span to a later one. */
static struct span span_between(struct span from, struct span until)
{
	return (struct span){ at_least(until.low_ns - from.high_ns, 0),
			      at_least(until.high_ns - from.low_ns, 0) };
}

static void add_part(struct probe_result *result, const char *name, struct span from,
		     struct span until)
{
	assert(result->part_count < RTO_PARTS);
	result->parts[result->part_count++] =
		(struct rto_part){ .name = name, .span = span_between(from, until) };
}

/*
 * The system's own events between the first failure and the first success, each one the end of a
 * part. An event belongs there when it cannot have come before the failure and the middle of its bound
 * lies before the success: one that is known badly may not tear the parts. Returns where the next part
 * begins.
 */
static struct span tell_event_parts(const struct scan *scan, struct span began, struct span until,
				    struct probe_result *result)
{
	const struct measure_request *request = scan->request;
	struct span last = began;
	size_t told_count = 0;

	for (size_t i = 0; i < request->event_count; i++) {
		const struct named_event *event = &request->events[i];

		if (!event->is_placed || event->at.low_ns < request->fault.low_ns ||
		    event->at.high_ns <= began.low_ns ||
		    event->at.low_ns + (event->at.high_ns - event->at.low_ns) / 2 >= until.high_ns)
			continue;
		if (told_count == RTO_EVENT_PARTS) {
			result->left_out_part_count++;
			continue;
		}
		told_count++;
		add_part(result, event->part_name, last, event->at);
		last = event->at;
	}
	return last;
}

static void tell_parts(struct scan *scan, struct probe_result *result)
{
	const struct span began = { scan->first.began_low_ns, scan->first.began_high_ns };
	const bool is_first_stable =
		scan->is_stable &&
		(!scan->has_answered || scan->first_success.low_ns == scan->stable.low_ns);

	/* No flap lies between: one and the same moment, and no time until stable. */
	if (is_first_stable) {
		scan->first_success = scan->stable;
		scan->has_answered = true;
	}

	add_part(result, "until first failure seen", scan->request->fault, began);
	if (!scan->has_answered || (scan->is_healed_by_us && is_first_stable)) {
		/* Not recovered: the more one wants to know what the system did. */
		(void)tell_event_parts(scan, began, (struct span){ 0, scan->request->end_ns },
				       result);
		return;
	}
	add_part(result, "until first success",
		 tell_event_parts(scan, began, scan->first_success, result), scan->first_success);
	if (!scan->is_stable || scan->is_healed_by_us)
		return;
	add_part(result, "until stable", scan->first_success, scan->stable);
	if (is_first_stable)
		result->parts[result->part_count - 1].span = (struct span){ 0 };
}

/* The first one, flaps included; one that is not over lasted until its last failure at least. */
static void tell_outage(const struct scan *scan, struct probe_result *result)
{
	const struct span began = { scan->first.began_low_ns, scan->first.began_high_ns };

	result->outage = scan->is_stable ?
				 span_between(began, scan->stable) :
				 (struct span){ at_least(result->last_bad_due_ns - began.high_ns, 0),
						NEVER_NS };
}

static void tell_rto(struct scan *scan, struct probe_result *result)
{
	const struct span fault = scan->request->fault;

	if (result->bad_count == 0) {
		result->rto_kind = result->good_count > 0 ? MEASURED_NO_OUTAGE : MEASURED_NOTHING;
		return;
	}
	tell_parts(scan, result);
	tell_outage(scan, result);
	if (scan->has_answered)
		result->first_good_done_ns = scan->first_success.high_ns;
	if (!scan->is_stable || scan->is_healed_by_us) {
		const int64_t watched_ns = scan->is_healed_by_us ? scan->request->heal_began_ns
								 : scan->request->end_ns;

		result->rto_kind = MEASURED_NEVER_RECOVERED;
		result->rto.low_ns = at_least(result->last_bad_due_ns - fault.high_ns, 0);
		result->rto.high_ns = at_least(watched_ns - fault.low_ns, result->rto.low_ns);
		return;
	}
	result->rto_kind = MEASURED_SPAN;
	result->stable_from_ns = scan->stable.high_ns;
	result->rto = span_between(fault, scan->stable);
	assert(result->rto.low_ns <= result->rto.high_ns);
}

/* An attempt belongs to the time after the fault when it ended there; a slot without one by due. */
static void count_slots(const struct measure_request *request, uint64_t slot_count,
			struct probe_result *result)
{
	const struct track *track = request->track;
	const int64_t from_ns =
		has_fault(request) ? request->fault.low_ns : request->baseline_from_ns;
	uint64_t total;

	for (uint64_t slot = 0; slot < slot_count; slot++) {
		const struct sample *sample = &track->samples[slot];
		const bool is_due = track_due_ns(track, slot) >= from_ns;
		const bool is_ended = sample->done_ns >= from_ns;
		const bool is_late = is_ended && track_is_late(track, slot);

		result->good_count += sample->state == SAMPLE_GOOD && is_ended;
		result->bad_count += sample->state == SAMPLE_BAD && is_ended;
		result->skipped_count += sample->state == SAMPLE_SKIPPED && is_due;
		result->not_sampled_count += sample->state == SAMPLE_NONE && is_due;
		result->late_count += is_late;
		result->late_good_count += is_late && sample->state == SAMPLE_GOOD;
	}
	total = result->good_count + result->bad_count + result->skipped_count +
		result->not_sampled_count;
	result->availability_high_ppm = 1000000;
	if (total == 0)
		return;
	/* What a late attempt saw is not what its own slot would have shown. */
	const uint64_t good_count = result->good_count - result->late_good_count;
	const uint64_t bad_count =
		result->bad_count - (result->late_count - result->late_good_count);

	result->availability_low_ppm = (int64_t)(good_count * 1000000 / total);
	result->availability_high_ppm = (int64_t)(1000000 - bad_count * 1000000 / total);
}

static void tell_lateness(const struct measure_request *request, struct probe_result *result)
{
	const struct latency_window start = { .of = LATENCY_START,
					      .from_ns = request->baseline_from_ns,
					      .until_ns = request->end_ns,
					      .done_before_ns = INT64_MAX };
	struct latency lateness;

	measure_latency(request->track, &start, &lateness);
	result->lateness_p50_ns = lateness.p50_ns;
	result->lateness_p99_ns = lateness.p99_ns;
	result->lateness_max_ns = lateness.max_ns;
}

/* A4: how long a working service takes. False: the baseline has not seen it answer. */
static bool find_longest_answer(const struct measure_request *request, uint64_t slot_count,
				int64_t *ret_longest_ns)
{
	bool is_found = false;

	*ret_longest_ns = 0;
	for (uint64_t slot = 0; slot < slot_count; slot++) {
		const struct sample *sample = &request->track->samples[slot];
		const int64_t due_ns = track_due_ns(request->track, slot);

		if (due_ns >= request->fault.low_ns)
			break;
		if (sample->state != SAMPLE_GOOD || due_ns < request->baseline_from_ns ||
		    sample->done_ns >= request->fault.low_ns)
			continue;
		is_found = true;
		*ret_longest_ns = at_least(*ret_longest_ns, sample->done_ns - due_ns);
	}
	return is_found;
}

/*
 * Where "during" ends and "after" begins: the probe's stable stretch has begun and the last fault
 * is healed. Without an outage the heal alone decides.
 */
static int64_t recovered_ns(const struct scan *scan)
{
	const struct measure_request *request = scan->request;
	int64_t at_ns = scan->stable_due_ns;

	if (!has_fault(request))
		return request->end_ns;
	if (scan->result->bad_count == 0 && request->healed_ns != 0)
		at_ns = request->healed_ns;
	at_ns = at_least(at_ns, request->healed_ns);
	return at_most(at_least(at_ns, request->fault.low_ns), at_least(request->end_ns,
									request->fault.low_ns));
}

int64_t measure_heal_began_ns(const struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->event_count; i++)
		if (timeline->events[i].kind == EVENT_PHASE &&
		    timeline->events[i].phase == PHASE_HEAL)
			return timeline->events[i].at_ns;
	return 0;
}

int64_t measure_healed_ns(const struct timeline *timeline)
{
	int64_t healed_ns = 0;

	for (size_t i = 0; i < timeline->event_count; i++)
		if (timeline->events[i].kind == EVENT_HEALED)
			healed_ns = at_least(healed_ns, timeline->events[i].until_ns);
	return healed_ns;
}

void measure_probe(const struct measure_request *request, struct probe_result *ret_result)
{
	const uint64_t slot_count = slots_before_end(request);
	struct scan scan = { .request = request, .result = ret_result };

	assert(request->fault.low_ns <= request->fault.high_ns);
	assert(request->track->every_ns > 0);

	*ret_result = (struct probe_result){ .probe = request->track->probe,
					     .is_required = request->is_required };
	count_slots(request, slot_count, ret_result);
	scan.stable_due_ns = request->end_ns;
	scan.unproven_flap_ns = INT64_MAX;
	scan.down_proof_ns = INT64_MAX;
	if (has_fault(request)) {
		scan.has_baseline =
			find_longest_answer(request, slot_count, &scan.answers_within_ns);
		scan.knee_ns = find_knee_ns(&scan, slot_count);
		walk(&scan, slot_count);
		/* No answer of the stable stretch came before we began to undo the harm. */
		scan.is_healed_by_us = scan.is_stable && request->heal_began_ns != 0 &&
				       scan.stable.high_ns > request->heal_began_ns;
		tell_rto(&scan, ret_result);
	}
	tell_lateness(request, ret_result);
	measure_levels(request, recovered_ns(&scan), ret_result);
	ret_result->over_ns = request->over_ns;
	if (has_fault(request) && request->over_ns != 0)
		ret_result->time_over = measure_time_over(request, request->over_ns);
}

/* Is this one slower? Never recovered beats every span; a later end beats an earlier one. */
static bool is_slower(const struct probe_result *result, enum measured kind, struct span span)
{
	static const int ranks[] = {
		[MEASURED_NO_OUTAGE] = 0,
		[MEASURED_SPAN] = 1,
		[MEASURED_NOTHING] = 2,
		[MEASURED_NEVER_RECOVERED] = 3,
	};

	if (result->rto_kind != kind)
		return ranks[result->rto_kind] > ranks[kind];
	if (result->rto.high_ns != span.high_ns)
		return result->rto.high_ns > span.high_ns;
	return result->rto.low_ns > span.low_ns;
}

void measure_service_rto(const struct probe_result *results, size_t count, enum measured *ret_kind,
			 struct span *ret_span, const char **ret_probe)
{
	const struct probe_result *slowest = NULL;

	for (size_t i = 0; i < count; i++)
		if (results[i].is_required &&
		    (slowest == NULL || is_slower(&results[i], slowest->rto_kind, slowest->rto)))
			slowest = &results[i];

	*ret_kind = slowest == NULL ? MEASURED_NOTHING : slowest->rto_kind;
	*ret_span = slowest == NULL ? (struct span){ 0 } : slowest->rto;
	*ret_probe = slowest == NULL ? NULL : slowest->probe;
	/* The service is back when its last probe is: the greatest low bound holds for it too. */
	for (size_t i = 0; slowest != NULL && i < count; i++)
		if (results[i].is_required && results[i].rto_kind == slowest->rto_kind)
			ret_span->low_ns = at_least(ret_span->low_ns, results[i].rto.low_ns);
	assert(ret_span->low_ns <= ret_span->high_ns);
}

bool measure_service(const struct probe_result *results, size_t count,
		     struct probe_result *ret_service)
{
	enum measured kind;
	struct span span;
	const char *probe;

	measure_service_rto(results, count, &kind, &span, &probe);
	if (kind == MEASURED_NOTHING)
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(results[i].probe, probe) == 0)
			*ret_service = results[i];
	ret_service->rto = span;
	return true;
}
