/*
 * bundle_write.c - the writing half of bundle_file.h. Members stream through; the manifest and the
 * headers, whose sizes and hashes are known last, are put into their places afterwards.
 */
#include "store/bundle_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/bundle_tar.h"

struct bundle_writer {
	char *owned_path;
	char *owned_part; /* beside it, until it is whole */
	char *owned_folder;
	int fd;
	const char *const *names;
	size_t name_count;
	size_t begun_count;
	char (*owned_hashes)[HASH_TEXT_BYTES];
	struct hash *owned_hash; /* of the member under way */
	uint64_t header_at_bytes;
	uint64_t size_bytes; /* of the member under way, so far */
	struct text pending;
	uint64_t pending_at_bytes;
};

static bool fail(const struct bundle_writer *writer, struct err *e)
{
	return err_set(e, ERR_LIMIT, "write the bundle %s: %s", writer->owned_path,
		       strerror(errno));
}

static bool put_at(const struct bundle_writer *writer, uint64_t at_bytes, const char *bytes,
		   size_t length_bytes, struct err *e)
{
	while (length_bytes > 0) {
		const ssize_t written = pwrite(writer->fd, bytes, length_bytes, (off_t)at_bytes);

		if (written == -1 && errno == EINTR)
			continue;
		if (written <= 0)
			return fail(writer, e);
		bytes += written;
		at_bytes += (uint64_t)written;
		length_bytes -= (size_t)written;
	}
	return true;
}

static bool flush(struct bundle_writer *writer, struct err *e)
{
	const size_t length_bytes = writer->pending.length_bytes;

	if (!put_at(writer, writer->pending_at_bytes, text_str(&writer->pending), length_bytes, e))
		return false;
	writer->pending_at_bytes += length_bytes;
	text_clear(&writer->pending);
	return true;
}

static bool add_zeros(struct bundle_writer *writer, uint64_t count, struct err *e)
{
	static const char zeros[TAR_END_BYTES];

	assert(count <= sizeof zeros);
	text_add_bytes(&writer->pending, zeros, count);
	return flush(writer, e);
}

/* "<64 digits>  <name>\n" each, as sha256sum --check reads it. */
static void print_manifest(const struct bundle_writer *writer, struct text *text)
{
	char hash[HASH_TEXT_BYTES];

	for (size_t i = 0; i < writer->name_count; i++)
		text_addf(text, "%64s  %s\n", writer->owned_hashes[i], writer->names[i]);
	hash_chain("", text_str(text), text->length_bytes, hash);
	text_addf(text, "# %s  the lines above\n", hash);
}

bool bundle_writer_open(const char *path, const char *run_id, const char *const *names,
			size_t name_count, struct bundle_writer **ret_writer, struct err *e)
{
	struct bundle_writer *writer = mem_alloc(sizeof *writer);
	struct text text = { 0 };
	struct stat found;

	assert(name_count <= BUNDLE_MEMBERS_MAX);

	writer->owned_path = mem_copy(path);
	writer->names = names;
	writer->name_count = name_count;
	writer->owned_hashes = mem_alloc((name_count + 1) * sizeof *writer->owned_hashes);
	text_addf(&text, "%s.part", path);
	writer->owned_part = mem_copy(text_str(&text));
	text_clear(&text);
	text_addf(&text, "firedrill-%s", run_id);
	writer->owned_folder = mem_copy(text_str(&text));
	text_clear(&text);
	print_manifest(writer, &text);
	writer->pending_at_bytes = TAR_BLOCK_BYTES + tar_padded_bytes(text.length_bytes);
	text_release(&text);
	errno = EISDIR;
	writer->fd = stat(path, &found) == 0 && !S_ISREG(found.st_mode) ?
			     -1 :
			     open(writer->owned_part,
				  O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (writer->fd == -1) {
		(void)fail(writer, e);
		bundle_writer_close(writer);
		return false;
	}
	*ret_writer = writer;
	return true;
}

/* Ends the member under way: its hash, its padding, its header. */
static bool end_member(struct bundle_writer *writer, struct err *e)
{
	const size_t index = writer->begun_count - 1;
	char header[TAR_BLOCK_BYTES];

	hash_close(writer->owned_hash, writer->owned_hashes[index]);
	writer->owned_hash = NULL;
	if (writer->size_bytes > TAR_MEMBER_BYTES_MAX)
		return err_set(e, ERR_LIMIT,
			       "write the bundle %s: %s has more than 8 GiB, which the format "
			       "cannot hold",
			       writer->owned_path, writer->names[index]);
	tar_header_make(writer->owned_folder, writer->names[index], writer->size_bytes, header);
	return add_zeros(writer, tar_padded_bytes(writer->size_bytes) - writer->size_bytes, e) &&
	       put_at(writer, writer->header_at_bytes, header, sizeof header, e);
}

bool bundle_writer_next(struct bundle_writer *writer, struct err *e)
{
	assert(writer->begun_count < writer->name_count);

	if (writer->owned_hash != NULL && !end_member(writer, e))
		return false;
	writer->begun_count++;
	writer->header_at_bytes = writer->pending_at_bytes;
	writer->pending_at_bytes += TAR_BLOCK_BYTES;
	writer->size_bytes = 0;
	writer->owned_hash = hash_open();
	return true;
}

bool bundle_writer_add(struct bundle_writer *writer, const void *bytes, size_t length_bytes,
		       struct err *e)
{
	assert(writer->owned_hash != NULL);

	hash_add(writer->owned_hash, bytes, length_bytes);
	writer->size_bytes += length_bytes;
	text_add_bytes(&writer->pending, bytes, length_bytes);
	return writer->pending.length_bytes < BUNDLE_BUFFER_BYTES || flush(writer, e);
}

bool bundle_writer_finish(struct bundle_writer *writer, struct err *e)
{
	struct text manifest = { 0 };
	char header[TAR_BLOCK_BYTES];
	bool ok;

	assert(writer->begun_count == writer->name_count);

	ok = end_member(writer, e) && add_zeros(writer, TAR_END_BYTES, e);
	print_manifest(writer, &manifest);
	tar_header_make(writer->owned_folder, BUNDLE_MANIFEST, manifest.length_bytes, header);
	ok = ok && put_at(writer, 0, header, sizeof header, e) &&
	     put_at(writer, sizeof header, text_str(&manifest), manifest.length_bytes, e);
	text_release(&manifest);
	if (!ok)
		return false;
	if (fsync(writer->fd) == -1 || rename(writer->owned_part, writer->owned_path) == -1)
		return fail(writer, e);
	free(writer->owned_part);
	writer->owned_part = NULL;
	return true;
}

void bundle_writer_close(struct bundle_writer *writer)
{
	if (writer == NULL)
		return;
	if (writer->fd != -1) {
		(void)close(writer->fd); /* it was synced, or is of no use */
		if (writer->owned_part != NULL)
			(void)unlink(writer->owned_part); /* never half a bundle */
	}
	hash_close(writer->owned_hash, NULL);
	text_release(&writer->pending);
	free(writer->owned_hashes);
	free(writer->owned_folder);
	free(writer->owned_part);
	free(writer->owned_path);
	free(writer);
}
