/*
 * service_stop.c - fault "service.stop": an orderly stop of a systemd unit, as an operator would.
 *
 * Whether the unit was running is written down on the target before the stop, and heal starts it only
 * then. After a reboot that note is gone: an enabled unit starts by itself, and read_back tells when
 * one did not. A unit that something else starts again (a socket, a timer) shows as a mismatch.
 */
#include "faults/fault.h"

#include "base/clock.h"
#include "faults/target.h"

#include <ctype.h>
#include <string.h>

/* systemd itself gives a unit 90 s to stop before it kills it. */
static const int64_t stop_timeout_ns = 120 * NS_PER_S;

static const struct param stop_params[] = {
	{ .name = "unit", .type = PARAM_TEXT, .is_required = true,
	  .help = "the unit, as systemctl knows it" },
	{ 0 },
};

static const char inject_script[] = SCRIPT_BASE
	"unit=$2\n"
	"command -v systemctl >/dev/null || fail \"systemctl is not there; this fault needs systemd\"\n"
	"loaded=$(systemctl show -p LoadState --value -- \"$unit\" 2>&1) || fail \"$loaded\"\n"
	"[ \"$loaded\" = loaded ] || refuse \"there is no unit $unit there ($loaded)\"\n"
	"active=$(systemctl is-active -- \"$unit\") || :\n"
	"[ \"$active\" = active ] || refuse \"the unit $unit is $active, so stopping it tests nothing\"\n"
	"put before active || refuse \"$dir cannot be written, so nothing was stopped\"\n"
	"said=$(timeout 100 systemctl stop -- \"$unit\" 2>&1) || fail \"systemctl stop $unit: $said\"\n";

static const char confirm_script[] = SCRIPT_BASE
	"[ -e \"$dir/before\" ] || mismatch \"the unit $2 was not stopped by this run\"\n"
	"tries=0\n"
	"while :; do\n"
	"\tactive=$(systemctl show -p ActiveState --value -- \"$2\" 2>&1) || fail \"$active\"\n"
	"\t[ \"$active\" = deactivating ] && [ \"$tries\" -lt 40 ] || break\n"
	"\ttries=$((tries + 1)); sleep 0.05\n"
	"done\n"
	"case $active in\n"
	"inactive|failed) echo \"the unit $2 is $active\" ;;\n"
	"*) mismatch \"the unit $2 is $active\" ;;\n"
	"esac\n";

/* A unit that was started too often lately is refused by systemd until that count is reset. */
static const char undo_script[] = SCRIPT_BASE
	"[ \"$(cat \"$dir/before\" 2>/dev/null)\" = active ] || exit 0\n"
	"if ! said=$(timeout 100 systemctl start -- \"$2\" 2>&1); then\n"
	"\tsystemctl reset-failed -- \"$2\" 2>/dev/null || :\n"
	"\tsaid=$(timeout 10 systemctl start -- \"$2\" 2>&1) || fail \"systemctl start $2: $said\"\n"
	"fi\n"
	"active=$(systemctl is-active -- \"$2\") || fail \"the unit $2 is $active after its start\"\n";

static const char read_script[] = SCRIPT_BASE SCRIPT_STATE
	"state=$(systemctl show -p LoadState -p ActiveState -p SubState -p UnitFileState -- \"$2\" 2>&1) ||\n"
	"\tfail \"systemctl show $2: $state\"\n"
	"echo \"unit $2: $(printf '%s\\n' \"$state\" | paste -s -d ' ' -); record: $(state_there)\"\n";

static const char examine_script[] = SCRIPT_EXAMINE
	"need timeout coreutils; need paste coreutils; need_root\n"
	"if ! command -v systemctl >/dev/null; then echo 'systemctl is not there; this fault needs systemd'\n"
	"elif ! systemctl show -p Version >/dev/null 2>&1; then echo 'systemd does not answer there'; fi\n";

static const struct script_row stop_rows[] = {
	{ "service.stop/examine", examine_script, "dir", false },
	{ "service.stop/undo", undo_script, "dir record", true },
	{ "service.stop/inject", inject_script, "dir record", true },
	{ "service.stop/confirm", confirm_script, "dir record", false },
	{ "service.stop/read", read_script, "dir record", false },
	{ 0 },
};

static const struct script_set stop_scripts = {
	.record = "unit",
	.rows = stop_rows,
};

static bool stop_examine(const struct fault_request *request, struct fault_context *ctx,
			 struct text *ret_missing, struct err *e)
{
	return target_examine(request, ctx, examine_script, ret_missing, e);
}

static bool stop_plan_heal(const struct fault_request *request, struct arena *arena,
			   struct heal_record *ret_record, struct err *e)
{
	const char *unit = params_text(request->with, "unit");
	struct heal_record record;

	if (!check_word("service.stop", "unit", unit, e))
		return false;
	for (const char *at = unit; *at != '\0'; at++)
		if (!isalnum((unsigned char)*at) && strchr(":-_.\\@", *at) == NULL)
			return err_set(e, ERR_INPUT, "service.stop: `unit: %s` holds \"%c\", which no "
				       "unit has; write one unit, like nginx.service", unit, *at);

	record_begin(request, "service.stop", 1, arena, &record);
	record_add(&record, "unit", unit, arena);
	*ret_record = record;
	return true;
}

static void stop_describe(const struct heal_record *record, struct text *ret_inject,
			  struct text *ret_heal)
{
	text_addf(ret_inject, "systemctl stop %s", record_text(record, "unit"));
	text_addf(ret_heal, "systemctl start %s", record_text(record, "unit"));
}

static bool stop_arm(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return target_arm(record, ctx, undo_script, e);
}

static bool stop_renew(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return target_renew(record, ctx, NULL, e);
}

static bool stop_inject(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return target_inject(record, ctx, inject_script, stop_timeout_ns, e);
}

static enum confirmation stop_confirm(const struct heal_record *record, struct fault_context *ctx,
				      struct text *ret_evidence)
{
	return target_confirm(record, ctx, confirm_script, ret_evidence);
}

static bool stop_heal(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return target_heal(record, ctx, undo_script, stop_timeout_ns, e);
}

static bool stop_read_back(const struct heal_record *record, struct fault_context *ctx,
			   struct text *ret_state, struct err *e)
{
	return target_read(record, ctx, read_script, ret_state, e);
}

const struct fault_ops fault_service_stop = {
	.name = "service.stop",
	.summary = "stop a systemd unit in an orderly way; heal starts it",
	.scope = FAULT_ON_HOST,
	.has_heal = true,
	.params = stop_params,
	.scripts = &stop_scripts,
	.examine = stop_examine,
	.plan_heal = stop_plan_heal,
	.describe = stop_describe,
	.arm = stop_arm,
	.renew = stop_renew,
	.inject = stop_inject,
	.confirm = stop_confirm,
	.heal = stop_heal,
	.read_back = stop_read_back,
};
