/*
 * messenger.c - see messenger.h.
 */
#include "cli/messenger.h"

void messenger_open(struct messenger *messenger, const struct arguments *arguments,
		    struct arena *arena, struct secrets *secrets, const struct clock *clock)
{
	*messenger = (struct messenger){
		.clock = clock,
		.book = { .arena = arena, .secrets = secrets },
	};
	cli_outbox_path(arguments, &messenger->folder);
}

void messenger_close(struct messenger *messenger)
{
	text_release(&messenger->folder);
}

bool messenger_take(struct messenger *messenger, const char *inventory_path,
		    const struct notify *notify, struct err *e)
{
	const char *inventory = cli_absolute(inventory_path, messenger->book.arena);

	if (notify != NULL)
		channels_know(&messenger->book, inventory, notify);
	else if (!channels_load(&messenger->book, inventory, &notify, e))
		return false;
	messenger->notifier = (struct notifier){
		.notify = notify,
		.inventory = inventory,
		.folder = text_str(&messenger->folder),
		.secrets = messenger->book.secrets,
		.clock = messenger->clock,
	};
	return true;
}

void messenger_deliver(struct messenger *messenger, const char *first,
		       struct messenger_patience patience)
{
	const struct delivery delivery = {
		.folder = text_str(&messenger->folder),
		.clock = messenger->clock,
		.deadline_ns = clock_now_ns(messenger->clock) + patience.at_most_ns,
		.waits = patience.tries_again,
		.first = first,
		.secrets = messenger->book.secrets,
		.find = channels_find,
		.ctx = &messenger->book,
	};
	struct delivered delivered = { 0 };

	notify_deliver(&delivery, &delivered);
	cli_tell_delivered(&delivered, stderr, messenger->book.secrets);
}
