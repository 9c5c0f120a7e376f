/*
 * stamp.h - a moment as machines write it, "2026-11-21T10:20:30.123456+01:00", into nanoseconds.
 */
#ifndef PROBES_STAMP_H
#define PROBES_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads a moment at the beginning of text: date, T or a blank, time, an optional fraction after a
 * point or a comma, an optional blank, and the zone: Z, UTC, GMT, +hh:mm, +hhmm or +hh. Without a zone
 * it says nothing: false. *ret_grain_ns: what its last digit is worth (1 s without a fraction); the
 * writer has cut what came after it. *ret_bytes: how long it is; NULL: not asked for.
 */
bool stamp_read(const char *text, int64_t *ret_wall_ns, int64_t *ret_grain_ns, size_t *ret_bytes);

#endif
