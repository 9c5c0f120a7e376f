/*
 * tcp_connect.c - probe "tcp.connect": does anyone accept on this port?
 *
 * GOOD means the far kernel finished a handshake before the deadline. It says nothing about the
 * service behind the port: a stopped process goes on accepting. Use http.get or postgres.write when
 * a half-dead process must count as down.
 */
#include "probes/probe.h"
#include "probes/socket.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The name is looked up once: DNS is not what this probe measures. */
struct tcp_connect {
	struct addrinfo *owned_list;
	bool has_hard_close;
};

/* Above this rate the local ports would run out in TIME_WAIT (28,000 of them for 60 s). */
static const int64_t hard_close_below_ns = 4 * NS_PER_MS;

static const struct param tcp_connect_params[] = {
	{ "port", PARAM_COUNT, .min = 1, .max = 65535,
	  .help = "port to connect to; a service of kind tcp has one of its own" },
	{ "fresh", PARAM_BOOL, .fallback = "true",
	  .help = "always true: the handshake of a new connection is all it looks at" },
	{ 0 },
};

static bool tcp_connect_check(const struct probe_spec *spec, struct err *e)
{
	if (spec->service == NULL && !params_is_set(&spec->params, "port"))
		return err_set(e, ERR_INPUT, "tcp.connect on a host needs a port; add `port: 22`");
	if (!params_bool(&spec->params, "fresh"))
		return err_set(e, ERR_INPUT,
			       "tcp.connect makes a new connection for each sample: a kept one that "
			       "nobody sends on would look alive when the host is gone; take `fresh` "
			       "out, or use http.get or postgres.query with `fresh: false`");
	return true;
}

static bool tcp_connect_open(const struct probe_spec *spec, const char *run_id, void **ret_state,
			     struct err *e)
{
	const int64_t wished_port = params_number(&spec->params, "port");
	const char *name = spec->service != NULL ? spec->service->address : spec->host->address;
	struct addrinfo *list = NULL;
	char port[8];

	(void)run_id; /* leaves nothing behind that would need a name */
	assert(wished_port != 0 || spec->service != NULL); /* tcp_connect_check */
	(void)snprintf(port, sizeof port, "%u",
		       (unsigned)(wished_port != 0 ? wished_port : spec->service->port));
	if (name == NULL)
		name = "127.0.0.1"; /* `local: true` */
	if (!socket_look_up(spec->inventory, name, port, &list, e))
		return err_wrap(e, "open tcp.connect");

	struct tcp_connect *probe = mem_alloc(sizeof *probe);

	probe->owned_list = list;
	probe->has_hard_close = spec->every_ns > 0 && spec->every_ns < hard_close_below_ns;
	*ret_state = probe;
	return true;
}

/* Waits for a connect under way. Returns 0, or the errno that ended it. */
static int wait_connected(int fd, const struct clock *clock, int64_t until_ns)
{
	int so_error = 0;
	socklen_t so_error_bytes = sizeof so_error;
	const int ready = socket_wait(fd, POLLOUT, clock, until_ns);

	if (ready == 0)
		return ETIMEDOUT;
	if (ready == -1 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &so_error, &so_error_bytes) == -1)
		return errno;
	return so_error;
}

/* One address. Returns 0, or the errno that ended it. */
static int try_address(const struct tcp_connect *probe, const struct addrinfo *addr,
		       const struct clock *clock, int64_t until_ns)
{
	const struct linger hard_close = { .l_onoff = 1, .l_linger = 0 };
	int failure = 0;
	int fd;

	fd = socket(addr->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return errno;

	if (probe->has_hard_close) /* without it only TIME_WAIT is left behind */
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard_close, sizeof hard_close);
	if (connect(fd, addr->ai_addr, addr->ai_addrlen) == -1)
		failure = errno;
	if (failure == EINPROGRESS)
		failure = wait_connected(fd, clock, until_ns);
	(void)close(fd); /* nothing was written that could be lost */
	return failure;
}

static void tcp_connect_sample(void *state, const struct attempt *attempt,
			       struct attempt_result *result, struct err *e)
{
	const struct tcp_connect *probe = state;
	size_t left_count = 0;
	int failure = 0;

	for (const struct addrinfo *addr = probe->owned_list; addr != NULL; addr = addr->ai_next)
		left_count++;
	assert(left_count > 0);

	for (const struct addrinfo *addr = probe->owned_list; addr != NULL; addr = addr->ai_next) {
		const int64_t until_ns = socket_slice_end_ns(clock_now_ns(attempt->clock),
							     attempt->deadline_ns, left_count--);

		failure = try_address(probe, addr, attempt->clock, until_ns);
		if (failure == 0) {
			result->state = SAMPLE_GOOD;
			return;
		}
		if (socket_is_shortage(failure)) {
			/* Our shortage must not look like their outage. */
			result->state = SAMPLE_SKIPPED;
			err_set(e, ERR_LIMIT, "open a socket: %s", strerror(failure));
			return;
		}
	}
	result->state = SAMPLE_BAD;
	if (failure == ETIMEDOUT)
		err_set(e, ERR_DEADLINE, "connect: no answer in time");
	else
		err_set(e, ERR_REMOTE, "connect: %s", strerror(failure));
}

static void tcp_connect_close(void *state)
{
	struct tcp_connect *probe = state;

	if (probe == NULL)
		return;
	freeaddrinfo(probe->owned_list);
	free(probe);
}

const struct probe_ops probe_tcp_connect = {
	.name = "tcp.connect",
	.summary = "a TCP handshake finishes before the deadline",
	.on = PROBE_ON_EITHER,
	.service_kinds = "tcp",
	.params = tcp_connect_params,
	.check = tcp_connect_check,
	.open = tcp_connect_open,
	.sample = tcp_connect_sample,
	.close = tcp_connect_close,
};
