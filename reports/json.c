/*
 * json.c - report "json": everything the story says, for machines. The shape is documented in
 * docs/schema-report.json; a change that breaks a reader raises FORMAT_VERSION.
 *
 * Moments are objects: `ns` on the run's clock, `iso` in UTC, `after_fault_ns` when there was one.
 * Samples are not in it: the store has them.
 */
#include "reports/report.h"

#include <string.h>

#include "base/json.h"
#include "reports/facts.h"
#include "reports/json_parts.h"
#include "reports/trials.h"
#include "reports/words.h"

enum { FORMAT_VERSION = 2 };

void put_moment(struct json *object, const char *key, const struct story *story, int64_t at_ns)
{
	char iso[WORDS_BYTES];

	if (at_ns == 0) {
		json_put_null(object, key);
		return;
	}

	struct json *moment = json_put_object(object, key);

	json_put_int(moment, "ns", at_ns);
	json_put_text(moment, "iso", words_iso(story, at_ns, iso));
	if (facts_has_fault(story))
		json_put_int(moment, "after_fault_ns", at_ns - facts_zero_ns(story));
}

static void put_span(struct json *object, const char *key, struct span span)
{
	struct json *child = json_put_object(object, key);

	json_put_int(child, "low_ns", span.low_ns);
	json_put_int(child, "high_ns", span.high_ns);
}

static void put_count(struct json *object, const char *key, uint64_t count)
{
	json_put_int(object, key, (int64_t)count);
}

/* Event data comes from the journal: copied value by value, so the report stays one document. */
static void put_value(struct json *object, const char *key, const struct json *value);

static void push_value(struct json *array, const struct json *value)
{
	struct text plain = { 0 };
	struct json *child;
	int64_t number;

	switch (json_type_of(value)) {
	case JSON_OBJECT:
		child = json_push_object(array);
		for (const struct json *at = json_at(value, 0); at != NULL; at = json_next(at))
			put_value(child, json_key_of(at), at);
		return;
	case JSON_ARRAY:
		child = json_push_array(array);
		for (const struct json *at = json_at(value, 0); at != NULL; at = json_next(at))
			push_value(child, at);
		return;
	case JSON_NUMBER:
		if (json_int_of(value, &number)) {
			json_push_int(array, number);
			return;
		}
		break;
	case JSON_NULL:
	case JSON_BOOL:
	case JSON_TEXT:
		break;
	}
	json_plain(value, &plain);
	json_push_text(array, text_str(&plain));
	text_release(&plain);
}

static void put_value(struct json *object, const char *key, const struct json *value)
{
	struct text plain = { 0 };
	struct json *child;
	int64_t number = 0;
	bool is_true = false;

	switch (json_type_of(value)) {
	case JSON_OBJECT:
		child = json_put_object(object, key);
		for (const struct json *at = json_at(value, 0); at != NULL; at = json_next(at))
			put_value(child, json_key_of(at), at);
		return;
	case JSON_ARRAY:
		child = json_put_array(object, key);
		for (const struct json *at = json_at(value, 0); at != NULL; at = json_next(at))
			push_value(child, at);
		return;
	case JSON_NULL:
		json_put_null(object, key);
		return;
	case JSON_BOOL:
		(void)json_bool_of(value, &is_true);
		json_put_bool(object, key, is_true);
		return;
	case JSON_NUMBER:
		if (json_int_of(value, &number)) {
			json_put_int(object, key, number);
			return;
		}
		break;
	case JSON_TEXT:
		break;
	}
	json_plain(value, &plain);
	json_put_text(object, key, text_str(&plain));
	text_release(&plain);
}

static void put_data(struct json *object, const char *key, const char *data)
{
	struct json *parsed = NULL;

	if (data == NULL)
		json_put_null(object, key);
	else if (!json_parse(data, strlen(data), &parsed, NULL))
		json_put_text(object, key, data);
	else
		put_value(object, key, parsed);
	json_release(parsed);
}

