/*
 * target.c - see target.h.
 */
#include "faults/target.h"

#include "base/clock.h"

static const int64_t read_timeout_ns = 20 * NS_PER_S;

static bool has_target(const struct heal_record *record, const struct fault_context *ctx,
		       struct err *e)
{
	if (ctx->target != NULL)
		return true;
	return err_set(e, ERR_REMOTE, "%s on %s: the host cannot be reached", record->fault,
		       record->host->name);
}

static bool run(const struct heal_record *record, struct fault_context *ctx, const char *script,
		int64_t timeout_ns, struct text *ret_out, struct err *e)
{
	struct arena arena = { 0 };
	struct words words = { 0 };
	bool is_done;

	if (!has_target(record, ctx, e))
		return false;

	words_of_record(&words, record, &arena);
	is_done = script_run(ctx->target, script, &words, timeout_ns, ret_out, e);
	arena_release(&arena);
	return is_done;
}

bool target_run(const struct heal_record *record, struct fault_context *ctx, const char *script,
		int64_t timeout_ns, struct err *e)
{
	return run(record, ctx, script, timeout_ns, NULL, e);
}

bool target_read(const struct heal_record *record, struct fault_context *ctx, const char *script,
		 struct text *ret_state, struct err *e)
{
	struct text out = { 0 };
	bool is_done = run(record, ctx, script, read_timeout_ns, &out, e);

	while (out.length_bytes > 0 && out.owned_bytes[out.length_bytes - 1] == '\n')
		out.owned_bytes[--out.length_bytes] = '\0';
	if (is_done)
		text_add(ret_state, text_str(&out));
	text_release(&out);
	return is_done;
}

enum confirmation target_confirm(const struct heal_record *record, struct fault_context *ctx,
				 const char *script, struct text *ret_evidence)
{
	struct arena arena = { 0 };
	struct words words = { 0 };
	enum confirmation seen;
	struct err e = { 0 };

	if (!has_target(record, ctx, &e)) {
		text_add(ret_evidence, e.text);
		return CONFIRM_UNKNOWN;
	}

	words_of_record(&words, record, &arena);
	seen = script_confirm(ctx->target, script, &words, ret_evidence);
	arena_release(&arena);
	return seen;
}

bool target_examine(const struct fault_request *request, struct fault_context *ctx,
		    const char *script, struct text *ret_missing, struct err *e)
{
	const struct words words = { .at = { RECORD_DIR_DEFAULT "/x/1" }, .count = 1 };

	if (ctx->target == NULL)
		return err_set(e, ERR_REMOTE, "%s cannot be reached", request->host->name);
	return script_run(ctx->target, script, &words, read_timeout_ns, ret_missing, e);
}

bool target_arm(const struct heal_record *record, struct fault_context *ctx, const char *undo,
		struct err *e)
{
	struct arena arena = { 0 };
	struct words words = { 0 };
	bool is_done;

	if (!has_target(record, ctx, e))
		return false;

	words_of_record(&words, record, &arena);
	is_done = guard_arm(ctx->target, record_lease_s(record, &arena), undo, &words, e);
	arena_release(&arena);
	return is_done;
}

bool target_renew(const struct heal_record *record, struct fault_context *ctx, const char *also,
		  struct err *e)
{
	struct arena arena = { 0 };
	struct words words = { 0 };
	bool is_done;

	if (!has_target(record, ctx, e))
		return false;

	words_of_record(&words, record, &arena);
	is_done = guard_renew(ctx->target, record_lease_s(record, &arena), also, &words, e);
	arena_release(&arena);
	return is_done;
}

bool target_inject_with(const struct heal_record *record, struct fault_context *ctx,
			const char *script, const char *word, int64_t timeout_ns, struct err *e)
{
	struct arena arena = { 0 };
	struct words words = { 0 };
	bool is_done;

	if (!has_target(record, ctx, e))
		return false;

	words_of_record(&words, record, &arena);
	if (word != NULL)
		words_add(&words, word);
	is_done = guard_inject(ctx->target, script, &words, timeout_ns, e);
	arena_release(&arena);
	return is_done;
}

bool target_inject(const struct heal_record *record, struct fault_context *ctx, const char *script,
		   int64_t timeout_ns, struct err *e)
{
	return target_inject_with(record, ctx, script, NULL, timeout_ns, e);
}

bool target_heal(const struct heal_record *record, struct fault_context *ctx, const char *undo,
		 int64_t timeout_ns, struct err *e)
{
	struct arena arena = { 0 };
	struct words words = { 0 };
	bool is_done;

	if (!has_target(record, ctx, e))
		return false;

	words_of_record(&words, record, &arena);
	is_done = guard_heal(ctx->target, undo, &words, timeout_ns, e);
	arena_release(&arena);
	return is_done;
}
