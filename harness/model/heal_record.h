/*
 * heal_record.h - how to undo one fault on one target: data, not code pointers.
 *
 * Written by the fault's plan_heal before any connection, made durable before the inject, and
 * enough for another process, later, on a machine with the same keys. Holds no secret.
 */
#ifndef MODEL_HEAL_RECORD_H
#define MODEL_HEAL_RECORD_H

#include "base/err.h"
#include "base/mem.h"
#include "model/inventory.h"

struct heal_record {
	const char *run_id;
	uint32_t step;           /* of the method, from 1 */
	const char *fault;       /* a row of harness/faults/table.c */
	const struct host *host; /* a copy of the inventory's row (and of its via) */
	int64_t lease_ns;
	/* What the fault itself wrote down, in its own words: paths, names, argv. */
	const struct pair *fields;
	size_t field_count;
};

const char *heal_record_field(const struct heal_record *record, const char *name); /* or NULL */

/* One JSON object and back. Reading copies everything into the arena. */
void heal_record_print(const struct heal_record *record, struct text *text);
bool heal_record_parse(const char *json, struct arena *arena, struct heal_record *ret_record,
		       struct err *e);

#endif
