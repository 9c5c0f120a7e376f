/*
 * tokens.h - who may act by way of the page: a file of names and tokens, one `NAME:TOKEN` a line. A line
 * without a name stands for "token holder", so that several of these are one person.
 *
 * Blank lines and those that begin with # are nothing. The file is private to whoever runs the page, and a
 * token is long enough that nobody finds it by trying.
 */
#ifndef SERVE_TOKENS_H
#define SERVE_TOKENS_H

#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/secrets.h"

enum { TOKENS_MAX = 64, TOKEN_MIN_BYTES = 20, TOKEN_MAX_BYTES = 256 };

#define TOKEN_HOLDER "token holder"

struct tokens {
	struct {
		char person[LIMIT_NAME_BYTES + 1];
		char hash[HASH_TEXT_BYTES];
	} items[TOKENS_MAX];
	size_t count;
	struct secrets secrets; /* the tokens: they must not be written anywhere */
};

/* ERR_REFUSED: others may read the file. ERR_INPUT names the line that is wrong, and never the token.
   *ret_tokens is released by tokens_release. */
bool tokens_read(const char *path, struct tokens *ret_tokens, struct err *e);
void tokens_release(struct tokens *tokens);

/* Whose it is; NULL: nobody's. Takes the same time for every token of this length. */
const char *tokens_find(const struct tokens *tokens, const char *token, size_t length_bytes);
/* Does anybody of this name have one? */
bool tokens_know(const struct tokens *tokens, const char *person);

#endif
