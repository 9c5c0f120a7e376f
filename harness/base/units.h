/*
 * units.h - the only place where a number meets a unit.
 *
 * Inside the program there are nanoseconds (int64_t), bytes (uint64_t) and parts per million. Text from people
 * always carries a unit: "20ms", "1m30s", "512MiB", "99.9%". A number without a unit is refused,
 * except 0.
 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* "20ms", "1.5s", "1m30s", "2h"; units ns us ms s m h d. Not negative, at most about 292 years. */
bool units_parse_duration(const char *text, int64_t *ret_ns, struct err *e);

/* "10MiB", "1.5GB", "512B"; units B kB MB GB TB (powers of 1000) and KiB MiB GiB TiB. */
bool units_parse_bytes(const char *text, uint64_t *ret_bytes, struct err *e);

/* "99.95%" gives 999500. From 0% to 100%. */
bool units_parse_percent(const char *text, int64_t *ret_ppm, struct err *e);

/* A whole decimal number; refuses signs other than a leading '-', blanks, hex and overflow. */
bool units_parse_count(const char *text, int64_t *ret_count, struct err *e);

enum { UNITS_TEXT_BYTES = 48 };

/* The shortest honest form for people: "4.31 s", "312 ms", "2 min 5 s", "850 us". Returns text. */
const char *units_format_duration(int64_t ns, char text[UNITS_TEXT_BYTES]);
enum { UNITS_SPAN_BYTES = 2 * UNITS_TEXT_BYTES + 8 };

/* "4.31 s to 4.36 s": low is rounded down and high up, so what is printed contains what was measured.
   One number when both read the same. low <= high. Returns text. */
const char *units_format_span(int64_t low_ns, int64_t high_ns, char text[UNITS_SPAN_BYTES]);
/* The form that units_parse_duration reads back exactly: "20ms", "1500us". Returns text. */
const char *units_format_duration_exact(int64_t ns, char text[UNITS_TEXT_BYTES]);
const char *units_format_bytes(uint64_t bytes, char text[UNITS_TEXT_BYTES]);
const char *units_format_percent(int64_t ppm, char text[UNITS_TEXT_BYTES]); /* "99.95 %" */
/*
 * A measured share: "43.41 %", "99.987 %", "75 % to 87.5 %". As many digits as tell how far it is
 * from 0 % and 100 %; a span is rounded outwards, so it still holds all that it held. Bounds 1 ppm
 * apart are one number that has no end: it loses the digits behind, as a duration does.
 */
const char *units_format_share(int64_t low_ppm, int64_t high_ppm, char text[UNITS_SPAN_BYTES]);

#endif
