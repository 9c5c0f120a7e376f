/*
 * postgres_url.c - the URL of a store taken apart: places to try one by one, the password, and a
 * name that may be shown. Connects to nothing.
 */
#include "store/postgres.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/units.h"
#include "store/store_url.h"

enum { PLACES_MAX = 16, PARTS_MAX = PLACES_MAX + 1 };

static const int64_t connect_default_ns = 5 * NS_PER_S;

/* Set when the URL does not. A partition must not hang a connection for a quarter of an hour, a
   look at Kerberos tickets may ask the DNS, and of several hosts only one takes what is written. */
static const struct pair defaults[] = {
	{ "application_name", "firedrill" }, { "gssencmode", "disable" },
	{ "keepalives_count", "3" },	     { "keepalives_idle", "2" },
	{ "keepalives_interval", "1" },	     { "target_session_attrs", "read-write" },
	{ "tcp_user_timeout", "6000" },
};

enum { DEFAULT_COUNT = sizeof defaults / sizeof defaults[0], KEYWORDS_MAX = 96 };

bool store_is_url(const char *path)
{
	return strncmp(path, "postgresql://", 13) == 0 || strncmp(path, "postgres://", 11) == 0;
}

/* Never libpq's own words: they repeat the text, and with it the password. */
static PQconninfoOption *parse(const char *url, struct err *e)
{
	char *problem = NULL;
	PQconninfoOption *options = PQconninfoParse(url, &problem);

	PQfreemem(problem);
	if (options == NULL)
		err_set(e, ERR_INPUT,
			"open the store: its URL cannot be read; it looks like "
			"postgresql://USER@HOST:PORT/DATABASE?sslmode=verify-full, with every "
			"other character of a part written as %%XX");
	return options;
}

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
	for (const PQconninfoOption *option = options; option->keyword != NULL; option++)
		if (strcmp(option->keyword, keyword) == 0)
			return option->val;
	return NULL;
}

bool store_url_name(const char *url, struct text *name, struct err *e)
{
	PQconninfoOption *options = parse(url, e);
	static const char *const words[] = { "user", "host", "port", "dbname" };
	static const char *const before[] = { "", "", ":", "/" };
	static const char *const behind[] = { "@", "", "", "" };
	struct secrets secrets = { 0 };

	if (options == NULL)
		return false;
	text_add(name, "postgresql://");
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		const char *value = value_of(options, words[i]);

		if (value == NULL && strcmp(words[i], "host") == 0)
			value = value_of(options, "hostaddr");
		if (value != NULL && *value != '\0')
			text_addf(name, "%s%.120s%s", before[i], value, behind[i]);
	}
	if (value_of(options, "service") != NULL)
		text_addf(name, "?service=%.60s", value_of(options, "service"));
	PQconninfoFree(options);
	store_url_secrets(url, &secrets); /* which may be the name of the database, as well */
	secrets_redact(&secrets, name);
	secrets_release(&secrets);
	return true;
}

static const char *const password_words[] = { "password", "sslpassword" };

enum { PASSWORD_WORD_COUNT = sizeof password_words / sizeof password_words[0] };

bool store_url_has_password(const char *url)
{
	PQconninfoOption *options = store_is_url(url) ? parse(url, NULL) : NULL;
	bool has = false;

	for (size_t i = 0; options != NULL && i < PASSWORD_WORD_COUNT; i++)
		has = has || value_of(options, password_words[i]) != NULL;
	PQconninfoFree(options);
	return has;
}

void store_url_secrets(const char *url, struct secrets *secrets)
{
	PQconninfoOption *options = store_is_url(url) ? parse(url, NULL) : NULL;
	const char *password = options == NULL ? NULL : getenv("PGPASSWORD");

	for (size_t i = 0; options != NULL && i < PASSWORD_WORD_COUNT; i++) {
		const char *value = value_of(options, password_words[i]);

		if (value != NULL)
			secrets_register(secrets, value);
	}
	if (password != NULL)
		secrets_register(secrets, password);
	PQconninfoFree(options);
}

