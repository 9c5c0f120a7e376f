/*
 * run.c - command "run": one experiment from its file to its reports. With several trials
 * run_trials.c takes over once everybody has agreed; of a folder or several experiments, run_suite.c
 * runs each with this command.
 *
 * Unfinished runs are healed first. A person (or --yes) must have said yes before anything is
 * harmed. SIGINT, SIGTERM, SIGHUP and SIGXCPU (no processor time left) heal and end the run; a second one
 * changes nothing.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "base/units.h"
#include "cli/afterwards.h"
#include "cli/claim.h"
#include "cli/live.h"
#include "cli/output.h"
#include "cli/plan_view.h"
#include "cli/run_command.h"
#include "cli/suite.h"
#include "cli/tell.h"

static const struct option_row run_options[] = {
	VAR_OPTION,
	INVENTORY_OPTION,
	STORE_OPTION,
	{ "out", "FOLDER", "where the reports go; default runs/RUN" },
	{ "format", "NAME", "what is printed at the end: text (default), json, junit, markdown, html" },
	{ "seed", "NUMBER", "of the random choices; default a fresh one, printed" },
	{ "repeat", "NUMBER", "trials, one after the other, told as one; default `trials:`, else 1" },
	{ "dry-run", NULL, "show the plan and stop" },
	{ "yes", NULL, "do not ask before the harm" },
	{ "id", "ID", "of the run, for programs that must know it; default a fresh one" },
	BY_OPTION,
	CONFIRM_OPTION,
	OVERRIDE_OPTION,
	NO_NOTIFY_OPTION,
	SUITE_OPTIONS,
	{ NULL, NULL, NULL },
};

static volatile sig_atomic_t stop_signal;

static void take_signal(int number)
{
	if (stop_signal == 0)
		stop_signal = number;
}

const volatile sig_atomic_t *run_catch_signals(void)
{
	const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGXCPU };
	struct sigaction action = { .sa_handler = take_signal };

	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		(void)sigaction(numbers[i], &action, NULL); /* cannot fail for these */
	return &stop_signal;
}

/* What must be typed to say yes: the environment's name, where the policy has one. */
static const char *word_to_type(const struct run_command *command)
{
	const char *environment = command->experiment->inventory->policy.environment;

	return environment == NULL || command->claim.environment != NULL ? "yes" : environment;
}

/* As if the word had been typed already. */
static void preview(const struct run_command *command, const struct plan *plan,
		    struct arena *arena, struct permit_answer *ret_answer)
{
	struct permission_request request = {
		.plan = plan,
		.store = command->owned_store,
		.clock = &command->clock,
		.scope = PERMIT_NOW,
		.claim = command->claim,
	};

	if (request.claim.environment == NULL)
		request.claim.environment = word_to_type(command);
	permission_preview(&request, arena, ret_answer);
}

int run_need_person(void)
{
	if (isatty(STDIN_FILENO) == 1)
		return -1;
	return cli_fail_text(EXIT_NOT_STARTED, "nobody can be asked here; look at `firedrill plan`, "
			     "then add --yes. Nothing was harmed");
}

int run_let_type(const struct run_command *command, const char *wanted)
{
	char answer[LIMIT_NAME_BYTES + 2] = "";

	(void)fprintf(command->progress_stream, "Type %s to do this: ", wanted);
	(void)fflush(command->progress_stream);
	if (fgets(answer, sizeof answer, stdin) == NULL ||
	    answer[strcspn(answer, "\n")] != '\n')
		return cli_fail_text(EXIT_NOT_STARTED, "not approved; nothing was harmed");
	answer[strcspn(answer, "\n")] = '\0';
	return strcmp(answer, wanted) == 0 ?
		       -1 :
		       cli_fail_text(EXIT_NOT_STARTED, "not approved; nothing was harmed");
}

/* Exit code of a refusal, or -1 to go on. */
static int ask(struct run_command *command, const struct plan *plan)
{
	struct permit_answer permit;
	int code;

	if (arguments_flag(command->arguments, "yes"))
		return -1;
	code = run_need_person();
	if (code != -1)
		return code;
	preview(command, plan, &command->arena, &permit);
	if (!permit.is_permitted)
		return -1; /* nobody is asked in vain: the run says why it does not start */
	plan_view_print(plan, command->progress_stream, &command->secrets);
	claim_print_answer(plan, &permit, command->progress_stream, &command->secrets);
	run_show_trials(command, command->progress_stream);
	code = run_let_type(command, word_to_type(command));
	if (code == -1 && command->claim.environment == NULL)
		command->claim.environment = command->experiment->inventory->policy.environment;
	return code;
}

