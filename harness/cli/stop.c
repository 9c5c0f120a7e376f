/*
 * stop.c - commands "stop" and "resume". An order to stop is written into the store; a run looks for one
 * twice a second, heals everything and ends. `stop --all` also keeps new runs from starting, until
 * `resume`.
 *
 * A suite is what its runs are named after. Its own process sees the order as well and begins nothing more;
 * one that it has just begun is refused by the order itself.
 *
 * stop waits until the runs have ended, so that its exit code means something. Ending it early changes
 * nothing: the order stands.
 */
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "cli/claim.h"
#include "cli/find.h"
#include "cli/live.h"

static const int64_t look_every_ns = NS_PER_S / 10;
static const int64_t wait_default_ns = INT64_C(300) * NS_PER_S;

static const struct option_row stop_options[] = {
	{ "all", NULL, "every run; and none starts until `firedrill resume`" },
	REASON_OPTION,
	BY_OPTION,
	{ "within", "DURATION", "wait this long for the runs to end; default 5m" },
	STORE_OPTION,
	{ NULL, NULL, NULL },
};

struct stopping {
	const struct arguments *arguments;
	struct arena arena;
	struct store *owned_store;
	struct clock clock;
	struct stop_row order;
	int64_t within_ns;
	struct run_row *runs; /* those that had not ended when the order was given */
	size_t run_count;
	bool *is_told;
	int code;
};

static bool read_options(struct stopping *stopping, struct err *e)
{
	const struct arguments *arguments = stopping->arguments;
	const char *given = arguments_value(arguments, "within");

	stopping->within_ns = wait_default_ns;
	if (given != NULL && !units_parse_duration(given, &stopping->within_ns, e))
		return err_wrap(e, "`--within %s`", given);
	if (arguments_flag(arguments, "all") == (arguments->word_count > 0))
		return err_set(e, ERR_INPUT, "name one run, set of trials or suite to stop, or write --all");
	stopping->order.wall_ns = clock_wall_ns(&stopping->clock);
	return claim_reason(arguments, &stopping->order.reason, e) &&
	       claim_person(arguments, &stopping->arena, &stopping->order.person, e);
}

static bool is_meant(struct stopping *stopping, const struct run_row *run)
{
	const char *subject = stopping->order.subject;
	const char *suite = store_suite_of(run->run_id, run->set_id, &stopping->arena);

	return subject == NULL || strcmp(run->run_id, subject) == 0 ||
	       (run->set_id != NULL && strcmp(run->set_id, subject) == 0) ||
	       (suite != NULL && strcmp(suite, subject) == 0);
}

static bool list_runs(struct stopping *stopping, struct err *e)
{
	struct run_row *rows = NULL;
	size_t count = 0;

	if (!store_runs(stopping->owned_store, 0, &stopping->arena, &rows, &count, e))
		return false;
	stopping->runs = arena_alloc(&stopping->arena, (count + 1) * sizeof *rows);
	stopping->is_told = arena_alloc(&stopping->arena, count + 1);
	for (size_t i = 0; i < count; i++)
		if (!rows[i].is_ended && is_meant(stopping, &rows[i]))
			stopping->runs[stopping->run_count++] = rows[i];
	return true;
}

/* The one suite whose id begins so, if all runs whose ids begin so are its own; else *ret_id stays NULL. */
static bool find_suite(struct stopping *stopping, const char *word, const char **ret_id, struct err *e)
{
	struct run_row *rows = NULL;
	const char *id = NULL;
	size_t count = 0;
	bool is_only = true;

	if (!store_runs(stopping->owned_store, 0, &stopping->arena, &rows, &count, e))
		return false;
	for (size_t i = 0; i < count && is_only; i++) {
		const char *suite;

		if (*word == '\0' || strncmp(rows[i].run_id, word, strlen(word)) != 0)
			continue;
		suite = store_suite_of(rows[i].run_id, rows[i].set_id, &stopping->arena);
		is_only = suite != NULL && strncmp(suite, word, strlen(word)) == 0 &&
			  (id == NULL || strcmp(id, suite) == 0);
		id = suite;
	}
	if (is_only)
		*ret_id = id;
	return true;
}