static void put_run(struct json *root, const struct story *story)
{
	const struct experiment *experiment = story->experiment;
	struct json *run = json_put_object(root, "run");

	json_put_text(run, "id", story->run_id);
	if (story->set_id == NULL) {
		json_put_null(run, "set");
	} else {
		struct json *set = json_put_object(run, "set");

		json_put_text(set, "id", story->set_id);
		json_put_int(set, "trial", story->trial);
	}
	json_put_text(run, "firedrill_version", story->version);
	json_put_text(run, "head", facts_head(story));
	put_moment(run, "started", story, facts_started_ns(story));
	put_moment(run, "ended", story, facts_ended_ns(story));
	json_put_int(run, "duration_ns", facts_ended_ns(story) - facts_started_ns(story));
	json_put_text(run, "lanes", facts_lanes(story));

	struct json *child = json_put_object(root, "experiment");

	json_put_text(child, "title", experiment->title);
	json_put_text(child, "hypothesis", experiment->hypothesis);
	json_put_text(child, "service",
		      experiment->service == NULL ? NULL : experiment->service->name);
	json_put_text(child, "path", experiment->source_path);
	json_put_text(child, "inventory_path", experiment->inventory_path);

	struct json *vars = json_put_array(child, "vars");

	for (size_t i = 0; i < experiment->var_count; i++) {
		struct json *var = json_push_object(vars);

		json_put_text(var, "name", experiment->vars[i].name);
		json_put_text(var, "value", experiment->vars[i].value);
	}
}

static void put_outcome(struct json *root, const struct story *story)
{
	struct json *outcome = json_put_object(root, "outcome");

	json_put_text(outcome, "headline", words_headline(&story->outcome));
	json_put_text(outcome, "verdict", verdict_name(story->outcome.verdict));
	json_put_int(outcome, "exit_code", story->outcome.exit_code);
	json_put_text(outcome, "meaning", run_exit_meaning(story->outcome.exit_code));
	json_put_text(outcome, "sentence", story->outcome.sentence);
	if (story->outcome.stop_to_heal_ns > 0)
		json_put_int(outcome, "stop_to_heal_ns", story->outcome.stop_to_heal_ns);

	if (!facts_has_fault(story)) {
		json_put_null(root, "fault");
		return;
	}

	struct json *fault = json_put_object(root, "fault");

	put_moment(fault, "sent", story, story->fault.low_ns);
	put_moment(fault, "confirmed", story, story->fault.high_ns);
}

static void put_objectives(struct json *root, const struct story *story)
{
	const struct objectives *promised = &story->experiment->objectives;
	struct json *rows = json_put_array(root, "objectives");

	for (size_t i = 0; i < story->objective_count; i++) {
		const struct objective_result *objective = &story->objectives[i];
		struct json *row = json_push_object(rows);

		json_put_text(row, "name", objective->name);
		json_put_text(row, "verdict", verdict_name(objective->verdict));
		json_put_text(row, "target", objective->target);
		json_put_text(row, "observed", objective->observed);
		json_put_text(row, "margin", objective->margin);
		json_put_text(row, "reason", objective->reason);
		json_put_text(row, "advice", objective->advice);
	}

	struct json *targets = json_put_object(root, "targets");

	if (promised->has_rto)
		json_put_int(targets, "rto_ns", promised->rto_ns);
	if (promised->has_rpo)
		json_put_int(targets, "rpo_ns", promised->rpo_ns);
	if (promised->has_availability)
		json_put_int(targets, "availability_ppm", promised->availability_ppm);
}

/* A kind, and numbers only where the kind has them. */
static void put_rto(struct json *object, const char *key, const struct probe_result *probe)
{
	struct json *rto = json_put_object(object, key);

	json_put_text(rto, "kind", words_rto_kind(probe->rto_kind));
	if (probe->rto_kind == MEASURED_SPAN) {
		json_put_int(rto, "low_ns", probe->rto.low_ns);
		json_put_int(rto, "high_ns", probe->rto.high_ns);
	} else if (probe->rto_kind == MEASURED_NEVER_RECOVERED) {
		json_put_int(rto, "low_ns", probe->rto.low_ns);
	}
}

static void put_service_rto(struct json *root, const struct story *story)
{
	const struct probe_result *service = story->service;

	if (service == NULL) {
		json_put_null(root, "service_rto");
		return;
	}
	put_rto(root, "service_rto", service);
	json_put_text(root, "service_rto_probe", service->probe);
}

/* A bound that nobody knows is null. */
void put_bounds(struct json *object, const char *key, struct span latency)
{
	struct json *child = json_put_object(object, key);

	json_put_int(child, "low_ns", latency.low_ns);
	if (latency.high_ns == NEVER_NS)
		json_put_null(child, "high_ns");
	else
		json_put_int(child, "high_ns", latency.high_ns);
}

