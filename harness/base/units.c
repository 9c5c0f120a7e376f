/*
 * units.c - see units.h. Numbers are read digit by digit: no locale, no hex, no floating point.
 */
#include "base/units.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *suffix;
	int64_t factor;
};

static const struct unit duration_units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", INT64_C(60) * 1000000000 },
	{ "h", INT64_C(3600) * 1000000000 },
	{ "d", INT64_C(86400) * 1000000000 },
	{ NULL, 0 },
};

static const struct unit bytes_units[] = {
	{ "B", 1 },
	{ "kB", 1000 },
	{ "MB", 1000000 },
	{ "GB", 1000000000 },
	{ "TB", INT64_C(1000000000000) },
	{ "KiB", 1024 },
	{ "MiB", 1048576 },
	{ "GiB", 1073741824 },
	{ "TiB", INT64_C(1099511627776) },
	{ NULL, 0 },
};

enum { PERCENT_DECIMALS_MAX = 4 }; /* one part per million */
static const struct unit percent_units[] = { { "%", 10000 }, { " %", 10000 }, { NULL, 0 } };

/* One "12.5ms" at *at: digits, at most 9 of a fraction, a unit. Moves *at behind it. */
static bool read_part(const char **at, const struct unit *units, int64_t *ret_amount)
{
	const char *text = *at;
	int64_t whole = 0;
	int64_t fraction = 0;
	int64_t scale = 1;
	size_t suffix_bytes;

	if (!isdigit((unsigned char)*text))
		return false;
	for (; isdigit((unsigned char)*text); text++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, *text - '0', &whole))
			return false;
	if (*text == '.') {
		text++;
		if (!isdigit((unsigned char)*text))
			return false;
		for (; isdigit((unsigned char)*text); text++) {
			if (scale >= 1000000000)
				return false;
			fraction = fraction * 10 + (*text - '0');
			scale *= 10;
		}
	}
	suffix_bytes = strcspn(text, "0123456789");
	for (const struct unit *unit = units; unit->suffix != NULL; unit++) {
		if (strlen(unit->suffix) != suffix_bytes ||
		    strncmp(text, unit->suffix, suffix_bytes) != 0)
			continue;

		/* fraction < scale, so the part is below one unit: 128 bits hold the product. */
		const int64_t part = (int64_t)((__extension__ (__int128)fraction) * unit->factor / scale);
		int64_t amount;

		if (__builtin_mul_overflow(whole, unit->factor, &amount) ||
		    __builtin_add_overflow(amount, part, &amount))
			return false;
		*ret_amount = amount;
		*at = text + suffix_bytes;
		return true;
	}
	return false;
}

static bool is_bare_number(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789.")] == '\0';
}

bool units_parse_duration(const char *text, int64_t *ret_ns, struct err *e)
{
	const char *at = text;
	int64_t total_ns = 0;

	if (strcmp(text, "0") == 0) {
		*ret_ns = 0;
		return true;
	}
	if (is_bare_number(text))
		return err_set(e, ERR_INPUT, "`%s` has no unit; write for example `%ss` or `%sms`",
			       text, text, text);
	do {
		int64_t part_ns;

		if (!read_part(&at, duration_units, &part_ns) ||
		    __builtin_add_overflow(total_ns, part_ns, &total_ns))
			return err_set(e, ERR_INPUT,
				       "`%s` is not a duration; write a number and one of ns, us, "
				       "ms, s, m, h, d, for example `30s` or `1m30s`",
				       text);
	} while (*at != '\0');
	*ret_ns = total_ns;
	return true;
}

bool units_parse_bytes(const char *text, uint64_t *ret_bytes, struct err *e)
{
	const char *at = text;
	int64_t amount = 0;

	if (strcmp(text, "0") == 0) {
		*ret_bytes = 0;
		return true;
	}
	if (is_bare_number(text))
		return err_set(e, ERR_INPUT, "`%s` has no unit; write for example `%sKiB` or `%sMiB`",
			       text, text, text);
	if (!read_part(&at, bytes_units, &amount) || *at != '\0')
		return err_set(e, ERR_INPUT,
			       "`%s` is not a size; write a number and one of B, kB, MB, GB, TB, "
			       "KiB, MiB, GiB, TiB, for example `512MiB`",
			       text);
	*ret_bytes = (uint64_t)amount;
	return true;
}

