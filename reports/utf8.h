/*
 * utf8.h - reading text that may be anything: characters, their width, cutting.
 *
 * Names and error texts come from far away. Bytes that are no UTF-8 read as U+FFFD, one at a time.
 * Needs no locale and never allocates by itself.
 */
#ifndef REPORTS_UTF8_H
#define REPORTS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

enum { UTF8_REPLACEMENT = 0xfffd };

/* The next character; moves *at behind it. 0 at the end, and *at stays there. */
uint32_t utf8_next(const char **at);

void utf8_add(struct text *text, uint32_t character);

/* Control characters, and those that turn around or hide what stands beside them. */
bool utf8_is_harmful(uint32_t character);

/* Columns of a terminal: 0 for combining marks, 2 for wide ones. */
size_t utf8_columns_of(uint32_t character);
size_t utf8_columns(const char *text);

/* Appends at most `columns` columns of text; a cut one ends in "...". */
void utf8_add_cut(struct text *text, const char *raw, size_t columns);

#endif
