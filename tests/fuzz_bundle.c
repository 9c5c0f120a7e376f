/*
 * fuzz_bundle.c - a bundle from elsewhere, twice: as it is, and put together anew by our own writer, so that
 * every hash of the archive fits and what the members say is reached. It is refused with a sentence, or
 * it is a whole run.
 */
#include "tests/fuzz.h"
#include "fixtures/temp_dir.h"
#include "store/bundle.h"
#include "store/bundle_file.h"
#include "store/bundle_tar.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS_MAX = 32 };

struct members {
	const char *names[MEMBERS_MAX];
	const char *bytes[MEMBERS_MAX];
	size_t lengths[MEMBERS_MAX];
	size_t count;
	char folder[TAR_FOLDER_BYTES + 1];
};

static void open_and_read(const char *path)
{
	struct store *bundle = NULL;
	struct arena arena = { 0 };
	struct run_row row = { 0 };
	struct timeline timeline = { 0 };
	struct err e = { 0 };

	if (!bundle_store_open(path, &bundle, &e)) {
		/* ERR_STORE: of a version that this one does not know. */
		assert(e.kind == ERR_ALTERED || e.kind == ERR_STORE);
		assert(strstr(e.text, path) != NULL);
		return;
	}
	assert(bundle_is(bundle) && bundle_head(bundle) != NULL);
	if (store_run_find(bundle, "last", &arena, &row, &e) &&
	    store_timeline(bundle, row.run_id, &arena, &timeline, &e)) {
		assert(strcmp(timeline.run_id, row.run_id) == 0);
		for (size_t i = 0; i < timeline.event_count; i++)
			assert(timeline.events[i].number == i + 1 && timeline.events[i].text != NULL);
	} else {
		assert(e.text[0] != '\0');
	}
	store_close(bundle);
	arena_release(&arena);
}

static void write_file(const char *path, const uint8_t *bytes, size_t length_bytes)
{
	FILE *file = fopen(path, "w");

	assert(file != NULL);
	assert(fwrite(bytes, 1, length_bytes, file) == length_bytes);
	assert(fclose(file) == 0);
}

/* The members behind the manifest, as far as the bytes look like an archive. */
static void take_apart(const char *bytes, size_t length_bytes, struct arena *arena,
		       struct members *members)
{
	size_t from = 0;

	while (from + TAR_BLOCK_BYTES <= length_bytes && members->count < MEMBERS_MAX) {
		const char *header = bytes + from;
		const size_t room = length_bytes - from - TAR_BLOCK_BYTES;
		uint64_t size = 0;

		if (!tar_header_size(header, &size) || size > room ||
		    !tar_header_folder(header, members->folder))
			return;
		if (from > 0) {
			members->names[members->count] =
				arena_copy_bytes(arena, header, strnlen(header, TAR_NAME_BYTES - 1));
			members->bytes[members->count] = header + TAR_BLOCK_BYTES;
			members->lengths[members->count++] = (size_t)size;
		}
		from += TAR_BLOCK_BYTES + (size_t)tar_padded_bytes(size);
	}
}

static bool put_together(const struct members *members, const char *path)
{
	static const char prefix[] = "firedrill-";
	const bool is_ours = strncmp(members->folder, prefix, strlen(prefix)) == 0;
	struct bundle_writer *writer = NULL;
	struct err e = { 0 };
	bool ok;

	if (members->count == 0 || !is_ours)
		return false;
	ok = bundle_writer_open(path, members->folder + strlen(prefix), members->names, members->count,
				&writer, &e);
	assert(ok);
	for (size_t i = 0; ok && i < members->count; i++)
		ok = bundle_writer_next(writer, &e) &&
		     bundle_writer_add(writer, members->bytes[i], members->lengths[i], &e);
	ok = ok && bundle_writer_finish(writer, &e);
	bundle_writer_close(writer);
	assert(ok);
	return true;
}

void fuzz_bundle(const uint8_t *bytes, size_t length_bytes)
{
	char *dir = temp_dir_make();
	struct arena arena = { 0 };
	struct members members = { 0 };
	const char *path = arena_format(&arena, "%s/run.tar", dir);

	write_file(path, bytes, length_bytes);
	open_and_read(path);
	take_apart((const char *)bytes, length_bytes, &arena, &members);
	if (put_together(&members, path))
		open_and_read(path);
	arena_release(&arena);
	temp_dir_remove(dir);
}
