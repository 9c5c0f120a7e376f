/*
 * patience.c - see patience.h.
 */
#include "probes/patience.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>

enum {
	KEYS_MAX = 64,
	DOUBLINGS_MAX = 16, /* beyond any drill */
};

struct patience {
	_Atomic uint64_t key;	    /* 0: free */
	_Atomic int64_t left_ns;    /* when the last one was left; 0: none since an answer */
	_Atomic uint32_t count;	    /* left in a row */
	_Atomic int64_t youngest_ns; /* when the youngest connection that answered was opened */
};

/* Of the process, because what it limits is what the process does to a server. */
static struct patience table[KEYS_MAX];

/* FNV-1a, never 0. */
static uint64_t hash_key(const char *key)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *key != '\0'; key++)
		hash = (hash ^ (unsigned char)*key) * UINT64_C(1099511628211);
	return hash == 0 ? 1 : hash;
}

struct patience *patience_find(const char *key)
{
	const uint64_t wanted = hash_key(key);

	for (size_t i = 0; i < KEYS_MAX; i++) {
		uint64_t there = 0;

		if (atomic_compare_exchange_strong(&table[i].key, &there, wanted) ||
		    there == wanted)
			return &table[i];
	}
	return &table[wanted % KEYS_MAX];
}

bool patience_may_leave(struct patience *patience, int64_t asked_ns,
				 int64_t first_ns, int64_t now_ns)
{
	int64_t left_ns = atomic_load(&patience->left_ns);
	uint32_t count = atomic_load(&patience->count);

	assert(first_ns > 0);

	if (now_ns - asked_ns < first_ns)
		return false;
	if (asked_ns < atomic_load(&patience->youngest_ns))
		return true;

	/* The first in a row finds left_ns 0. Whoever lost a race against it finds a count of 1. */
	if (count == 0)
		count = 1;
	if (count > DOUBLINGS_MAX)
		count = DOUBLINGS_MAX;
	if (left_ns != 0 && now_ns - left_ns < first_ns << count)
		return false;
	if (!atomic_compare_exchange_strong(&patience->left_ns, &left_ns, now_ns))
		return false; /* another lane was faster */
	(void)atomic_fetch_add(&patience->count, 1);
	return true;
}

void patience_answered(struct patience *patience, int64_t opened_ns)
{
	int64_t youngest_ns = atomic_load(&patience->youngest_ns);

	while (youngest_ns < opened_ns &&
	       !atomic_compare_exchange_weak(&patience->youngest_ns, &youngest_ns, opened_ns))
		continue;
	atomic_store(&patience->count, 0);
	atomic_store(&patience->left_ns, 0);
}
