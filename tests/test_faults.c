/*
 * test_faults.c - what every fault must keep, and what each writes down before any connection.
 */
#include "fixtures/temp_dir.h"
#include "tests/suites.h"

#include "tests/fault_help.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct host hosts[] = {
	{ .name = "db1", .address = "198.18.77.11", .port = 22, .user = "drill", .is_sudo = true },
	{ .name = "db2", .address = "db2.example", .port = 22 },
	{ .name = "here", .is_local = true },
};

/* Enough parameters for each fault to be planned; a fault without a row here fails its test. */
struct sample_with {
	const char *fault;
	const char *with[7];
};

static const struct sample_with samples[] = {
	{ "process.kill", { "name", "postgres", NULL } },
	{ "process.pause", { "name", "postgres", NULL } },
	{ "service.stop", { "unit", "nginx.service", NULL } },
	{ "disk.fill", { "path", "/data", NULL } },
	{ "disk.freeze", { "path", "/data", NULL } },
	{ "postgres.switchover", { "candidate", "db2", NULL } },
	{ "node.power", { NULL } },
	{ "net.partition", { "peers", "db2,10.1.0.0/16,fd00::1", "ports", "5432,7000-7010", NULL } },
};

static const char *const *sample_for(const char *fault)
{
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
		if (strcmp(samples[i].fault, fault) == 0)
			return samples[i].with;
	ck_abort_msg("test_faults.c has no sample for %s", fault);
	return NULL;
}

static const struct host *const members[] = { &hosts[0], &hosts[1] };
static const struct service orders = {
	.name = "orders-db", .kind = "postgres", .members = members, .member_count = 2,
	.patroni_port = 8008,
};
static const char *const power_on[] = { "virsh", "start", "vm-{host}" };
static const char *const power_off[] = { "virsh", "destroy", "vm-{host}", "{address}{host" };
static const char *const power_status[] = { "state", "{host}" };

static bool plan(struct fault_case *c, const char *fault, const char *const *with)
{
	c->inventory.services = &orders;
	c->inventory.service_count = 1;
	c->inventory.power = (struct power){
		.on = power_on, .on_count = 3, .off = power_off, .off_count = 4,
		.status = power_status, .status_count = 2,
	};
	c->inventory.hosts = hosts;
	c->inventory.host_count = sizeof hosts / sizeof hosts[0];
	return fault_case_plan(c, fault, "20261121-102030-k3f9", &hosts[0], 5 * NS_PER_S, with);
}

static bool plan_sample(struct fault_case *c, const char *fault)
{
	return plan(c, fault, sample_for(fault));
}

START_TEST(test_fault_table_rows_are_whole)
{
	size_t count;
	const struct fault_ops *const *table = fault_table(&count);
	const struct fault_ops *fault = table[_i];

	if ((size_t)_i >= count)
		return;
	ck_assert_ptr_eq(fault_find(fault->name), fault);
	ck_assert_ptr_nonnull(fault->summary);
	ck_assert(fault->scope == FAULT_ON_HOST || fault->scope == FAULT_ON_SERVICE);
	ck_assert(fault->examine != NULL);
	ck_assert(fault->plan_heal != NULL);
	ck_assert(fault->describe != NULL);
	ck_assert(fault->arm != NULL);
	ck_assert(fault->renew != NULL);
	ck_assert(fault->inject != NULL);
	ck_assert(fault->confirm != NULL);
	ck_assert(fault->heal != NULL);
	ck_assert(fault->read_back != NULL);
	for (const struct param *row = fault->params; row->name != NULL; row++) {
		ck_assert_ptr_nonnull(row->help);
		ck_assert_msg(!row->is_required || row->fallback == NULL, "%s.%s", fault->name,
			      row->name);
		ck_assert_msg((row->type == PARAM_CHOICE) == (row->choices != NULL), "%s.%s",
			      fault->name, row->name);
	}
}
END_TEST

