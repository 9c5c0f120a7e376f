/*
 * systemd.c - see systemd.h. By hand: it is one datagram, and libsystemd would bring a lot along.
 */
#include "serve/systemd.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"

/* A path, or with an @ in front a name that is in no file system. */
static bool parse_address(const char *path, struct sockaddr_un *address, socklen_t *ret_bytes)
{
	const size_t length = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || length < 2 || length >= sizeof address->sun_path)
		return false;
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, length);
	if (path[0] == '@')
		address->sun_path[0] = '\0';
	*ret_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	return true;
}

bool systemd_tell(const char *state, struct err *e)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { 0 };
	socklen_t address_bytes;
	ssize_t sent;
	int fd;

	if (path == NULL || *path == '\0')
		return true;
	if (!parse_address(path, &address, &address_bytes))
		return err_set(e, ERR_INPUT, "tell systemd: NOTIFY_SOCKET is no path and no @name");
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return err_set(e, ERR_LIMIT, "tell systemd: open a socket: %s", strerror(errno));
	sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
		      address_bytes);

	const int failure = errno;

	(void)close(fd); /* a datagram is sent or not */
	return sent != -1 ||
	       err_set(e, ERR_REMOTE, "tell systemd: send to %s: %s", path, strerror(failure));
}

int64_t systemd_watchdog_ns(void)
{
	const char *wanted_us = getenv("WATCHDOG_USEC");
	const char *wanted_pid = getenv("WATCHDOG_PID");
	int64_t us;
	int64_t pid;

	if (wanted_us == NULL || !units_parse_count(wanted_us, &us, NULL) || us <= 0 ||
	    us > INT64_MAX / NS_PER_US)
		return 0;
	if (wanted_pid != NULL &&
	    (!units_parse_count(wanted_pid, &pid, NULL) || pid != (int64_t)getpid()))
		return 0;
	return us * NS_PER_US;
}
