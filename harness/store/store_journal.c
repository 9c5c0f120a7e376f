/*
 * store_journal.c - the chain of events, and the records from which faults are healed.
 *
 * The first event of a run is chained to the seal of the run's row, and so to the documents.
 */
#include "store/store_private.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "store/seal.h"

/* ---- events ---- */

/* Room kept for the way out of a run that has filled its journal. */
enum { EVENTS_FOR_THE_END = 10000 };

struct event_append {
	const char *run_id;
	struct event clean; /* hidden; number and hash are filled in */
};

static bool belongs_to_the_end(enum event_kind kind)
{
	return kind == EVENT_HEALED || kind == EVENT_HEAL_FAILED || kind == EVENT_CLEAN ||
	       kind == EVENT_LEFTOVER || kind == EVENT_SIGNAL || kind == EVENT_STOP ||
	       kind == EVENT_FAILED || kind == EVENT_PHASE || kind == EVENT_RUN_ENDED;
}

/* What the first event is chained to. */
static bool read_run_seal(struct store *store, const char *run_id, char ret_hash[HASH_TEXT_BYTES],
			  struct err *e)
{
	struct arena scratch = { 0 };
	struct stored_run run;
	const bool ok = store_run_read(store, run_id, &scratch, &run, e);

	if (ok)
		memcpy(ret_hash, run.seal, HASH_TEXT_BYTES); /* as long as that: it was checked */
	arena_release(&scratch);
	return ok;
}

static bool append_work(struct store *store, void *ctx, struct err *e)
{
	struct event_append *append = ctx;
	struct event *event = &append->clean;
	const uint64_t limit =
		LIMIT_EVENTS + (belongs_to_the_end(event->kind) ? EVENTS_FOR_THE_END : 0);
	char previous[HASH_TEXT_BYTES];
	uint64_t last = 0;

	if (!store->ops->event_last(store->owned_backend, append->run_id, &last, previous, e))
		return false;
	if (last >= limit)
		return err_set(e, ERR_LIMIT,
			       "append an event to run %s: it has %" PRIu64
			       " events, which is the limit",
			       append->run_id, last);
	if (last == 0 && !read_run_seal(store, append->run_id, previous, e))
		return false;
	event->number = last + 1;
	seal_event(event, previous, event->hash);
	return store->ops->event_insert(store->owned_backend, append->run_id, event, e);
}

bool store_append(struct store *store, const char *run_id, struct event *event, struct err *e)
{
	struct arena scratch = { 0 };
	struct event_append append = { .run_id = run_id, .clean = *event };
	bool ok;

	assert(event->kind != EVENT_NONE);
	assert(event->text != NULL);

	append.clean.host = store_hide(store, &scratch, event->host);
	append.clean.name = store_hide(store, &scratch, event->name);
	append.clean.text = store_hide(store, &scratch, event->text);
	append.clean.data = store_hide(store, &scratch, event->data);
	ok = store_write(store, append_work, &append, e);
	if (ok) {
		event->number = append.clean.number;
		memcpy(event->hash, append.clean.hash, sizeof event->hash);
	}
	arena_release(&scratch);
	return ok || err_wrap(e, "journal \"%s\"", event_kind_name(event->kind));
}

bool store_events_after(struct store *store, const char *run_id, uint64_t after,
			struct arena *arena, struct event **ret_events, size_t *ret_count,
			struct err *e)
{
	return store->ops->events_read(store->owned_backend, run_id, after, arena, ret_events,
				       ret_count, e);
}

/* ---- heals ---- */

static const char *const heal_state_names[] = {
	[HEAL_PENDING] = "pending",
	[HEAL_DONE] = HEAL_STATE_DONE,
	[HEAL_LEFTOVER] = "leftover",
};

static bool heal_state_find(const char *name, enum heal_state *ret_state)
{
	for (int i = HEAL_PENDING; i <= HEAL_LEFTOVER; i++) {
		if (strcmp(heal_state_names[i], name) == 0) {
			*ret_state = (enum heal_state)i;
			return true;
		}
	}
	return false;
}

static void seal_heal(const struct stored_heal *heal, char ret_hash[HASH_TEXT_BYTES])
{
	struct seal seal = { 0 };

	seal_text(&seal, heal->run_id);
	seal_int(&seal, heal->step);
	seal_text(&seal, heal->host);
	seal_text(&seal, heal->record_json);
	seal_text(&seal, heal->before);
	seal_text(&seal, heal->state);
	seal_finish(&seal, "", ret_hash);
}

