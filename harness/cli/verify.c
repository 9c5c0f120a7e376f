/*
 * verify.c - command "verify": is the record of a run as it was written, and does it still say what
 * its reports say? Every number is derived again from the raw samples; nothing is repaired.
 *
 * Exit codes: 0 verified, 1 altered, 2 no such run, 3 it cannot be told, 7 the store cannot be read.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "engine/engine.h"
#include "reports/report.h"
#include "store/bundle.h"

static const struct option_row verify_options[] = {
	STORE_OPTION,
	{ "reports", "FOLDER", "kept reports to compare; default runs/RUN when it is there" },
	{ "head", "HASH", "the head that a printed or mailed report shows: is this the same run?" },
	{ NULL, NULL, NULL },
};

struct verify {
	const struct arguments *arguments;
	struct arena arena;
	struct secrets secrets;
	struct store *owned_store;
	struct run_row row;
	struct story story;
	bool is_bundle;
	size_t altered_count;
	size_t unsure_count;
	size_t report_count;
};

static void say(const struct verify *verify, const char *what, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say(const struct verify *verify, const char *what, const char *format, ...)
{
	struct text line = { 0 };
	va_list args;

	text_addf(&line, "  %-10s ", what);
	va_start(args, format);
	text_addv(&line, format, args);
	va_end(args);
	cli_print_line(stdout, &verify->secrets, text_str(&line));
	text_release(&line);
}

/* Why what is derived now may honestly differ from what was kept; NULL: it must not. */
static const char *excuse(const struct verify *verify)
{
	const struct timeline *timeline = &verify->story.timeline;

	if (!timeline->is_sealed)
		return "the run never came to its end";
	if (timeline->event_count > timeline->sealed_event_count)
		return "events were added after the run's end, by a heal";
	if (verify->row.version == NULL || strcmp(verify->row.version, FIREDRILL_VERSION) != 0)
		return "another version of firedrill made the run";
	return NULL;
}

/* Something kept is not what is derived; why: what may excuse it, or NULL. */
static void differ(struct verify *verify, const char *what, const char *difference,
		   const char *why)
{
	if (why == NULL) {
		verify->altered_count++;
		say(verify, what, "NOT AS DERIVED: %s", difference);
	} else {
		verify->unsure_count++;
		say(verify, what, "cannot be compared: %s; %s", difference, why);
	}
}

static void check_record(const struct verify *verify)
{
	const struct timeline *timeline = &verify->story.timeline;
	uint64_t sample_count = 0;

	for (size_t i = 0; i < timeline->track_count; i++)
		sample_count += timeline->tracks[i].slot_count;
	say(verify, "documents", "experiment and inventory are as they were when the run began");
	say(verify, "events", "%zu, each chained to the one before it", timeline->event_count);
	say(verify, "samples", "%" PRIu64 " slots of %zu probe%s, as they were sealed", sample_count,
	    timeline->track_count, timeline->track_count == 1 ? "" : "s");
	if (timeline->ledger_read_count > 0)
		say(verify, "ledger", "%zu read%s, as they were sealed",
		    timeline->ledger_read_count, timeline->ledger_read_count == 1 ? "" : "s");
}

static void check_result(struct verify *verify)
{
	const struct run_row *row = &verify->row;
	const struct outcome *outcome = &verify->story.outcome;
	struct text difference = { 0 };

	if (!row->is_ended) {
		verify->unsure_count++;
		say(verify, "result", "none was kept: the run never came to its end, so nothing says "
				      "that its samples and last events are all there");
		return;
	}
	if (row->exit_code == (int64_t)outcome->exit_code && row->sentence != NULL &&
	    strcmp(row->sentence, outcome->sentence) == 0) {
		say(verify, "result", "derived again from the samples: exit %d. %s",
		    (int)outcome->exit_code, outcome->sentence);
		return;
	}
	text_addf(&difference, "kept is exit %" PRId64 " (%s), derived is exit %d (%s)",
		  row->exit_code, row->sentence == NULL ? "" : row->sentence,
		  (int)outcome->exit_code, outcome->sentence);
	differ(verify, "result", text_str(&difference), excuse(verify));
	text_release(&difference);
}

static void check_head(struct verify *verify)
{
	const char *head = arguments_value(verify->arguments, "head");

	if (verify->is_bundle &&
	    strcmp(bundle_head(verify->owned_store), verify->story.timeline.head) != 0) {
		verify->altered_count++;
		say(verify, "head", "NOT AS DERIVED: run.json has %s",
		    bundle_head(verify->owned_store));
	}
	if (head == NULL)
		return;
	if (strcmp(head, verify->story.timeline.head) == 0) {
		say(verify, "head", "the one given");
		return;
	}
	verify->altered_count++;
	say(verify, "head", "NOT THE ONE GIVEN: this record is another one than the report shows, or "
			    "it was changed since%s",
	    verify->story.timeline.event_count > verify->story.timeline.sealed_event_count ?
		    " (a heal after the run's end changes it, too)" :
		    "");
}

/* ---- kept reports ---- */

/* Where the two begin to differ, in the words of an editor. */
static void describe(const struct text *kept, const struct text *derived, const char *name,
		     struct text *difference)
{
	const size_t shorter_bytes = kept->length_bytes < derived->length_bytes ?
					     kept->length_bytes :
					     derived->length_bytes;
	size_t line = 1;
	size_t at = 0;

