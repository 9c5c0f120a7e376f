/*
 * postgres_places.c - see postgres_places.h.
 */
#include "probes/postgres_places.h"
#include "base/clock.h"
#include "base/units.h"
#include "probes/socket.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

enum {
	KEYWORDS_MAX = 96,
	HOSTS_MAX = 16,
	HOST_INDEX = 0, /* "host" is the first keyword of every place */
};

static const char *const port_default = "5432";

/* Set when the user did not. A partition must not hang a connection for a quarter of an hour, and
   a look at Kerberos tickets may ask the DNS while the clock runs. */
static const struct pair libpq_defaults[] = {
	{ "keepalives_idle", "1" },	{ "keepalives_interval", "1" }, { "keepalives_count", "3" },
	{ "tcp_user_timeout", "5000" }, { "gssencmode", "disable" },
};

/* The user's options, by name. */
struct options {
	const char *keywords[KEYWORDS_MAX];
	const char *values[KEYWORDS_MAX];
	size_t count;
};

static const char *option_get(const struct options *options, const char *keyword)
{
	for (size_t i = 0; i < options->count; i++) {
		if (strcmp(options->keywords[i], keyword) == 0)
			return options->values[i];
	}
	return NULL;
}

static size_t option_put(struct options *options, const char *keyword, const char *value)
{
	for (size_t i = 0; i < options->count; i++) {
		if (strcmp(options->keywords[i], keyword) == 0) {
			options->values[i] = value;
			return i;
		}
	}
	assert(options->count < KEYWORDS_MAX - 1);
	options->keywords[options->count] = keyword;
	options->values[options->count] = value;
	return options->count++;
}

static bool refuse_conninfo(const char *service_name, struct err *e)
{
	/* libpq's own words may repeat a part of the text, and that part may be the password. */
	return err_set(e, ERR_INPUT,
		       "read conninfo%s%s: libpq does not understand it; write for example "
		       "\"host=db1,db2 port=5432 dbname=orders user=app\"",
		       service_name == NULL ? "" : " of ",
		       service_name == NULL ? "" : service_name);
}

bool postgres_conninfo_check(const char *conninfo, const char *service_name, struct err *e)
{
	PQconninfoOption *parsed = PQconninfoParse(conninfo, NULL);

	if (parsed == NULL)
		return refuse_conninfo(service_name, e);
	PQconninfoFree(parsed);
	return true;
}

static bool read_options(const char *conninfo, struct arena *arena, struct options *options,
			 struct err *e)
{
	PQconninfoOption *parsed = PQconninfoParse(conninfo, NULL);

	if (parsed == NULL)
		return refuse_conninfo(NULL, e);
	for (const PQconninfoOption *option = parsed; option->keyword != NULL; option++) {
		if (option->val != NULL && option->val[0] != '\0')
			(void)option_put(options, arena_copy(arena, option->keyword),
					 arena_copy(arena, option->val));
	}
	PQconninfoFree(parsed);
	return true;
}

/* "a,b,,c" into up to HOSTS_MAX texts, empty ones kept. Returns how many, 0 for NULL. */
static size_t split(struct arena *arena, const char *list, const char *ret_items[HOSTS_MAX])
{
	size_t count = 0;

	while (list != NULL && count < HOSTS_MAX) {
		const char *comma = strchr(list, ',');
		const size_t length_bytes = comma == NULL ? strlen(list) : (size_t)(comma - list);

		ret_items[count++] = arena_copy_bytes(arena, list, length_bytes);
		list = comma == NULL ? NULL : comma + 1;
	}
	return count;
}

struct host_lists {
	const char *names[HOSTS_MAX];
	const char *addresses[HOSTS_MAX];
	const char *ports[HOSTS_MAX];
	size_t name_count;
	size_t address_count;
	size_t port_count;
};

static const char *port_of(const struct host_lists *lists, size_t index)
{
	const char *port = NULL;

	if (lists->port_count == 1)
		port = lists->ports[0];
	else if (index < lists->port_count)
		port = lists->ports[index];
	return port == NULL || port[0] == '\0' ? NULL : port;
}

/* The port of one member asked directly: as conninfo has it for this host, else its label. */
static const char *member_port(const struct host_lists *lists, const struct host *member)
{
	const char *label = host_label(member, "postgres_port");

	for (size_t i = 0; i < lists->name_count || i < lists->address_count; i++) {
		const char *name = i < lists->name_count ? lists->names[i] : "";
		const char *address = i < lists->address_count ? lists->addresses[i] : "";
		const char *own = member->address == NULL ? "127.0.0.1" : member->address;

		if (strcmp(name, member->name) == 0 || strcmp(name, own) == 0 ||
		    strcmp(address, own) == 0)
			return port_of(lists, i) == NULL ? port_default : port_of(lists, i);
	}
	return label == NULL ? port_default : label;
}

/* Adds one place; NULL host, address or port: as libpq takes it by itself. */
static bool add_place(struct postgres_places *places, const struct options *options,
		      const char *host, const char *address, const char *port, struct err *e)
{
	struct arena *arena = &places->arena;
	struct postgres_place *place = &places->places[places->count];
	struct options own = *options;

	if (places->count == POSTGRES_PLACES_MAX)
		return err_set(e, ERR_LIMIT, "read conninfo: more than %d addresses to connect to",
			       POSTGRES_PLACES_MAX);
	(void)option_put(&own, "host", host);
	(void)option_put(&own, "hostaddr", address);
	(void)option_put(&own, "port", port);
	places->attrs_index =
		option_put(&own, "target_session_attrs", option_get(&own, "target_session_attrs"));

	place->name = host != NULL ? host : address != NULL ? address : "the server";
	place->keywords = arena_alloc(arena, (own.count + 1) * sizeof *place->keywords);
	place->values = arena_alloc(arena, (own.count + 1) * sizeof *place->values);
	memcpy(place->keywords, own.keywords, own.count * sizeof *place->keywords);
	memcpy(place->values, own.values, own.count * sizeof *place->values);
	places->count++;
	return true;
}