static void put_level(struct json *object, const char *key, const struct story *story,
		      const struct service_level *level)
{
	struct json *child = json_put_object(object, key);

	put_moment(child, "from", story, level->from_ns);
	put_moment(child, "until", story, level->until_ns);
	put_count(child, "slot_count", level->slot_count);
	put_count(child, "good_count", level->good_count);
	put_count(child, "bad_count", level->bad_count);
	put_count(child, "unseen_count", level->unseen_count);
	put_count(child, "done_count", level->done_count);
	if (level->slot_count == 0)
		return;

	struct json *latency = json_put_object(child, "latency");

	for (size_t i = 0; i < PERCENTILE_COUNT; i++)
		put_bounds(latency, percentile_word((enum percentile)i), level->latency[i]);
	json_put_int(child, "error_rate_low_ppm", level->error_low_ppm);
	json_put_int(child, "error_rate_high_ppm", level->error_high_ppm);
	json_put_int(child, "done_milli_per_s", level->done_milli_per_s);
	if (!level->has_kept)
		return;
	json_put_int(child, "throughput_kept_low_ppm", level->kept_low_ppm);
	json_put_int(child, "throughput_kept_high_ppm", level->kept_high_ppm);
}

static void put_levels(struct json *row, const struct story *story,
		       const struct probe_result *probe)
{
	struct json *levels = json_put_object(row, "levels");
	const struct service_level *level;
	const char *when;

	for (size_t i = 0; (level = words_level(story, probe, i, &when)) != NULL; i++)
		put_level(levels, when, story, level);
	if (probe->over_ns == 0)
		return;

	struct json *over = json_put_object(row, "time_over");

	json_put_int(over, "latency_ns", probe->over_ns);
	json_put_int(over, "low_ns", probe->time_over.low_ns);
	json_put_int(over, "high_ns", probe->time_over.high_ns);
}

static void put_timetable(struct json *row, const struct story *story, const char *probe)
{
	const struct probe_spec *spec = facts_spec(story, probe);
	const struct track *track = facts_track(story, probe);

	json_put_text(row, "kind", spec == NULL ? NULL : spec->kind);
	if (spec != NULL)
		json_put_int(row, "timeout_ns", spec->timeout_ns);
	if (track == NULL)
		return;
	json_put_int(row, "every_ns", track->every_ns);
	put_count(row, "lane_count", track->lane_count);
	put_count(row, "slot_count", track->slot_count);
	put_moment(row, "first_due", story, track->t0_ns);

	struct json *errors = json_put_array(row, "errors");

	for (size_t i = 0; i < track->error_count; i++)
		json_push_text(errors, track->error_texts[i]);
}

static void push_probe(struct json *rows, const struct story *story,
		       const struct probe_result *probe)
{
	struct json *row = json_push_object(rows);

	json_put_text(row, "name", probe->probe);
	json_put_bool(row, "is_required", probe->is_required);
	put_timetable(row, story, probe->probe);
	put_rto(row, "rto", probe);

	struct json *parts = json_put_array(row, "rto_parts");

	for (size_t i = 0; i < probe->part_count; i++) {
		struct json *part = json_push_object(parts);

		json_put_text(part, "name", probe->parts[i].name);
		json_put_int(part, "low_ns", probe->parts[i].span.low_ns);
		json_put_int(part, "high_ns", probe->parts[i].span.high_ns);
	}
	put_moment(row, "first_bad_due", story, probe->first_bad_due_ns);
	put_moment(row, "last_bad_due", story, probe->last_bad_due_ns);
	put_moment(row, "first_good_done", story, probe->first_good_done_ns);
	put_moment(row, "stable_from", story, probe->stable_from_ns);
	put_span(row, "downtime", probe->downtime);
	put_count(row, "flap_count", probe->flap_count);
	put_count(row, "good_count", probe->good_count);
	put_count(row, "bad_count", probe->bad_count);
	put_count(row, "skipped_count", probe->skipped_count);
	put_count(row, "not_sampled_count", probe->not_sampled_count);
	put_count(row, "late_count", probe->late_count);
	json_put_int(row, "availability_low_ppm", probe->availability_low_ppm);
	json_put_int(row, "availability_high_ppm", probe->availability_high_ppm);
	put_levels(row, story, probe);
	json_put_int(row, "lateness_p50_ns", probe->lateness_p50_ns);
	json_put_int(row, "lateness_p99_ns", probe->lateness_p99_ns);
	json_put_int(row, "lateness_max_ns", probe->lateness_max_ns);
}

