/*
 * webhook.c - channel "webhook": a POST to any server, signed if there is a key. For ticket systems,
 * pipelines and programs of one's own; the body is documented JSON or what a template says.
 *
 * The signature is an HMAC of the time and the body, so that neither can be changed, nor an old request
 * sent again later: docs/notifications.md says how a receiver checks it.
 */
#include "notify/channel.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "notify/template.h"

enum { WEBHOOK_FORMAT_VERSION = 1 };

static const struct param webhook_params[] = {
	{ "url", PARAM_TEXT, .is_required = true, .is_secret = true,
	  .help = "where it is posted to; whoever knows it may post as well" },
	{ "key", PARAM_TEXT, .is_secret = true,
	  .help = "signs each request: HMAC-SHA-256 in Firedrill-Signature" },
	{ "template", PARAM_TEXT, .help = "the body, with {{names}}; else the documented JSON" },
	{ "content_type", PARAM_CHOICE,
	  .choices = "application/json|application/x-www-form-urlencoded|text/plain",
	  .fallback = "application/json", .help = "of the body; decides how values are escaped" },
	{ "headers", PARAM_MAP, .help = "more headers; values may be secrets" },
	{ 0 },
};

static enum template_escape escape_of(const struct params *params)
{
	const char *type = params_text(params, "content_type");

	if (type == NULL || strcmp(type, "application/json") == 0)
		return TEMPLATE_JSON;
	return strcmp(type, "text/plain") == 0 ? TEMPLATE_PLAIN : TEMPLATE_FORM;
}

/* A header whose name or value holds a line end would be two. */
static bool check_headers(const struct param_value *headers, struct err *e)
{
	enum { OWN_HEADERS = 6 };

	if (headers->pair_count > LETTER_HEADERS - OWN_HEADERS)
		return err_set(e, ERR_INPUT, "`headers` has %zu; the most is %d",
			       headers->pair_count, LETTER_HEADERS - OWN_HEADERS);
	for (size_t i = 0; i < headers->pair_count; i++) {
		const struct pair *header = &headers->pairs[i];
		const char *name = header->name;

		if (*name == '\0' || name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
						       "UVWXYZ0123456789-_")] != '\0')
			return err_set(e, ERR_INPUT, "`headers`: `%s` cannot name a header; use "
				       "letters, digits and `-`", name);
		if (header->value != NULL && strpbrk(header->value, "\r\n") != NULL)
			return err_set(e, ERR_INPUT, "`headers`: the value of `%s` has a line end", name);
	}
	return true;
}

static bool webhook_check(const struct params *params, bool has_secrets, const char **ret_row,
			  struct err *e)
{
	const char *source = params_text(params, "template");

	if (!channel_check_url(params, "url", has_secrets, ret_row, e))
		return false;
	*ret_row = "template";
	if (source != NULL && !template_check(source, escape_of(params), e))
		return err_wrap(e, "`template`");
	*ret_row = "headers";
	return check_headers(params_find(params, "headers"), e);
}

static void put_body(const struct occasion *occasion, struct text *body)
{
	struct json *root = json_object();

	json_put_int(root, "format", WEBHOOK_FORMAT_VERSION);
	json_put_text(root, "id", occasion->message_id);
	happening_put(root, occasion->happening);
	json_print(root, false, body);
	json_release(root);
}

static void sign(const char *key, const char *timestamp, const struct text *body,
		 struct arena *arena, struct letter *letter)
{
	char signature[HASH_TEXT_BYTES];
	struct text signed_text = { 0 };

	text_addf(&signed_text, "%s.", timestamp);
	text_add_bytes(&signed_text, text_str(body), body->length_bytes);
	hash_hmac(key, text_str(&signed_text), signed_text.length_bytes, signature);
	letter_add_header(letter, "Firedrill-Signature", arena_format(arena, "v1=%s", signature));
	text_release(&signed_text);
}

static void webhook_compose(const struct occasion *occasion, struct arena *arena,
			    struct letter *ret_letter)
{
	const struct params *params = &occasion->channel->params;
	const struct param_value *headers = params_find(params, "headers");
	const char *source = params_text(params, "template");
	const char *key = params_text(params, "key");
	const char *timestamp = arena_format(arena, "%" PRId64, occasion->wall_ns / NS_PER_S);
	struct text body = { 0 };

	if (source != NULL)
		template_fill(source, escape_of(params), occasion->happening, occasion->message_id,
			      &body);
	else
		put_body(occasion, &body);
	*ret_letter = (struct letter){ .way = LETTER_HTTP, .url = params_text(params, "url") };
	letter_add_header(ret_letter, "Content-Type", params_text(params, "content_type"));
	letter_add_header(ret_letter, "Idempotency-Key", occasion->message_id);
	letter_add_header(ret_letter, "Firedrill-Event",
			  happening_name(occasion->happening->kinds));
	letter_add_header(ret_letter, "Firedrill-Timestamp", timestamp);
	if (key != NULL)
		sign(key, timestamp, &body, arena, ret_letter);
	for (size_t i = 0; headers->is_set && i < headers->pair_count; i++)
		letter_add_header(ret_letter, headers->pairs[i].name, headers->pairs[i].value);
	ret_letter->body = arena_copy(arena, text_str(&body));
	text_release(&body);
}

const struct channel_ops channel_webhook = {
	.name = "webhook",
	.summary = "a signed POST to any server: documented JSON, or a template of yours",
	.params = webhook_params,
	.check = webhook_check,
	.compose = webhook_compose,
};
