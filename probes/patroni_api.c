/*
 * patroni_api.c - see patroni_api.h.
 */
#include "probes/patroni_api.h"
#include "remote/http.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct patroni_api {
	struct http *owned_http; /* NULL: none yet */
	struct text url;
};

struct patroni_api *patroni_api_open(const struct service *service, const struct host *member)
{
	const char *address = member->address == NULL ? "127.0.0.1" : member->address;
	const bool is_v6 = strchr(address, ':') != NULL;
	struct patroni_api *api = mem_alloc(sizeof *api);

	assert(service->patroni_port != 0);
	text_addf(&api->url, "http://%s%s%s:%u", is_v6 ? "[" : "", address, is_v6 ? "]" : "",
		  (unsigned)service->patroni_port);
	return api;
}

void patroni_api_close(struct patroni_api *api)
{
	if (api == NULL)
		return;
	http_close(api->owned_http);
	text_release(&api->url);
	free(api);
}

const char *patroni_api_url(const struct patroni_api *api)
{
	return text_str(&api->url);
}

bool patroni_api_ask(struct patroni_api *api, const struct clock *clock, int64_t deadline_ns,
		     const char *path, struct json **ret_root, struct err *e)
{
	struct text url = { 0 };
	struct http_request request = { .deadline_ns = deadline_ns };
	struct http_reply reply = { 0 };
	bool ok = api->owned_http != NULL || http_open(clock, &api->owned_http, e);

	text_addf(&url, "%s%s", text_str(&api->url), path);
	request.url = text_str(&url);
	ok = ok && http_send(api->owned_http, &request, &reply, e);
	if (ok && reply.status != 200)
		ok = err_set(e, ERR_REMOTE, "%s answered with status %ld", text_str(&url),
			     reply.status);
	if (ok && !json_parse(text_str(&reply.body), reply.body.length_bytes, ret_root, e))
		ok = err_wrap(e, "read %s", text_str(&url));
	http_reply_release(&reply);
	text_release(&url);
	return ok;
}
