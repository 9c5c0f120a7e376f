/*
 * test_load.c - documents into the model: values, defaults, variables, secrets, selectors.
 */
#include "base/clock.h"
#include "fixtures/temp_dir.h"
#include "load/load.h"
#include "tests/suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct arena arena;
static struct secrets secrets;
static struct problems problems;
static const struct experiment *experiment;

static const char inventory_text[] =
	"hosts:\n"
	"  db1: { address: 192.0.2.1, key: ${file:/keys/id}, labels: { role: db, zone: a } }\n"
	"  db2: { address: 192.0.2.2, port: 2222, user: ops, sudo: true, via: jump, labels: { role: db } }\n"
	"  jump: { address: jump.example, protected: true, host_key: ssh-ed25519 AAAA }\n"
	"  here: { local: true }\n"
	"services:\n"
	"  orders: { kind: tcp, address: 192.0.2.1, port: 5432, members: [db1, db2], tier: 1 }\n"
	"  shop: { kind: http, url: http://192.0.2.1/ }\n"
	"  users: { kind: postgres, conninfo: host=192.0.2.1, members: db1, patroni: { } }\n"
	"power:\n"
	"  on: [switch, '{host}', on]\n"
	"  off: [switch, '{address}', off]\n"
	"  status: [switch, '{host}']\n"
	"limits: { hosts: 3, percent: 50% }\n";

static void setup(void)
{
	memset(&arena, 0, sizeof arena);
	memset(&secrets, 0, sizeof secrets);
	experiment = NULL;
}

static void teardown(void)
{
	arena_release(&arena);
	secrets_release(&secrets);
}

static const char *all_problems(void)
{
	struct text text = { 0 };
	const char *all;

	for (size_t i = 0; i < problems.count; i++) {
		problem_print(&problems.items[i], &text);
		text_add(&text, "\n");
	}
	all = arena_copy(&arena, text_str(&text));
	text_release(&text);
	return all;
}

static bool load_request_of(struct load_request request)
{
	if (request.experiment_path == NULL)
		request.experiment_path = "drill.yaml";
	if (request.inventory_path == NULL)
		request.inventory_path = "inventory.yaml";
	if (request.inventory_text == NULL)
		request.inventory_text = inventory_text;
	return load_experiment(&request, &arena, &secrets, &experiment, &problems);
}

static bool load_text(const char *text)
{
	return load_request_of((struct load_request){ .experiment_text = text,
						      .has_secrets = true });
}

static void must_load(const char *text)
{
	const bool is_loaded = load_text(text);

	ck_assert_msg(is_loaded, "%s", all_problems());
}

#define HEAD "title: t\nprobes:\n  p: { kind: tcp.connect, on: orders, every: 100ms }\n"

START_TEST(test_load_inventory_fills_hosts_services_power_and_limits)
{
	must_load(HEAD);

	const struct inventory *inventory = experiment->inventory;
	const struct host *db1 = inventory_host(inventory, "db1");
	const struct host *db2 = inventory_host(inventory, "db2");
	const struct service *orders = inventory_service(inventory, "orders");

	ck_assert_uint_eq(inventory->host_count, 4);
	ck_assert_str_eq(db1->key_path, "/keys/id");
	ck_assert_str_eq(db1->user, "root");
	ck_assert_uint_eq(db1->port, 22);
	ck_assert_str_eq(host_label(db1, "zone"), "a");
	ck_assert_uint_eq(db2->port, 2222);
	ck_assert_str_eq(db2->user, "ops");
	ck_assert(db2->is_sudo && !db1->is_sudo);
	ck_assert_ptr_eq(db2->via, inventory_host(inventory, "jump"));
	ck_assert(db2->via->is_protected);
	ck_assert_str_eq(db2->via->host_key, "ssh-ed25519 AAAA");
	ck_assert(inventory_host(inventory, "here")->is_local);
	ck_assert_str_eq(orders->kind, "tcp");
	ck_assert_uint_eq(orders->port, 5432);
	ck_assert_uint_eq(orders->member_count, 2);
	ck_assert_ptr_eq(orders->members[1], db2);
	ck_assert_int_eq(orders->tier, 1);
	ck_assert_uint_eq(orders->patroni_port, 0);
	ck_assert_uint_eq(inventory_service(inventory, "users")->patroni_port, 8008);
	ck_assert_str_eq(inventory_service(inventory, "shop")->url, "http://192.0.2.1/");
	ck_assert_uint_eq(inventory->power.off_count, 3);
	ck_assert_str_eq(inventory->power.off[1], "{address}");
	ck_assert_int_eq(inventory->max_hosts, 3);
	ck_assert_int_eq(inventory->max_percent_ppm, 500000);
}
END_TEST

