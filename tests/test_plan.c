/*
 * test_plan.c - the blast radius of a plan: whom it may never hit, and how many at most. Pure: no store,
 * no host. What a policy adds for the moment is test_permit.c's.
 */
#include "engine/engine.h"

#include <string.h>

#include "load/load.h"
#include "tests/suites.h"

static struct arena arena;
static struct secrets secrets;
static struct problems problems;

static const char inventory_text[] =
	"hosts:\n"
	"  db1: { address: 192.0.2.1, labels: { role: db } }\n"
	"  db2: { address: 192.0.2.2, labels: { role: db } }\n"
	"  db3: { address: 192.0.2.3, labels: { role: db } }\n"
	"  jump: { address: 192.0.2.7, protected: true }\n"
	"  spare: { address: 192.0.2.7 }\n"
	"  other: { address: 192.0.2.7, port: 2222 }\n"
	"  gate: { address: Gate.example, protected: true }\n"
	"  door: { address: gate.example }\n"
	"services:\n"
	"  db: { kind: postgres, conninfo: \"host=db1,db2,db3\", members: [db1, db2, db3], patroni: { port: 8008 } }\n";

static const char experiment_text[] =
	"title: A drill\n"
	"probes: { db: { kind: postgres.query, on: db, every: 1s, sql: select 1 } }\n";

struct row {
	const char *inventory; /* one line more of it */
	const char *limits;    /* of the experiment */
	const char *on[2];     /* whom its steps hit; NULL: no such step */
	const char *words;     /* of the refusal; NULL: it is a plan */
};

static const struct row rows[] = {
	{ "", "", { "{ labels: { role: db } }" }, NULL },
	{ "", "limits: { hosts: 2 }\n", { "{ labels: { role: db } }" },
	  "the plan hits 3 hosts; the experiment's `limits: hosts:` allows 2" },
	{ "", "limits: { hosts: 3 }\n", { "{ labels: { role: db } }" }, NULL },
	{ "limits: { hosts: 1 }\n", "limits: { hosts: 3 }\n", { "db1", "db2" },
	  "the plan hits 2 hosts; the inventory's `limits: hosts:` allows 1" },
	/* The same host twice is one host. */
	{ "limits: { hosts: 1 }\n", "", { "db1", "db1" }, NULL },
	{ "limits: { percent: 34% }\n", "", { "db1" }, NULL },
	{ "limits: { percent: 33% }\n", "", { "db1" },
	  "the plan hits 1 of the 3 members of `db`; the inventory's `limits: percent:` allows fewer" },
	{ "limits: { percent: 66% }\n", "", { "db1", "db2" }, "2 of the 3 members" },
	/* A protected machine stays so under its other name, and only there. */
	{ "", "", { "spare" }, "would hit `spare`, which is at the place of `jump`" },
	{ "", "", { "door" }, "would hit `door`, which is at the place of `gate`" },
	{ "", "", { "other" }, NULL },
};

static void setup(void)
{
	memset(&arena, 0, sizeof arena);
	memset(&secrets, 0, sizeof secrets);
	memset(&problems, 0, sizeof problems);
}

static void teardown(void)
{
	arena_release(&arena);
	secrets_release(&secrets);
}

static const char *method_of(const struct row *row)
{
	const char *method = "method:\n";

	for (size_t i = 0; i < 2; i++)
		if (row->on[i] != NULL)
			method = arena_format(&arena,
					      "%s  - { at: %zus, fault: process.pause, on: %s, with: { name: x } }\n",
					      method, i, row->on[i]);
	return method;
}

START_TEST(test_plan_build_keeps_the_blast_radius)
{
	const struct row *row = &rows[_i];
	const struct load_request request = {
		.experiment_path = "drill.yaml",
		.inventory_path = "inventory.yaml",
		.experiment_text = arena_format(&arena, "%s%s%s", experiment_text, row->limits,
						method_of(row)),
		.inventory_text = arena_format(&arena, "%s%s", inventory_text, row->inventory),
	};
	const struct experiment *experiment = NULL;
	struct plan plan;
	struct err e = { 0 };
	bool ok;

	ck_assert_msg(load_experiment(&request, &arena, &secrets, &experiment, &problems), "row %d: %s", _i,
		      problems.count > 0 ? problems.items[0].text : "?");
	ok = plan_build(experiment, "run-a", 7, &arena, &plan, &e);
	ck_assert_msg(ok == (row->words == NULL), "row %d: %s", _i, e.text);
	if (row->words == NULL)
		return;
	ck_assert_int_eq(e.kind, ERR_REFUSED);
	ck_assert_msg(strstr(e.text, row->words) != NULL, "row %d: %s", _i, e.text);
}
END_TEST

void suite_plan(Suite *suite)
{
	TCase *tcase = tcase_create("plan");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_plan_build_keeps_the_blast_radius, 0, sizeof rows / sizeof rows[0]);
	suite_add_tcase(suite, tcase);
}
