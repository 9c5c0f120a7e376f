/*
 * test_load_hostile.c - documents that mean harm, or were cut off: always a sentence, never a
 * crash, never a long wait. Also how quick a large honest document is, and the schema.
 */
#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "fixtures/temp_dir.h"
#include "load/load.h"
#include "load/suggest.h"
#include "tests/suites.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Generous: a sanitizer on a busy machine is twenty times slower than the real thing. */
static const int64_t patience_ns = 5 * NS_PER_S;

static const char inventory_text[] =
	"hosts:\n  db1: { address: 192.0.2.1, key: ${file:/keys/id}, labels: { a: b } }\n"
	"services:\n  orders: { kind: postgres, conninfo: host=db1, members: [db1] }\n"
	"power: { on: [a, '{host}'], off: [b], status: [c] }\n";

static const char experiment_text[] =
	"# a drill\n"
	"title: \"Kill \\u00e9 it\"\n"
	"hypothesis: |\n  Two lines\n  of text.\n"
	"service: orders\nvars: { pace: 50ms, secret: '${env:HOME}' }\n"
	"objectives: { rto: 30s, rpo: 0s, availability: 99% }\n"
	"probes:\n"
	"  writes: { kind: postgres.write, on: orders, every: 20ms, timeout: 1s }\n"
	"  reads: { kind: postgres.query, every: '${pace}', sql: \"select 1\", lanes: 4 }\n"
	"steady_state: { good_for: 5s, within: 60s }\n"
	"method:\n"
	"  - at: 0s\n    fault: process.kill\n    on: { service: orders, role: primary }\n"
	"    with: { name: postgres, signal: KILL }\n"
	"stop_conditions: [ { probe: reads, bad_for: 3m } ]\n"
	"observe: { stable_for: 5s, at_most: 2m }\n"
	"validate:\n  - { check: postgres.query, sql: select count(*) from orders, expect: 0 }\n";

static struct arena arena;
static struct problems problems;

static void setup(void)
{
	memset(&arena, 0, sizeof arena);
}

static void teardown(void)
{
	arena_release(&arena);
}

static bool load_texts(const char *experiment, const char *inventory)
{
	const struct experiment *loaded = NULL;
	const bool is_loaded = load_experiment(
		&(struct load_request){ .experiment_path = "x.yaml", .inventory_path = "i.yaml",
					.experiment_text = experiment,
					.inventory_text = inventory },
		&arena, NULL, &loaded, &problems);

	/* Whatever it was: either a model, or a reason. */
	ck_assert(is_loaded ? loaded != NULL : problems.count > 0);
	return is_loaded;
}

static const char *first_problem(void)
{
	struct text text = { 0 };
	const char *first;

	ck_assert_uint_gt(problems.count, 0);
	problem_print(&problems.items[0], &text);
	first = arena_copy(&arena, text_str(&text));
	text_release(&text);
	return first;
}

/* What the processor did for us, so that a busy machine changes nothing. */
static int64_t worked_ns(void)
{
	struct timespec worked;

	ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &worked), 0);
	return worked.tv_sec * NS_PER_S + worked.tv_nsec;
}

START_TEST(test_load_every_prefix_of_a_document_is_told)
{
	ck_assert_msg(load_texts(experiment_text, inventory_text), "%s", first_problem());
	for (size_t length = 0; length < sizeof experiment_text; length++) {
		(void)load_texts(arena_copy_bytes(&arena, experiment_text, length),
				 inventory_text);
		if (length % 64 == 0)
			arena_release(&arena);
	}
	for (size_t length = 0; length < sizeof inventory_text; length++)
		(void)load_texts(experiment_text,
				 arena_copy_bytes(&arena, inventory_text, length));
}
END_TEST

/* One to four bytes of a copy become others: any byte, or one that YAML knows. */
static const char *mutate(const char *text, struct random *random)
{
	static const char telling[] = "{}[]:,-&*!|>%@`\"'#?\n\t $~<\\=0";
	char *copy = arena_copy(&arena, text);
	const size_t length = strlen(copy);

	for (uint64_t i = 0; i <= random_below(random, 4); i++) {
		const size_t at = (size_t)random_below(random, length);

		copy[at] = random_below(random, 3) == 0 ?
				   (char)(random_below(random, 255) + 1) :
				   telling[random_below(random, sizeof telling - 1)];
	}
	return copy;
}

