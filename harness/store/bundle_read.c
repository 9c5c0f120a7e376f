/*
 * bundle_read.c - the reading half of bundle_file.h. The manifest is looked at first; from then on
 * every byte of the archive is either foretold by it or part of a member.
 */
#include "store/bundle_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/bundle_tar.h"

enum { HASH_DIGITS = HASH_TEXT_BYTES - 1 };

static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789-_./";

/* ---- bytes ---- */

/* Lends up to BUNDLE_BUFFER_BYTES that begin there; 0 bytes at the end of the file. */
static bool window_at(struct bundle_file *file, uint64_t at_bytes, const char **ret_bytes,
		      size_t *ret_length_bytes, struct err *e)
{
	const uint64_t end = file->window_from_bytes + file->window_bytes;
	ssize_t count;

	if (at_bytes < file->window_from_bytes || at_bytes >= end) {
		do {
			count = pread(file->fd, file->owned_window, BUNDLE_BUFFER_BYTES,
				      (off_t)at_bytes);
		} while (count == -1 && errno == EINTR);
		if (count == -1)
			return err_set(e, ERR_STORE, "read the bundle %s: %s", file->owned_path,
				       strerror(errno));
		file->window_from_bytes = at_bytes;
		file->window_bytes = (size_t)count;
	}
	*ret_bytes = file->owned_window + (at_bytes - file->window_from_bytes);
	*ret_length_bytes =
		file->window_bytes - (size_t)(at_bytes - file->window_from_bytes);
	return true;
}

/* Fills `bytes` exactly. The length was checked against the file's before. */
static bool read_at(struct bundle_file *file, uint64_t at_bytes, char *bytes, size_t length_bytes,
		    struct err *e)
{
	while (length_bytes > 0) {
		const char *lent = NULL;
		size_t count = 0;

		if (!window_at(file, at_bytes, &lent, &count, e))
			return false;
		if (count == 0)
			return err_set(e, ERR_ALTERED, "read the bundle %s: it ends at byte %" PRIu64
				       ", too early", file->owned_path, at_bytes);
		if (count > length_bytes)
			count = length_bytes;
		memcpy(bytes, lent, count);
		bytes += count;
		at_bytes += count;
		length_bytes -= count;
	}
	return true;
}

/* ---- the manifest ---- */

static bool fail_manifest(const struct bundle_file *file, struct err *e)
{
	return err_set(e, ERR_ALTERED,
		       "check the bundle %s: " BUNDLE_MANIFEST " is not as it was written, so "
		       "nothing in the bundle can be relied on; ask for another copy",
		       file->owned_path);
}

static bool is_name(const char *name)
{
	const size_t length = strlen(name);

	return length > 0 && length < TAR_NAME_BYTES && strspn(name, name_bytes) == length &&
	       name[0] != '/' && name[0] != '.' && strstr(name, "..") == NULL &&
	       strstr(name, "//") == NULL && strstr(name, "/.") == NULL;
}

/* "<64 digits>  <name>": the line, cut in place. */
static bool take_line(struct bundle_file *file, char *line)
{
	struct bundle_member *member = &file->members[file->member_count];

	if (strspn(line, "0123456789abcdef") != HASH_DIGITS ||
	    strncmp(line + HASH_DIGITS, "  ", 2) != 0 || !is_name(line + HASH_DIGITS + 2) ||
	    strcmp(line + HASH_DIGITS + 2, BUNDLE_MANIFEST) == 0 ||
	    bundle_file_find(file, line + HASH_DIGITS + 2) != NULL)
		return false;
	line[HASH_DIGITS] = '\0';
	member->hash = line;
	member->name = line + HASH_DIGITS + 2;
	file->member_count++;
	return true;
}

/* The last line is the hash of those above it. */
static bool parse_manifest(struct bundle_file *file, char *text, size_t length_bytes,
			   struct err *e)
{
	const size_t closing_bytes = strlen("# ") + HASH_DIGITS + strlen("  the lines above\n");
	char hash[HASH_TEXT_BYTES];
	struct text closing = { 0 };
	char *line = text;

	if (length_bytes <= closing_bytes || strlen(text) != length_bytes)
		return fail_manifest(file, e);
	length_bytes -= closing_bytes;
	hash_chain("", text, length_bytes, hash);
	text_addf(&closing, "# %s  the lines above\n", hash);

	bool ok = strcmp(text + length_bytes, text_str(&closing)) == 0;

