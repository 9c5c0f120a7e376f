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

/* The first moment after wall_ns from which the clocks there are set anew; false: never again. */
bool zone_next_change(const struct zone *zone, int64_t wall_ns, int64_t *ret_wall_ns);

/* 2199-12-31: nanoseconds since 1970 end in 2262, and who looks for a moment may look 60 years ahead. */
enum { ZONE_DAY_MAX = 84005 };

enum zone_fit { ZONE_ONCE = 1, ZONE_TWICE, ZONE_NEVER };

/*
 * When the clocks there show this second (0 to 86400) of this day (0 to ZONE_DAY_MAX). TWICE: they were
 * put back, and there are two such moments. NEVER: they were put forward over it, and *ret_first_ns is
 * the moment in which they were. *ret_second_ns is set for TWICE alone.
 */
enum zone_fit zone_find(const struct zone *zone, int64_t day, int32_t second,
			int64_t *ret_first_ns, int64_t *ret_second_ns);

/* "2026-12-20", a day that there is. */
bool zone_parse_date(const char *text, int64_t *ret_day, struct err *e);
enum { ZONE_DATE_BYTES = 32 };
const char *zone_format_date(int64_t day, char text[ZONE_DATE_BYTES]);

/* "2026-12-24" (when that day begins there), "2026-12-24T10:00" there, or "2026-12-24T10:00Z". */
bool zone_parse_moment(const char *text, const struct zone *zone, int64_t *ret_wall_ns,
		       struct err *e);
enum { ZONE_MOMENT_BYTES = 64 };
/* "tue 2026-11-24 09:34:12 +01:00", as the clocks there show it. */
const char *zone_format_moment(const struct zone *zone, int64_t wall_ns,
			       char text[ZONE_MOMENT_BYTES]);

#endif
