/*
 * test_permit.c - what is permitted: a table of policies, plans, moments and people. Pure: no store, no
 * host. Saturday 2026-11-21 10:00 UTC is "now" unless a row says otherwise.
 */
#include "engine/permit.h"

#include <stdio.h>
#include <string.h>

#include "load/load.h"
#include "tests/suites.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])
#define HOUR_NS (INT64_C(3600) * NS_PER_S)

static const int64_t saturday_ten_ns = INT64_C(1795255200) * NS_PER_S;

static struct arena arena;
static struct secrets secrets;
static struct problems problems;

static const char inventory_text[] =
	"hosts:\n"
	"  db1: { address: 192.0.2.1, labels: { role: db, zone: a } }\n"
	"  db2: { address: 192.0.2.2, labels: { role: db, zone: b } }\n"
	"  db3: { address: 192.0.2.3, labels: { role: db, zone: c } }\n"
	"  web1: { address: 192.0.2.4, labels: { role: web, zone: a } }\n"
	"  web2: { address: 192.0.2.5, labels: { role: web, zone: b } }\n"
	"  bare: { address: 192.0.2.6 }\n"
	"  jump: { address: 192.0.2.7, protected: true, labels: { zone: a } }\n"
	"services:\n"
	"  web: { kind: tcp, address: 192.0.2.4, port: 80, members: [web1, web2] }\n";

static const char experiment_text[] =
	"title: A drill\n"
	"probes: { web: { kind: tcp.connect, on: web, every: 1s } }\n";

static void setup(void)
{
	memset(&arena, 0, sizeof arena);
	memset(&secrets, 0, sizeof secrets);
}

static void teardown(void)
{
	arena_release(&arena);
	secrets_release(&secrets);
}

static const struct experiment *load(const char *policy, const char *method)
{
	const struct experiment *experiment = NULL;
	const struct load_request request = {
		.experiment_path = "drill.yaml",
		.inventory_path = "inventory.yaml",
		.experiment_text = arena_format(&arena, "%s%s", experiment_text, method),
		.inventory_text = arena_format(&arena, "%s%s", inventory_text, policy),
	};

	ck_assert_msg(load_experiment(&request, &arena, &secrets, &experiment, &problems), "%s:%u: %s",
		      problems.items[0].mark.file, (unsigned)problems.items[0].mark.line,
		      problems.items[0].text);
	return experiment;
}

static struct permit_question ask_about(const struct experiment *experiment)
{
	struct plan *plan = arena_alloc(&arena, sizeof *plan);
	struct permit_hit *hits = NULL;
	struct permit_question question = { .scope = PERMIT_NOW,
					    .inventory = experiment->inventory,
					    .wall_ns = saturday_ten_ns };
	struct err e = { 0 };

	ck_assert_msg(plan_build(experiment, "run", 7, &arena, plan, &e), "%s", e.text);
	permit_hits_of_plan(plan, &arena, &hits, &question.hit_count);
	question.hits = hits;
	return question;
}

#define PAUSE(at, host, more) \
	"  - { at: " at ", fault: process.pause, on: " host ", with: { name: x }" more " }\n"
#define METHOD "method:\n"

/* One case: `rule` is the only rule that refuses, with these words; PERMIT_NONE: nothing does. */
struct row {
	const char *policy;
	const char *method;
	int64_t after_ns;      /* since Saturday 10:00 UTC */
	enum permit_rule rule;
	const char *words;
};

static void try_row(const struct row *row)
{
	struct permit_question question = ask_about(load(row->policy, row->method));
	struct permit_answer answer;

	question.wall_ns += row->after_ns;
	permit_check(&question, &arena, &answer);
	ck_assert_msg(answer.is_permitted == (row->rule == PERMIT_NONE), "%s%s: %s", row->policy,
		      row->method, answer.refusal_count > 0 ? answer.refusals[0].text : "permitted");
	for (size_t i = 0; i < answer.refusal_count; i++)
		ck_assert_msg(answer.refusals[i].rule == row->rule, "%s%s: %s", row->policy, row->method,
			      answer.refusals[i].text);
	if (row->words != NULL && row->rule != PERMIT_NONE)
		ck_assert_msg(strstr(answer.refusals[0].text, row->words) != NULL, "%s: not `%s`",
			      answer.refusals[0].text, row->words);
	if (row->words != NULL && row->rule == PERMIT_NONE)
		ck_assert_msg(strstr(answer.grounds, row->words) != NULL, "%s: not `%s`",
			      answer.grounds, row->words);
}

