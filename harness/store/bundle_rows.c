/*
 * bundle_rows.c - the JSON half of bundle_rows.h: which columns a row has, and what they may hold.
 */
#include "store/bundle_rows.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "store/row_text.h"
#include "store/seal.h"
#include "store/store_private.h"

static const int64_t time_max_ns = INT64_C(1) << 62;

void bundle_samples_name(size_t index, const char *probe, char ret_name[BUNDLE_NAME_BYTES])
{
	(void)snprintf(ret_name, BUNDLE_NAME_BYTES, "samples/%02zu-%.64s.csv", index + 1, probe);
}

void bundle_ledger_name(size_t index, const struct stored_ledger_read *read,
			char ret_name[BUNDLE_NAME_BYTES])
{
	(void)snprintf(ret_name, BUNDLE_NAME_BYTES, "ledger/%02zu-%.64s-%s.csv", index + 1,
		       read->probe, read->count == COUNT_STABLE ? "stable" : "healed");
}

/* What a run can have: no time before its machine's boot or beyond any life, no negative count. */
static bool in_range(int64_t number, int64_t most)
{
	return number >= 0 && number <= most;
}

static bool check(bool is_sound, const char *what, struct err *e)
{
	return is_sound || err_set(e, ERR_ALTERED, "%s beyond anything that a run can have", what);
}

/* A hash text, or in a damaged bundle anything: it is only compared. */
static const char *hash_of(const char *text)
{
	return text == NULL ? "" : text;
}

/* ---- runs ---- */

enum {
	RUN_FORMAT, RUN_VERSION, RUN_ID, RUN_TITLE, RUN_MADE_BY, RUN_BOOT, RUN_WALL, RUN_EXPERIMENT,
	RUN_INVENTORY, RUN_VARS, RUN_BOOT_ID, RUN_PID, RUN_PID_START, RUN_SET, RUN_TRIAL, RUN_SEAL, RUN_IS_ENDED,
	RUN_ENDED, RUN_EXIT, RUN_SENTENCE, RUN_END_NUMBER, RUN_END_HASH, RUN_END_SERIES,
	RUN_END_SEAL, RUN_HEAD, RUN_EXPORTER,
	RUN_WATCH_OF, RUN_VANTAGE, RUN_FIELDS, /* these two of a watch only */
	RUN_FIELDS_OF_OTHERS = RUN_WATCH_OF,
};

static const struct row_field run_fields[RUN_FIELDS] = {
	[RUN_FORMAT] = { "format", ROW_TEXT },
	[RUN_VERSION] = { "format_version", ROW_INT },
	[RUN_ID] = { "run_id", ROW_TEXT },
	[RUN_TITLE] = { "title", ROW_TEXT },
	[RUN_MADE_BY] = { "firedrill_version", ROW_TEXT },
	[RUN_BOOT] = { "anchor_boot_ns", ROW_INT },
	[RUN_WALL] = { "anchor_wall_ns", ROW_INT },
	[RUN_EXPERIMENT] = { "experiment_path", ROW_TEXT },
	[RUN_INVENTORY] = { "inventory_path", ROW_TEXT },
	[RUN_VARS] = { "vars", ROW_TEXTS },
	[RUN_BOOT_ID] = { "boot_id", ROW_TEXT },
	[RUN_PID] = { "pid", ROW_INT },
	[RUN_PID_START] = { "pid_start", ROW_INT },
	[RUN_SET] = { "set_id", ROW_TEXT },
	[RUN_TRIAL] = { "trial", ROW_INT },
	[RUN_SEAL] = { "seal", ROW_TEXT },
	[RUN_IS_ENDED] = { "is_ended", ROW_BOOL },
	[RUN_ENDED] = { "ended_wall_ns", ROW_INT },
	[RUN_EXIT] = { "exit_code", ROW_INT },
	[RUN_SENTENCE] = { "sentence", ROW_TEXT },
	[RUN_END_NUMBER] = { "end_number", ROW_INT },
	[RUN_END_HASH] = { "end_hash", ROW_TEXT },
	[RUN_END_SERIES] = { "end_series", ROW_TEXT },
	[RUN_END_SEAL] = { "end_seal", ROW_TEXT },
	[RUN_HEAD] = { "head", ROW_TEXT },
	[RUN_EXPORTER] = { "exported_by", ROW_TEXT },
	[RUN_WATCH_OF] = { "watch_of", ROW_TEXT },
	[RUN_VANTAGE] = { "vantage", ROW_TEXT },
};

