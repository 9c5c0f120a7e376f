/*
 * suite_baseline.c - the recoveries of a suite beside earlier ones: those recorded in the store under
 * a name, or those in a file (a suite.json, or a bundle). The statistics are those of `compare`; what
 * they cannot tell is not called a regression.
 */
#include "cli/suite.h"

#include <inttypes.h>
#include <string.h>

#include "cli/suite_base.h"
#include "engine/compare.h"
#include "engine/judge_trials.h"
#include "engine/trials.h"
#include "store/bundle.h"

/* The newest so many: older ones were another system. */
enum { BASE_RUNS_MOST = 20 };

static bool ends_so(const char *word, const char *end)
{
	const size_t length = strlen(word);

	return length > strlen(end) && strcmp(word + length - strlen(end), end) == 0;
}

static bool is_file(const char *word)
{
	return ends_so(word, ".json") || ends_so(word, ".tar");
}

/* ---- a suite.json ---- */

static bool read_json(struct suite_command *command, const char *path, struct err *e)
{
	struct text bytes = { 0 };
	bool is_there = false;
	bool ok = file_read(path, &is_there, &bytes, e);

	if (ok && !is_there)
		ok = err_set(e, ERR_INPUT, "there is no baseline %s", path);
	ok = ok && base_parse(path, &bytes, &command->run->arena, command->base_file, e);
	text_release(&bytes);
	return ok;
}

/* ---- a run, of a bundle or of the store ---- */

static bool take_run(struct suite_command *command, struct store *store, const char *run_id,
		     struct err *e)
{
	struct trial_set about = { 0 };
	struct trial trial;

	if (!trials_read_one(store, run_id, &command->run->arena, &trial, &about, e))
		return false;
	if (trial.counts && trial.rto_kind != MEASURED_NOTHING)
		base_add(command->base_file, &command->run->arena,
			 (struct base_run){ .title = about.title,
					    .run_id = trial.run_id,
					    .rto = trial.rto });
	return true;
}

static bool read_bundle(struct suite_command *command, const char *path, struct err *e)
{
	struct store *store = NULL;
	struct run_row run;
	const bool ok = bundle_store_open(path, &store, e) &&
			store_run_find(store, "last", &command->run->arena, &run, e) &&
			take_run(command, store, run.run_id, e);

	store_close(store);
	return ok || err_wrap(e, "read the baseline %s", path);
}

/* ---- before the suite ---- */

static bool check_name(const char *option, const char *name, struct err *e)
{
	const size_t length = strlen(name);

	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f)
			return err_set(e, ERR_INPUT, "`--%s` takes a name without blanks, such as a "
				       "branch's", option);
	if (length == 0 || length > LIMIT_NAME_BYTES)
		return err_set(e, ERR_INPUT, "`--%s` takes a name of 1 to %d bytes", option,
			       LIMIT_NAME_BYTES);
	return true;
}

/* By its title an experiment is found again. */
static bool check_titles(const struct suite_command *command, struct err *e)
{
	for (size_t i = 0; i < command->suite.drill_count; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(command->drills[i].title, command->drills[j].title) == 0)
				return err_set(e, ERR_INPUT, "%s and %s have the same title, by which a "
					       "baseline finds them again; give each its own",
					       command->drills[j].path, command->drills[i].path);
	return true;
}

bool suite_open_baseline(struct suite_command *command, struct err *e)
{
	const char *word = arguments_value(command->run->arguments, "baseline");
	const char *name = arguments_value(command->run->arguments, "record-as");

	if (word == NULL && name == NULL)
		return true;
	if (!check_titles(command, e) || (name != NULL && !check_name("record-as", name, e)))
		return false;
	if (name != NULL && is_file(name))
		return err_set(e, ERR_INPUT, "`--record-as %s` would be read as a file by --baseline; "
			       "take a name that does not end so", name);
	command->suite.baseline = word;
	command->record_name = name;
	if (word == NULL)
		return true;
	if (!is_file(word))
		return check_name("baseline", word, e);
	command->base_file = arena_alloc(&command->run->arena, sizeof *command->base_file);
	return ends_so(word, ".tar") ? read_bundle(command, word, e) : read_json(command, word, e);
}

/* ---- after it ---- */

struct group {
	struct span *spans;
	const char **run_ids;
	size_t count;
};

static void add_to_group(struct group *group, struct arena *arena, struct span span,
			 const char *run_id)
{
	group->spans = arena_more(arena, group->spans, group->count, sizeof *group->spans);
	group->run_ids = arena_more(arena, group->run_ids, group->count, sizeof *group->run_ids);
	group->spans[group->count] = span;
	group->run_ids[group->count++] = run_id;
}

static void group_own(const struct suite_drill *drill, struct arena *arena, struct group *group)
{
	for (size_t i = 0; i < drill->trial_count; i++)
		if (drill->trials[i].counts && drill->trials[i].rto_kind != MEASURED_NOTHING)
			add_to_group(group, arena, drill->trials[i].rto, drill->trials[i].run_id);
}