int run_heal_earlier(const struct run_command *command)
{
	const struct remote_opener opener = remote_opener_real();
	struct heal_summary summary = { 0 };
	struct live *live = live_open(command->progress_stream, &summary.secrets, &command->clock);
	struct unhealed *unhealed = NULL;
	struct arena arena = { 0 };
	struct text samples = { 0 };
	struct err e = { 0 };
	size_t unhealed_count = 0;

	afterwards_list_unhealed(command->owned_store, NULL, &arena, &unhealed, &unhealed_count);
	cli_sample_path(command->arguments, &samples);

	const bool ok = heal_runs(command->owned_store, NULL, &opener, &command->clock,
				  live_progress(live), text_str(&samples), &summary, &e);
	const size_t leftover_count = summary.leftover_count;
	const int code = ok ? -1 : cli_fail(EXIT_INTERNAL, &summary.secrets, &e);

	live_close(live);
	text_release(&samples);
	heal_summary_release(&summary);
	afterwards_tell_healed(command->arguments, command->owned_store, unhealed, unhealed_count);
	arena_release(&arena);
	if (!ok)
		return code;
	if (leftover_count > 0)
		return cli_fail_text(EXIT_LEFTOVER,
				     "an earlier run left something unhealed; nothing new is started. "
				     "`firedrill heal` tries again");
	return -1;
}

bool run_make_sample_folder(const struct run_command *command, struct text *ret_path,
			    struct err *e)
{
	cli_sample_path(command->arguments, ret_path);
	return folder_make(text_str(ret_path), e);
}

static bool write_reports(struct run_command *command, const char *folder, struct err *e)
{
	struct story story = { 0 };

	if (!story_build(command->owned_store, command->run_id, &command->arena, &command->secrets,
			 &story, e))
		return false;

	/* What the person waits for comes even when the folder is full or gone by now. */
	const bool is_written = output_write_all(&story, folder, e);

	return output_write_one(&story, command->format, NULL, is_written ? e : NULL) && is_written;
}

void run_tell_reports(const struct run_command *command, const char *folder)
{
	const char *store = arguments_value(command->arguments, "store");
	struct text line = { 0 };

	text_addf(&line, "reports: %s/   again: firedrill report %s", folder, command->run_id);
	if (store != NULL)
		text_addf(&line, " --store %s", store);
	(void)fputs("\n", command->progress_stream);
	cli_print_line(command->progress_stream, &command->secrets, text_str(&line));
	text_release(&line);
}

static void tell_spool(const struct run_command *command)
{
	if (store_is_away(command->owned_store))
		(void)fputs("the store is away: this run is kept on this machine, and the next command "
			    "that reaches the store brings it there\n",
			    stderr);
}

struct run_request run_request_of(struct run_command *command, const char *sample_dir)
{
	return (struct run_request){
		.experiment = command->experiment,
		.run_id = command->run_id,
		.seed = command->seed,
		.version = FIREDRILL_VERSION,
		.store = command->owned_store,
		.secrets = &command->secrets,
		.clock = &command->clock,
		.opener = remote_opener_real(),
		.stop_signal = command->stop_signal,
		.claim = command->claim,
		.sample_dir = sample_dir,
		.arena = &command->arena,
	};
}

static int run_once(struct run_command *command, const char *folder, const char *sample_dir)
{
	struct outcome outcome = { .exit_code = EXIT_INTERNAL };
	struct err e = { 0 };

	struct live *live = live_open(command->progress_stream, &command->secrets, &command->clock);
	struct run_request request = run_request_of(command, sample_dir);

	request.outside = outside_real();
	request.progress = live_progress(live);

	const bool ok = run_experiment(&request, &outcome, &e);
	int code = (int)outcome.exit_code;

	live_close(live);
	if (!ok)
		return cli_fail(code, &command->secrets, &e);
	/* A report that cannot be written must not hide a leftover or a miss. */
	if (!write_reports(command, folder, &e))
		return cli_fail(code == EXIT_MET ? EXIT_INTERNAL : code, &command->secrets, &e);
	run_tell_reports(command, folder);
	return code;
}

static int run_it(struct run_command *command, const char *folder)
{
	struct text samples = { 0 };
	struct err e = { 0 };
	int code;

	if (!run_make_sample_folder(command, &samples, &e))
		code = cli_fail(EXIT_INTERNAL, &command->secrets, &e);
	else if (command->is_set)
		code = run_trials(command, folder, text_str(&samples));
	else
		code = run_once(command, folder, text_str(&samples));
	(void)rmdir(text_str(&samples)); /* kept while another run has samples in it */
	text_release(&samples);
	tell_spool(command);
	return code;
}

bool run_parse_seed(const struct arguments *arguments, bool *ret_is_given, uint64_t *ret_seed,
		    struct err *e)
{
	const char *given = arguments_value(arguments, "seed");
	int64_t seed = 0;