static const char format_name[] = "firedrill bundle";

void bundle_run_print(const struct stored_run *run, const char *head, const char *exporter,
		      struct text *text)
{
	const struct run_row *row = &run->row;
	struct arena scratch = { 0 };
	const char **vars = NULL;
	size_t var_count = 0;

	/* It was read from the store, which checked it. */
	(void)store_texts_parse(run->vars_json, &scratch, &vars, &var_count, NULL);

	const struct row_value values[RUN_FIELDS] = {
		[RUN_FORMAT] = { .text = format_name },
		[RUN_VERSION] = { .number = BUNDLE_FORMAT_VERSION },
		[RUN_ID] = { .text = row->run_id },
		[RUN_TITLE] = { .text = row->title },
		[RUN_MADE_BY] = { .text = row->version },
		[RUN_BOOT] = { .number = row->anchor.boot_ns },
		[RUN_WALL] = { .number = row->anchor.wall_ns },
		[RUN_EXPERIMENT] = { .text = row->experiment_path },
		[RUN_INVENTORY] = { .text = row->inventory_path },
		[RUN_VARS] = { .texts = vars, .count = var_count },
		[RUN_BOOT_ID] = { .text = row->boot_id },
		[RUN_PID] = { .number = row->pid },
		[RUN_PID_START] = { .number = row->pid_start },
		[RUN_SET] = { .text = row->set_id },
		[RUN_TRIAL] = { .number = row->trial },
		[RUN_SEAL] = { .text = run->seal },
		[RUN_IS_ENDED] = { .number = row->is_ended },
		[RUN_ENDED] = { .number = row->ended_wall_ns },
		[RUN_EXIT] = { .number = row->exit_code },
		[RUN_SENTENCE] = { .text = row->sentence },
		[RUN_END_NUMBER] = { .number = (int64_t)run->end_number },
		[RUN_END_HASH] = { .text = run->end_hash },
		[RUN_END_SERIES] = { .text = run->end_series },
		[RUN_END_SEAL] = { .text = run->end_seal },
		[RUN_HEAD] = { .text = head },
		[RUN_EXPORTER] = { .text = exporter },
		[RUN_WATCH_OF] = { .text = row->watch_of },
		[RUN_VANTAGE] = { .text = row->vantage },
	};

	row_print(run_fields, row->watch_of == NULL ? RUN_FIELDS_OF_OTHERS : RUN_FIELDS, values, text);
	arena_release(&scratch);
}

static void fill_run(const struct row_value *values, struct arena *arena, struct stored_run *run)
{
	struct text vars = { 0 };

	store_texts_print(values[RUN_VARS].texts, values[RUN_VARS].count, &vars);
	*run = (struct stored_run){
		.row = {
			.run_id = hash_of(values[RUN_ID].text),
			.title = values[RUN_TITLE].text,
			.version = values[RUN_MADE_BY].text,
			.anchor = { .boot_ns = values[RUN_BOOT].number,
				    .wall_ns = values[RUN_WALL].number },
			.experiment_path = values[RUN_EXPERIMENT].text,
			.inventory_path = values[RUN_INVENTORY].text,
			.boot_id = hash_of(values[RUN_BOOT_ID].text),
			.pid = values[RUN_PID].number,
			.pid_start = values[RUN_PID_START].number,
			.set_id = values[RUN_SET].text,
			.trial = values[RUN_TRIAL].number,
			.watch_of = values[RUN_WATCH_OF].text,
			.vantage = values[RUN_VANTAGE].text,
			.is_ended = values[RUN_IS_ENDED].number != 0,
			.ended_wall_ns = values[RUN_ENDED].number,
			.exit_code = values[RUN_EXIT].number,
			.sentence = values[RUN_SENTENCE].text,
		},
		.vars_json = arena_copy(arena, text_str(&vars)),
		.seal = hash_of(values[RUN_SEAL].text),
		.end_number = (uint64_t)values[RUN_END_NUMBER].number,
		.end_hash = hash_of(values[RUN_END_HASH].text),
		.end_series = hash_of(values[RUN_END_SERIES].text),
		.end_seal = hash_of(values[RUN_END_SEAL].text),
	};
	text_release(&vars);
}

