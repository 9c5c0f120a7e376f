/*
 * bundle_store.c - a bundle as a store that can only be read: everything that reads a run from a
 * store reads it from a bundle, with the same chain and the same seals checked on the way.
 *
 * The blobs that the seals are over are made again from the CSV, so the seals vouch for what a
 * person can read and not for something beside it.
 */
#include "store/bundle.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/bundle_parts.h"
#include "store/bundle_rows.h"
#include "store/store_private.h"

static void bundle_close(void *backend)
{
	struct bundle_store *bundle = backend;

	if (bundle == NULL)
		return;
	bundle_file_close(bundle->owned_file);
	arena_release(&bundle->arena);
	free(bundle);
}

static bool bundle_open(const char *path, int64_t deadline_ns, void **ret_backend, struct err *e)
{
	(void)deadline_ns; /* a file that is read once */
	struct bundle_store *bundle = mem_alloc(sizeof *bundle);

	if (!bundle_parts_open(bundle, path, e)) {
		bundle_close(bundle);
		return false;
	}
	*ret_backend = bundle;
	return true;
}

static bool parse_event(const char *line, size_t length_bytes, struct arena *arena, void *row,
			struct err *e)
{
	return bundle_event_parse(line, length_bytes, arena, row, e);
}

static bool parse_heal(const char *line, size_t length_bytes, struct arena *arena, void *row,
		       struct err *e)
{
	return bundle_heal_parse(line, length_bytes, arena, row, e);
}

static bool refuse(struct err *e)
{
	return err_set(e, ERR_REFUSED, "write to a bundle: it is evidence, and only read");
}

static bool bundle_begin(void *backend, bool is_write, struct err *e)
{
	(void)backend;
	return !is_write || refuse(e);
}

static void bundle_rollback(void *backend)
{
	(void)backend;
}

static bool bundle_make_room(void *backend)
{
	(void)backend;
	return false;
}

static bool bundle_runs_read(void *backend, const struct run_query *query, struct arena *arena,
			     struct stored_run **ret_runs, size_t *ret_count, struct err *e)
{
	struct bundle_store *bundle = backend;
	const char *run_id = bundle->run.row.run_id;
	struct stored_run *run = arena_alloc(arena, sizeof *run);

	(void)e; /* it was read when the bundle was opened */
	*run = bundle->run;
	*ret_runs = run;
	*ret_count = query->match == RUN_ANY || query->match == RUN_LAST ||
		     (query->match == RUN_EXACT && strcmp(run_id, query->run) == 0) ||
		     (query->match == RUN_PREFIX &&
		      strncmp(run_id, query->run, strlen(query->run)) == 0);
	return true;
}

static bool bundle_events_read(void *backend, const char *run_id, uint64_t after,
			       struct arena *arena, struct event **ret_events, size_t *ret_count,
			       struct err *e)
{
	void *rows = NULL;
	size_t count = 0;

	(void)run_id;
	if (!bundle_read_rows(backend, BUNDLE_EVENTS, parse_event, sizeof **ret_events, arena, &rows,
			      &count, e))
		return false;

	struct event *events = rows;
	size_t first = 0;

	while (first < count && events[first].number <= after)
		first++;
	*ret_events = first < count ? events + first : NULL;
	*ret_count = count - first;
	return true;
}

static bool bundle_heals_read(void *backend, const char *run_id, struct arena *arena,
			      struct stored_heal **ret_heals, size_t *ret_count, struct err *e)
{
	struct bundle_store *bundle = backend;
	void *rows = NULL;

	(void)run_id;
	if (!bundle_read_rows(bundle, BUNDLE_HEALS, parse_heal, sizeof **ret_heals, arena, &rows,
		       ret_count, e))
		return false;
	*ret_heals = rows;
	for (size_t i = 0; i < *ret_count; i++)
		(*ret_heals)[i].run_id = bundle->run.row.run_id;
	return true;
}

static bool bundle_tracks_read(void *backend, const char *run_id, struct arena *arena,
			       struct stored_track **ret_tracks, size_t *ret_count, struct err *e)
{
	struct bundle_store *bundle = backend;

