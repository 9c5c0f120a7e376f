/*
 * test_faults_power.c - node.power with a power switch that is a file, and postgres.switchover with
 * a Patroni that is a script.
 */
#include "tests/suites.h"

#include "fixtures/fake_remote.h"
#include "fixtures/temp_dir.h"
#include "remote/ways.h"
#include "tests/fault_help.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct host here = { .name = "here", .is_local = true };
static const struct host db1 = { .name = "db1", .address = "198.18.77.11", .port = 22 };

static struct {
	struct clock clock;
	struct remote *owned_remote;
	struct fault_context ctx;
	struct fault_case c;
	char dir[64];
	char state[80]; /* the switch: a file that says on or off */
} at;

static void write_state(const char *state)
{
	FILE *file = fopen(at.state, "w");

	ck_assert_ptr_nonnull(file);
	fprintf(file, "%s\n", state);
	ck_assert_int_eq(fclose(file), 0);
}

static bool state_is(const char *state)
{
	char line[32] = "";
	FILE *file = fopen(at.state, "r");

	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
	fclose(file);
	return strncmp(line, state, strlen(state)) == 0;
}

static void setup_power(void)
{
	struct err e = { 0 };
	static const char *const nothing[] = { NULL };

	memset(&at, 0, sizeof at);
	at.clock = clock_system();
	ck_assert(local_open(&here, &at.clock, &at.owned_remote, &e));
	at.ctx = (struct fault_context){ .harness = at.owned_remote, .clock = &at.clock };
	temp_dir_name(at.dir, sizeof at.dir);
	snprintf(at.state, sizeof at.state, "%s.state", at.dir);
	write_state("on");

	/* As some hypervisors do, `on` fails for a host that is on already. */
	const char *const on[] = { "sh", "-c", "grep -q off \"$0\" && echo on >\"$0\"", at.state };
	const char *const off[] = { "sh", "-c", "echo off >\"$0\"", at.state };
	const char *const status[] = { "cat", at.state };

	at.c.inventory.power = (struct power){
		.on = on, .on_count = 4, .off = off, .off_count = 4,
		.status = status, .status_count = 2,
	};
	ck_assert_msg(fault_case_plan(&at.c, "node.power", "run-1", &db1, NS_PER_S, nothing), "%s",
		      at.c.e.text);
	fault_case_move(&at.c, at.dir);
}

static void teardown_power(void)
{
	struct err e = { 0 };

	(void)at.c.fault->heal(&at.c.record, &at.ctx, &e); /* a failed test says why itself */
	remote_close(at.owned_remote);
	fault_case_release(&at.c);
	(void)unlink(at.state);
	(void)rmdir(at.dir);
}

/* The same switch, but `on` is reached by a relative path. */
static void relative_switch(void)
{
	struct pair *fields = arena_alloc(&at.c.arena, at.c.record.field_count * sizeof *fields);

	memcpy(fields, at.c.record.fields, at.c.record.field_count * sizeof *fields);
	for (size_t i = 0; i < at.c.record.field_count; i++)
		if (strcmp(fields[i].name, "on.0") == 0)
			fields[i].value = "./switch";
	at.c.record.fields = fields;
}

static void must(bool is_done)
{
	ck_assert_msg(is_done, "%s", at.c.e.text);
}

static const char *read_state(void)
{
	text_clear(&at.c.text);
	must(at.c.fault->read_back(&at.c.record, &at.ctx, &at.c.text, &at.c.e));
	return text_str(&at.c.text);
}

