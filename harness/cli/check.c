/*
 * check.c - command "check": every problem of one or more experiments at once. Reads no secret.
 *
 * What only the faults themselves can tell (a port that is none, a path that may not be frozen)
 * comes out when the plan is made, so it is made here too: what is called fine here, `plan` and
 * `run` take.
 */
#include "base/random.h"
#include "cli/claim.h"
#include "cli/plan_view.h"

static const struct option_row check_options[] = {
	VAR_OPTION,
	INVENTORY_OPTION,
	{ NULL, NULL, NULL },
};

/* What the policy refuses on any day; windows, approvals and the like are `plan`'s. */
static bool check_policy(const struct plan *plan, const struct clock *clock, struct arena *arena)
{
	const struct permission_request request = { .plan = plan,
						    .clock = clock,
						    .scope = PERMIT_STANDING };
	struct permit_answer answer;

	permission_preview(&request, arena, &answer);
	for (size_t i = 0; i < answer.refusal_count; i++)
		(void)cli_fail_text(EXIT_NOT_RUN, "%s: %s", plan->experiment->source_path,
				    answer.refusals[i].text);
	return answer.is_permitted;
}

static bool check_plan(const struct experiment *experiment, const char *path, struct arena *arena)
{
	const struct clock clock = clock_system();
	struct text line = { 0 };
	struct plan plan;
	char run_id[32];

	run_id_make(&clock, run_id, sizeof run_id);

	const uint64_t seed = experiment->has_seed ? experiment->seed : random_fresh_seed();

	if (plan_view_build(experiment, run_id, seed, arena, NULL, &plan) != -1 ||
	    !check_policy(&plan, &clock, arena))
		return false;
	text_addf(&line, "%s: fine", path);
	cli_print_line(stdout, NULL, text_str(&line));
	text_release(&line);
	return true;
}

static int run_check(const struct arguments *arguments)
{
	int code = EXIT_MET;

	for (size_t i = 0; i < arguments->word_count; i++) {
		const struct experiment *experiment;
		struct arena arena = { 0 };
		struct secrets secrets = { 0 };

		if (!cli_load(arguments, arguments->words[i], false, &arena, &secrets, &experiment) ||
		    !check_plan(experiment, arguments->words[i], &arena))
			code = EXIT_NOT_RUN;
		secrets_release(&secrets);
		arena_release(&arena);
	}
	return code;
}

const struct verb verb_check = {
	.name = "check",
	.arguments = "EXPERIMENT...",
	.word_min = 1,
	.word_max = ARGUMENTS_MAX,
	.summary = "read experiments and inventories; list every problem with its place",
	.example = "firedrill check experiments/db-failover.yaml",
	.options = check_options,
	.run = run_check,
};
