/*
 * process_pause.c - fault "process.pause": SIGSTOP to processes, as when they hang.
 *
 * The kernel goes on for them: it accepts connections and acknowledges data, so clients see a service
 * that listens and never answers. Heal sends SIGCONT to exactly the processes that were recorded
 * before they were stopped, so one that somebody else had stopped stays so.
 */
#include "faults/fault.h"

#include "base/clock.h"
#include "faults/process.h"
#include "faults/target.h"

static const int64_t pause_timeout_ns = 30 * NS_PER_S;

static const struct param pause_params[] = {
	{ .name = "name", .type = PARAM_TEXT, .is_required = true,
	  .help = "name of the processes, as ps -o comm= shows it" },
	{ .name = "which", .type = PARAM_CHOICE, .choices = "main|all", .fallback = "all",
	  .help = "main: those whose parent has another name; all: every process of that name" },
	{ 0 },
};

/* Again and again until a round finds nobody new: the not yet stopped may have forked meanwhile. */
static const char inject_script[] = SCRIPT_BASE SCRIPT_LOOK SCRIPT_PROCESS
	"name=$2 which=$3\n"
	": >>\"$dir/pids\" || refuse \"$dir/pids cannot be written, so nothing was stopped\"\n"
	"rounds=0 count=0\n"
	"while :; do\n"
	"\tfind_named \"$name\" \"$which\"\n"
	"\tfresh=0\n"
	"\tfor pid in $found; do\n"
	"\t\tlook \"$pid\" || continue\n"
	"\t\tcase $state in T|t) continue ;; esac\n"
	"\t\tgrep -qx \"$pid $start\" \"$dir/pids\" && continue\n"
	"\t\tprintf '%s %s\\n' \"$pid\" \"$start\" >>\"$dir/pids\" ||\n"
	"\t\t\tfail \"$dir/pids cannot be written; stopped $count processes\"\n"
	"\t\tkill -s STOP \"$pid\" || continue\n"
	"\t\tfresh=1 count=$((count + 1))\n"
	"\tdone\n"
	"\t[ \"$fresh\" = 1 ] || break\n"
	"\trounds=$((rounds + 1))\n"
	"\t[ \"$rounds\" -le 50 ] || fail \"$name starts new processes faster than they can be stopped\"\n"
	"done\n"
	"[ \"$count\" -gt 0 ] || nobody \"$name\"\n";

/* A process in the middle of a disk access stops when that ends, so it is given 2 s. */
static const char confirm_script[] = SCRIPT_COMMON
	"name=$2\n"
	"tries=0\n"
	"while :; do\n"
	"\tstopped=0 running=''\n"
	"\twhile read -r pid began; do\n"
	"\t\tlives \"$pid\" \"$began\" || continue\n"
	"\t\tcase $state in T|t) stopped=$((stopped + 1)) ;; *) running=\"$running $pid\" ;; esac\n"
	"\tdone <\"$dir/pids\"\n"
	"\t[ -n \"$running\" ] || break\n"
	"\ttries=$((tries + 1))\n"
	"\t[ \"$tries\" -le 40 ] || mismatch \"$name: pid$running still runs after SIGSTOP\"\n"
	"\tsleep 0.05\n"
	"done 2>/dev/null\n"
	"[ \"$stopped\" -gt 0 ] || mismatch \"$name: no process of ours is stopped (any more)\"\n"
	"echo \"$name: $stopped processes are stopped\"\n";

/* Parents were stopped first and go on last, so that none sees its children as hanging. */
static const char undo_script[] = SCRIPT_COMMON
	"[ -s \"$dir/pids\" ] || exit 0\n"
	"for what in go check; do\n"
	"\ttac \"$dir/pids\" | while read -r pid began; do\n"
	"\t\tlives \"$pid\" \"$began\" || continue\n"
	"\t\tkill -s CONT \"$pid\" 2>/dev/null || :\n"
	"\t\t[ \"$what\" = go ] && continue\n"
	"\t\ttries=0\n"
	"\t\twhile lives \"$pid\" \"$began\" && [ \"$state\" = T ]; do\n"
	"\t\t\ttries=$((tries + 1))\n"
	"\t\t\t[ \"$tries\" -le 40 ] || fail \"pid $pid is still stopped 2 s after SIGCONT\"\n"
	"\t\t\tsleep 0.05\n"
	"\t\tdone\n"
	"\tdone || exit\n"
	"done\n";

