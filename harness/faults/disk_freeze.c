/*
 * disk_freeze.c - fault "disk.freeze": a disk that hangs. Reads from memory go on, every write waits.
 *
 * fsfreeze stops the file system itself, so nothing is lost: when it thaws, the writes go through.
 * Never a file system that the host or the guard needs to breathe; see inject_script for the list.
 *
 * Whether a file system is frozen cannot be asked without freezing it, so confirm does that: it is
 * refused as busy when the freeze is on. read_back does not; heal has the kernel's own word.
 */
#include "faults/fault.h"

#include "base/clock.h"
#include "faults/target.h"

#include <string.h>

/* A freeze first writes out what is dirty, which may take a while. */
static const int64_t freeze_timeout_ns = 90 * NS_PER_S;

static const struct param freeze_params[] = {
	{ .name = "path", .type = PARAM_PATH, .is_required = true,
	  .help = "mount point of the file system to freeze; never one the host needs" },
	{ 0 },
};

/* `on` tells undo that a freeze there may be ours; it goes when the kernel says that none is. */
static const char inject_script[] = SCRIPT_BASE
	"path=$2\n"
	"command -v fsfreeze >/dev/null || fail \"fsfreeze is not installed there; install util-linux\"\n"
	"[ -d \"$path\" ] || refuse \"there is no folder $path there\"\n"
	"mountpoint -q \"$path\" || refuse \"$path is no mount point there; it lies on the file system \\\n"
	"of $(stat -c %m \"$path\")\"\n"
	"device=$(stat -c %d \"$path\") || fail \"$path cannot be looked at\"\n"
	"for needed in / /run /usr /bin /etc /var /tmp /dev \"${HOME:-/root}\" \"$dir\"; do\n"
	"\t[ \"$(stat -L -c %d \"$needed\" 2>/dev/null)\" != \"$device\" ] ||\n"
	"\t\trefuse \"$path is the file system of $needed; freezing it would hang the host and our guard\"\n"
	"done\n"
	"said=$(fsfreeze -f \"$path\" 2>&1) && exit 0\n"
	"rm -f \"$dir/on\"\n"
	"case $said in *[Bb]usy*) refuse \"somebody else has frozen $path already\" ;; esac\n"
	"fail \"$said\"\n";

/* Under the lock, so that the guard does not thaw between the two looks. */
static const char confirm_script[] = SCRIPT_BASE
	"path=$2\n"
	"is_ours && [ -e \"$dir/on\" ] || mismatch \"$path was not frozen by this run\"\n"
	"exec 9>>\"$dir/lock\"; flock -w 5 9 || fail \"the record $dir is locked\"\n"
	"[ ! -e \"$dir/healed\" ] || mismatch \"the guard has thawed $path\"\n"
	"if said=$(fsfreeze -f \"$path\" 2>&1); then\n"
	"\tfsfreeze -u \"$path\"; mismatch \"$path was not frozen (any more)\"\n"
	"fi\n"
	"case $said in *[Bb]usy*) echo \"$path is frozen\" ;; *) fail \"$said\" ;; esac\n";

/* With the record gone under a living guard, nobody knows whether we froze: better to thaw. */
static const char undo_script[] = SCRIPT_BASE
	"path=$2\n"
	"[ ! -e \"$dir/healed\" ] || exit 0\n"
	"[ -e \"$dir/on\" ] || [ \"${FIREDRILL_GONE:-no}\" = yes ] || exit 0\n"
	"mountpoint -q \"$path\" || exit 0\n"
	"said=$(fsfreeze -u \"$path\" 2>&1) && exit 0\n"
	"case $said in *'Invalid argument'*) exit 0 ;; esac\n"
	"fail \"$said\"\n";

static const char read_script[] = SCRIPT_BASE SCRIPT_STATE
	"options=$(MOUNTED=$2 awk '$5 == ENVIRON[\"MOUNTED\"] { seen = $6 } END { print seen }' /proc/self/mountinfo)\n"
	"echo \"mount $2: ${options:-none}; record: $(state_there)\"\n";

static const char examine_script[] = SCRIPT_EXAMINE
	"need fsfreeze util-linux; need mountpoint util-linux; need awk mawk; need_root\n";

static const struct script_row freeze_rows[] = {
	{ "disk.freeze/examine", examine_script, "dir", false },
	{ "disk.freeze/undo", undo_script, "dir record", true },
	{ "disk.freeze/inject", inject_script, "dir record", true },
	{ "disk.freeze/confirm", confirm_script, "dir record", false },
	{ "disk.freeze/read", read_script, "dir record", false },
	{ 0 },
};

static const struct script_set freeze_scripts = {
	.record = "path",
	.rows = freeze_rows,
};

static bool freeze_examine(const struct fault_request *request, struct fault_context *ctx,
			   struct text *ret_missing, struct err *e)
{
	return target_examine(request, ctx, examine_script, ret_missing, e);
}

static bool freeze_plan_heal(const struct fault_request *request, struct arena *arena,
			     struct heal_record *ret_record, struct err *e)
{
	static const char *const never[] = { "/", "/run", "/usr", "/etc", "/var", "/tmp", "/dev" };
	struct heal_record record;
	const char *path;

	if (!check_path("disk.freeze", "path", params_text(request->with, "path"), arena, &path, e))
		return false;
	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		if (strcmp(path, never[i]) == 0)
			return err_set(e, ERR_REFUSED, "disk.freeze: `path: %s` would hang the host "
				       "itself and our guard with it; name the mount point of a data "
				       "disk", path);

	record_begin(request, "disk.freeze", 1, arena, &record);
	record_add(&record, "path", path, arena);
	*ret_record = record;
	return true;
}

static void freeze_describe(const struct heal_record *record, struct text *ret_inject,
			    struct text *ret_heal)
{
	text_addf(ret_inject, "fsfreeze -f %s", record_text(record, "path"));
	text_addf(ret_heal, "fsfreeze -u %s", record_text(record, "path"));
}

static bool freeze_arm(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return target_arm(record, ctx, undo_script, e);
}

static bool freeze_renew(const struct heal_record *record, struct fault_context *ctx,
			 struct err *e)
{
	return target_renew(record, ctx, NULL, e);
}

static bool freeze_inject(const struct heal_record *record, struct fault_context *ctx,
			  struct err *e)
{
	return target_inject(record, ctx, inject_script, freeze_timeout_ns, e);
}

static enum confirmation freeze_confirm(const struct heal_record *record,
					struct fault_context *ctx, struct text *ret_evidence)
{
	return target_confirm(record, ctx, confirm_script, ret_evidence);
}

static bool freeze_heal(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return target_heal(record, ctx, undo_script, freeze_timeout_ns, e);
}

static bool freeze_read_back(const struct heal_record *record, struct fault_context *ctx,
			     struct text *ret_state, struct err *e)
{
	return target_read(record, ctx, read_script, ret_state, e);
}

const struct fault_ops fault_disk_freeze = {
	.name = "disk.freeze",
	.summary = "freeze a file system, as a disk that hangs; heal thaws it and nothing is lost",
	.caution = "a cluster manager that needs no disk keeps its leader: often no failover comes",
	.scope = FAULT_ON_HOST,
	.has_heal = true,
	.params = freeze_params,
	.scripts = &freeze_scripts,
	.examine = freeze_examine,
	.plan_heal = freeze_plan_heal,
	.describe = freeze_describe,
	.arm = freeze_arm,
	.renew = freeze_renew,
	.inject = freeze_inject,
	.confirm = freeze_confirm,
	.heal = freeze_heal,
	.read_back = freeze_read_back,
};
