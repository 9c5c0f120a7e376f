/*
 * permit.c - see permit.h. Here: who would be hit, by what, and how much of each group at one time.
 */
#include "engine/permit.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/units.h"
#include "engine/permit_parts.h"
#include "faults/fault.h"

const char *permit_rule_name(enum permit_rule rule)
{
	switch (rule) {
#define X(id, name, may_override)    \
	case PERMIT_##id:            \
		return name;
		PERMIT_ROWS(X)
#undef X
	case PERMIT_NONE:
		break;
	}
	return "";
}

static bool may_override(enum permit_rule rule)
{
	switch (rule) {
#define X(id, name, may)             \
	case PERMIT_##id:            \
		return may;
		PERMIT_ROWS(X)
#undef X
	case PERMIT_NONE:
		break;
	}
	return false;
}

void permit_refuse(struct permit_bench *bench, enum permit_rule rule, const char *format, ...)
{
	struct text text = { 0 };
	va_list args;

	va_start(args, format);
	text_addv(&text, format, args);
	va_end(args);
	for (size_t i = 0; i < bench->refusal_count; i++)
		if (strcmp(bench->refusals[i].text, text_str(&text)) == 0) {
			text_release(&text);
			return;
		}
	bench->refusals = arena_more(bench->arena, bench->refusals, bench->refusal_count,
				     sizeof *bench->refusals);
	bench->refusals[bench->refusal_count++] = (struct permit_refusal){
		.rule = rule,
		.text = arena_copy(bench->arena, text_str(&text)),
		.is_overridden = may_override(rule) &&
				 bench->question->claim.override_reason != NULL,
	};
	text_release(&text);
}

void permit_ground(struct permit_bench *bench, const char *format, ...)
{
	va_list args;

	if (bench->grounds.length_bytes > 0)
		text_add(&bench->grounds, "; ");
	va_start(args, format);
	text_addv(&bench->grounds, format, args);
	va_end(args);
}

/* ---- which faults on whom ---- */

/* "process.kill" by its name, or by "process.*". */
static bool is_allowed(const struct policy_allow *allow, const char *fault)
{
	for (size_t i = 0; i < allow->fault_count; i++) {
		const char *word = allow->faults[i];
		const size_t length = strlen(word);
		const bool is_pattern = length > 0 && word[length - 1] == '*';

		if (is_pattern ? strncmp(fault, word, length - 1) == 0 : strcmp(fault, word) == 0)
			return true;
	}
	return false;
}

static void say_allow(const struct policy_allow *allow, struct text *text)
{
	for (size_t i = 0; i < allow->fault_count; i++)
		text_addf(text, "%s%s", i == 0 ? "" : ", ", allow->faults[i]);
	text_add(text, allow->label_count == 0 ? " on any host" : " on hosts with");
	for (size_t i = 0; i < allow->label_count; i++)
		text_addf(text, "%s %s=%s", i == 0 ? "" : " and", allow->labels[i].name,
			  allow->labels[i].value);
}

static void check_fault(struct permit_bench *bench, const struct permit_hit *hit)
{
	const struct policy *policy = bench->policy;
	const struct host *kept = inventory_protected(bench->question->inventory, hit->host);

	if (kept != NULL)
		permit_refuse(bench, PERMIT_PROTECTED,
			      "step %" PRIu32 " (%s) would hit `%s`, which the inventory protects%s%s%s; "
			      "select other hosts", hit->step, hit->fault, hit->host->name,
			      kept == hit->host ? "" : " as `", kept == hit->host ? "" : kept->name,
			      kept == hit->host ? "" : "`");
	for (size_t i = 0; i < policy->allow_count; i++) {
		const struct policy_allow *allow = &policy->allows[i];
		struct text text = { 0 };

		if (!host_has_labels(hit->host, allow->labels, allow->label_count) ||
		    is_allowed(allow, hit->fault))
			continue;
		say_allow(allow, &text);
		permit_refuse(bench, PERMIT_FAULT,
			      "step %" PRIu32 ": %s %s `%s`, and the policy allows only %s; choose "
			      "another fault or other hosts, or give --override REASON",
			      hit->step, hit->fault, hit->is_certain ? "would hit" : "may hit",
			      hit->host->name, text_str(&text));
		text_release(&text);
	}
}

