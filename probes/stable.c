/*
 * stable.c - see stable.h.
 */
#include "probes/stable.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { LONG_NUMBER_DIGITS = 4 };

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static size_t digit_count(const char *raw)
{
	size_t count = 0;

	while (is_digit(raw[count]))
		count++;
	return count;
}

const char *stable_text(const char *raw, char text[STABLE_TEXT_BYTES])
{
	size_t used = 0;

	assert(raw != NULL);

	while (*raw == ' ' || *raw == '\t' || *raw == '\n' || *raw == '\r')
		raw++;
	while (*raw != '\0' && *raw != '\n' && *raw != '\r' && used < STABLE_TEXT_BYTES - 1) {
		const size_t digits = digit_count(raw);

		if (digits >= LONG_NUMBER_DIGITS) {
			text[used++] = 'N';
			raw += digits;
		} else if (digits > 0) {
			for (size_t i = 0; i < digits && used < STABLE_TEXT_BYTES - 1; i++)
				text[used++] = raw[i];
			raw += digits;
		} else {
			text[used++] = *raw >= ' ' && *raw <= '~' ? *raw : '?';
			raw++;
		}
	}
	/* By this mark secrets.c knows that the text may end within a secret. */
	if (used == STABLE_TEXT_BYTES - 1 && *raw != '\0' && *raw != '\n' && *raw != '\r')
		memcpy(text + used - strlen("..."), "...", strlen("..."));
	while (used > 0 && text[used - 1] == ' ')
		used--;
	text[used] = '\0';
	return text;
}
