/*
 * bench_truth.c - seeded outages with known truth, through the real lanes: is it in the span, and
 * how wide is the span?
 *
 *   bench_truth COUNT AT_A_TIME LONGEST [FIRST_SEED]     ("1000 40 5s")
 *
 * Prints a table by kind, whether the goals of design.md 10 were met, and each outage that was
 * wrong, with its seed. The closed loop's column is the error of its one number.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/units.h"
#include "fixtures/truth.h"

struct column {
	int64_t *owned_values;
	size_t count;
};

static void column_add(struct column *column, int64_t value)
{
	column->owned_values[column->count++] = value;
}

static int compare(const void *a, const void *b)
{
	const int64_t left = *(const int64_t *)a;
	const int64_t right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* Nearest rank, in milliseconds; 0 for nothing. Sorts. */
static double rank_ms(const struct column *column, size_t percent)
{
	if (column->count == 0)
		return 0;
	qsort(column->owned_values, column->count, sizeof *column->owned_values, compare);
	return (double)column->owned_values[(column->count * percent + 99) / 100 - 1] /
	       (double)NS_PER_MS;
}

struct tally {
	size_t count;
	size_t inside;
	size_t unseen;
	size_t closed_unseen;
	struct column widths;	    /* without the fault's own */
	struct column closed_error; /* of its number, against the truth */
};

static int64_t distance_ns(int64_t value_ns, struct span truth)
{
	if (value_ns < truth.low_ns)
		return truth.low_ns - value_ns;
	return value_ns > truth.high_ns ? value_ns - truth.high_ns : 0;
}

static void add(struct tally *tally, const struct truth_outcome *outcome)
{
	tally->count++;
	tally->inside += truth_is_within(outcome->truth, outcome);
	tally->unseen += truth_is_rightly_unseen(outcome);
	if (outcome->measured == MEASURED_SPAN)
		column_add(&tally->widths,
			   outcome->rto.high_ns - outcome->rto.low_ns - outcome->fault_width_ns);
	if (outcome->closed_measured == MEASURED_SPAN)
		column_add(&tally->closed_error,
			   distance_ns(outcome->closed_rto_ns, outcome->truth));
	else
		tally->closed_unseen++;
}

static void tally_init(struct tally *tally, size_t count)
{
	*tally = (struct tally){ 0 };
	tally->widths.owned_values = mem_alloc(count * sizeof(int64_t));
	tally->closed_error.owned_values = mem_alloc(count * sizeof(int64_t));
}

static void tally_release(struct tally *tally)
{
	free(tally->widths.owned_values);
	free(tally->closed_error.owned_values);
}

static void print_row(const char *name, struct tally *tally)
{
	(void)printf("%-32s %7zu %7zu %7zu %9.1f %9.1f %9.1f  %9.1f %9.1f %9.1f %7zu\n", name,
		     tally->count, tally->inside, tally->unseen, rank_ms(&tally->widths, 50),
		     rank_ms(&tally->widths, 99), rank_ms(&tally->widths, 100),
		     rank_ms(&tally->closed_error, 50), rank_ms(&tally->closed_error, 99),
		     rank_ms(&tally->closed_error, 100), tally->closed_unseen);
}

/* Here the goal for the width holds: no attempt hangs through the end and is answered, and answers
   take no time. Elsewhere the span is wider by as much as the waiting or the answer took. */
static bool is_prompt(const struct truth_outcome *outcome)
{
	return outcome->waited_count == 0 && outcome->kind != TRUTH_SLOW_START &&
	       outcome->measured == MEASURED_SPAN;
}

static void print_goals(const struct tally *all, const struct tally *prompt)
{
	const size_t right = all->inside + all->unseen;
	const double width_ms = rank_ms(&prompt->widths, 99);
	const double goal_ms = TRUTH_EVERY_MS + 2;

	(void)printf("truth inside, or rightly not seen: %zu of %zu (goal: 99.9 %%): %s\n", right,
		     all->count, (all->count - right) * 1000 <= all->count ? "yes" : "NO");
	(void)printf("width at p99 where no attempt waited: %.1f ms (goal: %.0f ms): %s\n",
		     width_ms, goal_ms, width_ms <= goal_ms ? "yes" : "NO");
}

static void print_table(const struct truth_outcome *outcomes, size_t count)
{
	struct tally all, prompt, one;

	(void)printf("%-32s %7s %7s %7s %29s  %29s %7s\n", "", "", "truth", "not",
		     "width of the span, ms", "closed loop's error, ms", "says");
	(void)printf("%-32s %7s %7s %7s %9s %9s %9s  %9s %9s %9s %7s\n", "kind", "outages",
		     "inside", "seen", "p50", "p99", "max", "p50", "p99", "max", "nothing");
	tally_init(&all, count);
	tally_init(&prompt, count);
	for (int kind = 0; kind < TRUTH_KINDS; kind++) {
		tally_init(&one, count);
		for (size_t i = 0; i < count; i++) {
			if ((int)outcomes[i].kind != kind || !truth_is_known(&outcomes[i]))
				continue;
			add(&one, &outcomes[i]);
			add(&all, &outcomes[i]);
			if (is_prompt(&outcomes[i]))
				add(&prompt, &outcomes[i]);
		}
		print_row(truth_kind_name((enum truth_kind)kind), &one);
		tally_release(&one);
	}
	print_row("all", &all);
	print_row("of these, no attempt waited", &prompt);
	print_goals(&all, &prompt);
	tally_release(&all);
	tally_release(&prompt);
}

