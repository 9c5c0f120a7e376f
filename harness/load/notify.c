/*
 * notify.c - `notify:` of the inventory: channels, whose rows are those of notify/table.c, and the rules
 * of who is told what.
 */
#include "load/documents.h"

#include "base/clock.h"
#include "base/units.h"
#include "load/suggest.h"
#include "load/vars.h"
#include "notify/channel.h"

#include <assert.h>
#include <string.h>

static const struct param channel_params[] = {
	{ "kind", PARAM_TEXT, .is_required = true, .help = "what it is; see `firedrill notify`" },
	{ "timeout", PARAM_DURATION, .min = 100 * NS_PER_MS, .max = 60 * NS_PER_S, .fallback = "5s",
	  .help = "of one attempt; later than this is no answer" },
	{ 0 },
};

const struct form form_channel = { .noun = "a channel", .params = channel_params,
				   .kind_key = "kind" };

static const struct param escalation_params[] = {
	{ "after", PARAM_DURATION, .is_required = true, .min = NS_PER_S, .max = INT64_C(604800) * NS_PER_S,
	  .help = "so long after it happened, unless somebody has acknowledged" },
	{ "channels", PARAM_LIST, .is_required = true, .help = "who is told then" },
	{ 0 },
};

static const struct form form_escalation = { .noun = "a step of `escalate`",
					     .params = escalation_params };

static const struct param rule_params[] = {
	{ "on", PARAM_LIST, .is_required = true,
	  .help = "what is told; `firedrill notify` lists the words" },
	{ "channels", PARAM_LIST, .is_required = true, .help = "who is told, by the names of channels" },
	{ "only_changes", PARAM_BOOL, .fallback = "false",
	  .help = "only when the run ended otherwise than the last one; a leftover is always told" },
	{ "environments", PARAM_LIST, .help = "the policy's environment is one of these; else any" },
	{ "services", PARAM_LIST, .help = "the experiment's service is one of these; else any" },
	{ "tiers", PARAM_LIST, .help = "that service's tier is one of these; else any" },
	{ 0 },
};

static const struct part rule_parts[] = {
	{ "escalate", PART_FORM_LIST, .form = &form_escalation,
	  .help = "who else, and when, until `firedrill ack`" },
	{ 0 },
};

static const struct form form_rule = { .noun = "a rule", .params = rule_params,
				       .parts = rule_parts };

static const struct param notify_params[] = {
	{ "link", PARAM_TEXT, .help = "where a run can be seen; {run} stands for its id" },
	{ 0 },
};

static const struct part notify_parts[] = {
	{ "channels", PART_FORM_MAP, .is_required = true, .form = &form_channel,
	  .help = "where messages go, by name" },
	{ "rules", PART_FORM_LIST, .is_required = true, .form = &form_rule,
	  .help = "who is told what" },
	{ 0 },
};

const struct form form_notify = { .noun = "`notify`", .params = notify_params,
				  .parts = notify_parts };

/* ---- channels ---- */

/* The row of the kind, or NULL and a problem. */
static const struct channel_ops *find_kind(struct loader *loader, const struct node *node)
{
	const struct node *kind = tree_get(node, "kind");
	const char *name = kind == NULL || kind->kind != NODE_SCALAR || kind->is_null ?
				   NULL : plain_text(loader, kind);
	const struct channel_ops *ops = name == NULL ? NULL : channel_find(name);
	size_t count = 0;
	const struct channel_ops *const *rows = channel_table(&count);
	struct suggestion near;

	if (name == NULL || ops != NULL)
		return ops;
	near = suggest_for(name);
	for (size_t i = 0; i < count; i++)
		suggest_offer(&near, rows[i]->name);
	if (near.best != NULL)
		problem_add(loader, kind->mark, "unknown kind of channel `%s`; did you mean `%s`?",
			    name, near.best);
	else
		problem_add(loader, kind->mark, "unknown kind of channel `%s`; `firedrill notify` lists "
			    "them", name);
	return NULL;
}

/* What stands in the document as it is, is no secret: hiding it would leave a hole in the document. */
static void hide_unless_written(struct loader *loader, const char *value, const char *written)
{
	if (strstr(written, value) == NULL)
		secrets_register(loader->secrets, value);
}

/*
 * A server may tell back a part of the URL it was asked by, and in a hook that is the key: what comes
 * behind the host is a secret as well, and each long piece of it.
 */
