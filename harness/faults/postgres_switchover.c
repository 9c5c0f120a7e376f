/*
 * postgres_switchover.c - fault "postgres.switchover": ask Patroni to move the lead, in good order.
 *
 * It runs curl(1) on a member, because Patroni's REST API is often reachable only there. No TLS and no
 * password for that API: a cluster that wants them answers with an error, and nothing is moved.
 * Nothing is undone: the new leader is as good as the old one.
 */
#include "faults/fault.h"

#include "base/clock.h"
#include "base/json.h"
#include "faults/record.h"
#include "faults/script.h"
#include "faults/target.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const int64_t ask_timeout_ns = 15 * NS_PER_S;
/* Patroni answers when the new leader has taken over, or when that did not happen in time. */
static const int64_t move_timeout_ns = 90 * NS_PER_S;
static const int64_t settle_ns = 10 * NS_PER_S;

static const struct param switchover_params[] = {
	{ .name = "candidate", .type = PARAM_TEXT,
	  .help = "Patroni's name of the member that shall lead; without it Patroni chooses" },
	{ 0 },
};

static const char note_script[] = SCRIPT_BASE SCRIPT_DIR
	"make_dir; put leader \"$2\" || fail \"$dir cannot be written, so nothing was moved\"\n";

static const char recall_script[] = SCRIPT_BASE
	"cat \"$dir/leader\" 2>/dev/null || fail \"there is no note of the former leader in $dir\"\n";

static const char forget_script[] = SCRIPT_BASE SCRIPT_DIR
	"if is_ours; then drop_dir; else drop_begun; fi\n";

/* What /cluster says, as far as it matters here. */
struct cluster {
	char leader[256]; /* "" when there is none */
	size_t leader_count;
	size_t follower_count;
	size_t member_count;
};

static struct remote *any_way(const struct fault_context *ctx)
{
	return ctx->target != NULL ? ctx->target : ctx->harness;
}

static bool has_way(const struct heal_record *record, const struct fault_context *ctx,
		    struct err *e)
{
	return any_way(ctx) != NULL || err_set(e, ERR_REMOTE, "%s on %s: the host cannot be reached",
					       record->fault, record->host->name);
}

/* Runs a script with the record's directory and, unless NULL, one word more. */
static bool run_note(const struct heal_record *record, struct fault_context *ctx,
		     const char *script, const char *word, struct text *ret_out, struct err *e)
{
	struct arena arena = { 0 };
	struct words words = { 0 };
	bool is_done;

	words_add(&words, record_dir(record, &arena));
	if (word != NULL)
		words_add(&words, word);
	is_done = script_run(any_way(ctx), script, &words, ask_timeout_ns, ret_out, e);
	arena_release(&arena);
	return is_done;
}

/* One request; body NULL is a GET. *ret_body gets the answer of a 200. */
static bool ask_patroni(const struct heal_record *record, struct fault_context *ctx,
			const char *path, const char *body, struct text *ret_body, struct err *e)
{
	struct arena arena = { 0 };
	struct reply reply = { 0 };
	const char *url = arena_format(&arena, "%s%s", record_text(record, "url"), path);
	const char *get[] = { "curl", "-sS", "--noproxy", "*", "-m", "10", "-w", "\n%{http_code}",
			      url, NULL };
	const char *post[] = { "curl", "-sS", "--noproxy", "*", "-m", "80", "-w", "\n%{http_code}",
			       "-H", "Content-Type: application/json", "-d", body, url, NULL };
	const struct command command = {
		.argv = body == NULL ? get : post,
		.timeout_ns = body == NULL ? ask_timeout_ns : move_timeout_ns,
	};
	bool is_done = remote_run(any_way(ctx), &command, &reply, e);

	if (is_done) {
		const char *out = text_str(&reply.out);
		const char *status = strrchr(out, '\n');

		if (status != NULL && strcmp(status, "\n200") == 0)
			text_add_bytes(ret_body, out, (size_t)(status - out));
		else
			is_done = err_set(e, ERR_REMOTE, "Patroni at %s answered %.300s", url, out);
	}
	reply_release(&reply);
	arena_release(&arena);
	return is_done;
}

