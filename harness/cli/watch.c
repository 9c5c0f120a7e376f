/*
 * watch.c - command "watch": the probes of a run that is under way somewhere, from this machine. A worker starts
 * it for a vantage point; the run that is watched shows what it saw.
 *
 * It heals nothing first, asks nobody and writes no reports: nothing of it can harm.
 */
#include <string.h>
#include <unistd.h>

#include "cli/live.h"
#include "cli/run_command.h"

static const struct option_row watch_options[] = {
	{ "of", "RUN", "the run that is watched; its experiment is the one given" },
	{ "vantage", "NAME", "which of the run's vantage points this machine is" },
	VAR_OPTION,
	INVENTORY_OPTION,
	STORE_OPTION,
	{ "id", "ID", "of the run that this becomes; default a fresh one" },
	{ NULL, NULL, NULL },
};

static bool take_options(struct run_command *command, const struct vantage_point **ret_point,
			 struct err *e)
{
	const struct experiment *experiment = command->experiment;
	const char *name = arguments_value(command->arguments, "vantage");

	if (arguments_value(command->arguments, "of") == NULL || name == NULL)
		return err_set(e, ERR_INPUT, "say which run to watch, and from where: --of RUN "
			       "--vantage NAME");
	for (size_t i = 0; i < experiment->vantage_point_count; i++)
		if (strcmp(experiment->vantage_points[i].name, name) == 0) {
			*ret_point = &experiment->vantage_points[i];
			return true;
		}
	return err_set(e, ERR_INPUT, "the experiment has no vantage point `%.80s`", name);
}

static int watch_it(struct run_command *command, const struct vantage_point *point,
		    const char *sample_dir)
{
	struct experiment *watched = arena_alloc(&command->arena, sizeof *watched);
	struct probe_spec *room = arena_alloc(
		&command->arena, (command->experiment->probe_count + 1) * sizeof *room);
	struct live *live = live_open(stdout, &command->secrets, &command->clock);
	struct outcome outcome = { .exit_code = EXIT_INTERNAL };
	struct run_request request;
	struct err e = { 0 };

	*watched = experiment_for_watch(command->experiment, room);
	command->experiment = watched;
	request = run_request_of(command, sample_dir);
	request.watch_of = arguments_value(command->arguments, "of");
	request.vantage = point->name;
	request.outside = outside_real();
	request.progress = live_progress(live);

	const bool ok = run_experiment(&request, &outcome, &e);

	live_close(live);
	if (!ok)
		return cli_fail((int)outcome.exit_code, &command->secrets, &e);
	cli_print_line(outcome.exit_code == EXIT_MET ? stdout : stderr, &command->secrets,
		       outcome.sentence);
	return (int)outcome.exit_code;
}

static int with_store(struct run_command *command, const struct vantage_point *point)
{
	struct text samples = { 0 };
	struct err e = { 0 };
	int code;

	if (!cli_need_store(command->arguments, &command->owned_store, &e))
		return cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, &command->secrets,
				&e);
	store_hide_also(command->owned_store, &command->secrets);
	if (run_make_sample_folder(command, &samples, &e))
		code = watch_it(command, point, text_str(&samples));
	else
		code = cli_fail(EXIT_INTERNAL, &command->secrets, &e);
	(void)rmdir(text_str(&samples)); /* kept while another run has samples in it */
	text_release(&samples);
	return code;
}

static int run_watch_command(const struct arguments *arguments)
{
	struct run_command command = {
		.arguments = arguments,
		.clock = clock_system(),
		.stop_signal = run_catch_signals(),
		.progress_stream = stdout,
	};
	const struct vantage_point *point = NULL;
	struct err e = { 0 };
	int code = EXIT_NOT_RUN;

	if (cli_load(arguments, arguments->words[0], true, &command.arena, &command.secrets,
		     &command.experiment)) {
		if (!take_options(&command, &point, &e) || !run_take_id(&command, &e))
			code = cli_fail(EXIT_NOT_RUN, &command.secrets, &e);
		else
			code = with_store(&command, point);
	}
	store_close(command.owned_store);
	secrets_release(&command.secrets);
	arena_release(&command.arena);
	return code;
}

const struct verb verb_watch = {
	.name = "watch",
	.arguments = "EXPERIMENT",
	.word_min = 1,
	.word_max = 1,
	.summary = "watch for a run that goes on elsewhere; workers start it for vantage points",
	.example = "firedrill watch drill.yaml --of 20261121-102030-k3f9 --vantage eu",
	.options = watch_options,
	.run = run_watch_command,
};
