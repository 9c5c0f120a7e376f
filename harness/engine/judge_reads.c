/*
 * judge_reads.c - the objectives `stale_reads`, `staleness` and `non_monotonic_reads`: what a reader beside
 * a ledger was shown. What was not read proves nothing, so without reads there is no success.
 */
#include "engine/judge_parts.h"

#include <inttypes.h>

#include "engine/judge_words.h"

/* Of the slots of a reader, so many without a read leave room for what was not seen. */
enum { UNSEEN_AT_MOST_PERCENT = 1 };

/* One objective of a reader, against all readers. */
struct reads_row {
	const char *name;
	const char *target;
	int64_t limit;
	bool is_of_stale; /* needs acknowledged writes, and the ledger's final reading */
	struct span (*read)(const struct reader_result *reader); /* proven, and not excluded */
	const char *(*say)(struct bench *bench, const struct reader_result *reader);
	const char *met_reason;
	const char *missed_reason;
};

static const char *find_gap(struct bench *bench, const struct reads_row *row,
			    const struct reader_result *reader, const char **ret_advice)
{
	const uint64_t slot_count = reader->read_count + reader->unseen_count;

	*ret_advice = "see why, and run it again";
	if (!reader->is_readable)
		return arena_format(bench->arena, "reader `%s`: %s", reader->probe, reader->error);
	if (reader->read_count == 0)
		return arena_format(bench->arena, "no read of `%s` was answered", reader->probe);
	if (row->is_of_stale && reader->judged_row_count == 0)
		return arena_format(bench->arena,
				    "`%s` read nothing after a write of `%s` was acknowledged",
				    reader->probe, reader->ledger);
	*ret_advice = "read less often, or from a machine with more to spare";
	if (reader->unseen_count * 100 > slot_count * UNSEEN_AT_MOST_PERCENT)
		return arena_format(bench->arena,
				    "%" PRIu64 " reads of `%s` were not made, and any of them may "
				    "have been one", reader->unseen_count, reader->probe);
	return NULL;
}

static void judge_reader(struct bench *bench, const struct reads_row *row,
			 const struct reader_result *reader, struct objective_result *result)
{
	const struct span found = row->read(reader);
	const char *advice = NULL;
	const char *gap = find_gap(bench, row, reader, &advice);

	if (reader->is_readable && reader->read_count > 0)
		result->observed = row->say(bench, reader);
	if (reader->is_readable && found.low_ns > row->limit)
		judge_decide(bench, result, VERDICT_MISSED, row->missed_reason, NULL);
	else if (judge_is_unconfirmed(bench, result))
		return;
	else if (gap != NULL)
		judge_decide(bench, result, VERDICT_INCONCLUSIVE, gap, advice);
	else if (found.high_ns > row->limit)
		judge_decide(bench, result, VERDICT_INCONCLUSIVE,
			     reader->is_settled ? judge_inside_reason :
						  "the ledger was not read back at the end, so what is "
						  "late and what is lost cannot be told apart",
			     reader->is_settled ? "read more often" :
						  "see why it could not be read, and run it again");
	else
		judge_decide(bench, result, VERDICT_MET, row->met_reason, NULL);
}

static void judge_readers(struct bench *bench, const struct reads_row *row)
{
	const struct judge_request *request = bench->request;
	const struct objective_result blank = {
		.name = row->name, .target = row->target, .observed = "not known", .margin = ""
	};
	struct objective_result worst = blank;

	if (!judge_is_moot(bench, &worst) && request->reader_count == 0)
		judge_decide(bench, &worst, VERDICT_INCONCLUSIVE, "nobody read beside a ledger",
			     "add a probe that does, such as `postgres.read`");
	for (size_t i = 0; bench->facts.not_started == NULL && i < request->reader_count; i++) {
		struct objective_result result = blank;

		judge_reader(bench, row, &request->readers[i], &result);
		if (i == 0 || judge_badness(result.verdict) > judge_badness(worst.verdict))
			worst = result;
	}
	judge_put(bench, &worst);
}

static const char *at_most(struct bench *bench, int64_t count)
{
	return arena_format(bench->arena, "at most %s",
			    judge_count(bench->arena, (uint64_t)count));
}

static struct span read_stale(const struct reader_result *reader)
{
	return (struct span){ (int64_t)reader->stale_read_count,
			      (int64_t)(reader->stale_read_count + reader->undecided_read_count) };
}

static const char *say_stale(struct bench *bench, const struct reader_result *reader)
{
	return arena_format(bench->arena, "%s of %s reads stale",
			    judge_count(bench->arena, reader->stale_read_count),
			    judge_count(bench->arena, reader->read_count));
}

void judge_stale_reads(struct bench *bench)
{
	const struct objectives *objectives = &bench->request->experiment->objectives;

	if (objectives->has_stale_reads)
		judge_readers(bench, &(struct reads_row){
					     .name = "stale reads",
					     .target = at_most(bench, objectives->stale_reads),
					     .limit = objectives->stale_reads,
					     .is_of_stale = true,
					     .read = read_stale,
					     .say = say_stale,
					     .met_reason = "reads showed what had been acknowledged",
					     .missed_reason = "reads missed writes that had been "
							      "acknowledged before they began, and "
							      "that were there later",
				     });
}

static struct span read_staleness(const struct reader_result *reader)
{
	if (reader->undecided_read_count > 0)
		return (struct span){ reader->staleness.low_ns, NEVER_NS };
	return reader->staleness;
}

static const char *say_staleness(struct bench *bench, const struct reader_result *reader)
{
	return judge_took(bench->arena, read_staleness(reader));
}

void judge_staleness(struct bench *bench)
{
	const struct objectives *objectives = &bench->request->experiment->objectives;

	if (objectives->has_staleness)
		judge_readers(
			bench,
			&(struct reads_row){
				.name = "staleness",
				.target = arena_format(bench->arena, "at most %s",
						       judge_duration(bench->arena,
								      objectives->staleness_ns)),
				.limit = objectives->staleness_ns,
				.is_of_stale = true,
				.read = read_staleness,
				.say = say_staleness,
				.met_reason = "no read missed a write for longer than that",
				.missed_reason = "a read missed a write that had been acknowledged "
						 "longer ago than that, and that was there later",
			});
}

static struct span read_non_monotonic(const struct reader_result *reader)
{
	const int64_t count = (int64_t)reader->non_monotonic_read_count;

	return (struct span){ count, count };
}

static const char *say_non_monotonic(struct bench *bench, const struct reader_result *reader)
{
	return arena_format(bench->arena, "%s of %s reads",
			    judge_count(bench->arena, reader->non_monotonic_read_count),
			    judge_count(bench->arena, reader->read_count));
}

void judge_non_monotonic_reads(struct bench *bench)
{
	const struct objectives *objectives = &bench->request->experiment->objectives;

	if (objectives->has_non_monotonic_reads)
		judge_readers(bench,
			      &(struct reads_row){
				      .name = "non-monotonic reads",
				      .target = at_most(bench, objectives->non_monotonic_reads),
				      .limit = objectives->non_monotonic_reads,
				      .read = read_non_monotonic,
				      .say = say_non_monotonic,
				      .met_reason = "what a read had shown, later ones showed, too",
				      .missed_reason = "reads did not show what earlier ones of the "
						       "same reader had shown",
			      });
}
