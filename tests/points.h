/*
 * points.h - the crash points of a run: every durable write of the store and every remote command, with a
 * side before and a side after it (and one during it, for commands on real hosts).
 *
 * The product knows nothing of them: the linker puts points.c around the store's writes, the opener of
 * remotes, the faults and the clock (WRAPS in the Makefile). Only calls of the main thread count, so what
 * lanes and watches do changes no number. A point is called after what happens there and how often that
 * happened before: "append injected#1 after", "inject#2 before".
 *
 * A test names one point and a deed. `firedrill_points`, the same firedrill with this inside, takes both
 * from the environment:
 *
 *   FIREDRILL_POINT        the point
 *   FIREDRILL_POINT_DEED   kill, fail, hook or step
 *   FIREDRILL_POINT_HOOK   a shell line that is run there, and waited for
 *   FIREDRILL_POINT_STEP   seconds by which the wall clock jumps there
 *   FIREDRILL_POINT_DELAY  milliseconds into a command at which `during` kills
 *   FIREDRILL_POINTS_LIST  a file that gets every point as it is passed
 */
#ifndef TESTS_POINTS_H
#define TESTS_POINTS_H

#include "remote/remote.h"

enum { POINT_NAME_BYTES = 96 };

enum point_deed {
	POINT_PASS = 0, /* nothing happens there */
	POINT_KILL,     /* SIGKILL to this process */
	POINT_FAIL,     /* before: not done, and fails; after: done, and fails all the same */
	POINT_HOOK,
	POINT_STEP,
};

/* From here on points are counted, and the deed is done at this one. NULL: at none. */
void points_begin(const char *point, enum point_deed deed);
void points_end(void);
bool points_was_reached(void);
/* What was passed since points_begin, in order. Valid until the next one. */
const char *const *points_passed(size_t *ret_count);

/* Puts points around what this opener opens; NULL: the real one. The opener is borrowed. */
struct remote_opener points_opener(const struct remote_opener *opener);

/* What the engine asks a fault for at this moment: "arm", "inject"...; "" when nothing. */
const char *points_op(void);

#endif
