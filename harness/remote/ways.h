/*
 * ways.h - what the files of this folder share; nobody else includes it.
 */
#ifndef REMOTE_WAYS_H
#define REMOTE_WAYS_H

#include "remote/remote.h"

#include <signal.h>

/* Runs commands on this machine. Never lost: a late command is killed with its group. */
bool local_open(const struct host *host, const struct clock *clock, struct remote **ret_remote,
		struct err *e);

/* Connects, verifies the host key, authenticates; all before the deadline. */
bool ssh_open(const struct host *host, const struct clock *clock, int64_t timeout_ns,
	      struct remote **ret_remote, struct err *e);

/* Adds output of a command up to LIMIT_COMMAND_OUTPUT_BYTES; drops the rest and sets is_cut. */
void reply_add(struct reply *reply, struct text *stream, const char *bytes, size_t length_bytes);

/*
 * libssh and OpenSSL write to a lost connection without MSG_NOSIGNAL, and SIGPIPE would end the
 * whole drill. Between init and release this thread holds it back, and forgets it.
 */
struct pipe_guard {
	sigset_t old;
	bool was_pending;
};

void pipe_guard_init(struct pipe_guard *guard);
void pipe_guard_release(const struct pipe_guard *guard);

/* Once for the process, from any thread. False: libcurl cannot be used. */
bool libcurl_start(void);
/* The file of certificates that counts beside the authorities of this machine, as SSL_CERT_FILE names
   it everywhere: a private authority then needs no root. NULL: none is named. */
const char *tls_authorities(void);

#endif
