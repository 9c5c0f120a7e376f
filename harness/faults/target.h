/*
 * target.h - the common case of a fault: its scripts run on the record's host, and their words are
 * the record's own (script.h, words_of_record). See guard.h for what arm, renew and heal promise.
 */
#ifndef FAULTS_TARGET_H
#define FAULTS_TARGET_H

#include "faults/guard.h"
#include "faults/record.h"
#include "faults/script.h"

/* Without a guard. */
bool target_run(const struct heal_record *record, struct fault_context *ctx, const char *script,
		int64_t timeout_ns, struct err *e);
enum confirmation target_confirm(const struct heal_record *record, struct fault_context *ctx,
				 const char *script, struct text *ret_evidence);
bool target_read(const struct heal_record *record, struct fault_context *ctx, const char *script,
		 struct text *ret_state, struct err *e);
/* Runs a script that begins with SCRIPT_EXAMINE. */
bool target_examine(const struct fault_request *request, struct fault_context *ctx,
		    const char *script, struct text *ret_missing, struct err *e);

/* With one. `undo` is the same script each time. */
bool target_arm(const struct heal_record *record, struct fault_context *ctx, const char *undo,
		struct err *e);
bool target_renew(const struct heal_record *record, struct fault_context *ctx, const char *also,
		  struct err *e);
bool target_inject(const struct heal_record *record, struct fault_context *ctx, const char *script,
		   int64_t timeout_ns, struct err *e);
/* The same with one more word at the end, as when a script starts another one. */
bool target_inject_with(const struct heal_record *record, struct fault_context *ctx,
			const char *script, const char *word, int64_t timeout_ns, struct err *e);
bool target_heal(const struct heal_record *record, struct fault_context *ctx, const char *undo,
		 int64_t timeout_ns, struct err *e);

#endif