START_TEST(test_load_mutated_documents_are_told)
{
	struct random random = random_from_seed(20261121);
	size_t loaded_count = 0;

	for (int i = 0; i < 2000; i++) {
		const bool is_inventory = i % 4 == 0;
		const char *experiment = is_inventory ? experiment_text :
							mutate(experiment_text, &random);
		const char *inventory = is_inventory ? mutate(inventory_text, &random) :
						       inventory_text;

		loaded_count += load_texts(experiment, inventory) ? 1 : 0;
		if (i % 64 == 0)
			arena_release(&arena);
	}
	/* Both happen: a byte of a title matters to nobody, one of a key does. */
	ck_assert_uint_gt(loaded_count, 20);
	ck_assert_uint_lt(loaded_count, 1500);
}
END_TEST

static const char *repeated(const char *head, const char *part, size_t count)
{
	struct text text = { 0 };
	const char *whole;

	text_add(&text, head);
	for (size_t i = 0; i < count; i++)
		text_add(&text, part);
	whole = arena_copy(&arena, text_str(&text));
	text_release(&text);
	return whole;
}

static const struct {
	const char *head;
	const char *part;
	size_t count;
} bombs[] = {
	{ "", "[", 200000 },         { "", "{", 200000 },      { "", "{a: ", 200000 },
	{ "", "- ", 200000 },        { "", "? ", 200000 },     { "", "&a ", 200000 },
	{ "a: ", "*b ", 200000 },    { "a: ", "! ", 200000 },  { "a: \"", "\\x41", 100000 },
	{ "a: '", "''", 300000 },    { "a: |\n", " x\n", 300000 }, { "a: ", "x ", 500000 },
	{ "%TAG ", "! ", 300000 },   { "", "a: b\n", 200000 }, { "a: [", "b, ", 300000 },
	{ "", "--- a\n", 150000 },   { "", "#\n", 500000 },    { "a: ", "${", 300000 },
	{ "a: ", "${b}", 200000 },   { "a: ", "\n", 1000000 }, { "", "\"a\": ", 150000 },
};

START_TEST(test_load_bombs_are_refused_quickly)
{
	const int64_t begun_ns = worked_ns();

	ck_assert(!load_texts(repeated(bombs[_i].head, bombs[_i].part, bombs[_i].count),
			      inventory_text));
	ck_assert_msg(worked_ns() - begun_ns < patience_ns, "%s... took %lld ms", bombs[_i].part,
		      (long long)((worked_ns() - begun_ns) / NS_PER_MS));
}
END_TEST

START_TEST(test_load_many_keys_are_checked_quickly)
{
	struct text text = { 0 };
	const int64_t begun_ns = worked_ns();

	/* 64 mappings of 1,000 keys: comparing each key with each would take seconds. */
	text_add(&text, "title: t\nprobes:\n");
	for (int i = 0; i < 64; i++) {
		text_addf(&text, "  p%d: { kind: postgres.query,", i);
		for (int j = 0; j < 1000; j++)
			text_addf(&text, "key%d: 1,", j);
		text_add(&text, "}\n");
	}
	ck_assert(!load_texts(text_str(&text), inventory_text));
	ck_assert(worked_ns() - begun_ns < patience_ns);
	ck_assert_uint_eq(problems.count, LIMIT_PROBLEMS);
	ck_assert_uint_gt(problems.dropped_count, 1000);
	text_release(&text);
}
END_TEST

static const char *in_temp(const char *directory, const char *name)
{
	return arena_format(&arena, "%s/%s", directory, name);
}

static bool load_path(const char *path)
{
	const struct experiment *loaded = NULL;

	return load_experiment(&(struct load_request){ .experiment_path = path }, &arena, NULL,
			       &loaded, &problems);
}

