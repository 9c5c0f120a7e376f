/*
 * session.c - see session.h.
 */
#include "serve/session.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* From the kernel: nobody guesses it. */
static void draw(char ret_word[HASH_TEXT_BYTES])
{
	uint8_t bytes[HASH_BYTES];

	/* Up to 256 bytes come whole, once the kernel has collected any; a word that is not random is worse
	   than no page. */
	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		abort();
	hash_print(bytes, ret_word);
}

const struct session *session_begin(struct sessions *sessions, const char *person, int64_t now_ns)
{
	struct session *place = &sessions->items[0];

	assert(*person != '\0' && strlen(person) <= LIMIT_NAME_BYTES);

	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *item = &sessions->items[i];

		if (item->person[0] == '\0' || item->until_ns <= now_ns) {
			place = item;
			break;
		}
		if (item->until_ns < place->until_ns)
			place = item;
	}
	draw(place->id);
	draw(place->form_key);
	(void)snprintf(place->person, sizeof place->person, "%s", person);
	place->until_ns = now_ns + SESSION_NS;
	return place;
}

const struct session *session_find(const struct sessions *sessions, const char *id, size_t length,
				   int64_t now_ns)
{
	const struct session *found = NULL;
	char given[HASH_TEXT_BYTES];

	if (length != sizeof given - 1)
		return NULL;
	memcpy(given, id, length);
	given[length] = '\0';
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		const struct session *item = &sessions->items[i];

		if (hash_is_same(item->id, given) && item->person[0] != '\0' && item->until_ns > now_ns)
			found = item;
	}
	return found;
}

void session_end(struct sessions *sessions, const struct session *session)
{
	sessions->items[session - sessions->items] = (struct session){ 0 };
}
