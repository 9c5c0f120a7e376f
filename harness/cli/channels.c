/*
 * channels.c - see channels.h.
 */
#include "cli/channels.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

void cli_outbox_path(const struct arguments *arguments, struct text *ret_path)
{
	struct text store = { 0 };

	cli_store_path(arguments, &store);
	store_beside(text_str(&store), ret_path);
	text_add(ret_path, OUTBOX_NAME_END);
	text_release(&store);
}

const char *cli_absolute(const char *path, struct arena *arena)
{
	char resolved[PATH_MAX];

	return path != NULL && realpath(path, resolved) != NULL ? arena_copy(arena, resolved) : path;
}

void channels_know(struct channel_book *book, const char *inventory, const struct notify *notify)
{
	if (book->count == CHANNEL_BOOKS_MAX)
		return;
	book->entries[book->count].inventory = inventory;
	book->entries[book->count].notify = notify;
	book->count++;
}

/* The first problem stands for all: whoever mends it asks `firedrill notify` next. */
static bool read_notify(struct channel_book *book, const char *inventory,
			const struct notify **ret_notify, struct err *e)
{
	const struct load_request request = { .inventory_path = inventory, .has_secrets = true };
	struct problems *problems = arena_alloc(book->arena, sizeof *problems);
	const struct inventory *whole = NULL;
	struct text first = { 0 };

	/* Only for the secrets that it names: whatever a server says must not tell one. Those that are not at
	   hand now are no concern of ours. */
	(void)load_inventory(&request, book->arena, book->secrets, &whole, problems);
	if (load_notify(&request, book->arena, book->secrets, ret_notify, problems))
		return true;
	for (size_t i = 0; i < problems->count; i++) {
		if (problems->items[i].is_warning)
			continue;
		problem_print(&problems->items[i], &first);
		break;
	}
	err_set(e, ERR_INPUT, "%s", text_str(&first));
	text_release(&first);
	return false;
}

bool channels_load(struct channel_book *book, const char *inventory,
		   const struct notify **ret_notify, struct err *e)
{
	const struct notify *notify = NULL;
	struct err why = { 0 };

	for (size_t i = 0; i < book->count; i++) {
		if (strcmp(book->entries[i].inventory, inventory) != 0)
			continue;
		*ret_notify = book->entries[i].notify;
		if (*ret_notify == NULL)
			*e = book->entries[i].why;
		return *ret_notify != NULL;
	}
	if (!read_notify(book, inventory, &notify, &why))
		notify = NULL;
	if (book->count < CHANNEL_BOOKS_MAX)
		book->entries[book->count].why = why;
	channels_know(book, arena_copy(book->arena, inventory), notify);
	if (notify == NULL)
		*e = why;
	else
		*ret_notify = notify;
	return notify != NULL;
}

bool channels_find(void *ctx, const char *inventory, const char *channel,
		   const struct channel_spec **ret_channel, struct err *e)
{
	const struct notify *notify = NULL;

	if (!channels_load(ctx, inventory, &notify, e))
		return false;
	*ret_channel = notify_channel(notify, channel);
	return *ret_channel != NULL || err_set(e, ERR_INPUT, "%s has no such channel any more", inventory);
}

void cli_tell_delivered(const struct delivered *delivered, FILE *stream,
			const struct secrets *secrets)
{
	struct text line = { 0 };

	if (delivered->waiting_count > 0)
		text_addf(&line, "%zu notification%s not sent yet; `firedrill notifications deliver` sends "
			  "%s", delivered->waiting_count, delivered->waiting_count == 1 ? " is" : "s are",
			  delivered->waiting_count == 1 ? "it" : "them");
	if (delivered->dead_count > 0)
		text_addf(&line, "%s%zu notification%s refused for good; see `firedrill notifications "
			  "--dead`", line.length_bytes > 0 ? "; " : "", delivered->dead_count,
			  delivered->dead_count == 1 ? " was" : "s were");
	if (line.length_bytes == 0 && delivered->first.kind != ERR_NONE)
		text_add(&line, "notifications");
	if (line.length_bytes > 0 && delivered->first.kind != ERR_NONE)
		text_addf(&line, ": %s", delivered->first.text);
	if (line.length_bytes > 0)
		cli_print_line(stream, secrets, text_str(&line));
	text_release(&line);
}
