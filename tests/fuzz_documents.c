/*
 * fuzz_documents.c - YAML and JSON documents. Each input is taken for an experiment and for an inventory,
 * read as YAML and, when it begins with a brace, as JSON. Either there is a model, or at least one
 * problem that is no warning and that says where: a line, or the whole file when that cannot be read.
 */
#include "tests/fuzz.h"
#include "fixtures/fuzz_input.h"
#include "load/load.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char sound_inventory[] =
	"hosts: { db1: { address: 198.18.77.11 }, db2: { address: 198.18.77.12 } }\n"
	"services:\n"
	"  orders-db: { kind: postgres, conninfo: 'host=db1,db2 dbname=orders', members: [db1, db2] }\n"
	"  shop: { kind: http, url: 'http://db1/health', members: [db1] }\n";

static const char sound_experiment[] =
	"title: t\n"
	"service: orders-db\n"
	"objectives: { rto: 30s }\n"
	"probes: { reads: { kind: postgres.query, every: 50ms, sql: select 1 } }\n"
	"method: [ { fault: process.kill, on: db1, with: { name: postgres } } ]\n";

static struct problems problems;

static bool has_place(const struct problem *problem)
{
	/* A document that is empty, or too large, has no line to point at. */
	return problem->mark.line > 0 || strstr(problem->text, "empty") != NULL ||
	       strstr(problem->text, "larger than") != NULL;
}

static void check_refused(void)
{
	size_t error_count = 0;
	bool is_placed = false;

	for (size_t i = 0; i < problems.count; i++) {
		struct text text = { 0 };

		assert(problems.items[i].text[0] != '\0');
		if (!problems.items[i].is_warning) {
			error_count++;
			is_placed = is_placed || has_place(&problems.items[i]);
		}
		problem_print(&problems.items[i], &text);
		assert(text.length_bytes > 0);
		text_release(&text);
	}
	assert(error_count > 0);
	assert(is_placed);
}

static void load(const struct load_request *request)
{
	struct arena arena = { 0 };
	const struct experiment *experiment = NULL;
	const bool is_loaded = load_experiment(request, &arena, NULL, &experiment, &problems);

	if (is_loaded) {
		assert(experiment != NULL);
		for (size_t i = 0; i < problems.count; i++)
			assert(problems.items[i].is_warning);
	} else {
		check_refused();
	}
	arena_release(&arena);
}

static void load_both_ways(const char *text, const char *experiment_path,
			   const char *inventory_path)
{
	load(&(struct load_request){ .experiment_path = experiment_path,
				     .inventory_path = "i.yaml",
				     .experiment_text = text,
				     .inventory_text = sound_inventory });
	load(&(struct load_request){ .experiment_path = "x.yaml",
				     .inventory_path = inventory_path,
				     .experiment_text = sound_experiment,
				     .inventory_text = text });
}

void fuzz_documents(const uint8_t *bytes, size_t length_bytes)
{
	struct fuzz_input input = { bytes, length_bytes };
	struct arena arena = { 0 };
	const char *text = fuzz_take_text(&input, &arena);

	load_both_ways(text, "x.yaml", "i.yaml");
	if (text[strspn(text, " \t\r\n")] == '{')
		load_both_ways(text, "x.json", "i.json");
	arena_release(&arena);
}
