/*
 * stable.h - error texts that are the same for the same failure, so that thousands of bad samples
 * come to a handful of kinds.
 */
#ifndef PROBES_STABLE_H
#define PROBES_STABLE_H

#include <stddef.h>

enum { STABLE_TEXT_BYTES = 160 };

/* The first line, without blanks at its ends, cut to fit ("..."); numbers of four and more digits
   (process ids, file numbers) become "N", and bytes that are no printable ASCII become "?". Returns
   text. */
const char *stable_text(const char *raw, char text[STABLE_TEXT_BYTES]);

#endif