	text_release(&closing);
	while (ok && line < text + length_bytes) {
		char *end = strchr(line, '\n'); /* there is one: the closing line has it */

		*end = '\0';
		ok = file->member_count < BUNDLE_MEMBERS_MAX && take_line(file, line);
		line = end + 1;
	}
	return (ok && line == text + length_bytes) || fail_manifest(file, e);
}

/* ---- the archive ---- */

/* The header at this place must be the one that the writer makes. */
static bool check_header(struct bundle_file *file, uint64_t at_bytes, uint64_t file_bytes,
			 struct bundle_member *member, const char *folder, struct err *e)
{
	char header[TAR_BLOCK_BYTES] = { 0 };
	char expected[TAR_BLOCK_BYTES];

	if (file_bytes - at_bytes < TAR_BLOCK_BYTES)
		return err_set(e, ERR_ALTERED,
			       "check the bundle %s: it is cut off: %s is missing, and what comes "
			       "behind it", file->owned_path, member->name);
	if (!read_at(file, at_bytes, header, sizeof header, e))
		return false;
	if (tar_header_size(header, &member->size_bytes))
		tar_header_make(folder, member->name, member->size_bytes, expected);
	else
		expected[0] = (char)(header[0] + 1);
	if (memcmp(header, expected, sizeof header) != 0)
		return err_set(e, ERR_ALTERED,
			       "check the bundle %s: the archive's header of %s is not as it was "
			       "written%s", file->owned_path, member->name,
			       at_bytes == 0 ? ", or this is no bundle of firedrill" : "");
	member->from_bytes = at_bytes + TAR_BLOCK_BYTES;
	if (tar_padded_bytes(member->size_bytes) > file_bytes - member->from_bytes)
		return err_set(e, ERR_ALTERED,
			       "check the bundle %s: it is cut off: %s should have %" PRIu64
			       " bytes, and the file ends before",
			       file->owned_path, member->name, member->size_bytes);
	return true;
}

static bool is_zero(struct bundle_file *file, uint64_t from_bytes, uint64_t count, bool *ret_is,
		    struct err *e)
{
	static const char zeros[TAR_END_BYTES];
	char bytes[TAR_END_BYTES];

	assert(count <= sizeof bytes);
	if (!read_at(file, from_bytes, bytes, count, e))
		return false;
	*ret_is = memcmp(bytes, zeros, count) == 0;
	return true;
}

static bool check_padding(struct bundle_file *file, const struct bundle_member *member,
			  struct err *e)
{
	const uint64_t end_bytes = member->from_bytes + member->size_bytes;
	bool is_clean = false;

	if (!is_zero(file, end_bytes, tar_padded_bytes(member->size_bytes) - member->size_bytes,
		     &is_clean, e))
		return false;
	return is_clean || err_set(e, ERR_ALTERED,
				   "check the bundle %s: the padding behind %s is not as it was "
				   "written", file->owned_path, member->name);
}

static bool check_end(struct bundle_file *file, uint64_t at_bytes, uint64_t file_bytes,
		      struct err *e)
{
	bool is_clean = false;

	if (file_bytes - at_bytes < TAR_END_BYTES)
		return err_set(e, ERR_ALTERED,
			       "check the bundle %s: it is cut off: the end of the archive is "
			       "missing", file->owned_path);
	if (!is_zero(file, at_bytes, TAR_END_BYTES, &is_clean, e))
		return false;
	if (!is_clean)
		return err_set(e, ERR_ALTERED,
			       "check the bundle %s: the end of the archive is not as it was "
			       "written", file->owned_path);
	if (file_bytes - at_bytes > TAR_END_BYTES)
		return err_set(e, ERR_ALTERED,
			       "check the bundle %s: %" PRIu64 " bytes that do not belong there "
			       "come behind its end", file->owned_path,
			       file_bytes - at_bytes - TAR_END_BYTES);
	return true;
}

