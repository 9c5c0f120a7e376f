/*
 * row_text.h - rows of the store as lines of JSON, and back, exactly: for bundles.
 *
 * One object a line, its members always all there and in the same order, so a line has one form
 * only. Whole numbers keep all their digits. A text that is no UTF-8 becomes {"hex":"..."}: the
 * seals are over bytes, and none may be lost. Reading takes nothing but what row_print writes.
 */
#ifndef STORE_ROW_TEXT_H
#define STORE_ROW_TEXT_H

#include "base/err.h"
#include "base/mem.h"

enum row_kind { ROW_INT = 1, ROW_BOOL, ROW_TEXT, ROW_TEXTS, ROW_INTS };

struct row_field {
	const char *key;
	enum row_kind kind;
};

struct row_value {
	int64_t number;           /* ROW_INT, ROW_BOOL */
	const char *text;         /* ROW_TEXT; NULL: null */
	const char *const *texts; /* ROW_TEXTS, never NULL in it */
	const int64_t *numbers;   /* ROW_INTS */
	size_t count;             /* of ROW_TEXTS and ROW_INTS */
};

enum {
	ROW_LINE_BYTES_MAX = 8 << 20,
	ROW_LIST_MAX = 4096, /* items of a list */
};

/* Appends the line and a newline. */
void row_print(const struct row_field *fields, size_t field_count, const struct row_value *values,
	       struct text *text);
/* The line without its newline. ERR_ALTERED says at which byte it is something else. */
bool row_parse(const struct row_field *fields, size_t field_count, const char *line,
	       size_t length_bytes, struct arena *arena, struct row_value *ret_values,
	       struct err *e);

#endif
