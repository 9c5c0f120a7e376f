/*
 * plan.c - command "plan": who would be hit, by what exactly, and what undoes it. Touches nothing.
 */
#include <inttypes.h>
#include <string.h>

#include "base/random.h"
#include "base/units.h"
#include "cli/claim.h"
#include "cli/plan_view.h"
#include "engine/stop.h"

static const struct option_row plan_options[] = {
	VAR_OPTION,
	INVENTORY_OPTION,
	{ "seed", "NUMBER", "of the random choices" },
	STORE_OPTION,
	BY_OPTION,
	CONFIRM_OPTION,
	OVERRIDE_OPTION,
	{ NULL, NULL, NULL },
};

struct plan_problems {
	const struct secrets *secrets;
	bool is_wrong; /* else all of them are refusals of what could be done */
};

static void print_problem(void *ctx, struct mark at, const struct err *e)
{
	struct plan_problems *problems = ctx;
	struct text text = { 0 };

	if (e->kind != ERR_REFUSED)
		problems->is_wrong = true;
	problem_print(&(struct problem){ .mark = at, .text = e->text }, &text);
	cli_print_line(stderr, problems->secrets, text_str(&text));
	text_release(&text);
}

int plan_view_build(const struct experiment *experiment, const char *run_id, uint64_t seed,
		    struct arena *arena, const struct secrets *secrets, struct plan *ret_plan)
{
	struct plan_problems problems = { .secrets = secrets };

	if (plan_build_telling(experiment, run_id, seed, arena, ret_plan, print_problem, &problems))
		return -1;
	return problems.is_wrong ? EXIT_NOT_RUN : EXIT_NOT_STARTED;
}

/* A command that spans lines is shown line by line, under its first one. */
static void print_block(FILE *stream, const struct secrets *secrets, const char *label,
			const char *block)
{
	struct text first = { 0 };
	struct text line = { 0 };

	while (*block != '\0') {
		const size_t length = strcspn(block, "\n");

		text_addf(&first, "      %-8s", label);
		text_add_bytes(&line, block, length);
		cli_print_wrapped(stream, secrets, text_str(&first), first.length_bytes,
				  text_str(&line));
		text_clear(&first);
		text_clear(&line);
		label = "";
		block += length + (block[length] == '\n' ? 1 : 0);
	}
	text_release(&first);
	text_release(&line);
}

static void print_step(const struct plan_step *planned, FILE *stream,
		       const struct secrets *secrets)
{
	const struct step *step = planned->step;
	char at[UNITS_TEXT_BYTES];
	char hold[UNITS_TEXT_BYTES];
	struct text line = { 0 };

	text_addf(&line, "step %" PRIu32 "  %s  %s after the baseline", step->index, step->fault,
		  units_format_duration(step->at_ns, at));
	if (step->hold_ns > 0)
		text_addf(&line, ", healed after %s", units_format_duration(step->hold_ns, hold));
	cli_print_wrapped(stream, secrets, "  ", 4, text_str(&line));
	text_clear(&line);
	if (!planned->is_resolved) {
		text_addf(&line, "one or more of these, %s", planned->note);
		cli_print_wrapped(stream, secrets, "    ", 6, text_str(&line));
	}
	for (size_t i = 0; i < planned->target_count; i++) {
		cli_print_wrapped(stream, secrets, "    ", 6, planned->targets[i].host->name);
		print_block(stream, secrets, "inject", planned->targets[i].inject);
		print_block(stream, secrets, "heal", planned->targets[i].heal);
	}
	text_release(&line);
}

static void print_promises(const struct experiment *experiment, FILE *stream)
{
	const struct objectives *objectives = &experiment->objectives;
	char text[UNITS_TEXT_BYTES];

	if (objectives->has_rto)
		(void)fprintf(stream, "  rto at most %s\n",
			      units_format_duration(objectives->rto_ns, text));
	if (objectives->has_rpo)
		(void)fprintf(stream, "  rpo at most %s\n",
			      units_format_duration(objectives->rpo_ns, text));
	if (objectives->has_availability)
		(void)fprintf(stream, "  availability at least %s\n",
			      units_format_percent(objectives->availability_ppm, text));
}

static void print_latencies(const int64_t targets_ns[PERCENTILE_COUNT], const char *when,
			    FILE *stream)
{
	char text[UNITS_TEXT_BYTES];

	for (size_t i = 0; i < PERCENTILE_COUNT; i++)
		if (targets_ns[i] != 0)
			(void)fprintf(stream, "  latency %s %s the fault at most %s\n",
				      percentile_word((enum percentile)i), when,
				      units_format_duration(targets_ns[i], text));
}

static void print_shares(const struct share_objective *share, const char *name, const char *most,
			 FILE *stream)
{
	char text[UNITS_TEXT_BYTES];

	if (share->has_after)
		(void)fprintf(stream, "  %s after the fault %s %s\n", name, most,
			      units_format_percent(share->after_ppm, text));
	if (share->has_during)
		(void)fprintf(stream, "  %s during the fault %s %s\n", name, most,
			      units_format_percent(share->during_ppm, text));
}