static bool find_subject_to_stop(struct stopping *stopping, struct err *e)
{
	struct found found = { 0 };

	if (arguments_flag(stopping->arguments, "all"))
		return cli_open_store(stopping->arguments, NULL, &stopping->owned_store, e);
	if (!cli_need_store(stopping->arguments, &stopping->owned_store, e) ||
	    !find_suite(stopping, stopping->arguments->words[0], &stopping->order.subject, e))
		return false;
	if (stopping->order.subject != NULL)
		return true;
	if (!find_subject(stopping->owned_store, stopping->arguments->words[0], &stopping->arena,
			  &found, e))
		return false;
	stopping->order.subject = found.id;
	return true;
}

/* A run that has died cannot obey: what it left is undone here, as `heal` does. */
static void heal_died(struct stopping *stopping, const char *run_id)
{
	const struct remote_opener opener = remote_opener_real();
	struct heal_summary summary = { 0 };
	struct live *live = live_open(stdout, &summary.secrets, &stopping->clock);
	struct text samples = { 0 };
	struct err e = { 0 };

	cli_sample_path(stopping->arguments, &samples);
	if (!heal_runs(stopping->owned_store, run_id, &opener, &stopping->clock, live_progress(live),
		       text_str(&samples), &summary, &e))
		stopping->code = cli_fail(EXIT_LEFTOVER, &summary.secrets, &e);
	else if (summary.leftover_count > 0)
		stopping->code = cli_fail_text(EXIT_LEFTOVER,
					       "run %s had died, and not everything could be healed; "
					       "`firedrill heal %s` tries again", run_id, run_id);
	live_close(live);
	text_release(&samples);
	heal_summary_release(&summary);
}

/* Says how a run ended, once. True: it is over, one way or the other. */
static bool tell_end(struct stopping *stopping, size_t index)
{
	const struct run_row *was = &stopping->runs[index];
	struct arena scratch = { 0 };
	struct run_row now;
	struct text line = { 0 };
	struct err e = { 0 };
	bool is_over = true;
	bool is_dead = false;

	if (!store_run_find(stopping->owned_store, was->run_id, &scratch, &now, &e)) {
		stopping->code = cli_fail(EXIT_INTERNAL, NULL, &e);
	} else if (now.is_ended) {
		text_addf(&line, "run %s has ended: %s", now.run_id, now.sentence);
		if (now.exit_code == EXIT_LEFTOVER)
			stopping->code = EXIT_LEFTOVER;
	} else if (!store_run_is_alive(&now)) {
		text_addf(&line, "run %s had died before this; what it left is healed here", now.run_id);
		is_dead = true;
	} else {
		is_over = false;
	}
	if (line.length_bytes > 0)
		cli_print_line(stdout, NULL, text_str(&line));
	(void)fflush(stdout);
	if (is_dead)
		heal_died(stopping, was->run_id);
	text_release(&line);
	arena_release(&scratch);
	return is_over;
}

static int wait_for_runs(struct stopping *stopping)
{
	const int64_t deadline_ns = clock_now_ns(&stopping->clock) + stopping->within_ns;
	size_t open_count = stopping->run_count;

	for (;;) {
		for (size_t i = 0; i < stopping->run_count; i++) {
			if (stopping->is_told[i] || !tell_end(stopping, i))
				continue;
			stopping->is_told[i] = true;
			open_count--;
		}
		if (open_count == 0 || clock_now_ns(&stopping->clock) >= deadline_ns)
			break;
		clock_sleep_until_ns(&stopping->clock,
				     clock_now_ns(&stopping->clock) + look_every_ns);
	}
	for (size_t i = 0; i < stopping->run_count; i++)
		if (!stopping->is_told[i])
			(void)cli_fail_text(EXIT_LEFTOVER,
					    "run %s (pid %" PRId64 ") has not ended yet; the order "
					    "stands, `firedrill show %s` tells what it does",
					    stopping->runs[i].run_id, stopping->runs[i].pid,
					    stopping->runs[i].run_id);
	return open_count > 0 ? EXIT_LEFTOVER : stopping->code;
}

