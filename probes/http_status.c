/*
 * http_status.c - see http_status.h.
 */
#include "probes/http_status.h"
#include "base/mem.h"
#include "probes/stable.h"

#include <stdio.h>
#include <string.h>

/* "200", or "2xx" for all of a hundred. */
bool http_status_is_word(const char *word)
{
	if (strlen(word) != 3 || word[0] < '1' || word[0] > '5')
		return false;
	return strcmp(word + 1, "xx") == 0 ||
	       (word[1] >= '0' && word[1] <= '9' && word[2] >= '0' && word[2] <= '9');
}

bool http_status_is_one_of(long status, const struct param_value *expected)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%ld", status);
	for (size_t i = 0; i < expected->item_count; i++) {
		const char *word = expected->items[i];

		if (strcmp(word, text) == 0 || (word[0] == text[0] && strcmp(word + 1, "xx") == 0))
			return true;
	}
	return false;
}

/* libcurl says how many milliseconds it took, which would make each failure a kind of its own. */
void http_say_failure(const char *verb, const struct err *failure, struct err *e)
{
	const char *url_end = strstr(failure->text, ": ");
	const char *words = url_end == NULL ? failure->text : url_end + 2;
	const char *after = strstr(words, " after ");
	struct text text = { 0 };
	char reason[STABLE_TEXT_BYTES];

	if (failure->kind == ERR_DEADLINE) {
		err_set(e, failure->kind, "%s: no answer in time", verb);
		return;
	}
	if (after == NULL) {
		text_add(&text, words);
	} else {
		const char *number = after + strlen(" after ");
		const char *unit = number + strspn(number, "0123456789");

		text_add_bytes(&text, words, (size_t)(after - words));
		text_add(&text, strncmp(unit, " ms", 3) == 0 ? unit + 3 : after);
	}
	err_set(e, failure->kind, "%s: %s", verb, stable_text(text_str(&text), reason));
	text_release(&text);
}

bool http_attempt(struct http **owned_http, const struct attempt *attempt,
		  const struct http_request *request, const char *verb, struct http_reply *ret_reply,
		  struct attempt_result *result, struct err *e)
{
	struct err failure = { 0 };

	result->state = SAMPLE_SKIPPED; /* nothing to start with: our shortage */
	if (*owned_http == NULL && !http_open(attempt->clock, owned_http, e))
		return false;
	if (http_send(*owned_http, request, ret_reply, &failure))
		return true;
	if (failure.kind != ERR_LIMIT)
		result->state = SAMPLE_BAD;
	http_say_failure(verb, &failure, e);
	return false;
}
