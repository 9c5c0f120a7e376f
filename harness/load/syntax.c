/*
 * syntax.c - see syntax.h. One row for each complaint of libyaml that people really meet.
 */
#include "load/syntax.h"

#include <stdlib.h>
#include <string.h>

struct syntax_row {
	const char *problem; /* how libyaml's words begin */
	const char *text;
	bool is_at_context; /* the place to mend is where the construct began */
};

static const struct syntax_row syntax_rows[] = {
	{ "found unexpected end of stream", "the quote that opens here is never closed", true },
	{ "found unexpected document indicator", "the quote that opens here is never closed", true },
	{ "mapping values are not allowed in this context",
	  "a `:` is not expected here; put a value that holds `: ` in quotes, and indent this line "
	  "like its neighbours", false },
	{ "did not find expected key",
	  "this line does not fit in; indent it like its neighbours, and close every quote and "
	  "bracket above it", false },
	{ "could not find expected ':'",
	  "a key without its `:`; write `key: value`", true },
	{ "did not find expected ',' or '}'",
	  "a `,` or `}` is missing before this; put a value that holds `{`, `}`, `[`, `]` or `,` "
	  "in quotes", false },
	{ "did not find expected ',' or ']'",
	  "a `,` or `]` is missing before this; put a value that holds `{`, `}`, `[`, `]` or `,` "
	  "in quotes", false },
	{ "did not find expected '-' indicator",
	  "this line does not fit into the list above it; begin it with `- `, or indent it less",
	  false },
	{ "block sequence entries are not allowed in this context",
	  "a list cannot begin here; put its `- ` on a line of its own", false },
	{ "did not find expected <document start>",
	  "text after the end of the document; a file holds one document", false },
	{ "found unknown escape character",
	  "unknown escape in double quotes; write `\\\\` for a backslash, or use single quotes",
	  false },
	{ "did not find expected hexdecimal number",
	  "an escape needs hexadecimal digits after it, for example `\\u00e9`", false },
	{ "found invalid Unicode character escape code",
	  "this escape is no character; write the character itself", false },
	{ "found a tab character", "a tab in the indentation; YAML indents with spaces only", false },
	{ "did not find expected node content",
	  "a value is missing before this", false },
	{ "found undefined tag handle", "tags are not taken; leave it out", false },
};

/* The byte at a mark, or NUL. Columns count characters. */
static char byte_at(struct mark mark, const char *bytes, size_t length_bytes)
{
	const char *end = bytes + length_bytes;

	for (uint32_t line = 1; line < mark.line; line++) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));

		if (newline == NULL)
			return '\0';
		bytes = newline + 1;
	}
	for (uint32_t column = 1; bytes < end && column < mark.column; column++) {
		bytes++;
		while (bytes < end && ((unsigned char)*bytes & 0xc0) == 0x80)
			bytes++;
	}
	return bytes < end ? *bytes : '\0';
}

void syntax_explain(struct loader *loader, const struct syntax_error *error, const char *bytes,
		    size_t length_bytes)
{
	const char *problem = error->problem == NULL ? "no reason given" : error->problem;
	const char culprit = byte_at(error->mark, bytes, length_bytes);

	if (culprit == '\t') {
		problem_add(loader, error->mark,
			    "a tab in the indentation; YAML indents with spaces only");
		return;
	}
	if (strncmp(problem, "found character that cannot start any token", 43) == 0) {
		problem_add(loader, error->mark,
			    "a value cannot begin with `%c`; put it in quotes", culprit);
		return;
	}
	for (size_t i = 0; i < sizeof syntax_rows / sizeof syntax_rows[0]; i++) {
		const struct syntax_row *row = &syntax_rows[i];

		if (strncmp(problem, row->problem, strlen(row->problem)) != 0)
			continue;
		problem_add(loader, row->is_at_context && error->context != NULL ?
				    error->context_mark : error->mark, "%s", row->text);
		return;
	}
	problem_add(loader, error->mark, "not readable as YAML: %s%s%s", problem,
		    error->context == NULL ? "" : " ",
		    error->context == NULL ? "" : error->context);
}

struct mark syntax_mark_of_byte(const char *file, const char *bytes, size_t length_bytes,
				const char *error_text)
{
	const char *number = strstr(error_text, "at byte ");
	struct mark mark = { file, 0, 0 };
	size_t count;

	if (number == NULL)
		return mark;
	count = (size_t)strtoul(number + 8, NULL, 10);
	if (count > length_bytes)
		count = length_bytes;
	mark.line = 1;
	mark.column = 1;
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] == '\n') {
			mark.line++;
			mark.column = 1;
		} else if (((unsigned char)bytes[i] & 0xc0) != 0x80) {
			mark.column++;
		}
	}
	return mark;
}
