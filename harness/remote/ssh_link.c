/*
 * ssh_link.c - see ssh_link.h: the bytes below a session.
 *
 * We connect ourselves, because libssh looks names up and connects without a deadline, and leaves
 * Nagle on (46 ms instead of 4 ms for one command). Keepalives of the kernel are short, so that a
 * host that lost its power without a FIN is noticed after about five seconds.
 */
#include "remote/ssh_link.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	KEEPALIVE_IDLE_S = 2,
	KEEPALIVE_EVERY_S = 1,
	KEEPALIVE_COUNT = 3,
	UNACKNOWLEDGED_MS = 5000,
};

enum { ADDRESSES_MAX = 16, ADDRESS_BYTES = 64 };

/* What a name stands for, as numbers. */
struct addresses {
	char numbers[ADDRESSES_MAX][ADDRESS_BYTES];
	size_t count;
};

int64_t ssh_real_ns(void)
{
	const struct clock real = clock_system();

	return clock_now_ns(&real);
}

char *ssh_path_expand(const char *path)
{
	const char *home = getenv("HOME");
	struct text expanded = { 0 };
	struct passwd entry;
	struct passwd *found = NULL;
	char buffer[4096];

	if (strncmp(path, "~/", 2) != 0)
		return mem_copy(path);
	if (home == NULL && getpwuid_r(getuid(), &entry, buffer, sizeof buffer, &found) == 0 &&
	    found != NULL)
		home = found->pw_dir;
	text_addf(&expanded, "%s%s", home == NULL ? "" : home, path + 1);
	return expanded.owned_bytes;
}

static int poll_ms(int64_t until_ns)
{
	const int64_t left_ns = until_ns - ssh_real_ns();

	if (left_ns <= 0)
		return 0;
	return left_ns > 60 * NS_PER_S ? 60000 : (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS);
}

static void addresses_add(struct addresses *addresses, const char *bytes, size_t length_bytes)
{
	if (addresses->count == ADDRESSES_MAX || length_bytes >= ADDRESS_BYTES)
		return; /* sixteen are enough for one host, and no number is that long */
	memcpy(addresses->numbers[addresses->count], bytes, length_bytes);
	addresses->numbers[addresses->count][length_bytes] = '\0';
	addresses->count++;
}

/* Lines of getent: "198.51.100.7    STREAM db1", then the same for DGRAM and RAW. */
static void addresses_read(struct addresses *addresses, const char *lines)
{
	for (; lines[0] != '\0'; lines += strcspn(lines, "\n"), lines += lines[0] == '\n') {
		const size_t number_bytes = strcspn(lines, " \t\n");
		const char *kind = lines + number_bytes + strspn(lines + number_bytes, " \t");

		if (strncmp(kind, "STREAM", 6) == 0)
			addresses_add(addresses, lines, number_bytes);
	}
}

/*
 * getaddrinfo has no deadline, and a name server that is down must not hold up a drill. A helper
 * process can be killed when it is late, so the one that comes with the C library does the asking.
 */
static bool look_up_name(const char *name, int64_t deadline_ns, struct addresses *addresses,
			 struct err *e)
{
	static const struct host here = { .name = "this machine", .is_local = true };
	const char *const argv[] = { "getent", "ahosts", "--", name, NULL };
	const int64_t left_ns = deadline_ns - ssh_real_ns();
	const struct command command = { .argv = argv, .timeout_ns = left_ns > 0 ? left_ns : 1 };
	const struct clock real = clock_system();
	struct remote *remote = NULL;
	struct reply reply = { 0 };
	struct err inner = { 0 };

	if (!local_open(&here, &real, &remote, e))
		return false;
	if (remote_exec(remote, &command, &reply, &inner))
		addresses_read(addresses, text_str(&reply.out));
	reply_release(&reply);
	remote_close(remote);

	if (inner.kind == ERR_DEADLINE)
		return err_set(e, ERR_DEADLINE, "look up %s: no name server answered in time",
			       name);
	if (inner.kind != ERR_NONE)
		return err_set(e, inner.kind, "look up %s: %s", name, inner.text);
	if (addresses->count == 0)
		return err_set(e, ERR_REMOTE, "look up %s: there is no such name", name);
	return true;
}

static struct addrinfo *parse_address(const char *number, uint16_t port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *address = NULL;
	char port_text[8];

	(void)snprintf(port_text, sizeof port_text, "%u", port); /* fits */
	return getaddrinfo(number, port_text, &hints, &address) == 0 ? address : NULL;
}

