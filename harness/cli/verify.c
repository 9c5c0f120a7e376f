/*
 * verify.c - command "verify": a run, a bundle, or every trial of a set and what was made of them.
 *
 * Exit codes: 0 verified, 1 altered, 2 no such run, 3 it cannot be told, 7 the store cannot be read.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/find.h"
#include "cli/verify_run.h"
#include "engine/trials.h"
#include "reports/report.h"

static const struct option_row verify_options[] = {
	STORE_OPTION,
	{ "reports", "FOLDER", "kept reports to compare; default runs/RUN when it is there" },
	{ "head", "HASH", "the head that a printed or mailed report shows: is this the same run?" },
	{ NULL, NULL, NULL },
};

static int conclude(const struct findings *findings, const char *what, const char *id)
{
	if (findings->altered_count > 0)
		return cli_fail_text(EXIT_MISSED, "%s %s does not verify: %zu thing%s not as derived",
				     what, id, findings->altered_count,
				     findings->altered_count == 1 ? " is" : "s are");
	if (findings->unsure_count > 0)
		return cli_fail_text(EXIT_INCONCLUSIVE,
				     "%s %s: nothing is altered as far as can be told, but not all "
				     "could be told", what, id);
	(void)fprintf(stdout, "verified\n");
	return EXIT_MET;
}

/* Somebody who names a folder means that something is in it. */
static bool has_compared(const struct arguments *arguments, const struct findings *findings,
			 struct err *e)
{
	const char *given = arguments_value(arguments, "reports");

	return given == NULL || findings->report_count > 0 ||
	       err_set(e, ERR_INPUT, "compare the reports in %s: there are none", given);
}

static void kept_folder(const struct arguments *arguments, const char *id, struct text *ret_path)
{
	const char *given = arguments_value(arguments, "reports");

	if (given != NULL)
		text_add(ret_path, given);
	else
		text_addf(ret_path, "runs/%s", id);
}

static int verify_one(const struct arguments *arguments, struct store *store,
		      const struct run_row *row, bool is_bundle)
{
	struct text folder = { 0 };
	struct findings findings = { 0 };
	struct err e = { 0 };
	int code;

	kept_folder(arguments, row->run_id, &folder);

	const struct verify_request request = {
		.store = store,
		.row = row,
		.is_bundle = is_bundle,
		.head = arguments_value(arguments, "head"),
		.folder = is_bundle && arguments_value(arguments, "reports") == NULL ?
				  NULL : text_str(&folder),
	};

	code = verify_run(&request, &findings, &e) && has_compared(arguments, &findings, &e) ?
		       conclude(&findings, "run", row->run_id) : cli_fail_evidence(NULL, &e);
	text_release(&folder);
	return code;
}

/* ---- a set ---- */

/* An altered trial is named, and the others are looked at all the same. *ret_are_whole: none is. */
static bool verify_trials(struct store *store, const char *set_id, const char *folder,
			  struct findings *findings, bool *ret_are_whole, struct err *e)
{
	struct arena arena = { 0 };
	struct run_row *trials = NULL;
	size_t count = 0;
	bool ok = store_set_runs(store, set_id, &arena, &trials, &count, e);

	for (size_t i = 0; ok && i < count; i++) {
		struct text path = { 0 };

		text_addf(&path, "%s/trial-%02" PRId64, folder, trials[i].trial);

		const struct verify_request request = { .store = store, .row = &trials[i],
							.folder = text_str(&path) };

		ok = verify_run(&request, findings, e);
		text_release(&path);
		if (ok || e->kind != ERR_ALTERED)
			continue;
		*ret_are_whole = false;
		findings->altered_count++;
		findings_say(findings, "altered", "%s", e->text);
		err_clear(e);
		ok = true;
	}
	arena_release(&arena);
	return ok;
}

static bool compare_set_reports(const struct trial_set *set, const char *folder,
				struct findings *findings, struct err *e)
{
	const struct report_style style = { 0 };
	size_t count;
	const struct report_ops *const *table = report_table(&count);
	bool ok = true;

