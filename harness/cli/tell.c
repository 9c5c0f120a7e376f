/*
 * tell.c - see tell.h: from a story to a happening, and its delivery.
 */
#include "cli/tell.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/afterwards.h"
#include "cli/messenger.h"
#include "engine/trials.h"
#include "reports/report.h"

enum {
	EARLIER_RUNS = 1000, /* among these the last one of the same experiment is looked for */
	RECOVERED_RUNS = 20, /* so many incidents at most end with a run that is met */
};

/* How long a person may be kept waiting, and whether what failed is tried again meanwhile. */
static const struct messenger_patience before_the_run = { 3 * NS_PER_S, false };
static const struct messenger_patience after_the_run = { 10 * NS_PER_S, true };

/* What is told, and what is needed to tell it. */
struct telling {
	struct run_command *command;
	struct arena arena;
	struct happening happening;
	const struct run_row *runs; /* the newest of the store */
	size_t run_count;
};

static bool is_wanted(const struct run_command *command)
{
	return command->experiment->inventory->notify.rule_count > 0 &&
	       !arguments_flag(command->arguments, "no-notify");
}

static const char *machine_name(struct arena *arena)
{
	char name[HOST_NAME_MAX + 1] = "";

	return gethostname(name, sizeof name - 1) == 0 ? arena_copy(arena, name) : NULL;
}

static void begin(struct telling *telling, struct run_command *command)
{
	const struct experiment *experiment = command->experiment;

	*telling = (struct telling){ .command = command };
	telling->happening = (struct happening){
		.wall_ns = clock_wall_ns(&command->clock),
		.run_id = command->run_id,
		.title = experiment->title,
		.hypothesis = experiment->hypothesis,
		.service = experiment->service == NULL ? NULL : experiment->service->name,
		.tier = experiment->service == NULL ? 0 : experiment->service->tier,
		.environment = experiment->inventory->policy.environment,
		.verdict = verdict_name(VERDICT_NONE),
		.exit_code = -1,
		.sentence = "",
		.machine = machine_name(&telling->arena),
	};
}

/* By the rules of the experiment's inventory. */
static void open_messenger(struct telling *telling, struct messenger *messenger)
{
	struct run_command *command = telling->command;
	const struct experiment *experiment = command->experiment;

	messenger_open(messenger, command->arguments, &telling->arena, &command->secrets,
		       &command->clock);
	(void)messenger_take(messenger, experiment->inventory_path, &experiment->inventory->notify,
			     NULL); /* cannot fail: it is read */
}

/* Into the outbox, and as much out of it as the time allows. */
static void post(struct telling *telling, const char *report,
		 const struct messenger_patience *patience)
{
	struct messenger messenger;
	struct err e = { 0 };
	size_t count = 0;

	open_messenger(telling, &messenger);
	if (!notify_post(&messenger.notifier, &telling->happening, report, &count, &e))
		(void)cli_fail(0, &telling->command->secrets, &e);
	messenger_deliver(&messenger, telling->happening.run_id, *patience);
	messenger_close(&messenger);
}

void tell_start(struct run_command *command)
{
	struct telling telling;

	if (!is_wanted(command))
		return;
	begin(&telling, command);
	telling.happening.kinds = HAPPENING_START;
	telling.happening.sentence = arena_format(
		&telling.arena, "The %s begins%s%s.", command->is_set ? "set of trials" : "run",
		command->claim.by == NULL ? "" : ", started by ",
		command->claim.by == NULL ? "" : command->claim.by);
	post(&telling, NULL, &before_the_run);
	arena_release(&telling.arena);
}

/* ---- what came of it ---- */

static uint32_t kinds_of(int code, enum verdict verdict)
{
	uint32_t kinds = HAPPENING_END;

	if (verdict == VERDICT_MISSED || code == EXIT_MISSED)
		kinds |= HAPPENING_MISSED;
	if (verdict == VERDICT_INCONCLUSIVE || code == EXIT_INCONCLUSIVE)
		kinds |= HAPPENING_INCONCLUSIVE;
	if (code == EXIT_LEFTOVER)
		kinds |= HAPPENING_LEFTOVER;
	if (code == EXIT_NOT_STARTED || code == EXIT_NOT_RUN)
		kinds |= HAPPENING_NOT_STARTED;
	if (code == EXIT_STOPPED)
		kinds |= HAPPENING_STOPPED;
	if (code == EXIT_INTERNAL)
		kinds |= HAPPENING_FAILED;
	return kinds;
}

