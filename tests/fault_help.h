/*
 * fault_help.h - what tests of faults share: a request from name=value words, and its record.
 */
#ifndef TESTS_FAULT_HELP_H
#define TESTS_FAULT_HELP_H

#include <check.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "faults/fault.h"
#include "faults/record.h"

enum { FAULT_HELP_PARAMS = 16 };

/* One fault on one host, planned. Zero-initialise; fault_case_release. */
struct fault_case {
	struct arena arena;
	const struct fault_ops *fault;
	struct param_value values[FAULT_HELP_PARAMS];
	struct params params;
	struct inventory inventory;
	struct heal_record record;
	struct err e;
	struct text text;
};

static inline void fault_case_set(struct fault_case *c, struct param_value *value, const char *text)
{
	uint64_t bytes = 0;

	value->is_set = true;
	value->text = text;
	if (value->type == PARAM_BYTES) {
		ck_assert(units_parse_bytes(text, &bytes, &c->e));
		value->number = (int64_t)bytes;
	}
	if (value->type == PARAM_LIST || value->type == PARAM_HOSTS) {
		const char **items = arena_alloc(&c->arena, 16 * sizeof *items);
		const char *at = text;

		for (size_t length; *at != '\0' && value->item_count < 16; at += length) {
			at += *at == ',';
			length = strcspn(at, ",");
			items[value->item_count++] = arena_copy_bytes(&c->arena, at, length);
		}
		value->items = items;
	}
}

/* `with` is name, value, ..., NULL; a value of a list is separated by commas. */
static inline bool fault_case_plan(struct fault_case *c, const char *fault, const char *run_id,
				   const struct host *host, int64_t lease_ns,
				   const char *const *with)
{
	size_t count = 0;

	c->fault = fault_find(fault);
	ck_assert_msg(c->fault != NULL, "no fault %s", fault);
	for (const struct param *row = c->fault->params; row->name != NULL; row++) {
		struct param_value *value = &c->values[count++];

		*value = (struct param_value){ .name = row->name, .type = row->type };
		if (row->fallback != NULL)
			fault_case_set(c, value, row->fallback);
		for (size_t i = 0; with[i] != NULL; i += 2)
			if (strcmp(with[i], row->name) == 0)
				fault_case_set(c, value, with[i + 1]);
	}
	c->params = (struct params){ .values = c->values, .count = count };

	const struct fault_request request = {
		.run_id = run_id,
		.step = 1,
		.host = host,
		.inventory = &c->inventory,
		.with = &c->params,
		.lease_ns = lease_ns,
		.service = c->inventory.services,
	};

	return c->fault->plan_heal(&request, &c->arena, &c->record, &c->e);
}

/* Puts the records of this test below a folder of its own. */
static inline void fault_case_move(struct fault_case *c, const char *dir)
{
	struct pair *fields = arena_alloc(&c->arena, c->record.field_count * sizeof *fields);

	memcpy(fields, c->record.fields, c->record.field_count * sizeof *fields);
	for (size_t i = 0; i < c->record.field_count; i++)
		if (strcmp(fields[i].name, RECORD_DIR) == 0)
			fields[i].value = arena_copy(&c->arena, dir);
	c->record.fields = fields;
}

static inline void fault_case_release(struct fault_case *c)
{
	arena_release(&c->arena);
	text_release(&c->text);
}

#endif
