/*
 * ssh_link.h - the parts of the SSH way: ssh.c puts them together, nobody else includes this.
 *
 *   ssh_link.c    the bytes: name look-up, connecting before a deadline, one hop, waiting
 *   ssh_verify.c  is it the host we mean? pinned key or known_hosts
 *   ssh_auth.c    are we who we say? key file, agent, default keys
 *   ssh.c         commands on the session, signs of life, the row of remote_ops
 *
 * libssh runs non-blocking throughout and is driven by ssh_link_wait, so every wait has a deadline
 * and a session through a jump host needs no thread: waiting also carries its bytes. All waiting is
 * on the real clock, also when the stamps of a reply come from another one.
 */
#ifndef REMOTE_SSH_LINK_H
#define REMOTE_SSH_LINK_H

#include <libssh/libssh.h>

#include "remote/ways.h"

enum { SSH_PUMP_BYTES = 32 << 10 };

/* Bytes on their way from one side of a hop to the other. */
struct ssh_pump {
	char bytes[SSH_PUMP_BYTES];
	size_t start;
	size_t end;
	bool is_ended; /* nothing more will come, and the other side was told */
};

struct ssh_link {
	const struct host *host;
	ssh_session session;
	struct ssh_counter_struct heard; /* in_bytes grows with every byte from the far side */

	/* Only with a jump host: its session, a channel through it, and a pair of sockets whose one
	   end libssh takes for the connection. */
	struct ssh_link *owned_jump;
	ssh_channel jump_channel;
	int pump_fd;
	struct ssh_pump to_jump;
	struct ssh_pump from_jump;
};

/* Connects and agrees on keys; the far side is neither verified nor are we known to it. */
bool ssh_link_open(const struct host *host, struct ssh_link *taken_jump, int64_t deadline_ns,
		   struct ssh_link **ret_link, struct err *e);
void ssh_link_close(struct ssh_link *link); /* NULL is fine; closes the jump, too */

/* Sleeps until there is something to do for the session, but not beyond until_ns (real clock). */
void ssh_link_wait(struct ssh_link *link, int64_t until_ns);

int64_t ssh_real_ns(void);

/* Before connecting: which keys may the host show? */
bool ssh_verify_prepare(ssh_session session, const struct host *host, struct err *e);
/* After connecting, before any secret is used. ERR_REFUSED says what to do. */
bool ssh_verify_host(struct ssh_link *link, struct err *e);

bool ssh_authenticate(struct ssh_link *link, int64_t deadline_ns, struct err *e);

/* The path with a leading "~/" replaced by the home directory; the caller frees. */
char *ssh_path_expand(const char *path);

#endif