static void print_notes(const struct truth_outcome *outcomes, size_t count)
{
	struct column late = { .owned_values = mem_alloc(count * sizeof(int64_t)) };
	int64_t truth_max_ns = 0;
	uint64_t skipped = 0;
	size_t repeats = 0;
	size_t unknown = 0;

	for (size_t i = 0; i < count; i++) {
		const struct truth_outcome *outcome = &outcomes[i];
		const int64_t known_ns = outcome->new_truth.high_ns - outcome->new_truth.low_ns;

		repeats += outcome->repeat_count;
		unknown += !truth_is_known(outcome);
		skipped += outcome->skipped_count;
		column_add(&late, outcome->lateness_max_ns);
		if (truth_is_known(outcome) && known_ns > truth_max_ns)
			truth_max_ns = known_ns;
	}
	(void)printf("the truth is known to within %.0f us; made again because it was not: %zu, "
		     "left out: "
		     "%zu\n",
		     (double)truth_max_ns / 1000, repeats, unknown);
	(void)printf(
		"latest slot of an outage: p50 %.2f ms, p99 %.2f ms, max %.2f ms; skipped: %" PRIu64
		"\n",
		rank_ms(&late, 50), rank_ms(&late, 99), rank_ms(&late, 100), skipped);
	free(late.owned_values);
}

/* What a kept connection hides or prolongs: the truth of those who come new, for the same outages.
 */
static void print_kept(const struct truth_outcome *outcomes, size_t count, enum truth_kind kind)
{
	size_t kept_count = 0;
	size_t inside = 0;

	for (size_t i = 0; i < count; i++) {
		if (outcomes[i].kind != kind)
			continue;
		kept_count++;
		inside += truth_is_within(outcomes[i].new_truth, &outcomes[i]);
	}
	(void)printf("%s: the span holds what new users saw in %zu of %zu\n", truth_kind_name(kind),
		     inside, kept_count);
}

static void print_wrong(const struct truth_outcome *outcomes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct truth_outcome *o = &outcomes[i];

		if (!truth_is_known(o) || truth_is_within(o->truth, o) ||
		    truth_is_rightly_unseen(o))
			continue;
		(void)printf("outside: seed %" PRIu64
			     ", %s, %s, %.3f ms: truth %.3f to %.3f, said %d "
			     "[%.3f, %.3f] ms, latest slot %.3f ms\n",
			     o->seed, truth_kind_name(o->kind), o->probe, (double)o->lasts_ns / 1e6,
			     (double)o->truth.low_ns / 1e6, (double)o->truth.high_ns / 1e6,
			     (int)o->measured, (double)o->rto.low_ns / 1e6,
			     (double)o->rto.high_ns / 1e6, (double)o->lateness_max_ns / 1e6);
	}
}

int main(int argc, char **argv)
{
	struct truth_request request = { .first_seed = 1 };
	struct truth_outcome *outcomes;
	int64_t count = 0;
	int64_t at_a_time = 0;
	struct err e = { 0 };

	if (argc < 4 || !units_parse_count(argv[1], &count, &e) ||
	    !units_parse_count(argv[2], &at_a_time, &e) ||
	    !units_parse_duration(argv[3], &request.longest_ns, &e) || count < 1 || at_a_time < 1 ||
	    at_a_time > TRUTH_AT_A_TIME_MAX) {
		(void)fprintf(stderr, "usage: bench_truth COUNT AT_A_TIME LONGEST [FIRST_SEED]\n");
		return 2;
	}
	if (argc > 4)
		request.first_seed = strtoull(argv[4], NULL, 10);
	request.count = (size_t)count;
	request.at_a_time = (size_t)at_a_time;
	outcomes = mem_alloc(request.count * sizeof *outcomes);
	if (!truth_run(&request, outcomes, &e)) {
		(void)fprintf(stderr, "bench_truth: %s\n", e.text);
		return 2;
	}
	print_table(outcomes, request.count);
	print_kept(outcomes, request.count, TRUTH_HALF_OPEN_KEPT);
	print_kept(outcomes, request.count, TRUTH_TURNED_AWAY_KEPT);
	print_notes(outcomes, request.count);
	print_wrong(outcomes, request.count);
	free(outcomes);
	return 0;
}
