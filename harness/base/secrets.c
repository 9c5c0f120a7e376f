/*
 * secrets.c - see secrets.h. A value is looked for byte by byte in every way that something between it
 * and us may have written that byte: as it is, %41, \u0041, \', '', '\'', &amp;; and as our own
 * probes shorten a foreign text (a long number becomes N, an odd byte becomes ?, a cut text ends in
 * "..."). What mixes the bytes (base64, as in `Authorization: Basic`, and hex) is a value of its own.
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

static void add_value(struct secrets *secrets, const char *value)
{
	for (size_t i = 0; i < secrets->value_count; i++)
		if (strcmp(secrets->owned_values[i], value) == 0)
			return;

	const size_t count = secrets->value_count + 1;

	secrets->owned_values =
		mem_grow(secrets->owned_values, count * sizeof *secrets->owned_values);
	secrets->owned_values[secrets->value_count++] = mem_copy(value);
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

	if (value == NULL || strlen(value) < SECRET_BYTES_MIN)
		return;
	add_value(secrets, value);
	add_json(secrets, value);
	for (size_t skip_bytes = 0; skip_bytes < 3; skip_bytes++) {
		add_base64(secrets, value, skip_bytes, digits);
		add_base64(secrets, value, skip_bytes, url_digits);
	}
	add_hex(secrets, value, "0123456789abcdef");
	add_hex(secrets, value, "0123456789ABCDEF");
}

/* ---- how it may be written ---- */

/* How far a comparison has come. */
struct match {
	const char *at;	   /* in the text */
	const char *value; /* what is left of the secret */
	size_t plain_bytes; /* of the text that say something of the secret */
	bool is_lossy;	   /* N or ? stood for something */
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

/* Bytes of the text that are one way to write this byte of a secret, other than the byte itself; 0:
   they are not. */
static size_t escape_of(const char *at, char byte)
{
	static const char escapes[] = "nrtbf";
	static const char meanings[] = "\n\r\t\b\f";
	const unsigned char wanted = (unsigned char)byte;
	const char *meaning = strchr(meanings, byte);

	if (at[0] == '%' && is_hex(at + 1, 2, wanted))
		return 3;
	if (at[0] == '+' && byte == ' ')
		return 1;
	if (at[0] == '\\' && at[1] == 'u' && wanted < 0x80 && is_hex(at + 2, 4, wanted))
		return 6;
	if (at[0] == '\\' && meaning != NULL && at[1] == escapes[meaning - meanings])
		return 2;
	if (at[0] == '\\' && at[1] == byte && byte != '\\') /* that one: step_run */
		return 2;
	if (byte == '\'' && strncmp(at, "'\\''", 4) == 0)
		return 4;
	for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
		if (byte == entities[i].byte &&
		    strncmp(at, entities[i].entity, strlen(entities[i].entity)) == 0)
			return strlen(entities[i].entity);
	return 0;
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
	else if (found != wanted && found != 2 * wanted &&
		 !(byte == '\\' && found == 2 * wanted + 1) && !(is_last && found > wanted))
		return false;
	match->at += taken;
	match->value += wanted;
	match->plain_bytes += taken;
	return true;
}

/* What stable_text (probes/stable.h) makes of digits and of bytes that are not printable ASCII. */
static bool step_lossy(struct match *match)
{
	const unsigned char wanted = (unsigned char)*match->value;

	if (*match->at == 'N' && isdigit(wanted)) {
		while (isdigit((unsigned char)*match->value))
			match->value++;
	} else if (*match->at == '?' && (wanted < ' ' || wanted > '~')) {
		match->value++;
	} else {
		return false;
	}
	match->at++;
	match->is_lossy = true;
	return true;
}

static bool step(struct match *match)
{
	const char byte = *match->value;
	const size_t escape_bytes = escape_of(match->at, byte);

	if (escape_bytes > 0) {
		match->at += escape_bytes;
		match->value++;
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
	return step_lossy(match);
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
	if (*text != *value && strchr("%+\\&'?N", *text) == NULL)
		return 0;
	while (*match.value != '\0')
		if (*match.at == '\0' || !step(&match))
			break;
	if (match.is_lossy && match.plain_bytes < SECRET_BYTES_MIN)
		return 0;
	if (*match.value == '\0')
		return (size_t)(match.at - text);
	if (match.plain_bytes >= SECRET_BYTES_MIN &&
	    strncmp(match.at, cut_mark, strlen(cut_mark)) == 0)
		return (size_t)(match.at - text);
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
