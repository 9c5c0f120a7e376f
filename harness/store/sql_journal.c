/*
 * sql_journal.c - the rows of events and heals. See store_ops.h for what each does.
 */
#include "store/sql.h"

#include <stdio.h>
#include <string.h>

#include "store/seal.h"

bool sql_event_last(void *backend, const char *run_id, uint64_t *ret_number,
		    char ret_hash[HASH_TEXT_BYTES], struct err *e)
{
	struct arena scratch = { 0 };
	uint64_t number = 0;
	char hash[HASH_TEXT_BYTES] = "";

	if (!sql_hold_id(backend, run_id, e))
		return false;

	struct query query = query_make(backend, "select number, hash from events where run_id = ?"
						 " order by number desc limit 1");

	query_bind_text(&query, run_id);
	if (query_row(&query)) {
		number = (uint64_t)query_int(&query, 0);
		(void)snprintf(hash, sizeof hash, "%s", query_text_or_empty(&query, 1, &scratch));
	}
	arena_release(&scratch);
	if (!query_end(&query, e))
		return false;
	*ret_number = number;
	memcpy(ret_hash, hash, sizeof hash);
	return true;
}

bool sql_event_insert(void *backend, const char *run_id, const struct event *event, struct err *e)
{
	struct query query = query_make(
		backend, "insert into events (run_id, number, at_ns, kind, phase, step, host, name,"
			 " from_ns, until_ns, text, data, hash)"
			 " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	query_bind_text(&query, run_id);
	query_bind_int(&query, (int64_t)event->number);
	query_bind_int(&query, event->at_ns);
	query_bind_text(&query, event_kind_name(event->kind));
	query_bind_text(&query, phase_name(event->phase));
	query_bind_int(&query, event->step);
	query_bind_text(&query, event->host);
	query_bind_text(&query, event->name);
	query_bind_int(&query, event->from_ns);
	query_bind_int(&query, event->until_ns);
	query_bind_text(&query, event->text);
	query_bind_text(&query, event->data);
	query_bind_text(&query, event->hash);
	return query_done(&query, e);
}

static void read_event(struct query *query, struct arena *arena, struct event *event)
{
	event->number = (uint64_t)query_int(query, 0);
	event->at_ns = query_int(query, 1);
	event->step = (uint32_t)query_int(query, 4);
	event->host = query_text(query, 5, arena);
	event->name = query_text(query, 6, arena);
	event->from_ns = query_int(query, 7);
	event->until_ns = query_int(query, 8);
	event->text = query_text_or_empty(query, 9, arena);
	event->data = query_text(query, 10, arena);
	seal_event_words(event, query_text_or_empty(query, 2, arena),
			 query_text_or_empty(query, 3, arena),
			 query_text_or_empty(query, 11, arena));
	/* A number that was never written must not come back as a smaller one. */
	if (query_int(query, 4) != event->step)
		event->kind = EVENT_NONE;
}

bool sql_events_read(void *backend, const char *run_id, uint64_t after, struct arena *arena,
		     struct event **ret_events, size_t *ret_count, struct err *e)
{
	struct query query =
		query_make(backend, "select number, at_ns, kind, phase, step, host, name,"
				    " from_ns, until_ns, text, data, hash from events"
				    " where run_id = ? and number > ? order by number");
	struct event *events = NULL;
	size_t count = 0;

	query_bind_text(&query, run_id);
	query_bind_int(&query, (int64_t)after);
	while (query_row(&query)) {
		events = arena_more(arena, events, count, sizeof *events);
		read_event(&query, arena, &events[count++]);
	}
	if (!query_end(&query, e))
		return false;
	*ret_events = events;
	*ret_count = count;
	return true;
}

bool sql_heal_put(void *backend, const struct stored_heal *heal, struct err *e)
{
	/* Where it stands in the order of harm is decided by the first put. */
	struct query query = query_make(
		backend, "insert into heals (run_id, step, host, record, before, state, seal)"
			 " values (?, ?, ?, ?, ?, ?, ?) on conflict (run_id, step, host) do update"
			 " set record = excluded.record, before = excluded.before,"
			 " state = excluded.state, seal = excluded.seal");

	query_bind_text(&query, heal->run_id);
	query_bind_int(&query, heal->step);
	query_bind_text(&query, heal->host);
	query_bind_text(&query, heal->record_json);
	query_bind_text(&query, heal->before);
	query_bind_text(&query, heal->state);
	query_bind_text(&query, heal->seal);
	return query_done(&query, e);
}

bool sql_heals_read(void *backend, const char *run_id, struct arena *arena,
		    struct stored_heal **ret_heals, size_t *ret_count, struct err *e)
{
	struct sql *sql = backend;

	if ((run_id != NULL && !sql_hold_id(sql, run_id, e)) || !sql->engine->check_heals(sql, e))
		return false;

	/* Two texts, so that each is answered from an index. */
	struct query query = query_make(
		backend,
		run_id == NULL ? "select run_id, step, host, record, before, state, seal from heals"
				 " where state <> '" HEAL_STATE_DONE "' order by seq desc"
			       : "select run_id, step, host, record, before, state, seal from heals"
				 " where run_id = ? order by seq desc");
	struct stored_heal *heals = NULL;
	size_t count = 0;

	if (run_id != NULL)
		query_bind_text(&query, run_id);
	while (query_row(&query)) {
		heals = arena_more(arena, heals, count, sizeof *heals);
		heals[count++] = (struct stored_heal){
			.run_id = query_text_or_empty(&query, 0, arena),
			.step = query_int(&query, 1),
			.host = query_text_or_empty(&query, 2, arena),
			.record_json = query_text_or_empty(&query, 3, arena),
			.before = query_text(&query, 4, arena),
			.state = query_text_or_empty(&query, 5, arena),
			.seal = query_text_or_empty(&query, 6, arena),
		};
	}
	if (!query_end(&query, e))
		return false;
	*ret_heals = heals;
	*ret_count = count;
	return true;
}
