/*
 * verify_run.c - see verify_run.h. Nothing is repaired.
 */
#include "cli/verify_run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/facts.h"
#include "engine/vantage_text.h"
#include "reports/report.h"
#include "store/bundle.h"

struct verify {
	const struct verify_request *request;
	struct findings *findings;
	struct arena arena;
	struct secrets secrets;
	struct story story;
};

void findings_say(const struct findings *findings, const char *what, const char *format, ...)
{
	struct text line = { 0 };
	va_list args;

	text_addf(&line, "  %-10s ", what);
	va_start(args, format);
	text_addv(&line, format, args);
	va_end(args);
	cli_print_line(stdout, findings->secrets, text_str(&line));
	text_release(&line);
}

void findings_differ(struct findings *findings, const char *what, const char *difference,
		     const char *why)
{
	if (why == NULL) {
		findings->altered_count++;
		findings_say(findings, what, "NOT AS DERIVED: %s", difference);
	} else {
		findings->unsure_count++;
		findings_say(findings, what, "cannot be compared: %s; %s", difference, why);
	}
}

void findings_result(struct findings *findings, const struct kept_result *kept,
		     const struct outcome *outcome, const char *why)
{
	struct text difference = { 0 };

	if (kept->exit_code == (int64_t)outcome->exit_code && kept->sentence != NULL &&
	    strcmp(kept->sentence, outcome->sentence) == 0) {
		findings_say(findings, "result", "derived again from the samples: exit %d. %s",
			     (int)outcome->exit_code, outcome->sentence);
		return;
	}
	text_addf(&difference, "kept is exit %" PRId64 " (%s), derived is exit %d (%s)",
		  kept->exit_code, kept->sentence == NULL ? "" : kept->sentence,
		  (int)outcome->exit_code, outcome->sentence);
	findings_differ(findings, "result", text_str(&difference), why);
	text_release(&difference);
}

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

void findings_compare(struct findings *findings, const char *name, const struct text *kept,
		      const struct text *derived, const char *why)
{
	struct text difference = { 0 };

	findings->report_count++;
	if (kept->length_bytes != derived->length_bytes ||
	    memcmp(text_str(kept), text_str(derived), kept->length_bytes) != 0) {
		describe(kept, derived, name, &difference);
		findings_differ(findings, "report", text_str(&difference), why);
	} else {
		findings_say(findings, "report", "%s, byte for byte what is derived now", name);
	}
	text_release(&difference);
}

/* ---- the record ---- */

/* Why what is derived now may honestly differ from what was kept; NULL: it must not. */
static const char *find_excuse(const struct verify *verify)
{
	const struct timeline *timeline = &verify->story.timeline;
	const char *version = verify->request->row->version;

	if (!timeline->is_sealed)
		return "the run never came to its end";
	if (timeline->event_count > timeline->sealed_event_count)
		return "events were added after the run's end, by a heal";
	if (version == NULL || strcmp(version, FIREDRILL_VERSION) != 0)
		return "another version of firedrill made the run";
	return NULL;
}

static void check_record(const struct verify *verify)
{
	const struct timeline *timeline = &verify->story.timeline;
	const struct findings *findings = verify->findings;
	uint64_t sample_count = 0;

	for (size_t i = 0; i < timeline->track_count; i++)
		sample_count += timeline->tracks[i].slot_count;
	findings_say(findings, "documents",
		     "experiment and inventory are as they were when the run began");
	findings_say(findings, "events", "%zu, each chained to the one before it",
		     timeline->event_count);
	findings_say(findings, "samples", "%" PRIu64 " slots of %zu probe%s, as they were sealed",
		     sample_count, timeline->track_count, timeline->track_count == 1 ? "" : "s");
	if (timeline->ledger_read_count > 0)
		findings_say(findings, "ledger", "%zu read%s, as they were sealed",
			     timeline->ledger_read_count,
			     timeline->ledger_read_count == 1 ? "" : "s");
}

static void check_result(const struct verify *verify)
{
	const struct run_row *row = verify->request->row;
	const struct kept_result kept = { row->exit_code, row->sentence };

	if (row->is_ended) {
		findings_result(verify->findings, &kept, &verify->story.outcome,
				find_excuse(verify));
		return;
	}
	verify->findings->unsure_count++;
	findings_say(verify->findings, "result",
		     "none was kept: the run never came to its end, so nothing says "
		     "that its samples and last events are all there");
}

/* What the history of `firedrill kpi` counts for this run. A bundle is no history. */
static bool check_facts(const struct verify *verify, struct err *e)
{
	struct findings *findings = verify->findings;
	struct arena scratch = { 0 };
	struct facts_subject subject;
	struct run_facts facts;
	bool is_there = false;
	bool is_same = false;
	bool ok;

	if (verify->request->is_bundle || verify->story.watch_of != NULL)
		return true;
	facts_of_story(&verify->story, &scratch, &subject, &facts);
	ok = store_facts_compare(verify->request->store, &subject, &facts, &is_there, &is_same, e);
	arena_release(&scratch);
	if (ok && !is_there)
		findings_say(findings, "facts", "none are kept; `firedrill kpi --rebuild` derives them");
	else if (ok && is_same)
		findings_say(findings, "facts", "those of the history are what is derived now");
	else if (ok)
		findings_differ(findings, "facts",
				"those kept for the history are other ones; `firedrill kpi "
				"--rebuild-all` derives them again", find_excuse(verify));
	return ok;
}

