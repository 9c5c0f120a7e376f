/*
 * err.c - see err.h. A text that does not fit is cut at its end: the beginning says what was tried.
 * A cut text ends in "...", by which secrets.c knows that it may end within a secret.
 */
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void mark_cut(char text[ERR_TEXT_BYTES])
{
	memcpy(&text[ERR_TEXT_BYTES - sizeof "..."], "...", sizeof "...");
}

bool err_set(struct err *e, enum err_kind kind, const char *format, ...)
{
	va_list args;

	assert(kind != ERR_NONE);
	assert(format != NULL);

	if (e == NULL)
		return false;

	/* Formatted aside first: an argument may be the old text of e itself. */
	char fresh[ERR_TEXT_BYTES];

	va_start(args, format);
	if (vsnprintf(fresh, sizeof fresh, format, args) >= (int)sizeof fresh)
		mark_cut(fresh);
	va_end(args);
	memcpy(e->text, fresh, sizeof fresh);
	e->kind = kind;
	return false;
}

bool err_wrap(struct err *e, const char *format, ...)
{
	va_list args;

	assert(format != NULL);

	if (e == NULL)
		return false;

	char inner[ERR_TEXT_BYTES];
	char context[ERR_TEXT_BYTES];

	memcpy(inner, e->text, sizeof inner);
	va_start(args, format);
	(void)vsnprintf(context, sizeof context, format, args); /* cut on purpose */
	va_end(args);

	size_t used_bytes = strlen(context);

	if (used_bytes > sizeof e->text / 2) {
		used_bytes = sizeof e->text / 2;
		memset(context + used_bytes - strlen("..."), '.', strlen("..."));
	}
	memcpy(e->text, context, used_bytes);
	memcpy(e->text + used_bytes, ": ", 2);
	used_bytes += 2;
	memcpy(e->text + used_bytes, inner, sizeof e->text - used_bytes - 1);
	e->text[sizeof e->text - 1] = '\0';
	if (strlen(inner) > sizeof e->text - used_bytes - 1)
		mark_cut(e->text);
	if (e->kind == ERR_NONE)
		e->kind = ERR_INTERNAL;
	return false;
}

void err_clear(struct err *e)
{
	if (e == NULL)
		return;
	e->kind = ERR_NONE;
	e->text[0] = '\0';
}
