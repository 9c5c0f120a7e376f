/*
 * disk_fill.c - fault "disk.fill": a file system with no more than a stated amount of free space.
 *
 * The space is held by a file that has no name any more: a holder process opens it, unlinks it, and
 * only then makes it large. So the space comes back when anything dies: the holder, the guard (the
 * holder ends with it), the host. There is never a large file with a name.
 *
 * What counts is the space that ordinary users have; the blocks reserved for root stay free.
 */
#include "faults/fault.h"

#include "base/clock.h"
#include "base/units.h"
#include "faults/target.h"

#include <inttypes.h>

static const int64_t fill_timeout_ns = 150 * NS_PER_S;

static const struct param fill_params[] = {
	{ .name = "path", .type = PARAM_PATH, .is_required = true,
	  .help = "mount point of the file system to fill" },
	{ .name = "leave", .type = PARAM_BYTES, .max = INT64_C(1) << 50, .fallback = "1MiB",
	  .help = "space to leave free for ordinary users" },
	{ 0 },
};

#define SCRIPT_FILL                                                                               \
	"path=$2 leave=$3\n"                                                                      \
	"name=${dir#\"$base\"/}; nest=${path%/}/.firedrill-${name%/*}-${name#*/}\n"               \
	"measure() { # sets available, block and size, in bytes\n"                                \
	"\tmeasured=$(stat -f -c '%a %b %S' \"$path\") || fail \"$path cannot be measured\"\n"    \
	"\tblock=${measured##* }; size=${measured% *}; size=$((${size#* } * block))\n"            \
	"\tavailable=$((${measured%% *} * block))\n"                                              \
	"}\n"

/* The file begins in a folder of our own: who may write on that file system could else lay a link to a
   device in its way. Where fallocate is not supported, zeros are written. Half as much is tried when all is too much,
   because the file's own bookkeeping takes blocks as well. */
static const char holder_script[] = SCRIPT_BASE SCRIPT_LOOK SCRIPT_FILL
	"trap '' HUP INT TERM; cd / || exit 1\n"
	"look $$ && put holder \"$$ $start\" || fail \"$dir cannot be written\"\n"
	"mkdir \"$nest\" && cd -P \"$nest\" || fail \"$nest cannot be made\"\n"
	"case $(stat -c '%u %a %d' .) in\n"
	"\"$(id -u) \"*\"700 $(stat -c %d \"$path\")\") ;;\n"
	"*) fail \"$nest is not what was made there\" ;; esac\n"
	"set -C; exec 8>.firedrill-space; set +C\n"
	"rm -f .firedrill-space && cd / && rmdir \"$nest\" || fail \"$nest cannot be removed\"\n"
	"held=/proc/$$/fd/8 step=0 tries=0 way=fallocate\n"
	"while measure; more=$((available - leave)); [ \"$more\" -ge \"$block\" ]; do\n"
	"\ttries=$((tries + 1)); [ \"$tries\" -le 100 ] || break\n"
	"\tif [ \"$step\" -gt 0 ] && [ \"$step\" -lt \"$more\" ]; then more=$step; fi\n"
	"\ttaken=$(($(stat -L -c %b \"$held\") * 512))\n"
	"\tif [ \"$way\" = write ]; then\n"
	"\t\tdd if=/dev/zero bs=\"$block\" count=$((more / block)) >&8 2>/dev/null || break\n"
	"\telif fallocate -o \"$taken\" -l \"$more\" \"$held\" 2>/dev/null; then step=0\n"
	"\telif [ \"$more\" -gt \"$block\" ]; then step=$((more / 2 / block * block))\n"
	"\telif [ \"$taken\" = 0 ]; then way=write step=0\n"
	"\telse break; fi\n"
	"done\n"
	"put filled \"$available\" || exit 1\n"
	"while guard_lives; do sleep 0.3 8>&- || break; done\n";

/* DIR PATH LEAVE HOLDER */
static const char inject_script[] = SCRIPT_BASE SCRIPT_LOOK SCRIPT_FILL
	"holder=$4\n"
	"[ -d \"$path\" ] || refuse \"there is no folder $path there\"\n"
	"mountpoint -q \"$path\" || refuse \"$path is no mount point there; it lies on the file system \\\n"
	"of $(stat -c %m \"$path\"), so write that if it is the one to fill\"\n"
	"[ \"$(stat -c %d \"$path\")\" != \"$(stat -c %d \"$dir\")\" ] ||\n"
	"\trefuse \"the guard keeps its record, $dir, on $path, and needs room there\"\n"
	"measure\n"
	"[ \"$available\" -gt \"$((leave + block))\" ] ||\n"
	"\trefuse \"only $available bytes are free on $path already\"\n"
	"setsid sh -c \"$holder\" firedrill-holder \"$dir\" \"$path\" \"$leave\" </dev/null >\"$dir/log\" 2>&1 &\n"
	"began=$! tries=0\n"
	"until [ -e \"$dir/filled\" ]; do\n"
	"\ttries=$((tries + 1))\n"
	"\tkill -0 \"$began\" 2>/dev/null || fail \"$path could not be filled: $(tail -n 1 \"$dir/log\")\"\n"
	"\t[ \"$tries\" -le 2400 ] || fail \"$path could not be filled within 120 s\"\n"
	"\tsleep 0.05\n"
	"done\n";

