/*
 * ssh_auth.c - see ssh_link.h: who we are. Keys only: a key file, the agent, or the default keys.
 *
 * With `key:` that key alone is shown; an encrypted one is left to the agent, which may hold it.
 * Without, the agent is asked first, then ~/.ssh/id_*. There are no passwords and no questions: a
 * drill runs when nobody sits there. Certificates and second factors are not supported.
 */
#include "remote/ssh_link.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const default_key_paths[] = {
	"~/.ssh/id_ed25519",
	"~/.ssh/id_ecdsa",
	"~/.ssh/id_rsa",
};

enum { AGENT_ANSWER_BYTES = 256 << 10 }; /* the protocol's own bound */

static const int64_t agent_timeout_ns = 2 * NS_PER_S;

/* One conversation about who we are. */
struct auth {
	struct ssh_link *link;
	int64_t deadline_ns;
	struct text tried; /* "key /root/.ssh/id_rsa: refused by the server; agent: ..." */
};

static void note(struct auth *auth, const char *what, const char *subject, const char *why)
{
	text_addf(&auth->tried, "%s%s%s%s: %s", auth->tried.length_bytes == 0 ? "" : "; ", what,
		  subject[0] == '\0' ? "" : " ", subject, why);
}

/* ---- agent ---- */

/* Reads exactly so many bytes; false when the agent is too slow or goes away. */
static bool agent_read(int fd, unsigned char *bytes, size_t wish_bytes, int64_t deadline_ns)
{
	size_t got_bytes = 0;

	while (got_bytes < wish_bytes) {
		struct pollfd readable = { .fd = fd, .events = POLLIN };
		const int64_t left_ns = deadline_ns - ssh_real_ns();

		if (left_ns <= 0 || poll(&readable, 1, (int)(left_ns / NS_PER_MS) + 1) < 0)
			return false;

		const ssize_t got =
			recv(fd, bytes + got_bytes, wish_bytes - got_bytes, MSG_DONTWAIT);

		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			return false;
		got_bytes += got > 0 ? (size_t)got : 0;
	}
	return true;
}

/* Hanging up on an agent in the middle of its answer makes it complain on somebody's terminal. */
static void agent_skip(int fd, size_t rest_bytes, int64_t deadline_ns)
{
	unsigned char bytes[1024];

	while (rest_bytes > 0 && rest_bytes <= AGENT_ANSWER_BYTES) {
		const size_t wish_bytes = rest_bytes < sizeof bytes ? rest_bytes : sizeof bytes;

		if (!agent_read(fd, bytes, wish_bytes, deadline_ns))
			return;
		rest_bytes -= wish_bytes;
	}
}

static uint32_t number_at(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       (uint32_t)bytes[3];
}

/*
 * How many keys does the agent hold? libssh would wait for a hanging agent for ever, so we ask
 * first, with a deadline. Returns NULL and the count, or why there is nothing to ask.
 */
static const char *agent_count(int64_t deadline_ns, uint32_t *ret_count)
{
	/* The agent protocol: length 1, "list the keys"; the answer: length, 12, count, keys. */
	static const unsigned char question[5] = { 0, 0, 0, 1, 11 };
	const char *path = getenv("SSH_AUTH_SOCK");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *why = "does not answer";
	unsigned char answer[9];

	if (path == NULL || path[0] == '\0' || strlen(path) >= sizeof address.sun_path)
		return "none is running (SSH_AUTH_SOCK is not set)";
	memcpy(address.sun_path, path, strlen(path) + 1);

	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return "cannot be reached: no descriptor left";
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == -1) {
		why = "none is listening at SSH_AUTH_SOCK";
	} else if (send(fd, question, sizeof question, MSG_NOSIGNAL) == (ssize_t)sizeof question &&
		   agent_read(fd, answer, sizeof answer, deadline_ns)) {
		*ret_count = number_at(answer + 5);
		why = answer[4] == 12 ? NULL : "does not list its keys";
		agent_skip(fd, number_at(answer) - (sizeof answer - 4), deadline_ns);
	}
	(void)close(fd);
	return why == NULL && *ret_count == 0 ? "holds no key" : why;
}

/* ---- asking the server ---- */

static enum ssh_auth_e show_key(struct auth *auth, ssh_key key)
{
	ssh_session session = auth->link->session;
	int outcome = SSH_AUTH_AGAIN;

	for (;;) {
		outcome = key == NULL ? ssh_userauth_agent(session, NULL)
				      : ssh_userauth_publickey(session, NULL, key);
		if (outcome != SSH_AUTH_AGAIN || ssh_real_ns() >= auth->deadline_ns)
			return (enum ssh_auth_e)outcome;
		ssh_link_wait(auth->link, auth->deadline_ns);
	}
}

