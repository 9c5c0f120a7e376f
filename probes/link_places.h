/*
 * link_places.h - the places of a service as addresses, looked up once; for links.c alone.
 */
#ifndef PROBES_LINK_PLACES_H
#define PROBES_LINK_PLACES_H

#include "base/mem.h"
#include "probes/links.h"

struct link_places {
	struct arena arena;
	struct link_place places[LINK_PLACES_MAX];
	size_t count;
};

bool link_places_init(const struct links_want *want, struct link_places *places, struct err *e);
void link_places_release(struct link_places *places); /* half built is fine */

#endif
