/*
 * zone.c - see zone.h. Only the 64-bit part of a tzfile is read (version 2 and later, RFC 8536); its
 * leap seconds are skipped: our wall clock has none either.
 */
#include "base/zone.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/zone_rule.h"

static const char zone_folder[] = "/usr/share/zoneinfo";

enum { HEADER_BYTES = 44, ZONE_FILE_BYTES = 64 << 10, CHANGES_MAX = 2000, TYPES_MAX = 256,
       OFFSET_MAX_S = 26 * 3600, NAME_MAX_BYTES = 64, DAY_MINUTES = 24 * 60 };

struct zone {
	const int64_t *changes_s;  /* unix seconds, ascending */
	const int32_t *offsets_s;  /* ahead of UTC from that change on */
	size_t change_count;
	int32_t first_offset_s;    /* before the first change */
	bool has_rule;             /* after the last one */
	struct zone_rule rule;
};

static const struct zone zone_utc = { 0 };

/* The counts of a header, in the order of the file. */
struct counts {
	uint32_t is_utc;
	uint32_t is_standard;
	uint32_t leaps;
	uint32_t changes;
	uint32_t types;
	uint32_t characters;
};

static int64_t read_big(const unsigned char *bytes, size_t count)
{
	uint64_t number = 0;

	for (size_t i = 0; i < count; i++)
		number = number << 8 | bytes[i];
	return count == 4 ? (int32_t)(uint32_t)number : (int64_t)number;
}

static bool read_header(const unsigned char *bytes, size_t length_bytes, struct counts *ret_counts)
{
	uint32_t numbers[6];

	if (length_bytes < HEADER_BYTES || memcmp(bytes, "TZif", 4) != 0 || bytes[4] < '2')
		return false;
	for (size_t i = 0; i < 6; i++) {
		numbers[i] = (uint32_t)read_big(bytes + 20 + 4 * i, 4);
		if (numbers[i] > ZONE_FILE_BYTES)
			return false;
	}
	*ret_counts = (struct counts){ numbers[0], numbers[1], numbers[2],
				       numbers[3], numbers[4], numbers[5] };
	return ret_counts->changes <= CHANGES_MAX && ret_counts->types >= 1 &&
	       ret_counts->types <= TYPES_MAX;
}

static size_t body_bytes(const struct counts *counts, size_t time_bytes)
{
	return counts->changes * (time_bytes + 1) + counts->types * 6 + counts->characters +
	       counts->leaps * (time_bytes + 4) + counts->is_standard + counts->is_utc;
}

static bool read_changes(const unsigned char *body, const struct counts *counts,
			 struct arena *arena, struct zone *zone)
{
	const unsigned char *kinds = body + counts->changes * 8;
	const unsigned char *types = kinds + counts->changes;
	int64_t *changes_s = arena_alloc(arena, (counts->changes + 1) * sizeof *changes_s);
	int32_t *offsets_s = arena_alloc(arena, (counts->changes + 1) * sizeof *offsets_s);

	for (size_t i = 0; i < counts->types; i++) {
		const int64_t offset_s = read_big(types + 6 * i, 4);

		if (offset_s > OFFSET_MAX_S || offset_s < -OFFSET_MAX_S)
			return false;
	}
	for (size_t i = 0; i < counts->changes; i++) {
		changes_s[i] = read_big(body + 8 * i, 8);
		if (kinds[i] >= counts->types || (i > 0 && changes_s[i] <= changes_s[i - 1]))
			return false;
		offsets_s[i] = (int32_t)read_big(types + 6 * (size_t)kinds[i], 4);
	}
	zone->changes_s = changes_s;
	zone->offsets_s = offsets_s;
	zone->change_count = counts->changes;
	zone->first_offset_s = (int32_t)read_big(types, 4);
	return true;
}

