/*
 * shown_text.c - see shown_text.h.
 */
#include "engine/shown_text.h"

#include <inttypes.h>
#include <stdlib.h>

void shown_add(uint64_t slot, const char *changes, struct text *text)
{
	text_addf(text, "%s%" PRIu64 "%s", text->length_bytes == 0 ? "" : ";", slot, changes);
}

/* Digits alone: no sign, no blank. */
static bool read_number(const char **at, uint64_t *ret_number)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	*ret_number = strtoull(*at, &end, 10);
	*at = end;
	return *ret_number < UINT64_MAX;
}

static bool read_change(const char **at, struct shown_change *change)
{
	change->is_gone = **at == '~';
	if (**at != '+' && **at != '~')
		return false;
	++*at;
	if (!read_number(at, &change->first))
		return false;
	change->last = change->first;
	if (**at != '-')
		return true;
	++*at;
	return read_number(at, &change->last) && change->first <= change->last;
}

bool shown_read(const char *text, struct arena *arena, struct shown_change **changes, size_t *count)
{
	const char *at = text;

	while (*at != '\0') {
		struct shown_change change = { 0 };

		if (!read_number(&at, &change.slot) || (*at != '+' && *at != '~'))
			return false;
		while (*at == '+' || *at == '~') {
			if (!read_change(&at, &change))
				return false;
			*changes = arena_more(arena, *changes, *count, sizeof **changes);
			(*changes)[(*count)++] = change;
		}
		if (*at == '\0')
			return true;
		if (*at++ != ';' || *at == '\0')
			return false;
	}
	return true;
}