static void tell_outcome(struct telling *telling, const struct outcome *outcome, int code)
{
	struct happening *happening = &telling->happening;

	happening->kinds = kinds_of(code, outcome->verdict);
	happening->verdict = verdict_name(outcome->verdict);
	happening->exit_code = code;
	happening->sentence = outcome->sentence != NULL ? outcome->sentence :
							  run_exit_meaning((enum run_exit)code);
}

static void tell_objectives(struct telling *telling, const struct objective_result *results,
			    size_t count)
{
	struct told_objective *told = arena_alloc(&telling->arena, (count + 1) * sizeof *told);

	for (size_t i = 0; i < count; i++)
		told[i] = (struct told_objective){
			.name = results[i].name,
			.target = results[i].target,
			.observed = results[i].observed,
			.verdict = verdict_name(results[i].verdict),
			.reason = results[i].reason,
		};
	telling->happening.objectives = told;
	telling->happening.objective_count = count;
}

static void tell_leftovers(struct telling *telling, const struct story *story)
{
	const char *store = arguments_value(telling->command->arguments, "store");
	const char **told = arena_alloc(&telling->arena, (story->deed_count + 1) * sizeof *told);
	struct happening *happening = &telling->happening;

	for (size_t i = 0; i < story->deed_count; i++)
		if (story->deeds[i].leftover != NULL)
			told[happening->leftover_count++] =
				arena_format(&telling->arena, "%s on %s: %s", story->deeds[i].fault,
					     story->deeds[i].host, story->deeds[i].leftover);
	happening->leftovers = told;
	happening->heal_command =
		arena_format(&telling->arena, "firedrill heal %s%s%s", story->run_id,
			     store == NULL ? "" : " --store ", store == NULL ? "" : store);
}

static void tell_spans(struct happening *happening, const struct story *story)
{
	const struct probe_result *service = story->service;

	if (service != NULL && service->rto_kind == MEASURED_SPAN)
		happening->rto = (struct told_span){ true, service->rto.low_ns, service->rto.high_ns };
	for (size_t i = 0; i < story->ledger_count; i++) {
		const struct ledger_count_result *worse = story->ledgers[i].worse;

		if (worse != NULL &&
		    (!happening->rpo.is_known || worse->rpo.high_ns > happening->rpo.high_ns))
			happening->rpo = (struct told_span){ true, worse->rpo.low_ns,
							     worse->rpo.high_ns };
	}
}

/* ---- when what was harmed ---- */

/* The harm of this step of this run, which began with `first`. */
static struct told_harm *begin_harm(struct telling *telling, struct told_harm *harms)
{
	struct happening *happening = &telling->happening;

	if (happening->harm_count == LIMIT_TOLD_HARMS) {
		happening->untold_harm_count++;
		return NULL;
	}
	return &harms[happening->harm_count++];
}

static void add_deed(struct telling *telling, const struct story *story, const struct deed *deed,
		     struct told_harm *harm)
{
	const struct clock_anchor *anchor = &story->timeline.anchor;
	const bool is_healed = deed->healed.high_ns != 0 && deed->leftover == NULL;
	const int64_t from_ns = clock_anchor_wall_ns(anchor, deed->injected.low_ns);
	const int64_t until_ns =
		clock_anchor_wall_ns(anchor, is_healed ? deed->healed.high_ns : story->ended_ns);
	const bool is_first = harm->fault == NULL;

	harm->fault = is_first ? arena_copy(&telling->arena, deed->fault) : harm->fault;
	harm->hosts = is_first ? arena_copy(&telling->arena, deed->host) :
				 arena_format(&telling->arena, "%s, %s", harm->hosts, deed->host);
	if (is_first || from_ns < harm->from_wall_ns)
		harm->from_wall_ns = from_ns;
	if (is_first || until_ns > harm->until_wall_ns)
		harm->until_wall_ns = until_ns;
	harm->is_healed = is_healed && (is_first || harm->is_healed);
}

