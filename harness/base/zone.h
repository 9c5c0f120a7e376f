/*
 * zone.h - what the clock on the wall shows in a place: time zones as tzfile(5) keeps them.
 *
 * Read by ourselves, because libc's zone is one for the whole process and changing it under running
 * threads is not allowed. Immutable once loaded, so any thread may ask.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct zone;

/* "Europe/Berlin"; "UTC" needs no file. ERR_INPUT when the name is none or its file cannot be
   understood. */
bool zone_load(const char *name, struct arena *arena, const struct zone **ret_zone, struct err *e);
/* The same from the bytes of such a file. */
bool zone_read(const char *name, const void *bytes, size_t length_bytes, struct arena *arena,
	       const struct zone **ret_zone, struct err *e);

struct zone_time {
	int64_t day;      /* since 1970-01-01 in that place's calendar */
	int32_t weekday;  /* 0: Monday */
	int32_t minute;   /* of the day, from 0 */
	int32_t offset_s; /* ahead of UTC */
};

struct zone_time zone_time_at(const struct zone *zone, int64_t wall_ns);

/* "2026-12-20", a day that there is. */
bool zone_parse_date(const char *text, int64_t *ret_day, struct err *e);
enum { ZONE_DATE_BYTES = 32 };
const char *zone_format_date(int64_t day, char text[ZONE_DATE_BYTES]);

#endif
