/*
 * grafana.c - channel "grafana": an annotation on the graphs, by Grafana's HTTP API.
 *
 * A harm is a region from its inject to its heal, at the moments that the journal has, so it does not
 * matter when it is sent; everything else is a point. Grafana gives an annotation its number and knows no
 * key of ours: an answer that was lost makes a second one.
 */
#include "notify/channel.h"

#include <string.h>

#include "base/clock.h"

enum { TAG_BYTES = 100 }; /* the columns of Grafana's tags are no wider */

static const struct param grafana_params[] = {
	{ "url", PARAM_TEXT, .is_required = true, .help = "of Grafana: https://grafana.example.net" },
	{ "token", PARAM_TEXT, .is_required = true, .is_secret = true,
	  .help = "of a service account that may write annotations" },
	{ "dashboard", PARAM_TEXT,
	  .help = "UID of the dashboard that they are for; else all that ask for their tags" },
	{ 0 },
};

static bool grafana_check(const struct params *params, bool has_secrets, const char **ret_row,
			  struct err *e)
{
	const char *token = params_text(params, "token");

	if (!channel_check_url(params, "url", has_secrets, ret_row, e))
		return false;
	*ret_row = "token";
	if (has_secrets && token != NULL && (*token == '\0' || strpbrk(token, " \t\r\n") != NULL))
		return err_set(e, ERR_INPUT, "`token` is empty or has a blank or a line end in it");
	return true;
}

/* Grafana shows a text as HTML. */
static void add_escaped(struct text *text, const char *raw)
{
	for (; *raw != '\0'; raw++) {
		if (*raw == '&')
			text_add(text, "&amp;");
		else if (*raw == '<')
			text_add(text, "&lt;");
		else if (*raw == '>')
			text_add(text, "&gt;");
		else
			text_add_bytes(text, raw, 1);
	}
}

/* "service:orders-db", cut between characters: one that is too wide would fail for a day. */
static void push_tag(struct json *tags, const char *key, const char *value)
{
	struct text tag = { 0 };
	struct text cut = { 0 };

	if (value == NULL)
		return;
	text_addf(&tag, "%s%s", key, value);
	text_add_bytes(&cut, text_str(&tag), channel_fit(text_str(&tag), TAG_BYTES));
	json_push_text(tags, text_str(&cut));
	text_release(&tag);
	text_release(&cut);
}

static const struct told_harm *harm_of(const struct happening *happening)
{
	return happening->harm_count == 1 ? &happening->harms[0] : NULL;
}

static void add_words(const struct happening *happening, struct text *text)
{
	const struct told_harm *harm = harm_of(happening);

	if (harm != NULL)
		text_addf(text, "%s on %s%s\n", harm->fault, harm->hosts,
			  harm->is_healed ? "" : ", not healed");
	happening_title(happening, text);
	text_addf(text, "\n%s\n", happening->sentence);
	channel_add_facts(happening, text);
	if (happening->untold_harm_count > 0)
		text_addf(text, "%lld more harms of this set are not shown\n",
			  (long long)happening->untold_harm_count);
	text_addf(text, "%s", happening->run_id);
}

/* In milliseconds. The region holds the harm: its beginning is rounded down and its end up. */
static void put_times(struct json *root, const struct happening *happening)
{
	const struct told_harm *harm = harm_of(happening);

	if (harm == NULL) {
		json_put_int(root, "time", happening->wall_ns / NS_PER_MS);
		return;
	}
	json_put_int(root, "time", harm->from_wall_ns / NS_PER_MS);
	json_put_int(root, "timeEnd", (harm->until_wall_ns + NS_PER_MS - 1) / NS_PER_MS);
}

static void put_tags(struct json *root, const struct happening *happening)
{
	const struct told_harm *harm = harm_of(happening);
	struct json *tags = json_put_array(root, "tags");

	push_tag(tags, "", "firedrill");
	push_tag(tags, "", harm == NULL ? happening_name(happening->kinds) : "harm");
	push_tag(tags, "service:", happening->service);
	push_tag(tags, "environment:", happening->environment);
	push_tag(tags, "fault:", harm == NULL ? NULL : harm->fault);
	push_tag(tags, "verdict:", harm == NULL ? NULL : happening->verdict);
}

static const char *api_of(const char *url, struct arena *arena)
{
	size_t length = strlen(url);

	while (length > 0 && url[length - 1] == '/')
		length--;
	return arena_format(arena, "%.*s/api/annotations", (int)length, url);
}

static void grafana_compose(const struct occasion *occasion, struct arena *arena,
			    struct letter *ret_letter)
{
	const struct params *params = &occasion->channel->params;
	const char *dashboard = params_text(params, "dashboard");
	struct json *root = json_object();
	struct text words = { 0 };
	struct text escaped = { 0 };
	struct text body = { 0 };

	if (dashboard != NULL)
		json_put_text(root, "dashboardUID", dashboard);
	put_times(root, occasion->happening);
	put_tags(root, occasion->happening);
	add_words(occasion->happening, &words);
	add_escaped(&escaped, text_str(&words));
	json_put_text(root, "text", text_str(&escaped));
	json_print(root, false, &body);
	*ret_letter = (struct letter){ .way = LETTER_HTTP,
				       .url = api_of(params_text(params, "url"), arena),
				       .body = arena_copy(arena, text_str(&body)) };
	letter_add_header(ret_letter, "Content-Type", "application/json");
	letter_add_header(ret_letter, "Authorization",
			  arena_format(arena, "Bearer %s", params_text(params, "token")));
	json_release(root);
	text_release(&words);
	text_release(&escaped);
	text_release(&body);
}

const struct channel_ops channel_grafana = {
	.name = "grafana",
	.summary = "annotations on the graphs of Grafana: each harm, from inject to heal",
	.params = grafana_params,
	.tells_harms = true,
	.check = grafana_check,
	.compose = grafana_compose,
};
