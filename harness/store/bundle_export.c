/*
 * bundle_export.c - a run out of a store into a bundle, member after member, a chunk of samples at a
 * time. Every seal is checked on the way: no bundle is made of a record that does not fit.
 */
#include "store/bundle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/bundle_file.h"
#include "store/bundle_rows.h"
#include "store/row_text.h"
#include "store/store_private.h"

struct export {
	struct store *store;
	const struct bundle_request *request;
	struct arena arena;
	struct stored_run run;
	struct timeline timeline; /* its events and its head */
	struct stored_heal *heals;
	size_t heal_count;
	struct stored_track *tracks;
	size_t track_count;
	struct stored_ledger_read *reads;
	size_t read_count;
	const char **names;
	size_t name_count;
	struct bundle_writer *owned_writer;
};

/* ---- what there is ---- */

static bool read_rows(struct export *export, struct err *e)
{
	const struct store_ops *ops = export->store->ops;
	void *backend = export->store->owned_backend;
	const char *run_id = export->request->run_id;

	return store_journal_read(export->store, run_id, &export->arena, &export->run,
				  &export->timeline, e) &&
	       ops->heals_read(backend, run_id, &export->arena, &export->heals,
			       &export->heal_count, e) &&
	       ops->tracks_read(backend, run_id, &export->arena, &export->tracks,
				&export->track_count, e) &&
	       ops->ledger_reads_read(backend, run_id, &export->arena, &export->reads,
				      &export->read_count, e);
}

/* A list of texts is written as such; its seal is over the JSON that the store has. */
static bool check_texts(const char *json, const char *what, struct err *e)
{
	struct arena scratch = { 0 };
	struct text again = { 0 };
	const char **texts = NULL;
	size_t count = 0;
	bool ok = store_texts_parse(json, &scratch, &texts, &count, e);

	if (ok) {
		store_texts_print(texts, count, &again);
		ok = (strcmp(text_str(&again), json) == 0 && count <= ROW_LIST_MAX) ||
		     err_set(e, ERR_REFUSED, "%s cannot be written as a list of texts", what);
	}
	text_release(&again);
	arena_release(&scratch);
	return ok;
}

static bool check_run(struct export *export, struct err *e)
{
	const struct run_row *row = &export->run.row;

	if (!row->is_ended && store_run_is_alive(row))
		return err_set(e, ERR_REFUSED, "it is still under way; export it when it has ended");
	if (row->experiment_text == NULL || row->inventory_text == NULL)
		return err_set(e, ERR_REFUSED, "the store has no documents of it");
	if (!check_texts(export->run.vars_json, "its variables", e))
		return false;
	for (size_t i = 0; i < export->track_count; i++)
		if (!check_texts(export->tracks[i].errors_json, "the errors of a probe", e))
			return false;
	return bundle_ledgers_fit(export->tracks, export->track_count, export->reads,
				  export->read_count, e);
}

static void push_name(struct export *export, const char *name)
{
	export->names[export->name_count++] = arena_copy(&export->arena, name);
}

/* The order of a bundle; bundle_store.c demands it. */
static bool list_names(struct export *export, struct err *e)
{
	static const char *const fixed[] = { BUNDLE_README,	BUNDLE_RUN,    BUNDLE_EXPERIMENT,
					     BUNDLE_INVENTORY,	BUNDLE_EVENTS, BUNDLE_HEALS,
					     BUNDLE_TRACKS,	BUNDLE_LEDGER_READS };
	const size_t fixed_count = sizeof fixed / sizeof fixed[0];
	const size_t count = fixed_count + export->track_count + export->read_count +
			     export->request->report_count;
	char name[BUNDLE_NAME_BYTES];

	if (count > BUNDLE_MEMBERS_MAX)
		return err_set(e, ERR_LIMIT, "it has %zu parts, and a bundle at most %d", count,
			       (int)BUNDLE_MEMBERS_MAX);
	export->names = arena_alloc(&export->arena, count * sizeof *export->names);
	for (size_t i = 0; i < fixed_count; i++)
		push_name(export, fixed[i]);
	for (size_t i = 0; i < export->track_count; i++) {
		bundle_samples_name(i, export->tracks[i].probe, name);
		push_name(export, name);
	}
	for (size_t i = 0; i < export->read_count; i++) {
		bundle_ledger_name(i, &export->reads[i], name);
		push_name(export, name);
	}
	for (size_t i = 0; i < export->request->report_count; i++) {
		(void)snprintf(name, sizeof name, BUNDLE_REPORTS "%.80s",
			       export->request->reports[i].name);
		push_name(export, name);
	}
	return true;
}

