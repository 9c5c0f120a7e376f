/*
 * node_power.c - fault "node.power": switch a host off, with the commands of the inventory's `power:`.
 *
 * A host without power cannot heal itself, so here the guard lives on the machine that runs
 * firedrill: it switches the host on again when our process dies. It does not survive a reboot of
 * that machine; the journal does, and `firedrill heal` does the same from it.
 */
#include "faults/fault.h"

#include "base/clock.h"
#include "faults/guard.h"
#include "faults/record.h"
#include "faults/script.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const int64_t power_timeout_ns = 60 * NS_PER_S;
static const int64_t heal_timeout_ns = 150 * NS_PER_S;

static const struct param power_params[] = { { 0 } };

/* DIR COUNT STATUS... ON...: the first COUNT words ask, the others switch on. A hypervisor that is
   told to start what runs may call that an error, so it is asked first. The commands may be relative
   to where firedrill was started, so they run there. */
static const char undo_script[] = SCRIPT_BASE
	"ask() {\n"
	"\tcount=$1; shift; total=$# i=0\n"
	"\tfor word; do [ \"$i\" -ge \"$count\" ] || set -- \"$@\" \"$word\"; i=$((i + 1)); done\n"
	"\tshift \"$total\"; \"$@\"\n"
	"}\n"
	"from=$(cat \"$dir/from\" 2>/dev/null) && cd \"$from\" || :\n"
	"shift; status=$(ask \"$@\" 2>/dev/null) || status=unknown\n"
	"[ \"$status\" != on ] || exit 0\n"
	"(shift \"$(($1 + 1))\"; said=$(\"$@\" 2>&1) || fail \"$1 could not switch the host on: $said\") || exit\n"
	"tries=0\n"
	"until [ \"$(ask \"$@\" 2>/dev/null)\" = on ]; do\n"
	"\ttries=$((tries + 1))\n"
	"\t[ \"$tries\" -le 200 ] || fail \"the host was switched on and is still off after 50 s\"\n"
	"\tsleep 0.25\n"
	"done\n";

/* DIR OFF... */
static const char inject_script[] = SCRIPT_BASE
	"shift; said=$(\"$@\" 2>&1) || fail \"$1 could not switch the host off: $said\"\n";

/* DIR STATUS... */
static const char status_script[] = SCRIPT_BASE
	"shift; said=$(\"$@\" 2>&1) || fail \"$1 could not tell whether the host is on: $said\"\n"
	"case $said in on|off) echo \"power: $said; record: $(record_state)\" ;;\n"
	"*) fail \"the status command of the inventory printed neither on nor off: $said\" ;; esac\n";

/* The template's word with the host's name and address put in. */
static const char *fill_in(const char *word, const struct host *host, struct arena *arena)
{
	struct text text = { 0 };

	for (const char *at = word; *at != '\0';) {
		if (strncmp(at, "{host}", 6) == 0) {
			text_add(&text, host->name);
			at += 6;
		} else if (strncmp(at, "{address}", 9) == 0) {
			text_add(&text, host->address);
			at += 9;
		} else {
			text_add_bytes(&text, at++, 1);
		}
	}

	const char *filled = arena_copy(arena, text_str(&text));

	text_release(&text);
	return filled;
}

static void add_command(struct heal_record *record, const char *name, const char *const *words,
			size_t word_count, struct arena *arena)
{
	for (size_t i = 0; i < word_count; i++)
		record_add_item(record, name, i, fill_in(words[i], record->host, arena), arena);
}

static bool power_plan_heal(const struct fault_request *request, struct arena *arena,
			    struct heal_record *ret_record, struct err *e)
{
	const struct power *power = &request->inventory->power;
	const struct host *host = request->host;
	struct heal_record record;

	if (power->on_count == 0 || power->off_count == 0 || power->status_count == 0)
		return err_set(e, ERR_INPUT, "node.power: the inventory does not say how; add `power:` "
			       "with `on`, `off` and `status`, each a list of words");
	if (host->is_local || host->address == NULL)
		return err_set(e, ERR_REFUSED, "node.power: %s is the machine that firedrill runs on",
			       host->name);
	if (power->on_count + power->off_count + power->status_count > SCRIPT_WORDS / 2)
		return err_set(e, ERR_LIMIT, "node.power: the commands of `power:` hold more than %d "
			       "words", SCRIPT_WORDS / 2);

	record_begin(request, "node.power",
		     power->on_count + power->off_count + power->status_count, arena, &record);
	add_command(&record, "off", power->off, power->off_count, arena);
	add_command(&record, "on", power->on, power->on_count, arena);
	add_command(&record, "status", power->status, power->status_count, arena);
	*ret_record = record;
	return true;
}

/* Adds the words of one command of the record; returns how many. */
static size_t add_words(struct words *words, const struct heal_record *record, const char *name)
{
	const size_t name_length = strlen(name);
	size_t count = 0;

	for (size_t i = 0; i < record->field_count; i++) {
		const struct pair *field = &record->fields[i];

		if (strncmp(field->name, name, name_length) != 0 || field->name[name_length] != '.')
			continue;
		words_add(words, field->value);
		count++;
	}
	return count;
}

/* Several hosts may lose power in one step, and all their records are on this machine. */
static const char *power_dir(const struct heal_record *record, struct arena *arena)
{
	char *dir = arena_format(arena, "%s-%s", record_dir(record, arena), record->host->name);

	for (char *at = strrchr(dir, '-'); *at != '\0'; at++)
		if (!isalnum((unsigned char)*at) && strchr("-_.", *at) == NULL)
			*at = '_';
	return dir;
}

