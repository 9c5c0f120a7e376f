/*
 * escape.c - see escape.h.
 */
#include "reports/escape.h"

#include <stdbool.h>
#include <string.h>

#include "reports/utf8.h"

void escape_terminal(struct text *text, const char *raw)
{
	if (raw == NULL)
		return;
	for (uint32_t character = utf8_next(&raw); character != 0; character = utf8_next(&raw)) {
		if (character == '\n' || character == '\t')
			text_add(text, " ");
		else if (character < 0x20 || (character >= 0x7f && character <= 0x9f))
			text_addf(text, "<%02x>", (unsigned)character);
		else if (utf8_is_harmful(character))
			text_addf(text, "<U+%04X>", (unsigned)character);
		else
			utf8_add(text, character);
	}
}

void escape_markup(struct text *text, const char *raw)
{
	if (raw == NULL)
		return;
	for (uint32_t character = utf8_next(&raw); character != 0; character = utf8_next(&raw)) {
		switch (character) {
		case '&':
			text_add(text, "&amp;");
			continue;
		case '<':
			text_add(text, "&lt;");
			continue;
		case '>':
			text_add(text, "&gt;");
			continue;
		case '"':
			text_add(text, "&quot;");
			continue;
		case '\'':
			text_add(text, "&#39;");
			continue;
		case '\n':
			text_add(text, "&#10;");
			continue;
		case '\t':
			text_add(text, "&#9;");
			continue;
		default:
			break;
		}
		if (utf8_is_harmful(character) || character == 0xfffe || character == 0xffff)
			character = UTF8_REPLACEMENT;
		utf8_add(text, character);
	}
}

/* GitHub links names and addresses after it has read the markup, so a backslash does not help:
   an empty comment between the characters does, and shows nothing. */
static bool is_link_start(const char *rest)
{
	return strncmp(rest, "://", 3) == 0 || strncmp(rest, "@", 1) == 0 ||
	       (rest[0] == '#' && rest[1] >= '0' && rest[1] <= '9');
}

void escape_markdown(struct text *text, const char *raw)
{
	static const char apart[] = "<!-- -->";
	bool is_first = true;

	if (raw == NULL)
		return;
	for (;;) {
		const bool starts_link = is_link_start(raw);
		const bool starts_www = strncmp(raw, "www.", 4) == 0;
		const uint32_t character = utf8_next(&raw);

		if (character == 0)
			return;
		if (character == '\n' || character == '\t')
			text_add(text, " ");
		else if (utf8_is_harmful(character))
			utf8_add(text, UTF8_REPLACEMENT);
		else {
			if (character < 0x80 &&
			    (strchr("\\`*_{}[]<>|~#&$!", (int)character) != NULL ||
			     (is_first && strchr("+-=", (int)character) != NULL)))
				text_add(text, "\\");
			utf8_add(text, character);
		}
		if (starts_link || starts_www)
			text_add(text, apart);
		is_first = false;
	}
}

void escape_command(struct text *text, const char *raw, bool is_property)
{
	if (raw == NULL)
		return;
	for (uint32_t character = utf8_next(&raw); character != 0; character = utf8_next(&raw)) {
		if (character == '%' || character == '\r' || character == '\n' ||
		    (is_property && (character == ':' || character == ',')))
			text_addf(text, "%%%02X", (unsigned)character);
		else if (utf8_is_harmful(character))
			utf8_add(text, UTF8_REPLACEMENT);
		else
			utf8_add(text, character);
	}
}
