/*
 * store_copy.h - a run from one store to another, row by row as it was written: its seals stay the same.
 *
 * For bundles that are imported, and for what a spool brings to its store. Only what is missing is
 * written, so a copy that was cut off is finished by the next one, and a second one changes nothing.
 */
#ifndef STORE_STORE_COPY_H
#define STORE_STORE_COPY_H

#include "store/store_private.h"

/* What becomes of a run that has got other events in `to` meanwhile. */
enum copy_fork {
	FORK_REFUSED = 1, /* ERR_REFUSED */
	FORK_FOLLOWS,	  /* they stay, and those of `from` follow them, sealed anew */
};

/* One step of `to`. ERR_REFUSED when `to` has another run with this id. */
bool store_copy_run(struct store *from, struct store *to, const char *run_id, enum copy_fork fork,
		    struct err *e);

#endif