static bool look_up(const struct host *host, int64_t deadline_ns, struct addresses *addresses,
		    struct err *e)
{
	struct addrinfo *owned_number = parse_address(host->address, host->port);

	if (owned_number == NULL)
		return look_up_name(host->address, deadline_ns, addresses, e);
	freeaddrinfo(owned_number);
	addresses_add(addresses, host->address, strlen(host->address));
	return true;
}

/* Best effort: a connection without one of them still works, only slower or noticed later. */
static void tune(int fd)
{
	const int on = 1;
	const int idle_s = KEEPALIVE_IDLE_S;
	const int every_s = KEEPALIVE_EVERY_S;
	const int count = KEEPALIVE_COUNT;
	const unsigned int unacknowledged_ms = UNACKNOWLEDGED_MS;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof every_s);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms,
			 sizeof unacknowledged_ms);
}

/* Returns 0 and the socket, or an errno. */
static int connect_one(const struct addrinfo *address, int64_t deadline_ns, int *ret_fd)
{
	const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int failure = 0;

	if (fd == -1)
		return errno;
	tune(fd);
	if (connect(fd, address->ai_addr, address->ai_addrlen) == -1)
		failure = errno;
	while (failure == EINPROGRESS) {
		struct pollfd writable = { .fd = fd, .events = POLLOUT };
		socklen_t failure_bytes = sizeof failure;
		const int ready = poll(&writable, 1, poll_ms(deadline_ns));

		if (ready > 0 &&
		    getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &failure_bytes) == -1)
			failure = errno;
		else if (ready <= 0 && ssh_real_ns() >= deadline_ns)
			failure = ETIMEDOUT;
	}
	if (failure != 0) {
		(void)close(fd);
		return failure;
	}
	*ret_fd = fd;
	return 0;
}

static enum err_kind kind_of(int failure)
{
	if (failure == ETIMEDOUT)
		return ERR_DEADLINE;
	return failure == EMFILE || failure == ENFILE || failure == ENOMEM || failure == ENOBUFS
		       ? ERR_LIMIT
		       : ERR_REMOTE;
}

/* Tries every address; each may take its share of the time that is left. */
static bool connect_any(const struct host *host, int64_t deadline_ns, int *ret_fd, struct err *e)
{
	struct addresses addresses = { 0 };
	int failure = EADDRNOTAVAIL;

	if (!look_up(host, deadline_ns, &addresses, e))
		return false;
	for (size_t i = 0; i < addresses.count && failure != 0; i++) {
		struct addrinfo *owned_address = parse_address(addresses.numbers[i], host->port);
		const int64_t now_ns = ssh_real_ns();
		const int64_t share_ns = (deadline_ns - now_ns) / (int64_t)(addresses.count - i);

		if (owned_address == NULL)
			continue;
		failure = connect_one(owned_address, now_ns + share_ns, ret_fd);
		freeaddrinfo(owned_address);
	}
	if (failure == 0)
		return true;
	return err_set(e, kind_of(failure), "connect: %s",
		       failure == ETIMEDOUT ? "no answer in time" : strerror(failure));
}

/* ---- one hop ---- */

/* Both pumps return true when they moved a byte. */
static bool pump_to_jump(struct ssh_link *link)
{
	struct ssh_pump *pump = &link->to_jump;
	bool is_moving = false;

	if (pump->start == pump->end && !pump->is_ended) {
		const ssize_t got = read(link->pump_fd, pump->bytes, sizeof pump->bytes);

		pump->start = 0;
		pump->end = got > 0 ? (size_t)got : 0;
		if (got == 0) {
			pump->is_ended = true;
			(void)ssh_channel_send_eof(link->jump_channel); /* as good as it gets */
		}
	}
	if (pump->start < pump->end) {
		const int sent = ssh_channel_write(link->jump_channel, pump->bytes + pump->start,
						   (uint32_t)(pump->end - pump->start));

		is_moving = sent > 0;
		pump->start += sent > 0 ? (size_t)sent : 0;
	}
	return is_moving;
}

