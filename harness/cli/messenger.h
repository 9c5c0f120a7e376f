/*
 * messenger.h - what every command needs that tells people something: the rules and channels of an inventory,
 * the outbox beside the store, and a delivery that ends.
 */
#ifndef CLI_MESSENGER_H
#define CLI_MESSENGER_H

#include "cli/channels.h"

struct messenger {
	const struct clock *clock;
	struct text folder; /* the outbox */
	struct channel_book book;
	struct notifier notifier; /* for notify_post and its kin, after messenger_take */
};

/* Beside the store of these arguments. Arena, secrets and clock are the caller's and outlive it. */
void messenger_open(struct messenger *messenger, const struct arguments *arguments,
		    struct arena *arena, struct secrets *secrets, const struct clock *clock);
void messenger_close(struct messenger *messenger);

/* From here on by the rules of this inventory; may be called again for another one. notify: as it was read;
   NULL: it is read now, with its secrets. False: it cannot be. */
bool messenger_take(struct messenger *messenger, const char *inventory_path,
		    const struct notify *notify, struct err *e);

struct messenger_patience {
	int64_t at_most_ns;
	bool tries_again; /* what failed and becomes due again in that time */
};

/* As much as the time allows; what was not sent waits in the outbox and is said on stderr. first: the run
   whose messages come first; NULL: none. */
void messenger_deliver(struct messenger *messenger, const char *first,
		       struct messenger_patience patience);

#endif
