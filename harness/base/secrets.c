/*
 * secrets.c - see secrets.h. A value is looked for byte by byte in every way that something between it
 * and us may have written that byte: as it is, %41, \u0041, \', '', '\'', &amp;. What mixes the bytes
 * (base64, as in `Authorization: Basic`, and hex) is a value of its own, and so is what our own probes
 * make of each (stable.h: a long number becomes N, an odd byte becomes ?, a cut text ends in "...").
 * It does not find a value that was compressed, hashed, turned around or taken apart.
 */
#include "base/secrets.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum {
	SECRET_BYTES_MIN = 4,
	LONG_NUMBER_DIGITS = 4, /* as in probes/stable.c */
	BACKSLASHES_MAX = 7,
	ESCAPE_BYTES_MAX = 12,	/* seven backslashes, u and four digits */
	MIXED_BYTES_MIN = 6, /* shorter base64 and hex stand in innocent words, too */
};

static const char hidden[] = "[secret]";
static const char cut_mark[] = "...";

static const struct {
	char byte;
	const char *entity;
} entities[] = {
	{ '&', "&amp;" },  { '<', "&lt;" },   { '>', "&gt;" },
	{ '"', "&quot;" }, { '\'', "&#39;" }, { '\'', "&apos;" },
};

/* ---- what is looked for ---- */

static void add_form(struct secrets *secrets, const char *value)
{
	for (size_t i = 0; i < secrets->value_count; i++)
		if (strcmp(secrets->owned_values[i], value) == 0)
			return;

	const size_t count = secrets->value_count + 1;

	secrets->owned_values =
		mem_grow(secrets->owned_values, count * sizeof *secrets->owned_values);
	secrets->owned_values[secrets->value_count++] = mem_copy(value);
}

/* What stable_text (probes/stable.h) makes of the value. */
static void add_stable(struct secrets *secrets, const char *value)
{
	struct text form = { 0 };
	size_t plain_bytes = 0;

	for (const char *at = value; *at != '\0';) {
		const size_t digits = strspn(at, "0123456789");
		const bool is_plain = digits < LONG_NUMBER_DIGITS && *at >= ' ' && *at <= '~';

		if (digits >= LONG_NUMBER_DIGITS)
			text_add(&form, "N");
		else if (digits > 0)
			text_add_bytes(&form, at, digits);
		else
			text_add_bytes(&form, is_plain ? at : "?", 1);
		at += digits > 0 ? digits : 1;
		plain_bytes += is_plain;
	}
	if (plain_bytes >= SECRET_BYTES_MIN)
		add_form(secrets, text_str(&form));
	text_release(&form);
}

static void add_value(struct secrets *secrets, const char *value)
{
	add_form(secrets, value);
	add_stable(secrets, value);
}

/* Base64 of the value where it begins `skip_bytes` after a group of three, as behind "user:". Only the
   digits that are of the value alone. */
static void add_base64(struct secrets *secrets, const char *value, size_t skip_bytes,
		       const char *digits)
{
	const size_t bit_count = strlen(value) * 8;
	const size_t skip_bits = skip_bytes * 8;
	struct text form = { 0 };

	for (size_t digit = (skip_bits + 5) / 6; (digit + 1) * 6 <= skip_bits + bit_count; digit++) {
		unsigned bits = 0;

		for (size_t bit = digit * 6; bit < (digit + 1) * 6; bit++) {
			const unsigned char byte = (unsigned char)value[(bit - skip_bits) / 8];

			bits = bits << 1 | (byte >> (7 - (bit - skip_bits) % 8) & 1U);
		}
		text_add_bytes(&form, &digits[bits], 1);
	}
	if (form.length_bytes >= MIXED_BYTES_MIN)
		add_value(secrets, text_str(&form));
	text_release(&form);
}

static void add_hex(struct secrets *secrets, const char *value, const char *digits)
{
	struct text form = { 0 };

	for (const char *at = value; *at != '\0'; at++) {
		text_add_bytes(&form, &digits[(unsigned char)*at >> 4], 1);
		text_add_bytes(&form, &digits[(unsigned char)*at & 0xf], 1);
	}
	add_value(secrets, text_str(&form));
	text_release(&form);
}

/* In a URL: only for what stable_text makes of it there, where %20 and a number come together. */
static void add_url(struct secrets *secrets, const char *value, const char *digits)
{
	struct text form = { 0 };

	for (const char *at = value; *at != '\0'; at++) {
		const unsigned char byte = (unsigned char)*at;

		if (isalnum(byte) || strchr("-._~", byte) != NULL) {
			text_add_bytes(&form, at, 1);
			continue;
		}
		text_add(&form, "%");
		text_add_bytes(&form, &digits[byte >> 4], 1);
		text_add_bytes(&form, &digits[byte & 0xf], 1);
	}
	add_stable(secrets, text_str(&form));
	text_release(&form);
}

