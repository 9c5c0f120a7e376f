/*
 * bundle_rows.h - the rows of a run as the members of a bundle hold them: lines of JSON for what is
 * one of few, CSV for samples and for the rows of a ledger. Pure.
 *
 * A bundle comes from elsewhere, so numbers beyond any that a run can have are refused here: nothing
 * behind this file must be afraid of them.
 */
#ifndef STORE_BUNDLE_ROWS_H
#define STORE_BUNDLE_ROWS_H

#include "store/codec.h"
#include "store/store_ops.h"

enum { BUNDLE_FORMAT_VERSION = 1, BUNDLE_NAME_BYTES = 100 };

#define BUNDLE_RUN "run.json"
#define BUNDLE_EVENTS "events.jsonl"
#define BUNDLE_HEALS "heals.jsonl"
#define BUNDLE_TRACKS "tracks.jsonl"
#define BUNDLE_LEDGER_READS "ledger_reads.jsonl"
#define BUNDLE_EXPERIMENT "experiment.yaml"
#define BUNDLE_INVENTORY "inventory.yaml"
#define BUNDLE_README "README.txt"
#define BUNDLE_REPORTS "report/"

/* "samples/01-reads.csv", "ledger/01-writes-stable.csv": the number makes them unique. */
void bundle_samples_name(size_t index, const char *probe, char ret_name[BUNDLE_NAME_BYTES]);
void bundle_ledger_name(size_t index, const struct stored_ledger_read *read,
			char ret_name[BUNDLE_NAME_BYTES]);

/* ---- lines ---- */

/* The documents are members of their own. head: of the run, when it was exported. */
void bundle_run_print(const struct stored_run *run, const char *head, const char *exporter,
		      struct text *text);
/* ret_head, ret_exporter: texts in the arena. */
bool bundle_run_parse(const char *line, size_t length_bytes, struct arena *arena,
		      struct stored_run *ret_run, const char **ret_head, const char **ret_exporter,
		      struct err *e);

void bundle_event_print(const struct event *event, struct text *text);
bool bundle_event_parse(const char *line, size_t length_bytes, struct arena *arena,
			struct event *ret_event, struct err *e);

void bundle_heal_print(const struct stored_heal *heal, struct text *text);
bool bundle_heal_parse(const char *line, size_t length_bytes, struct arena *arena,
		       struct stored_heal *ret_heal, struct err *e);

/* Samples, and the rows of a ledger read, are members of their own. */
void bundle_track_print(const struct stored_track *track, struct text *text);
bool bundle_track_parse(const char *line, size_t length_bytes, struct arena *arena,
			struct stored_track *ret_track, struct err *e);

void bundle_ledger_read_print(const struct stored_ledger_read *read, struct text *text);
bool bundle_ledger_read_parse(const char *line, size_t length_bytes, struct arena *arena,
			      struct stored_ledger_read *ret_read, struct err *e);

/* No reading has more rows than its probe has slots, and no probe more than a few readings: so the
   memory they take is bounded by the samples that are really there. */
bool bundle_ledgers_fit(const struct stored_track *tracks, size_t track_count,
			const struct stored_ledger_read *reads, size_t read_count, struct err *e);

/* ---- CSV ---- */

/* The first line, without its newline. Every slot has a line, also one that was not sampled. */
extern const char bundle_samples_heading[];
enum { BUNDLE_SAMPLE_BYTES_MIN = 12, BUNDLE_SAMPLE_BYTES_MAX = 128 };

void bundle_samples_print(const struct timetable *timetable, uint64_t first_slot,
			  const struct sample *samples, size_t sample_count, struct text *text);
bool bundle_sample_parse(const char *line, size_t length_bytes, const struct timetable *timetable,
			 uint64_t slot, struct sample *ret_sample);

/* Runs of equal rows: first and last slot, and the sum of the ROW_ bits of each. */
extern const char bundle_ledger_heading[];
enum { BUNDLE_LEDGER_BYTES_MAX = 64 };

void bundle_ledger_print(const uint8_t *rows, uint64_t slot_count, struct text *text);
/* slot: where this run must begin. */
bool bundle_ledger_parse(const char *line, size_t length_bytes, uint64_t slot,
			 uint64_t slot_count, uint64_t *ret_last_slot, uint8_t *ret_row);

#endif
