/*
 * source.c - see source.h. The checks stand before libyaml, so that its reader never fails: it
 * names line 1 for every bad byte and would take UTF-16 without a word.
 */
#include "load/source.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* U+FDD0 and U+FDD1: "noncharacters", never part of a text that is exchanged. */
static const char shield_open[] = "\xef\xb7\x90";
static const char shield_close[] = "\xef\xb7\x91";

enum { SHIELD_BYTES = sizeof shield_open - 1 };

static bool read_all(int fd, char *bytes, size_t *ret_length_bytes)
{
	size_t length_bytes = 0;

	while (length_bytes <= LIMIT_DOCUMENT_BYTES) {
		const ssize_t got = read(fd, bytes + length_bytes,
					 LIMIT_DOCUMENT_BYTES + 1 - length_bytes);

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return false;
		if (got == 0)
			break;
		length_bytes += (size_t)got;
	}
	*ret_length_bytes = length_bytes;
	return true;
}

/* "-", or a pipe that the shell has made for us: `check <(make-it)`. */
static bool is_stream(const char *path)
{
	return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdin") == 0 ||
	       strncmp(path, "/dev/fd/", 8) == 0 || strncmp(path, "/proc/self/fd/", 14) == 0;
}

/* Without O_NONBLOCK a pipe that nobody writes to would be waited for, for ever. */
static int open_document(const char *path)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;

	if (strcmp(path, "-") == 0)
		return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	return open(path, is_stream(path) ? flags : flags | O_NONBLOCK);
}

/* What kind of file cannot be a document, or NULL. */
static const char *find_wrong_kind(const char *path, const struct stat *info)
{
	if (S_ISDIR(info->st_mode))
		return "is a directory; name the file";
	if (S_ISREG(info->st_mode) || is_stream(path))
		return NULL;
	return S_ISFIFO(info->st_mode) ?
		       "is a named pipe; name a file, or write - for standard input" :
		       "is no ordinary file; name one, or write - for standard input";
}

bool source_read(struct loader *loader, const char *noun, const char *path,
		 struct source *ret_source)
{
	const struct mark mark = { .file = path };
	struct stat info;
	const char *wrong;
	size_t length_bytes = 0;
	char *bytes;
	bool is_read;
	int fd;

	fd = open_document(path);
	if (fd == -1 || fstat(fd, &info) == -1) {
		problem_add(loader, mark, "%s cannot be read: %s", noun, strerror(errno));
		if (fd != -1)
			close(fd);
		return false;
	}
	wrong = find_wrong_kind(path, &info);
	if (wrong != NULL || (S_ISREG(info.st_mode) && info.st_size > LIMIT_DOCUMENT_BYTES)) {
		if (wrong != NULL)
			problem_add(loader, mark, "%s", wrong);
		else
			problem_add(loader, mark, "is %lld bytes; a document has at most %d",
				    (long long)info.st_size, LIMIT_DOCUMENT_BYTES);
		close(fd);
		return false;
	}

	bytes = arena_alloc(loader->arena, LIMIT_DOCUMENT_BYTES + 2);
	is_read = read_all(fd, bytes, &length_bytes);
	if (!is_read)
		problem_add(loader, mark, "%s cannot be read: %s", noun, strerror(errno));
	close(fd);
	*ret_source = (struct source){ path, bytes, length_bytes };
	return is_read;
}