	while (at < shorter_bytes && kept->owned_bytes[at] == derived->owned_bytes[at])
		line += kept->owned_bytes[at++] == '\n';
	text_addf(difference, "%s differs from line %zu (byte %zu) on", name, line, at + 1);
}

static void compare_report(struct verify *verify, const struct report_ops *ops, const char *name,
			   const struct text *kept, const char *why)
{
	const struct report_style style = { 0 };
	struct text derived = { 0 };
	struct text difference = { 0 };
	struct err e = { 0 };

	verify->report_count++;
	if (!report_write(ops, &verify->story, &style, &derived, &e)) {
		verify->unsure_count++;
		say(verify, "report", "%s could not be made again: %s", name, e.text);
	} else if (kept->length_bytes != derived.length_bytes ||
		   memcmp(text_str(kept), text_str(&derived), kept->length_bytes) != 0) {
		describe(kept, &derived, name, &difference);
		differ(verify, "report", text_str(&difference), why);
	} else {
		say(verify, "report", "%s, byte for byte what is derived now", name);
	}
	text_release(&difference);
	text_release(&derived);
}

/* The bytes of a picture depend on the libraries that draw it, too. */
static const char *excuse_kept(const struct verify *verify, const struct report_ops *ops)
{
	const char *why = excuse(verify);

	return why == NULL && ops->is_binary ? "another libpng or zlib draws other bytes" : why;
}

static bool compare_folder(struct verify *verify, const char *folder, struct err *e)
{
	size_t count;
	const struct report_ops *const *table = report_table(&count);
	bool ok = true;

	for (size_t i = 0; ok && i < count; i++) {
		struct text path = { 0 };
		struct text kept = { 0 };
		bool is_there = false;

		text_addf(&path, "%s/%s", folder, table[i]->file_name);
		ok = cli_read_file(text_str(&path), &is_there, &kept, e);
		if (ok && is_there)
			compare_report(verify, table[i], text_str(&path), &kept,
				       excuse_kept(verify, table[i]));
		text_release(&path);
		text_release(&kept);
	}
	return ok;
}

static const struct report_ops *find_file(const char *name)
{
	size_t count;
	const struct report_ops *const *table = report_table(&count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(table[i]->file_name, name) == 0)
			return table[i];
	return NULL;
}

/* Of the exporter: a bundle's reports were made when it was, whatever came to the run after its end. */
static bool compare_bundle(struct verify *verify, struct err *e)
{
	const char *exporter = bundle_exporter(verify->owned_store);
	const char *why = exporter != NULL && strcmp(exporter, FIREDRILL_VERSION) == 0 ?
				  NULL :
				  "another version of firedrill made the bundle";
	const char *name;
	bool ok = true;

	for (size_t i = 0; ok && (name = bundle_report_name(verify->owned_store, i)) != NULL; i++) {
		const struct report_ops *ops = find_file(name);
		struct text kept = { 0 };

		if (ops == NULL) {
			verify->unsure_count++;
			say(verify, "report", "%s is none that this firedrill writes", name);
			continue;
		}
		ok = bundle_report_read(verify->owned_store, name, &kept, e);
		if (ok)
			compare_report(verify, ops, name, &kept, why);
		text_release(&kept);
	}
	return ok;
}

static bool check_reports(struct verify *verify, struct err *e)
{
	const char *given = arguments_value(verify->arguments, "reports");
	struct text folder = { 0 };
	bool ok;

	if (verify->is_bundle && !compare_bundle(verify, e))
		return false;
	if (verify->is_bundle && given == NULL)
		return true;
	if (given != NULL)
		text_add(&folder, given);
	else
		text_addf(&folder, "runs/%s", verify->story.run_id);
	ok = compare_folder(verify, text_str(&folder), e);
	if (ok && given != NULL && verify->report_count == 0)
		ok = err_set(e, ERR_INPUT, "compare the reports in %s: there are none", given);
	text_release(&folder);
	return ok;
}

/* ---- the whole ---- */

static int conclude(const struct verify *verify)
{
	if (verify->altered_count > 0)
		return cli_fail_text(EXIT_MISSED, "run %s does not verify: %zu thing%s not as derived",
				     verify->story.run_id, verify->altered_count,
				     verify->altered_count == 1 ? " is" : "s are");
	if (verify->unsure_count > 0)
		return cli_fail_text(EXIT_INCONCLUSIVE,
				     "run %s: nothing is altered as far as can be told, but not all "
				     "could be told", verify->story.run_id);
	(void)fprintf(stdout, "verified\n");
	return EXIT_MET;
}

static int run_verify(const struct arguments *arguments)
{
	struct verify verify = { .arguments = arguments };
	struct err e = { 0 };
	int code;

	if (!cli_open_run(arguments, arguments->words[0], &verify.arena, &verify.owned_store,
			  &verify.row, &verify.is_bundle, &e) ||
	    !story_build(verify.owned_store, verify.row.run_id, &verify.arena, &verify.secrets,
			 &verify.story, &e)) {
		code = cli_fail_evidence(&verify.secrets, &e);
	} else {
		(void)fprintf(stdout, "run %s\nhead %s\n", verify.story.run_id,
			      verify.story.timeline.head);
		check_record(&verify);
		check_result(&verify);
		check_head(&verify);
		code = check_reports(&verify, &e) ? conclude(&verify) : cli_fail_evidence(&verify.secrets, &e);
	}
	store_close(verify.owned_store);
	secrets_release(&verify.secrets);
	arena_release(&verify.arena);
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
