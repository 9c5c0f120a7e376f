/*
 * ssh_verify.c - see ssh_link.h: is it the host we mean? Checked always; there is no way around it.
 *
 * A key pinned in the inventory beats known_hosts. Else libssh looks into known_hosts, and we look
 * once more ourselves: libssh ignores @revoked lines, and does not say which line a changed key is
 * in. A key that is revoked for any host is refused for every host. Certificates (@cert-authority)
 * are not supported: such lines are no reason to trust anybody.
 */
#include "remote/ssh_link.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char global_known_hosts[] = "/etc/ssh/ssh_known_hosts";

/* The key that the host showed. */
struct shown_key {
	ssh_key owned_key;
	char *owned_base64;	 /* ssh_string_free_char */
	char *owned_fingerprint; /* "SHA256:..."; ssh_string_free_char */
	const char *type;
};

/* Where things stand in the known_hosts files; lines count from 1, 0: nowhere. */
struct finding {
	const char *path; /* of the lines below */
	unsigned long revoked_line;
	unsigned long host_line; /* names this host; one with a key of the shown type preferred */
	bool is_same_type;
	bool has_authority;
};

static void shown_key_release(struct shown_key *shown)
{
	ssh_key_free(shown->owned_key);
	ssh_string_free_char(shown->owned_base64);
	ssh_string_free_char(shown->owned_fingerprint);
}

static char *fingerprint_of(ssh_key key)
{
	unsigned char *hash = NULL;
	size_t hash_bytes = 0;
	char *fingerprint = NULL;

	if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &hash_bytes) == 0)
		fingerprint = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, hash_bytes);
	ssh_clean_pubkey_hash(&hash);
	return fingerprint;
}

static bool shown_key_get(ssh_session session, struct shown_key *shown, struct err *e)
{
	if (ssh_get_server_publickey(session, &shown->owned_key) != SSH_OK ||
	    ssh_pki_export_pubkey_base64(shown->owned_key, &shown->owned_base64) != SSH_OK)
		return err_set(e, ERR_REFUSED, "read the host's key: %s", ssh_get_error(session));
	shown->owned_fingerprint = fingerprint_of(shown->owned_key);
	if (shown->owned_fingerprint == NULL)
		return err_set(e, ERR_LIMIT, "hash the host's key: no memory");
	shown->type = ssh_key_type_to_char(ssh_key_type(shown->owned_key));
	return true;
}

/* ---- pinned ---- */

/* Takes "TYPE BASE64 comment" apart; lengths without the blanks between. */
static void pin_split(const char *pin, const char **ret_type, size_t *ret_type_bytes,
		      const char **ret_base64, size_t *ret_base64_bytes)
{
	const char *const blanks = " \t\r\n";

	pin += strspn(pin, blanks);
	*ret_type = pin;
	*ret_type_bytes = strcspn(pin, blanks);
	pin += *ret_type_bytes;
	pin += strspn(pin, blanks);
	*ret_base64 = pin;
	*ret_base64_bytes = strcspn(pin, blanks);
}

static bool verify_pinned(const struct host *host, const struct shown_key *shown, struct err *e)
{
	const char *type;
	const char *base64;
	size_t type_bytes;
	size_t base64_bytes;

	pin_split(host->host_key, &type, &type_bytes, &base64, &base64_bytes);
	/* The pinned type was asked for first: a host that shows another one has none of it. */
	if (strlen(shown->type) != type_bytes || memcmp(shown->type, type, type_bytes) != 0)
		return err_set(e, ERR_REFUSED,
			       "host key: the host has no key of the type %.*s, which host_key pins in "
			       "the inventory; it shows %s %s. Compare that fingerprint on its console "
			       "and pin one that it has: %s %s",
			       (int)type_bytes, type, shown->type, shown->owned_fingerprint,
			       shown->type, shown->owned_base64);
	if (strlen(shown->owned_base64) == base64_bytes &&
	    memcmp(shown->owned_base64, base64, base64_bytes) == 0)
		return true;
	return err_set(
		e, ERR_REFUSED,
		"host key: the host shows %s %s, which is not the key pinned by host_key in "
		"the inventory. Either this is another machine, or the host was set up anew: "
		"then compare the fingerprint on its console (ssh-keygen -lf "
		"/etc/ssh/ssh_host_*_key.pub) and pin: %s %s",
		shown->type, shown->owned_fingerprint, shown->type, shown->owned_base64);
}

/* ---- known_hosts ---- */