/* ---- how much at one time ---- */

/* The hosts harmed at one moment, each once; `held` is the other run that may harm it, or NULL. */
struct crowd {
	const struct host *hosts[LIMIT_HOSTS];
	const char *held[LIMIT_HOSTS];
	size_t count;
};

static void gather(const struct permit_question *question, int64_t at_ns, struct crowd *crowd)
{
	crowd->count = 0;
	for (size_t i = 0; i < question->hit_count; i++) {
		const struct permit_hit *hit = &question->hits[i];
		size_t j = 0;

		if (!hit->is_certain || at_ns < hit->from_ns || at_ns >= hit->until_ns)
			continue;
		while (j < crowd->count && crowd->hosts[j] != hit->host)
			j++;
		if (j < crowd->count)
			continue;
		assert(crowd->count < LIMIT_HOSTS); /* hosts are the inventory's, each once */
		crowd->hosts[crowd->count] = hit->host;
		crowd->held[crowd->count++] = hit->held_by;
	}
}

static bool is_in(const struct host *host, const char *by, const char *group)
{
	const char *value = host_label(host, by);

	return value != NULL && strcmp(value, group) == 0;
}

/* "db1, web1 (held by run X)" */
static size_t list_group(const struct crowd *crowd, const char *by, const char *group,
			 struct text *text)
{
	size_t count = 0;

	for (size_t i = 0; i < crowd->count; i++) {
		if (!is_in(crowd->hosts[i], by, group))
			continue;
		text_addf(text, "%s%s", count == 0 ? "" : ", ", crowd->hosts[i]->name);
		if (crowd->held[i] != NULL)
			text_addf(text, " (held by run %s)", crowd->held[i]);
		count++;
	}
	return count;
}

static void check_group(struct permit_bench *bench, const struct policy_cap *cap,
			const struct crowd *crowd, const char *group)
{
	const struct inventory *inventory = bench->question->inventory;
	struct text names = { 0 };
	const size_t count = list_group(crowd, cap->by, group, &names);
	size_t size = 0;

	for (size_t i = 0; i < inventory->host_count; i++)
		size += is_in(&inventory->hosts[i], cap->by, group) ? 1 : 0;
	if (cap->max_hosts > 0 && count > (uint64_t)cap->max_hosts)
		permit_refuse(bench, PERMIT_CAP,
			      "%zu hosts with %s=%s would be harmed at one time (%s), and the policy "
			      "allows %" PRId64 "; hit fewer of them, or give --override REASON",
			      count, cap->by, group, text_str(&names), cap->max_hosts);
	if (cap->max_percent_ppm > 0 &&
	    (int64_t)count * 1000000 > cap->max_percent_ppm * (int64_t)size) {
		char percent[UNITS_TEXT_BYTES];

		permit_refuse(bench, PERMIT_CAP,
			      "%zu of the %zu hosts with %s=%s would be harmed at one time (%s), and the "
			      "policy allows %s of them; hit fewer, or give --override REASON",
			      count, size, cap->by, group, text_str(&names),
			      units_format_percent(cap->max_percent_ppm, percent));
	}
	text_release(&names);
}

static void check_group_count(struct permit_bench *bench, const struct policy_cap *cap,
			      const struct crowd *crowd)
{
	struct text names = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < crowd->count; i++) {
		const char *group = host_label(crowd->hosts[i], cap->by);
		bool is_new = true;

		for (size_t j = 0; j < i && group != NULL; j++)
			is_new = is_new && !is_in(crowd->hosts[j], cap->by, group);
		if (!is_new)
			continue;
		text_addf(&names, "%s%s", count == 0 ? "" : ", ", group == NULL ? "none" : group);
		count++;
	}
	if (cap->max_groups > 0 && count > (uint64_t)cap->max_groups)
		permit_refuse(bench, PERMIT_CAP,
			      "hosts of %zu groups by %s would be harmed at one time (%s), and the policy "
			      "allows %" PRId64 "; keep to fewer, or give --override REASON",
			      count, cap->by, text_str(&names), cap->max_groups);
	text_release(&names);
}