/* Of the store: the newest of this name and title, one after the other until there are enough. */
static bool group_recorded(struct suite_command *command, const struct suite_drill *drill,
			   struct group *group, struct err *e)
{
	struct run_command *run = command->run;
	const char **run_ids = NULL;
	size_t count = 0;

	if (!store_recorded(run->owned_store, command->suite.baseline, drill->title, BASE_RUNS_MOST,
			    &run->arena, &run_ids, &count, e))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct trial_set about = { 0 };
		struct trial trial;

		if (!trials_read_one(run->owned_store, run_ids[i], &run->arena, &trial, &about, e))
			return false;
		if (trial.counts && trial.rto_kind != MEASURED_NOTHING)
			add_to_group(group, &run->arena, trial.rto, trial.run_id);
	}
	return true;
}

static bool group_base(struct suite_command *command, const struct suite_drill *drill,
		       struct group *group, struct err *e)
{
	const struct base_file *base = command->base_file;

	if (base == NULL)
		return group_recorded(command, drill, group, e);
	for (size_t i = 0; i < base->count && group->count < BASE_RUNS_MOST; i++)
		if (strcmp(base->runs[i].title, drill->title) == 0)
			add_to_group(group, &command->run->arena, base->runs[i].rto,
				     base->runs[i].run_id);
	return true;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static const char *say_answer(struct suite_command *command, const struct suite_baseline *baseline)
{
	struct arena *arena = &command->run->arena;
	const char *before = judge_open_span(arena, baseline->before.median);
	const char *after = judge_open_span(arena, baseline->after.median);
	const char *name = command->suite.baseline;

	if (baseline->run_count == 1 && baseline->own_count == 1)
		return arena_format(arena, "%s in %s, %s now; one run each proves little, and --repeat "
				    "gives more", before, name, after);
	return arena_format(arena, "%s than %s: median %s of %zu run%s there, %s of %zu run%s now%s",
			    baseline->answer == SLOWER_YES ? "slower" :
			    baseline->answer == SLOWER_NO  ? "not slower" :
							     "cannot tell whether it is slower",
			    name, before, baseline->run_count, plural(baseline->run_count), after,
			    baseline->own_count, plural(baseline->own_count),
			    baseline->answer == SLOWER_UNKNOWN ?
				    "; more trials (--repeat), or probes closer together, would settle it" :
				    "");
}

static void compare_one(struct suite_command *command, struct suite_drill *drill,
			const struct group *base, const struct group *own)
{
	struct suite_baseline *baseline = &drill->baseline;
	struct arena *arena = &command->run->arena;
	struct comparison comparison;

	*baseline = (struct suite_baseline){
		.run_ids = base->run_ids,
		.run_count = base->count,
		.own_count = own->count,
		.is_there = base->count > 0 && own->count > 0,
	};
	if (base->count == 0)
		baseline->sentence = arena_format(arena, "%s has no recovery of this experiment yet",
						  command->suite.baseline);
	else if (own->count == 0)
		baseline->sentence = "there was no recovery to compare";
	if (!baseline->is_there)
		return;

	const struct compare_request request = {
		.before = base->spans,
		.before_count = base->count,
		.after = own->spans,
		.after_count = own->count,
		.margin_ns = compare_margin_ns(base->spans, base->count,
					      COMPARE_MARGIN_PPM),
		.confidence = COMPARE_CONFIDENCE_PPM / 1e6,
	};

	compare_groups(&request, &comparison);
	baseline->answer = comparison.answer;
	baseline->before = comparison.before;
	baseline->after = comparison.after;
	baseline->sentence = say_answer(command, baseline);
}

bool suite_compare_baseline(struct suite_command *command, struct err *e)
{
	for (size_t i = 0; command->suite.baseline != NULL && i < command->suite.drill_count; i++) {
		struct group base = { 0 };
		struct group own = { 0 };

		if (!group_base(command, &command->drills[i], &base, e))
			return err_wrap(e, "read the baseline %s", command->suite.baseline);
		group_own(&command->drills[i], &command->run->arena, &own);
		compare_one(command, &command->drills[i], &base, &own);
	}
	return true;
}

bool suite_record_runs(struct suite_command *command, struct err *e)
{
	for (size_t i = 0; command->record_name != NULL && i < command->suite.drill_count; i++) {
		const struct suite_drill *drill = &command->drills[i];

		/* What was stopped or broken off is no promise for others to keep up with. */
		if (drill->outcome.verdict == VERDICT_NONE)
			continue;
		for (size_t j = 0; j < drill->trial_count; j++)
			if (!store_record(command->run->owned_store, command->record_name,
					  drill->title, drill->trials[j].run_id, e))
				return err_wrap(e, "record run %s as %s", drill->trials[j].run_id,
						command->record_name);
	}
	return true;
}
