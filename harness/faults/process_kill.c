/*
 * process_kill.c - fault "process.kill": a signal to a process, as when it crashes or is killed.
 *
 * Nothing is undone: what brings the process back is the system under test (its service manager, its
 * cluster manager), and read_back shows when it has. No guard is needed for the same reason.
 */
#include "faults/fault.h"

#include "base/clock.h"
#include "faults/process.h"
#include "faults/record.h"
#include "faults/target.h"

static const int64_t kill_timeout_ns = 20 * NS_PER_S;

#define KILL_SIGNALS "KILL|TERM|INT|HUP|QUIT|ABRT|SEGV"

static const struct param kill_params[] = {
	{ .name = "name", .type = PARAM_TEXT, .is_required = true,
	  .help = "name of the process, as ps -o comm= shows it" },
	{ .name = "signal", .type = PARAM_CHOICE, .choices = KILL_SIGNALS,
	  .fallback = "KILL", .help = "signal to send" },
	{ .name = "which", .type = PARAM_CHOICE, .choices = "main|all", .fallback = "main",
	  .help = "main: those whose parent has another name; all: every process of that name" },
	{ 0 },
};

/* Pid and start time are on record before the signal, so confirm knows whom it looks for. */
static const char inject_script[] = SCRIPT_COMMON SCRIPT_PROCESS
	"name=$2 signal=$3 which=$4\n"
	"make_dir\n"
	"find_named \"$name\" \"$which\"\n"
	"[ -n \"$found\" ] || nobody \"$name\"\n"
	": >\"$dir/pids\" || fail \"write $dir/pids: not possible, so nothing was killed\"\n"
	"for pid in $found; do\n"
	"\tlook \"$pid\" && printf '%s %s\\n' \"$pid\" \"$start\" >>\"$dir/pids\"\n"
	"done\n"
	"sent=0\n"
	"while read -r pid began; do\n"
	"\tlives \"$pid\" \"$began\" && kill -s \"$signal\" \"$pid\" && sent=$((sent + 1))\n"
	"done <\"$dir/pids\"\n"
	"[ \"$sent\" -gt 0 ] || fail \"no process named $name could be sent SIG$signal\"\n";

/* A signal other than KILL may take its time, so it is given 5 s. */
static const char confirm_script[] = SCRIPT_COMMON
	"name=$2 signal=$3\n"
	"[ -s \"$dir/pids\" ] || { echo \"no process named $name was sent a signal\"; exit 11; }\n"
	"tries=0\n"
	"while :; do\n"
	"\tleft='' gone=''\n"
	"\twhile read -r pid began; do\n"
	"\t\tif lives \"$pid\" \"$began\"; then left=\"$left $pid\"; else gone=\"$gone $pid\"; fi\n"
	"\tdone <\"$dir/pids\"\n"
	"\t[ -n \"$left\" ] || break\n"
	"\ttries=$((tries + 1))\n"
	"\t[ \"$tries\" -le 100 ] || mismatch \"$name: pid$left still runs 5 s after SIG$signal\"\n"
	"\tsleep 0.05\n"
	"done\n"
	"echo \"$name: pid$gone is gone after SIG$signal\"\n";

static const char heal_script[] = SCRIPT_COMMON
	"if is_ours; then drop_dir; else drop_begun; fi\n";

static const char read_script[] = SCRIPT_COMMON SCRIPT_PROCESS SCRIPT_STATE
	"find_named \"$2\" main\n"
	"# shellcheck disable=SC2086 # split on purpose\n"
	"set -- \"$2\" $found\n"
	"echo \"main processes named $1: $(($# - 1)); record: $(state_there)\"\n";

static const char examine_script[] = SCRIPT_EXAMINE
	"need stat coreutils; need tr coreutils; need_root\n";

static const struct script_row kill_rows[] = {
	{ "process.kill/examine", examine_script, "dir", false },
	{ "process.kill/inject", inject_script, "dir record", false },
	{ "process.kill/confirm", confirm_script, "dir record", false },
	{ "process.kill/heal", heal_script, "dir record", false },
	{ "process.kill/read", read_script, "dir record", false },
	{ 0 },
};

static const struct script_set kill_scripts = {
	.record = "name " KILL_SIGNALS " main|all",
	.rows = kill_rows,
};

static bool kill_examine(const struct fault_request *request, struct fault_context *ctx,
			 struct text *ret_missing, struct err *e)
{
	return target_examine(request, ctx, examine_script, ret_missing, e);
}

static bool kill_plan_heal(const struct fault_request *request, struct arena *arena,
			   struct heal_record *ret_record, struct err *e)
{
	const char *name = params_text(request->with, "name");
	struct heal_record record;

	if (!check_process("process.kill", name, e))
		return false;

	record_begin(request, "process.kill", 4, arena, &record);
	record_add(&record, "name", name, arena);
	record_add(&record, "signal", params_text(request->with, "signal"), arena);
	record_add(&record, "which", params_text(request->with, "which"), arena);
	*ret_record = record;
	return true;
}

static void kill_describe(const struct heal_record *record, struct text *ret_inject,
			  struct text *ret_heal)
{
	text_addf(ret_inject, "kill -%s the %s %s", record_text(record, "signal"),
		  record_text(record, "name"),
		  record_text(record, "which")[0] == 'm' ? "main process" : "processes, every one");
	text_add(ret_heal, "nothing to undo: what runs it starts it again");
}

static bool kill_inject(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return target_run(record, ctx, inject_script, kill_timeout_ns, e);
}

static enum confirmation kill_confirm(const struct heal_record *record, struct fault_context *ctx,
				      struct text *ret_evidence)
{
	return target_confirm(record, ctx, confirm_script, ret_evidence);
}

static bool kill_heal(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return target_run(record, ctx, heal_script, kill_timeout_ns, e);
}

static bool kill_read_back(const struct heal_record *record, struct fault_context *ctx,
			   struct text *ret_state, struct err *e)
{
	return target_read(record, ctx, read_script, ret_state, e);
}

const struct fault_ops fault_process_kill = {
	.name = "process.kill",
	.summary = "send a signal to a process, so that it dies",
	.caution = "the process stays dead unless something on the host starts it again",
	.scope = FAULT_ON_HOST,
	.has_heal = false,
	.params = kill_params,
	.scripts = &kill_scripts,
	.examine = kill_examine,
	.plan_heal = kill_plan_heal,
	.describe = kill_describe,
	.arm = no_guard,
	.renew = no_guard,
	.inject = kill_inject,
	.confirm = kill_confirm,
	.heal = kill_heal,
	.read_back = kill_read_back,
};
