/*
 * measure_ledger.c - what became of every write, and how much time of acknowledged work is gone.
 *
 * Pure arithmetic over one read-back: it does not decide whether the read-back can be trusted, and
 * it does not know which of several servers was read.
 *
 * A loss is an acknowledged write that is absent, or any attempted write that is present with a
 * wrong checksum. The moment a write was acknowledged lies in [sent, done]; the span of the
 * observed RPO carries that through, so two writes under way together are never put in an order
 * that the record does not prove. The rows of a batch share their slot's [sent, done].
 */
#include "engine/measure.h"

#include <assert.h>

enum fate { FATE_NONE = 0, FATE_SURVIVED, FATE_LOST };

/* The edges of all losses, as far as the record proves them. */
struct losses {
	uint64_t count;
	int64_t first_low_ns; /* the first lost write was acknowledged in here */
	int64_t first_high_ns;
	int64_t last_low_ns; /* and the last one in here */
	int64_t last_high_ns;
};

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void keep_lost_key(struct ledger_classes *classes, uint64_t number)
{
	if (classes->lost_key_count < LIMIT_LOST_KEYS_SHOWN)
		classes->lost_keys[classes->lost_key_count++] = number;
}

static enum fate classify_row(enum write_outcome write, uint8_t row, uint64_t number,
			      struct ledger_classes *classes)
{
	const bool is_acknowledged = write == WRITE_ACKNOWLEDGED;
	const bool is_present = row != 0; /* corrupted or duplicated rows are there, too */

	if (write == WRITE_NONE) {
		classes->unexpected += is_present;
		return FATE_NONE;
	}
	classes->attempted++;
	classes->acknowledged += is_acknowledged;
	classes->failed += write == WRITE_FAILED;
	classes->indeterminate += write == WRITE_INDETERMINATE;
	classes->duplicated += (row & ROW_DUPLICATED) != 0;

	if ((row & ROW_CORRUPTED) != 0) {
		classes->corrupted++;
		keep_lost_key(classes, number);
		return FATE_LOST;
	}
	if (is_acknowledged) {
		classes->ok += is_present;
		if (is_present)
			return FATE_SURVIVED;
		classes->lost++;
		keep_lost_key(classes, number);
		return FATE_LOST;
	}
	classes->recovered += is_present;
	classes->recovered_failed += is_present && write == WRITE_FAILED;
	classes->absent += !is_present;
	return FATE_NONE;
}

static enum fate fate_of(enum write_outcome write, uint8_t row)
{
	struct ledger_classes ignored = { 0 };

	return classify_row(write, row, 0, &ignored);
}

static void classify(const struct track *track, const struct ledger_read *read, uint64_t row_count,
		     struct ledger_classes *ret_classes, struct losses *ret_losses)
{
	*ret_losses = (struct losses){ .first_low_ns = INT64_MAX, .first_high_ns = INT64_MAX };

	for (uint64_t number = 0; number < row_count; number++) {
		const struct sample *sample = track_row_sample(track, number);

		if (classify_row(track_row_write(track, number), read->rows[number], number,
				 ret_classes) != FATE_LOST)
			continue;
		ret_losses->count++;
		ret_losses->first_low_ns = earlier(ret_losses->first_low_ns, sample->sent_ns);
		ret_losses->first_high_ns = earlier(ret_losses->first_high_ns, sample->done_ns);
		ret_losses->last_low_ns = later(ret_losses->last_low_ns, sample->sent_ns);
		ret_losses->last_high_ns = later(ret_losses->last_high_ns, sample->done_ns);
	}
	/* Rows that the record of samples does not reach were attempted by nobody we know. */
	for (uint64_t number = row_count; number < read->row_count; number++)
		ret_classes->unexpected += read->rows[number] != 0;
	ret_classes->unexpected += read->unexpected_count;
}

/*
 * The recovery point: the acknowledgement of the newest survivor that came before the first loss.
 * A survivor came before it for sure when it was done before any lost write was sent; it may have
 * come before it when it was sent before a lost write was done. Without one: the ledger's start.
 */
static struct span find_recovery_point(const struct track *track, const struct ledger_read *read,
				       uint64_t row_count, const struct losses *losses)
{
	struct span point = { track->t0_ns, track->t0_ns };

	for (uint64_t number = 0; number < row_count; number++) {
		const struct sample *sample = track_row_sample(track, number);

		if (fate_of(track_row_write(track, number), read->rows[number]) != FATE_SURVIVED)
			continue;
		if (sample->done_ns < losses->first_low_ns)
			point.low_ns = later(point.low_ns, sample->sent_ns);
		if (sample->sent_ns < losses->first_high_ns)
			point.high_ns = later(point.high_ns,
					      earlier(sample->done_ns, losses->first_high_ns));
	}
	assert(point.low_ns <= point.high_ns);
	return point;
}

static struct span find_rpo(struct span recovery_point, const struct losses *losses,
			    struct span fault)
{
	const struct span until = { later(fault.low_ns, losses->last_low_ns),
				    later(fault.high_ns, losses->last_high_ns) };

	return (struct span){ later(until.low_ns - recovery_point.high_ns, 0),
			      later(until.high_ns - recovery_point.low_ns, 0) };
}

void measure_ledger(const struct track *track, const struct ledger_read *read, struct span fault,
		    struct ledger_count_result *ret_result)
{
	struct losses losses;
	uint64_t row_count;

	assert(fault.low_ns <= fault.high_ns);

	*ret_result = (struct ledger_count_result){ 0 };
	if (read == NULL)
		return;
	ret_result->was_counted = true;
	ret_result->is_readable = read->is_complete;
	ret_result->error = read->error;
	ret_result->first_missing_count = read->first_missing_count;
	ret_result->read_count = read->read_number;
	ret_result->settle_ns = read->settle_ns;
	if (!read->is_complete)
		return;

	/* The first count is taken while the ledger goes on: later slots are not its business. */
	row_count = read->row_count < track_row_count(track) ? read->row_count
							     : track_row_count(track);
	classify(track, read, row_count, &ret_result->classes, &losses);
	if (losses.count > 0)
		ret_result->rpo = find_rpo(find_recovery_point(track, read, row_count, &losses),
					   &losses, fault);
}

static const struct ledger_count_result *worse_of(const struct ledger_count_result *a,
						  const struct ledger_count_result *b)
{
	const uint64_t a_losses = a->classes.lost + a->classes.corrupted;
	const uint64_t b_losses = b->classes.lost + b->classes.corrupted;

	if (!a->was_counted || !a->is_readable)
		return b;
	if (!b->was_counted || !b->is_readable)
		return a;
	if (a_losses != b_losses)
		return a_losses > b_losses ? a : b;
	if (a->rpo.high_ns != b->rpo.high_ns)
		return a->rpo.high_ns > b->rpo.high_ns ? a : b;
	return a->rpo.low_ns > b->rpo.low_ns ? a : b;
}

void measure_ledger_worse(struct ledger_result *result)
{
	const struct ledger_count_result *worse = worse_of(&result->stable, &result->healed);

	result->worse = worse->was_counted && worse->is_readable ? worse : NULL;
}
