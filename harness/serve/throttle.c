/*
 * throttle.c - see throttle.h. Who tries from more addresses than there are places is stopped by the count
 * of all; so are, for that minute, those who mean well.
 */
#include "serve/throttle.h"

#include <stdio.h>
#include <string.h>

static int64_t wait_of(const struct throttle_place *place, unsigned at_most, int64_t now_ns)
{
	return place->failure_count >= at_most && place->until_ns > now_ns ? place->until_ns - now_ns :
									   0;
}

int64_t throttle_wait_ns(const struct throttle *throttle, const char *address, int64_t now_ns)
{
	int64_t wait_ns = wait_of(&throttle->all, THROTTLE_ALL_FAILURES, now_ns);

	for (size_t i = 0; i < THROTTLE_PLACES; i++) {
		const struct throttle_place *place = &throttle->places[i];
		const int64_t own_ns = strcmp(place->address, address) == 0 ?
					       wait_of(place, THROTTLE_FAILURES, now_ns) :
					       0;

		if (own_ns > wait_ns)
			wait_ns = own_ns;
	}
	return wait_ns;
}

static void count(struct throttle_place *place, int64_t now_ns)
{
	if (place->until_ns <= now_ns) {
		place->failure_count = 0;
		place->until_ns = now_ns + THROTTLE_NS;
	}
	place->failure_count++;
}

void throttle_fail(struct throttle *throttle, const char *address, int64_t now_ns)
{
	struct throttle_place *place = NULL;
	struct throttle_place *oldest = &throttle->places[0];

	for (size_t i = 0; i < THROTTLE_PLACES && place == NULL; i++) {
		if (strcmp(throttle->places[i].address, address) == 0)
			place = &throttle->places[i];
		else if (throttle->places[i].until_ns < oldest->until_ns)
			oldest = &throttle->places[i];
	}
	if (place == NULL) {
		place = oldest;
		*place = (struct throttle_place){ 0 };
		(void)snprintf(place->address, sizeof place->address, "%s", address);
	}
	count(place, now_ns);
	count(&throttle->all, now_ns);
}
