/*
 * slack.c - channel "slack": an incoming webhook as Slack, Mattermost and Rocket.Chat have it.
 *
 * Foreign text cannot format, link or call people together: &, < and > are escaped as Slack wants it,
 * and behind an @ stands a space of no width, for those that read @channel without brackets.
 */
#include "notify/channel.h"

#include <string.h>

#include "base/clock.h"

enum { SLACK_TEXT_BYTES = 3000 }; /* more is cut by Slack, in the middle of an escape */

static const struct param slack_params[] = {
	{ "url", PARAM_TEXT, .is_required = true, .is_secret = true,
	  .help = "the incoming webhook; whoever knows it can post" },
	{ 0 },
};

static bool slack_check(const struct params *params, bool has_secrets, const char **ret_row,
			struct err *e)
{
	return channel_check_url(params, "url", has_secrets, ret_row, e);
}

static void escape_mrkdwn(struct text *text, const char *raw)
{
	const size_t length = channel_fit(raw, SLACK_TEXT_BYTES);

	for (size_t i = 0; i < length; i++) {
		switch (raw[i]) {
		case '&':
			text_add(text, "&amp;");
			break;
		case '<':
			text_add(text, "&lt;");
			break;
		case '>':
			text_add(text, "&gt;");
			break;
		case '@':
			text_add(text, "@\u200b");
			break;
		default:
			text_add_bytes(text, &raw[i], 1);
			break;
		}
	}
	if (raw[length] != '\0')
		text_add(text, " ...");
}

static const char *colour_of(enum weight weight)
{
	switch (weight) {
	case WEIGHT_INFO:
		break;
	case WEIGHT_GOOD:
		return "#2e7d32";
	case WEIGHT_WARNING:
		return "#f9a825";
	case WEIGHT_BAD:
		return "#c62828";
	case WEIGHT_WORST:
		return "#7b1fa2";
	}
	return "#607d8b";
}

static void put_escaped(struct json *object, const char *key, const char *raw)
{
	struct text text = { 0 };

	escape_mrkdwn(&text, raw);
	json_put_text(object, key, text_str(&text));
	text_release(&text);
}

static void slack_compose(const struct occasion *occasion, struct arena *arena,
			  struct letter *ret_letter)
{
	const struct happening *happening = occasion->happening;
	struct json *root = json_object();
	struct json *attachment = json_push_object(json_put_array(root, "attachments"));
	struct text title = { 0 };
	struct text facts = { 0 };
	struct text body = { 0 };

	happening_title(happening, &title);
	text_addf(&facts, "%s\n", happening->sentence);
	channel_add_facts(happening, &facts);
	put_escaped(root, "text", text_str(&title));
	put_escaped(attachment, "fallback", happening->sentence);
	json_put_text(attachment, "color", colour_of(happening_weight(happening)));
	put_escaped(attachment, "text", text_str(&facts));
	put_escaped(attachment, "footer", happening->run_id);
	json_put_int(attachment, "ts", happening->wall_ns / NS_PER_S);
	json_print(root, false, &body);
	*ret_letter = (struct letter){
		.way = LETTER_HTTP,
		.url = params_text(&occasion->channel->params, "url"),
		.body = arena_copy(arena, text_str(&body)),
	};
	letter_add_header(ret_letter, "Content-Type", "application/json; charset=utf-8");
	json_release(root);
	text_release(&title);
	text_release(&facts);
	text_release(&body);
}

const struct channel_ops channel_slack = {
	.name = "slack",
	.summary = "an incoming webhook of Slack, Mattermost or Rocket.Chat",
	.params = slack_params,
	.check = slack_check,
	.compose = slack_compose,
};