bool units_parse_percent(const char *text, int64_t *ret_ppm, struct err *e)
{
	const char *at = text;
	const char *point = strchr(text, '.');
	int64_t ppm = 0;

	if (!read_part(&at, percent_units, &ppm) || *at != '\0' || ppm > 1000000)
		return err_set(e, ERR_INPUT,
			       "`%s` is not a percentage from 0%% to 100%%; write for example `99.9%%`",
			       text);
	/* Rounded without a word it would be another promise. */
	if (point != NULL && strspn(point + 1, "0123456789") > PERCENT_DECIMALS_MAX)
		return err_set(e, ERR_INPUT,
			       "`%s` is finer than 0.0001%%, the least that is told apart; write at "
			       "most %d decimals",
			       text, (int)PERCENT_DECIMALS_MAX);
	*ret_ppm = ppm;
	return true;
}

static bool refuse_count(const char *text, struct err *e)
{
	return err_set(e, ERR_INPUT, "`%s` is not a whole number; write for example `3`", text);
}

bool units_parse_count(const char *text, int64_t *ret_count, struct err *e)
{
	const bool is_negative = *text == '-';
	const char *at = is_negative ? text + 1 : text;
	int64_t count = 0;

	if (!isdigit((unsigned char)*at))
		return refuse_count(text, e);
	for (; isdigit((unsigned char)*at); at++)
		if (__builtin_mul_overflow(count, 10, &count) ||
		    __builtin_add_overflow(count, *at - '0', &count))
			return err_set(e, ERR_INPUT, "`%s` is too large", text);
	if (*at != '\0')
		return refuse_count(text, e);
	*ret_count = is_negative ? -count : count;
	return true;
}

/* Three significant digits of amount / unit, without floating point: 4312 / 1000 is "4.31". */
static void print_three_digits(char *text, size_t text_bytes, int64_t amount, int64_t unit,
			       const char *name)
{
	const int64_t whole = amount / unit;
	const int64_t decimals = whole >= 100 ? 0 : whole >= 10 ? 1 : 2;
	const int64_t scale = decimals == 0 ? 1 : decimals == 1 ? 10 : 100;
	const int64_t rest = (amount % unit) / (unit / scale > 0 ? unit / scale : 1);

	if (decimals == 0 || unit < scale || amount % unit == 0)
		(void)snprintf(text, text_bytes, "%" PRId64 " %s", whole, name);
	else
		(void)snprintf(text, text_bytes, "%" PRId64 ".%0*" PRId64 " %s", whole,
			       (int)decimals, rest, name);
}

const char *units_format_duration(int64_t ns, char text[UNITS_TEXT_BYTES])
{
	if (ns < 0) {
		text[0] = '-';
		char rest[UNITS_TEXT_BYTES];

		(void)units_format_duration(ns == INT64_MIN ? INT64_MAX : -ns, rest);
		memcpy(text + 1, rest, UNITS_TEXT_BYTES - 1);
		text[UNITS_TEXT_BYTES - 1] = '\0';
		return text;
	}
	if (ns == 0)
		(void)snprintf(text, UNITS_TEXT_BYTES, "0 s");
	else if (ns < 1000)
		(void)snprintf(text, UNITS_TEXT_BYTES, "%" PRId64 " ns", ns);
	else if (ns < 1000000)
		print_three_digits(text, UNITS_TEXT_BYTES, ns, 1000, "us");
	else if (ns < 1000000000)
		print_three_digits(text, UNITS_TEXT_BYTES, ns, 1000000, "ms");
	else if (ns < INT64_C(120) * 1000000000)
		print_three_digits(text, UNITS_TEXT_BYTES, ns, 1000000000, "s");
	else if (ns < INT64_C(7200) * 1000000000)
		(void)snprintf(text, UNITS_TEXT_BYTES, "%" PRId64 " min %" PRId64 " s",
			       ns / (INT64_C(60) * 1000000000), ns / 1000000000 % 60);
	else
		(void)snprintf(text, UNITS_TEXT_BYTES, "%" PRId64 " h %" PRId64 " min",
			       ns / (INT64_C(3600) * 1000000000),
			       ns / (INT64_C(60) * 1000000000) % 60);
	return text;
}

