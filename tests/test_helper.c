/*
 * test_helper.c - the helper of root, as the command prints it and as /bin/sh reads it. It is run here up to the
 * last word's check and no further: the line that would go on says what it was called with instead.
 * tests/lab_sudo.sh runs it whole, behind a real sudo.
 */
#include "fixtures/temp_dir.h"
#include "tests/suites.h"

#include <stdio.h>
#include <stdlib.h>

#include "faults/helper.h"
#include "faults/trial.h"
#include "remote/ways.h"
#include "tests/fault_help.h"

#define RUN_ID "20261121-102030-k3f9"

static const struct host hosts[] = {
	{ .name = "db1", .address = "198.18.77.11", .port = 22, .user = "drill", .is_sudo = true },
	{ .name = "db2", .address = "198.18.77.12", .port = 22 },
};
static const struct host *const members[] = { &hosts[0], &hosts[1] };
static const struct service orders = {
	.name = "orders-db", .kind = "postgres", .members = members, .member_count = 2,
	.patroni_port = 8008,
};
static const struct host here = { .name = "here", .is_local = true };

/* A fault, words for it, and the same fault with other words. */
struct sample_with {
	const char *fault;
	const char *with[7];
	const char *other[3];
};

static const struct sample_with samples[] = {
	{ "process.kill", { "name", "postgres", "signal", "TERM", NULL }, { "name", "sshd", NULL } },
	{ "process.pause", { "name", "pr\xc3\xbc" "fer's $(x)", NULL }, { "which", "main", NULL } },
	{ "service.stop", { "unit", "nginx@1.service", NULL }, { "unit", "ssh", NULL } },
	{ "net.partition", { "peers", "db2,10.1.0.0/16,fd00::1", "ports", "5432,7000-7010", NULL },
	  { "peers", "db2", NULL } },
	{ "net.partition", { NULL }, { "peers", "db2", NULL } },
	{ "disk.fill", { "path", "/proc", "leave", "2MiB", NULL }, { "path", "/", NULL } },
	{ "disk.freeze", { "path", "/proc", NULL }, { "path", "/sys", NULL } },
	{ "postgres.switchover", { "candidate", "db2", NULL }, { NULL } },
};

enum { SAMPLES = sizeof samples / sizeof samples[0] };

/* A host that hands every call to the helper, here. */
static struct {
	struct remote remote; /* first: the contract's own view of it */
	struct clock clock;
	struct remote *owned_here;
	struct arena arena;
	char *owned_dir;
	const char *helper; /* its file */
	size_t call_count;
	size_t passed_count;
	struct text said;   /* of the last call that was refused */
	struct fault_context ctx;
} at;

/* The line of the helper from which on it would act. */
static const char last_check[] = "\ncheck_root\n";

static bool is_script_text(const char *word)
{
	return strchr(word, '\n') != NULL || strncmp(word, "set -", 5) == 0;
}

static bool ask(const char *const *argv, struct reply *reply)
{
	const char *line[SCRIPT_WORDS + 8] = { "sh", at.helper };
	size_t count = 2;
	struct err e = { 0 };

	for (; *argv != NULL; argv++)
		line[count++] = *argv;
	line[count] = NULL;

	const struct command command = { .argv = line, .timeout_ns = 20 * NS_PER_S };

	ck_assert_msg(remote_exec(at.owned_here, &command, reply, &e), "%s", e.text);
	return reply->exit_status == 0;
}

static bool exec_helper(struct remote *remote, const struct command *command, struct reply *reply,
			struct err *e)
{
	static const char *const called[] = { "sudo", "-n", HELPER_PATH };

	(void)remote;
	(void)e;
	if (strcmp(command->argv[0], "curl") == 0) {
		text_add(&reply->out, "{\"members\":[{\"name\":\"db1\",\"role\":\"leader\","
				      "\"state\":\"running\"}]}\n200");
		return true;
	}
	for (size_t i = 0; i < 3; i++)
		ck_assert_str_eq(command->argv[i], called[i]);
	for (size_t i = 3; command->argv[i] != NULL; i++)
		ck_assert_msg(!is_script_text(command->argv[i]), "a script travels: %s",
			      command->argv[i]);
	at.call_count++;
	text_clear(&at.said);
	if (ask(command->argv + 3, reply))
		at.passed_count++;
	else
		text_add(&at.said, text_str(&reply->err));
	return true;
}

static void close_nothing(struct remote *remote)
{
	(void)remote;
}

