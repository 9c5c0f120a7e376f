/*
 * bundle_open.c - is every byte of a bundle in its place? Form, hashes, order and sizes, before anything
 * in it is believed. What the seals say comes later, from those who read the run.
 */
#include "store/bundle_parts.h"

#include <inttypes.h>
#include <string.h>

#include "store/bundle_rows.h"
#include "store/row_text.h"
#include "store/seal.h"
#include "store/store_private.h"

enum {
	ROWS_MAX = 200000, /* lines of one member; the events of a run are the most */
};

bool bundle_find_member(struct bundle_store *bundle, const char *name,
			const struct bundle_member **ret_member, struct err *e)
{
	*ret_member = bundle_file_find(bundle->owned_file, name);
	return *ret_member != NULL ||
	       err_set(e, ERR_ALTERED, "check the bundle %s: %s is missing",
		       bundle->owned_file->owned_path, name);
}

bool bundle_read_rows(struct bundle_store *bundle, const char *name, row_fn *parse,
		      size_t item_bytes, struct arena *arena, void **ret_rows, size_t *ret_count,
		      struct err *e)
{
	struct bundle_lines lines = { .file = bundle->owned_file };
	char *rows = NULL;
	size_t count = 0;
	bool has = true;
	bool ok = bundle_find_member(bundle, name, &lines.member, e);

	while (ok && has) {
		ok = bundle_lines_next(&lines, ROW_LINE_BYTES_MAX, &has, e);
		if (!ok || !has)
			break;
		if (count == ROWS_MAX) {
			ok = err_set(e, ERR_ALTERED, "it has more than %d lines", (int)ROWS_MAX);
			break;
		}
		rows = arena_more(arena, rows, count, item_bytes);
		ok = parse(text_str(&lines.line), lines.line.length_bytes, arena,
			   rows + count * item_bytes, e) ||
		     err_wrap(e, "read the bundle %s: line %zu of %s",
			      bundle->owned_file->owned_path, count + 1, name);
		count++;
	}
	text_release(&lines.line);
	if (!ok)
		return false;
	*ret_rows = rows;
	*ret_count = count;
	return true;
}

static bool parse_track(const char *line, size_t length_bytes, struct arena *arena, void *row,
			struct err *e)
{
	return bundle_track_parse(line, length_bytes, arena, row, e);
}

static bool parse_ledger_read(const char *line, size_t length_bytes, struct arena *arena,
			      void *row, struct err *e)
{
	return bundle_ledger_read_parse(line, length_bytes, arena, row, e);
}

static bool read_document(struct bundle_store *bundle, const char *name, const char **ret_text,
			  struct err *e)
{
	const struct bundle_member *member;
	struct text text = { 0 };
	bool ok = bundle_find_member(bundle, name, &member, e) &&
		  bundle_file_read(bundle->owned_file, member, LIMIT_DOCUMENT_BYTES, &text, e);

	if (ok && strlen(text_str(&text)) != text.length_bytes)
		ok = err_set(e, ERR_ALTERED, "check the bundle %s: %s has a zero byte in it",
			     bundle->owned_file->owned_path, name);
	if (ok)
		*ret_text = arena_copy(&bundle->arena, text_str(&text));
	text_release(&text);
	return ok;
}

static bool read_run(struct bundle_store *bundle, struct err *e)
{
	struct bundle_lines lines = { .file = bundle->owned_file };
	bool has = false;
	bool ok = bundle_find_member(bundle, BUNDLE_RUN, &lines.member, e) &&
		  bundle_lines_next(&lines, ROW_LINE_BYTES_MAX, &has, e);

	if (ok)
		ok = bundle_run_parse(text_str(&lines.line), lines.line.length_bytes,
				      &bundle->arena, &bundle->run, &bundle->head,
				      &bundle->exporter, e) ||
		     err_wrap(e, "read the bundle %s: " BUNDLE_RUN,
			      bundle->owned_file->owned_path);
	text_release(&lines.line);
	if (ok && strcmp(bundle->run.row.run_id, bundle->owned_file->run_id) != 0)
		ok = err_set(e, ERR_ALTERED,
			     "check the bundle %s: its folder speaks of run %s, and " BUNDLE_RUN
			     " of another one",
			     bundle->owned_file->owned_path, bundle->owned_file->run_id);
	return ok && read_document(bundle, BUNDLE_EXPERIMENT, &bundle->run.row.experiment_text, e) &&
	       read_document(bundle, BUNDLE_INVENTORY, &bundle->run.row.inventory_text, e);
}

/* Which event is it? The first that is damaged, or no longer fits the chain, or is written in
   another way than ours. */