static bool check_heal(const struct stored_heal *heal, struct err *e)
{
	char hash[HASH_TEXT_BYTES];

	seal_heal(heal, hash);
	if (strcmp(hash, heal->seal) != 0)
		return err_set(e, ERR_ALTERED,
			       "read the heal record of run %s, step %" PRId64 " on %s: it is not "
			       "as it was written; bring back a copy of the store, or heal that "
			       "host by hand (everything of ours carries the run's id)",
			       heal->run_id, heal->step, heal->host);
	return true;
}

static bool heal_put_work(struct store *store, void *ctx, struct err *e)
{
	const struct stored_heal *heal = ctx;
	struct arena scratch = { 0 };
	struct stored_run run;
	const bool ok = store_run_read(store, heal->run_id, &scratch, &run, e) &&
			store->ops->heal_put(store->owned_backend, heal, e);

	arena_release(&scratch);
	return ok;
}

bool store_heal_put(struct store *store, const struct heal_record *record, const char *before,
		    struct err *e)
{
	struct arena scratch = { 0 };
	struct text json = { 0 };
	char hash[HASH_TEXT_BYTES];
	bool ok;

	assert(record->run_id != NULL);
	assert(record->host != NULL);

	heal_record_print(record, &json);

	struct stored_heal heal = {
		.run_id = record->run_id,
		.step = record->step,
		.host = record->host->name,
		.record_json = text_str(&json),
		.before = store_hide(store, &scratch, before),
		.state = heal_state_names[HEAL_PENDING],
		.seal = hash,
	};

	seal_heal(&heal, hash);
	ok = store_refuse_secret(store, text_str(&json), "how to heal", e) &&
	     store_write(store, heal_put_work, &heal, e);
	text_release(&json);
	arena_release(&scratch);
	return ok ||
	       err_wrap(e, "write down how to heal %s on %s", record->fault, record->host->name);
}

struct heal_change {
	const struct heal_record *record;
	enum heal_state state;
};

static bool heal_mark_work(struct store *store, void *ctx, struct err *e)
{
	const struct heal_change *change = ctx;
	const struct heal_record *record = change->record;
	struct arena scratch = { 0 };
	struct stored_heal *heals = NULL;
	struct stored_heal *heal = NULL;
	size_t count = 0;
	char hash[HASH_TEXT_BYTES];
	bool ok;

	ok = store->ops->heals_read(store->owned_backend, record->run_id, &scratch, &heals, &count,
				    e);
	for (size_t i = 0; ok && i < count; i++)
		if (heals[i].step == record->step && strcmp(heals[i].host, record->host->name) == 0)
			heal = &heals[i];
	if (ok && heal == NULL)
		ok = err_set(e, ERR_STORE, "the store has no such heal record");
	if (ok && heal != NULL)
		ok = check_heal(heal, e);
	if (ok && heal != NULL) {
		heal->state = heal_state_names[change->state];
		heal->seal = hash;
		seal_heal(heal, hash);
		ok = store->ops->heal_put(store->owned_backend, heal, e);
	}
	arena_release(&scratch);
	return ok;
}

bool store_heal_mark(struct store *store, const struct heal_record *record, enum heal_state state,
		     struct err *e)
{
	struct heal_change change = { .record = record, .state = state };

	assert(state >= HEAL_PENDING);
	assert(state <= HEAL_LEFTOVER);

	return store_write(store, heal_mark_work, &change, e) ||
	       err_wrap(e, "mark the heal of run %s, step %u on %s as %s", record->run_id,
			record->step, record->host->name, heal_state_names[state]);
}

bool store_heals_open(struct store *store, const char *run_id, struct arena *arena,
		      struct heal_row **ret_rows, size_t *ret_count, struct err *e)
{
	struct stored_heal *heals = NULL;
	size_t heal_count = 0;
	size_t count = 0;

	if (!store->ops->heals_read(store->owned_backend, run_id, arena, &heals, &heal_count, e))
		return false;

	struct heal_row *rows = arena_alloc(arena, (heal_count + 1) * sizeof *rows);

	for (size_t i = 0; i < heal_count; i++) {
		struct heal_row *row = &rows[count];

		if (!check_heal(&heals[i], e))
			return false;
		if (!heal_state_find(heals[i].state, &row->state))
			return err_set(
				e, ERR_STORE,
				"read the heal records of run %s: state \"%s\" is unknown to "
				"this version",
				heals[i].run_id, heals[i].state);
		if (row->state == HEAL_DONE)
			continue;
		if (!heal_record_parse(heals[i].record_json, arena, &row->record, e))
			return err_wrap(e, "read how to heal run %s", heals[i].run_id);
		row->before = heals[i].before;
		count++;
	}
	*ret_rows = rows;
	*ret_count = count;
	return true;
}