START_TEST(test_load_file_that_is_too_large_or_none_is_refused)
{
	char directory[64];
	const char *path;
	int64_t begun_ns;
	int fd;

	temp_dir_name(directory, sizeof directory);
	path = in_temp(directory, "large.yaml");
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, 100 << 20), 0);
	close(fd);

	begun_ns = worked_ns();
	ck_assert(!load_path(path));
	ck_assert(worked_ns() - begun_ns < NS_PER_S);
	ck_assert_str_eq(problems.items[0].text, "is 104857600 bytes; a document has at most "
						 "1048576");
	ck_assert(!load_path(directory));
	ck_assert_str_eq(problems.items[0].text, "is a directory; name the file");
	ck_assert(!load_path(in_temp(directory, "missing.yaml")));
	ck_assert_str_eq(problems.items[0].text, "the experiment cannot be read: No such file or "
						 "directory");
	ck_assert(!load_path("/dev/zero"));
	ck_assert_str_eq(problems.items[0].text, "is no ordinary file; name one, or write - for "
						 "standard input");
	(void)unlink(path);
	(void)rmdir(directory);
}
END_TEST

START_TEST(test_load_pipe_is_read_only_when_it_was_given_to_us)
{
	char directory[64];
	const char *path;
	int ends[2];
	int fd;

	temp_dir_name(directory, sizeof directory);
	path = in_temp(directory, "pipe.yaml");
	/* Nobody will ever write to it: opened like a file it would be waited for. */
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert(!load_path(path));
	ck_assert_str_eq(problems.items[0].text, "is a named pipe; name a file, or write - for "
						 "standard input");
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], "titel: x\n", 9), 9);
	close(ends[1]);
	ck_assert(!load_path(arena_format(&arena, "/dev/fd/%d", ends[0])));
	ck_assert_uint_eq(problems.items[0].mark.line, 1);
	close(ends[0]);
	fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert(!load_path(arena_format(&arena, "/dev/fd/%d", fd)));
	ck_assert_str_eq(problems.items[0].text, "is larger than 1048576 bytes, the most that a "
						 "document has");
	close(fd);
	(void)unlink(path);
	(void)rmdir(directory);
}
END_TEST

START_TEST(test_load_byte_order_mark_is_no_problem)
{
	ck_assert(load_texts(arena_format(&arena, "\xef\xbb\xbf%s", experiment_text),
			     inventory_text));
	ck_assert(!load_texts(arena_format(&arena, "title: a\xef\xbb\xbf b"), inventory_text));
	ck_assert_str_eq(first_problem(), "x.yaml:1:9: the control character U+FEFF may not stand "
					  "in a document; take it out");
}
END_TEST

START_TEST(test_load_overlong_and_cut_utf8_are_told_with_their_place)
{
	ck_assert(!load_texts("title: t\nhypothesis: \xc0\xaf", inventory_text));
	ck_assert_str_eq(first_problem(), "x.yaml:2:13: byte 0xc0 (byte 22 of the file) is not "
					  "UTF-8; save the file as UTF-8");
	ck_assert(!load_texts("title: \xc3\xa9\xed\xa0\x80", inventory_text));
	ck_assert_str_eq(first_problem(), "x.yaml:1:9: byte 0xed (byte 10 of the file) is not "
					  "UTF-8; save the file as UTF-8");
	ck_assert(!load_texts("title: \xf0\x9f\x94", inventory_text));
	ck_assert_str_eq(first_problem(), "x.yaml:1:8: byte 0xf0 (byte 8 of the file) is not "
					  "UTF-8; save the file as UTF-8");
}
END_TEST

START_TEST(test_load_more_probes_than_the_most_are_refused)
{
	struct text text = { 0 };

	text_add(&text, "title: too many\nservice: orders\nprobes:\n");
	for (int i = 0; i <= LIMIT_PROBES; i++)
		text_addf(&text, "  p%d: { kind: postgres.query, every: 1s, sql: select 1 }\n", i);
	ck_assert(!load_texts(text_str(&text), inventory_text));
	ck_assert_str_eq(first_problem(), "x.yaml:4:3: `probes` has 1001 entries; the most is 1000");
	text_release(&text);
}
END_TEST

