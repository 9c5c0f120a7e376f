/*
 * err.h - the one way a function says that it failed.
 *
 * A function that can fail returns bool and takes `struct err *e` last. The text is one sentence:
 * what was tried, on what, why not. Nothing is allocated, so an error can always be reported.
 * Only harness/cli prints errors.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

enum { ERR_TEXT_BYTES = 1024 };

enum err_kind {
	ERR_NONE = 0,
	ERR_INPUT,    /* the user's documents, options or names are wrong */
	ERR_REMOTE,   /* the far side answered badly, or refused */
	ERR_DEADLINE, /* no answer in time; what happened over there is unknown */
	ERR_LIMIT,    /* a bound of limits.h, or this machine's memory, descriptors, disk */
	ERR_REFUSED,  /* we refuse: unsafe, locked, protected, not verified */
	ERR_STORE,    /* the journal or the store could not be read or written */
	ERR_INTERNAL, /* our own mistake, met where an assertion would be too late */
	ERR_ALTERED,  /* what was written down is not as it was: a seal, a hash or a chain is broken */
};

struct err {
	enum err_kind kind;
	char text[ERR_TEXT_BYTES];
};

/* Fills *e and returns false, so that `return err_set(...)` reads as one thought. e may be NULL. */
bool err_set(struct err *e, enum err_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the text already there. Returns false. Once per layer. */
bool err_wrap(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

void err_clear(struct err *e);

#endif