START_TEST(test_load_experiment_without_times_takes_the_defaults)
{
	must_load(HEAD);

	ck_assert_int_eq(experiment->steady_good_for_ns, 5 * NS_PER_S);
	ck_assert_int_eq(experiment->steady_within_ns, 60 * NS_PER_S);
	ck_assert_int_eq(experiment->baseline_ns, 10 * NS_PER_S);
	ck_assert_int_eq(experiment->stable_for_ns, 5 * NS_PER_S);
	ck_assert_int_eq(experiment->observe_at_most_ns, 300 * NS_PER_S);
	ck_assert_int_eq(experiment->settle_at_most_ns, 60 * NS_PER_S);
	ck_assert_int_eq(experiment->lease_ns, 60 * NS_PER_S);
	ck_assert_int_eq(experiment->run_at_most_ns, (60 + 10 + 300 + 180 + 60) * NS_PER_S);
	ck_assert(!experiment->has_seed);
	ck_assert(!experiment->objectives.has_rto);
	ck_assert_int_eq(experiment->max_hosts, 0);
	ck_assert_uint_eq(experiment->step_count, 0);
}
END_TEST

START_TEST(test_load_experiment_without_a_method_warns_and_loads)
{
	must_load(HEAD "objectives: { availability: 99% }\nmethod: []\n");
	ck_assert_str_eq(all_problems(), "drill.yaml:5:9: warning: `method` is empty: nothing is "
					 "harmed, the run only observes\n");
	ck_assert(problems.items[0].is_warning);
}
END_TEST

START_TEST(test_load_experiment_fills_probes_and_checks)
{
	must_load("title: Kill it\nhypothesis: It comes back.\nservice: orders\n"
		  "objectives: { rto: 1m30s, availability: 99.5% }\n"
		  "probes:\n"
		  "  a: { kind: tcp.connect, every: 20ms, timeout: 1s }\n"
		  "  b: { kind: tcp.connect, on: db2, every: 1s, lanes: 3, port: 22, required: false }\n"
		  "observe: { stable_for: 2s }\n"
		  "stop_conditions: [ { probe: b, bad_for: 3m } ]\n"
		  "validate:\n"
		  "  - { check: tcp.connect }\n"
		  "  - { check: tcp.connect }\n"
		  "  - { check: tcp.connect, name: ssh answers, on: db1, port: 22, timeout: 2s }\n");

	const struct probe_spec *a = experiment_probe(experiment, "a");
	const struct probe_spec *b = experiment_probe(experiment, "b");

	ck_assert_str_eq(experiment->hypothesis, "It comes back.");
	ck_assert(experiment->objectives.has_rto && !experiment->objectives.has_rpo);
	ck_assert_int_eq(experiment->objectives.rto_ns, 90 * NS_PER_S);
	ck_assert_int_eq(experiment->objectives.availability_ppm, 995000);
	ck_assert_str_eq(a->service->name, "orders");
	ck_assert_uint_eq(a->lane_count, 50);
	ck_assert(a->is_required && !b->is_required);
	ck_assert_str_eq(b->host->name, "db2");
	ck_assert_uint_eq(b->lane_count, 3);
	ck_assert_int_eq(params_number(&b->params, "port"), 22);
	ck_assert_ptr_eq(experiment->stop_conditions[0].probe, b);
	ck_assert_uint_eq(experiment->check_count, 3);
	ck_assert_str_eq(experiment->checks[0].probe.name, "tcp.connect");
	ck_assert_str_eq(experiment->checks[1].probe.name, "tcp.connect 2");
	ck_assert_str_eq(experiment->checks[2].probe.name, "ssh answers");
	ck_assert_ptr_null(experiment->checks[2].probe.service);
	ck_assert_int_eq(experiment->checks[2].probe.timeout_ns, 2 * NS_PER_S);
	ck_assert_int_eq(experiment->checks[2].probe.every_ns, 0);
}
END_TEST