	for (size_t i = 0; ok && i < count; i++) {
		struct text path = { 0 };
		struct text kept = { 0 };
		struct text derived = { 0 };
		bool is_there = false;

		text_addf(&path, "%s/%s", folder, table[i]->file_name);
		ok = table[i]->write_set == NULL ||
		     (file_read(text_str(&path), &is_there, &kept, e) &&
		      (!is_there || report_write_set(table[i], set, &style, &derived, e)));
		if (ok && is_there)
			findings_compare(findings, text_str(&path), &kept, &derived,
					 findings->excuse);
		text_release(&path);
		text_release(&kept);
		text_release(&derived);
	}
	return ok;
}

/* What was made of the trials: their number, the result, the reports. */
static bool verify_sum(struct store *store, const char *set_id, const char *folder,
		       struct findings *findings, struct err *e)
{
	struct arena arena = { 0 };
	struct secrets secrets = { 0 };
	struct text missing = { 0 };
	struct trial_set set;
	struct set_row row;
	bool ok = store_set_find(store, set_id, &arena, &row, e) &&
		  trials_story(store, set_id, &arena, &secrets, &set, e);

	if (ok) {
		const struct kept_result kept = { row.exit_code, row.sentence };

		findings->secrets = &secrets;
		(void)fprintf(stdout, "set %s\n", set_id);
		if (row.is_ended && (uint64_t)row.trial_count != set.trial_count) {
			text_addf(&missing, "it had %" PRId64 ", and the store has %zu",
				  row.trial_count, set.trial_count);
			findings_differ(findings, "trials", text_str(&missing), NULL);
		}
		if (row.is_ended) {
			findings_result(findings, &kept, &set.outcome, findings->excuse);
		} else {
			findings->unsure_count++;
			findings_say(findings, "result",
				     "none was kept: the set never came to its end");
		}
		ok = compare_set_reports(&set, folder, findings, e);
		findings->secrets = NULL;
	}
	text_release(&missing);
	secrets_release(&secrets);
	arena_release(&arena);
	return ok;
}

static int verify_set(const struct arguments *arguments, struct store *store, const char *set_id)
{
	struct text folder = { 0 };
	struct findings findings = { 0 };
	struct err e = { 0 };
	bool are_whole = true;
	bool ok;

	if (arguments_value(arguments, "head") != NULL)
		return cli_fail_text(EXIT_NOT_RUN,
				     "%s is a set of trials, and each trial has a head of its own: "
				     "verify that trial", set_id);
	kept_folder(arguments, set_id, &folder);
	ok = verify_trials(store, set_id, text_str(&folder), &findings, &are_whole, &e);
	/* Nothing can be made of trials that are altered. */
	if (ok && are_whole)
		ok = verify_sum(store, set_id, text_str(&folder), &findings, &e);
	ok = ok && has_compared(arguments, &findings, &e);
	text_release(&folder);
	return ok ? conclude(&findings, "set", set_id) : cli_fail_evidence(NULL, &e);
}

static int run_verify(const struct arguments *arguments)
{
	struct arena arena = { 0 };
	struct store *store = NULL;
	struct found found = { 0 };
	struct run_row row;
	struct err e = { 0 };
	int code;

	if (!find_open(arguments, arguments->words[0], &arena, &store, &found, &e) ||
	    (!found.is_set && !store_run_find(store, found.id, &arena, &row, &e)))
		code = cli_fail_evidence(NULL, &e);
	else if (found.is_set)
		code = verify_set(arguments, store, found.id);
	else
		code = verify_one(arguments, store, &row, cli_is_bundle(arguments->words[0]));
	store_close(store);
	arena_release(&arena);
	return code;
}

const struct verb verb_verify = {
	.name = "verify",
	.arguments = "RUN|BUNDLE",
	.word_min = 1,
	.word_max = 1,
	.summary = "check that a run's record is as it was written, and derive its reports again",
	.example = "firedrill verify last",
	.options = verify_options,
	.run = run_verify,
};