/* Reads one member of /cluster. Newer Patronis call a healthy replica "streaming". */
static void count_member(const struct json *member, struct cluster *cluster)
{
	const char *name = json_text_of(json_get(member, "name"));
	const char *role = json_text_of(json_get(member, "role"));
	const char *state = json_text_of(json_get(member, "state"));

	cluster->member_count++;
	if (name == NULL || role == NULL || state == NULL)
		return;
	if (strcmp(state, "running") != 0 && strcmp(state, "streaming") != 0)
		return;
	if (strcmp(role, "leader") != 0 && strcmp(role, "standby_leader") != 0 &&
	    strcmp(role, "master") != 0) {
		cluster->follower_count++;
		return;
	}
	cluster->leader_count++;
	if (strlen(name) < sizeof cluster->leader)
		memcpy(cluster->leader, name, strlen(name) + 1);
}

static bool read_cluster(const struct heal_record *record, struct fault_context *ctx,
			 struct cluster *ret_cluster, struct err *e)
{
	struct text body = { 0 };
	struct json *root = NULL;
	struct cluster cluster = { 0 };
	bool is_done = ask_patroni(record, ctx, "/cluster", NULL, &body, e) &&
		       json_parse(text_str(&body), body.length_bytes, &root, e);

	if (is_done) {
		const struct json *members = json_get(root, "members");

		for (size_t i = 0; members != NULL && i < json_count(members); i++)
			count_member(json_at(members, i), &cluster);
		if (cluster.member_count == 0)
			is_done = err_set(e, ERR_REMOTE, "Patroni at %s lists no members",
					  record_text(record, "url"));
	}
	if (is_done)
		*ret_cluster = cluster;
	json_release(root);
	text_release(&body);
	return is_done;
}

static const char examine_script[] = SCRIPT_EXAMINE "need curl curl\n";

static const struct script_row switchover_rows[] = {
	{ "postgres.switchover/examine", examine_script, "dir", false },
	{ "postgres.switchover/note", note_script, "dir note", false },
	{ "postgres.switchover/recall", recall_script, "dir", false },
	{ "postgres.switchover/forget", forget_script, "dir", false },
	{ 0 },
};

static const struct script_set switchover_scripts = {
	.rows = switchover_rows,
};

static bool has_patroni(const struct fault_request *request)
{
	for (size_t i = 0; i < request->inventory->service_count; i++) {
		const struct service *service = &request->inventory->services[i];

		for (size_t j = 0; service->patroni_port != 0 && j < service->member_count; j++)
			if (service->members[j] == request->host)
				return true;
	}
	return false;
}

static bool switchover_examine(const struct fault_request *request, struct fault_context *ctx,
			       struct text *ret_missing, struct err *e)
{
	if (!has_patroni(request))
		text_add(ret_missing, "no service with `patroni:` has it as a member\n");
	return target_examine(request, ctx, examine_script, ret_missing, e);
}

static bool switchover_plan_heal(const struct fault_request *request, struct arena *arena,
				 struct heal_record *ret_record, struct err *e)
{
	const char *candidate = params_text(request->with, "candidate");
	const char *address = request->host->address;
	struct heal_record record;

	if (request->service == NULL || request->service->patroni_port == 0)
		return err_set(e, ERR_INPUT, "postgres.switchover: `on` must name a service whose "
			       "inventory row says `patroni: { port: 8008 }`");
	if (candidate != NULL && !check_word("postgres.switchover", "candidate", candidate, e))
		return false;
	if (address == NULL)
		address = "127.0.0.1";

	const bool is_v6 = strchr(address, ':') != NULL;

	record_begin(request, "postgres.switchover", 2, arena, &record);
	record_add(&record, "url",
		   arena_format(arena, "http://%s%s%s:%" PRIu16, is_v6 ? "[" : "", address,
				is_v6 ? "]" : "", request->service->patroni_port), arena);
	if (candidate != NULL)
		record_add(&record, "candidate", candidate, arena);
	*ret_record = record;
	return true;
}

static void switchover_describe(const struct heal_record *record, struct text *ret_inject,
				struct text *ret_heal)
{
	const char *candidate = heal_record_field(record, "candidate");

	text_addf(ret_inject, "POST %s/switchover: the lead goes to %s", record_text(record, "url"),
		  candidate != NULL ? candidate : "whom Patroni chooses");
	text_add(ret_heal, "nothing to undo: the new leader stays");
}