static const struct row fault_rows[] = {
	{ "", METHOD PAUSE("0s", "db1", ""), 0, PERMIT_NONE, NULL },
	{ "policy: { allow: [{ faults: process.* }] }\n", METHOD PAUSE("0s", "db1", ""), 0, PERMIT_NONE,
	  NULL },
	{ "policy: { allow: [{ faults: [process.kill, disk.fill] }] }\n",
	  METHOD PAUSE("0s", "db1", ""), 0, PERMIT_FAULT,
	  "step 1: process.pause would hit `db1`, and the policy allows only process.kill, disk.fill on any "
	  "host" },
	{ "policy: { allow: [{ labels: { role: web }, faults: process.kill }] }\n",
	  METHOD PAUSE("0s", "db1", ""), 0, PERMIT_NONE, NULL },
	{ "policy: { allow: [{ labels: { role: db, zone: a }, faults: process.kill }] }\n",
	  METHOD PAUSE("0s", "db1", ""), 0, PERMIT_FAULT, "on hosts with role=db and zone=a" },
	{ "policy: { allow: [{ labels: { role: db, zone: a }, faults: process.kill }] }\n",
	  METHOD PAUSE("0s", "db2", ""), 0, PERMIT_NONE, NULL },
	/* Two rows speak of db1: both must allow it. */
	{ "policy: { allow: [{ labels: { role: db }, faults: process.* },"
	  " { labels: { zone: a }, faults: net.* }] }\n",
	  METHOD PAUSE("0s", "db1", ""), 0, PERMIT_FAULT, "allows only net.* on hosts with zone=a" },
};

START_TEST(test_permit_check_faults_by_label)
{
	try_row(&fault_rows[_i]);
}
END_TEST

static const struct row cap_rows[] = {
	{ "policy: { caps: [{ by: zone, hosts: 1 }] }\n",
	  METHOD PAUSE("0s", "db1", "") PAUSE("1s", "db2", ""), 0, PERMIT_NONE, NULL },
	{ "policy: { caps: [{ by: zone, hosts: 1 }] }\n",
	  METHOD PAUSE("0s", "db1", "") PAUSE("1s", "web1", ""), 0, PERMIT_CAP,
	  "2 hosts with zone=a would be harmed at one time (db1, web1), and the policy allows 1" },
	/* Healed before the next one begins: never at one time. */
	{ "policy: { caps: [{ by: zone, hosts: 1 }] }\n",
	  METHOD PAUSE("0s", "db1", ", for: 10s") PAUSE("10s", "web1", ", for: 10s"), 0, PERMIT_NONE, NULL },
	{ "policy: { caps: [{ by: zone, hosts: 1 }] }\n",
	  METHOD PAUSE("0s", "db1", ", for: 11s") PAUSE("10s", "web1", ", for: 10s"), 0, PERMIT_CAP,
	  "zone=a" },
	/* The same host twice is one host. */
	{ "policy: { caps: [{ by: zone, hosts: 1 }] }\n",
	  METHOD PAUSE("0s", "db1", "") PAUSE("1s", "db1", ""), 0, PERMIT_NONE, NULL },
	{ "policy: { caps: [{ by: role, percent: 33.3% }] }\n", METHOD PAUSE("0s", "db1", ""), 0,
	  PERMIT_CAP, "1 of the 3 hosts with role=db" },
	{ "policy: { caps: [{ by: role, percent: 33.4% }] }\n", METHOD PAUSE("0s", "db1", ""), 0,
	  PERMIT_NONE, NULL },
	{ "policy: { caps: [{ by: role, percent: 50% }] }\n",
	  METHOD PAUSE("0s", "{ hosts: [db1, db2] }", ""), 0, PERMIT_CAP,
	  "2 of the 3 hosts with role=db would be harmed at one time (db1, db2), and the policy allows 50 %" },
	{ "policy: { caps: [{ by: zone, groups: 1 }] }\n",
	  METHOD PAUSE("0s", "db1", "") PAUSE("1s", "web1", ""), 0, PERMIT_NONE, NULL },
	{ "policy: { caps: [{ by: zone, groups: 1 }] }\n",
	  METHOD PAUSE("0s", "db1", "") PAUSE("1s", "web2", ""), 0, PERMIT_CAP,
	  "hosts of 2 groups by zone would be harmed at one time (a, b), and the policy allows 1" },
	{ "policy: { caps: [{ by: zone, hosts: 1 }] }\n", METHOD PAUSE("0s", "bare", ""), 0,
	  PERMIT_EVALUATION, "the policy caps harm by the label `zone`, and `bare` has none" },
};

