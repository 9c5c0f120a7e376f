/*
 * cron_parse.c - the text of cron; see cron.h. Refuses what Vixie cron would take and never run.
 */
#include "schedule/cron.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "base/mem.h"

struct field {
	const char *noun;
	int low;
	int high;
	const char *names; /* three letters each, from `low` on; NULL: numbers only */
};

enum { MINUTE = 0, HOUR, DAY, MONTH, WEEKDAY, FIELD_COUNT };

static const struct field fields[FIELD_COUNT] = {
	[MINUTE] = { "the minute", 0, 59, NULL },
	[HOUR] = { "the hour", 0, 23, NULL },
	[DAY] = { "the day of the month", 1, 31, NULL },
	[MONTH] = { "the month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec" },
	[WEEKDAY] = { "the day of the week", 0, 7, "sunmontuewedthufrisat" },
};

static const struct {
	const char *name;
	const char *text;
} shorthands[] = {
	{ "@hourly", "0 * * * *" },   { "@daily", "0 0 * * *" },    { "@midnight", "0 0 * * *" },
	{ "@weekly", "0 0 * * sun" }, { "@monthly", "0 0 1 * *" }, { "@yearly", "0 0 1 1 *" },
	{ "@annually", "0 0 1 1 *" },
};

struct reader {
	const char *text;
	const char *at;
	const struct field *field;
	size_t *ret_offset_bytes;
	struct err *e;
};

/* The mistake stands at `at`. */
__attribute__((format(printf, 3, 4)))
static bool refuse(const struct reader *reader, const char *at, const char *format, ...)
{
	struct text text = { 0 };
	va_list args;

	va_start(args, format);
	text_addv(&text, format, args);
	va_end(args);
	*reader->ret_offset_bytes = (size_t)(at - reader->text);
	err_set(reader->e, ERR_INPUT, "%s", text_str(&text));
	text_release(&text);
	return false;
}

static bool is_blank(char letter)
{
	return letter == ' ' || letter == '\t' || letter == '\n'; /* YAML ends a folded text so */
}

static const char *skip_blanks(const char *at)
{
	while (is_blank(*at))
		at++;
	return at;
}

static size_t word_bytes(const char *at)
{
	return strcspn(at, " \t\n,-/");
}

/* "mon", the number of a name. -1: it is none. */
static int find_name(const struct field *field, const char *at, size_t bytes)
{
	if (field->names == NULL || bytes != 3)
		return -1;
	for (int i = 0; field->names[3 * i] != '\0'; i++)
		if (strncasecmp(field->names + 3 * i, at, 3) == 0)
			return field->low + i;
	return -1;
}

static bool refuse_word(const struct reader *reader, const char *at, size_t bytes)
{
	const struct field *field = reader->field;

	if (bytes == 0 && *at != '\0' && strchr("-,/", *at) != NULL)
		return refuse(reader, at, "a value is missing before the `%c` in %s", *at,
			      field->noun);
	if (bytes == 0)
		return refuse(reader, at, "%s ends where a value should follow", field->noun);
	if (field == &fields[MONTH])
		return refuse(reader, at, "`%.*s` is no month; write 1 to 12, or `jan` to `dec`",
			      (int)(bytes < 40 ? bytes : 40), at);
	if (field == &fields[WEEKDAY])
		return refuse(reader, at, "`%.*s` is no day of the week; write 0 to 7 (0 and 7 are "
			      "Sunday), or `mon` to `sun`", (int)(bytes < 40 ? bytes : 40), at);
	return refuse(reader, at, "`%.*s` is no number for %s; write %d to %d",
		      (int)(bytes < 40 ? bytes : 40), at, field->noun, field->low, field->high);
}

static bool take_number(struct reader *reader, int low, int high, int *ret_number)
{
	const char *begin = reader->at;
	int number = 0;

	for (; isdigit((unsigned char)*reader->at); reader->at++)
		number = number < 1000 ? number * 10 + (*reader->at - '0') : number;
	if (number < low || number > high)
		return refuse(reader, begin, "`%.*s` is outside of what %s has: %d to %d",
			      (int)(reader->at - begin < 40 ? reader->at - begin : 40), begin,
			      reader->field->noun, low, high);
	*ret_number = number;
	return true;
}

static bool take_value(struct reader *reader, int *ret_value)
{
	const size_t bytes = word_bytes(reader->at);
	const int named = find_name(reader->field, reader->at, bytes);

	if (named != -1) {
		reader->at += bytes;
		*ret_value = named;
		return true;
	}
	if (bytes == 0 || strspn(reader->at, "0123456789") != bytes)
		return refuse_word(reader, reader->at, bytes);
	return take_number(reader, reader->field->low, reader->field->high, ret_value);
}

/* "/15" after a range */
static bool take_step(struct reader *reader, int *ret_step)
{
	reader->at++;

	const size_t bytes = word_bytes(reader->at);

	if (bytes == 0 || strspn(reader->at, "0123456789") != bytes)
		return refuse(reader, reader->at, "a step is a number, such as `*/%d`",
			      reader->field == &fields[MINUTE] ? 15 : 2);
	return take_number(reader, 1, reader->field->high, ret_step);
}

