/*
 * tokens.c - see tokens.h. Tokens are compared by their hashes, all of them each time.
 */
#include "serve/tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 64 << 10 };

static bool check_file(const char *path, const struct stat *file, struct err *e)
{
	if (!S_ISREG(file->st_mode))
		return err_set(e, ERR_INPUT, "read the tokens in %s: it is no file", path);
	if (file->st_uid != geteuid() && file->st_uid != 0)
		return err_set(e, ERR_REFUSED,
			       "read the tokens in %s: it belongs to another user, who could give "
			       "themselves one; chown it to the user of firedrill serve", path);
	if ((file->st_mode & 077) != 0)
		return err_set(e, ERR_REFUSED,
			       "read the tokens in %s: others can read or change it (mode %03o); "
			       "chmod 600 it, and make new tokens", path,
			       (unsigned)(file->st_mode & 0777));
	if (file->st_size > FILE_BYTES_MAX)
		return err_set(e, ERR_LIMIT, "read the tokens in %s: it is longer than %d bytes", path,
			       FILE_BYTES_MAX);
	return true;
}

/* By the descriptor, so that what is checked is what is read. */
static bool read_file(const char *path, struct text *bytes, struct err *e)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat file;
	char block[4096];
	ssize_t got = 0;
	bool ok;

	if (fd == -1)
		return err_set(e, ERR_INPUT, "read the tokens in %s: %s", path, strerror(errno));
	ok = fstat(fd, &file) == 0 ? check_file(path, &file, e) :
				     err_set(e, ERR_INPUT, "read the tokens in %s: %s", path,
					     strerror(errno));
	while (ok && bytes->length_bytes <= FILE_BYTES_MAX &&
	       (got = read(fd, block, sizeof block)) > 0)
		text_add_bytes(bytes, block, (size_t)got);
	if (ok && got == -1)
		ok = err_set(e, ERR_INPUT, "read the tokens in %s: %s", path, strerror(errno));
	(void)close(fd); /* nothing was written to it */
	return ok;
}

/* One line without control bytes, and no blank at its ends that would make two names of one. */
static bool is_name(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return length > 0 && length <= LIMIT_NAME_BYTES && text[0] != ' ' && text[length - 1] != ' ';
}

static bool is_token(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] <= 0x20 || text[i] == 0x7f)
			return false;
	return length >= TOKEN_MIN_BYTES && length <= TOKEN_MAX_BYTES;
}

static bool take_line(const char *line, size_t length, struct tokens *tokens, struct err *e)
{
	const char *colon = memchr(line, ':', length);
	const size_t name_length = colon == NULL ? 0 : (size_t)(colon - line);
	const char *token = colon == NULL ? line : colon + 1;
	const size_t token_length = length - (size_t)(token - line);
	char plain[TOKEN_MAX_BYTES + 1];

	if (colon != NULL && !is_name(line, name_length))
		return err_set(e, ERR_INPUT, "the name before the colon must be at most %d bytes, "
			       "without blanks at its ends", LIMIT_NAME_BYTES);
	if (!is_token(token, token_length))
		return err_set(e, ERR_INPUT,
			       "a token must be %d to %d letters, digits or signs; `openssl rand -hex "
			       "24` makes one", TOKEN_MIN_BYTES, TOKEN_MAX_BYTES);
	if (tokens->count == TOKENS_MAX)
		return err_set(e, ERR_LIMIT, "there are more than %d tokens", TOKENS_MAX);
	if (tokens_find(tokens, token, token_length) != NULL)
		return err_set(e, ERR_INPUT, "this token is there twice: one person could be two");
	hash_chain("", token, token_length, tokens->items[tokens->count].hash);
	(void)snprintf(tokens->items[tokens->count].person, sizeof tokens->items[0].person, "%.*s",
		       colon == NULL ? (int)strlen(TOKEN_HOLDER) : (int)name_length,
		       colon == NULL ? TOKEN_HOLDER : line);
	tokens->count++;
	(void)snprintf(plain, sizeof plain, "%.*s", (int)token_length, token);
	secrets_register(&tokens->secrets, plain);
	explicit_bzero(plain, sizeof plain);
	return true;
}

static bool take_lines(const char *path, const struct text *bytes, struct tokens *tokens, struct err *e)
{
	const char *line = text_str(bytes);

	if (strlen(line) != bytes->length_bytes)
		return err_set(e, ERR_INPUT, "read the tokens in %s: there is a NUL in it", path);
	for (int number = 1; *line != '\0'; number++) {
		const size_t length = strcspn(line, "\r\n");

		if (length > 0 && line[0] != '#' && !take_line(line, length, tokens, e))
			return err_wrap(e, "read the tokens in %s: line %d", path, number);
		line += length;
		line += strspn(line, "\r");
		line += *line == '\n';
	}
	return tokens->count > 0 ||
	       err_set(e, ERR_INPUT, "read the tokens in %s: there is none in it; write NAME:TOKEN",
		       path);
}

bool tokens_read(const char *path, struct tokens *ret_tokens, struct err *e)
{
	struct tokens tokens = { 0 };
	struct text bytes = { 0 };
	const bool ok = read_file(path, &bytes, e) && take_lines(path, &bytes, &tokens, e);

	if (bytes.owned_bytes != NULL)
		explicit_bzero(bytes.owned_bytes, bytes.length_bytes);
	text_release(&bytes);
	if (ok)
		*ret_tokens = tokens;
	else
		tokens_release(&tokens);
	return ok;
}

void tokens_release(struct tokens *tokens)
{
	secrets_release(&tokens->secrets);
	*tokens = (struct tokens){ 0 };
}

const char *tokens_find(const struct tokens *tokens, const char *token, size_t length_bytes)
{
	const char *person = NULL;
	char hash[HASH_TEXT_BYTES];

	hash_chain("", token, length_bytes, hash);
	for (size_t i = 0; i < tokens->count; i++)
		if (hash_is_same(tokens->items[i].hash, hash))
			person = tokens->items[i].person;
	return person;
}

bool tokens_know(const struct tokens *tokens, const char *person)
{
	for (size_t i = 0; i < tokens->count; i++)
		if (strcmp(tokens->items[i].person, person) == 0)
			return true;
	return false;
}
