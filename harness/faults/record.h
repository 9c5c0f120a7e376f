/*
 * record.h - how plan_heal writes a record, and the checks that several faults share.
 */
#ifndef FAULTS_RECORD_H
#define FAULTS_RECORD_H

#include "faults/fault.h"

/* The field that names the folder of all runs on the target; a test may put another in. */
#define RECORD_DIR "dir"
#define RECORD_DIR_DEFAULT "/run/firedrill"

/* Fills in everything but the fields, with room for this many of them; the first is `dir`. */
void record_begin(const struct fault_request *request, const char *fault, size_t field_room,
		  struct arena *arena, struct heal_record *ret_record);
/* Both texts are copied. */
void record_add(struct heal_record *record, const char *name, const char *value,
		struct arena *arena);
/* One of a list: fields are named apart, `name.0`, `name.1`, because a record is a JSON object. */
void record_add_item(struct heal_record *record, const char *name, size_t index, const char *value,
		     struct arena *arena);
/* Like heal_record_field, but a field that is missing is our own mistake. */
const char *record_text(const struct heal_record *record, const char *name);

/* /run/firedrill/RUN/STEP */
const char *record_dir(const struct heal_record *record, struct arena *arena);
/* Whole seconds, rounded up, at least 1. */
const char *record_lease_s(const struct heal_record *record, struct arena *arena);

/* One line of printable text that is not an option: a name of a process, a unit, a candidate. */
bool check_word(const char *fault, const char *param, const char *word, struct err *e);
/* The same for `name`, what a process is called: not a path. */
bool check_process(const char *fault, const char *name, struct err *e);
/* An absolute path in its plain form, without "." or ".." or "//"; a slash at its end is dropped. */
bool check_path(const char *fault, const char *param, const char *path, struct arena *arena,
		const char **ret_path, struct err *e);

/* For faults without a guard: nothing to arm, nothing to renew. */
bool no_guard(const struct heal_record *record, struct fault_context *ctx, struct err *e);

#endif