START_TEST(test_load_experiment_fills_steps_and_selectors)
{
	must_load(HEAD "service: orders\nseed: 7\nlimits: { hosts: 2 }\nlease: 30s\n"
		  "method:\n"
		  "  - { fault: process.kill, on: db1, with: { name: postgres, signal: TERM } }\n"
		  "  - at: 5s\n"
		  "    name: pause some\n"
		  "    fault: process.pause\n"
		  "    on: { service: orders, count: 2 }\n"
		  "    for: 10s\n"
		  "    with: { name: postgres }\n"
		  "  - { at: 5s, fault: process.kill, on: { labels: { role: db }, random: true },\n"
		  "      with: { name: x } }\n"
		  "  - { at: 5s, fault: process.kill, on: { hosts: [db2, db1], percent: 50% },\n"
		  "      with: { name: x } }\n");

	const struct step *steps = experiment->steps;

	ck_assert_uint_eq(experiment->step_count, 4);
	ck_assert_uint_eq(steps[0].index, 1);
	ck_assert_str_eq(steps[0].name, "process.kill");
	ck_assert_int_eq(steps[0].at_ns, 0);
	ck_assert_int_eq(steps[0].on.kind, SELECT_HOSTS);
	ck_assert_uint_eq(steps[0].on.host_count, 1);
	ck_assert_str_eq(steps[0].on.hosts[0]->name, "db1");
	ck_assert_str_eq(params_text(&steps[0].with, "signal"), "TERM");
	ck_assert_str_eq(params_text(&steps[0].with, "which"), "main");
	ck_assert_str_eq(steps[1].name, "pause some");
	ck_assert_int_eq(steps[1].hold_ns, 10 * NS_PER_S);
	ck_assert_int_eq(steps[1].on.kind, SELECT_SERVICE);
	ck_assert_str_eq(steps[1].on.service->name, "orders");
	ck_assert_int_eq(steps[1].on.count, 2);
	ck_assert_uint_eq(steps[1].mark.line, 10);
	ck_assert_int_eq(steps[2].on.kind, SELECT_LABELS);
	ck_assert(steps[2].on.is_random);
	ck_assert_int_eq(steps[2].on.count, 1);
	ck_assert_int_eq(steps[3].on.percent_ppm, 500000);
	ck_assert_str_eq(steps[3].on.hosts[0]->name, "db2");
	ck_assert(experiment->has_seed);
	ck_assert_uint_eq(experiment->seed, 7);
	ck_assert_int_eq(experiment->max_hosts, 2);
	ck_assert_int_eq(experiment->lease_ns, 30 * NS_PER_S);
}
END_TEST

START_TEST(test_load_json_gives_the_same_model)
{
	const bool is_loaded = load_request_of((struct load_request){
		.experiment_path = "drill.json",
		.experiment_text = "{ \"title\": \"t\", \"probes\": { \"p\": { \"kind\":"
				   " \"tcp.connect\", \"on\": \"orders\", \"every\": \"20ms\" } },\n"
				   "\t\"seed\": 9007199254740993, \"method\": [] }",
	});

	ck_assert_msg(is_loaded, "%s", all_problems());
	ck_assert_int_eq(experiment->probes[0].every_ns, 20 * NS_PER_MS);
	ck_assert_uint_eq(experiment->seed, UINT64_C(9007199254740993));
}
END_TEST

START_TEST(test_load_keeps_the_source_text_with_secrets_unread)
{
	const char text[] = HEAD "hypothesis: ${word}\nvars: { word: fine }\n";

	must_load(text);
	ck_assert_str_eq(experiment->hypothesis, "fine");
	ck_assert_str_eq(experiment->source_text, text);
	ck_assert_str_eq(experiment->inventory_text, inventory_text);
	ck_assert_str_eq(experiment->source_path, "drill.yaml");
}
END_TEST

START_TEST(test_load_vars_given_on_the_command_line_beat_defaults)
{
	const struct pair vars[] = { { "rto", "9s" } };
	const bool is_loaded = load_request_of((struct load_request){
		.experiment_text = HEAD "vars: { rto: 30s, half: 1${unit}, unit: m }\n"
					"objectives: { rto: '${rto}' }\nbaseline: ${pause}\n",
		.vars = vars, .var_count = 1 });

	ck_assert(!is_loaded);
	ck_assert_str_eq(all_problems(),
			 "drill.yaml:4:25: unknown variable `unit`; declare it in `vars:` or give "
			 "it with `--var unit=...`\n"
			 "drill.yaml:6:11: unknown variable `pause`; declare it in `vars:` or give "
			 "it with `--var pause=...`\n");

	must_load(HEAD "vars: { unit: m, rto: '1${unit}' }\nobjectives: { rto: '${rto}' }\n");
	ck_assert_int_eq(experiment->objectives.rto_ns, 60 * NS_PER_S);
}
END_TEST