/* "\nRULE\n" at the end; an empty rule means that the last change holds for ever. */
static bool read_rule(const unsigned char *bytes, size_t length_bytes, struct zone *zone)
{
	char rule[128];
	const unsigned char *end = length_bytes < 2 || bytes[0] != '\n'
					   ? NULL
					   : memchr(bytes + 1, '\n', length_bytes - 1);
	const size_t rule_bytes = end == NULL ? 0 : (size_t)(end - bytes - 1);

	if (end == NULL || rule_bytes >= sizeof rule)
		return false;
	memcpy(rule, bytes + 1, rule_bytes);
	rule[rule_bytes] = '\0';
	zone->has_rule = rule_bytes > 0;
	return rule_bytes == 0 || zone_rule_parse(rule, &zone->rule);
}

bool zone_read(const char *name, const void *bytes, size_t length_bytes, struct arena *arena,
	       const struct zone **ret_zone, struct err *e)
{
	const unsigned char *at = bytes;
	size_t left_bytes = length_bytes;
	struct zone *zone = arena_alloc(arena, sizeof *zone);
	struct counts counts;
	bool ok = read_header(at, left_bytes, &counts);

	/* First comes the old 32-bit part, which is passed over. */
	if (ok) {
		const size_t first_bytes = HEADER_BYTES + body_bytes(&counts, 4);

		ok = first_bytes < left_bytes;
		at += ok ? first_bytes : 0;
		left_bytes -= ok ? first_bytes : 0;
	}
	ok = ok && read_header(at, left_bytes, &counts) &&
	     HEADER_BYTES + body_bytes(&counts, 8) < left_bytes &&
	     read_changes(at + HEADER_BYTES, &counts, arena, zone);
	if (ok) {
		const size_t second_bytes = HEADER_BYTES + body_bytes(&counts, 8);

		ok = read_rule(at + second_bytes, left_bytes - second_bytes, zone);
	}
	if (!ok)
		return err_set(e, ERR_INPUT, "read the time zone `%.80s`: its file is damaged, or of a "
					     "kind that is not known here", name);
	*ret_zone = zone;
	return true;
}

/* "Area/City": what could leave the folder of zones is no name. */
static bool is_name(const char *name)
{
	const size_t length = strlen(name);

	if (length == 0 || length > NAME_MAX_BYTES || name[0] == '/' || strstr(name, "..") != NULL)
		return false;
	for (const char *at = name; *at != '\0'; at++)
		if (!isalnum((unsigned char)*at) && strchr("/_+-", *at) == NULL)
			return false;
	return true;
}

bool zone_load(const char *name, struct arena *arena, const struct zone **ret_zone, struct err *e)
{
	char path[sizeof zone_folder + NAME_MAX_BYTES + 2];
	char *bytes;
	ssize_t got_bytes;

	if (strcmp(name, "UTC") == 0) {
		*ret_zone = &zone_utc;
		return true;
	}
	if (!is_name(name))
		return err_set(e, ERR_INPUT, "`%.80s` is no time zone; write one such as "
					     "`Europe/Berlin` or `UTC`", name);
	(void)snprintf(path, sizeof path, "%s/%s", zone_folder, name);

	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd == -1)
		return err_set(e, ERR_INPUT,
			       "the time zone `%s` is not known on this machine (%s: %s); write one "
			       "such as `Europe/Berlin` or `UTC`, or install tzdata",
			       name, path, strerror(errno));
	bytes = arena_alloc(arena, ZONE_FILE_BYTES);
	got_bytes = read(fd, bytes, ZONE_FILE_BYTES);
	close(fd);
	if (got_bytes <= 0)
		return err_set(e, ERR_INPUT, "`%s` is no time zone (%s cannot be read); write one such "
					     "as `Europe/Berlin` or `UTC`", name, path);
	return zone_read(name, bytes, (size_t)got_bytes, arena, ret_zone, e);
}

