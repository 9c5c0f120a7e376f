/*
 * seal.c - see seal.h.
 */
#include "store/seal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void seal_bytes(struct seal *seal, const void *bytes, size_t length_bytes)
{
	text_addf(&seal->bytes, "%zu:", length_bytes);
	text_add_bytes(&seal->bytes, bytes, length_bytes);
	text_add(&seal->bytes, ",");
}

void seal_text(struct seal *seal, const char *text)
{
	if (text == NULL)
		text_add(&seal->bytes, "-,");
	else
		seal_bytes(seal, text, strlen(text));
}

void seal_int(struct seal *seal, int64_t number)
{
	text_addf(&seal->bytes, "%" PRId64 ",", number);
}

void seal_finish(struct seal *seal, const char *previous, char ret_hash[HASH_TEXT_BYTES])
{
	hash_chain(previous, text_str(&seal->bytes), seal->bytes.length_bytes, ret_hash);
	text_release(&seal->bytes);
}

void seal_event(const struct event *event, const char *previous, char ret_hash[HASH_TEXT_BYTES])
{
	struct seal seal = { 0 };

	assert(event->text != NULL);

	seal_int(&seal, (int64_t)event->number);
	seal_int(&seal, event->at_ns);
	seal_text(&seal, event_kind_name(event->kind));
	seal_text(&seal, phase_name(event->phase));
	seal_int(&seal, event->step);
	seal_text(&seal, event->host);
	seal_text(&seal, event->name);
	seal_int(&seal, event->from_ns);
	seal_int(&seal, event->until_ns);
	seal_text(&seal, event->text);
	seal_text(&seal, event->data);
	seal_finish(&seal, previous, ret_hash);
}

void seal_event_words(struct event *event, const char *kind, const char *phase, const char *hash)
{
	event->kind = event_kind_find(kind);
	event->phase = phase_find(phase);
	(void)snprintf(event->hash, sizeof event->hash, "%s", hash);
	if (strcmp(phase_name(event->phase), phase) != 0 || strcmp(event->hash, hash) != 0)
		event->kind = EVENT_NONE;
}