/* "@revoked PATTERNS TYPE BASE64": is it this key, whatever the patterns say? */
static bool is_revoked_line(const char *line, const struct shown_key *shown)
{
	const char *const blanks = " \t\r\n";

	line += strlen("@revoked");
	for (int word = 0; word < 2; word++) {
		line += strspn(line, blanks);
		line += strcspn(line, blanks);
	}
	line += strspn(line, blanks);

	const size_t base64_bytes = strcspn(line, blanks);

	return base64_bytes == strlen(shown->owned_base64) &&
	       memcmp(line, shown->owned_base64, base64_bytes) == 0;
}

static void look_at_line(const char *line, unsigned long number, const char *path,
			 const char *host_and_port, const struct shown_key *shown,
			 struct finding *finding)
{
	struct ssh_knownhosts_entry *entry = NULL;

	line += strspn(line, " \t");
	if (strncmp(line, "@revoked", 8) == 0 && is_revoked_line(line, shown)) {
		finding->path = path;
		finding->revoked_line = number;
	}
	if (strncmp(line, "@cert-authority", 15) == 0)
		finding->has_authority = true;
	if (line[0] == '@' || line[0] == '#' || line[0] == '\0')
		return;
	if (ssh_known_hosts_parse_line(host_and_port, line, &entry) != SSH_OK)
		return;

	const bool is_same_type = ssh_key_type(entry->publickey) == ssh_key_type(shown->owned_key);

	if (finding->host_line == 0 || (is_same_type && !finding->is_same_type)) {
		finding->path = path;
		finding->host_line = number;
		finding->is_same_type = is_same_type;
	}
	ssh_knownhosts_entry_free(entry);
}

/* False only when there is a file that cannot be read: a revoked key might stand in it. */
static bool look_into(const char *path, const char *host_and_port, const struct shown_key *shown,
		      struct finding *finding, struct err *e)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room_bytes = 0;
	unsigned long number = 0;

	if (file == NULL && errno == ENOENT)
		return true;
	if (file == NULL)
		return err_set(e, ERR_REFUSED, "host key: cannot read %s: %s", path,
			       strerror(errno));
	while (finding->revoked_line == 0 && getline(&line, &room_bytes, file) != -1) {
		line[strcspn(line, "\r\n")] = '\0'; /* libssh takes the newline for base64 */
		look_at_line(line, ++number, path, host_and_port, shown, finding);
	}
	free(line);

	const bool is_read = ferror(file) == 0;

	(void)fclose(file); /* only read from */
	if (!is_read)
		return err_set(e, ERR_REFUSED, "host key: cannot read %s to its end", path);
	return true;
}

/* How to make the host known, for the end of a sentence. */
static void add_advice(const struct host *host, const struct shown_key *shown, const char *path,
		       struct text *text)
{
	text_addf(text,
		  "The host shows %s %s: compare that with its console (ssh-keygen -lf "
		  "/etc/ssh/ssh_host_*_key.pub), then run: ssh-keyscan -p %u -t %s %s >> %s",
		  shown->type, shown->owned_fingerprint, host->port, shown->type, host->address,
		  path);
}

static bool judge(enum ssh_known_hosts_e known, const struct host *host,
		  const struct shown_key *shown, const struct finding *finding, const char *path,
		  const char *why, struct err *e)
{
	const char *line_path = finding->path == NULL ? path : finding->path;
	struct text advice = { 0 };

	add_advice(host, shown, path, &advice);
	switch (known) {
	case SSH_KNOWN_HOSTS_OK:
		break;
	case SSH_KNOWN_HOSTS_CHANGED:
		err_set(e, ERR_REFUSED,
			"host key: it is not the one in %s line %lu. Either this is another "
			"machine, or the host was set up anew: then remove that line. %s",
			line_path, finding->host_line, text_str(&advice));
		break;
	case SSH_KNOWN_HOSTS_OTHER:
		err_set(e, ERR_REFUSED,
			"host key: %s line %lu knows this host by a key of another type only. %s",
			line_path, finding->host_line, text_str(&advice));
		break;
	case SSH_KNOWN_HOSTS_UNKNOWN:
		err_set(e, ERR_REFUSED, "host key: %s is not in %s.%s %s", host->address, path,
			finding->has_authority
				? " Its @cert-authority lines are ignored: only plain keys count."
				: "",
			text_str(&advice));
		break;
	case SSH_KNOWN_HOSTS_NOT_FOUND:
		err_set(e, ERR_REFUSED, "host key: there is no file %s. %s", path,
			text_str(&advice));
		break;
	case SSH_KNOWN_HOSTS_ERROR:
		err_set(e, ERR_REFUSED, "host key: cannot be looked up in %s: %s", path, why);
		break;
	}
	text_release(&advice);
	return known == SSH_KNOWN_HOSTS_OK;
}