/* What was told of a vantage point, against what its samples say now. */
static void check_view(const struct verify *verify, const struct vantage_view *kept)
{
	struct findings *findings = verify->findings;
	struct arena scratch = { 0 };
	struct secrets none = { 0 };
	struct story watch = { 0 };
	struct text was = { 0 };
	struct text is = { 0 };
	struct text line = { 0 };
	struct err e = { 0 };

	if (!story_build(verify->request->store, kept->run_id, &scratch, &none, &watch, &e) ||
	    watch.view_count != 1) {
		text_addf(&line, "the samples of %s are in run %s, which is not here", kept->name,
			  kept->run_id);
		if (e.kind == ERR_ALTERED)
			findings_differ(findings, "vantage", e.text, NULL);
		else
			findings_say(findings, "vantage", "%s; `firedrill verify` it where it is",
				     text_str(&line));
	} else {
		vantage_text_write(kept, &was);
		vantage_text_write(&watch.views[0], &is);
		text_addf(&line, "what was told of %s is not what the samples of run %s say",
			  kept->name, kept->run_id);
		if (strcmp(text_str(&was), text_str(&is)) == 0)
			findings_say(findings, "vantage", "%s, derived again from the samples of run %s",
				     kept->name, kept->run_id);
		else
			findings_differ(findings, "vantage", text_str(&line), find_excuse(verify));
	}
	text_release(&was);
	text_release(&is);
	text_release(&line);
	secrets_release(&none);
	arena_release(&scratch);
}

static void check_views(const struct verify *verify)
{
	const struct story *story = &verify->story;

	for (size_t i = 0; story->watch_of == NULL && i < story->view_count; i++)
		if (story->views[i].run_id != NULL && story->views[i].why == NULL)
			check_view(verify, &story->views[i]);
}

static void check_head(const struct verify *verify)
{
	const struct timeline *timeline = &verify->story.timeline;
	const struct verify_request *request = verify->request;
	struct findings *findings = verify->findings;

	if (request->is_bundle && strcmp(bundle_head(request->store), timeline->head) != 0) {
		findings->altered_count++;
		findings_say(findings, "head", "NOT AS DERIVED: run.json has %s",
			     bundle_head(request->store));
	}
	if (request->head == NULL)
		return;
	if (strcmp(request->head, timeline->head) == 0) {
		findings_say(findings, "head", "the one given");
		return;
	}
	findings->altered_count++;
	findings_say(findings, "head",
		     "NOT THE ONE GIVEN: this record is another one than the report shows, or "
		     "it was changed since%s",
		     timeline->event_count > timeline->sealed_event_count ?
			     " (a heal after the run's end changes it, too)" :
			     "");
}

/* ---- kept reports ---- */

static void compare_report(const struct verify *verify, const struct report_ops *ops,
			   const char *name, const struct text *kept, const char *why)
{
	const struct report_style style = { 0 };
	struct findings *findings = verify->findings;
	struct text derived = { 0 };
	struct err e = { 0 };

	if (report_write(ops, &verify->story, &style, &derived, &e)) {
		findings_compare(findings, name, kept, &derived, why);
	} else {
		findings->unsure_count++;
		findings->report_count++;
		findings_say(findings, "report", "%s could not be made again: %s", name, e.text);
	}
	text_release(&derived);
}

/* The bytes of a picture depend on the libraries that draw it, too. */
static const char *excuse_kept(const struct verify *verify, const struct report_ops *ops)
{
	const char *why = find_excuse(verify);

	return why == NULL && ops->is_binary ? "another libpng or zlib draws other bytes" : why;
}

static bool compare_folder(const struct verify *verify, struct err *e)
{
	size_t count;
	const struct report_ops *const *table = report_table(&count);
	bool ok = true;

	for (size_t i = 0; ok && i < count; i++) {
		struct text path = { 0 };
		struct text kept = { 0 };
		bool is_there = false;

		text_addf(&path, "%s/%s", verify->request->folder, table[i]->file_name);
		ok = file_read(text_str(&path), &is_there, &kept, e);
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
static bool compare_bundle(const struct verify *verify, struct err *e)
{
	struct store *bundle = verify->request->store;
	const char *exporter = bundle_exporter(bundle);
	const char *why = exporter != NULL && strcmp(exporter, FIREDRILL_VERSION) == 0 ?
				  NULL :
				  "another version of firedrill made the bundle";
	const char *name;
	bool ok = true;

	for (size_t i = 0; ok && (name = bundle_report_name(bundle, i)) != NULL; i++) {
		const struct report_ops *ops = find_file(name);
		struct text kept = { 0 };

		if (ops == NULL) {
			verify->findings->unsure_count++;
			findings_say(verify->findings, "report",
				     "%s is none that this firedrill writes", name);
			continue;
		}
		ok = bundle_report_read(bundle, name, &kept, e);
		if (ok)
			compare_report(verify, ops, name, &kept, why);
		text_release(&kept);
	}
	return ok;
}

/* ---- the whole ---- */

static bool check_all(struct verify *verify, struct err *e)
{
	const struct verify_request *request = verify->request;

	(void)fprintf(stdout, "run %s\nhead %s\n", verify->story.run_id,
		      verify->story.timeline.head);
	check_record(verify);
	check_result(verify);
	check_views(verify);
	check_head(verify);
	if (verify->findings->excuse == NULL)
		verify->findings->excuse = find_excuse(verify);
	return check_facts(verify, e) && (!request->is_bundle || compare_bundle(verify, e)) &&
	       (request->folder == NULL || compare_folder(verify, e));
}

bool verify_run(const struct verify_request *request, struct findings *findings, struct err *e)
{
	struct verify verify = { .request = request, .findings = findings };
	bool ok;

	findings->secrets = &verify.secrets;
	ok = story_build(request->store, request->row->run_id, &verify.arena, &verify.secrets,
			 &verify.story, e) &&
	     check_all(&verify, e);
	findings->secrets = NULL;
	secrets_release(&verify.secrets);
	arena_release(&verify.arena);
	return ok;
}