START_TEST(test_fault_find_unknown_name_finds_nothing)
{
	ck_assert_ptr_null(fault_find("process.hug"));
}
END_TEST

START_TEST(test_plan_heal_record_survives_json)
{
	size_t count;
	const struct fault_ops *const *table = fault_table(&count);
	struct fault_case c = { 0 };
	struct heal_record back;
	struct text again = { 0 };

	if ((size_t)_i >= count)
		return;
	ck_assert_msg(plan_sample(&c, table[_i]->name), "%s", c.e.text);
	ck_assert_str_eq(c.record.fault, table[_i]->name);
	ck_assert_str_eq(c.record.run_id, "20261121-102030-k3f9");
	ck_assert_int_eq(c.record.lease_ns, 5 * NS_PER_S);

	heal_record_print(&c.record, &c.text);
	ck_assert_msg(heal_record_parse(text_str(&c.text), &c.arena, &back, &c.e), "%s", c.e.text);
	heal_record_print(&back, &again);
	ck_assert_str_eq(text_str(&again), text_str(&c.text));
	text_release(&again);
	fault_case_release(&c);
}
END_TEST

/* Records that were stored before there was `sudo` do not hold the word. */
START_TEST(test_heal_record_of_before_sudo_is_read_as_without)
{
	static const char said[] = "\"sudo\":true,";
	struct fault_case c = { 0 };
	struct heal_record back;
	struct text old = { 0 };

	ck_assert(plan_sample(&c, "disk.fill"));
	heal_record_print(&c.record, &c.text);

	const char *at = strstr(text_str(&c.text), said);

	ck_assert_ptr_nonnull(at);
	text_add_bytes(&old, text_str(&c.text), (size_t)(at - text_str(&c.text)));
	text_add(&old, at + strlen(said));
	ck_assert_msg(heal_record_parse(text_str(&c.text), &c.arena, &back, &c.e), "%s", c.e.text);
	ck_assert(back.host->is_sudo);
	ck_assert_msg(heal_record_parse(text_str(&old), &c.arena, &back, &c.e), "%s", c.e.text);
	ck_assert(!back.host->is_sudo);
	text_release(&old);
	fault_case_release(&c);
}
END_TEST

START_TEST(test_describe_says_what_is_done_and_how_it_is_undone)
{
	size_t count;
	const struct fault_ops *const *table = fault_table(&count);
	struct fault_case c = { 0 };
	struct text heal = { 0 };

	if ((size_t)_i >= count)
		return;
	ck_assert(plan_sample(&c, table[_i]->name));
	c.fault->describe(&c.record, &c.text, &heal);
	ck_assert_uint_gt(c.text.length_bytes, 5);
	ck_assert_uint_gt(heal.length_bytes, 5);
	text_release(&heal);
	fault_case_release(&c);
}
END_TEST

/* A host that is gone must give a sentence, never a crash: heal is called for such hosts too. */
START_TEST(test_every_verb_without_a_host_says_so)
{
	size_t count;
	const struct fault_ops *const *table = fault_table(&count);
	struct fault_case c = { 0 };
	struct fault_context ctx = { 0 };

	if ((size_t)_i >= count)
		return;
	ck_assert(plan_sample(&c, table[_i]->name));
	ck_assert(!c.fault->inject(&c.record, &ctx, &c.e));
	ck_assert_uint_gt(strlen(c.e.text), 10);
	ck_assert(!c.fault->heal(&c.record, &ctx, &c.e));
	ck_assert(!c.fault->read_back(&c.record, &ctx, &c.text, &c.e));
	ck_assert_int_eq(c.fault->confirm(&c.record, &ctx, &c.text), CONFIRM_UNKNOWN);
	ck_assert_uint_gt(c.text.length_bytes, 10);
	fault_case_release(&c);
}
END_TEST

