/*
 * random.h - repeatable chance: the same seed makes the same choices on every machine.
 *
 * SplitMix64 (Steele, Lea, Flood 2014). For choosing victims and making test histories; not for keys.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state;
};

struct random random_from_seed(uint64_t seed);
uint64_t random_next(struct random *random);
uint64_t random_below(struct random *random, uint64_t bound); /* 0 <= result < bound, unbiased */
uint64_t random_fresh_seed(void); /* from the kernel, for when the user gave none */

#endif