/* What the system did by itself; without a moment, `why` says what is missing. */
static void put_named_events(struct json *root, const struct story *story)
{
	struct json *rows = json_put_array(root, "named_events");

	for (size_t i = 0; i < story->named_event_count; i++) {
		const struct named_event *event = &story->named_events[i];
		struct json *row = json_push_object(rows);

		json_put_text(row, "probe", event->probe);
		json_put_text(row, "host", event->host);
		json_put_text(row, "what", event->what);
		json_put_bool(row, "is_placed", event->is_placed);
		put_moment(row, "low", story, event->at.low_ns);
		put_moment(row, "high", story, event->at.high_ns);
		json_put_text(row, "why", event->why);
	}
}

static void put_ledger_count(struct json *object, const char *key,
			     const struct ledger_count_result *count)
{
	if (!count->was_counted) {
		json_put_null(object, key);
		return;
	}

	struct json *row = json_put_object(object, key);
	size_t class_count;
	const struct class_row *classes = words_classes(&class_count);

	json_put_bool(row, "is_readable", count->is_readable);
	json_put_text(row, "error", count->error);
	if (!count->is_readable)
		return;
	put_count(row, "attempted", count->classes.attempted);
	put_count(row, "acknowledged", count->classes.acknowledged);
	put_count(row, "failed", count->classes.failed);
	put_count(row, "indeterminate", count->classes.indeterminate);
	for (size_t i = 0; i < class_count; i++)
		put_count(row, classes[i].name, classes[i].count(&count->classes));

	struct json *keys = json_put_array(row, "lost_keys");

	for (size_t i = 0; i < count->classes.lost_key_count; i++)
		json_push_int(keys, (int64_t)count->classes.lost_keys[i]);
	put_span(row, "rpo", count->rpo);
	put_count(row, "first_missing_count", count->first_missing_count);
	put_count(row, "read_count", count->read_count);
	json_put_int(row, "settle_ns", count->settle_ns);
}

static void put_ledgers(struct json *root, const struct story *story)
{
	struct json *rows = json_put_array(root, "ledgers");

	for (size_t i = 0; i < story->ledger_count; i++) {
		const struct ledger_result *ledger = &story->ledgers[i];
		struct json *row = json_push_object(rows);

		json_put_text(row, "probe", ledger->probe);
		put_ledger_count(row, "stable", &ledger->stable);
		put_ledger_count(row, "healed", &ledger->healed);
		json_put_text(row, "judged_by",
			      ledger->worse == NULL		? NULL :
			      ledger->worse == &ledger->healed ? "healed" :
								  "stable");
	}
}

static void put_together(struct json *object, const char *key, const struct story *story,
			 const struct together *together)
{
	struct json *child = json_put_object(object, key);

	put_span(child, "time", together->time);
	put_count(child, "spell_count", together->spell_count);
	put_moment(child, "first", story, together->when.low_ns);
	put_moment(child, "last", story, together->when.high_ns);
	json_put_text(child, "hosts", together->hosts);
}

static void put_primaries(struct json *root, const struct story *story)
{
	struct json *rows = json_put_array(root, "primaries");

	for (size_t i = 0; i < story->primaries_count; i++) {
		const struct primaries_result *watch = &story->primaries[i];
		struct json *row = json_push_object(rows);

		json_put_text(row, "probe", watch->probe);
		put_count(row, "host_count", watch->host_count);
		put_count(row, "event_count", watch->event_count);
		json_put_bool(row, "is_whole", watch->is_whole);
		json_put_text(row, "twins", watch->twins);
		put_together(row, "two_primaries", story, &watch->primaries);
		put_together(row, "two_writable", story, &watch->writable);
		json_put_int(row, "silent_ns", watch->silent_ns);
	}
}