static bool pump_from_jump(struct ssh_link *link)
{
	struct ssh_pump *pump = &link->from_jump;
	bool is_moving = false;

	if (pump->start == pump->end && !pump->is_ended) {
		const int got = ssh_channel_read_nonblocking(link->jump_channel, pump->bytes,
							     sizeof pump->bytes, 0);

		pump->start = 0;
		pump->end = got > 0 ? (size_t)got : 0;
		if (got <= 0 && (ssh_channel_is_eof(link->jump_channel) != 0 ||
				 ssh_is_connected(link->owned_jump->session) == 0)) {
			pump->is_ended = true;
			(void)shutdown(link->pump_fd, SHUT_WR); /* the session sees its end */
		}
	}
	if (pump->start < pump->end) {
		const ssize_t sent = send(link->pump_fd, pump->bytes + pump->start,
					  pump->end - pump->start, MSG_NOSIGNAL);

		is_moving = sent > 0;
		pump->start += sent > 0 ? (size_t)sent : 0;
	}
	return is_moving;
}

static void pump_all(struct ssh_link *link)
{
	bool is_moving = link->owned_jump != NULL;

	while (is_moving) {
		const uint64_t heard_bytes = link->owned_jump->heard.in_bytes;

		is_moving = pump_to_jump(link);
		is_moving = pump_from_jump(link) || is_moving;
		/* Either may have read what the other one waits for, and poll would not tell. */
		is_moving = is_moving || link->owned_jump->heard.in_bytes != heard_bytes;
	}
}

/* A channel through the jump host, looking like a connected socket. */
static bool connect_through(struct ssh_link *link, int64_t deadline_ns, int *ret_fd, struct err *e)
{
	struct ssh_link *jump = link->owned_jump;
	int pair[2];
	int outcome;

	link->jump_channel = ssh_channel_new(jump->session);
	if (link->jump_channel == NULL)
		return err_set(e, ERR_LIMIT, "open a channel through %s: no memory",
			       jump->host->name);
	do {
		outcome = ssh_channel_open_forward(link->jump_channel, link->host->address,
						   link->host->port, "127.0.0.1", 0);
		if (outcome == SSH_AGAIN)
			ssh_link_wait(jump, deadline_ns);
	} while (outcome == SSH_AGAIN && ssh_real_ns() < deadline_ns);

	if (outcome == SSH_AGAIN)
		return err_set(e, ERR_DEADLINE, "connect through %s: no answer in time",
			       jump->host->name);
	if (outcome != SSH_OK)
		return err_set(e, ERR_REMOTE,
			       "connect through %s: %s; can it reach the address, "
			       "and does its sshd have AllowTcpForwarding yes?",
			       jump->host->name, ssh_get_error(jump->session));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == -1)
		return err_set(e, ERR_LIMIT, "open a pair of sockets: %s", strerror(errno));
	link->pump_fd = pair[0];
	*ret_fd = pair[1];
	return true;
}

/* ---- waiting ---- */

static struct pollfd session_pollfd(ssh_session session)
{
	const int flags = ssh_get_poll_flags(session);

	return (struct pollfd){
		.fd = ssh_get_fd(session),
		.events = (short)(POLLIN | ((flags & SSH_WRITE_PENDING) != 0 ? POLLOUT : 0)),
	};
}

void ssh_link_wait(struct ssh_link *link, int64_t until_ns)
{
	const struct ssh_link *jump = link->owned_jump;
	struct pollfd fds[3];
	nfds_t count = 0;

	pump_all(link);
	fds[count++] = session_pollfd(link->session);
	if (jump != NULL) {
		const bool is_full = link->from_jump.start < link->from_jump.end;
		const bool is_hungry =
			link->to_jump.start == link->to_jump.end && !link->to_jump.is_ended;

		fds[count++] = session_pollfd(jump->session);
		fds[count++] = (struct pollfd){
			.fd = is_hungry || is_full ? link->pump_fd : -1,
			.events = (short)((is_hungry ? POLLIN : 0) | (is_full ? POLLOUT : 0)),
		};
	}
	(void)poll(fds, count, poll_ms(until_ns)); /* whatever the reason, the caller looks again */

	const int fd = jump == NULL ? fds[0].fd : fds[1].fd;
	const int on = 1;

	/* Acknowledge at once; the kernel forgets this wish after a while. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
	pump_all(link);
}

/* ---- opening and closing ---- */

static bool set_options(struct ssh_link *link, int fd, struct err *e)
{
	const struct host *host = link->host;
	const unsigned int port = host->port;
	const int off = 0;
	const long timeout_s = 60; /* never reached: we run non-blocking, with deadlines */
	ssh_session session = link->session;

	/* The user's ssh_config may hold Match and ProxyCommand lines that run programs. */
	if (ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &off) != SSH_OK ||
	    ssh_options_set(session, SSH_OPTIONS_HOST, host->address) != SSH_OK ||
	    ssh_options_set(session, SSH_OPTIONS_PORT, &port) != SSH_OK ||
	    ssh_options_set(session, SSH_OPTIONS_TIMEOUT, &timeout_s) != SSH_OK ||
	    (host->user != NULL &&
	     ssh_options_set(session, SSH_OPTIONS_USER, host->user) != SSH_OK))
		return err_set(e, ERR_INPUT, "address %s or user %s: %s", host->address,
			       host->user == NULL ? "(none)" : host->user, ssh_get_error(session));
	if (!ssh_verify_prepare(session, host, e))
		return false;
	if (ssh_options_set(session, SSH_OPTIONS_FD, &fd) != SSH_OK)
		return err_set(e, ERR_INTERNAL, "hand the connection to libssh: %s",
			       ssh_get_error(session));
	ssh_set_counters(session, &link->heard, NULL);
	ssh_set_blocking(session, 0);
	return true;
}

