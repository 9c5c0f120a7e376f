/*
 * row_text.c - see row_text.h. A scanner for the one form that the printer has: no tree, no depth,
 * and no memory beyond what the line itself is long.
 */
#include "store/row_text.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/json.h"

/* ---- printing ---- */

static void print_hex(const char *raw, struct text *text)
{
	text_add(text, "{\"hex\":\"");
	for (const unsigned char *at = (const unsigned char *)raw; *at != '\0'; at++)
		text_addf(text, "%02x", *at);
	text_add(text, "\"}");
}

static const char short_escapes[] = "\"\"\\\\b\bf\fn\nr\rt\t"; /* pairs: the letter, the byte */

static void print_text(const char *raw, struct text *text)
{
	if (raw == NULL) {
		text_add(text, "null");
		return;
	}
	if (!json_is_utf8(raw)) {
		print_hex(raw, text);
		return;
	}
	text_add(text, "\"");
	while (*raw != '\0') {
		size_t plain_bytes = 0;
		size_t pair = 0;

		while ((unsigned char)raw[plain_bytes] >= ' ' && raw[plain_bytes] != '"' &&
		       raw[plain_bytes] != '\\')
			plain_bytes++;
		text_add_bytes(text, raw, plain_bytes);
		raw += plain_bytes;
		if (*raw == '\0')
			break;
		while (short_escapes[pair] != '\0' && short_escapes[pair + 1] != *raw)
			pair += 2;
		if (short_escapes[pair] != '\0')
			text_addf(text, "\\%c", short_escapes[pair]);
		else
			text_addf(text, "\\u%04x", (unsigned)(unsigned char)*raw);
		raw++;
	}
	text_add(text, "\"");
}

static void print_value(const struct row_field *field, const struct row_value *value,
			struct text *text)
{
	switch (field->kind) {
	case ROW_INT:
		text_addf(text, "%" PRId64, value->number);
		return;
	case ROW_BOOL:
		text_add(text, value->number != 0 ? "true" : "false");
		return;
	case ROW_TEXT:
		print_text(value->text, text);
		return;
	case ROW_TEXTS:
	case ROW_INTS:
		text_add(text, "[");
		for (size_t i = 0; i < value->count; i++) {
			text_add(text, i == 0 ? "" : ",");
			if (field->kind == ROW_TEXTS)
				print_text(value->texts[i], text);
			else
				text_addf(text, "%" PRId64, value->numbers[i]);
		}
		text_add(text, "]");
		return;
	}
}

void row_print(const struct row_field *fields, size_t field_count, const struct row_value *values,
	       struct text *text)
{
	assert(field_count > 0);

	for (size_t i = 0; i < field_count; i++) {
		text_addf(text, "%s\"%s\":", i == 0 ? "{" : ",", fields[i].key);
		print_value(&fields[i], &values[i], text);
	}
	text_add(text, "}\n");
}

/* ---- reading ---- */

struct scanner {
	const char *line;
	size_t length_bytes;
	size_t at;
	struct arena *arena;
	bool is_broken; /* callers look once, at the end */
};

static char next(struct scanner *scanner)
{
	if (scanner->is_broken || scanner->at >= scanner->length_bytes) {
		scanner->is_broken = true;
		return '\0';
	}
	return scanner->line[scanner->at++];
}

static bool has(const struct scanner *scanner, const char *word)
{
	const size_t length = strlen(word);

	return !scanner->is_broken && scanner->length_bytes - scanner->at >= length &&
	       memcmp(scanner->line + scanner->at, word, length) == 0;
}

static bool take(struct scanner *scanner, const char *word)
{
	if (!has(scanner, word))
		return false;
	scanner->at += strlen(word);
	return true;
}

static void expect(struct scanner *scanner, const char *word)
{
	if (!take(scanner, word))
		scanner->is_broken = true;
}

static int64_t scan_int(struct scanner *scanner)
{
	const bool is_negative = take(scanner, "-");
	const uint64_t most = is_negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	const size_t from = scanner->at;
	uint64_t number = 0;

	while (scanner->at < scanner->length_bytes && scanner->line[scanner->at] >= '0' &&
	       scanner->line[scanner->at] <= '9') {
		const uint64_t digit = (uint64_t)(scanner->line[scanner->at] - '0');

		if (number > (most - digit) / 10) {
			scanner->is_broken = true;
			return 0;
		}
		number = number * 10 + digit;
		scanner->at++;
	}
	if (scanner->at == from ||
	    (scanner->line[from] == '0' && (scanner->at > from + 1 || is_negative)))
		scanner->is_broken = true;
	return is_negative ? (int64_t)(0 - number) : (int64_t)number;
}

static unsigned scan_hex(struct scanner *scanner, unsigned digit_count)
{
	static const char digits[] = "0123456789abcdef";
	unsigned number = 0;

	while (digit_count-- > 0) {
		const char c = next(scanner);
		const char *digit = c == '\0' ? NULL : strchr(digits, c);

		if (digit == NULL) {
			scanner->is_broken = true;
			return 0;
		}
		number = number * 16 + (unsigned)(digit - digits);
	}
	return number;
}

