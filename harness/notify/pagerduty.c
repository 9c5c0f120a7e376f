/*
 * pagerduty.c - channel "pagerduty": an incident of PagerDuty's Events API v2, and of what speaks it.
 *
 * A run is an incident of its own (dedup_key is the run): trouble triggers it, `firedrill ack`
 * acknowledges it, a heal or the next run that is met resolves it.
 */
#include "notify/channel.h"

#include <string.h>

#include "base/clock.h"

enum { SUMMARY_BYTES = 1024, FACTS_BYTES = 8 << 10 };

static const struct param pagerduty_params[] = {
	{ "routing_key", PARAM_TEXT, .is_required = true, .is_secret = true,
	  .help = "integration key of the service" },
	{ "url", PARAM_TEXT, .fallback = "https://events.pagerduty.com/v2/enqueue",
	  .help = "the API, where it is not PagerDuty's own" },
	{ 0 },
};

static bool pagerduty_check(const struct params *params, bool has_secrets, const char **ret_row,
			    struct err *e)
{
	return channel_check_url(params, "url", has_secrets, ret_row, e);
}

static const char *action_of(uint32_t kinds)
{
	if ((kinds & HAPPENING_ACKNOWLEDGED) != 0)
		return "acknowledge";
	if ((kinds & HAPPENING_RECOVERED) != 0)
		return "resolve";
	return "trigger";
}

static const char *severity_of(enum weight weight)
{
	switch (weight) {
	case WEIGHT_INFO:
	case WEIGHT_GOOD:
		break;
	case WEIGHT_WARNING:
		return "warning";
	case WEIGHT_BAD:
		return "error";
	case WEIGHT_WORST:
		return "critical";
	}
	return "info";
}

static void put_at_most(struct json *object, const char *key, struct text *text, size_t most_bytes)
{
	struct text cut = { 0 };

	text_add_bytes(&cut, text_str(text), channel_fit(text_str(text), most_bytes));
	json_put_text(object, key, text_str(&cut));
	text_release(&cut);
}

static void put_payload(struct json *root, const struct happening *happening)
{
	struct json *payload = json_put_object(root, "payload");
	struct json *details;
	struct text summary = { 0 };
	struct text facts = { 0 };
	char wall[32];

	happening_title(happening, &summary);
	text_addf(&summary, ": %s", happening->sentence);
	channel_add_facts(happening, &facts);
	clock_format_wall(happening->wall_ns, wall, sizeof wall);
	put_at_most(payload, "summary", &summary, SUMMARY_BYTES);
	json_put_text(payload, "source", happening->machine == NULL ? "firedrill" :
								      happening->machine);
	json_put_text(payload, "severity", severity_of(happening_weight(happening)));
	json_put_text(payload, "timestamp", wall);
	if (happening->service != NULL)
		json_put_text(payload, "component", happening->service);
	if (happening->environment != NULL)
		json_put_text(payload, "group", happening->environment);
	json_put_text(payload, "class", happening_name(happening->kinds));
	details = json_put_object(payload, "custom_details");
	json_put_text(details, "run", happening->run_id);
	json_put_text(details, "verdict", happening->verdict);
	put_at_most(details, "facts", &facts, FACTS_BYTES);
	text_release(&summary);
	text_release(&facts);
}

static void pagerduty_compose(const struct occasion *occasion, struct arena *arena,
			      struct letter *ret_letter)
{
	const struct params *params = &occasion->channel->params;
	const struct happening *happening = occasion->happening;
	const char *action = action_of(happening->kinds);
	struct json *root = json_object();
	struct text body = { 0 };

	json_put_text(root, "routing_key", params_text(params, "routing_key"));
	json_put_text(root, "event_action", action);
	json_put_text(root, "dedup_key", happening->run_id);
	if (strcmp(action, "trigger") == 0) {
		json_put_text(root, "client", "firedrill");
		put_payload(root, happening);
		if (happening->link != NULL) {
			struct json *link = json_push_object(json_put_array(root, "links"));

			json_put_text(link, "href", happening->link);
			json_put_text(link, "text", "the run");
		}
	}
	json_print(root, false, &body);
	*ret_letter = (struct letter){ .way = LETTER_HTTP,
				       .url = params_text(params, "url"),
				       .body = arena_copy(arena, text_str(&body)) };
	letter_add_header(ret_letter, "Content-Type", "application/json");
	json_release(root);
	text_release(&body);
}

const struct channel_ops channel_pagerduty = {
	.name = "pagerduty",
	.summary = "an incident by PagerDuty's Events API v2",
	.params = pagerduty_params,
	.keeps_incidents = true,
	.check = pagerduty_check,
	.compose = pagerduty_compose,
};
