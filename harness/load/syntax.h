/*
 * syntax.h - what libyaml complains about, said so that a person can mend it.
 */
#ifndef LOAD_SYNTAX_H
#define LOAD_SYNTAX_H

#include "load/loader.h"

struct syntax_error {
	const char *problem; /* libyaml's own words; may be NULL */
	const char *context;
	struct mark mark;
	struct mark context_mark;
};

void syntax_explain(struct loader *loader, const struct syntax_error *error, const char *bytes,
		    size_t length_bytes);

/* Where byte N stands, for an error text of json.h that ends in "at byte N"; else no place. */
struct mark syntax_mark_of_byte(const char *file, const char *bytes, size_t length_bytes,
				const char *error_text);

#endif
