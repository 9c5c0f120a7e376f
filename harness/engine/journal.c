/*
 * journal.c - see journal.h.
 */
#include "engine/journal.h"

#include <assert.h>
#include <stdarg.h>

int64_t journal_now_ns(const struct journal *journal)
{
	return clock_now_ns(journal->clock) + journal->shift_ns;
}

bool journal_append(struct journal *journal, struct event event)
{
	struct err e = { 0 };

	assert(event.kind != EVENT_NONE);
	if (event.at_ns == 0)
		event.at_ns = journal_now_ns(journal);
	if (event.text == NULL)
		event.text = "";
	event.phase = journal->phase;

	const bool ok = store_append(journal->store, journal->run_id, &event, &e);

	if (!ok && !journal->is_broken) {
		journal->is_broken = true;
		journal->failure = e;
	}
	if (journal->progress != NULL && journal->progress->on_event != NULL)
		journal->progress->on_event(journal->progress->ctx, &event);
	return ok;
}

bool journal_say(struct journal *journal, enum event_kind kind, const char *format, ...)
{
	struct text text = { 0 };
	va_list args;

	va_start(args, format);
	text_addv(&text, format, args);
	va_end(args);

	const bool ok =
		journal_append(journal, (struct event){ .kind = kind, .text = text_str(&text) });

	text_release(&text);
	return ok;
}

bool journal_phase(struct journal *journal, enum phase phase)
{
	journal->phase = phase;
	return journal_say(journal, EVENT_PHASE, "%s", phase_name(phase));
}
