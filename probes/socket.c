/*
 * socket.c - see socket.h.
 */
#include "probes/socket.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

int socket_wait(int fd, short events, const struct clock *clock, int64_t until_ns)
{
	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = events };
		const int64_t wait_ns = clock_left_ns(clock, until_ns);
		const struct timespec timeout = { .tv_sec = wait_ns / NS_PER_S,
						  .tv_nsec = wait_ns % NS_PER_S };
		const int ready = ppoll(&pfd, 1, &timeout, NULL);

		if (ready == 1)
			return pfd.revents;
		if (ready == 0 && wait_ns == 0)
			return 0;
		if (ready == -1 && errno != EINTR)
			return -1;
	}
}

bool socket_is_shortage(int error_number)
{
	return error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM ||
	       error_number == ENOBUFS || error_number == EADDRNOTAVAIL || error_number == EAGAIN;
}

const char *socket_address_of(const struct inventory *inventory, const char *name)
{
	const struct host *host = inventory == NULL ? NULL : inventory_host(inventory, name);

	if (host == NULL)
		return name;
	return host->is_local || host->address == NULL ? "127.0.0.1" : host->address;
}

bool socket_look_up(const struct inventory *inventory, const char *name, const char *port,
		    struct addrinfo **ret_list, struct err *e)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	int lookup;

	assert(name != NULL);
	assert(port != NULL);

	lookup = getaddrinfo(socket_address_of(inventory, name), port, &hints, ret_list);
	if (lookup == EAI_MEMORY || (lookup == EAI_SYSTEM && socket_is_shortage(errno)))
		return err_set(e, ERR_LIMIT, "look up %s: %s", name, strerror(errno));
	if (lookup != 0)
		return err_set(e, ERR_REMOTE,
			       "look up %s: %s; write its address, or a host of the inventory",
			       name, gai_strerror(lookup));
	return true;
}

int64_t socket_slice_end_ns(int64_t now_ns, int64_t deadline_ns, size_t left_count)
{
	assert(left_count > 0);
	return deadline_ns <= now_ns ? deadline_ns
				     : now_ns + (deadline_ns - now_ns) / (int64_t)left_count;
}