/* What plan_heal must refuse, and the words that its sentence must hold. */
struct refused_row {
	const char *fault;
	const char *with[7];
	enum err_kind kind;
	const char *sentence;
};

static const struct refused_row refused[] = {
	{ "process.kill", { "name", "", NULL }, ERR_INPUT, "`name` is empty" },
	{ "process.kill", { "name", "-9", NULL }, ERR_INPUT, "starts with" },
	{ "process.kill", { "name", "/usr/sbin/nginx", NULL }, ERR_INPUT, "write `nginx`" },
	{ "process.pause", { "name", "/usr/sbin/nginx", NULL }, ERR_INPUT, "write `nginx`" },
	{ "process.pause", { "name", "a\nb", NULL }, ERR_INPUT, "control character" },
	{ "service.stop", { "unit", "nginx; reboot", NULL }, ERR_INPUT, "holds \";\"" },
	{ "disk.fill", { "path", "data", NULL }, ERR_INPUT, "not absolute" },
	{ "disk.fill", { "path", "/data/..", NULL }, ERR_INPUT, "write the plain path" },
	{ "disk.freeze", { "path", "/", NULL }, ERR_REFUSED, "would hang the host" },
	{ "disk.freeze", { "path", "//", NULL }, ERR_REFUSED, "would hang the host" },
	{ "disk.freeze", { "path", "/usr/", NULL }, ERR_REFUSED, "would hang the host" },
	{ "postgres.switchover", { "candidate", "-x", NULL }, ERR_INPUT, "starts with" },
	{ "net.partition", { "ports", "0", NULL }, ERR_INPUT, "`ports` holds \"0\"" },
	{ "net.partition", { "ports", "80,90-85", NULL }, ERR_INPUT, "`ports` holds \"90-85\"" },
	{ "net.partition", { "ports", "80 }", NULL }, ERR_INPUT, "write a port" },
	{ "net.partition", { "ports", "70000", NULL }, ERR_INPUT, "write a port" },
	{ "net.partition", { "peers", "db1", NULL }, ERR_INPUT, "nobody but db1 itself" },
	{ "net.partition", { "peers", "here", NULL }, ERR_INPUT, "has no address" },
	{ "net.partition", { "peers", "10.0.0.0/33", NULL }, ERR_INPUT, "write a host of" },
	{ "net.partition", { "peers", "a;b", NULL }, ERR_INPUT, "write a host of" },
	{ "net.partition", { "peers", "10.0.0.300", NULL }, ERR_INPUT, "write a host of" },
};

enum { REFUSED_COUNT = sizeof refused / sizeof refused[0] };

START_TEST(test_plan_heal_refuses_what_the_rows_cannot_check)
{
	const struct refused_row *row = &refused[_i];
	struct fault_case c = { 0 };

	ck_assert(!plan(&c, row->fault, row->with));
	ck_assert_int_eq(c.e.kind, row->kind);
	ck_assert_msg(strstr(c.e.text, row->sentence) != NULL, "%s", c.e.text);
	fault_case_release(&c);
}
END_TEST

START_TEST(test_check_path_keeps_only_plain_absolute_paths)
{
	struct arena arena = { 0 };
	const char *path = NULL;
	struct err e = { 0 };

	ck_assert(check_path("f", "path", "/data/", &arena, &path, &e));
	ck_assert_str_eq(path, "/data");
	ck_assert(check_path("f", "path", "/", &arena, &path, &e));
	ck_assert_str_eq(path, "/");
	ck_assert(check_path("f", "path", "//", &arena, &path, &e));
	ck_assert_str_eq(path, "/");
	ck_assert(!check_path("f", "path", "data", &arena, &path, &e));
	ck_assert(!check_path("f", "path", "/data/../", &arena, &path, &e));
	ck_assert(!check_path("f", "path", "/data/./x", &arena, &path, &e));
	ck_assert(!check_path("f", "path", "/data//x", &arena, &path, &e));
	ck_assert(check_path("f", "path", "/data/.x/..y", &arena, &path, &e));
	arena_release(&arena);
}
END_TEST