START_TEST(test_permit_check_caps_at_one_time)
{
	try_row(&cap_rows[_i]);
}
END_TEST

#define WINDOW(text) "policy: { zone: Europe/Berlin, windows: [" text "] }\n"
#define ONE METHOD PAUSE("0s", "db1", "")

static const struct row moment_rows[] = {
	{ WINDOW("{ days: mon-fri, from: 09:00, until: 16:00 }"), ONE, 0, PERMIT_WINDOW,
	  "no window of the policy is open (mon-fri 09:00 to 16:00 Europe/Berlin, where it is sat 11:00)" },
	{ WINDOW("{ days: mon-fri, from: 09:00, until: 16:00 }"), ONE, 48 * HOUR_NS, PERMIT_NONE,
	  "the window mon-fri 09:00 to 16:00 Europe/Berlin is open" },
	{ WINDOW("{ days: mon-fri, from: 09:00, until: 16:00 }"), ONE, 46 * HOUR_NS - 1, PERMIT_WINDOW,
	  NULL },
	{ WINDOW("{ days: mon-fri, from: 09:00, until: 16:00 }"), ONE, 46 * HOUR_NS, PERMIT_NONE, NULL },
	{ WINDOW("{ days: mon-fri, from: 09:00, until: 16:00 }"), ONE, 53 * HOUR_NS - 1, PERMIT_NONE,
	  NULL },
	{ WINDOW("{ days: mon-fri, from: 09:00, until: 16:00 }"), ONE, 53 * HOUR_NS, PERMIT_WINDOW,
	  NULL },
	{ WINDOW("{ days: [mon, sat], from: 11:00, until: 11:01 }"), ONE, 0, PERMIT_NONE, NULL },
	{ WINDOW("{ days: [sat], zone: UTC, from: 11:00 }"), ONE, 0, PERMIT_WINDOW, "sat 10:00" },
	{ WINDOW("{ days: [sun] }, { days: [sat] }"), ONE, 0, PERMIT_NONE, NULL },
	/* Over midnight: it belongs to the day on which it begins. Saturday 22:30 in Berlin, ... */
	{ WINDOW("{ days: sat, from: 22:00, until: 04:00 }"), ONE, 11 * HOUR_NS + HOUR_NS / 2,
	  PERMIT_NONE, NULL },
	/* ... Sunday 03:30, ... */
	{ WINDOW("{ days: sat, from: 22:00, until: 04:00 }"), ONE, 16 * HOUR_NS + HOUR_NS / 2,
	  PERMIT_NONE, NULL },
	/* ... Sunday 22:30, and Saturday 03:30. */
	{ WINDOW("{ days: sat, from: 22:00, until: 04:00 }"), ONE, 35 * HOUR_NS + HOUR_NS / 2,
	  PERMIT_WINDOW, NULL },
	{ WINDOW("{ days: sat, from: 22:00, until: 04:00 }"), ONE, -7 * HOUR_NS - HOUR_NS / 2,
	  PERMIT_WINDOW, NULL },
	/* Days may go over the end of the week. */
	{ WINDOW("{ days: fri-mon }"), ONE, 0, PERMIT_NONE, NULL },
	{ WINDOW("{ days: sun-fri }"), ONE, 0, PERMIT_WINDOW, NULL },
	{ "policy: { freeze: [{ from: 2026-11-21, reason: big sale }] }\n", ONE, 0, PERMIT_FREEZE,
	  "2026-11-21 lies in the frozen time 2026-11-21 UTC (big sale)" },
	{ "policy: { freeze: [{ from: 2026-11-21, reason: sale }] }\n", ONE, 14 * HOUR_NS, PERMIT_NONE,
	  NULL },
	{ "policy: { freeze: [{ from: 2026-11-21, reason: sale }] }\n", ONE, 14 * HOUR_NS - 1,
	  PERMIT_FREEZE, NULL },
	{ "policy: { freeze: [{ from: 2026-11-20, until: 2026-11-23, reason: sale }] }\n", ONE,
	  48 * HOUR_NS, PERMIT_FREEZE, NULL },
	/* 23:30 UTC is the next day in Berlin. */
	{ "policy: { zone: Europe/Berlin, freeze: [{ from: 2026-11-22, reason: x }] }\n", ONE,
	  13 * HOUR_NS + HOUR_NS / 2, PERMIT_FREEZE, NULL },
	{ "policy: { freeze: [{ zone: Europe/Berlin, from: 2026-11-22, reason: x }] }\n", ONE,
	  13 * HOUR_NS - 1, PERMIT_NONE, NULL },
	/* A zone that this machine cannot read, as in a document out of the store: closed. */
	{ "policy: { zone: Mars/Base, windows: [{ days: sat }] }\n", ONE, 0, PERMIT_EVALUATION,
	  "cannot be read on this machine" },
	{ "policy: { zone: Mars/Base, freeze: [{ from: 2030-01-01, reason: x }] }\n", ONE, 0,
	  PERMIT_EVALUATION, "cannot be read on this machine" },
};