static const char *why_not(struct auth *auth, enum ssh_auth_e outcome)
{
	ssh_session session = auth->link->session;

	switch (outcome) {
	case SSH_AUTH_SUCCESS:
		return "accepted";
	case SSH_AUTH_DENIED:
		return "refused by the server";
	case SSH_AUTH_PARTIAL:
		return "accepted, but the server wants a second factor, which is not supported";
	case SSH_AUTH_AGAIN:
		return "no answer in time";
	case SSH_AUTH_INFO:
	case SSH_AUTH_ERROR:
		break;
	}
	return ssh_is_connected(session) == 0 ? "the server hung up" : ssh_get_error(session);
}

static enum ssh_auth_e try_agent(struct auth *auth)
{
	const int64_t latest_ns = ssh_real_ns() + agent_timeout_ns;
	uint32_t count = 0;
	const char *why =
		agent_count(latest_ns < auth->deadline_ns ? latest_ns : auth->deadline_ns, &count);
	enum ssh_auth_e outcome = SSH_AUTH_DENIED;

	if (why == NULL) {
		outcome = show_key(auth, NULL);
		why = why_not(auth, outcome);
	}
	note(auth, "agent", "", why);
	return outcome;
}

/* libssh asks only for a passphrase, and only of an encrypted key: we have none. */
static int refuse_passphrase(const char *prompt, char *buffer, size_t length, int echo, int verify,
			     void *userdata)
{
	bool *was_asked = userdata;

	(void)prompt;
	(void)buffer;
	(void)length;
	(void)echo;
	(void)verify;
	*was_asked = true;
	return -1;
}

/* A default key that does not exist is not worth a word; a key that the user named is. */
static enum ssh_auth_e try_file(struct auth *auth, const char *given_path, bool is_named)
{
	char *owned_path = ssh_path_expand(given_path);
	enum ssh_auth_e outcome = SSH_AUTH_DENIED;
	bool is_encrypted = false;
	ssh_key key = NULL;
	int imported;

	if (access(owned_path, R_OK) == -1) {
		if (is_named || errno != ENOENT)
			note(auth, "key", owned_path, strerror(errno));
		goto out;
	}
	imported = ssh_pki_import_privkey_file(owned_path, NULL, refuse_passphrase, &is_encrypted,
					       &key);
	if (imported != SSH_OK && is_encrypted && is_named) {
		note(auth, "key", owned_path,
		     "is encrypted and firedrill asks no questions; add it to an agent with "
		     "ssh-add, or name a key without a passphrase");
		outcome = try_agent(auth);
	} else if (imported != SSH_OK && is_encrypted) {
		note(auth, "key", owned_path, "is encrypted");
	} else if (imported != SSH_OK) {
		note(auth, "key", owned_path, "is not a private key that libssh can read");
	} else {
		outcome = show_key(auth, key);
		note(auth, "key", owned_path, why_not(auth, outcome));
	}
out:
	ssh_key_free(key);
	free(owned_path);
	return outcome;
}

/* Another key is worth a try only after a plain no. */
static enum ssh_auth_e try_defaults(struct auth *auth)
{
	enum ssh_auth_e outcome = try_agent(auth);

	for (size_t i = 0; i < sizeof default_key_paths / sizeof default_key_paths[0]; i++)
		if (outcome == SSH_AUTH_DENIED)
			outcome = try_file(auth, default_key_paths[i], false);
	return outcome;
}

bool ssh_authenticate(struct ssh_link *link, int64_t deadline_ns, struct err *e)
{
	const struct host *host = link->host;
	struct auth auth = { .link = link, .deadline_ns = deadline_ns };
	char *owned_user = NULL;
	enum ssh_auth_e outcome;

	outcome = host->key_path == NULL ? try_defaults(&auth)
					 : try_file(&auth, host->key_path, true);
	if (ssh_options_get(link->session, SSH_OPTIONS_USER, &owned_user) != SSH_OK)
		owned_user = NULL;

	const char *user = owned_user == NULL ? "?" : owned_user;

	if (outcome == SSH_AUTH_AGAIN)
		err_set(e, ERR_DEADLINE, "log in as %s: no answer in time (%s)", user,
			text_str(&auth.tried));
	else if (outcome == SSH_AUTH_ERROR && ssh_is_connected(link->session) == 0)
		err_set(e, ERR_REMOTE,
			"log in as %s: the connection ended (%s). When an agent "
			"holds many keys, name one with `key:`",
			user, text_str(&auth.tried));
	else if (outcome != SSH_AUTH_SUCCESS)
		err_set(e, ERR_REFUSED, "log in as %s: no key was accepted (%s)", user,
			text_str(&auth.tried));
	ssh_string_free_char(owned_user);
	text_release(&auth.tried);
	return outcome == SSH_AUTH_SUCCESS;
}