START_TEST(test_load_a_thousand_probes_take_milliseconds)
{
	struct text text = { 0 };
	int64_t best_ns = INT64_MAX;

	text_add(&text, "title: large\nservice: orders\nprobes:\n");
	for (int i = 0; i < LIMIT_PROBES; i++)
		text_addf(&text, "  p%d: { kind: postgres.query, every: 50ms, sql: select %d }\n",
			  i, i);
	text_add(&text, "method:\n");
	for (int i = 0; i < LIMIT_STEPS; i++)
		text_addf(&text, "  - { at: %ds, fault: process.kill, on: db1, with: { name: x } }\n",
			  i);
	text_add(&text, "validate:\n");
	for (int i = 0; i < LIMIT_CHECKS; i++)
		text_addf(&text, "  - { check: postgres.query, name: c%d, sql: select 1 }\n", i);
	for (int i = 0; i < 5; i++) {
		const int64_t begun_ns = worked_ns();

		ck_assert_msg(load_texts(text_str(&text), inventory_text), "%s", first_problem());
		best_ns = worked_ns() - begun_ns < best_ns ? worked_ns() - begun_ns : best_ns;
	}
	text_release(&text);
	/* 2 ms as built; the bound leaves room for sanitizers. */
	ck_assert_msg(best_ns < 100 * NS_PER_MS, "%lld us", (long long)(best_ns / NS_PER_US));
}
END_TEST

START_TEST(test_load_schema_knows_every_key_of_both_documents)
{
	struct text text = { 0 };
	struct json *root = NULL;
	struct err e = { 0 };

	load_schema(&text);
	ck_assert_msg(json_parse(text_str(&text), text.length_bytes, &root, &e), "%s", e.text);

	const struct json *defs = json_get(root, "$defs");
	const struct json *experiment = json_get(json_get(defs, "experiment"), "properties");
	const struct json *probe = json_get(json_get(experiment, "probes"), "additionalProperties");
	const struct json *variants = json_get(probe, "oneOf");
	bool has_sql = false;

	ck_assert_ptr_nonnull(json_get(experiment, "stop_conditions"));
	ck_assert_str_eq(json_text_of(json_get(json_get(experiment, "lease"), "$ref")),
			 "#/$defs/duration");
	for (size_t i = 0; i < json_count(variants); i++)
		if (json_get(json_get(json_at(variants, i), "properties"), "sql") != NULL)
			has_sql = true;
	ck_assert(has_sql);
	ck_assert_ptr_nonnull(json_get(json_get(json_get(defs, "inventory"), "properties"),
				       "services"));
	json_release(root);
	text_release(&text);
}
END_TEST

START_TEST(test_suggest_finds_the_slip_and_not_another_word)
{
	struct suggestion near = suggest_for("evry");

	suggest_offer(&near, "service");
	suggest_offer(&near, "every");
	suggest_offer(&near, "query");
	ck_assert_str_eq(near.best, "every");
	near = suggest_for("Title");
	suggest_offer(&near, "title");
	ck_assert_str_eq(near.best, "title");
	near = suggest_for("colour");
	suggest_offer(&near, "lease");
	suggest_offer(&near, "rto");
	ck_assert_ptr_null(near.best);
	ck_assert_uint_eq(suggest_distance("ab", "ba"), 2);
	ck_assert_uint_eq(suggest_distance("", "abc"), 6);
}
END_TEST

void suite_load_hostile(Suite *suite)
{
	TCase *tcase = tcase_create("load_hostile");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, test_load_every_prefix_of_a_document_is_told);
	tcase_add_test(tcase, test_load_mutated_documents_are_told);
	tcase_add_loop_test(tcase, test_load_bombs_are_refused_quickly, 0,
			    sizeof bombs / sizeof bombs[0]);
	tcase_add_test(tcase, test_load_many_keys_are_checked_quickly);
	tcase_add_test(tcase, test_load_file_that_is_too_large_or_none_is_refused);
	tcase_add_test(tcase, test_load_pipe_is_read_only_when_it_was_given_to_us);
	tcase_add_test(tcase, test_load_byte_order_mark_is_no_problem);
	tcase_add_test(tcase, test_load_overlong_and_cut_utf8_are_told_with_their_place);
	tcase_add_test(tcase, test_load_more_probes_than_the_most_are_refused);
	tcase_add_test(tcase, test_load_a_thousand_probes_take_milliseconds);
	tcase_add_test(tcase, test_load_schema_knows_every_key_of_both_documents);
	tcase_add_test(tcase, test_suggest_finds_the_slip_and_not_another_word);
	suite_add_tcase(suite, tcase);
}