	if (given != NULL && (!units_parse_count(given, &seed, e) || seed < 0))
		return err_set(e, ERR_INPUT, "`--seed %s` is no whole number from 0 on", given);
	*ret_is_given = given != NULL;
	*ret_seed = (uint64_t)seed;
	return true;
}

static bool take_seed(struct run_command *command, struct err *e)
{
	bool is_given = false;

	if (!run_parse_seed(command->arguments, &is_given, &command->seed, e))
		return false;
	if (!is_given)
		command->seed = command->experiment->has_seed ? command->experiment->seed :
								 random_fresh_seed();
	return true;
}

static int with_store(struct run_command *command)
{
	const char *out = arguments_value(command->arguments, "out");
	struct text folder = { 0 };
	struct plan plan;
	struct err e = { 0 };
	int code;

	code = plan_view_build(command->experiment, command->run_id, command->seed, &command->arena,
			       &command->secrets, &plan);
	if (code != -1)
		return code;
	if (arguments_flag(command->arguments, "dry-run")) {
		plan_view_print(&plan, stdout, &command->secrets);
		run_show_trials(command, stdout);
		return EXIT_MET;
	}
	if (!cli_open_store(command->arguments, &command->secrets, &command->owned_store, &e))
		return cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, &command->secrets,
				&e);
	code = run_heal_earlier(command);
	if (code == EXIT_LEFTOVER)
		tell_blocked(command);
	if (code == -1)
		code = ask(command, &plan);
	if (code != -1)
		return code;
	(void)fprintf(command->progress_stream, "%s %s   seed %" PRIu64 "\n",
		      command->is_set ? "set" : "run", command->run_id, command->seed);
	if (out != NULL)
		text_add(&folder, out);
	else
		text_addf(&folder, "runs/%s", command->run_id);
	/* Before the harm: a place for the report that cannot be written is found now. */
	if (folder_make(text_str(&folder), &e)) {
		tell_start(command);
		code = run_it(command, text_str(&folder));
		tell_end(command, text_str(&folder), code);
	} else {
		code = cli_fail(EXIT_NOT_STARTED, NULL, &e);
	}
	text_release(&folder);
	return code;
}

bool run_take_id(struct run_command *command, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_";
	const char *given = arguments_value(command->arguments, "id");

	run_id_make(&command->clock, command->run_id, sizeof command->run_id);
	if (given == NULL)
		return true;
	if (*given == '\0' || strlen(given) >= sizeof command->run_id ||
	    given[strspn(given, allowed)] != '\0' || given[0] == '-')
		return err_set(e, ERR_INPUT, "`--id %s` is no id: 1 to %zu letters, digits, `_` or `-`, "
			       "which does not stand first", given, sizeof command->run_id - 1);
	(void)snprintf(command->run_id, sizeof command->run_id, "%s", given);
	return true;
}

static int run_one(struct run_command *command)
{
	const struct arguments *arguments = command->arguments;
	struct err e = { 0 };

	if (!output_check_format(command->format, &e))
		return cli_fail(EXIT_NOT_RUN, NULL, &e);
	if (!cli_load(arguments, arguments->words[0], true, &command->arena, &command->secrets,
		      &command->experiment))
		return EXIT_NOT_RUN;
	if (!take_seed(command, &e) || !run_take_trials(command, &e))
		return cli_fail(EXIT_NOT_RUN, &command->secrets, &e);
	return with_store(command);
}

static int run_run(const struct arguments *arguments)
{
	const char *format = arguments_value(arguments, "format");
	struct run_command command = {
		.arguments = arguments,
		.clock = clock_system(),
		.format = format == NULL ? "text" : format,
		.stop_signal = run_catch_signals(),
	};
	struct err e = { 0 };
	int code;

	command.progress_stream = strcmp(command.format, "text") == 0 ? stdout : stderr;
	if (!run_take_id(&command, &e) || !claim_read(arguments, &command.arena, &command.claim, &e))
		code = cli_fail(EXIT_NOT_RUN, NULL, &e);
	else if (suite_is_meant(arguments))
		code = run_suite(&command);
	else
		code = run_one(&command);
	store_close(command.owned_store);
	secrets_release(&command.secrets);
	arena_release(&command.arena);
	return code;
}

const struct verb verb_run = {
	.name = "run",
	.arguments = "EXPERIMENT|FOLDER...",
	.word_min = 1,
	.word_max = ARGUMENTS_MAX,
	.summary = "run an experiment or a suite of them; heal; report; the exit code is the verdict",
	.example = "firedrill run experiments/db-failover.yaml --yes --out runs/friday",
	.options = run_options,
	.run = run_run,
};
