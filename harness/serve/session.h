/*
 * session.h - who is signed in. Sessions are in the memory of the process: when that ends, so do they.
 *
 * A session has two random words: its id, which the browser keeps in a cookie, and one that stands in every
 * form of ours, which a page of a stranger cannot know.
 */
#ifndef SERVE_SESSION_H
#define SERVE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/limits.h"

enum { SESSIONS_MAX = 64 };

static const int64_t SESSION_NS = INT64_C(8) * 3600 * 1000000000; /* from the sign-in */

struct session {
	char id[HASH_TEXT_BYTES];
	char form_key[HASH_TEXT_BYTES];
	char person[LIMIT_NAME_BYTES + 1]; /* "": this place is free */
	int64_t until_ns;
};

struct sessions {
	struct session items[SESSIONS_MAX];
};

/* When all places are taken, whoever signed in first is signed out. */
const struct session *session_begin(struct sessions *sessions, const char *person, int64_t now_ns);
/* The one with this id that is not over; NULL: none. id need not end with a NUL. */
const struct session *session_find(const struct sessions *sessions, const char *id, size_t length,
				   int64_t now_ns);
void session_end(struct sessions *sessions, const struct session *session);

#endif
