/*
 * lag_log.c - see lag_log.h.
 */
#include "engine/lag_log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "engine/lag_text.h"

/* Few primaries live at one time. */
enum { LOOKS_MAX = 256, BATCHES = 8 };

static const int64_t gather_ns = 2 * NS_PER_S;

struct batch {
	const struct probe_spec *spec; /* NULL: free */
	struct lag_look looks[LOOKS_MAX];
	size_t count;
	size_t row_count;
};

struct lag_log {
	struct batch batches[BATCHES];
	size_t oldest; /* goes round when all are in use */
};

struct lag_log *lag_log_make(void)
{
	return mem_alloc(sizeof(struct lag_log));
}

void lag_log_release(struct lag_log *log)
{
	free(log);
}

/* "4 answers; db2 lacked up to 71.2 KiB, db3 up to 0 B" */
static void tell(const struct batch *batch, struct text *text)
{
	const struct lag_look *last = &batch->looks[batch->count - 1];
	char bytes[UNITS_TEXT_BYTES];

	text_addf(text, "%zu answer%s", batch->count, batch->count == 1 ? "" : "s");
	for (size_t i = 0; i < last->row_count; i++) {
		int64_t most_bytes = LAG_UNKNOWN;

		for (size_t j = 0; j < batch->count; j++)
			for (size_t k = 0; k < batch->looks[j].row_count; k++) {
				const struct lag_row *row = &batch->looks[j].rows[k];

				if (strcmp(row->replica, last->rows[i].replica) == 0 &&
				    row->flush_bytes > most_bytes)
					most_bytes = row->flush_bytes;
			}
		text_addf(text, "%s %s lacked up to %s", i == 0 ? ";" : ",", last->rows[i].replica,
			  most_bytes == LAG_UNKNOWN ?
				  "an unknown amount" :
				  units_format_bytes((uint64_t)most_bytes, bytes));
	}
	if (last->row_count == 0)
		text_add(text, "; no replica is connected");
}

static void append(struct batch *batch, struct journal *journal)
{
	struct text data = { 0 };
	struct text text = { 0 };

	lag_text_write(batch->looks, batch->count, &data);
	tell(batch, &text);
	(void)journal_append(journal, (struct event){
					      .kind = EVENT_LAG,
					      .host = batch->looks[0].primary,
					      .name = batch->spec->name,
					      .from_ns = batch->looks[0].from_ns,
					      .until_ns = batch->looks[batch->count - 1].until_ns,
					      .text = text_str(&text),
					      .data = text_str(&data) });
	text_release(&data);
	text_release(&text);
	batch->spec = NULL;
	batch->count = 0;
	batch->row_count = 0;
}

/* The one of this probe and primary, or one that is made free. */
static struct batch *find_batch(struct lag_log *log, struct journal *journal,
				const struct probe_spec *spec, const char *primary)
{
	struct batch *chosen = NULL;

	for (size_t i = 0; i < BATCHES; i++) {
		struct batch *batch = &log->batches[i];

		if (batch->spec == spec && strcmp(batch->looks[0].primary, primary) == 0)
			return batch;
		if (batch->spec == NULL && chosen == NULL)
			chosen = batch;
	}
	if (chosen == NULL) {
		chosen = &log->batches[log->oldest++ % BATCHES];
		append(chosen, journal);
	}
	chosen->spec = spec;
	return chosen;
}

void lag_log_add(struct lag_log *log, struct journal *journal, const struct probe_spec *spec,
		 const struct lag_look *look)
{
	struct batch *batch = find_batch(log, journal, spec, look->primary);

	/* A position that went down is another history (a server that was rewound). */
	if (batch->count > 0 && (look->wal_bytes < batch->looks[batch->count - 1].wal_bytes ||
				 batch->row_count + look->row_count > LAG_TEXT_ROWS_MAX)) {
		append(batch, journal);
		batch->spec = spec;
	}
	batch->looks[batch->count++] = *look;
	batch->row_count += look->row_count;
	if (batch->count == LOOKS_MAX || look->until_ns - batch->looks[0].from_ns >= gather_ns)
		append(batch, journal);
}

void lag_log_flush(struct lag_log *log, struct journal *journal)
{
	for (size_t i = 0; i < BATCHES; i++)
		if (log->batches[i].spec != NULL)
			append(&log->batches[i], journal);
}