	(void)run_id;
	(void)e; /* they were read when the bundle was opened */
	*ret_count = bundle->track_count;
	*ret_tracks = arena_alloc(arena, (bundle->track_count + 1) * sizeof **ret_tracks);
	if (bundle->track_count > 0)
		memcpy(*ret_tracks, bundle->tracks, bundle->track_count * sizeof **ret_tracks);
	return true;
}

static bool fail_csv(const struct bundle_lines *lines, struct err *e)
{
	return err_set(e, ERR_ALTERED, "read the bundle %s: line %" PRIu64
		       " of %s is none that is written there", lines->file->owned_path,
		       lines->line_number, lines->member->name);
}

static bool take_heading(struct bundle_lines *lines, const char *heading, struct err *e)
{
	bool has = false;

	if (!bundle_lines_next(lines, BUNDLE_SAMPLE_BYTES_MAX, &has, e))
		return false;
	return (has && strcmp(text_str(&lines->line), heading) == 0) || fail_csv(lines, e);
}

static bool take_end(struct bundle_lines *lines, struct err *e)
{
	return lines->at_bytes == lines->member->size_bytes ||
	       err_set(e, ERR_ALTERED, "read the bundle %s: %s has more lines than it should",
		       lines->file->owned_path, lines->member->name);
}

static bool read_chunk(struct bundle_lines *lines, const struct timetable *timetable,
		       uint64_t first_slot, struct sample *samples, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		bool has = false;

		if (!bundle_lines_next(lines, BUNDLE_SAMPLE_BYTES_MAX, &has, e))
			return false;
		if (!has || !bundle_sample_parse(text_str(&lines->line), lines->line.length_bytes,
						 timetable, first_slot + i, &samples[i]))
			return fail_csv(lines, e);
	}
	return true;
}

static bool read_chunks(struct bundle_lines *lines, const struct stored_track *track,
			const struct chunk_sink *sink, struct err *e)
{
	const struct timetable timetable = { .t0_ns = track->t0_ns, .every_ns = track->every_ns };
	struct sample *samples = mem_alloc(CODEC_CHUNK_SAMPLES * sizeof *samples);
	struct text bytes = { 0 };
	bool ok = take_heading(lines, bundle_samples_heading, e);

	for (uint64_t chunk = 0; ok && chunk < track->chunk_count; chunk++) {
		const uint64_t first_slot = chunk * CODEC_CHUNK_SAMPLES;
		const size_t count = store_chunk_samples(track->slot_count, chunk);

		ok = read_chunk(lines, &timetable, first_slot, samples, count, e);
		if (!ok)
			break;
		text_clear(&bytes);
		codec_samples_write(&timetable, first_slot, samples, count, &bytes);
		ok = sink->take(sink->ctx,
				(struct blob){ .bytes = text_str(&bytes),
					       .length_bytes = bytes.length_bytes },
				e);
	}
	text_release(&bytes);
	free(samples);
	return ok && take_end(lines, e);
}

static bool bundle_chunks_read(void *backend, const char *run_id, const char *probe,
			       const struct chunk_sink *sink, struct err *e)
{
	struct bundle_store *bundle = backend;
	struct bundle_lines lines = { .file = bundle->owned_file };
	char name[BUNDLE_NAME_BYTES];
	size_t i = 0;

	(void)run_id;
	while (i < bundle->track_count && strcmp(bundle->tracks[i].probe, probe) != 0)
		i++;
	assert(i < bundle->track_count);
	bundle_samples_name(i, probe, name);

	const bool ok = bundle_find_member(bundle, name, &lines.member, e) &&
			read_chunks(&lines, &bundle->tracks[i], sink, e);

	text_release(&lines.line);
	return ok;
}

/* The rows are in runs, so a few lines may stand for many: they are counted before they are kept. */
static bool read_ledger_rows(struct bundle_lines *lines, uint64_t slot_count, struct text *runs,
			     struct err *e)
{
	uint8_t *rows = mem_alloc(slot_count + 1);
	uint64_t slot = 0;
	bool ok = take_heading(lines, bundle_ledger_heading, e);

