/*
 * quote.c - see quote_argv in remote.h. The only place that knows what a shell does with a byte.
 *
 * Between single quotes a POSIX shell gives no byte a meaning but the single quote itself. It does
 * not know csh or fish: a login shell of that kind is not supported.
 */
#include "remote/remote.h"

#include <assert.h>
#include <string.h>

static const char *const reserved_words[] = {
	"case",	    "coproc", "do", "done",   "elif", "else", "esac",  "fi",	"for",
	"function", "if",     "in", "select", "then", "time", "until", "while",
};

static bool is_reserved(const char *word)
{
	for (size_t i = 0; i < sizeof reserved_words / sizeof reserved_words[0]; i++)
		if (strcmp(word, reserved_words[i]) == 0)
			return true;
	return false;
}

/* True when no shell gives any part of the word a meaning. */
static bool is_plain(const char *word, bool is_first)
{
	const char *const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "_./:@%+,-";

	if (word[0] == '\0' || word[strspn(word, safe)] != '\0')
		return false;
	/* sshd runs `SHELL -c LINE`: a line that began with a dash would be taken for options. */
	return !is_first || (word[0] != '-' && !is_reserved(word));
}

static void quote_word(const char *word, struct text *text)
{
	text_add(text, "'");
	for (;;) {
		const size_t run_bytes = strcspn(word, "'");

		text_add_bytes(text, word, run_bytes);
		word += run_bytes;
		if (*word == '\0')
			break;
		text_add(text, "'\\''");
		word++;
	}
	text_add(text, "'");
}

void quote_argv(const char *const *argv, struct text *text)
{
	assert(argv != NULL);
	assert(argv[0] != NULL);

	for (size_t i = 0; argv[i] != NULL; i++) {
		if (i > 0)
			text_add(text, " ");
		if (is_plain(argv[i], i == 0))
			text_add(text, argv[i]);
		else
			quote_word(argv[i], text);
	}
}
