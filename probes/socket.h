/*
 * socket.h - what probes on sockets share: waiting with a deadline, telling our own shortage from
 * their outage, and looking a name up once.
 */
#ifndef PROBES_SOCKET_H
#define PROBES_SOCKET_H

#include "base/clock.h"
#include "base/err.h"
#include "model/inventory.h"

#include <netdb.h>

/* Waits until one of the events (poll.h) or an error is there. Returns what is there, 0 when
   until_ns passed first, -1 with errno set when this machine could not wait. */
int socket_wait(int fd, short events, const struct clock *clock, int64_t until_ns);

/* True when the errno says that this machine ran out of descriptors, memory or local ports. */
bool socket_is_shortage(int error_number);

/* The inventory's address of a host of that name ("127.0.0.1" when it is local), else the name. */
const char *socket_address_of(const struct inventory *inventory, const char *name);

/* The TCP addresses of a name of the inventory, a DNS name or a number. Free with freeaddrinfo. */
bool socket_look_up(const struct inventory *inventory, const char *name, const char *port,
		    struct addrinfo **ret_list, struct err *e);

/* The share of the time left that the next of left_count tries may take. */
int64_t socket_slice_end_ns(int64_t now_ns, int64_t deadline_ns, size_t left_count);

#endif