static bool verify_known(struct ssh_link *link, const struct shown_key *shown, struct err *e)
{
	const struct host *host = link->host;
	const char *given = host->known_hosts == NULL ? "~/.ssh/known_hosts" : host->known_hosts;
	char *owned_path = ssh_path_expand(given);
	struct text host_and_port = { 0 };
	struct finding finding = { 0 };
	bool is_ok = false;

	if (host->port == HOST_PORT_DEFAULT)
		text_add(&host_and_port, host->address);
	else
		text_addf(&host_and_port, "[%s]:%u", host->address, host->port);
	if (!look_into(owned_path, text_str(&host_and_port), shown, &finding, e))
		goto out;
	if (host->known_hosts == NULL &&
	    !look_into(global_known_hosts, text_str(&host_and_port), shown, &finding, e))
		goto out;
	if (finding.revoked_line != 0) {
		err_set(e, ERR_REFUSED,
			"host key: the host shows %s %s, which %s line %lu marks as @revoked. Give "
			"the host a new key before anybody logs in to it",
			shown->type, shown->owned_fingerprint, finding.path, finding.revoked_line);
		goto out;
	}
	is_ok = judge(ssh_session_is_known_server(link->session), host, shown, &finding, owned_path,
		      ssh_get_error(link->session), e);
out:
	text_release(&host_and_port);
	free(owned_path);
	return is_ok;
}

/* The names of signature algorithms that prove a key of this type. */
static const char *algorithms_of(const char *type)
{
	return strcmp(type, "ssh-rsa") == 0 ? "rsa-sha2-512,rsa-sha2-256" : type;
}

/*
 * Asks for the pinned key first: a host has several and would show the one it likes best. The others
 * follow, so that one without a key of that type shows what it has instead of hanging up, which may
 * reset the line before it is known why. What is shown must be the pinned key in any case.
 */
static bool ask_for_type(ssh_session session, const char *type)
{
	static const char others[] = "ssh-ed25519,ecdsa-sha2-nistp521,ecdsa-sha2-nistp384,"
				     "ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256";
	struct text wanted = { 0 };
	bool ok;

	text_addf(&wanted, "%s,%s", algorithms_of(type), others);
	/* The first call alone says whether libssh knows the type. */
	ok = ssh_options_set(session, SSH_OPTIONS_HOSTKEYS, algorithms_of(type)) == SSH_OK &&
	     ssh_options_set(session, SSH_OPTIONS_HOSTKEYS, text_str(&wanted)) == SSH_OK;
	text_release(&wanted);
	return ok;
}

bool ssh_verify_prepare(ssh_session session, const struct host *host, struct err *e)
{
	char *owned_path;
	char *owned_type;
	int outcome;

	if (host->host_key == NULL) {
		const bool is_given = host->known_hosts != NULL;

		owned_path = ssh_path_expand(is_given ? host->known_hosts : "~/.ssh/known_hosts");
		outcome = ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, owned_path);
		free(owned_path);
		if (outcome == SSH_OK)
			outcome = ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS,
						  is_given ? "/dev/null" : global_known_hosts);
		if (outcome != SSH_OK)
			return err_set(e, ERR_INPUT, "known_hosts: %s", ssh_get_error(session));
		return true;
	}

	const char *type;
	const char *base64;
	size_t type_bytes;
	size_t base64_bytes;

	pin_split(host->host_key, &type, &type_bytes, &base64, &base64_bytes);
	owned_type = strndup(type, type_bytes);
	if (owned_type == NULL)
		return err_set(e, ERR_LIMIT, "host_key: no memory");
	outcome = base64_bytes == 0 || !ask_for_type(session, owned_type) ||
		  ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, "/dev/null") != SSH_OK ||
		  ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null") != SSH_OK;
	free(owned_type);
	if (outcome != 0)
		return err_set(e, ERR_INPUT,
			       "host_key of %s: write it as in a .pub file, like "
			       "`ssh-ed25519 AAAA...`, with a type that libssh %s "
			       "knows",
			       host->name, ssh_version(0));
	return true;
}

bool ssh_verify_host(struct ssh_link *link, struct err *e)
{
	struct shown_key shown = { 0 };
	bool is_ok;

	is_ok = shown_key_get(link->session, &shown, e) &&
		(link->host->host_key == NULL ? verify_known(link, &shown, e)
					      : verify_pinned(link->host, &shown, e));
	shown_key_release(&shown);
	return is_ok;
}