static const char read_script[] = SCRIPT_COMMON SCRIPT_PROCESS SCRIPT_STATE
	"find_named \"$2\" all\n"
	"stopped=0\n"
	"for pid in $found; do\n"
	"\tlook \"$pid\" && [ \"$state\" = T ] && stopped=$((stopped + 1))\n"
	"done\n"
	"echo \"stopped processes named $2: $stopped; record: $(state_there)\"\n";

static const char examine_script[] = SCRIPT_EXAMINE
	"need tac coreutils; need grep grep; need_root\n";

static const struct script_row pause_rows[] = {
	{ "process.pause/examine", examine_script, "dir", false },
	{ "process.pause/undo", undo_script, "dir record", true },
	{ "process.pause/inject", inject_script, "dir record", true },
	{ "process.pause/confirm", confirm_script, "dir record", false },
	{ "process.pause/read", read_script, "dir record", false },
	{ 0 },
};

static const struct script_set pause_scripts = {
	.record = "name main|all",
	.rows = pause_rows,
};

static bool pause_examine(const struct fault_request *request, struct fault_context *ctx,
			  struct text *ret_missing, struct err *e)
{
	return target_examine(request, ctx, examine_script, ret_missing, e);
}

static bool pause_plan_heal(const struct fault_request *request, struct arena *arena,
			    struct heal_record *ret_record, struct err *e)
{
	const char *name = params_text(request->with, "name");
	struct heal_record record;

	if (!check_process("process.pause", name, e))
		return false;

	record_begin(request, "process.pause", 2, arena, &record);
	record_add(&record, "name", name, arena);
	record_add(&record, "which", params_text(request->with, "which"), arena);
	*ret_record = record;
	return true;
}

static void pause_describe(const struct heal_record *record, struct text *ret_inject,
			   struct text *ret_heal)
{
	text_addf(ret_inject, "kill -STOP the %s %s", record_text(record, "name"),
		  record_text(record, "which")[0] == 'm' ? "main process" : "processes, every one");
	text_add(ret_heal, "kill -CONT the same processes");
}

static bool pause_arm(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return target_arm(record, ctx, undo_script, e);
}

static bool pause_renew(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return target_renew(record, ctx, NULL, e);
}

static bool pause_inject(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return target_inject(record, ctx, inject_script, pause_timeout_ns, e);
}

static enum confirmation pause_confirm(const struct heal_record *record, struct fault_context *ctx,
				       struct text *ret_evidence)
{
	return target_confirm(record, ctx, confirm_script, ret_evidence);
}

static bool pause_heal(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return target_heal(record, ctx, undo_script, pause_timeout_ns, e);
}

static bool pause_read_back(const struct heal_record *record, struct fault_context *ctx,
			    struct text *ret_state, struct err *e)
{
	return target_read(record, ctx, read_script, ret_state, e);
}

const struct fault_ops fault_process_pause = {
	.name = "process.pause",
	.summary = "stop processes with SIGSTOP, as if they hung; heal lets them go on",
	.caution = "a paused database leader may take the lead back when it goes on, and lose what "
		   "was written meanwhile; count the ledger again after the heal",
	.scope = FAULT_ON_HOST,
	.has_heal = true,
	.params = pause_params,
	.scripts = &pause_scripts,
	.examine = pause_examine,
	.plan_heal = pause_plan_heal,
	.describe = pause_describe,
	.arm = pause_arm,
	.renew = pause_renew,
	.inject = pause_inject,
	.confirm = pause_confirm,
	.heal = pause_heal,
	.read_back = pause_read_back,
};
