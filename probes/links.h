/*
 * links.h - one lane's connections to a service at one or more places, every step within a deadline
 * of ours. For stores whose library can go on without waiting; the libpq form of the same rule is
 * postgres_conn.h.
 *
 * One place at a time is in use: the one that took the lane in and said that it accepts writes. The
 * last good place is tried first, silent ones last, each within its slice of the time left.
 *
 * It never heaps connections up on a server that hangs: what was not answered at the deadline is
 * kept, and no second connection to that place is opened. The next attempt goes on with it: answered
 * late, it is used; broken, its place is tried anew; still hanging, the other places are tried, and
 * it is waited for until the deadline. One is left only when its host's kernel acknowledges nothing
 * (once, until an answer comes), or when patience ends (patience.h).
 */
#ifndef PROBES_LINKS_H
#define PROBES_LINKS_H

#include "base/clock.h"
#include "base/err.h"
#include "model/inventory.h"

#include <sys/socket.h>

enum {
	LINK_PLACES_MAX = 32,
	LINK_FAILURE_BYTES = 160,
	LINK_ADDRESS_BYTES = 64,
};

struct link_place {
	const char *name; /* as the user wrote it */
	char address[LINK_ADDRESS_BYTES]; /* a number */
	uint16_t port;
	struct sockaddr_storage socket_address;
	socklen_t socket_address_bytes;
};

struct link_failure {
	char text[LINK_FAILURE_BYTES]; /* a stable text, see stable.h */
	bool is_shortage;	       /* this machine's */
};

enum link_stage {
	LINK_NONE = 0, /* no connection */
	LINK_OPENING,  /* until it is ready for the first question */
	LINK_ASKED,    /* a question was sent and its answer is not complete */
	LINK_READY,
};

/* One connection of a library: nothing here waits. */
struct link_ops {
	/* Begins to connect. NULL: failure says why. want is that of links_open. */
	void *(*open)(const void *want, const struct link_place *place,
		      struct link_failure *failure);
	/* Goes on as far as it can. LINK_NONE: it broke, and failure says why. */
	enum link_stage (*step)(void *conn, struct link_failure *failure);
	int (*fd)(const void *conn);
	short (*events)(const void *conn); /* what to poll for */
	/* is_idle: it was READY, so it may say goodbye. */
	void (*close)(void *conn, bool is_idle);
};

struct links; /* belongs to one thread */

struct links_want {
	const struct link_ops *ops;
	const void *conn_want; /* outlives the links */
	/* "NAME", "NAME:PORT" or "[V6]:PORT"; a host of the inventory, a DNS name or a number. A name
	   with several addresses is several places. */
	const char *const *places;
	size_t place_count;
	uint16_t port; /* of places without one */
	const struct inventory *inventory;
	const char *question; /* the same for lanes that share a patience */
	int64_t timeout_ns;   /* of one attempt; 0: not known */
};

enum link_end {
	LINK_DONE = 1,
	LINK_UNSENT,   /* nothing could be asked: not connected in time */
	LINK_SHORTAGE, /* the same, for lack of our own descriptors, memory or ports */
	LINK_BROKEN,   /* asked, and the connection ended before the answer */
	LINK_IN_VAIN,  /* asked, and no answer in time; the connection is kept */
};

/* Looks names up, connects to nothing. */
bool links_open(const struct links_want *want, struct links **ret_links, struct err *e);
void links_close(struct links *links); /* NULL is fine */

/* Connects unless a connection is there and alive. DONE, UNSENT or SHORTAGE. */
enum link_end links_connect(struct links *links, const struct clock *clock, int64_t deadline_ns,
			    struct err *e);
void *links_current(const struct links *links); /* after DONE, until the next call */

/* After a question went to the current connection. DONE, BROKEN or IN_VAIN. */
enum link_end links_wait(struct links *links, const struct clock *clock, int64_t deadline_ns,
			 struct err *e);

/* The current place does not do: closes it, and remembers why. It is tried again like any other. */
void links_leave(struct links *links, const char *reason);

/* Only whether the places can be read. */
bool links_check(const char *const *places, size_t place_count, struct err *e);

#endif
