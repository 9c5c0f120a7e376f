/*
 * stamp.c - see stamp.h.
 */
#include "probes/stamp.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"

/* Exactly count digits. */
static bool read_digits(const char **text, int count, int *ret_number)
{
	int number = 0;

	for (int i = 0; i < count; i++) {
		const char digit = (*text)[i];

		if (digit < '0' || digit > '9')
			return false;
		number = number * 10 + (digit - '0');
	}
	*text += count;
	*ret_number = number;
	return true;
}

static bool skip(const char **text, const char *any_of)
{
	if (**text == '\0' || strchr(any_of, **text) == NULL)
		return false;
	*text += 1;
	return true;
}

static bool skip_word(const char **text, const char *word)
{
	const size_t length = strlen(word);

	if (strncmp(*text, word, length) != 0)
		return false;
	*text += length;
	return true;
}

/* Nanoseconds of the fraction, and what its last digit is worth. */
static void read_fraction(const char **text, int64_t *ret_ns, int64_t *ret_grain_ns)
{
	int64_t ns = 0;
	int64_t grain_ns = NS_PER_S;

	if ((**text == '.' || **text == ',') && (*text)[1] >= '0' && (*text)[1] <= '9') {
		*text += 1;
		for (; **text >= '0' && **text <= '9'; *text += 1) {
			if (grain_ns == 1)
				continue;
			grain_ns /= 10;
			ns += (**text - '0') * grain_ns;
		}
	}
	*ret_ns = ns;
	*ret_grain_ns = grain_ns;
}

static bool read_zone(const char **text, int64_t *ret_east_s)
{
	const bool is_west = **text == '-';
	int hours = 0;
	int minutes = 0;

	*ret_east_s = 0;
	if (skip_word(text, "Z") || skip_word(text, "UTC") || skip_word(text, "GMT"))
		return true;
	if (!skip(text, "+-") || !read_digits(text, 2, &hours))
		return false;
	if (skip(text, ":")) {
		if (!read_digits(text, 2, &minutes))
			return false;
	} else {
		(void)read_digits(text, 2, &minutes); /* "+01" is a zone too */
	}
	if (hours > 15 || minutes > 59)
		return false;
	*ret_east_s = (is_west ? -1 : 1) * (hours * 3600 + minutes * 60);
	return true;
}

bool stamp_read(const char *text, int64_t *ret_wall_ns, int64_t *ret_grain_ns, size_t *ret_bytes)
{
	const char *rest = text;
	struct tm tm = { 0 };
	int64_t fraction_ns;
	int64_t grain_ns;
	int64_t east_s;

	if (!read_digits(&rest, 4, &tm.tm_year) || !skip(&rest, "-") ||
	    !read_digits(&rest, 2, &tm.tm_mon) || !skip(&rest, "-") ||
	    !read_digits(&rest, 2, &tm.tm_mday) || !skip(&rest, "T ") ||
	    !read_digits(&rest, 2, &tm.tm_hour) || !skip(&rest, ":") ||
	    !read_digits(&rest, 2, &tm.tm_min) || !skip(&rest, ":") ||
	    !read_digits(&rest, 2, &tm.tm_sec))
		return false;
	if (tm.tm_year < 1971 || tm.tm_year > 2200 || tm.tm_mon < 1 || tm.tm_mon > 12 ||
	    tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return false;
	read_fraction(&rest, &fraction_ns, &grain_ns);
	(void)skip(&rest, " ");
	if (!read_zone(&rest, &east_s))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*ret_wall_ns = ((int64_t)timegm(&tm) - east_s) * NS_PER_S + fraction_ns;
	*ret_grain_ns = grain_ns;
	if (ret_bytes != NULL)
		*ret_bytes = (size_t)(rest - text);
	return true;
}
