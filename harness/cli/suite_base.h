/*
 * suite_base.h - the recoveries of a baseline that is a file: of a suite.json, which others may have
 * written.
 */
#ifndef CLI_SUITE_BASE_H
#define CLI_SUITE_BASE_H

#include "base/err.h"
#include "base/mem.h"
#include "model/verdict.h"

struct base_run {
	const char *title;  /* of its experiment */
	const char *run_id;
	struct span rto;    /* 0 <= low <= high; INT64_MAX: it never recovered */
};

struct base_file {
	struct base_run *runs;
	size_t count;
};

/* Its texts must outlive the file. */
void base_add(struct base_file *base, struct arena *arena, struct base_run run);

/* Adds the recoveries of a `firedrill suite`; what has none, or none that makes sense, is passed over. path:
   for messages. ERR_INPUT: it is something else. */
bool base_parse(const char *path, const struct text *bytes, struct arena *arena,
		struct base_file *base, struct err *e);

#endif