static const struct remote_ops helper_ops = { .name = "helper", .exec = exec_helper,
					      .close = close_nothing };

static void setup(void)
{
	struct err e = { 0 };

	memset(&at, 0, sizeof at);
	at.clock = clock_system();
	at.owned_dir = temp_dir_make();
	at.helper = arena_format(&at.arena, "%s/helper", at.owned_dir);
	ck_assert(local_open(&here, &at.clock, &at.owned_here, &e));
	at.remote = (struct remote){ .ops = &helper_ops, .host = &hosts[0], .clock = &at.clock };
	at.ctx = (struct fault_context){ .target = &at.remote, .clock = &at.clock };
	ck_assert_int_eq(setenv("SSH_CONNECTION", "198.18.77.254 40000 198.18.77.11 22", 1), 0);
}

static void teardown(void)
{
	remote_close(at.owned_here);
	text_release(&at.said);
	arena_release(&at.arena);
	temp_dir_remove(at.owned_dir);
}

/* Writes the helper that was made with these grants, cut off before it would do anything. */
static void install(const struct helper_grant *grants, size_t count)
{
	struct text text = { 0 };
	FILE *file = fopen(at.helper, "w");
	const char *end;

	ck_assert_ptr_nonnull(file);
	helper_print(&hosts[0], grants, count, &text);
	end = strstr(text_str(&text), last_check);
	ck_assert_ptr_nonnull(end);
	ck_assert_ptr_null(strstr(end + 1, last_check));
	ck_assert_int_ge(fprintf(file, "%.*s\nexit 0\n", (int)(end - text_str(&text)),
				 text_str(&text)), 0);
	ck_assert_int_eq(fclose(file), 0);
	text_release(&text);
}

static void plan(struct fault_case *c, const char *fault, const char *const *with)
{
	c->inventory = (struct inventory){ .hosts = hosts, .host_count = 2, .services = &orders,
					   .service_count = 1 };
	ck_assert_msg(fault_case_plan(c, fault, RUN_ID, &hosts[0], 5 * NS_PER_S, with), "%s",
		      c->e.text);
}

/* Every verb, for what it says and not for what becomes of it: nothing is there to act on. */
static void do_everything(struct fault_case *c)
{
	const struct fault_request request = { .host = &hosts[0], .inventory = &c->inventory };

	at.call_count = at.passed_count = 0;
	(void)c->fault->examine(&request, &at.ctx, &c->text, &c->e);
	(void)c->fault->read_back(&c->record, &at.ctx, &c->text, &c->e);
	(void)c->fault->arm(&c->record, &at.ctx, &c->e);
	(void)c->fault->inject(&c->record, &at.ctx, &c->e);
	(void)c->fault->confirm(&c->record, &at.ctx, &c->text);
	(void)c->fault->renew(&c->record, &at.ctx, &c->e);
	(void)c->fault->heal(&c->record, &at.ctx, &c->e);
}

START_TEST(test_helper_does_every_verb_of_what_it_was_made_with)
{
	struct fault_case c = { 0 };

	plan(&c, samples[_i].fault, samples[_i].with);

	const bool has_words = c.fault->scripts->record != NULL;
	const struct helper_grant exact = { .fault = c.fault, .records = &c.record,
					    .record_count = has_words ? 1 : 0 };
	const struct helper_grant any = { .fault = c.fault };

	install(&exact, 1);
	do_everything(&c);
	ck_assert_uint_ge(at.call_count, 4);
	ck_assert_msg(at.passed_count == at.call_count, "%s", text_str(&at.said));
	install(&any, 1);
	do_everything(&c);
	ck_assert_msg(at.passed_count == at.call_count, "%s", text_str(&at.said));
	fault_case_release(&c);
}
END_TEST

/* What has no rows runs nothing on the target, and what has some is tried above. */
START_TEST(test_every_fault_names_its_scripts_or_runs_here)
{
	static const char *const run_here[] = { "node.power" };
	size_t count;
	const struct fault_ops *const *table = fault_table(&count);

	for (size_t i = 0; i < count; i++) {
		bool is_known = false;

		for (size_t j = 0; table[i]->scripts != NULL && j < SAMPLES; j++)
			is_known = is_known || strcmp(table[i]->name, samples[j].fault) == 0;
		for (size_t j = 0; table[i]->scripts == NULL && j < sizeof run_here / sizeof run_here[0]; j++)
			is_known = is_known || strcmp(table[i]->name, run_here[j]) == 0;
		ck_assert_msg(is_known, "%s has no `.scripts`, or no sample in test_helper.c",
			      table[i]->name);
	}
}
END_TEST