/* As json.c writes it, with what becomes of bytes that are no UTF-8. */
static void add_json(struct secrets *secrets, const char *value)
{
	struct json *array = json_array();
	struct text printed = { 0 };
	struct text form = { 0 };

	json_push_text(array, value);
	json_print(array, false, &printed);
	text_add_bytes(&form, text_str(&printed) + strlen("[\""),
		       printed.length_bytes - strlen("[\"\"]"));
	add_value(secrets, text_str(&form));
	json_release(array);
	text_release(&printed);
	text_release(&form);
}

void secrets_register(struct secrets *secrets, const char *value)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const char url_digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	static const char *const hex_digits[] = { "0123456789abcdef", "0123456789ABCDEF" };

	if (value == NULL || strlen(value) < SECRET_BYTES_MIN)
		return;
	add_value(secrets, value);
	add_json(secrets, value);
	for (size_t skip_bytes = 0; skip_bytes < 3; skip_bytes++) {
		add_base64(secrets, value, skip_bytes, digits);
		add_base64(secrets, value, skip_bytes, url_digits);
	}
	for (size_t i = 0; i < sizeof hex_digits / sizeof hex_digits[0]; i++) {
		add_hex(secrets, value, hex_digits[i]);
		add_url(secrets, value, hex_digits[i]);
	}
}

/* ---- how it may be written ---- */

/* How far a comparison has come. */
struct match {
	const char *at;	   /* in the text */
	const char *value; /* what is left of the secret */
	size_t plain_bytes; /* of the text that say something of the secret */
};

static size_t run_of(const char *at, char byte)
{
	size_t count = 0;

	while (at[count] == byte)
		count++;
	return count;
}

static bool is_hex(const char *at, size_t digit_count, unsigned wanted)
{
	unsigned found = 0;

	for (size_t i = 0; i < digit_count; i++) {
		if (!isxdigit((unsigned char)at[i]))
			return false;
		found = found * 16 + (unsigned)(isdigit((unsigned char)at[i]) ?
							at[i] - '0' :
							tolower((unsigned char)at[i]) - 'a' + 10);
	}
	return found == wanted;
}

/* "&amp;", "&#38;", "&#x26;" */
static size_t entity_of(const char *at, char byte)
{
	if (at[0] != '&')
		return 0;
	for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
		if (byte == entities[i].byte &&
		    strncmp(at, entities[i].entity, strlen(entities[i].entity)) == 0)
			return strlen(entities[i].entity);

	const bool has_hex = at[1] == '#' && (at[2] == 'x' || at[2] == 'X');
	const char *number = at + (has_hex ? 3 : 2);
	char *end = NULL;

	if (at[1] != '#' || !isxdigit((unsigned char)*number) ||
	    strtoul(number, &end, has_hex ? 16 : 10) != (unsigned char)byte || *end != ';')
		return 0;
	return (size_t)(end + 1 - at);
}

/* Backslashes in front of an escaped byte: one, or more when what was escaped was escaped again. */
static size_t backslashes_of(const char *at)
{
	const size_t count = run_of(at, '\\');

	return count <= BACKSLASHES_MAX ? count : 0;
}