void store_url_key(const char *url, struct text *text)
{
	enum { KEY_DIGITS = 16 };
	static const char *const words[] = { "service", "host",	  "hostaddr",
					     "port",	"dbname", "options" };
	PQconninfoOption *options = parse(url, NULL);
	char hash[HASH_TEXT_BYTES] = "";

	for (size_t i = 0; options != NULL && i < sizeof words / sizeof words[0]; i++) {
		const char *value = value_of(options, words[i]);

		value = value == NULL ? "" : value;
		hash_chain(hash, value, strlen(value), hash);
	}
	PQconninfoFree(options);
	text_addf(text, "postgresql-%.*s", KEY_DIGITS, hash);
}

/* "a,b,,c": one text for each, NULL for an empty one. */
static size_t split(struct arena *arena, const char *list, const char *parts[PARTS_MAX])
{
	size_t count = 0;

	if (list == NULL || *list == '\0')
		return 0;
	for (const char *at = list;; at++) {
		const size_t length = strcspn(at, ",");

		if (count < PARTS_MAX)
			parts[count++] = length == 0 ? NULL : arena_copy_bytes(arena, at, length);
		at += length;
		if (*at == '\0')
			return count;
	}
}

static const char **list_of(struct arena *arena, const char *list, size_t *ret_count)
{
	const char **parts = arena_alloc(arena, PARTS_MAX * sizeof *parts);

	*ret_count = split(arena, list, parts);
	return parts;
}

static size_t put(struct postgres_target *target, size_t *count, const char *keyword,
		  const char *value)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(target->keywords[i], keyword) == 0)
			return i;
	}
	target->keywords[*count] = keyword;
	target->values[*count] = value;
	return (*count)++;
}

static void take_options(struct postgres_target *target, const PQconninfoOption *options)
{
	struct arena *arena = &target->arena;
	size_t count = 0;

	target->keywords = arena_alloc(arena, KEYWORDS_MAX * sizeof *target->keywords);
	target->values = arena_alloc(arena, KEYWORDS_MAX * sizeof *target->values);
	for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
		if (option->val != NULL && count < KEYWORDS_MAX - DEFAULT_COUNT - 5)
			(void)put(target, &count, arena_copy(arena, option->keyword),
				  arena_copy(arena, option->val));
	}
	for (size_t i = 0; i < DEFAULT_COUNT; i++)
		(void)put(target, &count, defaults[i].name, defaults[i].value);
	/* Ours beats the URL's: texts are checked and hashed as UTF-8. */
	target->values[put(target, &count, "client_encoding", "UTF8")] = "UTF8";
	target->host_at = put(target, &count, "host", NULL);
	target->hostaddr_at = put(target, &count, "hostaddr", NULL);
	target->port_at = put(target, &count, "port", NULL);
}

bool postgres_url_parse(const char *url, struct postgres_target *ret_target, struct err *e)
{
	struct postgres_target target = { .connect_ns = connect_default_ns };
	PQconninfoOption *options = parse(url, e);
	size_t host_count = 0;
	size_t address_count = 0;
	size_t port_count = 0;
	int64_t seconds = 0;

	if (options == NULL)
		return false;
	take_options(&target, options);

	const char *timeout = value_of(options, "connect_timeout");
	const char *session = value_of(options, "options");

	if (timeout != NULL && units_parse_count(timeout, &seconds, NULL) && seconds > 0)
		target.connect_ns = (seconds < 60 ? seconds : 60) * NS_PER_S;
	target.has_search_path = session != NULL && strstr(session, "search_path") != NULL;
	target.hosts = list_of(&target.arena, value_of(options, "host"), &host_count);
	target.hostaddrs = list_of(&target.arena, value_of(options, "hostaddr"), &address_count);
	target.ports = list_of(&target.arena, value_of(options, "port"), &port_count);
	PQconninfoFree(options);
	target.place_count = host_count > address_count ? host_count : address_count;
	if (target.place_count == 0)
		target.place_count = 1; /* libpq's default, or a service file says where */
	if (target.place_count > PLACES_MAX || port_count > target.place_count) {
		postgres_target_release(&target);
		return err_set(e, ERR_INPUT,
			       "open the store: its URL names more than %d hosts, or more ports "
			       "than hosts",
			       (int)PLACES_MAX);
	}
	/* One port stands for all hosts, as libpq has it. */
	for (size_t i = 1; port_count == 1 && i < target.place_count; i++)
		target.ports[i] = target.ports[0];
	*ret_target = target;
	return true;
}

void postgres_target_release(struct postgres_target *target)
{
	arena_release(&target->arena);
}