/* ---- members ---- */

static bool add_text(struct export *export, struct text *text, struct err *e)
{
	const bool ok = bundle_writer_add(export->owned_writer, text_str(text),
					  text->length_bytes, e);

	text_clear(text);
	return ok;
}

static const char readme[] =
	"This is the record of one run of firedrill, a disaster that was rehearsed. Everything in it is\n"
	"plain text. Nothing but standard tools is needed to read it and to compute from it.\n"
	"\n"
	"  sha256sum -c MANIFEST.sha256     every file is as the bundle was made\n"
	"  firedrill verify BUNDLE.tar      the same, every seal, every number and the reports again\n"
	"  firedrill report BUNDLE.tar      the report again\n"
	"\n"
	"run.json            the run: who, when, result, and the seals over it\n"
	"experiment.yaml     what was promised and done; secrets stay references such as ${env:NAME}\n"
	"inventory.yaml      the hosts and services it speaks of\n"
	"events.jsonl        the journal; hash is SHA-256 of the hash before it and of the event's fields\n"
	"heals.jsonl         how each fault was to be undone, and whether it was\n"
	"tracks.jsonl        the probes: t0_ns, every_ns, number of slots, the texts of their errors\n"
	"samples/*.csv       one line a slot: due = t0_ns + slot * every_ns, sent = due + late_ns,\n"
	"                    done = sent + took_ns; no late_ns: not sampled; error is the number of a text\n"
	"                    in tracks.jsonl, from 1; write is the outcome of a ledger's row\n"
	"ledger_reads.jsonl  the readings of a ledger: stable (count 1), healed (count 2)\n"
	"ledger/*.csv        what a reading found: 0 absent, 1 present, +2 corrupted, +4 duplicated\n"
	"report/             the reports as they were when this was exported\n"
	"\n"
	"Times are nanoseconds on one clock that never steps (CLOCK_BOOTTIME of the machine that drilled);\n"
	"wall time = anchor_wall_ns + (at_ns - anchor_boot_ns). A text that is no UTF-8 stands as\n"
	"{\"hex\":\"...\"}. The seals show damage; they are no signature. Compare the head in run.json with\n"
	"the one in a report that was mailed or printed: it pins everything that is here.\n"
	"docs/evidence.md of firedrill says what this proves, and what not, and how the seals are made.\n";

static bool write_head(struct export *export, struct text *text, struct err *e)
{
	const struct run_row *row = &export->run.row;
	struct bundle_writer *writer = export->owned_writer;

	bundle_run_print(&export->run, export->timeline.head, export->request->exporter, text);
	return bundle_writer_next(writer, e) &&
	       bundle_writer_add(writer, readme, strlen(readme), e) &&
	       bundle_writer_next(writer, e) && add_text(export, text, e) &&
	       bundle_writer_next(writer, e) &&
	       bundle_writer_add(writer, row->experiment_text, strlen(row->experiment_text), e) &&
	       bundle_writer_next(writer, e) &&
	       bundle_writer_add(writer, row->inventory_text, strlen(row->inventory_text), e);
}

static bool write_events(struct export *export, struct text *text, struct err *e)
{
	bool ok = bundle_writer_next(export->owned_writer, e);

	for (size_t i = 0; ok && i < export->timeline.event_count; i++) {
		bundle_event_print(&export->timeline.events[i], text);
		ok = text->length_bytes <= ROW_LINE_BYTES_MAX ?
			     add_text(export, text, e) :
			     err_set(e, ERR_LIMIT, "event %zu is longer than %d bytes", i + 1,
				     (int)ROW_LINE_BYTES_MAX);
	}
	return ok;
}

static bool write_rows(struct export *export, struct text *text, struct err *e)
{
	bool ok = bundle_writer_next(export->owned_writer, e);

	for (size_t i = 0; ok && i < export->heal_count; i++) {
		bundle_heal_print(&export->heals[i], text);
		ok = add_text(export, text, e);
	}
	ok = ok && bundle_writer_next(export->owned_writer, e);
	for (size_t i = 0; ok && i < export->track_count; i++) {
		bundle_track_print(&export->tracks[i], text);
		ok = add_text(export, text, e);
	}
	ok = ok && bundle_writer_next(export->owned_writer, e);
	for (size_t i = 0; ok && i < export->read_count; i++) {
		bundle_ledger_read_print(&export->reads[i], text);
		ok = add_text(export, text, e);
	}
	return ok;
}

struct chunk_write {
	struct export *export;
	const struct stored_track *track;
	struct sample *samples; /* of one chunk */
	uint64_t chunk_index;
	struct text *text;
	char hash[HASH_TEXT_BYTES];
};