/* The length in bytes of the character at `at`, or 0 when it is not UTF-8. */
static size_t read_character(const unsigned char *at, size_t room_bytes, uint32_t *ret_code)
{
	static const uint32_t least_codes[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const size_t bytes = *at < 0x80 ? 1 : *at < 0xc2 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 :
			     *at < 0xf5 ? 4 : 0;
	uint32_t code = bytes < 2 ? *at : *at & (0x7fu >> bytes);

	if (bytes == 0 || bytes > room_bytes)
		return 0;
	for (size_t i = 1; i < bytes; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3fu);
	}
	if (code < least_codes[bytes] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return bytes;
}

/* What YAML calls printable, without the characters that source_shield needs for itself. */
static bool may_stand(uint32_t code)
{
	if (code < 0x20)
		return code == '\t' || code == '\n' || code == '\r';
	if (code >= 0x7f && code < 0xa0)
		return code == 0x85;
	if (code >= 0xfdd0 && code <= 0xfdef)
		return false;
	return code != 0xfeff && code != 0xfffe && code != 0xffff;
}

static bool check_characters(struct loader *loader, const struct source *source)
{
	const unsigned char *bytes = (const unsigned char *)source->bytes;
	struct mark mark = { source->file, 1, 1 };
	size_t at = 0;

	while (at < source->length_bytes) {
		uint32_t code = 0;
		const size_t more = read_character(bytes + at, source->length_bytes - at, &code);

		if (more == 0) {
			problem_add(loader, mark,
				    "byte 0x%02x (byte %zu of the file) is not UTF-8; save the "
				    "file as UTF-8",
				    bytes[at], at + 1);
			return false;
		}
		if (!may_stand(code)) {
			problem_add(loader, mark, "the control character U+%04X may not stand in "
				    "a document; take it out", (unsigned)code);
			return false;
		}
		at += more;
		mark.column++;
		if (code == '\n') {
			mark.line++;
			mark.column = 1;
		}
	}
	return true;
}

bool source_check(struct loader *loader, struct source *source)
{
	const struct mark mark = { .file = source->file };

	assert(source->bytes != NULL);

	if (source->length_bytes > LIMIT_DOCUMENT_BYTES) {
		problem_add(loader, mark, "is larger than %d bytes, the most that a document has",
			    LIMIT_DOCUMENT_BYTES);
		return false;
	}
	if (source->length_bytes >= 3 && memcmp(source->bytes, "\xef\xbb\xbf", 3) == 0) {
		source->bytes += 3;
		source->length_bytes -= 3;
	}
	if (source->length_bytes == strspn(source->bytes, " \t\r\n")) {
		problem_add(loader, mark, "is empty");
		return false;
	}
	return check_characters(loader, source);
}

/* The length of a whole "${...}" at `at`, or 0. What ends a YAML scalar may not be inside. */
static size_t variable_bytes(const char *at, const char *end)
{
	const char *walk = at + 2;

	if (end - at < 3 || at[0] != '$' || at[1] != '{')
		return 0;
	while (walk < end && strchr("{}[],\"'\n\r\t #", *walk) == NULL)
		walk++;
	return walk < end && *walk == '}' ? (size_t)(walk - at) + 1 : 0;
}

const char *source_shield(struct loader *loader, const struct source *source,
			  size_t *ret_length_bytes)
{
	const char *at = source->bytes;
	const char *end = at + source->length_bytes;
	struct text text = { 0 };
	const char *shielded;

	while (at < end) {
		const char *dollar = memchr(at, '$', (size_t)(end - at));
		const size_t bytes = dollar == NULL ? 0 : variable_bytes(dollar, end);

		if (dollar == NULL) {
			text_add_bytes(&text, at, (size_t)(end - at));
			break;
		}
		text_add_bytes(&text, at, (size_t)(dollar - at) + 1);
		at = dollar + 1;
		if (bytes == 0)
			continue;
		text_add(&text, shield_open);
		text_add_bytes(&text, dollar + 2, bytes - 3);
		text_add(&text, shield_close);
		at = dollar + bytes;
	}
	*ret_length_bytes = text.length_bytes;
	shielded = arena_copy_bytes(loader->arena, text_str(&text), text.length_bytes);
	text_release(&text);
	return shielded;
}

const char *source_unshield(struct loader *loader, const char *text, size_t length_bytes)
{
	char *plain = arena_copy_bytes(loader->arena, text, length_bytes);
	size_t used_bytes = 0;

	for (size_t at = 0; at < length_bytes;) {
		if (strncmp(text + at, shield_open, SHIELD_BYTES) == 0) {
			plain[used_bytes++] = '{';
			at += SHIELD_BYTES;
		} else if (strncmp(text + at, shield_close, SHIELD_BYTES) == 0) {
			plain[used_bytes++] = '}';
			at += SHIELD_BYTES;
		} else {
			plain[used_bytes++] = text[at++];
		}
	}
	plain[used_bytes] = '\0';
	return plain;
}
