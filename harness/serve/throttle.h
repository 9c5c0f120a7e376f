/*
 * throttle.h - how often somebody may try tokens that are wrong: a few times a minute from one address, and
 * not endlessly from many. Pure: the time is passed in.
 */
#ifndef SERVE_THROTTLE_H
#define SERVE_THROTTLE_H

#include <stddef.h>
#include <stdint.h>

enum { THROTTLE_FAILURES = 5, THROTTLE_ALL_FAILURES = 60, THROTTLE_PLACES = 64 };

static const int64_t THROTTLE_NS = INT64_C(60) * 1000000000;

struct throttle_place {
	char address[64];
	int64_t until_ns; /* what was counted is forgotten then */
	unsigned failure_count;
};

struct throttle {
	struct throttle_place places[THROTTLE_PLACES];
	struct throttle_place all;
};

/* How long this address has to wait before it may try; 0: not at all. */
int64_t throttle_wait_ns(const struct throttle *throttle, const char *address, int64_t now_ns);
void throttle_fail(struct throttle *throttle, const char *address, int64_t now_ns);

#endif
