/*
 * standing.c - see standing.h.
 */
#include "model/standing.h"

#include <string.h>

static const char *const words[] = {
#define X(id, word, sentence) [STANDING_##id] = word,
	STANDING_ROWS(X)
#undef X
};

static const char *const sentences[] = {
#define X(id, word, sentence) [STANDING_##id] = sentence,
	STANDING_ROWS(X)
#undef X
};

enum { STANDINGS = sizeof words / sizeof words[0] };

const char *standing_word(enum standing standing)
{
	return standing == STANDING_NONE ? "" : words[standing];
}

const char *standing_sentence(enum standing standing)
{
	return standing == STANDING_NONE ? "" : sentences[standing];
}

enum standing standing_find(const char *word)
{
	for (size_t i = 1; word != NULL && i < STANDINGS; i++)
		if (strcmp(words[i], word) == 0)
			return (enum standing)i;
	return STANDING_NONE;
}
