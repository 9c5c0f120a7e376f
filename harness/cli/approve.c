/*
 * approve.c - command "approve": a person agrees to exactly this plan, for a while. Touches no host.
 *
 * The approval stands for the two documents, the variables and the reason of an override; any change
 * of these needs new approvals. That a name belongs to whoever types it is not known here; beside it
 * the account is kept.
 */
#include <inttypes.h>

#include "base/random.h"
#include "base/units.h"
#include "cli/claim.h"
#include "cli/plan_view.h"

static const int64_t hour_ns = INT64_C(3600) * NS_PER_S;
static const int64_t shortest_ns = INT64_C(60) * NS_PER_S;
static const int64_t longest_ns = INT64_C(30) * 24 * 3600 * NS_PER_S;

static const struct option_row approve_options[] = {
	BY_OPTION,
	{ "for", "DURATION", "how long the approval holds; default 24h, at most 30d" },
	OVERRIDE_OPTION,
	VAR_OPTION,
	INVENTORY_OPTION,
	STORE_OPTION,
	{ NULL, NULL, NULL },
};

struct approving {
	const struct arguments *arguments;
	struct arena arena;
	struct secrets secrets;
	struct clock clock;
	const struct experiment *experiment;
	struct permit_claim claim;
	int64_t for_ns;
};

static bool read_options(struct approving *approving, struct err *e)
{
	const char *given = arguments_value(approving->arguments, "for");

	approving->for_ns = 24 * hour_ns;
	if (given != NULL && !units_parse_duration(given, &approving->for_ns, e))
		return err_wrap(e, "`--for %s`", given);
	if (approving->for_ns < shortest_ns || approving->for_ns > longest_ns)
		return err_set(e, ERR_INPUT, "`--for %s` is not from 1m to 30d", given);
	return claim_read(approving->arguments, &approving->arena, &approving->claim, e);
}

static int tell(const struct approving *approving, struct store *store, const struct plan *plan,
		int64_t until_wall_ns)
{
	const struct permission_request request = {
		.plan = plan,
		.store = store,
		.clock = &approving->clock,
		.scope = PERMIT_NOW,
		.claim = { .environment = plan->experiment->inventory->policy.environment,
			   .override_reason = approving->claim.override_reason },
	};
	struct permit_answer answer;
	struct arena arena = { 0 };
	struct text line = { 0 };
	char until[32];

	clock_format_wall(until_wall_ns, until, sizeof until);
	text_addf(&line, "%s approves this until %.16sZ", approving->claim.by, until);
	cli_print_line(stdout, &approving->secrets, text_str(&line));
	/* What else stands in the way; to type the environment back is for who runs it. */
	permission_preview(&request, &arena, &answer);
	claim_print_answer(plan, &answer, stdout, &approving->secrets);
	text_release(&line);
	arena_release(&arena);
	return EXIT_MET;
}

static int record(struct approving *approving, const struct plan *plan)
{
	const int64_t now_ns = clock_wall_ns(&approving->clock);
	char digest[HASH_TEXT_BYTES];
	const struct approval_row row = {
		.digest = digest,
		.person = approving->claim.by,
		.account = claim_account(&approving->arena),
		.title = approving->experiment->title,
		.wall_ns = now_ns,
		.until_wall_ns = now_ns + approving->for_ns,
	};
	struct store *store = NULL;
	struct err e = { 0 };
	int code;

	permit_digest(approving->experiment, approving->claim.override_reason, digest);
	if (cli_open_store(approving->arguments, &approving->secrets, &store, &e) &&
	    store_approve(store, &row, &e))
		code = tell(approving, store, plan, row.until_wall_ns);
	else
		code = cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL,
				&approving->secrets, &e);
	store_close(store);
	return code;
}

static int approve(struct approving *approving)
{
	const struct experiment *experiment = approving->experiment;
	struct plan plan;
	char run_id[32];

	run_id_make(&approving->clock, run_id, sizeof run_id);

	const uint64_t seed = experiment->has_seed ? experiment->seed : random_fresh_seed();
	const int code = plan_view_build(experiment, run_id, seed, &approving->arena,
					 &approving->secrets, &plan);

	if (code != -1)
		return code;
	if (experiment->inventory->policy.approval_count == 0)
		return cli_fail_text(EXIT_NOT_RUN,
				     "the policy in %s asks for no approvals (`approvals: 2` would); "
				     "nothing was recorded", experiment->inventory_path);
	plan_view_print(&plan, stdout, &approving->secrets);
	return record(approving, &plan);
}

static int run_approve(const struct arguments *arguments)
{
	struct approving approving = { .arguments = arguments, .clock = clock_system() };
	struct err e = { 0 };
	int code = EXIT_NOT_RUN;

	if (!read_options(&approving, &e))
		code = cli_fail(EXIT_NOT_RUN, NULL, &e);
	else if (cli_load(arguments, arguments->words[0], false, &approving.arena,
			  &approving.secrets, &approving.experiment))
		code = approve(&approving);
	secrets_release(&approving.secrets);
	arena_release(&approving.arena);
	return code;
}

const struct verb verb_approve = {
	.name = "approve",
	.arguments = "EXPERIMENT",
	.word_min = 1,
	.word_max = 1,
	.summary = "agree to exactly this plan, for a while, where the policy wants people to",
	.example = "firedrill approve experiments/db-failover.yaml --by anna --for 24h",
	.options = approve_options,
	.run = run_approve,
};