static void print_service_promises(const struct objectives *objectives, FILE *stream)
{
	const struct degraded_objective *degraded = &objectives->degraded;
	char over[UNITS_TEXT_BYTES];
	char text[UNITS_TEXT_BYTES];

	print_latencies(objectives->latency.after_ns, "after", stream);
	print_latencies(objectives->latency.during_ns, "during", stream);
	print_shares(&objectives->error_rate, "error rate", "at most", stream);
	print_shares(&objectives->throughput, "throughput kept", "at least", stream);
	if (degraded->is_declared)
		(void)fprintf(stream, "  down or over %s for at most %s\n",
			      units_format_duration(degraded->over_ns, over),
			      units_format_duration(degraded->target_ns, text));
}

static void print_vantage_points(const struct experiment *experiment, FILE *stream,
				 const struct secrets *secrets)
{
	for (size_t i = 0; i < experiment->vantage_point_count; i++) {
		const struct vantage_point *point = &experiment->vantage_points[i];
		struct text line = { 0 };

		text_addf(&line, "%s:", point->name);
		for (size_t n = 0; n < point->label_count; n++)
			text_addf(&line, "%s %s", n == 0 ? " a worker with" : ",", point->labels[n]);
		if (point->is_optional)
			text_add(&line, "; the run does without it if need be");
		cli_print_wrapped(stream, secrets, "  also seen from ", 18, text_str(&line));
		text_release(&line);
	}
}

static void print_stops(const struct experiment *experiment, FILE *stream,
			const struct secrets *secrets)
{
	char limit[UNITS_TEXT_BYTES];
	struct text line = { 0 };

	text_addf(&line, "stops and heals everything after %s",
		  units_format_duration(experiment->run_at_most_ns, limit));
	cli_print_wrapped(stream, secrets, "  ", 4, text_str(&line));
	for (size_t i = 0; i < experiment->stop_condition_count; i++) {
		text_clear(&line);
		stop_tell(&experiment->stop_conditions[i], &line);
		cli_print_wrapped(stream, secrets, "  or as soon as ", 17, text_str(&line));
	}
	text_release(&line);
}

void plan_view_print(const struct plan *plan, FILE *stream, const struct secrets *secrets)
{
	const struct experiment *experiment = plan->experiment;
	char text[UNITS_TEXT_BYTES];

	cli_print_wrapped(stream, secrets, "", 0, experiment->title);
	if (experiment->hypothesis != NULL)
		cli_print_wrapped(stream, secrets, "", 0, experiment->hypothesis);
	print_promises(experiment, stream);
	print_service_promises(&experiment->objectives, stream);
	(void)fprintf(stream, "  seed %" PRIu64 ", guards heal after %s without us\n", plan->seed,
		      units_format_duration(experiment->lease_ns, text));
	print_vantage_points(experiment, stream, secrets);
	print_stops(experiment, stream, secrets);
	for (size_t i = 0; i < plan->step_count; i++)
		print_step(&plan->steps[i], stream, secrets);
	if (plan->step_count == 0)
		(void)fputs("  no steps: the run only watches\n", stream);
	for (size_t i = 0; i < plan->caution_count; i++)
		cli_print_wrapped(stream, secrets, "  caution: ", 11, plan->cautions[i]);
}

/* Whether it would be permitted now, as far as a look at the store tells; no store is made. */
static int show_permission(const struct arguments *arguments, const struct plan *plan,
			   const struct secrets *secrets)
{
	const struct clock clock = clock_system();
	struct permission_request request = { .plan = plan, .clock = &clock, .scope = PERMIT_NOW };
	struct permit_answer answer;
	struct arena arena = { 0 };
	struct store *store = NULL;
	struct err e = { 0 };
	int code = EXIT_MET;

	if (claim_read(arguments, &arena, &request.claim, &e) &&
	    cli_open_kept(arguments, &store, &e)) {
		request.store = store;
		permission_preview(&request, &arena, &answer);
		claim_print_answer(plan, &answer, stdout, secrets);
	} else {
		code = cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, secrets, &e);
	}
	store_close(store);
	arena_release(&arena);
	return code;
}

static int run_plan(const struct arguments *arguments)
{
	const char *given = arguments_value(arguments, "seed");
	const struct clock clock = clock_system();
	const struct experiment *experiment;
	struct arena arena = { 0 };
	struct secrets secrets = { 0 };
	struct plan plan;
	struct err e = { 0 };
	char run_id[32];
	int64_t seed = 0;
	int code = EXIT_NOT_RUN;

	run_id_make(&clock, run_id, sizeof run_id);
	if (given != NULL && (!units_parse_count(given, &seed, &e) || seed < 0))
		code = cli_fail_text(EXIT_NOT_RUN, "`--seed %s` is no whole number from 0 on",
				     given);
	else if (cli_load(arguments, arguments->words[0], false, &arena, &secrets, &experiment)) {
		if (given == NULL)
			seed = (int64_t)(experiment->has_seed ? experiment->seed
							      : random_fresh_seed());
		code = plan_view_build(experiment, run_id, (uint64_t)seed, &arena, &secrets, &plan);
		if (code == -1) {
			plan_view_print(&plan, stdout, &secrets);
			code = show_permission(arguments, &plan, &secrets);
		}
	}
	secrets_release(&secrets);
	arena_release(&arena);
	return code;
}

const struct verb verb_plan = {
	.name = "plan",
	.arguments = "EXPERIMENT",
	.word_min = 1,
	.word_max = 1,
	.summary = "show who would be hit, by which commands, and what heals it",
	.example = "firedrill plan experiments/db-failover.yaml",
	.options = plan_options,
	.run = run_plan,
};
