/*
 * compare.c - command "compare": did recovery become slower? For a CI gate: 0 not slower, 1 slower,
 * 3 cannot tell, 2 the command is wrong. Each group is runs, sets of trials, or both.
 */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "cli/find.h"
#include "engine/compare.h"
#include "engine/judge_trials.h"
#include "engine/trials.h"

static const struct option_row compare_options[] = {
	STORE_OPTION,
	{ "margin", "SIZE", "slower by less is no matter: 500ms, or 10% of the base's median; default 10%" },
	{ "confidence", "PERCENT", "how sure each answer must be; default 95%" },
	{ "format", "NAME", "text (default) or json" },
	{ NULL, NULL, NULL },
};

struct group {
	struct span *spans;
	const char **run_ids;
	size_t count;
	size_t left_out; /* runs that say nothing of recovery */
	const char *title;
};

struct compare_command {
	const struct arguments *arguments;
	struct store *owned_store;
	struct arena arena;
	struct group groups[2]; /* base, new */
	struct compare_request request;
	struct comparison result;
};

static bool add_run(struct compare_command *command, struct group *group, const char *run_id,
		    struct err *e)
{
	struct trial_set about = { 0 };
	struct trial trial;

	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < command->groups[i].count; j++)
			if (strcmp(command->groups[i].run_ids[j], run_id) == 0)
				return err_set(e, ERR_INPUT, "run %s was given twice", run_id);
	if (group->count >= LIMIT_TRIALS)
		return err_set(e, ERR_LIMIT, "a group has more than %d runs", (int)LIMIT_TRIALS);
	if (!trials_read_one(command->owned_store, run_id, &command->arena, &trial, &about, e))
		return false;
	group->title = about.title;
	if (!trial.counts || trial.rto_kind == MEASURED_NOTHING) {
		group->left_out++;
		return true;
	}
	group->spans[group->count] = trial.rto;
	group->run_ids[group->count++] = trial.run_id;
	return true;
}

static bool add_word(struct compare_command *command, struct group *group, const char *word,
		     struct err *e)
{
	struct run_row *runs = NULL;
	struct found found;
	size_t count = 0;

	if (!find_subject(command->owned_store, word, &command->arena, &found, e))
		return false;
	if (!found.is_set)
		return add_run(command, group, found.id, e);
	if (!store_set_runs(command->owned_store, found.id, &command->arena, &runs, &count, e))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!add_run(command, group, runs[i].run_id, e))
			return false;
	return true;
}

static bool read_groups(struct compare_command *command, struct err *e)
{
	const struct arguments *arguments = command->arguments;
	const size_t split = arguments->has_dashes ? arguments->words_before_dashes : 1;

	if (!arguments->has_dashes && arguments->word_count != 2)
		return err_set(e, ERR_INPUT,
			       "`compare` has %zu words: with more than two, put `--` between the "
			       "base and the new ones", arguments->word_count);
	if (split == 0 || split == arguments->word_count)
		return err_set(e, ERR_INPUT, "`compare` needs runs on both sides of `--`");
	for (size_t i = 0; i < 2; i++) {
		struct group *group = &command->groups[i];

		group->spans = arena_alloc(&command->arena, LIMIT_TRIALS * sizeof *group->spans);
		group->run_ids = arena_alloc(&command->arena,
					     LIMIT_TRIALS * sizeof *group->run_ids);
	}
	for (size_t i = 0; i < arguments->word_count; i++)
		if (!add_word(command, &command->groups[i < split ? 0 : 1], arguments->words[i], e))
			return false;
	return true;
}

/* A share of the base's median, at its shortest; or a duration. */
static bool take_margin(struct compare_command *command, struct err *e)
{
	const char *given = arguments_value(command->arguments, "margin");
	int64_t ppm = COMPARE_MARGIN_PPM;

	if (given != NULL && strchr(given, '%') == NULL)
		return units_parse_duration(given, &command->request.margin_ns, e) ||
		       err_wrap(e, "--margin");
	if (given != NULL && !units_parse_percent(given, &ppm, e))
		return err_wrap(e, "--margin");
	command->request.margin_ns = compare_margin_ns(command->groups[0].spans,
						       command->groups[0].count, ppm);
	return true;
}

