/*
 * http_status.h - what probes over HTTP share: words for status codes, and failures as stable texts.
 */
#ifndef PROBES_HTTP_STATUS_H
#define PROBES_HTTP_STATUS_H

#include "base/err.h"
#include "model/param.h"
#include "probes/probe.h"
#include "remote/http.h"

/* "204", or "2xx" for all of a hundred. */
bool http_status_is_word(const char *word);

/* Whether one of the words (a PARAM_LIST) means this status. */
bool http_status_is_one_of(long status, const struct param_value *expected);

/*
 * One question of a probe, on a connection cache that is made with the first one. False: no answer came;
 * the result's state and e say why ("get: connection refused").
 */
bool http_attempt(struct http **owned_http, const struct attempt *attempt,
		  const struct http_request *request, const char *verb, struct http_reply *ret_reply,
		  struct attempt_result *result, struct err *e);

/* "get: connection refused", the same text for the same failure of http_send. */
void http_say_failure(const char *verb, const struct err *failure, struct err *e);

#endif