static void put_readers(struct json *root, const struct story *story)
{
	struct json *rows = json_put_array(root, "readers");

	for (size_t i = 0; i < story->reader_count; i++) {
		const struct reader_result *reader = &story->readers[i];
		struct json *row = json_push_object(rows);

		json_put_text(row, "probe", reader->probe);
		json_put_text(row, "ledger", reader->ledger);
		json_put_bool(row, "is_readable", reader->is_readable);
		json_put_text(row, "error", reader->error);
		if (!reader->is_readable)
			continue;
		json_put_bool(row, "is_settled", reader->is_settled);
		put_count(row, "read_count", reader->read_count);
		put_count(row, "unseen_count", reader->unseen_count);
		put_count(row, "judged_row_count", reader->judged_row_count);
		put_count(row, "stale_read_count", reader->stale_read_count);
		put_count(row, "undecided_read_count", reader->undecided_read_count);
		put_count(row, "stale_row_count", reader->stale_row_count);
		put_count(row, "open_row_count", reader->open_row_count);
		put_span(row, "staleness", reader->staleness);
		put_moment(row, "first_stale", story, reader->stale_when.low_ns);
		put_moment(row, "last_stale", story, reader->stale_when.high_ns);
		put_count(row, "non_monotonic_read_count", reader->non_monotonic_read_count);
		put_moment(row, "first_non_monotonic", story, reader->non_monotonic_when.low_ns);
		put_moment(row, "last_non_monotonic", story, reader->non_monotonic_when.high_ns);
		put_count(row, "gone_row_count", reader->gone_row_count);
	}
}

static void put_deeds(struct json *root, const struct story *story)
{
	struct json *rows = json_put_array(root, "deeds");

	for (size_t i = 0; i < story->deed_count; i++) {
		const struct deed *deed = &story->deeds[i];
		struct json *row = json_push_object(rows);

		json_put_int(row, "step", deed->step);
		json_put_text(row, "fault", deed->fault);
		json_put_text(row, "host", deed->host);
		json_put_text(row, "what", deed->what);
		json_put_text(row, "heal", deed->heal);
		put_moment(row, "inject_sent", story, deed->injected.low_ns);
		put_moment(row, "inject_confirmed", story, deed->injected.high_ns);
		json_put_text(row, "confirmation", event_kind_name(deed->confirmation));
		put_moment(row, "heal_sent", story, deed->healed.low_ns);
		put_moment(row, "heal_answered", story, deed->healed.high_ns);
		json_put_text(row, "read_back", event_kind_name(deed->read_back));
		json_put_text(row, "leftover", deed->leftover);
	}

	struct json *permission = json_put_array(root, "permission");

	for (size_t i = 0; i < story->permission_count; i++)
		json_push_text(permission, story->permission[i]);

	struct json *untold = json_put_array(root, "untold");

	for (size_t i = 0; i < story->untold_count; i++)
		json_push_text(untold, story->untold[i]);
}

static void put_events(struct json *root, const struct story *story)
{
	struct json *rows = json_put_array(root, "events");

	for (size_t i = 0; i < story->timeline.event_count; i++) {
		const struct event *event = &story->timeline.events[i];
		struct json *row = json_push_object(rows);

		put_count(row, "number", event->number);
		put_moment(row, "at", story, event->at_ns);
		json_put_text(row, "kind", event_kind_name(event->kind));
		json_put_text(row, "phase", phase_name(event->phase));
		json_put_int(row, "step", event->step);
		json_put_text(row, "host", event->host);
		json_put_text(row, "name", event->name);
		put_moment(row, "from", story, event->from_ns);
		put_moment(row, "until", story, event->until_ns);
		json_put_text(row, "text", event->text);
		put_data(row, "data", event->data);
		json_put_text(row, "hash", event->hash);
	}
}

static bool json_write(const struct story *story, const struct report_style *style,
		       struct text *ret_bytes, struct err *e)
{
	struct json *root = json_object();
	struct json *rows;

	(void)style; /* the same bytes for everyone */
	(void)e;     /* nothing here can fail */

	json_put_text(root, "format", "firedrill report");
	json_put_int(root, "format_version", FORMAT_VERSION);
	put_outcome(root, story);
	put_objectives(root, story);
	put_service_rto(root, story);
	rows = json_put_array(root, "probes");
	for (size_t i = 0; i < story->probe_count; i++)
		push_probe(rows, story, &story->probes[i]);
	put_named_events(root, story);
	put_ledgers(root, story);
	put_readers(root, story);
	put_primaries(root, story);
	put_lags(root, story);
	put_vantage(root, story);
	put_deeds(root, story);
	put_run(root, story);
	put_events(root, story);
	json_print(root, true, ret_bytes);
	text_add(ret_bytes, "\n");
	json_release(root);
	return true;
}

const struct report_ops report_json = {
	.name = "json",
	.file_name = "report.json",
	.summary = "everything, for machines; versioned, described by docs/schema-report.json",
	.write = json_write,
	.write_set = trials_json_write,
};
