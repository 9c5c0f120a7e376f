/*
 * outbox.h - messages that wait, as files: the outbox, and the letters that nobody will take (dead).
 *
 * A folder beside the store, so it works with any store: FOLDER/ID.json waits, FOLDER/dead/ID.json does
 * not any more. A file is there before the first attempt and goes away after the last; no secret of a
 * channel is in it, only the name of the channel and of the inventory that describes it.
 */
#ifndef NOTIFY_OUTBOX_H
#define NOTIFY_OUTBOX_H

#include "notify/happening.h"

/* What the folder's name has behind the store's. */
#define OUTBOX_NAME_END ".notify"

struct message {
	const char *id;            /* the same for every attempt, and for the same message put again */
	const char *channel;       /* its name in: */
	const char *inventory;     /* absolute path */
	int64_t created_wall_ns;
	int64_t due_wall_ns;       /* not before */
	int64_t attempt_count;
	const char *error;         /* why the last attempt failed; NULL: there was none */
	struct happening happening;
	const char *report;        /* HTML; NULL: none */
};

enum outbox_part { OUTBOX_WAITING = 1, OUTBOX_DEAD };

/* Durable when it returns true; one with this id that waits is replaced. ERR_LIMIT: LIMIT_MESSAGES are
   waiting. Nothing in it is redacted here: happening_redact comes before. */
bool outbox_put(const char *folder, const struct message *message, struct err *e);

/* By the time they are due; without their reports. What cannot be read is left out and counted in
   *ret_broken_count. No folder: none. */
bool outbox_list(const char *folder, enum outbox_part part, struct arena *arena,
		struct message **ret_messages, size_t *ret_count, size_t *ret_broken_count,
		struct err *e);

/* How many files there are, without a look into them. */
bool outbox_count(const char *folder, enum outbox_part part, size_t *ret_count, struct err *e);

/*
 * One message for ourselves, whole: two processes that deliver at the same time never send the same
 * one twice. NULL: it is gone by now, or another process has it.
 */
struct claim;
struct claim *outbox_claim(const char *folder, const char *id, struct arena *arena,
			  struct message *ret_message);
void outbox_leave(struct claim *taken_claim); /* as it is in the file; NULL is fine */

/* What becomes of a claimed message; the claim goes on until outbox_leave. */
bool outbox_remove(const struct claim *claim, struct err *e);
bool outbox_update(const struct claim *claim, const struct message *message, struct err *e);
bool outbox_bury(const struct claim *claim, const struct message *message, struct err *e);

/* A dead letter waits again, due at once; or is thrown away. ERR_INPUT: there is none of this id. */
bool outbox_revive(const char *folder, const char *id, int64_t wall_ns, struct err *e);
bool outbox_drop(const char *folder, const char *id, struct err *e);
/* Wherever it is. */
void outbox_forget(const char *folder, const char *id);

#endif