/* "*", "5", "1-5", "mon-fri", each but the single value with a step; sets bits. */
static bool take_item(struct reader *reader, uint64_t *bits)
{
	const char *begin = reader->at;
	const bool is_all = *reader->at == '*';
	bool is_range = is_all;
	int low = reader->field->low;
	int high = reader->field->high;
	int step = 1;

	if (is_all) {
		reader->at++;
	} else {
		if (!take_value(reader, &low))
			return false;
		high = low;
		is_range = *reader->at == '-';
		if (is_range) {
			reader->at++;
			if (!take_value(reader, &high))
				return false;
		}
		if (reader->field == &fields[WEEKDAY] && high == 0 && low > 0)
			high = 7; /* fri-sun */
	}
	if (low > high)
		return refuse(reader, begin, "`%.*s` runs backwards; write it as two parts with a "
			      "comma", (int)(reader->at - begin), begin);
	if (*reader->at == '/' && !is_range)
		return refuse(reader, reader->at, "a step needs a range before it; write `%.*s-%d%.*s`",
			      (int)(reader->at - begin), begin, reader->field->high,
			      (int)strcspn(reader->at, " \t\n,"), reader->at);
	if (*reader->at == '/' && !take_step(reader, &step))
		return false;
	for (int value = low; value <= high; value += step)
		*bits |= UINT64_C(1) << value;
	return true;
}

static bool take_field(struct reader *reader, uint64_t *bits)
{
	for (;;) {
		if (!take_item(reader, bits))
			return false;
		if (*reader->at == '\0' || is_blank(*reader->at))
			return true;
		if (*reader->at != ',')
			return refuse(reader, reader->at, "`%c` is not expected in %s; write values, "
				      "ranges and steps with commas between, such as `1-5,10`",
				      *reader->at, reader->field->noun);
		reader->at++;
	}
}

/* A day that none of the months has. `*` has one always. */
static bool check_dates(const struct reader *reader, const struct cron *cron, const char *day_at)
{
	static const int lengths[] = { 0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	for (int month = 1; month <= 12; month++)
		for (int day = 1; day <= lengths[month]; day++)
			if ((cron->months >> month & 1) != 0 && (cron->days >> day & 1) != 0)
				return true;
	return refuse(reader, day_at, "there is no such date in any of these months, so it would never "
		      "run; the last of a month cannot be said with cron");
}

static bool read_fields(struct reader *reader, const char *text, struct cron *ret_cron)
{
	uint64_t bits[FIELD_COUNT] = { 0 };
	const char *begins[FIELD_COUNT];

	reader->at = skip_blanks(text);
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		reader->field = &fields[i];
		begins[i] = reader->at;
		if (*reader->at == '\0')
			return refuse(reader, reader->at, "%s is missing; cron has five fields: minute, "
				      "hour, day of the month, month, day of the week", fields[i].noun);
		if (!take_field(reader, &bits[i]))
			return false;
		reader->at = skip_blanks(reader->at);
	}
	if (*reader->at != '\0')
		return refuse(reader, reader->at, "more than five fields; there are no seconds, no "
			      "years and no commands here");
	/* 0 and 7 are Sunday, which is bit 6 of ours. */
	*ret_cron = (struct cron){
		.minutes = bits[MINUTE],
		.hours = (uint32_t)bits[HOUR],
		.days = (uint32_t)bits[DAY],
		.months = (uint32_t)bits[MONTH],
		.weekdays = (uint32_t)((bits[WEEKDAY] >> 1 | bits[WEEKDAY] << 6) & 0x7f),
		.is_each_hour = *begins[MINUTE] == '*' || *begins[HOUR] == '*',
		.needs_both = *begins[DAY] == '*' || *begins[WEEKDAY] == '*',
	};
	return check_dates(reader, ret_cron, begins[DAY]);
}

bool cron_parse(const char *text, struct cron *ret_cron, size_t *ret_offset_bytes, struct err *e)
{
	struct reader reader = { text, text, NULL, ret_offset_bytes, e };
	const char *begin = skip_blanks(text);
	const size_t bytes = strcspn(begin, " \t\n");
	struct cron cron;

	if (*begin != '@') {
		if (!read_fields(&reader, text, &cron))
			return false;
		*ret_cron = cron;
		return true;
	}
	for (size_t i = 0; i < sizeof shorthands / sizeof shorthands[0]; i++)
		if (strlen(shorthands[i].name) == bytes &&
		    strncasecmp(shorthands[i].name, begin, bytes) == 0 &&
		    *skip_blanks(begin + bytes) == '\0') {
			const bool is_read = read_fields(&reader, shorthands[i].text, ret_cron);

			assert(is_read);
			return is_read;
		}
	return refuse(&reader, begin, "`%.40s` is not known; write @hourly, @daily, @weekly, @monthly, "
		      "@yearly, or five fields", begin);
}