	while (ok && slot < slot_count) {
		uint64_t last_slot = 0;
		uint8_t row = 0;
		bool has = false;

		ok = bundle_lines_next(lines, BUNDLE_LEDGER_BYTES_MAX, &has, e);
		if (ok && (!has || !bundle_ledger_parse(text_str(&lines->line),
							lines->line.length_bytes, slot, slot_count,
							&last_slot, &row)))
			ok = fail_csv(lines, e);
		if (!ok)
			break;
		memset(rows + slot, row, last_slot - slot + 1);
		slot = last_slot + 1;
	}
	ok = ok && take_end(lines, e);
	if (ok)
		codec_runs_write(rows, slot_count, runs);
	free(rows);
	return ok;
}

static bool bundle_ledger_reads_read(void *backend, const char *run_id, struct arena *arena,
				     struct stored_ledger_read **ret_reads, size_t *ret_count,
				     struct err *e)
{
	struct bundle_store *bundle = backend;
	struct stored_ledger_read *reads =
		arena_alloc(arena, (bundle->read_count + 1) * sizeof *reads);
	bool ok = true;

	(void)run_id;
	for (size_t i = 0; ok && i < bundle->read_count; i++) {
		struct bundle_lines lines = { .file = bundle->owned_file };
		struct text runs = { 0 };
		char name[BUNDLE_NAME_BYTES];

		reads[i] = bundle->reads[i];
		bundle_ledger_name(i, &reads[i], name);
		ok = bundle_find_member(bundle, name, &lines.member, e) &&
		     read_ledger_rows(&lines, reads[i].slot_count, &runs, e);
		reads[i].rows.bytes = arena_copy_bytes(arena, text_str(&runs), runs.length_bytes);
		reads[i].rows.length_bytes = runs.length_bytes;
		text_release(&lines.line);
		text_release(&runs);
	}
	if (!ok)
		return false;
	*ret_reads = reads;
	*ret_count = bundle->read_count;
	return true;
}

/* Only what reading a run needs; store_write never gets beyond begin. */
static const struct store_ops store_bundle = {
	.open = bundle_open,
	.close = bundle_close,
	.begin = bundle_begin,
	.rollback = bundle_rollback,
	.make_room = bundle_make_room,
	.runs_read = bundle_runs_read,
	.events_read = bundle_events_read,
	.heals_read = bundle_heals_read,
	.tracks_read = bundle_tracks_read,
	.chunks_read = bundle_chunks_read,
	.ledger_reads_read = bundle_ledger_reads_read,
};

bool bundle_store_open(const char *path, struct store **ret_store, struct err *e)
{
	void *backend = NULL;

	if (!store_bundle.open(path, INT64_MAX, &backend, e))
		return false;

	struct store *store = mem_alloc(sizeof *store);

	store->ops = &store_bundle;
	store->owned_backend = backend;
	*ret_store = store;
	return true;
}

static struct bundle_store *bundle_of(struct store *store)
{
	return store->ops == &store_bundle ? store->owned_backend : NULL;
}

bool bundle_is(const struct store *store)
{
	return store->ops == &store_bundle;
}

const char *bundle_head(struct store *store)
{
	assert(bundle_is(store));
	return bundle_of(store)->head;
}

const char *bundle_exporter(struct store *store)
{
	assert(bundle_is(store));
	return bundle_of(store)->exporter;
}

const char *bundle_report_name(struct store *store, size_t index)
{
	const struct bundle_file *file = bundle_of(store)->owned_file;

	for (size_t i = 0; i < file->member_count; i++)
		if (strncmp(file->members[i].name, BUNDLE_REPORTS, strlen(BUNDLE_REPORTS)) == 0 &&
		    index-- == 0)
			return file->members[i].name + strlen(BUNDLE_REPORTS);
	return NULL;
}

bool bundle_report_read(struct store *store, const char *name, struct text *ret_bytes,
			struct err *e)
{
	struct bundle_store *bundle = bundle_of(store);
	const struct bundle_member *member;
	struct text path = { 0 };

	text_addf(&path, BUNDLE_REPORTS "%s", name);

	/* No longer than the file is: nothing is packed in it. */
	const bool ok = bundle_find_member(bundle, text_str(&path), &member, e) &&
			bundle_file_read(bundle->owned_file, member, member->size_bytes, ret_bytes,
					 e);

	text_release(&path);
	return ok;
}
