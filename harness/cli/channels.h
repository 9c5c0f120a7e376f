/*
 * channels.h - the channels of an inventory, with their secrets, for whoever delivers messages: those of
 * the inventory at hand, and those that older messages name.
 */
#ifndef CLI_CHANNELS_H
#define CLI_CHANNELS_H

#include "cli/cli.h"
#include "notify/notify.h"

enum { CHANNEL_BOOKS_MAX = 16 };

/* Zero-initialise; arena and secrets are the caller's and outlive it. */
struct channel_book {
	struct arena *arena;
	struct secrets *secrets;
	const struct arguments *arguments; /* for --var; NULL */
	size_t count;
	struct {
		const char *inventory; /* absolute */
		const struct notify *notify; /* NULL: it cannot be read, and why: */
		struct err why;
	} entries[CHANNEL_BOOKS_MAX];
};

/* What is known already. */
void channels_know(struct channel_book *book, const char *inventory, const struct notify *notify);
/* The `notify:` of an inventory, read once. */
bool channels_load(struct channel_book *book, const char *inventory,
		   const struct notify **ret_notify, struct err *e);
/* A channel_fn; ctx is the book. */
bool channels_find(void *ctx, const char *inventory, const char *channel,
		   const struct channel_spec **ret_channel, struct err *e);

/* Where messages wait: beside the store, as samples do. */
void cli_outbox_path(const struct arguments *arguments, struct text *ret_path);
/* Within the current folder, if the path is no absolute one. */
const char *cli_absolute(const char *path, struct arena *arena);
/* "1 notification waits ...", when there is something to say; nothing when all was sent. */
void cli_tell_delivered(const struct delivered *delivered, FILE *stream,
			const struct secrets *secrets);

#endif