START_TEST(test_load_vars_never_looks_at_a_value_again)
{
	must_load(HEAD "vars: { a: '$${b}', b: secret }\nhypothesis: '${a} costs $5, $${HOME}'\n");
	ck_assert_str_eq(experiment->hypothesis, "${b} costs $5, ${HOME}");
}
END_TEST

START_TEST(test_load_vars_that_nobody_knows_are_problems)
{
	const struct pair vars[] = { { "tto", "9s" } };

	ck_assert(!load_request_of((struct load_request){
		.experiment_text = HEAD "vars: { rto: 30s, must: ~ }\nhypothesis: ${must}${rt}\n",
		.vars = vars, .var_count = 1 }));
	ck_assert_str_eq(all_problems(),
			 "drill.yaml:5:13: the variable `must` has no value; give it with "
			 "`--var must=...`, or a default in `vars:`\n"
			 "--var: no document has a variable `tto`; did you mean `rto`?\n");
}
END_TEST

static const char secret_inventory[] =
	"services:\n"
	"  orders: { kind: tcp, address: h, port: 1 }\n"
	"  shop: { kind: postgres, conninfo: 'host=h password=${env:FIREDRILL_TEST_SECRET}' }\n";

START_TEST(test_load_secrets_are_read_and_registered)
{
	struct text text = { 0 };

	setenv("FIREDRILL_TEST_SECRET", "hunter22", 1);
	ck_assert_msg(load_request_of((struct load_request){ .experiment_text = HEAD,
							     .inventory_text = secret_inventory,
							     .has_secrets = true }),
		      "%s", all_problems());
	ck_assert_str_eq(inventory_service(experiment->inventory, "shop")->conninfo,
			 "host=h password=hunter22");
	text_add(&text, "it is hunter22!");
	secrets_redact(&secrets, &text);
	ck_assert_str_eq(text_str(&text), "it is [secret]!");
	text_release(&text);
}
END_TEST

START_TEST(test_load_secrets_are_not_read_when_the_request_has_none)
{
	unsetenv("FIREDRILL_TEST_SECRET");
	ck_assert_msg(load_request_of((struct load_request){ .experiment_text = HEAD,
							     .inventory_text = secret_inventory }),
		      "%s", all_problems());
	ck_assert_str_eq(inventory_service(experiment->inventory, "shop")->conninfo,
			 "host=h password=[secret]");
	ck_assert_uint_eq(secrets.value_count, 0);
}
END_TEST

START_TEST(test_load_secrets_that_cannot_be_had_are_problems)
{
	unsetenv("FIREDRILL_TEST_SECRET");
	setenv("FIREDRILL_TEST_SHORT", "abc", 1);
	ck_assert(!load_request_of((struct load_request){
		.experiment_text = HEAD,
		.inventory_text =
			"services:\n"
			"  orders: { kind: tcp, address: h, port: 1 }\n"
			"  a: { kind: http, url: 'http://h/${env:FIREDRILL_TEST_SECRET}' }\n"
			"  b: { kind: http, url: 'http://h/${env:FIREDRILL_TEST_SHORT}' }\n"
			"  c: { kind: http, url: '${file:/nonexistent/token}' }\n"
			"  d: { kind: http, url: '${vault:x}${env:}' }\n"
			"  e: { kind: http, url: '${env:HOME', tier: '${env:HOME}' }\n",
		.has_secrets = true }));
	ck_assert_str_eq(
		all_problems(),
		"inventory.yaml:3:25: `${env:FIREDRILL_TEST_SECRET}`: the environment variable "
		"`FIREDRILL_TEST_SECRET` is not set; export it before the run\n"
		"inventory.yaml:4:25: `${env:FIREDRILL_TEST_SHORT}` gives 3 bytes; a secret has at "
		"least 4, or it could not be hidden in reports\n"
		"inventory.yaml:5:25: `${file:/nonexistent/token}`: /nonexistent/token cannot be "
		"read: No such file or directory\n"
		"inventory.yaml:6:25: `${vault:x}`: there is no source `vault:`; write "
		"`${env:NAME}`, `${file:PATH}` or `${name}`\n"
		"inventory.yaml:7:25: `${` without its `}`; close it, or write `$${` for a plain "
		"`${`\n"
		"inventory.yaml:7:45: `tier` cannot be a secret: it is written into plans and "
		"reports; use `vars:` and `${name}` instead\n");
}
END_TEST

static void write_file(const char *path, const char *bytes, size_t length_bytes)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, length_bytes, file), length_bytes);
	(void)fclose(file);
}