static void check_caps(struct permit_bench *bench, const struct permit_hit *hit, struct crowd *crowd)
{
	gather(bench->question, hit->from_ns, crowd);
	for (size_t i = 0; i < bench->policy->cap_count; i++) {
		const struct policy_cap *cap = &bench->policy->caps[i];
		const char *group = host_label(hit->host, cap->by);

		if (group == NULL) {
			permit_refuse(bench, PERMIT_EVALUATION,
				      "the policy caps harm by the label `%s`, and `%s` has none; give it "
				      "one in the inventory", cap->by, hit->host->name);
			continue;
		}
		if (!hit->is_certain)
			continue;
		check_group(bench, cap, crowd, group);
		check_group_count(bench, cap, crowd);
	}
}

static void check_hits(struct permit_bench *bench)
{
	const struct permit_question *question = bench->question;
	struct crowd *crowd = arena_alloc(bench->arena, sizeof *crowd);

	for (size_t i = 0; i < question->hit_count; i++) {
		if (question->hits[i].held_by != NULL)
			continue;
		check_fault(bench, &question->hits[i]);
		if (bench->policy->cap_count > 0)
			check_caps(bench, &question->hits[i], crowd);
	}
}

void permit_check(const struct permit_question *question, struct arena *arena,
		  struct permit_answer *ret_answer)
{
	struct permit_bench bench = {
		.question = question,
		.policy = &question->inventory->policy,
		.arena = arena,
	};
	bool is_permitted = true;

	assert(question->scope == PERMIT_STANDING || question->scope == PERMIT_NOW);

	if (question->trouble != NULL)
		permit_refuse(&bench, PERMIT_EVALUATION,
			      "whether it is permitted cannot be told: %s", question->trouble);
	if (question->scope == PERMIT_NOW)
		permit_check_stop(&bench);
	check_hits(&bench);
	if (question->scope == PERMIT_NOW) {
		permit_check_moment(&bench);
		permit_check_people(&bench);
	}
	for (size_t i = 0; i < bench.refusal_count; i++)
		is_permitted = is_permitted && bench.refusals[i].is_overridden;
	*ret_answer = (struct permit_answer){
		.refusals = bench.refusals,
		.refusal_count = bench.refusal_count,
		.is_permitted = is_permitted,
		.grounds = arena_copy(arena, text_str(&bench.grounds)),
	};
	text_release(&bench.grounds);
}

void permit_hits_of_plan(const struct plan *plan, struct arena *arena, struct permit_hit **ret_hits,
			 size_t *ret_count)
{
	struct permit_hit *hits = NULL;
	size_t count = 0;

	for (size_t i = 0; i < plan->step_count; i++) {
		const struct plan_step *planned = &plan->steps[i];
		const struct step *step = planned->step;

		for (size_t j = 0; j < planned->target_count; j++) {
			hits = arena_more(arena, hits, count, sizeof *hits);
			hits[count++] = (struct permit_hit){
				.host = planned->targets[j].host,
				.fault = step->fault,
				.step = step->index,
				.from_ns = step->at_ns,
				.until_ns = step->hold_ns > 0 ? step->at_ns + step->hold_ns : INT64_MAX,
				.is_certain = planned->is_resolved,
			};
		}
	}
	*ret_hits = hits;
	*ret_count = count;
}

void permit_digest(const struct experiment *experiment, const char *override_reason,
		   char ret_digest[HASH_TEXT_BYTES])
{
	const size_t count = 3 + 2 * experiment->var_count;
	const char **texts = mem_alloc(count * sizeof *texts);

	texts[0] = experiment->source_text;
	texts[1] = experiment->inventory_text;
	for (size_t i = 0; i < experiment->var_count; i++) {
		texts[2 + 2 * i] = experiment->vars[i].name;
		texts[3 + 2 * i] = experiment->vars[i].value;
	}
	texts[count - 1] = override_reason;
	hash_texts(texts, count, ret_digest);
	free(texts);
}

void permit_say(const struct permit_answer *answer, struct text *text)
{
	bool is_first = true;

	for (size_t i = 0; i < answer->refusal_count; i++) {
		if (answer->refusals[i].is_overridden)
			continue;
		text_addf(text, "%s%s", is_first ? "" : "; also: ", answer->refusals[i].text);
		is_first = false;
	}
}