START_TEST(test_power_walk_ends_as_it_began)
{
	ck_assert_str_eq(read_state(), "power: on; record: absent");
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	text_clear(&at.c.text);
	ck_assert_int_eq(at.c.fault->confirm(&at.c.record, &at.ctx, &at.c.text), CONFIRM_MISMATCH);
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	text_clear(&at.c.text);
	ck_assert_int_eq(at.c.fault->confirm(&at.c.record, &at.ctx, &at.c.text), CONFIRMED);
	ck_assert_str_eq(text_str(&at.c.text), "db1 is off");
	must(at.c.fault->renew(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_str_eq(read_state(), "power: on; record: absent");
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
}
END_TEST

START_TEST(test_power_guard_switches_on_when_we_are_gone)
{
	const int64_t deadline_ns = clock_now_ns(&at.clock) + 10 * NS_PER_S;

	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert(state_is("off"));
	while (!state_is("on") && clock_now_ns(&at.clock) < deadline_ns)
		clock_sleep_until_ns(&at.clock, clock_now_ns(&at.clock) + 50 * NS_PER_MS);
	ck_assert(state_is("on"));
}
END_TEST

/* The guard stands in /, and the shipped inventory names the lab's switch by a relative path. */
START_TEST(test_power_heal_runs_commands_where_it_was_armed)
{
	ck_assert_int_eq(chdir(at.dir), 0);
	ck_assert_int_eq(symlink("/bin/sh", "switch"), 0);
	relative_switch();
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert(state_is("off"));
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	ck_assert(state_is("on"));

	char path[128];

	snprintf(path, sizeof path, "%s/switch", at.dir);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(test_power_inject_host_that_is_off_is_refused)
{
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	write_state("off");
	ck_assert(!at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(at.c.e.kind, ERR_REFUSED);
}
END_TEST

START_TEST(test_power_status_that_says_something_else_is_unknown)
{
	write_state("perhaps");
	ck_assert_int_eq(at.c.fault->confirm(&at.c.record, &at.ctx, &at.c.text), CONFIRM_UNKNOWN);
	ck_assert_ptr_nonnull(strstr(text_str(&at.c.text), "neither on nor off"));
	write_state("on");
}
END_TEST

/* ---- postgres.switchover ---- */

#define MEMBERS(leader1, leader2)                                                                 \
	"{\"members\": [{\"name\": \"db1\", \"role\": \"" leader1 "\", \"state\": \"running\"},"  \
	"{\"name\": \"db2\", \"role\": \"" leader2 "\", \"state\": \"streaming\"}]}\n200"

static const struct service orders = { .name = "orders-db", .patroni_port = 8008 };

static struct fake_script *owned_script;

static void setup_switchover(void)
{
	static const char *const with[] = { "candidate", "db2", NULL };
	struct err e = { 0 };

	memset(&at, 0, sizeof at);
	at.clock = clock_system();
	owned_script = fake_script_open();

	const struct remote_opener opener = fake_script_opener(owned_script);

	ck_assert(opener.open(opener.ctx, &db1, &at.clock, NS_PER_S, &at.owned_remote, &e));
	at.ctx = (struct fault_context){ .target = at.owned_remote, .clock = &at.clock };
	at.c.inventory.services = &orders;
	ck_assert(fault_case_plan(&at.c, "postgres.switchover", "run-1", &db1, NS_PER_S, with));
	ck_assert_str_eq(record_text(&at.c.record, "url"), "http://198.18.77.11:8008");
}

static void teardown_switchover(void)
{
	remote_close(at.owned_remote);
	fake_script_close(owned_script);
	fault_case_release(&at.c);
}

static void answer(const char *part, const char *out)
{
	const struct fake_rule rule = { .command = part, .out = out };

	fake_script_add(owned_script, &rule);
}

START_TEST(test_switchover_moves_the_lead_and_sees_it)
{
	answer("/cluster", MEMBERS("leader", "replica"));
	answer("/switchover", "Successfully switched over to \"db2\"\n200");
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_uint_eq(fake_script_count(owned_script, "db1",
					    "{\"leader\":\"db1\",\"candidate\":\"db2\"}"), 1);
	answer("/cluster", MEMBERS("replica", "leader"));
	answer("former leader", "db1\n");
	ck_assert_int_eq(at.c.fault->confirm(&at.c.record, &at.ctx, &at.c.text), CONFIRMED);
	ck_assert_str_eq(text_str(&at.c.text), "the leader was db1 and is db2");
	ck_assert_str_eq(read_state(), "leader: 1, healthy followers: 1, members: 2");
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
}
END_TEST

START_TEST(test_switchover_confirm_same_leader_is_a_mismatch)
{
	answer("/cluster", MEMBERS("leader", "replica"));
	answer("former leader", "db1\n");
	ck_assert_int_eq(at.c.fault->confirm(&at.c.record, &at.ctx, &at.c.text), CONFIRM_MISMATCH);
}
END_TEST

START_TEST(test_switchover_inject_answers_are_understood)
{
	static const struct {
		const char *cluster;
		const char *answer;
		enum err_kind kind;
		const char *sentence;
	} rows[] = {
		{ MEMBERS("replica", "replica"), NULL, ERR_REFUSED, "0 leaders" },
		{ MEMBERS("leader", "leader"), NULL, ERR_REFUSED, "2 leaders" },
		{ MEMBERS("replica", "leader"), NULL, ERR_REFUSED, "db2 leads already" },
		{ "no json\n200", NULL, ERR_NONE, "" },
		{ "{}\n200", NULL, ERR_REMOTE, "lists no members" },
		{ "gone\n503", NULL, ERR_REMOTE, "answered gone" },
		{ MEMBERS("leader", "replica"), "Switchover failed\n503", ERR_REMOTE, "Switchover failed" },
	};

	answer("/cluster", rows[_i].cluster);
	if (rows[_i].answer != NULL)
		answer("/switchover", rows[_i].answer);
	ck_assert(!at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert(rows[_i].kind == ERR_NONE || at.c.e.kind == rows[_i].kind);
	ck_assert_msg(strstr(at.c.e.text, rows[_i].sentence) != NULL, "%s", at.c.e.text);
	if (rows[_i].answer == NULL)
		ck_assert_uint_eq(fake_script_count(owned_script, NULL, "/switchover"), 0);
}
END_TEST

void suite_faults_power(Suite *suite)
{
	TCase *power = tcase_create("node.power");
	TCase *switchover = tcase_create("postgres.switchover");

	tcase_add_checked_fixture(power, setup_power, teardown_power);
	tcase_set_timeout(power, 40);
	tcase_add_test(power, test_power_walk_ends_as_it_began);
	tcase_add_test(power, test_power_guard_switches_on_when_we_are_gone);
	tcase_add_test(power, test_power_heal_runs_commands_where_it_was_armed);
	tcase_add_test(power, test_power_inject_host_that_is_off_is_refused);
	tcase_add_test(power, test_power_status_that_says_something_else_is_unknown);
	suite_add_tcase(suite, power);

	tcase_add_checked_fixture(switchover, setup_switchover, teardown_switchover);
	tcase_add_test(switchover, test_switchover_moves_the_lead_and_sees_it);
	tcase_add_test(switchover, test_switchover_confirm_same_leader_is_a_mismatch);
	tcase_add_loop_test(switchover, test_switchover_inject_answers_are_understood, 0, 7);
	suite_add_tcase(suite, switchover);
}