START_TEST(test_permit_check_windows_and_frozen_days)
{
	try_row(&moment_rows[_i]);
}
END_TEST

/* In the night of the change the clock on the wall decides, not a count of hours. */
START_TEST(test_permit_check_window_across_the_change_to_summer_time)
{
	static const char policy[] = WINDOW("{ from: 04:00, until: 05:00 }");
	/* 2026-03-29: at 01:00 UTC the clock in Berlin goes from 02:00 to 03:00. */
	static const int64_t change_ns = INT64_C(1774746000) * NS_PER_S;
	struct permit_question question = ask_about(load(policy, ONE));
	struct permit_answer answer;

	question.wall_ns = change_ns + HOUR_NS - 1; /* 03:59:59 */
	permit_check(&question, &arena, &answer);
	ck_assert(!answer.is_permitted);
	question.wall_ns = change_ns + HOUR_NS; /* 04:00; without the change it would be 03:00 */
	permit_check(&question, &arena, &answer);
	ck_assert(answer.is_permitted);
}
END_TEST

START_TEST(test_permit_check_environment_must_be_typed_back)
{
	struct permit_question question = ask_about(load("policy: { environment: production }\n", ONE));
	struct permit_answer answer;

	permit_check(&question, &arena, &answer);
	ck_assert(!answer.is_permitted);
	ck_assert_int_eq(answer.refusals[0].rule, PERMIT_ENVIRONMENT);
	ck_assert_ptr_nonnull(strstr(answer.refusals[0].text, "give --confirm production"));
	question.claim.environment = "staging";
	permit_check(&question, &arena, &answer);
	ck_assert(!answer.is_permitted);
	ck_assert_ptr_nonnull(strstr(answer.refusals[0].text, "--confirm says `staging`"));
	question.claim.override_reason = "please";
	permit_check(&question, &arena, &answer);
	ck_assert(!answer.is_permitted);
	question.claim.environment = "production";
	permit_check(&question, &arena, &answer);
	ck_assert(answer.is_permitted);
	ck_assert_str_eq(answer.grounds, "`production` was typed back");
}
END_TEST

struct approval_case {
	const char *people[4]; /* an upper-case X behind a name: it has expired */
	const char *runner;
	int64_t wanted;
	const char *words; /* NULL: permitted */
};

static const struct approval_case approval_cases[] = {
	{ { NULL }, "carl", 1, "1 different person must have approved exactly this plan, and nobody has" },
	{ { "anna" }, "carl", 1, NULL },
	{ { "anna" }, "carl", 2, "2 different people must have approved exactly this plan, and anna (until" },
	{ { "anna", "anna" }, "carl", 2, "2 different people" },
	{ { "anna", "ANNA" }, "carl", 2, "2 different people" },
	{ { "anna", "ben" }, "carl", 2, NULL },
	{ { "anna", "benX" }, "carl", 2, "(an older approval has expired)" },
	{ { "annaX", "anna", "ben" }, "carl", 2, NULL },
	{ { "carl" }, "carl", 1, "only carl, who runs it, has approved this plan; another person must" },
	{ { "Carl" }, "carl", 1, "another person must" },
	{ { "carl", "ben" }, "carl", 2, NULL },
	{ { "anna", "ben" }, "anna", 2, NULL },
	{ { "anna" }, NULL, 1, NULL },
};

