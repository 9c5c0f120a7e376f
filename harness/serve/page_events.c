/*
 * page_events.c - page "/runs/ID/events": the events of a run as server-sent events, from the one after
 * ?after= or Last-Event-ID on, until the run has ended. Each is JSON; the last one is named "end".
 */
#include "serve/page.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/units.h"

enum { QUIET_LOOKS = 30 }; /* then a comment goes out: only so is a reader who left noticed */

struct tail {
	struct site *site;
	char *owned_run_id;
	int64_t began_ns;
	uint64_t after;
	unsigned quiet_count;
};

static void add_event(const struct tail *tail, const struct event *event, struct text *bytes)
{
	struct json *json = json_object();

	json_put_int(json, "number", (int64_t)event->number);
	json_put_int(json, "after_ns", event->at_ns - tail->began_ns);
	json_put_text(json, "phase", phase_name(event->phase));
	json_put_text(json, "kind", event_kind_name(event->kind));
	json_put_text(json, "host", event->host);
	json_put_text(json, "text", event->text);
	text_addf(bytes, "id: %" PRIu64 "\ndata: ", event->number);
	json_print(json, false, bytes); /* one line: JSON writes line ends as \n */
	text_add(bytes, "\n\n");
	json_release(json);
}

/* False: it has ended, and everything was said. */
static bool read_news(struct tail *tail, struct store *store, struct arena *arena,
		      struct text *bytes, struct err *e)
{
	struct event *events = NULL;
	struct run_row row;
	size_t count = 0;

	/* First whether it has ended: then no event can come behind those that are read now. */
	if (!store_run_find(store, tail->owned_run_id, arena, &row, e) ||
	    !store_events_after(store, tail->owned_run_id, tail->after, arena, &events, &count, e))
		return false;
	for (size_t i = 0; i < count; i++) {
		add_event(tail, &events[i], bytes);
		tail->after = events[i].number;
	}
	return !row.is_ended && store_run_is_alive(&row);
}

static bool more(void *ctx, struct text *bytes)
{
	struct tail *tail = ctx;
	struct arena arena = { 0 };
	struct store *store;
	struct err e = { 0 };
	bool goes_on;

	site_begin(tail->site);
	if (!site_store(tail->site, &store, &e) || store == NULL)
		goes_on = false; /* the browser asks again, and is told what is wrong */
	else
		goes_on = read_news(tail, store, &arena, bytes, &e);
	if (e.kind != ERR_NONE && e.kind != ERR_INPUT)
		site_fail(tail->site, &e); /* of many who watch only one waits */
	if (!goes_on && e.kind == ERR_NONE)
		text_add(bytes, "event: end\ndata: {}\n\n");
	tail->quiet_count = bytes->length_bytes > 0 ? 0 : tail->quiet_count + 1;
	if (tail->quiet_count >= QUIET_LOOKS) {
		text_add(bytes, ": nothing new\n\n");
		tail->quiet_count = 0;
	}
	arena_release(&arena);
	return goes_on;
}

static void tail_close(void *ctx)
{
	struct tail *tail = ctx;

	free(tail->owned_run_id);
	free(tail);
}

/* A browser that was cut off says what it has seen. */
static bool first_number(const struct request *request, uint64_t *ret_after, struct err *e)
{
	const char *given = request->last_event_id != NULL ? request->last_event_id :
							     request_param(request, "after");
	int64_t after = 0;

	if (*given != '\0' && (!units_parse_count(given, &after, NULL) || after < 0))
		return err_set(e, ERR_INPUT, "there is no event `%.40s`", given);
	*ret_after = (uint64_t)after;
	return true;
}

static bool write_events(const struct visit *visit, struct answer *answer, struct err *e)
{
	struct store *store;
	struct run_row row;
	uint64_t after = 0;

	if (!first_number(visit->request, &after, e) || !site_store(visit->site, &store, e))
		return false;
	if (store == NULL)
		return err_set(e, ERR_INPUT, "there are no runs yet");
	if (!store_run_find(store, visit->id, visit->arena, &row, e))
		return false;

	struct tail *tail = mem_alloc(sizeof *tail);

	tail->site = visit->site;
	tail->owned_run_id = mem_copy(row.run_id);
	tail->began_ns = row.anchor.boot_ns;
	tail->after = after;
	answer->stream = (struct web_stream){ .more = more, .close = tail_close, .ctx = tail };
	return true;
}

const struct page page_run_events = {
	.path = "/runs/*/events",
	.content_type = "text/event-stream",
	.write = write_events,
};