static void hide_url(struct loader *loader, const char *url, const char *written)
{
	enum { PATH_BYTES_MIN = 8, PIECE_BYTES_MIN = 16 };
	const char *host = strstr(url, "://");
	const char *path = host == NULL ? NULL : strchr(host + 3, '/');

	if (path == NULL || strlen(path) < PATH_BYTES_MIN)
		return;
	hide_unless_written(loader, path, written);
	while (*path != '\0') {
		const size_t piece_bytes = strcspn(path, "/?&=");

		if (piece_bytes >= PIECE_BYTES_MIN)
			hide_unless_written(loader,
					    arena_copy_bytes(loader->arena, path, piece_bytes),
					    written);
		path += piece_bytes + (path[piece_bytes] == '\0' ? 0 : 1);
	}
}

static void check_channel(struct loader *loader, const struct node *node,
			  const struct channel_ops *ops, const struct channel_spec *channel)
{
	const bool has_secrets = loader->request->has_secrets;
	const char *row = NULL;
	struct err e = { 0 };

	for (size_t i = 0; has_secrets && i < channel->params.count; i++)
		if (ops->params[i].is_secret && channel->params.values[i].is_set)
			hide_url(loader, channel->params.values[i].text,
				 tree_get(node, ops->params[i].name)->text);
	if (ops->check == NULL || ops->check(&channel->params, has_secrets, &row, &e))
		return;

	const struct mark mark = params_find(&channel->params, row)->mark;

	problem_add(loader, mark.line == 0 ? channel->mark : mark, "%s", e.text);
}

static void build_channel(struct loader *loader, const struct node *node,
			  struct channel_spec *channel)
{
	const struct channel_ops *ops = find_kind(loader, node);
	const size_t errors_before = loader->error_count;
	struct form_values values;

	*channel = (struct channel_spec){ .name = node->key, .mark = node->key_mark,
					  .kind = ops == NULL ? "" : ops->name };
	if (!form_read(loader, &form_channel, node, ops == NULL ? NULL : ops->params, ops == NULL,
		       &values))
		return;
	channel->params = values.extra;
	channel->timeout_ns = params_number(&values.own, "timeout");
	if (ops != NULL && loader->error_count == errors_before)
		check_channel(loader, node, ops, channel);
}

static void build_channels(struct loader *loader, const struct node *node, struct notify *notify)
{
	const struct node *part = NULL;
	struct channel_spec *channels;

	if (!part_children(loader, node, "channels", NODE_MAP, LIMIT_CHANNELS, &part))
		return;
	channels = arena_alloc(loader->arena, (part->count + 1) * sizeof *channels);
	for (const struct node *row = part->first; row != NULL; row = row->next) {
		(void)name_check(loader, row->key_mark, "a channel", row->key);
		build_channel(loader, row, &channels[notify->channel_count++]);
	}
	notify->channels = channels;
}

/* The channels of these names. One that there is not is a problem, and left out. */
static const struct channel_spec *const *find_channels(struct loader *loader,
						       const struct notify *notify,
						       const struct param_value *names,
						       size_t *ret_count)
{
	const struct channel_spec **found =
		arena_alloc(loader->arena, (names->item_count + 1) * sizeof *found);
	size_t count = 0;

	for (size_t i = 0; names->is_set && i < names->item_count; i++) {
		const struct channel_spec *channel = notify_channel(notify, names->items[i]);
		struct suggestion near = suggest_for(names->items[i]);

		if (channel != NULL) {
			found[count++] = channel;
			continue;
		}
		for (size_t k = 0; k < notify->channel_count; k++)
			suggest_offer(&near, notify->channels[k].name);
		problem_add(loader, names->mark, "there is no channel `%s`%s%s%s", names->items[i],
			    near.best == NULL ? "; name one of `channels:`" : "; did you mean `",
			    near.best == NULL ? "" : near.best, near.best == NULL ? "" : "`?");
	}
	*ret_count = count;
	return found;
}

/* ---- rules ---- */

/* The kind of a word of `on`, or 0 and a problem. */
static uint32_t read_kind(struct loader *loader, struct mark mark, const char *word)
{
	static const struct {
		uint32_t kind;
		const char *name;
	} rows[] = {
#define X(id, name, help) { HAPPENING_##id, name },
		HAPPENING_ROWS(X)
#undef X
	};
	struct suggestion near = suggest_for(word);

	for (size_t i = 0; i < HAPPENING_ROW_COUNT; i++) {
		if (strcmp(rows[i].name, word) == 0)
			return rows[i].kind;
		suggest_offer(&near, rows[i].name);
	}
	problem_add(loader, mark, "`on` holds `%s`%s%s%s", word,
		    near.best == NULL ? "; `firedrill notify` lists what there is" :
					"; did you mean `",
		    near.best == NULL ? "" : near.best, near.best == NULL ? "" : "`?");
	return 0;
}