/* The value of the last digit that units_format_duration shows. */
static int64_t shown_step_ns(int64_t ns)
{
	const int64_t unit_ns = ns < 1000 ? 1 : ns < 1000000 ? 1000 : ns < 1000000000 ? 1000000 :
								      1000000000;
	const int64_t whole = ns / unit_ns;

	if (ns >= INT64_C(7200) * 1000000000)
		return INT64_C(60) * 1000000000;
	if (ns >= INT64_C(120) * 1000000000 || unit_ns == 1)
		return unit_ns;
	return unit_ns / (whole >= 100 ? 1 : whole >= 10 ? 10 : 100);
}

const char *units_format_span(int64_t low_ns, int64_t high_ns, char text[UNITS_SPAN_BYTES])
{
	char low[UNITS_TEXT_BYTES];
	char high[UNITS_TEXT_BYTES];
	const int64_t step_ns = shown_step_ns(high_ns);
	int64_t up_ns;

	assert(low_ns <= high_ns);
	if (__builtin_add_overflow(high_ns, step_ns - 1, &up_ns))
		up_ns = high_ns;
	(void)units_format_duration(low_ns, low);
	(void)units_format_duration(high_ns < 0 ? high_ns : up_ns / step_ns * step_ns, high);
	if (strcmp(low, high) == 0)
		(void)snprintf(text, UNITS_SPAN_BYTES, "%s", low);
	else
		(void)snprintf(text, UNITS_SPAN_BYTES, "%s to %s", low, high);
	return text;
}

const char *units_format_duration_exact(int64_t ns, char text[UNITS_TEXT_BYTES])
{
	const struct unit *best = &duration_units[0];

	assert(ns >= 0);

	if (ns == 0) {
		(void)snprintf(text, UNITS_TEXT_BYTES, "0s");
		return text;
	}
	for (const struct unit *unit = duration_units; unit->suffix != NULL; unit++)
		if (ns % unit->factor == 0)
			best = unit;
	(void)snprintf(text, UNITS_TEXT_BYTES, "%" PRId64 "%s", ns / best->factor, best->suffix);
	return text;
}

const char *units_format_bytes(uint64_t bytes, char text[UNITS_TEXT_BYTES])
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	uint64_t unit = 1;
	size_t i = 0;

	while (i + 1 < sizeof names / sizeof names[0] && bytes / unit >= 1024) {
		unit *= 1024;
		i++;
	}
	if (bytes > INT64_MAX)
		bytes = INT64_MAX;
	print_three_digits(text, UNITS_TEXT_BYTES, (int64_t)bytes, (int64_t)unit, names[i]);
	return text;
}

const char *units_format_percent(int64_t ppm, char text[UNITS_TEXT_BYTES])
{
	int decimals = 4;
	int64_t rest = ppm % 10000;

	while (decimals > 0 && rest % 10 == 0) {
		rest /= 10;
		decimals--;
	}
	if (decimals == 0)
		(void)snprintf(text, UNITS_TEXT_BYTES, "%" PRId64 " %%", ppm / 10000);
	else
		(void)snprintf(text, UNITS_TEXT_BYTES, "%" PRId64 ".%0*" PRId64 " %%", ppm / 10000,
			       decimals, rest);
	return text;
}

/* The value of the last digit shown: 0.01 %, and finer within 1 % of nothing or all. */
static int64_t share_step_ppm(int64_t ppm)
{
	const int64_t rest_ppm = ppm > 500000 ? 1000000 - ppm : ppm;

	return rest_ppm <= 0 || rest_ppm >= 10000 ? 100 : rest_ppm >= 1000 ? 10 : 1;
}

const char *units_format_share(int64_t low_ppm, int64_t high_ppm, char text[UNITS_SPAN_BYTES])
{
	const int64_t low_step_ppm = share_step_ppm(low_ppm);
	const int64_t high_step_ppm = share_step_ppm(high_ppm);
	const int64_t step_ppm = low_step_ppm < high_step_ppm ? low_step_ppm : high_step_ppm;
	char low[UNITS_TEXT_BYTES];
	char high[UNITS_TEXT_BYTES];

	assert(low_ppm >= 0 && low_ppm <= high_ppm);
	(void)units_format_percent(low_ppm / step_ppm * step_ppm, low);
	(void)units_format_percent((high_ppm + step_ppm - 1) / step_ppm * step_ppm, high);
	if (high_ppm - low_ppm <= 1)
		(void)snprintf(text, UNITS_SPAN_BYTES, "%s", low);
	else
		(void)snprintf(text, UNITS_SPAN_BYTES, "%s to %s", low, high);
	return text;
}