START_TEST(test_helper_refuses_other_words_and_other_faults)
{
	struct fault_case granted = { 0 };
	struct fault_case asked = { 0 };
	const char *with[10] = { 0 };
	size_t count = 0;

	plan(&granted, samples[_i].fault, samples[_i].with);
	if (samples[_i].other[0] == NULL) {
		fault_case_release(&granted);
		return;
	}
	for (size_t i = 0; samples[_i].with[i] != NULL; i += 2) {
		if (strcmp(samples[_i].with[i], samples[_i].other[0]) == 0)
			continue;
		with[count++] = samples[_i].with[i];
		with[count++] = samples[_i].with[i + 1];
	}
	with[count++] = samples[_i].other[0];
	with[count++] = samples[_i].other[1];
	plan(&asked, samples[_i].fault, with);

	const struct helper_grant exact = { .fault = granted.fault, .records = &granted.record,
					    .record_count = 1 };
	const struct helper_grant another = { .fault = fault_find("postgres.switchover") };

	install(&exact, 1);
	ck_assert(!asked.fault->read_back(&asked.record, &at.ctx, &asked.text, &asked.e));
	ck_assert_int_eq(asked.e.kind, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(asked.e.text, "but not with these words"));
	(void)asked.fault->arm(&asked.record, &at.ctx, &asked.e);
	(void)asked.fault->inject(&asked.record, &at.ctx, &asked.e);
	ck_assert_uint_eq(at.passed_count, 0);

	install(&another, 1);
	ck_assert(!granted.fault->read_back(&granted.record, &at.ctx, &granted.text, &granted.e));
	ck_assert_int_eq(granted.e.kind, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(granted.e.text, "this helper was made without"));
	fault_case_release(&granted);
	fault_case_release(&asked);
}
END_TEST

START_TEST(test_helper_lets_doctor_try_the_guard)
{
	const struct helper_grant grant = { .fault = fault_find("process.kill") };
	enum trial_state state;
	struct err e = { 0 };

	install(&grant, 1);
	(void)trial_of_heal(&at.remote, "/run/firedrill/doctor-x-1/1", &e);
	(void)trial_look(&at.remote, "/run/firedrill/doctor-x-1/1", &state, &e);
	(void)trial_end(&at.remote, "/run/firedrill/doctor-x-1/1", &e);
	ck_assert_uint_eq(at.call_count, 7);
	ck_assert_msg(at.passed_count == at.call_count, "%s", text_str(&at.said));
}
END_TEST

/* A call of the helper by hand; what it refuses it says in a sentence, with SCRIPT_REFUSED. */
static const char *by_hand(const char *const *argv)
{
	struct reply reply = { 0 };
	const char *said = NULL;

	if (!ask(argv, &reply)) {
		ck_assert_int_eq(reply.exit_status, SCRIPT_REFUSED);
		ck_assert_msg(strncmp(text_str(&reply.err), "firedrill-helper: ", 18) == 0, "%s",
			      text_str(&reply.err));
		said = arena_copy(&at.arena, text_str(&reply.err));
	}
	reply_release(&reply);
	return said;
}

#define DIR "/run/firedrill/" RUN_ID "/1"

/* "HASH" stands for the catalogue. */
struct refused_row {
	const char *argv[12];
	const char *sentence;
};