/* What stands behind a backslash; 0 breaks the scanner. What has a letter is never written as a code. */
static char scan_escape(struct scanner *scanner)
{
	const char c = next(scanner);
	unsigned code = 0;

	for (size_t pair = 0; c != '\0' && short_escapes[pair] != '\0'; pair += 2)
		if (short_escapes[pair] == c)
			return short_escapes[pair + 1];
	if (c == 'u')
		code = scan_hex(scanner, 4);
	if (code == 0 || code >= ' ' || strchr("\b\f\n\r\t", (int)code) != NULL)
		scanner->is_broken = true;
	return (char)code;
}

/* The text ends where its quote is, so its length is known before memory is taken. */
static const char *scan_string(struct scanner *scanner, bool is_hex)
{
	size_t end = scanner->at;

	while (end < scanner->length_bytes && scanner->line[end] != '"')
		end += scanner->line[end] == '\\' ? 2 : 1;
	if (scanner->is_broken || end >= scanner->length_bytes) {
		scanner->is_broken = true;
		return NULL;
	}

	char *text = arena_alloc(scanner->arena, end - scanner->at + 1);
	size_t length = 0;

	while (scanner->at < end && !scanner->is_broken) {
		char c = is_hex ? (char)scan_hex(scanner, 2) : next(scanner);

		if (!is_hex && (unsigned char)c < ' ')
			scanner->is_broken = true;
		if (!is_hex && c == '\\')
			c = scan_escape(scanner);
		if (c == '\0')
			scanner->is_broken = true;
		text[length++] = c;
	}
	expect(scanner, "\"");
	/* Hex is for what could not stand there as it is, and for nothing else. */
	if (json_is_utf8(text) == is_hex)
		scanner->is_broken = true;
	return text;
}

static const char *scan_text(struct scanner *scanner)
{
	const char *text;

	if (take(scanner, "null"))
		return NULL;
	if (take(scanner, "\""))
		return scan_string(scanner, false);
	expect(scanner, "{\"hex\":\"");
	text = scan_string(scanner, true);
	expect(scanner, "}");
	return text;
}

static void scan_list(struct scanner *scanner, enum row_kind kind, struct row_value *value)
{
	const char **texts = arena_alloc(scanner->arena, ROW_LIST_MAX * sizeof *texts);
	int64_t *numbers = arena_alloc(scanner->arena, ROW_LIST_MAX * sizeof *numbers);

	expect(scanner, "[");
	while (!scanner->is_broken && !has(scanner, "]")) {
		if (value->count == ROW_LIST_MAX)
			scanner->is_broken = true;
		if (value->count > 0)
			expect(scanner, ",");
		if (scanner->is_broken)
			return;
		if (kind == ROW_INTS) {
			numbers[value->count++] = scan_int(scanner);
		} else {
			texts[value->count] = scan_text(scanner);
			if (texts[value->count++] == NULL)
				scanner->is_broken = true;
		}
	}
	expect(scanner, "]");
	value->texts = texts;
	value->numbers = numbers;
}

static void scan_value(struct scanner *scanner, enum row_kind kind, struct row_value *value)
{
	switch (kind) {
	case ROW_INT:
		value->number = scan_int(scanner);
		return;
	case ROW_BOOL:
		value->number = take(scanner, "true");
		if (value->number == 0)
			expect(scanner, "false");
		return;
	case ROW_TEXT:
		value->text = scan_text(scanner);
		return;
	case ROW_TEXTS:
	case ROW_INTS:
		scan_list(scanner, kind, value);
		return;
	}
}

bool row_parse(const struct row_field *fields, size_t field_count, const char *line,
	       size_t length_bytes, struct arena *arena, struct row_value *ret_values,
	       struct err *e)
{
	struct scanner scanner = { .line = line, .length_bytes = length_bytes, .arena = arena };
	size_t field = 0;

	if (length_bytes > ROW_LINE_BYTES_MAX)
		return err_set(e, ERR_ALTERED, "it has %zu bytes, and none is longer than %d",
			       length_bytes, (int)ROW_LINE_BYTES_MAX);
	for (; field < field_count && !scanner.is_broken; field++) {
		struct row_value value = { 0 };

		expect(&scanner, field == 0 ? "{\"" : ",\"");
		expect(&scanner, fields[field].key);
		expect(&scanner, "\":");
		if (!scanner.is_broken)
			scan_value(&scanner, fields[field].kind, &value);
		ret_values[field] = value;
	}
	expect(&scanner, "}");
	if (scanner.is_broken || scanner.at != scanner.length_bytes)
		return err_set(e, ERR_ALTERED, "something else than %s is at byte %zu",
			       field == 0 ? "a row" : fields[field - 1].key, scanner.at + 1);
	return true;
}
