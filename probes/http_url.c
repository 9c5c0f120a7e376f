/*
 * http_url.c - see http_url.h.
 */
#include "probes/http_url.h"
#include "probes/socket.h"

#include <string.h>

static const char *const plain_scheme = "http://";
static const char *const secure_scheme = "https://";

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

bool http_url_is_valid(const char *url)
{
	const char *rest = starts_with(url, plain_scheme)    ? url + strlen(plain_scheme)
			   : starts_with(url, secure_scheme) ? url + strlen(secure_scheme)
							     : "";

	return rest[0] != '\0' && strchr("/?#:", rest[0]) == NULL;
}

void http_url_resolve(const struct inventory *inventory, const char *url, struct text *ret_url,
		      struct text *ret_host)
{
	struct text name = { 0 };

	if (starts_with(url, plain_scheme)) {
		const char *authority = url + strlen(plain_scheme);
		const size_t name_bytes = strcspn(authority, ":/?#@");
		const size_t authority_bytes = strcspn(authority, "/?#");

		text_add_bytes(&name, authority, name_bytes);

		const char *address = socket_address_of(inventory, text_str(&name));

		/* socket_address_of gives back the very name when the inventory does not have it.
		 */
		if (address != text_str(&name) && authority[name_bytes] != '@') {
			const bool is_ipv6 = strchr(address, ':') != NULL;

			text_addf(ret_url, "%s%s%s%s%s", plain_scheme, is_ipv6 ? "[" : "", address,
				  is_ipv6 ? "]" : "", authority + name_bytes);
			text_add_bytes(ret_host, authority, authority_bytes);
			text_release(&name);
			return;
		}
	}
	text_add(ret_url, url);
	text_release(&name);
}

void http_url_encode(const char *value, struct text *text)
{
	for (; *value != '\0'; value++) {
		if ((*value >= 'a' && *value <= 'z') || (*value >= 'A' && *value <= 'Z') ||
		    (*value >= '0' && *value <= '9') || strchr("-._~", *value) != NULL)
			text_add_bytes(text, value, 1);
		else
			text_addf(text, "%%%02X", (unsigned char)*value);
	}
}
