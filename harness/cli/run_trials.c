/*
 * run_trials.c - command "run" with several trials: what a person sees of each, its reports, and
 * the reports of the set. The trials themselves are the engine's.
 */
#include <inttypes.h>

#include "base/units.h"
#include "cli/live.h"
#include "cli/output.h"
#include "cli/run_command.h"
#include "engine/trials.h"

bool run_take_trials(struct run_command *command, struct err *e)
{
	const char *given = arguments_value(command->arguments, "repeat");
	const struct experiment *experiment = command->experiment;
	int64_t count = experiment->trial_count == 0 ? 1 : experiment->trial_count;

	if (given != NULL &&
	    (!units_parse_count(given, &count, e) || count < 1 || count > LIMIT_TRIALS))
		return err_set(e, ERR_INPUT, "`--repeat %s` is no number of trials from 1 to %d",
			       given, (int)LIMIT_TRIALS);
	command->trial_count = count;
	command->is_set = count > 1 || experiment->objectives.has_rto_share;
	return true;
}

void run_show_trials(const struct run_command *command, FILE *stream)
{
	if (!command->is_set)
		return;
	(void)fprintf(stream, "  %" PRId64 " trial%s, each healed and steady before the next:\n",
		      command->trial_count, command->trial_count == 1 ? "" : "s");
	for (int64_t i = 1; i <= command->trial_count; i++)
		(void)fprintf(stream, "    trial %" PRId64 "  seed %" PRIu64 "\n", i,
			      trials_seed(command->seed, i));
}

struct trials_view {
	struct run_command *command;
	const char *folder;
	struct live *live;
	bool is_written; /* false: a report could not be */
	struct err first; /* why */
};

static void before_trial(void *ctx, int64_t number, struct run_request *request)
{
	struct trials_view *view = ctx;
	const struct run_command *command = view->command;

	(void)fprintf(command->progress_stream,
		      "%strial %" PRId64 " of %" PRId64 "   run %s   seed %" PRIu64 "\n",
		      number == 1 ? "" : "\n", number, command->trial_count, request->run_id,
		      request->seed);
	view->live = live_open(command->progress_stream, &command->secrets, &command->clock);
	request->outside = outside_real();
	request->progress = live_progress(view->live);
}

static bool write_reports(const struct trials_view *view, int64_t number, const char *run_id,
			  struct err *e)
{
	struct arena arena = { 0 };
	struct text path = { 0 };
	struct story story = { 0 };
	bool ok;

	text_addf(&path, "%s/trial-%02" PRId64, view->folder, number);
	ok = story_build(view->command->owned_store, run_id, &arena, &view->command->secrets,
			 &story, e) &&
	     output_write_all(&story, text_str(&path), e);
	text_release(&path);
	arena_release(&arena);
	return ok;
}

static void after_trial(void *ctx, int64_t number, const struct run_request *request,
			const struct outcome *outcome, const struct err *e)
{
	struct trials_view *view = ctx;
	struct text line = { 0 };
	struct err own = { 0 };

	live_close(view->live);
	view->live = NULL;
	text_addf(&line, "trial %" PRId64 " of %" PRId64 ": %s", number, view->command->trial_count,
		  e != NULL ? e->text : run_exit_meaning(outcome->exit_code));
	cli_print_line(view->command->progress_stream, &view->command->secrets, text_str(&line));
	text_release(&line);
	/* What cannot be written now must not end the trials: the store has it. */
	if (e == NULL && !write_reports(view, number, request->run_id, &own) && view->is_written) {
		view->is_written = false;
		view->first = own;
	}
}

static bool write_set(struct run_command *command, const char *folder, struct err *e)
{
	struct trial_set set;

	if (!trials_story(command->owned_store, command->run_id, &command->arena,
			  &command->secrets, &set, e))
		return false;
	(void)fputs("\n", command->progress_stream);

	/* What the person waits for comes even when the folder is full or gone by now. */
	const bool is_written = output_write_set(&set, folder, e);

	return output_write_set_one(&set, command->format, NULL, is_written ? e : NULL) &&
	       is_written;
}

int run_trials(struct run_command *command, const char *folder, const char *sample_dir)
{
	struct trials_view view = { .command = command, .folder = folder, .is_written = true };
	struct outcome outcome = { .exit_code = EXIT_INTERNAL };
	struct err e = { 0 };
	const struct run_request run = run_request_of(command, sample_dir);
	const struct trials_request request = {
		.run = &run,
		.trial_count = command->trial_count,
		.before = before_trial,
		.after = after_trial,
		.ctx = &view,
	};

	if (!trials_run(&request, &outcome, &e))
		return cli_fail((int)outcome.exit_code, &command->secrets, &e);

	const int code = (int)outcome.exit_code;
	const bool is_set_written = write_set(command, folder, &e);

	/* A report that cannot be written must not hide a leftover or a miss. */
	if (!is_set_written || !view.is_written)
		return cli_fail(code == EXIT_MET ? EXIT_INTERNAL : code, &command->secrets,
				is_set_written ? &view.first : &e);
	run_tell_reports(command, folder);
	return code;
}
