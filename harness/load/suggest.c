/*
 * suggest.c - see suggest.h. Optimal string alignment distance, in half edits.
 */
#include "load/suggest.h"

#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <string.h>

enum {
	WORD_BYTES_MAX = 64, /* longer words are not compared */
	EDIT = 2,            /* half edits, so that a wrong capital can cost one */
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t replace_cost(char a, char b)
{
	if (a == b)
		return 0;
	return tolower((unsigned char)a) == tolower((unsigned char)b) ? 1 : EDIT;
}

size_t suggest_distance(const char *left, const char *right)
{
	const size_t left_bytes = strlen(left);
	const size_t right_bytes = strlen(right);
	size_t rows[3][WORD_BYTES_MAX + 1]; /* this row of the matrix and the two above it */

	if (left_bytes > WORD_BYTES_MAX || right_bytes > WORD_BYTES_MAX)
		return SIZE_MAX;

	for (size_t j = 0; j <= right_bytes; j++)
		rows[0][j] = j * EDIT;
	for (size_t i = 1; i <= left_bytes; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i - 1) % 3];
		const size_t *twice_above = rows[(i + 1) % 3];

		row[0] = i * EDIT;
		for (size_t j = 1; j <= right_bytes; j++) {
			row[j] = above[j - 1] + replace_cost(left[i - 1], right[j - 1]);
			row[j] = least(row[j], least(above[j], row[j - 1]) + EDIT);
			if (i > 1 && j > 1 && left[i - 1] == right[j - 2] &&
			    left[i - 2] == right[j - 1])
				row[j] = least(row[j], twice_above[j - 2] + EDIT);
		}
	}
	return rows[left_bytes % 3][right_bytes];
}

struct suggestion suggest_for(const char *word)
{
	assert(word != NULL);
	return (struct suggestion){ .word = word };
}

void suggest_offer(struct suggestion *suggestion, const char *candidate)
{
	const size_t distance = suggest_distance(suggestion->word, candidate);
	const size_t word_bytes = strlen(suggestion->word);
	const size_t near = word_bytes < 3 ? EDIT : word_bytes < 8 ? 2 * EDIT : 3 * EDIT;

	/* Nearly as many edits as letters is another word, not a slip. */
	if (distance > near || distance >= strlen(candidate) * EDIT ||
	    (word_bytes > 1 && distance >= word_bytes * EDIT))
		return;
	if (suggestion->best != NULL && suggestion->distance <= distance)
		return;
	suggestion->best = candidate;
	suggestion->distance = distance;
}

void suggest_offer_choices(struct suggestion *suggestion, const char *choices, struct arena *arena)
{
	while (*choices != '\0') {
		const size_t word_bytes = strcspn(choices, "|");

		suggest_offer(suggestion, arena_copy_bytes(arena, choices, word_bytes));
		choices += word_bytes + (choices[word_bytes] == '|' ? 1 : 0);
	}
}