static const struct refused_row refused[] = {
	{ { NULL }, "not by hand" },
	{ { "HASH", "ssh", "process.pause/read", NULL }, "not by hand" },
	{ { "0123456789abcdef", "ssh", "guard/renew", DIR, "5" }, "not the helper of the firedrill" },
	{ { "HASH", "-c", "id", "x" }, "neither ssh nor local" },
	{ { "HASH", "ssh", "sh", DIR }, "made without sh" },
	{ { "HASH", "ssh", "process.pause/undo", DIR, "nginx", "all" }, "inside of another" },
	{ { "HASH", "ssh", "process.pause/inject", DIR, "nginx", "all" }, "inside of another" },
	{ { "HASH", "ssh", "guard/fire", DIR }, "made without guard" },
	{ { "HASH", "ssh", "guard/arm", DIR, "5", "id", "guard/fire", "process.pause/undo", DIR, "n", "all" },
	  "where guard/guard belongs" },
	{ { "HASH", "ssh", "guard/heal", DIR, "guard/end", "process.pause/inject", DIR, "n", "all" },
	  "where a fault's undo belongs" },
	{ { "HASH", "ssh", "guard/heal", DIR, "guard/end", "echo x", DIR, "n", "all" },
	  "where a fault's undo belongs" },
	{ { "HASH", "ssh", "guard/heal", DIR, "guard/end", "process.pause/undo",
	    "/run/firedrill/other/1", "n", "all" }, "two different records" },
	{ { "HASH", "ssh", "process.pause/read", DIR, "nginx" }, "too few words" },
	{ { "HASH", "ssh", "process.pause/read", DIR, "nginx", "all", "x" }, "a word too many" },
	{ { "HASH", "ssh", "process.pause/read", DIR, "nginx", "al" }, "is no main|all" },
	{ { "HASH", "ssh", "process.pause/read", DIR, "nginx", "main|all" }, "is no main|all" },
	{ { "HASH", "ssh", "process.pause/read", DIR, "/bin/sh", "all" }, "is no name" },
	{ { "HASH", "ssh", "disk.fill/read", DIR, "/proc/self/cwd", "1" }, "goes through no link" },
	{ { "HASH", "ssh", "disk.fill/read", DIR, "/proc/../proc", "1" }, "is no path" },
	{ { "HASH", "ssh", "disk.fill/read", DIR, "/proc//", "1" }, "is no path" },
	{ { "HASH", "ssh", "disk.fill/read", DIR, "proc", "1" }, "is no path" },
	{ { "HASH", "ssh", "guard/renew", DIR, "5s" }, "is no lease" },
	{ { "HASH", "ssh", "guard/renew", DIR, "100000" }, "is no lease" },
	{ { "HASH", "ssh", "guard/renew", DIR, "010" }, "is no lease" },
	{ { "HASH", "ssh", "net.partition/read", DIR, "fd_x_1", "in", "", "5", "yes" }, "is no table" },
	{ { "HASH", "ssh", "net.partition/read", DIR, "fd_20261121_102030_k3f9_1", "in", "80 } x", "5",
	    "yes" }, "is no ports" },
	{ { "HASH", "ssh", "net.partition/read", DIR, "fd_20261121_102030_k3f9_1", "in", "", "5", "no",
	    "::1 } x" }, "is no peers" },
};

enum { REFUSED_COUNT = sizeof refused / sizeof refused[0] };

static void install_usual(char ret_catalogue[HELPER_CATALOGUE_BYTES])
{
	const struct helper_grant grants[] = {
		{ .fault = fault_find("process.pause") },
		{ .fault = fault_find("net.partition") },
		{ .fault = fault_find("disk.fill") },
		{ .fault = fault_find("service.stop") },
	};

	install(grants, sizeof grants / sizeof grants[0]);
	helper_catalogue(ret_catalogue);
}

START_TEST(test_helper_refuses_what_firedrill_never_says)
{
	char catalogue[HELPER_CATALOGUE_BYTES];

	install_usual(catalogue);
	for (size_t i = 0; i < REFUSED_COUNT; i++) {
		const char *argv[13] = { 0 };
		const char *said;

		for (size_t j = 0; refused[i].argv[j] != NULL; j++)
			argv[j] = strcmp(refused[i].argv[j], "HASH") == 0 ? catalogue :
									  refused[i].argv[j];
		said = by_hand(argv);
		ck_assert_msg(said != NULL && strstr(said, refused[i].sentence) != NULL,
			      "row %zu, wanted %s: %s", i, refused[i].sentence,
			      said == NULL ? "it was taken" : said);
	}
}
END_TEST

static const char *const wrong_dirs[] = {
	"/run/firedrill", "/run/firedrill/", "/run/firedrill/a", "/run/firedrill/a/", "/run/firedrill//1",
	"/run/firedrill/../1", "/run/firedrill/a/..", "/run/firedrill/a/1/..", "/run/firedrill/a/1/",
	"/run/firedrill/a/0", "/run/firedrill/a/01", "/run/firedrill/a/12345678901", "/run/firedrill/a/1x",
	"/run/firedrill/.a/1", "/run/firedrill/-a/1", "/run/firedrill/a.b/1", "/run/firedrill/a b/1",
	"/run/firedrill/a$(id)/1", "/run/firedrilla/a/1", "/tmp/run/firedrill/a/1", "run/firedrill/a/1", "",
};

