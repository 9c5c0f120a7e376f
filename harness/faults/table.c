/*
 * table.c - every fault, one row each. Adding a fault is its own file and one row here; the loader,
 * `firedrill faults` and the schema read the rows.
 */
#include "faults/fault.h"

#include <string.h>

#define FAULT_ROWS(X)          \
	X(process_kill)        \
	X(process_pause)       \
	X(service_stop)        \
	X(net_partition)       \
	X(disk_fill)           \
	X(disk_freeze)         \
	X(postgres_switchover) \
	X(node_power)

#define X(id) extern const struct fault_ops fault_##id;
FAULT_ROWS(X)
#undef X

static const struct fault_ops *const fault_rows[] = {
#define X(id) &fault_##id,
	FAULT_ROWS(X)
#undef X
};

enum { FAULT_COUNT = sizeof fault_rows / sizeof fault_rows[0] };

const struct fault_ops *fault_find(const char *name)
{
	for (size_t i = 0; i < FAULT_COUNT; i++)
		if (strcmp(fault_rows[i]->name, name) == 0)
			return fault_rows[i];
	return NULL;
}

const struct fault_ops *const *fault_table(size_t *ret_count)
{
	*ret_count = FAULT_COUNT;
	return fault_rows;
}