START_TEST(test_load_secret_file_is_beside_the_document_and_loses_its_line_end)
{
	char directory[64];
	char path[128];

	temp_dir_name(directory, sizeof directory);
	(void)snprintf(path, sizeof path, "%s/token", directory);
	write_file(path, "swordfish\n", 10);
	ck_assert_msg(load_request_of((struct load_request){
			      .experiment_text = HEAD,
			      .inventory_path = arena_format(&arena, "%s/i.yaml", directory),
			      .inventory_text =
				      "services:\n  orders: { kind: tcp, address: h, port: 1 }\n"
				      "  shop: { kind: http, url: http://h/${file:token} }\n",
			      .has_secrets = true }),
		      "%s", all_problems());
	(void)unlink(path);
	(void)rmdir(directory);
	ck_assert_str_eq(inventory_service(experiment->inventory, "shop")->url,
			 "http://h/swordfish");
}
END_TEST

static const char *problem_of_secret_file(const char *bytes, size_t length_bytes)
{
	char directory[64];
	const char *path;

	temp_dir_name(directory, sizeof directory);
	path = arena_format(&arena, "%s/token", directory);
	write_file(path, bytes, length_bytes);
	ck_assert(!load_request_of((struct load_request){
		.experiment_text = HEAD,
		.inventory_text = arena_format(&arena,
					       "services:\n"
					       "  orders: { kind: tcp, address: h, port: 1 }\n"
					       "  shop: { kind: http, url: http://h/${file:%s} }\n",
					       path),
		.has_secrets = true }));
	(void)unlink(path);
	(void)rmdir(directory);
	return strrchr(problems.items[0].text, ':') + 2;
}

START_TEST(test_load_secret_file_that_cannot_be_one_is_refused)
{
	char *large = arena_alloc(&arena, LIMIT_SCALAR_BYTES + 1);

	memset(large, 'x', LIMIT_SCALAR_BYTES + 1);
	ck_assert_str_eq(problem_of_secret_file(large, LIMIT_SCALAR_BYTES + 1),
			 "it is larger than 64 KiB");
	ck_assert_str_eq(problem_of_secret_file("swor\0fish", 9), "it holds a NUL byte");
}
END_TEST

START_TEST(test_load_key_below_the_home_is_found_there)
{
	setenv("HOME", "/home/someone", 1);
	ck_assert_msg(load_request_of((struct load_request){
			      .experiment_text = HEAD,
			      .inventory_path = "somewhere/i.yaml",
			      .inventory_text =
				      "hosts:\n  a: { address: h, key: ${file:~/.ssh/id} }\n"
				      "  b: { address: h, key: keys/id, known_hosts: /etc/hosts }\n"
				      "services:\n  orders: { kind: tcp, address: h, port: 1 }\n" }),
		      "%s", all_problems());
	ck_assert_str_eq(experiment->inventory->hosts[0].key_path, "/home/someone/.ssh/id");
	ck_assert_str_eq(experiment->inventory->hosts[1].key_path, "somewhere/keys/id");
	ck_assert_str_eq(experiment->inventory->hosts[1].known_hosts, "/etc/hosts");
}
END_TEST

START_TEST(test_load_variable_given_twice_takes_the_last_one)
{
	const struct pair vars[] = { { "what", "first" }, { "what", "last" } };

	ck_assert_msg(load_request_of((struct load_request){
			      .experiment_text = HEAD "hypothesis: ${what}\n", .vars = vars,
			      .var_count = 2 }),
		      "%s", all_problems());
	ck_assert_str_eq(experiment->hypothesis, "last");
	ck_assert_uint_eq(experiment->var_count, 2);
}
END_TEST

START_TEST(test_load_variables_that_multiply_are_bounded)
{
	struct text text = { 0 };

	text_add(&text, HEAD "vars: { a: ");
	for (int i = 0; i < 4000; i++)
		text_add(&text, "0123456789");
	text_add(&text, " }\nhypothesis: ${a}${a}\n");
	ck_assert(!load_text(text_str(&text)));
	ck_assert_str_eq(all_problems(), "drill.yaml:5:13: with its variables put in the value is "
					 "larger than 65536 bytes\n");
	text_release(&text);
}
END_TEST