static bool read_manifest(struct bundle_file *file, uint64_t file_bytes, const char *folder,
			  uint64_t *ret_end_bytes, struct err *e)
{
	struct bundle_member manifest = { .name = BUNDLE_MANIFEST };
	char *text;

	if (!check_header(file, 0, file_bytes, &manifest, folder, e))
		return false;
	if (manifest.size_bytes > BUNDLE_MANIFEST_BYTES_MAX)
		return err_set(e, ERR_ALTERED,
			       "check the bundle %s: its manifest has %" PRIu64 " bytes, and none "
			       "is longer than %d",
			       file->owned_path, manifest.size_bytes,
			       (int)BUNDLE_MANIFEST_BYTES_MAX);
	text = arena_alloc(&file->arena, (size_t)manifest.size_bytes + 1);
	*ret_end_bytes = manifest.from_bytes + tar_padded_bytes(manifest.size_bytes);
	return read_at(file, manifest.from_bytes, text, (size_t)manifest.size_bytes, e) &&
	       parse_manifest(file, text, (size_t)manifest.size_bytes, e) &&
	       check_padding(file, &manifest, e);
}

/* "firedrill-RUN", from the first header; it is the same in all. */
static bool read_folder(struct bundle_file *file, char folder[TAR_FOLDER_BYTES + 1],
			struct err *e)
{
	static const char prefix[] = "firedrill-";
	char header[TAR_BLOCK_BYTES];
	const char *run_id = folder + strlen(prefix);

	if (!read_at(file, 0, header, sizeof header, e))
		return false;
	if (!tar_header_folder(header, folder) || strncmp(folder, prefix, strlen(prefix)) != 0 ||
	    !is_name(run_id) || strchr(run_id, '/') != NULL ||
	    strlen(run_id) >= sizeof file->run_id)
		return err_set(e, ERR_ALTERED,
			       "check the bundle %s: the archive's header of " BUNDLE_MANIFEST
			       " is not as it was written, or this is no bundle of firedrill",
			       file->owned_path);
	(void)snprintf(file->run_id, sizeof file->run_id, "%s", run_id);
	return true;
}

static bool check_form(struct bundle_file *file, uint64_t file_bytes, struct err *e)
{
	char folder[TAR_FOLDER_BYTES + 1];
	uint64_t at_bytes = 0;

	if (!read_folder(file, folder, e) ||
	    !read_manifest(file, file_bytes, folder, &at_bytes, e))
		return false;
	for (size_t i = 0; i < file->member_count; i++) {
		struct bundle_member *member = &file->members[i];

		if (!check_header(file, at_bytes, file_bytes, member, folder, e) ||
		    !check_padding(file, member, e))
			return false;
		at_bytes = member->from_bytes + tar_padded_bytes(member->size_bytes);
	}
	return check_end(file, at_bytes, file_bytes, e);
}

/* ---- open ---- */

static bool refuse_packed(struct bundle_file *file, struct err *e)
{
	static const struct {
		const char *magic;
		const char *with;
	} packers[] = {
		{ "\x1f\x8b", "gunzip" },
		{ "\x28\xb5\x2f\xfd", "unzstd" },
		{ "\xfd" "7zXZ", "unxz" },
		{ "BZh", "bunzip2" },
		{ "PK", "unzip" },
	};
	char begin[8];

	if (!read_at(file, 0, begin, sizeof begin, e))
		return false;
	for (size_t i = 0; i < sizeof packers / sizeof packers[0]; i++)
		if (memcmp(begin, packers[i].magic, strlen(packers[i].magic)) == 0)
			return err_set(e, ERR_ALTERED,
				       "open the bundle %s: it is packed; a bundle is a plain tar "
				       "file, so run %s first",
				       file->owned_path, packers[i].with);
	return true;
}

static bool open_file(struct bundle_file *file, struct err *e)
{
	struct stat found;

	/* Not blocked by a pipe that somebody put there. */
	file->fd = open(file->owned_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd == -1)
		return err_set(e, errno == ENOENT || errno == ENOTDIR ? ERR_INPUT : ERR_STORE,
			       "open the bundle %s: %s", file->owned_path, strerror(errno));
	if (fstat(file->fd, &found) == -1)
		return err_set(e, ERR_STORE, "look at the bundle %s: %s", file->owned_path,
			       strerror(errno));
	if (!S_ISREG(found.st_mode))
		return err_set(e, ERR_INPUT, "open the bundle %s: it is no ordinary file",
			       file->owned_path);
	if (found.st_size < TAR_BLOCK_BYTES)
		return err_set(e, ERR_ALTERED,
			       "check the bundle %s: it has only %lld bytes, so it is cut off or "
			       "no bundle", file->owned_path, (long long)found.st_size);
	return refuse_packed(file, e) && check_form(file, (uint64_t)found.st_size, e);
}

