/*
 * fuzz_answers.c - whatever a host prints and however its commands end, to every fault and to the look at
 * its clock. Each step of a fault comes to an end with yes, or no and a sentence; a confirmation has
 * evidence; a clock's distance is a span.
 */
#include "tests/fuzz.h"
#include "base/units.h"
#include "engine/host_clock.h"
#include "faults/fault.h"
#include "fixtures/fake_remote.h"
#include "fixtures/fuzz_input.h"
#include "fixtures/sim_clock.h"

#include <assert.h>
#include <string.h>

enum { PARAMS_MAX = 16 };

static const struct host host = { .name = "db1", .address = "198.18.77.11", .port = 22, .user = "root" };
static const struct host *const members[] = { &host };
static const char *const commands[] = { "power", "{host}" };
static const struct service service = {
	.name = "orders-db", .kind = "postgres", .members = members, .member_count = 1, .patroni_port = 8008
};
static const struct inventory inventory = {
	.hosts = &host, .host_count = 1, .services = &service, .service_count = 1,
	.power = { commands, commands, commands, 2, 2, 2 },
};

/* What the faults ask for; the others take their defaults. */
static const struct pair given[] = {
	{ "name", "postgres" }, { "path", "/var/lib/data" }, { "unit", "patroni" }, { "peers", "198.18.77.12" },
};

static void read_param(const struct param *row, struct arena *arena, struct param_value *ret_value)
{
	const char *text = row->fallback;
	uint64_t bytes = 0;

	for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
		if (strcmp(given[i].name, row->name) == 0)
			text = given[i].value;
	*ret_value = (struct param_value){ .name = row->name, .type = row->type, .is_set = text != NULL,
					   .text = text };
	if (text == NULL)
		return;
	if (row->type == PARAM_BYTES && units_parse_bytes(text, &bytes, NULL))
		ret_value->number = (int64_t)bytes;
	if (row->type == PARAM_LIST || row->type == PARAM_HOSTS) {
		const char **items = arena_alloc(arena, sizeof *items);

		items[0] = text;
		ret_value->items = items;
		ret_value->item_count = 1;
	}
}

static bool plan(const struct fault_ops *fault, struct arena *arena, struct heal_record *ret_record)
{
	struct param_value values[PARAMS_MAX];
	struct params params = { .values = values };
	struct err e = { 0 };

	for (const struct param *row = fault->params; row->name != NULL; row++) {
		assert(params.count < PARAMS_MAX);
		read_param(row, arena, &values[params.count++]);
	}

	const struct fault_request request = { .run_id = "20261121-102030-k3f9",
					       .step = 1,
					       .host = &host,
					       .service = &service,
					       .inventory = &inventory,
					       .with = &params,
					       .lease_ns = 30 * NS_PER_S };

	return fault->plan_heal(&request, arena, ret_record, &e);
}

static void check_end(bool is_done, struct err *e)
{
	assert(is_done || (e->kind != ERR_NONE && e->text[0] != '\0'));
	err_clear(e);
}

static void walk(const struct fault_ops *fault, struct fault_context *ctx)
{
	struct arena arena = { 0 };
	struct heal_record record;
	struct text state = { 0 };
	struct text evidence = { 0 };
	struct err e = { 0 };

	assert(plan(fault, &arena, &record));
	check_end(fault->read_back(&record, ctx, &state, &e), &e);
	check_end(fault->arm(&record, ctx, &e), &e);
	check_end(fault->inject(&record, ctx, &e), &e);

	const enum confirmation seen = fault->confirm(&record, ctx, &evidence);

	assert(seen == CONFIRMED || seen == CONFIRM_MISMATCH || seen == CONFIRM_UNKNOWN);
	check_end(fault->renew(&record, ctx, &e), &e);
	check_end(fault->heal(&record, ctx, &e), &e);
	text_release(&state);
	text_release(&evidence);
	arena_release(&arena);
}

static void read_clock(struct remote *remote)
{
	struct host_clock read = { 0 };
	struct err e = { 0 };

	if (host_clock_measure(remote, &read, &e))
		assert(read.offset.low_ns <= read.offset.high_ns && read.round_count > 0);
	else
		check_end(false, &e);
}

/* The first byte: how a command ends. Half of the rest it prints, the other half it complains. */
static struct fake_rule rule_of(struct fuzz_input *input, struct arena *arena)
{
	static const int statuses[] = { 0, 0, 0, 1, 10, 11, 75, 127 };
	struct fake_rule rule = { .exit_status = statuses[fuzz_take_below(input, 8)] };
	const char *said = fuzz_take_text(input, arena);
	const size_t half = strlen(said) / 2;

	rule.out = rule.exit_status == 0 ? said : arena_copy_bytes(arena, said, half);
	rule.err = said + half;
	return rule;
}

void fuzz_answers(const uint8_t *bytes, size_t length_bytes)
{
	struct fuzz_input input = { bytes, length_bytes };
	struct arena arena = { 0 };
	const struct fake_rule rule = rule_of(&input, &arena);
	struct sim_clock *sim = sim_clock_open();
	const struct clock clock = sim_clock_as_clock(sim);
	struct fake_script *script = fake_script_open();
	struct remote_opener opener = fake_script_opener(script);
	struct fault_context ctx = { .clock = &clock };
	struct err e = { 0 };
	size_t fault_count;
	const struct fault_ops *const *faults = fault_table(&fault_count);

	fake_script_add(script, &rule);
	assert(opener.open(opener.ctx, &host, &clock, NS_PER_S, &ctx.target, &e));
	assert(opener.open(opener.ctx, &host, &clock, NS_PER_S, &ctx.harness, &e));
	for (size_t i = 0; i < fault_count; i++)
		walk(faults[i], &ctx);
	read_clock(ctx.target);
	remote_close(ctx.target);
	remote_close(ctx.harness);
	fake_script_close(script);
	sim_clock_close(sim);
	arena_release(&arena);
}