/* Others go on writing and deleting: 1 % of the size, at least 1 MiB, may be free beyond `leave`. */
static const char confirm_script[] = SCRIPT_BASE SCRIPT_LOOK SCRIPT_FILL
	"{ read -r pid began <\"$dir/holder\"; } 2>/dev/null && lives \"$pid\" \"$began\" ||\n"
	"\tmismatch \"nobody holds space on $path (any more)\"\n"
	"measure\n"
	"slack=$((size / 100)); [ \"$slack\" -gt 1048576 ] || slack=1048576\n"
	"[ \"$available\" -le $((leave + slack)) ] || mismatch \"$available bytes are free on $path\"\n"
	"echo \"$available of $size bytes are free on $path\"\n";

static const char undo_script[] = SCRIPT_BASE SCRIPT_LOOK SCRIPT_FILL
	"if { read -r pid began <\"$dir/holder\"; } 2>/dev/null && lives \"$pid\" \"$began\"; then\n"
	"\tkill -s KILL -- \"-$pid\" 2>/dev/null || kill -s KILL \"$pid\"\n"
	"\ttries=0\n"
	"\twhile lives \"$pid\" \"$began\"; do\n"
	"\t\ttries=$((tries + 1))\n"
	"\t\t[ \"$tries\" -le 400 ] || fail \"pid $pid, which holds the space, does not die\"\n"
	"\t\tsleep 0.05\n"
	"\tdone\n"
	"fi\n"
	"[ ! -d \"$nest\" ] || [ -L \"$nest\" ] || { rm -f \"$nest/.firedrill-space\"; rmdir \"$nest\"; } || :\n";

static const char read_script[] = SCRIPT_BASE SCRIPT_LOOK SCRIPT_FILL SCRIPT_STATE
	"held=no there=absent\n"
	"if { read -r pid began <\"$dir/holder\"; } 2>/dev/null && lives \"$pid\" \"$began\"; then held=yes; fi\n"
	"[ ! -e \"$nest\" ] || there=present\n"
	"echo \"space held on $path: $held; file $nest: $there; record: $(state_there)\"\n";

static const char examine_script[] = SCRIPT_EXAMINE
	"need fallocate util-linux; need mountpoint util-linux; need dd coreutils; need_root\n";

static const struct script_row fill_rows[] = {
	{ "disk.fill/examine", examine_script, "dir", false },
	{ "disk.fill/undo", undo_script, "dir record", true },
	{ "disk.fill/inject", inject_script, "dir record =disk.fill/holder", true },
	{ "disk.fill/holder", holder_script, "", true },
	{ "disk.fill/confirm", confirm_script, "dir record", false },
	{ "disk.fill/read", read_script, "dir record", false },
	{ 0 },
};

static const struct script_set fill_scripts = {
	.record = "path number",
	.rows = fill_rows,
};

static bool fill_examine(const struct fault_request *request, struct fault_context *ctx,
			 struct text *ret_missing, struct err *e)
{
	return target_examine(request, ctx, examine_script, ret_missing, e);
}

static bool fill_plan_heal(const struct fault_request *request, struct arena *arena,
			   struct heal_record *ret_record, struct err *e)
{
	const int64_t leave_bytes = params_number(request->with, "leave");
	struct heal_record record;
	const char *path;

	if (!check_path("disk.fill", "path", params_text(request->with, "path"), arena, &path, e))
		return false;

	record_begin(request, "disk.fill", 2, arena, &record);
	record_add(&record, "path", path, arena);
	record_add(&record, "leave", arena_format(arena, "%" PRId64, leave_bytes), arena);
	*ret_record = record;
	return true;
}

static void fill_describe(const struct heal_record *record, struct text *ret_inject,
			  struct text *ret_heal)
{
	char amount[UNITS_TEXT_BYTES];
	int64_t leave_bytes = 0;

	(void)units_parse_count(record_text(record, "leave"), &leave_bytes, NULL); /* we wrote it */
	text_addf(ret_inject, "fallocate an unlinked file on %s until %s are free",
		  record_text(record, "path"), units_format_bytes((uint64_t)leave_bytes, amount));
	text_add(ret_heal, "end the process that holds the file open");
}

static bool fill_arm(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return target_arm(record, ctx, undo_script, e);
}

static bool fill_renew(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return target_renew(record, ctx, NULL, e);
}

static bool fill_inject(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return target_inject_with(record, ctx, inject_script, holder_script, fill_timeout_ns, e);
}

static enum confirmation fill_confirm(const struct heal_record *record, struct fault_context *ctx,
				      struct text *ret_evidence)
{
	return target_confirm(record, ctx, confirm_script, ret_evidence);
}

static bool fill_heal(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return target_heal(record, ctx, undo_script, fill_timeout_ns, e);
}

static bool fill_read_back(const struct heal_record *record, struct fault_context *ctx,
			   struct text *ret_state, struct err *e)
{
	return target_read(record, ctx, read_script, ret_state, e);
}

const struct fault_ops fault_disk_fill = {
	.name = "disk.fill",
	.summary = "take the free space of a file system; it comes back when anything dies",
	.caution = "a database may end, not only refuse writes, when its disk is full",
	.scope = FAULT_ON_HOST,
	.has_heal = true,
	.params = fill_params,
	.scripts = &fill_scripts,
	.examine = fill_examine,
	.plan_heal = fill_plan_heal,
	.describe = fill_describe,
	.arm = fill_arm,
	.renew = fill_renew,
	.inject = fill_inject,
	.confirm = fill_confirm,
	.heal = fill_heal,
	.read_back = fill_read_back,
};
