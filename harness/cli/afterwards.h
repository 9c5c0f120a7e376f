/*
 * afterwards.h - what is told of a run when it is long over: somebody takes care, or what it left is
 * healed. Its escalations end, and channels that keep incidents are told.
 */
#ifndef CLI_AFTERWARDS_H
#define CLI_AFTERWARDS_H

#include "cli/cli.h"
#include "notify/notify.h"

struct afterwards {
	const struct arguments *arguments;
	struct store *store;
	const char *run_id;   /* of a run or a set of trials */
	bool is_set;
	bool has_no_run;      /* it is known by what waits to be told of it alone; store may be NULL */
	uint32_t kind;        /* HAPPENING_ACKNOWLEDGED, HAPPENING_RECOVERED */
	const char *sentence;
	const char *person;   /* NULL: nobody */
};

/* False only when the outbox or the store cannot be read; a message that is not sent is said on stderr and
   waits. *ret_count: how many escalations there were. */
bool afterwards_tell(const struct afterwards *afterwards, size_t *ret_count, struct err *e);

/* Runs (or the sets they belong to) that have something unhealed. run_id NULL: of the whole store. */
struct unhealed {
	const char *run_id;
	bool is_set;
};

void afterwards_list_unhealed(struct store *store, const char *run_id, struct arena *arena,
			      struct unhealed **ret_rows, size_t *ret_count);
/* Tells of those among them that have nothing unhealed any more. */
void afterwards_tell_healed(const struct arguments *arguments, struct store *store,
			    const struct unhealed *rows, size_t count);

#endif