/* One for each step that was injected somewhere. */
static void tell_harms(struct telling *telling, const struct story *story, struct told_harm *harms)
{
	for (size_t i = 0; i < story->deed_count; i++) {
		struct told_harm *harm = NULL;
		bool is_begun = false;

		for (size_t j = 0; j < i; j++)
			is_begun |= story->deeds[j].step == story->deeds[i].step &&
				    story->deeds[j].injected.high_ns != 0;
		if (is_begun || story->deeds[i].injected.high_ns == 0)
			continue;
		harm = begin_harm(telling, harms);
		for (size_t j = i; harm != NULL && j < story->deed_count; j++)
			if (story->deeds[j].step == story->deeds[i].step &&
			    story->deeds[j].injected.high_ns != 0)
				add_deed(telling, story, &story->deeds[j], harm);
	}
}

static struct told_harm *open_harms(struct telling *telling)
{
	struct told_harm *harms = arena_alloc(&telling->arena, LIMIT_TOLD_HARMS * sizeof *harms);

	telling->happening.harms = harms;
	return harms;
}

/* What can be known of one run; false: the store does not have it. */
static bool tell_run(struct telling *telling, int code, struct text *report)
{
	static const struct report_style style = { 0 };
	struct run_command *command = telling->command;
	struct story story = { 0 };
	struct err e = { 0 };

	if (!story_build(command->owned_store, command->run_id, &telling->arena, &command->secrets,
			 &story, &e))
		return false;
	tell_outcome(telling, &story.outcome, code);
	tell_objectives(telling, story.objectives, story.objective_count);
	tell_leftovers(telling, &story);
	tell_spans(&telling->happening, &story);
	tell_harms(telling, &story, open_harms(telling));
	(void)report_write(report_find("html"), &story, &style, report, &e); /* else without it */
	return true;
}

/* A trial that cannot be told is missing here as well, and the report says so. */
static void tell_harms_of_set(struct telling *telling, const struct trial_set *set)
{
	struct run_command *command = telling->command;
	struct told_harm *harms = open_harms(telling);

	for (size_t i = 0; i < set->trial_count; i++) {
		struct arena scratch = { 0 };
		struct story story = { 0 };
		struct err e = { 0 };

		if (story_build(command->owned_store, set->trials[i].run_id, &scratch,
				&command->secrets, &story, &e))
			tell_harms(telling, &story, harms);
		arena_release(&scratch);
	}
}

static bool tell_set(struct telling *telling, int code, struct text *report)
{
	static const struct report_style style = { 0 };
	struct run_command *command = telling->command;
	struct trial_set set;
	struct err e = { 0 };

	if (!trials_story(command->owned_store, command->run_id, &telling->arena, &command->secrets,
			  &set, &e))
		return false;
	tell_outcome(telling, &set.outcome, code);
	tell_objectives(telling, set.objectives, set.objective_count);
	tell_harms_of_set(telling, &set);
	(void)report_write_set(report_find("html"), &set, &style, report, &e); /* else without it */
	return true;
}

/* ---- compared with the last time ---- */

/* A run, or the set of trials that it belongs to. */
struct earlier {
	const char *id;
	int64_t exit_code;
	const char *sentence;
};

static bool is_of_this(const struct telling *telling, const struct run_row *run)
{
	return strcmp(run->run_id, telling->command->run_id) == 0 ||
	       (run->set_id != NULL && strcmp(run->set_id, telling->command->run_id) == 0);
}

/* The next older one of the same experiment that has ended, from *at on. */
static bool next_earlier(struct telling *telling, size_t *at, struct earlier *ret_earlier)
{
	const char *last_set = *at == 0 ? NULL : telling->runs[*at - 1].set_id;

	for (; *at < telling->run_count; (*at)++) {
		const struct run_row *run = &telling->runs[*at];
		struct err e = { 0 };
		struct set_row set;

		if (is_of_this(telling, run) || !run->is_ended ||
		    strcmp(run->title, telling->command->experiment->title) != 0 ||
		    (run->set_id != NULL && last_set != NULL && strcmp(run->set_id, last_set) == 0))
			continue;
		*ret_earlier = (struct earlier){ run->run_id, run->exit_code, run->sentence };
		if (run->set_id != NULL &&
		    store_set_find(telling->command->owned_store, run->set_id, &telling->arena, &set,
				   &e) && set.is_ended)
			*ret_earlier = (struct earlier){ set.set_id, set.exit_code, set.sentence };
		(*at)++;
		return true;
	}
	return false;
}