/* "\u00e9" for the two or three bytes of that character; *ret_value_bytes is how many. */
static size_t unicode_escape_of(const char *at, const char *value, size_t *ret_value_bytes)
{
	const unsigned first = (unsigned char)value[0];
	const size_t length = first < 0x80 ? 1 : first >= 0xc0 && first < 0xe0 ? 2 : 3;
	unsigned character = first & (length == 1 ? 0x7fU : length == 2 ? 0x1fU : 0xfU);

	const size_t backslashes = backslashes_of(at);

	if (backslashes == 0 || at[backslashes] != 'u' || (first >= 0x80 && first < 0xc0) ||
	    first >= 0xf0)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if (((unsigned char)value[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | ((unsigned char)value[i] & 0x3fU);
	}
	*ret_value_bytes = length;
	return is_hex(at + backslashes + 1, 4, character) ? backslashes + 5 : 0;
}

/* Bytes of the text that are one way to write this byte of a secret, other than the byte itself; 0:
   they are not. */
static size_t escape_of(const char *at, char byte)
{
	static const char escapes[] = "nrtbf";
	static const char meanings[] = "\n\r\t\b\f";
	const char *meaning = strchr(meanings, byte);
	const size_t backslashes = backslashes_of(at);

	if (at[0] == '%' && is_hex(at + 1, 2, (unsigned char)byte))
		return 3;
	if (at[0] == '+' && byte == ' ')
		return 1;
	if (backslashes > 0 && meaning != NULL && at[backslashes] == escapes[meaning - meanings])
		return backslashes + 1;
	if (backslashes > 0 && at[backslashes] == byte) /* itself no backslash: step_run */
		return backslashes + 1;
	if (byte == '\'' && at[0] == byte && backslashes_of(at + 1) > 0 &&
	    strncmp(at + 1 + backslashes_of(at + 1), "''", 2) == 0)
		return backslashes_of(at + 1) + 3; /* a shell's */
	return entity_of(at, byte);
}

/* Quotes are doubled in SQL, backslashes nearly everywhere; each then escapes the byte behind it. */
static bool step_run(struct match *match, char byte)
{
	const size_t wanted = run_of(match->value, byte);
	const size_t found = run_of(match->at, byte);
	const bool is_last = match->value[wanted] == '\0';
	size_t taken = found;

	if (is_last && found > 2 * wanted)
		taken = 2 * wanted; /* the rest closes what the secret stands in */
	else if (found < wanted || (byte != '\\' && !is_last && found != wanted && found != 2 * wanted))
		return false;
	match->at += taken;
	match->value += wanted;
	match->plain_bytes += taken;
	return true;
}

static bool step(struct match *match)
{
	const char byte = *match->value;
	size_t value_bytes = 1;
	size_t escape_bytes = unicode_escape_of(match->at, match->value, &value_bytes);

	if (escape_bytes == 0)
		escape_bytes = escape_of(match->at, byte);
	if (escape_bytes > 0) {
		match->at += escape_bytes;
		match->value += value_bytes;
		match->plain_bytes += escape_bytes;
		return true;
	}
	if ((byte == '\'' || byte == '"' || byte == '\\') && *match->at == byte)
		return step_run(match, byte);
	if (*match->at == byte) {
		match->at++;
		match->value++;
		match->plain_bytes++;
		return true;
	}
	return false;
}

/* Length of the value when the text begins with it, else 0. */
static size_t match_plain(const char *text, const char *value)
{
	size_t length = 0;

	while (value[length] != '\0' && text[length] == value[length])
		length++;
	return value[length] == '\0' ? length : 0;
}

/* Bytes of the text, from its first, that are this secret or its beginning in a text that was cut;
   0: they are not. */
static size_t match_secret(const char *text, const char *value)
{
	struct match match = { .at = text, .value = value };
	const size_t plain_bytes = match_plain(text, value);

	if (plain_bytes > 0)
		return plain_bytes;
	if (*text != *value && strchr("%+\\&'", *text) == NULL)
		return 0;
	while (*match.value != '\0')
		if (*match.at == '\0' || !step(&match))
			break;
	if (*match.value == '\0')
		return (size_t)(match.at - text);
	if (match.plain_bytes < SECRET_BYTES_MIN)
		return 0;

	/* Where it was cut within an escape, the half of that belongs to it; the sign that begins one may have
	   been taken for itself. */
	const char *from = strchr("&%\\", match.at[-1]) != NULL ? match.at - 1 : match.at;
	const size_t half_most = isalnum((unsigned char)*from) ? 0 : ESCAPE_BYTES_MAX;

	for (size_t half = 0; half <= half_most; half++) {
		if (strncmp(from + half, cut_mark, strlen(cut_mark)) == 0)
			return (size_t)(from + half - text);
		if (from[half] == '\0')
			break;
	}
	return 0;
}

/* ---- hiding ---- */

static size_t longest_match(const struct secrets *secrets, const char *at)
{
	size_t longest = 0;

	for (size_t i = 0; i < secrets->value_count; i++) {
		const size_t length = match_secret(at, secrets->owned_values[i]);

		longest = length > longest ? length : longest;
	}
	return longest;
}

/* Every byte that belongs to some secret is taken out, so one secret within or across another leaves
   nothing of either. Those that touch become one. */
void secrets_redact(const struct secrets *secrets, struct text *text)
{
	if (secrets == NULL || secrets->value_count == 0 || text->length_bytes == 0)
		return;

	const char *from = text_str(text);
	struct text clean = { 0 };
	size_t hidden_until = 0;

	for (size_t i = 0; i < text->length_bytes; i++) {
		const size_t found = longest_match(secrets, from + i);

		if (found > 0 && i >= hidden_until)
			text_add(&clean, hidden);
		if (found > 0 && i + found > hidden_until)
			hidden_until = i + found;
		if (i >= hidden_until)
			text_add_bytes(&clean, from + i, 1);
	}
	text_release(text);
	*text = clean;
}

void secrets_release(struct secrets *secrets)
{
	for (size_t i = 0; i < secrets->value_count; i++) {
		explicit_bzero(secrets->owned_values[i], strlen(secrets->owned_values[i]));
		free(secrets->owned_values[i]);
	}
	free(secrets->owned_values);
	*secrets = (struct secrets){ 0 };
}