START_TEST(test_partition_plan_heal_writes_addresses_and_skips_the_victim)
{
	struct fault_case c = { 0 };

	ck_assert(plan(&c, "net.partition",
		       (const char *const[]){ "peers", "db1,db2,10.9.0.1", NULL }));
	ck_assert_str_eq(record_text(&c.record, "table"), "fd_20261121_102030_k3f9_1");
	ck_assert_str_eq(record_text(&c.record, "everyone"), "no");
	ck_assert_str_eq(record_text(&c.record, "peer.0"), "db2.example");
	ck_assert_str_eq(record_text(&c.record, "peer.1"), "10.9.0.1");
	ck_assert_ptr_null(heal_record_field(&c.record, "peer.2"));
	fault_case_release(&c);
}
END_TEST

START_TEST(test_partition_plan_heal_nobody_named_means_everybody)
{
	static const char *const with[][3] = { { NULL }, { "peers", "all", NULL } };
	struct fault_case c = { 0 };

	ck_assert(plan(&c, "net.partition", with[_i]));
	ck_assert_str_eq(record_text(&c.record, "everyone"), "yes");
	ck_assert_ptr_null(heal_record_field(&c.record, "peer.0"));
	fault_case_release(&c);
}
END_TEST

START_TEST(test_power_plan_heal_fills_in_the_templates)
{
	struct fault_case c = { 0 };

	ck_assert(plan_sample(&c, "node.power"));
	ck_assert_str_eq(record_text(&c.record, "on.2"), "vm-db1");
	ck_assert_str_eq(record_text(&c.record, "off.3"), "198.18.77.11{host");
	ck_assert_str_eq(record_text(&c.record, "status.1"), "db1");
	ck_assert(c.fault->cuts_target);
	fault_case_release(&c);
}
END_TEST

START_TEST(test_power_plan_heal_without_commands_says_what_to_write)
{
	static const char *const nothing[] = { NULL };
	struct fault_case c = { 0 };

	ck_assert(!fault_case_plan(&c, "node.power", "r", &hosts[0], NS_PER_S, nothing));
	ck_assert_int_eq(c.e.kind, ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(c.e.text, "add `power:`"));
	fault_case_release(&c);
}
END_TEST

START_TEST(test_switchover_plan_heal_without_patroni_says_what_to_write)
{
	static const char *const nothing[] = { NULL };
	struct fault_case c = { 0 };

	ck_assert(!fault_case_plan(&c, "postgres.switchover", "r", &hosts[0], NS_PER_S, nothing));
	ck_assert_int_eq(c.e.kind, ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(c.e.text, "patroni"));
	fault_case_release(&c);
}
END_TEST

/* Keeps every script that a fault would run, and says that it worked. */
struct keeper {
	struct remote remote;
	struct text paths; /* one NUL-ended path after the other */
	size_t count;
	char dir[64];
};

static bool keep_exec(struct remote *remote, const struct command *command, struct reply *reply,
		      struct err *e)
{
	struct keeper *keeper = (struct keeper *)(void *)remote;

	for (size_t i = 0; command->argv[i] != NULL; i++) {
		char path[128];

		if (strncmp(command->argv[i], "set -u;", 7) != 0)
			continue;
		snprintf(path, sizeof path, "%s/%zu.sh", keeper->dir, keeper->count++);

		FILE *file = fopen(path, "w");

		ck_assert_ptr_nonnull(file);
		fputs(command->argv[i], file);
		ck_assert_int_eq(fclose(file), 0);
		text_add_bytes(&keeper->paths, path, strlen(path) + 1);
	}
	(void)e;
	reply->exit_status = 0;
	text_add(&reply->out, "power: on\n");
	return true;
}

