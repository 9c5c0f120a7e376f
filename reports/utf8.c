/*
 * utf8.c - see utf8.h. The width table knows the ranges that meet an operator; a rare script may be
 * one column off, which moves a column of a table and nothing else.
 */
#include "reports/utf8.h"

#include <assert.h>

struct range {
	uint32_t first;
	uint32_t last;
};

static const struct range harmful_ranges[] = {
	{ 0x0001, 0x001f }, { 0x007f, 0x009f }, { 0x061c, 0x061c }, { 0x200b, 0x200f },
	{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb },
	{ 0xe0000, 0xe007f },
};

static const struct range narrow_ranges[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x064b, 0x065f },
	{ 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x200b, 0x200f }, { 0x20d0, 0x20ff },
	{ 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
};

static const struct range wide_ranges[] = {
	{ 0x1100, 0x115f }, { 0x2e80, 0x303e }, { 0x3041, 0x33ff }, { 0x3400, 0x4dbf },
	{ 0x4e00, 0x9fff }, { 0xa000, 0xa4cf }, { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff },
	{ 0xfe30, 0xfe6f }, { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f },
	{ 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static bool is_in(const struct range *ranges, size_t count, uint32_t character)
{
	for (size_t i = 0; i < count; i++)
		if (character >= ranges[i].first && character <= ranges[i].last)
			return true;
	return false;
}

uint32_t utf8_next(const char **at)
{
	const unsigned char *bytes = (const unsigned char *)*at;
	uint32_t character = bytes[0];
	size_t more = 0;
	uint32_t least = 0;

	if (character == 0)
		return 0;
	if (character >= 0x80) {
		more = character >= 0xf0 ? 3 : character >= 0xe0 ? 2 : 1;
		least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
		if (character < 0xc2 || character > 0xf4) {
			*at += 1;
			return UTF8_REPLACEMENT;
		}
		character &= 0x3fu >> more;
	}
	for (size_t i = 1; i <= more; i++) {
		if ((bytes[i] & 0xc0) != 0x80) {
			*at += 1;
			return UTF8_REPLACEMENT;
		}
		character = character << 6 | (bytes[i] & 0x3fu);
	}
	if (character < least || character > 0x10ffff ||
	    (character >= 0xd800 && character <= 0xdfff)) {
		*at += 1;
		return UTF8_REPLACEMENT;
	}
	*at += 1 + more;
	return character;
}

void utf8_add(struct text *text, uint32_t character)
{
	char bytes[4];
	size_t length = 0;

	assert(character != 0);
	assert(character <= 0x10ffff);

	if (character < 0x80) {
		bytes[length++] = (char)character;
	} else if (character < 0x800) {
		bytes[length++] = (char)(0xc0 | character >> 6);
		bytes[length++] = (char)(0x80 | (character & 0x3f));
	} else if (character < 0x10000) {
		bytes[length++] = (char)(0xe0 | character >> 12);
		bytes[length++] = (char)(0x80 | (character >> 6 & 0x3f));
		bytes[length++] = (char)(0x80 | (character & 0x3f));
	} else {
		bytes[length++] = (char)(0xf0 | character >> 18);
		bytes[length++] = (char)(0x80 | (character >> 12 & 0x3f));
		bytes[length++] = (char)(0x80 | (character >> 6 & 0x3f));
		bytes[length++] = (char)(0x80 | (character & 0x3f));
	}
	text_add_bytes(text, bytes, length);
}

bool utf8_is_harmful(uint32_t character)
{
	return is_in(harmful_ranges, COUNT(harmful_ranges), character);
}

size_t utf8_columns_of(uint32_t character)
{
	if (character < narrow_ranges[0].first)
		return 1; /* what most texts are made of */
	if (is_in(narrow_ranges, COUNT(narrow_ranges), character))
		return 0;
	return is_in(wide_ranges, COUNT(wide_ranges), character) ? 2 : 1;
}

size_t utf8_columns(const char *text)
{
	size_t columns = 0;

	for (uint32_t character = utf8_next(&text); character != 0; character = utf8_next(&text))
		columns += utf8_columns_of(character);
	return columns;
}

void utf8_add_cut(struct text *text, const char *raw, size_t columns)
{
	static const char dots[] = "...";
	const bool is_cut = utf8_columns(raw) > columns;
	const size_t room =
		is_cut && columns > sizeof dots - 1 ? columns - (sizeof dots - 1) : columns;
	size_t used = 0;

	for (uint32_t character = utf8_next(&raw); character != 0; character = utf8_next(&raw)) {
		used += utf8_columns_of(character);
		if (used > room)
			break;
		utf8_add(text, character);
	}
	if (is_cut && columns > sizeof dots - 1)
		text_add(text, dots);
}