static int stop(struct stopping *stopping)
{
	struct err e = { 0 };

	if (!store_stop(stopping->owned_store, &stopping->order, &e) || !list_runs(stopping, &e))
		return cli_fail(EXIT_INTERNAL, NULL, &e);
	if (stopping->order.subject == NULL)
		(void)fprintf(stdout, "no run starts until `firedrill resume`; %zu run%s to end\n",
			      stopping->run_count, stopping->run_count == 1 ? "" : "s");
	else if (stopping->run_count == 0)
		(void)fprintf(stdout, "nothing of %s is under way\n", stopping->order.subject);
	(void)fflush(stdout);
	return wait_for_runs(stopping);
}

static int run_stop_command(const struct arguments *arguments)
{
	struct stopping stopping = { .arguments = arguments, .clock = clock_system() };
	struct err e = { 0 };
	int code;

	if (read_options(&stopping, &e) && find_subject_to_stop(&stopping, &e))
		code = stop(&stopping);
	else
		code = cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, NULL, &e);
	store_close(stopping.owned_store);
	arena_release(&stopping.arena);
	return code;
}

const struct verb verb_stop = {
	.name = "stop",
	.arguments = "RUN|SUITE|--all",
	.word_min = 0,
	.word_max = 1,
	.summary = "make a run, a suite or every run heal and end now; --all also keeps new ones from starting",
	.example = "firedrill stop --all --reason \"real incident, see INC-7\"",
	.options = stop_options,
	.run = run_stop_command,
};

static const struct option_row resume_options[] = {
	REASON_OPTION,
	BY_OPTION,
	STORE_OPTION,
	{ NULL, NULL, NULL },
};

static bool lift_stop(const struct stop_row *lift, struct store *store, struct err *e)
{
	size_t count = 0;

	if (store != NULL && !store_resume(store, lift, &count, e))
		return false;
	(void)fputs(count == 0 ? "there was no emergency stop\n" :
				 "the emergency stop is lifted; runs may start again\n", stdout);
	return true;
}

/* Of one schedule; an emergency stop goes on. */
static bool lift_pause(const char *schedule, const struct stop_row *lift, struct store *store,
		       struct err *e)
{
	const struct pause_row row = { schedule, lift->person, lift->reason, lift->wall_ns };
	struct text line = { 0 };
	size_t count = 0;

	if (store != NULL && !store_unpause(store, &row, &count, e))
		return false;
	text_addf(&line, count == 0 ? "schedule %s was not paused" :
				      "schedule %s is no longer paused", schedule);
	cli_print_line(stdout, NULL, text_str(&line));
	text_release(&line);
	return true;
}

static int run_resume(const struct arguments *arguments)
{
	const struct clock clock = clock_system();
	const char *schedule = arguments->word_count == 0 ? NULL : arguments->words[0];
	struct stop_row lift = { .wall_ns = clock_wall_ns(&clock) };
	struct arena arena = { 0 };
	struct store *store = NULL;
	struct err e = { 0 };
	int code = EXIT_MET;

	if (!claim_reason(arguments, &lift.reason, &e) ||
	    !claim_person(arguments, &arena, &lift.person, &e) ||
	    !cli_open_kept(arguments, &store, &e) ||
	    !(schedule == NULL ? lift_stop(&lift, store, &e) :
				 lift_pause(schedule, &lift, store, &e)))
		code = cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, NULL, &e);
	store_close(store);
	arena_release(&arena);
	return code;
}

const struct verb verb_resume = {
	.name = "resume",
	.arguments = "[SCHEDULE]",
	.word_min = 0,
	.word_max = 1,
	.summary = "lift the emergency stop of `stop --all`, or the pause of one schedule",
	.example = "firedrill resume --reason \"INC-7 is over\"",
	.options = resume_options,
	.run = run_resume,
};