static bool take_options(struct compare_command *command, struct err *e)
{
	const char *format = arguments_value(command->arguments, "format");
	const char *given = arguments_value(command->arguments, "confidence");
	int64_t ppm = COMPARE_CONFIDENCE_PPM;

	if (format != NULL && strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
		return err_set(e, ERR_INPUT, "`compare` has no format `%s`; there are text and json",
			       format);
	if (given != NULL && !units_parse_percent(given, &ppm, e))
		return err_wrap(e, "--confidence");
	if (ppm < 500000 || ppm > 999999)
		return err_set(e, ERR_INPUT, "`--confidence %s` is not from 50%% to 99.9999%%", given);
	command->request.confidence = (double)ppm / 1e6;
	return true;
}

static const char *method_word(enum rank_method method)
{
	switch (method) {
	case RANK_EXACT:
		return "exact";
	case RANK_NORMAL:
		return "normal approximation";
	case RANK_NONE:
		break;
	}
	return "not made";
}

static void add_shift(struct text *text, double ns)
{
	char duration[UNITS_TEXT_BYTES];

	if (isnan(ns))
		text_add(text, "not known");
	else if (isinf(ns))
		text_add(text, ns < 0 ? "without bound faster" : "without bound slower");
	else
		text_addf(text, "%s%s", ns < 0 ? "-" : "+",
			  units_format_duration((int64_t)fabs(ns), duration));
}

static void print_group(const char *name, const struct group *group,
			const struct span_summary *summary)
{
	struct arena arena = { 0 };
	struct text line = { 0 };

	text_addf(&line, "  %-4s  %zu run%s", name, group->count, group->count == 1 ? "" : "s");
	if (group->count > 0)
		text_addf(&line, ": fastest %s, median %s, slowest %s",
			  judge_open_span(&arena, summary->min),
			  judge_open_span(&arena, summary->median),
			  judge_open_span(&arena, summary->max));
	if (group->left_out > 0)
		text_addf(&line, "; %zu left out, without a recovery to compare", group->left_out);
	cli_print_line(stdout, NULL, text_str(&line));
	text_release(&line);
	arena_release(&arena);
}

static void print_text(const struct compare_command *command)
{
	const struct comparison *result = &command->result;
	char margin[UNITS_TEXT_BYTES];
	struct text line = { 0 };

	(void)printf("%s\n", slower_word(result->answer));
	print_group("base", &command->groups[0], &result->before);
	print_group("new", &command->groups[1], &result->after);
	text_add(&line, "  shift ");
	add_shift(&line, result->shift_ns.low);
	text_add(&line, " to ");
	add_shift(&line, result->shift_ns.high);
	text_addf(&line, " (Hodges-Lehmann); margin %s",
		  units_format_duration(command->request.margin_ns, margin));
	cli_print_line(stdout, NULL, text_str(&line));
	(void)printf("  a new recovery takes longer than a base one with chance %.2f to %.2f (A12); "
		     "Cliff's delta %.2f to %.2f\n",
		     result->a12.low, result->a12.high, result->delta.low, result->delta.high);
	(void)printf("  Mann-Whitney: slower p = %.4g (U = %.1f, %s); slower by the margin "
		     "refuted p = %.4g (%s)\n",
		     result->slower.p_greater, result->slower.u,
		     method_word(result->slower.method), result->within.p_less,
		     method_word(result->within.method));
	if (strcmp(command->groups[0].title, command->groups[1].title) != 0)
		(void)printf("  caution: the two groups have different titles\n");
	if (result->answer == SLOWER_UNKNOWN)
		(void)printf("  what would settle it: more trials (with fewer than %zu in each "
			     "group nothing can be told), probes closer together, or a wider "
			     "--margin\n",
			     result->fewest);
	text_release(&line);
}

static void put_group(struct json *root, const char *key, const struct group *group,
		      const struct span_summary *summary)
{
	const struct span spans[] = { summary->min, summary->median, summary->p95, summary->max };
	static const char *const names[] = { "min", "median", "p95", "max" };
	struct json *child = json_put_object(root, key);
	struct json *runs = json_put_array(child, "runs");

	for (size_t i = 0; i < group->count; i++)
		json_push_text(runs, group->run_ids[i]);
	json_put_int(child, "left_out", (int64_t)group->left_out);
	for (size_t i = 0; i < 4; i++) {
		struct json *span = json_put_object(child, names[i]);

		json_put_int(span, "low_ns", spans[i].low_ns);
		if (spans[i].high_ns == INT64_MAX)
			json_put_null(span, "high_ns");
		else
			json_put_int(span, "high_ns", spans[i].high_ns);
	}
}

/* Whole numbers only: a share in parts per million, a chance in parts per billion. */
static void put_bounds(struct json *root, const char *key, struct bounds bounds, double unit)
{
	const double both[] = { bounds.low, bounds.high };
	static const char *const names[] = { "low", "high" };
	struct json *child = json_put_object(root, key);

	for (size_t i = 0; i < 2; i++)
		if (isfinite(both[i]))
			json_put_int(child, names[i], llround(both[i] * unit));
		else
			json_put_null(child, names[i]);
}

static void put_test(struct json *root, const char *key, const struct rank_test *test, double p)
{
	struct json *child = json_put_object(root, key);

	json_put_text(child, "method", method_word(test->method));
	json_put_int(child, "twice_u", llround(2 * test->u));
	json_put_int(child, "p_ppb", llround(p * 1e9));
}

static void print_json(const struct compare_command *command, int code)
{
	const struct comparison *result = &command->result;
	struct json *root = json_object();
	struct text text = { 0 };

	json_put_text(root, "format", "firedrill comparison");
	json_put_int(root, "format_version", 1);
	json_put_text(root, "answer", slower_word(result->answer));
	json_put_int(root, "exit_code", code);
	json_put_int(root, "margin_ns", command->request.margin_ns);
	json_put_int(root, "confidence_ppm", llround(command->request.confidence * 1e6));
	put_group(root, "base", &command->groups[0], &result->before);
	put_group(root, "new", &command->groups[1], &result->after);
	put_test(root, "slower", &result->slower, result->slower.p_greater);
	put_test(root, "within_margin", &result->within, result->within.p_less);
	put_bounds(root, "a12_ppm", result->a12, 1e6);
	put_bounds(root, "cliffs_delta_ppm", result->delta, 1e6);
	put_bounds(root, "shift_ns", result->shift_ns, 1);
	json_print(root, true, &text);
	(void)printf("%s\n", text_str(&text)); /* main.c looks at the stream at the end */
	text_release(&text);
	json_release(root);
}

static int code_of(enum slower answer)
{
	switch (answer) {
	case SLOWER_NO:
		return EXIT_MET;
	case SLOWER_YES:
		return EXIT_MISSED;
	case SLOWER_UNKNOWN:
		break;
	}
	return EXIT_INCONCLUSIVE;
}

static int run_compare(const struct arguments *arguments)
{
	const char *format = arguments_value(arguments, "format");
	struct compare_command command = { .arguments = arguments };
	struct err e = { 0 };
	int code;

	if (take_options(&command, &e) &&
	    cli_need_store(arguments, &command.owned_store, &e) &&
	    read_groups(&command, &e) && take_margin(&command, &e)) {
		command.request.before = command.groups[0].spans;
		command.request.before_count = command.groups[0].count;
		command.request.after = command.groups[1].spans;
		command.request.after_count = command.groups[1].count;
		compare_groups(&command.request, &command.result);
		code = code_of(command.result.answer);
		if (format != NULL && strcmp(format, "json") == 0)
			print_json(&command, code);
		else
			print_text(&command);
	} else {
		code = cli_fail(e.kind == ERR_INPUT || e.kind == ERR_LIMIT ? EXIT_NOT_RUN :
									     EXIT_INTERNAL,
				NULL, &e);
	}
	store_close(command.owned_store);
	arena_release(&command.arena);
	return code;
}

const struct verb verb_compare = {
	.name = "compare",
	.arguments = "BASE NEW | BASE... -- NEW...",
	.word_min = 2,
	.word_max = ARGUMENTS_MAX,
	.summary = "did recovery become slower? runs or sets; exit 0 not slower, 1 slower, 3 cannot tell",
	.example = "firedrill compare 20261101-020000-k3f9 last --margin 500ms",
	.options = compare_options,
	.run = run_compare,
};