START_TEST(test_helper_refuses_folders_that_are_no_record)
{
	char catalogue[HELPER_CATALOGUE_BYTES];

	install_usual(catalogue);
	for (size_t i = 0; i < sizeof wrong_dirs / sizeof wrong_dirs[0]; i++) {
		const char *const argv[] = { catalogue, "ssh", "guard/renew", wrong_dirs[i], "5", NULL };
		const char *said = by_hand(argv);

		ck_assert_msg(said != NULL && strstr(said, "not the folder of a record") != NULL,
			      "%s: %s", wrong_dirs[i], said == NULL ? "it was taken" : said);
	}
}
END_TEST

/* What sudo lets through is the caller's to write; it ends in a ruleset. */
static const char *const wrong_lines[] = {
	"", " ", "1.2.3.4", "1.2.3.4 5 6.7.8.9 22; add table inet x", "1.2.3.4\n5 22", "x 1 y 22",
	"1.2.3.4;drop 5 6.7.8.9 22", "1.2.3.4 5 6.7.8.9 99999999", "::1%$(id) 5 ::1 0x16",
};

START_TEST(test_helper_refuses_a_connection_that_sshd_would_not_name)
{
	char catalogue[HELPER_CATALOGUE_BYTES];
	const char *const ssh[] = { catalogue, "ssh", "guard/renew", DIR, "5", NULL };
	const char *const local[] = { catalogue, "local", "guard/renew", DIR, "5", NULL };

	install_usual(catalogue);
	for (size_t i = 0; i < sizeof wrong_lines / sizeof wrong_lines[0]; i++) {
		setenv("SSH_CONNECTION", wrong_lines[i], 1);

		const char *said = by_hand(ssh);

		ck_assert_msg(said != NULL && strstr(said, "SSH_CONNECTION") != NULL, "%s: %s",
			      wrong_lines[i], said == NULL ? "it was taken" : said);
		ck_assert_ptr_null(by_hand(local));
	}
	unsetenv("SSH_CONNECTION");
	ck_assert_ptr_nonnull(strstr(by_hand(ssh), "sudo does not let SSH_CONNECTION through"));
	setenv("SSH_CONNECTION", "fe80::1%eth0 40000 fe80::2%eth0 22", 1);
	ck_assert_ptr_null(by_hand(ssh));
}
END_TEST

/* In each place of a person's word: what no shell may read as code. A name may be odd, and stays a word. */
START_TEST(test_helper_hostile_words_do_nothing)
{
	static const char *const openings[] = { "", "'", "\"", "'\"", "\\'", "$'\\''", ")", "}", "`",
						"\n", "\r", "-", "--", "\x1b]0;", "*" };
	const size_t opening_count = sizeof openings / sizeof openings[0];
	const char *mark = arena_format(&at.arena, "%s/mark", at.owned_dir);
	char catalogue[HELPER_CATALOGUE_BYTES];
	char *long_word = mem_alloc(70001);

	install_usual(catalogue);
	memset(long_word, 'x', 70000);
	/* In two forms, since a word has 255 bytes and a folder of tests may have a long name. */
	for (size_t i = 0; i <= opening_count * 2; i++) {
		const char *opening = openings[i % opening_count];
		const char *word = i == opening_count * 2 ? long_word :
			i < opening_count ?
			arena_format(&at.arena, "%s$(touch %s)`touch %s` #%s", opening, mark, mark, opening) :
			arena_format(&at.arena, "%s;touch %s|touch %s&touch %s #%s", opening, mark, mark, mark,
				     opening);
		const char *const calls[][8] = {
			{ word, "ssh", "guard/renew", DIR, "5" },
			{ catalogue, word, "guard/renew", DIR, "5" },
			{ catalogue, "ssh", word, DIR, "5" },
			{ catalogue, "ssh", "guard/renew", word, "5" },
			{ catalogue, "ssh", "guard/renew", DIR, word },
			{ catalogue, "ssh", "service.stop/read", DIR, word },
			{ catalogue, "ssh", "disk.fill/read", DIR, word, "1" },
			{ catalogue, "ssh", "disk.fill/read", DIR, "/proc", word },
			{ catalogue, "ssh", "process.pause/read", DIR, "nginx", word },
			{ catalogue, "ssh", "process.pause/read", DIR, word, "all" },
		};
		const size_t last = sizeof calls / sizeof calls[0] - 1;

		for (size_t j = 0; j <= last; j++) {
			const char *said = by_hand(calls[j]);
			const bool is_odd_name = j == last && word != long_word &&
						 strchr("\n\r-\x1b", word[0]) == NULL;

			ck_assert_msg((said == NULL) == is_odd_name, "call %zu with \"%.99s...\": %s", j, word,
				      said == NULL ? "it was taken" : said);
		}
	}
	ck_assert(remove(mark) != 0);
	free(long_word);
}
END_TEST