static bool switchover_inject(const struct heal_record *record, struct fault_context *ctx,
			      struct err *e)
{
	const char *candidate = heal_record_field(record, "candidate");
	struct cluster cluster = { 0 };
	struct text body = { 0 };
	struct text said = { 0 };
	bool is_done;

	if (!has_way(record, ctx, e) || !read_cluster(record, ctx, &cluster, e))
		return false;
	if (cluster.leader_count != 1)
		return err_set(e, ERR_REFUSED, "postgres.switchover: the cluster has %zu leaders, not 1",
			       cluster.leader_count);
	if (candidate != NULL && strcmp(candidate, cluster.leader) == 0)
		return err_set(e, ERR_REFUSED, "postgres.switchover: %s leads already", candidate);
	if (!run_note(record, ctx, note_script, cluster.leader, NULL, e))
		return false;

	struct json *request = json_object();

	json_put_text(request, "leader", cluster.leader);
	if (candidate != NULL)
		json_put_text(request, "candidate", candidate);
	json_print(request, false, &body);
	json_release(request);
	is_done = ask_patroni(record, ctx, "/switchover", text_str(&body), &said, e);
	text_release(&body);
	text_release(&said);
	return is_done;
}

/* For a moment there may be no leader at all, so it asks until there is one or 10 s are over. */
static enum confirmation switchover_confirm(const struct heal_record *record,
					    struct fault_context *ctx, struct text *ret_evidence)
{
	struct cluster cluster = { 0 };
	struct text former = { 0 };
	struct err e = { 0 };
	enum confirmation seen = CONFIRM_UNKNOWN;

	if (!has_way(record, ctx, &e) || !run_note(record, ctx, recall_script, NULL, &former, &e)) {
		text_add(ret_evidence, e.text);
		text_release(&former);
		return CONFIRM_UNKNOWN;
	}

	const int64_t deadline_ns = clock_now_ns(ctx->clock) + settle_ns;
	bool is_read = read_cluster(record, ctx, &cluster, &e);

	while (is_read && cluster.leader_count == 0 && clock_now_ns(ctx->clock) < deadline_ns) {
		clock_sleep_until_ns(ctx->clock, clock_now_ns(ctx->clock) + NS_PER_S / 4);
		is_read = read_cluster(record, ctx, &cluster, &e);
	}
	if (!is_read) {
		text_add(ret_evidence, e.text);
	} else {
		const size_t length = strcspn(text_str(&former), "\n");
		const bool is_same = strlen(cluster.leader) == length &&
				     strncmp(cluster.leader, text_str(&former), length) == 0;

		seen = cluster.leader_count == 1 && !is_same ? CONFIRMED : CONFIRM_MISMATCH;
		text_addf(ret_evidence, "the leader was %.*s and is %s", (int)length,
			  text_str(&former), cluster.leader_count == 1 ? cluster.leader : "nobody");
	}
	text_release(&former);
	return seen;
}

static bool switchover_heal(const struct heal_record *record, struct fault_context *ctx,
			    struct err *e)
{
	return has_way(record, ctx, e) && run_note(record, ctx, forget_script, NULL, NULL, e);
}

static bool switchover_read_back(const struct heal_record *record, struct fault_context *ctx,
				 struct text *ret_state, struct err *e)
{
	struct cluster cluster = { 0 };

	if (!has_way(record, ctx, e) || !read_cluster(record, ctx, &cluster, e))
		return false;
	text_addf(ret_state, "leader: %zu, healthy followers: %zu, members: %zu",
		  cluster.leader_count, cluster.follower_count, cluster.member_count);
	return true;
}

const struct fault_ops fault_postgres_switchover = {
	.name = "postgres.switchover",
	.summary = "ask Patroni to hand the lead to another member",
	.scope = FAULT_ON_SERVICE,
	.has_heal = false,
	.params = switchover_params,
	.scripts = &switchover_scripts,
	.examine = switchover_examine,
	.plan_heal = switchover_plan_heal,
	.describe = switchover_describe,
	.arm = no_guard,
	.renew = no_guard,
	.inject = switchover_inject,
	.confirm = switchover_confirm,
	.heal = switchover_heal,
	.read_back = switchover_read_back,
};
