/*
 * http_url.h - URLs whose host is a name of the inventory.
 */
#ifndef PROBES_HTTP_URL_H
#define PROBES_HTTP_URL_H

#include "base/mem.h"
#include "model/inventory.h"

#include <stdbool.h>

/* "http://..." or "https://..." with a host. */
bool http_url_is_valid(const char *url);

/*
 * Writes the URL to ask for, with an inventory name replaced by its address, and into ret_host what
 * the header Host must then say ("" when nothing was replaced). An https URL stays as it is: its
 * certificate is verified against the name.
 */
void http_url_resolve(const struct inventory *inventory, const char *url, struct text *ret_url,
		      struct text *ret_host);

/* Adds a value of a query, all but letters, digits and - . _ ~ as %XX. */
void http_url_encode(const char *value, struct text *text);

#endif