bool bundle_run_parse(const char *line, size_t length_bytes, struct arena *arena,
		      struct stored_run *ret_run, const char **ret_head, const char **ret_exporter,
		      struct err *e)
{
	static const char known[] = "{\"format\":\"firedrill bundle\",\"format_version\":1,";
	const size_t format_bytes = sizeof known - sizeof "1,";
	/* A quote within a text is escaped, so this stands between members only. */
	static const char of_watch[] = ",\"watch_of\":";
	const bool is_watch = memmem(line, length_bytes, of_watch, sizeof of_watch - 1) != NULL;
	struct row_value values[RUN_FIELDS] = { 0 };

	if (length_bytes > sizeof known && memcmp(line, known, format_bytes) == 0 &&
	    memcmp(line, known, sizeof known - 1) != 0)
		return err_set(e, ERR_STORE,
			       "the bundle is of another format than this firedrill knows (%d); "
			       "use the version that wrote it", (int)BUNDLE_FORMAT_VERSION);
	if (!row_parse(run_fields, is_watch ? RUN_FIELDS : RUN_FIELDS_OF_OTHERS, line, length_bytes,
		       arena, values, e) ||
	    !check(in_range(values[RUN_BOOT].number, time_max_ns) &&
			   in_range(values[RUN_WALL].number, time_max_ns) &&
			   in_range(values[RUN_ENDED].number, time_max_ns) &&
			   in_range(values[RUN_EXIT].number, UINT8_MAX) &&
			   in_range(values[RUN_END_NUMBER].number, time_max_ns),
		   "a time or a number is", e))
		return false;
	if (strcmp(hash_of(values[RUN_FORMAT].text), format_name) != 0 ||
	    values[RUN_VERSION].number != BUNDLE_FORMAT_VERSION)
		return err_set(e, ERR_ALTERED, "it does not begin as the run of a bundle does");
	fill_run(values, arena, ret_run);
	*ret_head = hash_of(values[RUN_HEAD].text);
	*ret_exporter = values[RUN_EXPORTER].text;
	return true;
}

/* ---- events ---- */

enum {
	EVENT_FIELD_NUMBER, EVENT_FIELD_AT, EVENT_FIELD_KIND, EVENT_FIELD_PHASE, EVENT_FIELD_STEP,
	EVENT_FIELD_HOST, EVENT_FIELD_NAME, EVENT_FIELD_FROM, EVENT_FIELD_UNTIL, EVENT_FIELD_TEXT,
	EVENT_FIELD_DATA, EVENT_FIELD_HASH, EVENT_FIELDS,
};

static const struct row_field event_fields[EVENT_FIELDS] = {
	[EVENT_FIELD_NUMBER] = { "number", ROW_INT },
	[EVENT_FIELD_AT] = { "at_ns", ROW_INT },
	[EVENT_FIELD_KIND] = { "kind", ROW_TEXT },
	[EVENT_FIELD_PHASE] = { "phase", ROW_TEXT },
	[EVENT_FIELD_STEP] = { "step", ROW_INT },
	[EVENT_FIELD_HOST] = { "host", ROW_TEXT },
	[EVENT_FIELD_NAME] = { "name", ROW_TEXT },
	[EVENT_FIELD_FROM] = { "from_ns", ROW_INT },
	[EVENT_FIELD_UNTIL] = { "until_ns", ROW_INT },
	[EVENT_FIELD_TEXT] = { "text", ROW_TEXT },
	[EVENT_FIELD_DATA] = { "data", ROW_TEXT },
	[EVENT_FIELD_HASH] = { "hash", ROW_TEXT },
};

void bundle_event_print(const struct event *event, struct text *text)
{
	const struct row_value values[EVENT_FIELDS] = {
		[EVENT_FIELD_NUMBER] = { .number = (int64_t)event->number },
		[EVENT_FIELD_AT] = { .number = event->at_ns },
		[EVENT_FIELD_KIND] = { .text = event_kind_name(event->kind) },
		[EVENT_FIELD_PHASE] = { .text = phase_name(event->phase) },
		[EVENT_FIELD_STEP] = { .number = event->step },
		[EVENT_FIELD_HOST] = { .text = event->host },
		[EVENT_FIELD_NAME] = { .text = event->name },
		[EVENT_FIELD_FROM] = { .number = event->from_ns },
		[EVENT_FIELD_UNTIL] = { .number = event->until_ns },
		[EVENT_FIELD_TEXT] = { .text = event->text },
		[EVENT_FIELD_DATA] = { .text = event->data },
		[EVENT_FIELD_HASH] = { .text = event->hash },
	};

	row_print(event_fields, EVENT_FIELDS, values, text);
}

