/*
 * suite_base.c - see suite_base.h. Nothing but numbers and names is taken from the file.
 */
#include "cli/suite_base.h"

#include <string.h>

#include "base/json.h"

void base_add(struct base_file *base, struct arena *arena, struct base_run run)
{
	base->runs = arena_more(arena, base->runs, base->count, sizeof *base->runs);
	base->runs[base->count++] = run;
}

static void take_run(struct base_file *base, struct arena *arena, const char *title,
		     const struct json *run)
{
	const struct json *rto = json_get(run, "rto");
	const char *run_id = json_text_of(json_get(run, "run"));
	const char *kind = json_text_of(json_get(rto, "kind"));
	struct span span = { 0 };
	bool counts = false;

	if (run_id == NULL || kind == NULL || strcmp(kind, "nothing") == 0 ||
	    !json_bool_of(json_get(rto, "counts"), &counts) || !counts ||
	    !json_int_of(json_get(rto, "low_ns"), &span.low_ns))
		return;
	if (!json_int_of(json_get(rto, "high_ns"), &span.high_ns))
		span.high_ns = INT64_MAX; /* null: it never recovered */
	if (span.low_ns < 0 || span.high_ns < span.low_ns)
		return;
	base_add(base, arena, (struct base_run){ .title = arena_copy(arena, title),
						 .run_id = arena_copy(arena, run_id),
						 .rto = span });
}

bool base_parse(const char *path, const struct text *bytes, struct arena *arena,
		struct base_file *base, struct err *e)
{
	struct json *root = NULL;
	const char *format;
	int64_t version = 0;

	if (!json_parse(text_str(bytes), bytes->length_bytes, &root, e))
		return err_wrap(e, "read the baseline %s", path);
	format = json_text_of(json_get(root, "format"));
	if (format == NULL || strcmp(format, "firedrill suite") != 0 ||
	    !json_int_of(json_get(root, "format_version"), &version) || version != 1) {
		json_release(root);
		return err_set(e, ERR_INPUT, "the baseline %s is no `firedrill suite` of "
			       "format_version 1; give the suite.json of an earlier suite", path);
	}

	const struct json *experiments = json_get(root, "experiments");

	for (const struct json *row = json_at(experiments, 0); row != NULL; row = json_next(row)) {
		const char *title = json_text_of(json_get(row, "title"));

		for (const struct json *run = json_at(json_get(row, "runs"), 0);
		     title != NULL && run != NULL; run = json_next(run))
			take_run(base, arena, title, run);
	}
	json_release(root);
	return true;
}
