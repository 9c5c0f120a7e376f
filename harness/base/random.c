/*
 * random.c - see random.h.
 */
#include "base/random.h"

#include <assert.h>
#include <sys/random.h>
#include <time.h>

struct random random_from_seed(uint64_t seed)
{
	return (struct random){ .state = seed };
}

uint64_t random_next(struct random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t random_below(struct random *random, uint64_t bound)
{
	assert(bound > 0);

	/* Values below 2^64 mod bound would make the small results likelier: draw again. */
	const uint64_t uneven = (UINT64_MAX - bound + 1) % bound;
	uint64_t drawn;

	do {
		drawn = random_next(random);
	} while (drawn < uneven);
	return drawn % bound;
}

uint64_t random_fresh_seed(void)
{
	uint32_t seed = 0; /* 32 bits: short enough to be typed back with --seed */

	if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
		seed = (uint32_t)time(NULL); /* only repeatability matters, not secrecy */
	return seed;
}
