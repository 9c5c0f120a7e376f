/*
 * shown.c - see shown.h.
 */
#include "engine/shown.h"

#include <stdlib.h>

#include "base/json.h"
#include "engine/run.h"
#include "engine/shown_text.h"

/* One event holds so much, so that a long run has few of them. */
enum { EVENT_BYTES = 64 << 10 };

struct shown_log {
	struct text texts[LIMIT_PROBES]; /* not yet in the journal */
};

struct shown_log *shown_log_make(void)
{
	return mem_alloc(sizeof(struct shown_log));
}

void shown_log_release(struct shown_log *log)
{
	for (size_t i = 0; log != NULL && i < LIMIT_PROBES; i++)
		text_release(&log->texts[i]);
	free(log);
}

static void append(struct run *run, size_t index, bool is_last)
{
	struct text *shown = &run->shown->texts[index];
	const char *name = run->experiment->probes[index].name;
	struct json *root = json_object();
	struct text data = { 0 };

	json_put_text(root, "shown", text_str(shown));
	json_put_bool(root, "is_last", is_last);
	json_print(root, false, &data);
	(void)journal_append(&run->journal,
			     (struct event){ .kind = EVENT_SHOWN,
					     .name = name,
					     .text = is_last ? "the rest of what its reads showed" :
							       "what its reads showed",
					     .data = text_str(&data) });
	json_release(root);
	text_release(&data);
	text_clear(shown);
}

void shown_take(struct run *run)
{
	const struct outside *outside = &run->request->outside;
	struct text changes = { 0 };
	uint64_t slot;

	for (size_t i = 0; outside->ops->take_shown != NULL && i < run->experiment->probe_count;
	     i++) {
		while (outside->ops->take_shown(outside->ctx, i, &slot, &changes)) {
			shown_add(slot, text_str(&changes), &run->shown->texts[i]);
			text_clear(&changes);
		}
		if (run->shown->texts[i].length_bytes >= EVENT_BYTES)
			append(run, i, false);
	}
	text_release(&changes);
}

void shown_end(struct run *run)
{
	shown_take(run);
	for (size_t i = 0; i < run->experiment->probe_count; i++)
		if (run->experiment->probes[i].ledger != NULL)
			append(run, i, true);
}
