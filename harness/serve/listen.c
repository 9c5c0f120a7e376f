/*
 * listen.c - see listen.h.
 */
#include "serve/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/units.h"

union any_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool parse_port(const char *text, uint16_t *ret_port)
{
	int64_t port;

	if (!units_parse_count(text, &port, NULL) || port < 0 || port > UINT16_MAX)
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

/* Numbers only: a name may mean another address tomorrow. */
static bool parse(const char *text, union any_address *ret_address, socklen_t *ret_bytes)
{
	const char *colon = strrchr(text, ':');
	union any_address address = { 0 };
	char host[INET6_ADDRSTRLEN + 2];
	uint16_t port;

	if (colon == NULL || (size_t)(colon - text) >= sizeof host || !parse_port(colon + 1, &port))
		return false;

	const size_t length = (size_t)(colon - text);

	memcpy(host, text, length);
	host[length] = '\0';
	if (inet_pton(AF_INET, host, &address.v4.sin_addr) == 1) {
		address.v4.sin_family = AF_INET;
		address.v4.sin_port = htons(port);
		*ret_bytes = sizeof address.v4;
	} else if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
		host[length - 1] = '\0';
		if (inet_pton(AF_INET6, host + 1, &address.v6.sin6_addr) != 1)
			return false;
		address.v6.sin6_family = AF_INET6;
		address.v6.sin6_port = htons(port);
		*ret_bytes = sizeof address.v6;
	} else {
		return false;
	}
	*ret_address = address;
	return true;
}

static bool is_loopback(const union any_address *address)
{
	if (address->any.sa_family == AF_INET)
		return (ntohl(address->v4.sin_addr.s_addr) >> 24) == 127;
	return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

static bool open_socket(const union any_address *address, socklen_t bytes, int *ret_fd)
{
	enum { BACKLOG = 256 };
	const int yes = 1;
	const int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int failure;

	if (fd == -1)
		return false;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
	    bind(fd, &address->any, bytes) == 0 && listen(fd, BACKLOG) == 0) {
		*ret_fd = fd;
		return true;
	}
	failure = errno;
	(void)close(fd); /* nothing was written to it */
	errno = failure;
	return false;
}

static void tell_address(int fd, struct text *ret_name, uint16_t *ret_port)
{
	union any_address address = { 0 };
	socklen_t bytes = sizeof address;
	char host[INET6_ADDRSTRLEN] = "";

	(void)getsockname(fd, &address.any, &bytes); /* a bound socket has one */
	if (address.any.sa_family == AF_INET) {
		text_add(ret_name, inet_ntop(AF_INET, &address.v4.sin_addr, host, sizeof host));
		*ret_port = ntohs(address.v4.sin_port);
	} else {
		text_addf(ret_name, "[%s]",
			  inet_ntop(AF_INET6, &address.v6.sin6_addr, host, sizeof host));
		*ret_port = ntohs(address.v6.sin6_port);
	}
}

bool listen_open(const char *text, bool is_beyond_loopback, int *ret_fd, struct text *ret_name,
		 uint16_t *ret_port, struct err *e)
{
	union any_address address;
	socklen_t bytes;

	if (!parse(text, &address, &bytes))
		return err_set(e, ERR_INPUT,
			       "listen on `%s`: write an address and a port, such as " LISTEN_DEFAULT
			       " or [::1]:7333",
			       text);
	if (!is_loopback(&address) && !is_beyond_loopback)
		return err_set(e, ERR_REFUSED,
			       "listen on %s: others could reach it, and the page asks nobody who they "
			       "are and does not encrypt; listen on " LISTEN_DEFAULT
			       " behind a proxy that does both (docs/serve.md shows one), or say "
			       "--beyond-loopback",
			       text);
	if (!open_socket(&address, bytes, ret_fd))
		return err_set(e, errno == EADDRINUSE || errno == EACCES || errno == EADDRNOTAVAIL ?
					  ERR_INPUT : ERR_LIMIT,
			       "listen on %s: %s", text,
			       errno == EADDRINUSE ? "another program listens there; choose another "
						     "port with --listen" :
						     strerror(errno));
	tell_address(*ret_fd, ret_name, ret_port);
	return true;
}

bool listen_is_near(const struct sockaddr *peer, char ret_text[LISTEN_ADDRESS_BYTES])
{
	union any_address address = { 0 };

	ret_text[0] = '\0';
	if (peer->sa_family == AF_INET) {
		memcpy(&address.v4, peer, sizeof address.v4);
		(void)inet_ntop(AF_INET, &address.v4.sin_addr, ret_text, LISTEN_ADDRESS_BYTES);
	} else if (peer->sa_family == AF_INET6) {
		memcpy(&address.v6, peer, sizeof address.v6);
		(void)inet_ntop(AF_INET6, &address.v6.sin6_addr, ret_text, LISTEN_ADDRESS_BYTES);
	} else {
		return false;
	}
	return is_loopback(&address);
}