/* What sudo says is told as what it is, with what to do. */
static bool exec_sudo(struct remote *remote, const struct command *command, struct reply *reply,
		      struct err *e)
{
	static const char *const says[] = { "sudo: a password is required\n",
					    "sudo: " HELPER_PATH ": command not found\n",
					    "Sorry, user drill is not allowed to execute it\n",
					    "drill is not in the sudoers file.\n",
					    "sh: 1: sudo: not found\n" };

	(void)remote;
	(void)command;
	(void)e;
	text_add(&reply->err, says[at.call_count]);
	reply->exit_status = at.call_count++ == 4 ? 127 : 1;
	return true;
}

START_TEST(test_sudo_that_does_not_let_us_is_said_with_what_to_do)
{
	static const struct remote_ops ops = { .name = "sudo", .exec = exec_sudo };
	struct fault_case c = { 0 };

	plan(&c, samples[0].fault, samples[0].with);
	at.remote.ops = &ops;
	for (size_t i = 0; i < 5; i++) {
		ck_assert(!c.fault->inject(&c.record, &at.ctx, &c.e));
		ck_assert_int_eq(c.e.kind, ERR_REMOTE);
		ck_assert_ptr_nonnull(strstr(c.e.text, "for drill there ("));
		ck_assert_ptr_nonnull(strstr(c.e.text, "`firedrill sudoers db1`"));
	}
	fault_case_release(&c);
}
END_TEST

START_TEST(test_helper_argv_says_whether_there_is_a_line_to_spare)
{
	struct host local = { .name = "here", .is_local = true, .user = "drill", .is_sudo = true };
	const char *argv[HELPER_ARGV_OWN];
	const char *script = fault_find("disk.fill")->scripts->rows[0].text;

	helper_argv(&local, "c", script, argv);
	ck_assert_str_eq(argv[4], "local");
	helper_argv(&hosts[0], "c", script, argv);
	ck_assert_str_eq(argv[4], "ssh");
	ck_assert_str_eq(argv[5], fault_find("disk.fill")->scripts->rows[0].name);
}
END_TEST

START_TEST(test_sudoers_of_a_user_that_sudo_reads_otherwise_is_refused)
{
	static const char *const users[] = { "%admin", "#0", "+netgroup", "a,b", "a=b", "a\\b", "ALL", "-x", "" };
	struct host host = hosts[0];
	struct text text = { 0 };
	struct err e = { 0 };

	ck_assert(helper_print_sudoers(&host, &text, &e));
	ck_assert_ptr_nonnull(strstr(text_str(&text), "\ndrill ALL = (root) NOPASSWD: NOSETENV: " HELPER_PATH "\n"));
	for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
		host.user = users[i];
		ck_assert_msg(!helper_print_sudoers(&host, &text, &e), "%s", users[i]);
		ck_assert_int_eq(e.kind, ERR_INPUT);
	}
	text_release(&text);
}
END_TEST

void suite_helper(Suite *suite)
{
	TCase *tcase = tcase_create("helper");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_helper_does_every_verb_of_what_it_was_made_with, 0, SAMPLES);
	tcase_add_test(tcase, test_every_fault_names_its_scripts_or_runs_here);
	tcase_add_loop_test(tcase, test_helper_refuses_other_words_and_other_faults, 0, SAMPLES);
	tcase_add_test(tcase, test_helper_lets_doctor_try_the_guard);
	tcase_add_test(tcase, test_helper_refuses_what_firedrill_never_says);
	tcase_add_test(tcase, test_helper_refuses_folders_that_are_no_record);
	tcase_add_test(tcase, test_helper_refuses_a_connection_that_sshd_would_not_name);
	tcase_add_test(tcase, test_helper_hostile_words_do_nothing);
	tcase_add_test(tcase, test_sudo_that_does_not_let_us_is_said_with_what_to_do);
	tcase_add_test(tcase, test_helper_argv_says_whether_there_is_a_line_to_spare);
	tcase_add_test(tcase, test_sudoers_of_a_user_that_sudo_reads_otherwise_is_refused);
	suite_add_tcase(suite, tcase);
}