static bool write_chunk(void *ctx, struct blob chunk, struct err *e)
{
	struct chunk_write *write = ctx;
	const struct timetable timetable = { .t0_ns = write->track->t0_ns,
					     .every_ns = write->track->every_ns };
	const uint64_t first_slot = write->chunk_index * CODEC_CHUNK_SAMPLES;

	if (write->chunk_index >= store_chunk_count(write->track->slot_count))
		return err_set(e, ERR_ALTERED, "there are more samples of %s than there were",
			       write->track->probe);

	const size_t count = store_chunk_samples(write->track->slot_count, write->chunk_index);

	store_seal_chunk(chunk, write->hash);
	if (!codec_samples_read(&timetable, first_slot, chunk.bytes, chunk.length_bytes,
				write->samples, count, e))
		return false;
	write->chunk_index++;
	bundle_samples_print(&timetable, first_slot, write->samples, count, write->text);
	return add_text(write->export, write->text, e);
}

static bool write_samples(struct export *export, const struct stored_track *track,
			  struct text *text, struct err *e)
{
	struct chunk_write write = {
		.export = export,
		.track = track,
		.samples = mem_alloc(CODEC_CHUNK_SAMPLES * sizeof *write.samples),
		.text = text,
	};
	const struct chunk_sink sink = { .take = write_chunk, .ctx = &write };
	bool ok;

	store_seal_track(track, track->chunk_count, write.hash);
	text_addf(text, "%s\n", bundle_samples_heading);
	ok = bundle_writer_next(export->owned_writer, e) && add_text(export, text, e) &&
	     export->store->ops->chunks_read(export->store->owned_backend,
					     export->request->run_id, track->probe, &sink, e);
	if (ok && (strcmp(write.hash, track->seal) != 0 ||
		   write.chunk_index != store_chunk_count(track->slot_count)))
		ok = err_set(e, ERR_ALTERED, "the samples of %s are not as they were written",
			     track->probe);
	free(write.samples);
	return ok;
}

static bool write_ledger(struct export *export, const struct stored_ledger_read *read,
			 struct text *text, struct err *e)
{
	uint8_t *rows = mem_alloc(read->slot_count + 1);
	char hash[HASH_TEXT_BYTES];
	bool ok;

	store_seal_ledger_read(read, hash);
	ok = strcmp(hash, read->seal) == 0 ||
	     err_set(e, ERR_ALTERED, "a reading of the ledger %s is not as it was written",
		     read->probe);
	ok = ok && bundle_writer_next(export->owned_writer, e) &&
	     codec_runs_read(read->rows.bytes, read->rows.length_bytes, rows, read->slot_count, e);

	if (ok) {
		text_addf(text, "%s\n", bundle_ledger_heading);
		bundle_ledger_print(rows, read->slot_count, text);
		ok = add_text(export, text, e);
	}
	free(rows);
	return ok;
}

static bool write_members(struct export *export, struct err *e)
{
	const struct bundle_request *request = export->request;
	struct text text = { 0 };
	bool ok = write_head(export, &text, e) && write_events(export, &text, e) &&
		  write_rows(export, &text, e);

	for (size_t i = 0; ok && i < export->track_count; i++)
		ok = write_samples(export, &export->tracks[i], &text, e);
	for (size_t i = 0; ok && i < export->read_count; i++)
		ok = write_ledger(export, &export->reads[i], &text, e);
	for (size_t i = 0; ok && i < request->report_count; i++)
		ok = bundle_writer_next(export->owned_writer, e) &&
		     bundle_writer_add(export->owned_writer, request->reports[i].bytes,
				       request->reports[i].length_bytes, e);
	text_release(&text);
	return ok;
}

static bool run_export(struct export *export, struct err *e)
{
	const struct bundle_request *request = export->request;

	return read_rows(export, e) && check_run(export, e) && list_names(export, e) &&
	       bundle_writer_open(request->path, request->run_id, export->names,
				  export->name_count, &export->owned_writer, e) &&
	       write_members(export, e) && bundle_writer_finish(export->owned_writer, e);
}

bool bundle_export(struct store *store, const struct bundle_request *request, struct err *e)
{
	struct export export = { .store = store, .request = request };
	bool ok;

	/* One view of all tables, while another process may be writing. */
	if (!store->ops->begin(store->owned_backend, false, e))
		return false;
	ok = run_export(&export, e) || err_wrap(e, "export run %s", request->run_id);
	store->ops->rollback(store->owned_backend); /* nothing was written */
	bundle_writer_close(export.owned_writer);
	arena_release(&export.arena);
	return ok;
}
