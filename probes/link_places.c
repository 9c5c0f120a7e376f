/*
 * link_places.c - see link_places.h. DNS is not what a ledger measures, so names are looked up when
 * the probe opens, the inventory's first.
 */
#include "probes/link_places.h"
#include "base/units.h"
#include "probes/socket.h"

#include <assert.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

enum { PORT_TEXT_BYTES = 8 };

/* "name", "name:port", "[v6]", "[v6]:port", and a bare v6 address. False: it cannot be read. */
static bool split(const char *place, struct text *ret_name, const char **ret_port)
{
	const char *first_colon = strchr(place, ':');
	const char *end = place + strlen(place);

	*ret_port = NULL;
	if (place[0] == '[') {
		end = strchr(place++, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return false;
		*ret_port = end[1] == ':' ? end + 2 : NULL;
	} else if (first_colon != NULL && strchr(first_colon + 1, ':') == NULL) {
		end = first_colon;
		*ret_port = end + 1;
	}
	text_add_bytes(ret_name, place, (size_t)(end - place));
	return end != place;
}

static bool read_place(const char *place, struct text *ret_name, int64_t *port, struct err *e)
{
	const char *port_text;

	if (!split(place, ret_name, &port_text))
		return err_set(e, ERR_INPUT, "`%s` is no address; write NAME or NAME:PORT", place);
	if (port_text != NULL && (!units_parse_count(port_text, port, NULL) || *port < 1 ||
				  *port > UINT16_MAX))
		return err_set(e, ERR_INPUT, "`%s`: the port must be a number from 1 to 65535",
			       place);
	return true;
}

bool links_check(const char *const *places, size_t place_count, struct err *e)
{
	bool ok = true;

	for (size_t i = 0; i < place_count && ok; i++) {
		struct text name = { 0 };
		int64_t port = 0;

		ok = read_place(places[i], &name, &port, e);
		text_release(&name);
	}
	return ok;
}

static bool add_addresses(const struct addrinfo *list, const char *name, uint16_t port,
			  struct link_places *places, struct err *e)
{
	for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
		struct link_place *place = &places->places[places->count];

		if (places->count == LINK_PLACES_MAX)
			return err_set(e, ERR_LIMIT, "more than %d addresses to try",
				       LINK_PLACES_MAX);
		assert(at->ai_addrlen <= sizeof place->socket_address);
		*place = (struct link_place){ .name = arena_copy(&places->arena, name),
					      .port = port,
					      .socket_address_bytes = at->ai_addrlen };
		memcpy(&place->socket_address, at->ai_addr, at->ai_addrlen);
		if (getnameinfo(at->ai_addr, at->ai_addrlen, place->address,
				sizeof place->address, NULL, 0, NI_NUMERICHOST) != 0)
			return err_set(e, ERR_REMOTE, "look up %s: an address that cannot be read",
				       name);
		places->count++;
	}
	return true;
}

static bool add_place(const struct links_want *want, const char *place,
		      struct link_places *places, struct err *e)
{
	char port_text[PORT_TEXT_BYTES];
	struct addrinfo *list = NULL;
	struct text name = { 0 };
	int64_t port = want->port;
	bool ok = read_place(place, &name, &port, e);

	(void)snprintf(port_text, sizeof port_text, "%u", (unsigned)(uint16_t)port);
	ok = ok && socket_look_up(want->inventory, text_str(&name), port_text, &list, e) &&
	     add_addresses(list, place, (uint16_t)port, places, e);
	if (list != NULL)
		freeaddrinfo(list);
	text_release(&name);
	return ok;
}

bool link_places_init(const struct links_want *want, struct link_places *places, struct err *e)
{
	assert(want->place_count > 0);
	for (size_t i = 0; i < want->place_count; i++) {
		if (!add_place(want, want->places[i], places, e))
			return false;
	}
	return true;
}

void link_places_release(struct link_places *places)
{
	arena_release(&places->arena);
}