/* The last one that said something: a run that did not start has no verdict to compare with. */
static void compare_with_last(struct telling *telling, int code)
{
	struct happening *happening = &telling->happening;
	struct earlier last;
	size_t at = 0;

	if (code == EXIT_NOT_STARTED || code == EXIT_NOT_RUN)
		return;
	while (next_earlier(telling, &at, &last)) {
		if (last.exit_code == EXIT_NOT_STARTED || last.exit_code == EXIT_NOT_RUN)
			continue;
		happening->previous_run = last.id;
		happening->previous_sentence = last.sentence == NULL ? "" : last.sentence;
		if (last.exit_code != code)
			happening->kinds |= HAPPENING_CHANGE;
		return;
	}
	if (code != EXIT_MET)
		happening->kinds |= HAPPENING_CHANGE;
}

/* A run that is met ends the incidents of those before it, back to the last one that was met. */
static void end_incidents(struct telling *telling)
{
	const struct happening whole = telling->happening;
	struct messenger messenger;
	struct earlier last;
	size_t ended_count = 0;
	size_t at = 0;
	struct err e = { 0 };

	open_messenger(telling, &messenger);
	while (ended_count < RECOVERED_RUNS && next_earlier(telling, &at, &last) &&
	       last.exit_code != EXIT_MET) {
		struct happening recovered = whole;
		size_t count = 0;

		recovered.kinds = HAPPENING_RECOVERED;
		recovered.run_id = last.id;
		/* Each is worth no more than a message: the next run that is met tries again. */
		(void)notify_post(&messenger.notifier, &recovered, NULL, &count, &e);
		(void)notify_end_escalations(messenger.notifier.folder, last.id, &count, &e);
		ended_count++;
	}
	messenger_close(&messenger);
}

static void list_runs(struct telling *telling)
{
	struct run_row *rows = NULL;
	struct err e = { 0 };

	size_t count = 0;

	if (!store_runs(telling->command->owned_store, EARLIER_RUNS, &telling->arena, &rows, &count,
			&e))
		count = 0;
	for (size_t i = 0; i < count; i++) /* one that only watched has the title, too, and no verdict */
		if (rows[i].watch_of == NULL)
			rows[telling->run_count++] = rows[i];
	telling->runs = rows;
}

void tell_end(struct run_command *command, const char *folder_of_reports, int code)
{
	const struct outcome unknown = { .verdict = VERDICT_NONE };
	struct telling telling;
	struct text report = { 0 };

	if (!is_wanted(command))
		return;
	begin(&telling, command);
	telling.happening.report = arena_format(&telling.arena, "%s/report.html",
						cli_absolute(folder_of_reports, &telling.arena));
	if (!(command->is_set ? tell_set(&telling, code, &report) :
				tell_run(&telling, code, &report)))
		tell_outcome(&telling, &unknown, code);
	list_runs(&telling);
	compare_with_last(&telling, code);
	if (code == EXIT_MET)
		end_incidents(&telling);
	post(&telling, report.length_bytes == 0 ? NULL : text_str(&report),
	     &after_the_run);
	text_release(&report);
	arena_release(&telling.arena);
}

void tell_blocked(struct run_command *command)
{
	struct telling telling;
	struct unhealed *unhealed = NULL;
	size_t count = 0;

	if (!is_wanted(command))
		return;
	begin(&telling, command);
	afterwards_list_unhealed(command->owned_store, NULL, &telling.arena, &unhealed, &count);
	telling.happening.kinds = HAPPENING_LEFTOVER | HAPPENING_NOT_STARTED;
	telling.happening.exit_code = EXIT_LEFTOVER;
	telling.happening.sentence = "An earlier run left something unhealed, so nothing new is started.";
	if (count > 0) {
		telling.happening.run_id = unhealed[0].run_id;
		telling.happening.sentence =
			arena_format(&telling.arena, "%s It is undone by `firedrill heal %s`.",
				     telling.happening.sentence, unhealed[0].run_id);
	}
	post(&telling, NULL, &after_the_run);
	arena_release(&telling.arena);
}