START_TEST(test_permit_check_approvals_of_different_people)
{
	const struct approval_case *row = &approval_cases[_i];
	const char *policy = arena_format(&arena, "policy: { approvals: %d }\n", (int)row->wanted);
	struct permit_question question = ask_about(load(policy, ONE));
	struct approval_row approvals[COUNT_OF(row->people)];
	struct permit_answer answer;

	for (size_t i = 0; i < COUNT_OF(row->people) && row->people[i] != NULL; i++) {
		const size_t length = strlen(row->people[i]);
		const bool is_expired = row->people[i][length - 1] == 'X';

		approvals[i] = (struct approval_row){
			.person = arena_copy_bytes(&arena, row->people[i], length - is_expired),
			.wall_ns = saturday_ten_ns - HOUR_NS,
			.until_wall_ns = saturday_ten_ns + (is_expired ? 0 : 1),
		};
		question.approval_count++;
	}
	question.approvals = approvals;
	question.claim.by = row->runner;
	question.claim.override_reason = "an override never helps here";
	permit_check(&question, &arena, &answer);
	ck_assert_msg(answer.is_permitted == (row->words == NULL), "case %d: %s", _i,
		      answer.refusal_count > 0 ? answer.refusals[0].text : answer.grounds);
	if (row->words != NULL) {
		ck_assert_int_eq(answer.refusals[0].rule, PERMIT_APPROVAL);
		ck_assert_msg(strstr(answer.refusals[0].text, row->words) != NULL, "case %d: %s", _i,
			      answer.refusals[0].text);
	}
}
END_TEST

START_TEST(test_permit_check_override_sets_aside_what_it_may_and_nothing_else)
{
	struct permit_question question = ask_about(
		load("policy:\n"
		     "  windows: [{ days: mon }]\n"
		     "  freeze: [{ from: 2026-11-21, reason: sale }]\n"
		     "  allow: [{ faults: disk.fill }]\n"
		     "  caps: [{ by: role, percent: 1% }]\n",
		     ONE));
	const struct stop_row stop = { .person = "anna", .reason = "fire", .wall_ns = saturday_ten_ns };
	struct permit_answer answer;

	permit_check(&question, &arena, &answer);
	ck_assert(!answer.is_permitted);
	ck_assert_uint_eq(answer.refusal_count, 4);
	question.claim.override_reason = "the sale was called off";
	permit_check(&question, &arena, &answer);
	ck_assert(answer.is_permitted);
	ck_assert_uint_eq(answer.refusal_count, 4); /* they are still told */
	for (size_t i = 0; i < answer.refusal_count; i++)
		ck_assert(answer.refusals[i].is_overridden);
	question.stop = &stop;
	permit_check(&question, &arena, &answer);
	ck_assert(!answer.is_permitted);
	ck_assert_int_eq(answer.refusals[0].rule, PERMIT_STOP);
	ck_assert_ptr_nonnull(strstr(answer.refusals[0].text,
				     "by anna holds since 2026-11-21T10:00Z (fire)"));
	question.stop = NULL;
	question.trouble = "the disk is gone";
	permit_check(&question, &arena, &answer);
	ck_assert(!answer.is_permitted);
	ck_assert_int_eq(answer.refusals[0].rule, PERMIT_EVALUATION);
}
END_TEST

START_TEST(test_permit_check_protected_host_is_refused_with_any_override)
{
	const struct experiment *experiment = load("", ONE);
	struct permit_question question = ask_about(experiment);
	const struct permit_hit hit = { .host = inventory_host(experiment->inventory, "jump"),
					.fault = "process.pause", .step = 1, .until_ns = 1,
					.is_certain = true };
	struct permit_answer answer;

	question.hits = &hit;
	question.hit_count = 1;
	question.claim.override_reason = "I know better";
	permit_check(&question, &arena, &answer);
	ck_assert(!answer.is_permitted);
	ck_assert_int_eq(answer.refusals[0].rule, PERMIT_PROTECTED);
}
END_TEST