/* The index of the first change after unix_s; change_count: there is none in the table. */
static size_t change_after(const struct zone *zone, int64_t unix_s)
{
	size_t low = 0;
	size_t high = zone->change_count; /* it is in [low, high] */

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (zone->changes_s[middle] <= unix_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int32_t offset_at_s(const struct zone *zone, int64_t unix_s)
{
	const size_t next = change_after(zone, unix_s);

	assert(next <= zone->change_count);
	if (next == zone->change_count && zone->has_rule)
		return zone_rule_offset_s(&zone->rule, unix_s);
	return next == 0 ? zone->first_offset_s : zone->offsets_s[next - 1];
}

static int64_t floor_divide(int64_t number, int64_t by)
{
	return number >= 0 ? number / by : -((-number + by - 1) / by);
}

struct zone_time zone_time_at(const struct zone *zone, int64_t wall_ns)
{
	const int64_t unix_s = floor_divide(wall_ns, NS_PER_S);
	const int32_t offset_s = offset_at_s(zone, unix_s);
	const int64_t minutes = floor_divide(unix_s + offset_s, 60);
	const int64_t day = floor_divide(minutes, DAY_MINUTES);

	return (struct zone_time){
		.day = day,
		.weekday = (int32_t)(((day + 3) % 7 + 7) % 7), /* 1970-01-01 was a Thursday */
		.minute = (int32_t)(minutes - day * DAY_MINUTES),
		.offset_s = offset_s,
	};
}

static bool next_change_s(const struct zone *zone, int64_t unix_s, int64_t *ret_s)
{
	const size_t next = change_after(zone, unix_s);

	if (next < zone->change_count) {
		*ret_s = zone->changes_s[next];
		return true;
	}
	return zone->has_rule && zone_rule_next_change_s(&zone->rule, unix_s, ret_s);
}

bool zone_next_change(const struct zone *zone, int64_t wall_ns, int64_t *ret_wall_ns)
{
	int64_t next_s;

	if (!next_change_s(zone, floor_divide(wall_ns, NS_PER_S), &next_s) ||
	    next_s > INT64_MAX / NS_PER_S)
		return false; /* beyond all that nanoseconds can say is never, too */
	*ret_wall_ns = next_s * NS_PER_S;
	return true;
}

enum zone_fit zone_find(const struct zone *zone, int64_t day, int32_t second,
			int64_t *ret_first_ns, int64_t *ret_second_ns)
{
	const int64_t shown_s = day * DAY_MINUTES * 60 + second;
	int64_t found_s[2] = { 0, 0 };
	int64_t gap_s = 0;
	size_t found_count = 0;
	/* No offset is so large that the moment could lie before the first of these or behind the last. */
	int64_t begin_s = shown_s - OFFSET_MAX_S;
	int64_t end_s = begin_s;

	assert(day >= 0 && day <= ZONE_DAY_MAX);
	assert(second >= 0 && second <= DAY_MINUTES * 60);

	while (end_s <= shown_s + OFFSET_MAX_S && found_count < 2) {
		const int32_t offset_s = offset_at_s(zone, begin_s);

		if (!next_change_s(zone, begin_s, &end_s))
			end_s = INT64_MAX;
		if (shown_s - offset_s >= begin_s && shown_s - offset_s < end_s)
			found_s[found_count++] = shown_s - offset_s;
		else if (shown_s - offset_s >= end_s && shown_s < end_s + offset_at_s(zone, end_s))
			gap_s = end_s;
		begin_s = end_s;
	}
	*ret_first_ns = (found_count > 0 ? found_s[0] : gap_s) * NS_PER_S;
	if (found_count == 2)
		*ret_second_ns = found_s[1] * NS_PER_S;
	return found_count == 0 ? ZONE_NEVER : found_count == 1 ? ZONE_ONCE : ZONE_TWICE;
}

bool zone_parse_date(const char *text, int64_t *ret_day, struct err *e)
{
	static const char shape[] = "0000-00-00";
	bool ok = strlen(text) == strlen(shape);

	for (size_t i = 0; ok && shape[i] != '\0'; i++)
		ok = shape[i] == '-' ? text[i] == '-' : isdigit((unsigned char)text[i]) != 0;
	if (ok) {
		const int64_t year = (text[0] - '0') * 1000 + (text[1] - '0') * 100 +
				     (text[2] - '0') * 10 + (text[3] - '0');
		const int64_t month = (text[5] - '0') * 10 + (text[6] - '0');
		const int64_t day = (text[8] - '0') * 10 + (text[9] - '0');
		char again[ZONE_DATE_BYTES];

		*ret_day = zone_day_of_date(year, month, day);
		/* February 30 is found by writing it down again. */
		ok = month >= 1 && month <= 12 &&
		     strcmp(zone_format_date(*ret_day, again), text) == 0;
	}
	return ok || err_set(e, ERR_INPUT, "`%.40s` is no date; write one such as `2026-12-24`", text);
}

const char *zone_format_date(int64_t day, char text[ZONE_DATE_BYTES])
{
	int64_t year;
	int64_t month;
	int64_t day_of_month;

	zone_date_of_day(day, &year, &month, &day_of_month);
	(void)snprintf(text, ZONE_DATE_BYTES, "%04d-%02d-%02d", (int)year, (int)month,
		       (int)day_of_month);
	return text;
}

bool zone_parse_moment(const char *text, const struct zone *zone, int64_t *ret_wall_ns,
		       struct err *e)
{
	static const char shape[] = "T00:00";
	char date[] = "0000-00-00";
	const size_t length = strlen(text);
	const char *at = text + sizeof date - 1;
	int32_t minute = 0;
	int64_t day = 0;
	int64_t second_ns;

	if (length < sizeof date - 1)
		return zone_parse_date(text, &day, e); /* false: too short for a date */
	memcpy(date, text, sizeof date - 1);
	if (!zone_parse_date(date, &day, e))
		return false;

	bool ok = *at == '\0' || strlen(at) == sizeof shape - 1 ||
		  (strlen(at) == sizeof shape && at[sizeof shape - 1] == 'Z');

	for (size_t i = 0; ok && *at != '\0' && shape[i] != '\0'; i++)
		ok = shape[i] == '0' ? isdigit((unsigned char)at[i]) != 0 : at[i] == shape[i];
	if (ok && *at != '\0') {
		const int32_t hour = (at[1] - '0') * 10 + at[2] - '0';

		minute = hour * 60 + (at[4] - '0') * 10 + at[5] - '0';
		ok = hour < 24 && minute - hour * 60 < 60;
	}
	if (!ok || day < 0 || day > ZONE_DAY_MAX)
		return err_set(e, ERR_INPUT, "`%.40s` is no moment; write one such as `2026-12-24`, "
					     "`2026-12-24T10:00` or `2026-12-24T10:00Z`, from 1970 to 2199",
			       text);
	(void)zone_find(text[length - 1] == 'Z' ? &zone_utc : zone, day, minute * 60, ret_wall_ns,
			&second_ns);
	return true;
}

const char *zone_format_moment(const struct zone *zone, int64_t wall_ns,
			       char text[ZONE_MOMENT_BYTES])
{
	static const char *const weekdays[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	const struct zone_time shown = zone_time_at(zone, wall_ns);
	const int32_t ahead_minutes = (shown.offset_s < 0 ? -shown.offset_s : shown.offset_s) / 60;
	const int64_t second = floor_divide(wall_ns, NS_PER_S) + shown.offset_s;
	char date[ZONE_DATE_BYTES];

	(void)snprintf(text, ZONE_MOMENT_BYTES, "%s %s %02d:%02d:%02d %c%02d:%02d",
		       weekdays[shown.weekday], zone_format_date(shown.day, date),
		       (int)(shown.minute / 60), (int)(shown.minute % 60),
		       (int)(second - floor_divide(second, 60) * 60), shown.offset_s < 0 ? '-' : '+',
		       (int)(ahead_minutes / 60), (int)(ahead_minutes % 60));
	return text;
}
