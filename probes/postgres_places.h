/*
 * postgres_places.h - a libpq connection text taken apart into places to try, one by one.
 *
 * libpq's own walk over several hosts does not fit a probe: PQconnectPoll applies no
 * connect_timeout, so a first host that is silent would eat the whole attempt, and it looks names
 * up while the clock runs. Here every name becomes an address once, through the inventory first.
 */
#ifndef PROBES_POSTGRES_PLACES_H
#define PROBES_POSTGRES_PLACES_H

#include "base/err.h"
#include "base/mem.h"
#include "model/inventory.h"

enum {
	POSTGRES_PLACES_MAX = 32,
	POSTGRES_FAILURE_BYTES = 160,
};

/* What to connect to, and as whom. All borrowed until the places are released. */
struct postgres_want {
	const char *conninfo;
	const struct inventory *inventory; /* NULL: no names known */
	const struct host *member; /* this one alone, whatever hosts conninfo names; or NULL */
	const char *session_attrs; /* beats target_session_attrs of conninfo; or NULL */
	const char *run_id;	   /* shown as application_name; NULL: none */
	const char *question; /* the same for lanes that share a patience; NULL: never gives up */
	int64_t timeout_ns;   /* of one attempt; 0: not known */
};

/* One place, as PQconnectStartParams wants it. May hold a password: never print the values. */
struct postgres_place {
	const char *name; /* for messages: the host as the user wrote it */
	const char **keywords;
	const char **values;
	/* It ended its last try by not answering. Tried after those that do answer. */
	bool is_silent;
	char failure[POSTGRES_FAILURE_BYTES];
};

struct postgres_places {
	struct arena arena;
	struct postgres_place places[POSTGRES_PLACES_MAX];
	size_t count;
	size_t attrs_index;	   /* of target_session_attrs in values */
	bool is_standby_preferred; /* "prefer-standby": two rounds, first "standby", then "any" */
	int64_t try_at_most_ns;	   /* connect_timeout of conninfo; 0: none given */
};

/* Looks names up, connects to nothing. The error never repeats the text: it may hold a password. */
bool postgres_places_init(const struct postgres_want *want, struct postgres_places *places,
			  struct err *e);
void postgres_places_release(struct postgres_places *places); /* half built is fine */

/* Only whether the text can be read. */
bool postgres_conninfo_check(const char *conninfo, const char *service_name, struct err *e);

#endif