bool bundle_file_open(const char *path, struct bundle_file **ret_file, struct err *e)
{
	struct bundle_file *file = mem_alloc(sizeof *file);

	file->fd = -1;
	file->owned_path = mem_copy(path);
	file->owned_window = mem_alloc(BUNDLE_BUFFER_BYTES);
	file->members = arena_alloc(&file->arena, BUNDLE_MEMBERS_MAX * sizeof *file->members);
	if (!open_file(file, e)) {
		bundle_file_close(file);
		return false;
	}
	*ret_file = file;
	return true;
}

void bundle_file_close(struct bundle_file *file)
{
	if (file == NULL)
		return;
	if (file->fd != -1)
		(void)close(file->fd); /* nothing was written */
	arena_release(&file->arena);
	free(file->owned_window);
	free(file->owned_path);
	free(file);
}

/* ---- members ---- */

const struct bundle_member *bundle_file_find(const struct bundle_file *file, const char *name)
{
	for (size_t i = 0; i < file->member_count; i++)
		if (strcmp(file->members[i].name, name) == 0)
			return &file->members[i];
	return NULL;
}

bool bundle_file_check(struct bundle_file *file, const struct bundle_member *member,
		       struct err *e)
{
	struct hash *hash = hash_open();
	char text[HASH_TEXT_BYTES];
	bool ok = true;

	for (uint64_t done = 0; ok && done < member->size_bytes;) {
		const char *lent = NULL;
		size_t count = 0;

		ok = window_at(file, member->from_bytes + done, &lent, &count, e);
		if (ok && count == 0)
			ok = err_set(e, ERR_ALTERED, "read the bundle %s: it became shorter",
				     file->owned_path);
		if (count > member->size_bytes - done)
			count = (size_t)(member->size_bytes - done);
		if (ok)
			hash_add(hash, lent, count);
		done += count;
	}
	hash_close(hash, text);
	if (!ok)
		return false;
	return strcmp(text, member->hash) == 0 ||
	       err_set(e, ERR_ALTERED,
		       "check the bundle %s: %s is not as it was written (its SHA-256 is not the "
		       "one in " BUNDLE_MANIFEST ")", file->owned_path, member->name);
}

bool bundle_file_read(struct bundle_file *file, const struct bundle_member *member,
		      uint64_t bytes_max, struct text *ret_bytes, struct err *e)
{
	if (member->size_bytes > bytes_max)
		return err_set(e, ERR_ALTERED,
			       "read the bundle %s: %s has %" PRIu64 " bytes, and none is longer "
			       "than %" PRIu64,
			       file->owned_path, member->name, member->size_bytes, bytes_max);
	for (uint64_t done = 0; done < member->size_bytes;) {
		const char *lent;
		size_t count;

		if (!window_at(file, member->from_bytes + done, &lent, &count, e))
			return false;
		if (count == 0)
			return err_set(e, ERR_ALTERED, "read the bundle %s: it became shorter",
				       file->owned_path);
		if (count > member->size_bytes - done)
			count = (size_t)(member->size_bytes - done);
		text_add_bytes(ret_bytes, lent, count);
		done += count;
	}
	return true;
}

static bool fail_line(const struct bundle_lines *lines, const char *why, struct err *e)
{
	return err_set(e, ERR_ALTERED, "read the bundle %s: line %" PRIu64 " of %s %s",
		       lines->file->owned_path, lines->line_number + 1, lines->member->name, why);
}

bool bundle_lines_next(struct bundle_lines *lines, size_t bytes_max, bool *ret_has, struct err *e)
{
	const char *end = NULL;

	text_clear(&lines->line);
	*ret_has = false;
	if (lines->at_bytes == lines->member->size_bytes)
		return true;
	while (end == NULL) {
		const uint64_t rest = lines->member->size_bytes - lines->at_bytes;
		const char *lent = NULL;
		size_t count = 0;

		if (rest == 0)
			return fail_line(lines, "has no end", e);
		if (!window_at(lines->file, lines->member->from_bytes + lines->at_bytes, &lent,
			       &count, e))
			return false;
		if (count == 0)
			return fail_line(lines, "is gone: the file became shorter", e);
		if (count > rest)
			count = (size_t)rest;
		end = memchr(lent, '\n', count);
		if (end != NULL)
			count = (size_t)(end - lent);
		if (count > bytes_max - lines->line.length_bytes)
			return fail_line(lines, "is longer than any that is written", e);
		text_add_bytes(&lines->line, lent, count);
		lines->at_bytes += count + (end != NULL);
	}
	lines->line_number++;
	*ret_has = true;
	return true;
}