static void undo_words(struct words *words, const struct heal_record *record, struct arena *arena)
{
	struct words status = { 0 };

	words_add(words, power_dir(record, arena));
	words_add(words, arena_format(arena, "%zu", add_words(&status, record, "status")));
	add_words(words, record, "status");
	add_words(words, record, "on");
}

static void describe_command(const struct heal_record *record, const char *name, struct text *text)
{
	struct words words = { 0 };

	add_words(&words, record, name);
	for (size_t i = 0; i < words.count; i++)
		text_addf(text, "%s%s", i > 0 ? " " : "", words.at[i]);
	text_add(text, " (here)");
}

static void power_describe(const struct heal_record *record, struct text *ret_inject,
			   struct text *ret_heal)
{
	describe_command(record, "off", ret_inject);
	describe_command(record, "on", ret_heal);
}

static bool has_harness(const struct fault_context *ctx, struct err *e)
{
	return ctx->harness != NULL ||
	       err_set(e, ERR_REMOTE, "node.power: commands on this machine cannot be run");
}

static bool power_arm(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	struct arena arena = { 0 };
	struct words words = { 0 };
	bool is_done;

	if (!has_harness(ctx, e))
		return false;

	undo_words(&words, record, &arena);
	is_done = guard_arm(ctx->harness, record_lease_s(record, &arena), undo_script, &words, e);
	arena_release(&arena);
	return is_done;
}

static bool power_renew(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	struct arena arena = { 0 };
	struct words words = { 0 };
	bool is_done;

	if (!has_harness(ctx, e))
		return false;

	undo_words(&words, record, &arena);
	is_done = guard_renew(ctx->harness, record_lease_s(record, &arena), NULL, &words, e);
	arena_release(&arena);
	return is_done;
}

static bool power_read_back(const struct heal_record *record, struct fault_context *ctx,
			    struct text *ret_state, struct err *e)
{
	struct arena arena = { 0 };
	struct words words = { 0 };
	struct text said = { 0 };
	bool is_done;

	if (!has_harness(ctx, e))
		return false;

	words_add(&words, power_dir(record, &arena));
	add_words(&words, record, "status");
	is_done = script_run(ctx->harness, status_script, &words, power_timeout_ns, &said, e);
	if (is_done)
		text_add_bytes(ret_state, text_str(&said), strcspn(text_str(&said), "\n"));
	text_release(&said);
	arena_release(&arena);
	return is_done;
}

/* What plan_heal refuses is missing; what the status command says of a host that we talk to must be on. */
static bool power_examine(const struct fault_request *request, struct fault_context *ctx,
			  struct text *ret_missing, struct err *e)
{
	struct arena arena = { 0 };
	struct heal_record record;
	struct text state = { 0 };
	struct err refused = { 0 };

	if (!has_harness(ctx, e))
		return false;
	if (!power_plan_heal(request, &arena, &record, &refused) ||
	    !power_read_back(&record, ctx, &state, &refused))
		text_addf(ret_missing, "%s\n", refused.text);
	else if (strncmp(text_str(&state), "power: on", 9) != 0)
		text_addf(ret_missing, "the status command of the inventory says that it is off\n");
	text_release(&state);
	arena_release(&arena);
	return true;
}

static bool power_inject(const struct heal_record *record, struct fault_context *ctx,
			 struct err *e)
{
	struct arena arena = { 0 };
	struct words words = { 0 };
	struct text state = { 0 };
	bool is_done = power_read_back(record, ctx, &state, e);

	if (is_done && strncmp(text_str(&state), "power: on", 9) != 0)
		is_done = err_set(e, ERR_REFUSED, "node.power: %s is not on (%s)",
				  record->host->name, text_str(&state));
	if (is_done) {
		words_add(&words, power_dir(record, &arena));
		add_words(&words, record, "off");
		is_done = guard_inject(ctx->harness, inject_script, &words, power_timeout_ns, e);
	}
	text_release(&state);
	arena_release(&arena);
	return is_done;
}

static enum confirmation power_confirm(const struct heal_record *record, struct fault_context *ctx,
				       struct text *ret_evidence)
{
	struct text state = { 0 };
	struct err e = { 0 };
	enum confirmation seen = CONFIRM_UNKNOWN;

	if (power_read_back(record, ctx, &state, &e)) {
		const bool is_off = strncmp(text_str(&state), "power: off", 10) == 0;

		seen = is_off ? CONFIRMED : CONFIRM_MISMATCH;
		text_addf(ret_evidence, "%s is %s", record->host->name, is_off ? "off" : "on");
	} else {
		text_add(ret_evidence, e.text);
	}
	text_release(&state);
	return seen;
}

static bool power_heal(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	struct arena arena = { 0 };
	struct words words = { 0 };
	bool is_done;

	if (!has_harness(ctx, e))
		return false;

	undo_words(&words, record, &arena);
	is_done = guard_heal(ctx->harness, undo_script, &words, heal_timeout_ns, e);
	arena_release(&arena);
	return is_done;
}

const struct fault_ops fault_node_power = {
	.name = "node.power",
	.summary = "cut a host's power with the inventory's power commands; heal switches it on",
	.caution = "what the host had not written to its disk is lost",
	.scope = FAULT_ON_HOST,
	.has_heal = true,
	.cuts_target = true,
	.params = power_params,
	.examine = power_examine,
	.plan_heal = power_plan_heal,
	.describe = power_describe,
	.arm = power_arm,
	.renew = power_renew,
	.inject = power_inject,
	.confirm = power_confirm,
	.heal = power_heal,
	.read_back = power_read_back,
};