/*
 * libssh makes the connection blocking once it is up. A full one would then hang us beyond every
 * deadline, and for good when we are the ones to empty it (a hop).
 */
static int connect_step(ssh_session session)
{
	const int outcome = ssh_connect(session);
	const int fd = ssh_get_fd(session);

	if (fd != -1)
		(void)fcntl(fd, F_SETFL, O_NONBLOCK); /* cannot fail on an open socket */
	return outcome;
}

static bool shake_hands(struct ssh_link *link, int64_t deadline_ns, struct err *e)
{
	int outcome = connect_step(link->session);

	while (outcome == SSH_AGAIN && ssh_real_ns() < deadline_ns) {
		ssh_link_wait(link, deadline_ns);
		outcome = connect_step(link->session);
	}
	if (outcome == SSH_OK)
		return true;
	if (outcome == SSH_AGAIN)
		return err_set(e, ERR_DEADLINE, "agree on keys: connected, but no answer in time");

	const char *why = ssh_get_error(link->session);

	if (strstr(why, "no match for method server host key") != NULL)
		return err_set(e, ERR_REFUSED,
			       "agree on keys: the host has no key of a type that libssh %s knows "
			       "(%s); make it one: ssh-keygen -A",
			       ssh_version(0), why);
	if (strstr(why, "no match for method kex") != NULL)
		return err_set(e, ERR_REMOTE,
			       "agree on keys: the server allows only key exchanges that libssh %s "
			       "does not know (%s); add curve25519-sha256 to KexAlgorithms in its "
			       "sshd_config",
			       ssh_version(0), why);
	if (why[0] == '\0')
		why = "the far side closed the connection";
	return err_set(e, ERR_REMOTE, "agree on keys: %s", why);
}

bool ssh_link_open(const struct host *host, struct ssh_link *taken_jump, int64_t deadline_ns,
		   struct ssh_link **ret_link, struct err *e)
{
	struct ssh_link *link = mem_alloc(sizeof *link);
	int fd = -1;

	link->host = host;
	link->owned_jump = taken_jump;
	link->pump_fd = -1;
	link->session = ssh_new();
	if (link->session == NULL) {
		err_set(e, ERR_LIMIT, "start a session: no memory");
		goto failed;
	}
	if (taken_jump == NULL ? !connect_any(host, deadline_ns, &fd, e)
			       : !connect_through(link, deadline_ns, &fd, e))
		goto failed;
	if (!set_options(link, fd, e)) {
		(void)close(fd);
		goto failed;
	}
	if (!shake_hands(link, deadline_ns, e)) /* fd is libssh's from here on */
		goto failed;
	*ret_link = link;
	return true;
failed:
	ssh_link_close(link);
	return false;
}

void ssh_link_close(struct ssh_link *link)
{
	if (link == NULL)
		return;
	if (link->session != NULL) {
		/* Not ssh_disconnect: it forgets a connection that it did not open, unclosed. */
		ssh_silent_disconnect(link->session);
		pump_all(link);
		ssh_free(link->session);
	}
	if (link->jump_channel != NULL)
		ssh_channel_free(link->jump_channel);
	if (link->pump_fd != -1)
		(void)close(link->pump_fd);
	ssh_link_close(link->owned_jump);
	free(link);
}