bool bundle_event_parse(const char *line, size_t length_bytes, struct arena *arena,
			struct event *ret_event, struct err *e)
{
	struct row_value values[EVENT_FIELDS] = { 0 };
	const int64_t *const times[] = { &values[EVENT_FIELD_AT].number,
					 &values[EVENT_FIELD_FROM].number,
					 &values[EVENT_FIELD_UNTIL].number };
	bool is_sound = true;

	if (!row_parse(event_fields, EVENT_FIELDS, line, length_bytes, arena, values, e))
		return false;
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
		is_sound = is_sound && in_range(*times[i], time_max_ns);
	if (!check(is_sound && in_range(values[EVENT_FIELD_STEP].number, UINT32_MAX) &&
			   in_range(values[EVENT_FIELD_NUMBER].number, INT32_MAX),
		   "a time or a number is", e))
		return false;
	*ret_event = (struct event){
		.number = (uint64_t)values[EVENT_FIELD_NUMBER].number,
		.at_ns = values[EVENT_FIELD_AT].number,
		.step = (uint32_t)values[EVENT_FIELD_STEP].number,
		.host = values[EVENT_FIELD_HOST].text,
		.name = values[EVENT_FIELD_NAME].text,
		.from_ns = values[EVENT_FIELD_FROM].number,
		.until_ns = values[EVENT_FIELD_UNTIL].number,
		.text = hash_of(values[EVENT_FIELD_TEXT].text),
		.data = values[EVENT_FIELD_DATA].text,
	};
	seal_event_words(ret_event, hash_of(values[EVENT_FIELD_KIND].text),
			 hash_of(values[EVENT_FIELD_PHASE].text),
			 hash_of(values[EVENT_FIELD_HASH].text));
	return true;
}

/* ---- heals ---- */

enum {
	HEAL_FIELD_STEP, HEAL_FIELD_HOST, HEAL_FIELD_RECORD, HEAL_FIELD_BEFORE, HEAL_FIELD_STATE,
	HEAL_FIELD_SEAL, HEAL_FIELDS,
};

static const struct row_field heal_fields[HEAL_FIELDS] = {
	[HEAL_FIELD_STEP] = { "step", ROW_INT },
	[HEAL_FIELD_HOST] = { "host", ROW_TEXT },
	[HEAL_FIELD_RECORD] = { "record", ROW_TEXT },
	[HEAL_FIELD_BEFORE] = { "before", ROW_TEXT },
	[HEAL_FIELD_STATE] = { "state", ROW_TEXT },
	[HEAL_FIELD_SEAL] = { "seal", ROW_TEXT },
};

void bundle_heal_print(const struct stored_heal *heal, struct text *text)
{
	const struct row_value values[HEAL_FIELDS] = {
		[HEAL_FIELD_STEP] = { .number = heal->step },
		[HEAL_FIELD_HOST] = { .text = heal->host },
		[HEAL_FIELD_RECORD] = { .text = heal->record_json },
		[HEAL_FIELD_BEFORE] = { .text = heal->before },
		[HEAL_FIELD_STATE] = { .text = heal->state },
		[HEAL_FIELD_SEAL] = { .text = heal->seal },
	};

	row_print(heal_fields, HEAL_FIELDS, values, text);
}

bool bundle_heal_parse(const char *line, size_t length_bytes, struct arena *arena,
		       struct stored_heal *ret_heal, struct err *e)
{
	struct row_value values[HEAL_FIELDS];

	if (!row_parse(heal_fields, HEAL_FIELDS, line, length_bytes, arena, values, e))
		return false;
	*ret_heal = (struct stored_heal){
		.step = values[HEAL_FIELD_STEP].number,
		.host = hash_of(values[HEAL_FIELD_HOST].text),
		.record_json = hash_of(values[HEAL_FIELD_RECORD].text),
		.before = values[HEAL_FIELD_BEFORE].text,
		.state = hash_of(values[HEAL_FIELD_STATE].text),
		.seal = hash_of(values[HEAL_FIELD_SEAL].text),
	};
	return true;
}