/* A host that has a name only: one place for each of its addresses. */
static bool add_named(const struct postgres_want *want, struct postgres_places *places,
		      const struct options *options, const char *host, const char *port,
		      struct err *e)
{
	struct addrinfo *list = NULL;
	bool ok = true;

	if (!socket_look_up(want->inventory, host, port == NULL ? port_default : port, &list, e))
		return false;
	for (const struct addrinfo *addr = list; ok && addr != NULL; addr = addr->ai_next) {
		char numeric[NI_MAXHOST];

		if (getnameinfo(addr->ai_addr, addr->ai_addrlen, numeric, sizeof numeric, NULL, 0,
				NI_NUMERICHOST) != 0)
			continue;
		ok = add_place(places, options, host, arena_copy(&places->arena, numeric), port, e);
	}
	freeaddrinfo(list);
	return ok;
}

/* One member alone. Its name stays the host, so that its certificate is verified against it. */
static bool add_member(const struct host *member, const struct host_lists *lists,
		       const struct options *options, struct postgres_places *places, struct err *e)
{
	const struct postgres_want by_number = { .inventory = NULL };
	const bool is_here = member->is_local || member->address == NULL;

	if (!add_named(&by_number, places, options, is_here ? "127.0.0.1" : member->address,
		       member_port(lists, member), e))
		return false;
	for (size_t i = 0; i < places->count; i++) {
		assert(strcmp(places->places[i].keywords[HOST_INDEX], "host") == 0);
		places->places[i].name = member->name;
		places->places[i].values[HOST_INDEX] = member->name;
	}
	return true;
}

static const char *item_of(const char *const *items, size_t count, size_t index)
{
	return index < count && items[index][0] != '\0' ? items[index] : NULL;
}

static bool add_places(const struct postgres_want *want, const struct options *options,
		       struct postgres_places *places, struct err *e)
{
	struct host_lists lists = { 0 };

	lists.name_count = split(&places->arena, option_get(options, "host"), lists.names);
	lists.address_count =
		split(&places->arena, option_get(options, "hostaddr"), lists.addresses);
	lists.port_count = split(&places->arena, option_get(options, "port"), lists.ports);
	if (want->member != NULL)
		return add_member(want->member, &lists, options, places, e);

	const size_t count =
		lists.name_count > lists.address_count ? lists.name_count : lists.address_count;

	/* No host at all: libpq's own default, an environment variable or a service file. */
	if (count == 0)
		return add_place(places, options, NULL, NULL, option_get(options, "port"), e);
	for (size_t i = 0; i < count; i++) {
		const char *name = item_of(lists.names, lists.name_count, i);
		const char *address = item_of(lists.addresses, lists.address_count, i);
		const bool is_socket = name != NULL && (name[0] == '/' || name[0] == '@');
		const bool is_found = address != NULL || is_socket || name == NULL;

		if (is_found && !add_place(places, options, name, address, port_of(&lists, i), e))
			return false;
		if (!is_found && !add_named(want, places, options, name, port_of(&lists, i), e))
			return false;
	}
	return true;
}

/* What libpq must know besides what the user wrote. */
static void complete_options(const struct postgres_want *want, struct arena *arena,
			     struct options *options)
{
	for (size_t i = 0; i < sizeof libpq_defaults / sizeof libpq_defaults[0]; i++) {
		if (option_get(options, libpq_defaults[i].name) == NULL)
			(void)option_put(options, libpq_defaults[i].name, libpq_defaults[i].value);
	}
	if (want->session_attrs != NULL)
		(void)option_put(options, "target_session_attrs", want->session_attrs);
	if (want->run_id != NULL && option_get(options, "application_name") == NULL)
		(void)option_put(options, "application_name",
				 arena_format(arena, "firedrill-%s", want->run_id));
}

bool postgres_places_init(const struct postgres_want *want, struct postgres_places *places,
			  struct err *e)
{
	struct options options = { 0 };
	int64_t timeout_s = 0;

	assert(want->conninfo != NULL);

	*places = (struct postgres_places){ 0 };
	(void)option_put(&options, "host", NULL); /* takes HOST_INDEX */
	if (!read_options(want->conninfo, &places->arena, &options, e))
		return false;
	complete_options(want, &places->arena, &options);

	const char *timeout = option_get(&options, "connect_timeout");
	const char *attrs = option_get(&options, "target_session_attrs");

	if (timeout != NULL && units_parse_count(timeout, &timeout_s, NULL) && timeout_s > 0 &&
	    timeout_s < 3600)
		places->try_at_most_ns = timeout_s * NS_PER_S;
	places->is_standby_preferred = attrs != NULL && strcmp(attrs, "prefer-standby") == 0;
	return add_places(want, &options, places, e);
}

void postgres_places_release(struct postgres_places *places)
{
	arena_release(&places->arena);
	places->count = 0;
}
