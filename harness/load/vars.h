/*
 * vars.h - what ${name}, ${env:NAME} and ${file:PATH} stand for.
 *
 * Values are put in once and never looked at again, so a value may hold "${" itself. `$${` writes a
 * plain `${`. What comes from env: and file: is a secret: it is registered, so that nothing prints
 * it, and it may only stand where the caller says so.
 */
#ifndef LOAD_VARS_H
#define LOAD_VARS_H

#include "load/tree.h"

/* What stands in the place of a secret that was not read. */
extern const char secret_unread[];

/* Takes --var and the `vars:` mapping (NULL: none). */
void vars_load(struct loader *loader, const struct node *vars);

/* The text of a scalar with every variable put in. False: a problem says why. */
bool vars_expand(struct loader *loader, const struct node *scalar, const char **ret_text,
		 bool *ret_is_secret);

/* The PATH of a scalar that is ${file:PATH} and nothing else; NULL for any other. */
const char *vars_file_path(struct loader *loader, const struct node *scalar);

/* A variable given with --var that no document declares or uses is a slip of the pen. */
void vars_check_given(struct loader *loader);

#endif
