/*
 * secrets.h - the values that must never be written anywhere, and the one function that hides them.
 *
 * The loader registers every value it takes from ${env:...} and ${file:...}. Everything that leaves
 * the program (journal, reports, terminal, errors) goes through secrets_redact first.
 */
#ifndef BASE_SECRETS_H
#define BASE_SECRETS_H

#include "base/mem.h"

struct secrets {
	char **owned_values; /* zero-initialise, then release */
	size_t value_count;
};

/* A value under 4 bytes is refused silently: hiding it would hide half of every report. */
void secrets_register(struct secrets *secrets, const char *value);

/* Replaces every registered value in the text by "[secret]": also as URLs, JSON, SQL, a shell, HTML,
   base64 and hex write it, and the beginning of one in a text that was cut and ends in "...". */
void secrets_redact(const struct secrets *secrets, struct text *text);

void secrets_release(struct secrets *secrets);

#endif