START_TEST(test_load_more_attempts_than_lanes_is_worth_a_warning)
{
	must_load("title: t\nprobes:\n"
		  "  p: { kind: tcp.connect, on: orders, every: 1ms, timeout: 1s }\n");
	ck_assert_uint_eq(experiment->probes[0].lane_count, LIMIT_LANES);
	ck_assert_str_eq(all_problems(),
			 "drill.yaml:1:1: warning: there is no `method`: nothing is harmed, the run "
			 "only observes\n"
			 "drill.yaml:1:1: warning: there are no `objectives` and no `validate`: no "
			 "run can miss anything\n"
			 "drill.yaml:3:3: warning: 1000 attempts could hang at one time, and 256 "
			 "lanes are the most; slots in between will not be sampled (shorten "
			 "`timeout`, or set `lanes`)\n");
}
END_TEST

START_TEST(test_load_fault_of_a_service_takes_that_of_the_experiment)
{
	must_load(HEAD "service: users\nmethod: [ { fault: postgres.switchover, with: } ]\n");
	ck_assert_int_eq(experiment->steps[0].on.kind, SELECT_SERVICE);
	ck_assert_str_eq(experiment->steps[0].on.service->name, "users");
}
END_TEST

START_TEST(test_load_peers_may_be_hosts_addresses_or_all)
{
	must_load(HEAD "method:\n"
		  "  - { fault: net.partition, on: db1, with: { peers: [db2, 10.0.0.0/8] } }\n"
		  "  - { fault: net.partition, on: db1, with: { peers: all, ports: 5432 } }\n");

	const struct param_value *peers = params_find(&experiment->steps[0].with, "peers");

	ck_assert_uint_eq(peers->item_count, 2);
	ck_assert_str_eq(peers->items[1], "10.0.0.0/8");
	ck_assert_str_eq(params_find(&experiment->steps[1].with, "peers")->items[0], "all");
	ck_assert_uint_eq(params_find(&experiment->steps[1].with, "ports")->item_count, 1);
}
END_TEST

START_TEST(test_load_experiment_that_ships_loads)
{
	ck_assert_msg(load_experiment(&(struct load_request){ .experiment_path =
								      "experiments/db-failover.yaml" },
				      &arena, &secrets, &experiment, &problems),
		      "%s", all_problems());
	ck_assert_str_eq(experiment->service->name, "orders-db");
	ck_assert_str_eq(inventory_host(experiment->inventory, "db1")->key_path,
			 "/var/lib/fdlab/id");
	ck_assert_str_eq(experiment->inventory_path, "experiments/inventory.yaml");
	ck_assert_str_eq(experiment->steps[0].on.role, "primary");
}
END_TEST

void suite_load(Suite *suite)
{
	TCase *tcase = tcase_create("load");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_load_inventory_fills_hosts_services_power_and_limits);
	tcase_add_test(tcase, test_load_experiment_without_times_takes_the_defaults);
	tcase_add_test(tcase, test_load_experiment_without_a_method_warns_and_loads);
	tcase_add_test(tcase, test_load_experiment_fills_probes_and_checks);
	tcase_add_test(tcase, test_load_experiment_fills_steps_and_selectors);
	tcase_add_test(tcase, test_load_json_gives_the_same_model);
	tcase_add_test(tcase, test_load_keeps_the_source_text_with_secrets_unread);
	tcase_add_test(tcase, test_load_vars_given_on_the_command_line_beat_defaults);
	tcase_add_test(tcase, test_load_vars_never_looks_at_a_value_again);
	tcase_add_test(tcase, test_load_vars_that_nobody_knows_are_problems);
	tcase_add_test(tcase, test_load_secrets_are_read_and_registered);
	tcase_add_test(tcase, test_load_secrets_are_not_read_when_the_request_has_none);
	tcase_add_test(tcase, test_load_secrets_that_cannot_be_had_are_problems);
	tcase_add_test(tcase,
		       test_load_secret_file_is_beside_the_document_and_loses_its_line_end);
	tcase_add_test(tcase, test_load_secret_file_that_cannot_be_one_is_refused);
	tcase_add_test(tcase, test_load_key_below_the_home_is_found_there);
	tcase_add_test(tcase, test_load_variable_given_twice_takes_the_last_one);
	tcase_add_test(tcase, test_load_variables_that_multiply_are_bounded);
	tcase_add_test(tcase, test_load_more_attempts_than_lanes_is_worth_a_warning);
	tcase_add_test(tcase, test_load_fault_of_a_service_takes_that_of_the_experiment);
	tcase_add_test(tcase, test_load_peers_may_be_hosts_addresses_or_all);
	tcase_add_test(tcase, test_load_experiment_that_ships_loads);
	suite_add_tcase(suite, tcase);
}