static uint32_t read_kinds(struct loader *loader, const struct param_value *on)
{
	uint32_t kinds = 0;

	for (size_t i = 0; on->is_set && i < on->item_count; i++)
		kinds |= read_kind(loader, on->mark, on->items[i]);
	return kinds;
}

static void read_tiers(struct loader *loader, const struct param_value *listed,
		       struct notify_rule *rule)
{
	int64_t *tiers = arena_alloc(loader->arena, (listed->item_count + 1) * sizeof *tiers);
	struct err e = { 0 };

	for (size_t i = 0; listed->is_set && i < listed->item_count; i++) {
		if (units_parse_count(listed->items[i], &tiers[rule->tier_count], &e) &&
		    tiers[rule->tier_count] >= 1 && tiers[rule->tier_count] <= 9)
			rule->tier_count++;
		else
			problem_add(loader, listed->mark, "`tiers` holds `%s`; a tier is a number from "
				    "1 to 9", listed->items[i]);
	}
	rule->tiers = tiers;
}

/* A service that the inventory does not have would keep the rule silent for ever. */
static void check_services(struct loader *loader, const struct param_value *listed)
{
	for (size_t i = 0; listed->is_set && i < listed->item_count; i++)
		(void)service_named(loader, listed->mark, listed->items[i]);
}

static void build_steps(struct loader *loader, const struct node *node, const struct notify *notify,
			struct notify_rule *rule)
{
	const struct node *part = NULL;
	struct notify_step *steps;

	if (!part_children(loader, node, "escalate", NODE_LIST, LIMIT_ESCALATIONS, &part))
		return;
	steps = arena_alloc(loader->arena, (part->count + 1) * sizeof *steps);
	for (const struct node *row = part->first; row != NULL; row = row->next) {
		struct notify_step *step = &steps[rule->step_count];
		struct form_values values;

		if (!form_read(loader, &form_escalation, row, NULL, false, &values))
			continue;
		step->after_ns = params_number(&values.own, "after");
		step->channels = find_channels(loader, notify, params_find(&values.own, "channels"),
					       &step->channel_count);
		if (rule->step_count > 0 && step->after_ns != 0 &&
		    step->after_ns <= steps[rule->step_count - 1].after_ns)
			problem_add(loader, row->mark, "`after` is not later than that of the step "
				    "before; write them in the order in which they come");
		rule->step_count++;
	}
	rule->steps = steps;
}

static void build_rule(struct loader *loader, const struct node *node, const struct notify *notify,
		       struct notify_rule *rule)
{
	struct form_values values;

	if (!form_read(loader, &form_rule, node, NULL, false, &values))
		return;

	const struct param_value *environments = params_find(&values.own, "environments");
	const struct param_value *services = params_find(&values.own, "services");

	rule->kinds = read_kinds(loader, params_find(&values.own, "on"));
	rule->is_only_changes = params_bool(&values.own, "only_changes");
	rule->environments = environments->items;
	rule->environment_count = environments->item_count;
	rule->services = services->items;
	rule->service_count = services->item_count;
	check_services(loader, services);
	read_tiers(loader, params_find(&values.own, "tiers"), rule);
	rule->channels = find_channels(loader, notify, params_find(&values.own, "channels"),
				       &rule->channel_count);
	build_steps(loader, node, notify, rule);
}

void notify_build(struct loader *loader, const struct node *root, struct notify *notify)
{
	const struct node *node = tree_get(root, "notify");
	const struct node *part = NULL;
	struct notify_rule *rules;
	struct form_values values;

	assert(notify->channel_count == 0);
	if (node == NULL || !form_read(loader, &form_notify, node, NULL, false, &values))
		return;
	notify->link = params_text(&values.own, "link");
	build_channels(loader, node, notify);
	if (!part_children(loader, node, "rules", NODE_LIST, LIMIT_CHANNELS, &part))
		return;
	rules = arena_alloc(loader->arena, (part->count + 1) * sizeof *rules);
	for (const struct node *row = part->first; row != NULL; row = row->next)
		build_rule(loader, row, notify, &rules[notify->rule_count++]);
	notify->rules = rules;
}