static void keep_all_scripts(struct keeper *keeper)
{
	const struct clock clock = clock_system();
	struct fault_context ctx = { .target = &keeper->remote, .harness = &keeper->remote,
				     .clock = &clock };
	size_t count;
	const struct fault_ops *const *table = fault_table(&count);

	for (size_t i = 0; i < count; i++) {
		struct fault_case c = { 0 };

		ck_assert_msg(plan_sample(&c, table[i]->name), "%s", c.e.text);
		(void)c.fault->arm(&c.record, &ctx, &c.e); /* only the scripts count here */
		(void)c.fault->renew(&c.record, &ctx, &c.e);
		(void)c.fault->inject(&c.record, &ctx, &c.e);
		(void)c.fault->confirm(&c.record, &ctx, &c.text);
		(void)c.fault->heal(&c.record, &ctx, &c.e);
		(void)c.fault->read_back(&c.record, &ctx, &c.text, &c.e);
		fault_case_release(&c);
	}
}

/* Every script is read by a shell that only checks it; bash's and dash's own extensions would pass
   here and fail on a host, so shellcheck looks at them as well (`make lint`, FIREDRILL_KEEP). */
START_TEST(test_scripts_are_plain_posix_shell)
{
	static const struct remote_ops ops = { .name = "keeper", .exec = keep_exec };
	struct keeper keeper = { .remote = { .ops = &ops, .host = &hosts[1] } };
	const char *keep = getenv("FIREDRILL_KEEP");

	if (keep != NULL)
		snprintf(keeper.dir, sizeof keeper.dir, "%s", keep);
	else
		temp_dir_name(keeper.dir, sizeof keeper.dir);
	keep_all_scripts(&keeper);
	ck_assert_uint_gt(keeper.count, 40);

	const char *path = text_str(&keeper.paths);

	for (size_t i = 0; i < keeper.count; i++, path += strlen(path) + 1) {
		const pid_t pid = fork();
		int status;

		if (pid == 0) {
			execlp("sh", "sh", "-n", path, (char *)NULL);
			_exit(127);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_msg(status == 0, "%s", path);
		if (keep == NULL)
			(void)unlink(path);
	}
	if (keep == NULL)
		(void)rmdir(keeper.dir);
	text_release(&keeper.paths);
}
END_TEST

void suite_faults(Suite *suite)
{
	TCase *tcase = tcase_create("faults");
	size_t table_count;
	int count;

	fault_table(&table_count);
	count = (int)table_count;
	tcase_add_loop_test(tcase, test_fault_table_rows_are_whole, 0, count);
	tcase_add_test(tcase, test_fault_find_unknown_name_finds_nothing);
	tcase_add_loop_test(tcase, test_plan_heal_record_survives_json, 0, count);
	tcase_add_test(tcase, test_heal_record_of_before_sudo_is_read_as_without);
	tcase_add_loop_test(tcase, test_describe_says_what_is_done_and_how_it_is_undone, 0, count);
	tcase_add_loop_test(tcase, test_every_verb_without_a_host_says_so, 0, count);
	tcase_add_loop_test(tcase, test_plan_heal_refuses_what_the_rows_cannot_check, 0,
			    REFUSED_COUNT);
	tcase_add_test(tcase, test_partition_plan_heal_writes_addresses_and_skips_the_victim);
	tcase_add_loop_test(tcase, test_partition_plan_heal_nobody_named_means_everybody, 0, 2);
	tcase_add_test(tcase, test_power_plan_heal_fills_in_the_templates);
	tcase_add_test(tcase, test_power_plan_heal_without_commands_says_what_to_write);
	tcase_add_test(tcase, test_switchover_plan_heal_without_patroni_says_what_to_write);
	tcase_add_test(tcase, test_scripts_are_plain_posix_shell);
	tcase_add_test(tcase, test_check_path_keeps_only_plain_absolute_paths);
	suite_add_tcase(suite, tcase);
}