static bool name_event(struct bundle_store *bundle, struct err *e)
{
	struct bundle_lines lines = { .file = bundle->owned_file };
	struct arena scratch = { 0 };
	struct text again = { 0 };
	struct err ignored = { 0 };
	char previous[HASH_TEXT_BYTES] = "";
	uint64_t number = 0;
	bool has = true;
	bool is_sound = read_run(bundle, &ignored) &&
			bundle_find_member(bundle, BUNDLE_EVENTS, &lines.member, &ignored);

	if (is_sound && strlen(bundle->run.seal) < sizeof previous)
		memcpy(previous, bundle->run.seal, strlen(bundle->run.seal) + 1);
	while (is_sound && has) {
		struct event event;
		char hash[HASH_TEXT_BYTES];

		number++;
		is_sound = bundle_lines_next(&lines, ROW_LINE_BYTES_MAX, &has, &ignored);
		if (!is_sound || !has)
			break;
		is_sound = bundle_event_parse(text_str(&lines.line), lines.line.length_bytes,
					      &scratch, &event, &ignored);
		if (!is_sound)
			break;
		seal_event(&event, previous, hash);
		text_clear(&again);
		bundle_event_print(&event, &again);
		is_sound = event.number == number && strcmp(hash, event.hash) == 0 &&
			   again.length_bytes == lines.line.length_bytes + 1 &&
			   memcmp(text_str(&again), text_str(&lines.line),
				  lines.line.length_bytes) == 0;
		memcpy(previous, event.hash, sizeof previous);
	}
	text_release(&lines.line);
	text_release(&again);
	arena_release(&scratch);
	if (!is_sound && number > 0)
		return err_set(e, ERR_ALTERED,
			       "check the bundle %s: " BUNDLE_EVENTS ": event %" PRIu64
			       " is not as it was written",
			       bundle->owned_file->owned_path, number);
	return false; /* the member is named already */
}

static bool check_hashes(struct bundle_store *bundle, struct err *e)
{
	struct bundle_file *file = bundle->owned_file;

	for (size_t i = 0; i < file->member_count; i++) {
		if (bundle_file_check(file, &file->members[i], e))
			continue;
		if (e->kind == ERR_ALTERED && strcmp(file->members[i].name, BUNDLE_EVENTS) == 0)
			return name_event(bundle, e);
		return false;
	}
	return true;
}

/* The member that must stand there, and nothing else. */
static bool check_name(struct bundle_store *bundle, size_t index, const char *name, struct err *e)
{
	const struct bundle_file *file = bundle->owned_file;

	if (index < file->member_count && strcmp(file->members[index].name, name) == 0)
		return true;
	return err_set(e, ERR_ALTERED,
		       "check the bundle %s: member %zu should be %s and is %s", file->owned_path,
		       index + 1, name,
		       index < file->member_count ? file->members[index].name : "missing");
}

static bool check_order(struct bundle_store *bundle, struct err *e)
{
	static const char *const fixed[] = { BUNDLE_README,	BUNDLE_RUN,    BUNDLE_EXPERIMENT,
					     BUNDLE_INVENTORY,	BUNDLE_EVENTS, BUNDLE_HEALS,
					     BUNDLE_TRACKS,	BUNDLE_LEDGER_READS };
	const struct bundle_file *file = bundle->owned_file;
	char name[BUNDLE_NAME_BYTES];
	size_t index = 0;

	for (; index < sizeof fixed / sizeof fixed[0]; index++)
		if (!check_name(bundle, index, fixed[index], e))
			return false;
	for (size_t i = 0; i < bundle->track_count; i++) {
		bundle_samples_name(i, bundle->tracks[i].probe, name);
		if (!check_name(bundle, index++, name, e))
			return false;
	}
	for (size_t i = 0; i < bundle->read_count; i++) {
		bundle_ledger_name(i, &bundle->reads[i], name);
		if (!check_name(bundle, index++, name, e))
			return false;
	}
	for (; index < file->member_count; index++)
		if (strncmp(file->members[index].name, BUNDLE_REPORTS, strlen(BUNDLE_REPORTS)) != 0)
			return err_set(e, ERR_ALTERED,
				       "check the bundle %s: %s does not belong there",
				       file->owned_path, file->members[index].name);
	return true;
}

/* A track cannot have more slots than its file has lines; then its numbers may be trusted with
   memory. */
static bool check_sizes(struct bundle_store *bundle, struct err *e)
{
	const struct bundle_member *member;
	char name[BUNDLE_NAME_BYTES];

	for (size_t i = 0; i < bundle->track_count; i++) {
		bundle_samples_name(i, bundle->tracks[i].probe, name);
		if (!bundle_find_member(bundle, name, &member, e))
			return false;
		if (member->size_bytes / BUNDLE_SAMPLE_BYTES_MIN < bundle->tracks[i].slot_count)
			return err_set(e, ERR_ALTERED,
				       "check the bundle %s: " BUNDLE_TRACKS " names %" PRIu64
				       " slots of %s, and %s is too short for them",
				       bundle->owned_file->owned_path,
				       bundle->tracks[i].slot_count, bundle->tracks[i].probe, name);
	}
	return bundle_ledgers_fit(bundle->tracks, bundle->track_count, bundle->reads,
				  bundle->read_count, e) ||
	       err_wrap(e, "check the bundle %s: " BUNDLE_LEDGER_READS,
			bundle->owned_file->owned_path);
}

bool bundle_parts_open(struct bundle_store *bundle, const char *path, struct err *e)
{
	void *tracks = NULL;
	void *reads = NULL;

	if (!bundle_file_open(path, &bundle->owned_file, e) || !check_hashes(bundle, e) ||
	    !read_run(bundle, e) ||
	    !bundle_read_rows(bundle, BUNDLE_TRACKS, parse_track, sizeof *bundle->tracks, &bundle->arena,
		       &tracks, &bundle->track_count, e) ||
	    !bundle_read_rows(bundle, BUNDLE_LEDGER_READS, parse_ledger_read, sizeof *bundle->reads,
		       &bundle->arena, &reads, &bundle->read_count, e))
		return false;
	bundle->tracks = tracks;
	bundle->reads = reads;
	return check_order(bundle, e) && check_sizes(bundle, e);
}