START_TEST(test_permit_check_counts_what_other_runs_hold)
{
	const struct experiment *experiment = load("policy: { caps: [{ by: zone, hosts: 1 }] }\n", ONE);
	struct permit_question question = ask_about(experiment);
	struct permit_hit hits[2] = { question.hits[0] };
	struct permit_answer answer;

	hits[1] = (struct permit_hit){ .host = inventory_host(experiment->inventory, "web1"),
				       .from_ns = INT64_MIN, .until_ns = INT64_MAX,
				       .is_certain = true, .held_by = "run-b" };
	question.hits = hits;
	question.hit_count = 2;
	permit_check(&question, &arena, &answer);
	ck_assert(!answer.is_permitted);
	ck_assert_ptr_nonnull(strstr(answer.refusals[0].text, "(db1, web1 (held by run run-b))"));
	hits[1].host = inventory_host(experiment->inventory, "web2");
	permit_check(&question, &arena, &answer);
	ck_assert(answer.is_permitted);
}
END_TEST

/* `check` on a Sunday says the same as on a Monday. */
START_TEST(test_permit_check_standing_rules_do_not_ask_for_the_moment)
{
	struct permit_question question = ask_about(
		load("policy: { environment: prod, approvals: 2, windows: [{ days: mon }] }\n", ONE));
	struct permit_answer answer;

	question.scope = PERMIT_STANDING;
	permit_check(&question, &arena, &answer);
	ck_assert(answer.is_permitted);
	question.scope = PERMIT_NOW;
	permit_check(&question, &arena, &answer);
	ck_assert_uint_eq(answer.refusal_count, 3);
}
END_TEST

static const char *digest_of(const char *policy, const char *method, const struct pair *var,
			     const char *reason)
{
	struct experiment experiment = *load(policy, method);
	char *digest = arena_alloc(&arena, HASH_TEXT_BYTES);

	if (var != NULL) {
		experiment.vars = var;
		experiment.var_count = 1;
	}
	permit_digest(&experiment, reason, digest);
	return digest;
}

START_TEST(test_permit_digest_changes_with_everything_that_was_approved)
{
	const struct pair a = { "pace", "10ms" };
	const struct pair b = { "pac", "e10ms" };
	const char *const base = digest_of("", ONE, NULL, NULL);
	const char *const others[] = {
		digest_of("", METHOD PAUSE("1s", "db1", ""), NULL, NULL),
		digest_of("# a word more\n", ONE, NULL, NULL),
		digest_of("", ONE, &a, NULL),
		digest_of("", ONE, &b, NULL),
		digest_of("", ONE, NULL, "because"),
		digest_of("", ONE, NULL, ""),
	};

	ck_assert_str_eq(base, digest_of("", ONE, NULL, NULL));
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		ck_assert_str_ne(base, others[i]);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(others[i], others[j]);
	}
}
END_TEST

void suite_permit(Suite *suite)
{
	TCase *tcase = tcase_create("permit");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_permit_check_faults_by_label, 0, COUNT_OF(fault_rows));
	tcase_add_loop_test(tcase, test_permit_check_caps_at_one_time, 0, COUNT_OF(cap_rows));
	tcase_add_loop_test(tcase, test_permit_check_windows_and_frozen_days, 0,
			    COUNT_OF(moment_rows));
	tcase_add_test(tcase, test_permit_check_window_across_the_change_to_summer_time);
	tcase_add_test(tcase, test_permit_check_environment_must_be_typed_back);
	tcase_add_loop_test(tcase, test_permit_check_approvals_of_different_people, 0,
			    COUNT_OF(approval_cases));
	tcase_add_test(tcase, test_permit_check_override_sets_aside_what_it_may_and_nothing_else);
	tcase_add_test(tcase, test_permit_check_protected_host_is_refused_with_any_override);
	tcase_add_test(tcase, test_permit_check_counts_what_other_runs_hold);
	tcase_add_test(tcase, test_permit_check_standing_rules_do_not_ask_for_the_moment);
	tcase_add_test(tcase, test_permit_digest_changes_with_everything_that_was_approved);
	suite_add_tcase(suite, tcase);
}
