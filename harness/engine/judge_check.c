/*
 * judge_check.c - one row for each check of `validate`, as its event in the journal tells it.
 */
#include "engine/judge_parts.h"

#include <string.h>

#include "base/json.h"
#include "engine/judge_words.h"

static const struct event *find_check(const struct judge_request *request, const char *name)
{
	const struct event *found = NULL;

	for (size_t i = 0; i < request->timeline->event_count; i++) {
		const struct event *event = &request->timeline->events[i];

		if (event->kind == EVENT_CHECK && event->name != NULL &&
		    strcmp(event->name, name) == 0)
			found = event;
	}
	return found;
}

static const char *read_text(struct arena *arena, const struct json *root, const char *key)
{
	const struct json *value = json_get(root, key);
	const char *text = value == NULL ? NULL : json_text_of(value);

	return arena_copy(arena, text == NULL ? "" : text);
}

/* What the event says, into the row; data that cannot be read is inconclusive. */
static void read_check(struct bench *bench, const struct event *event,
		       struct objective_result *result)
{
	struct json *root = NULL;
	struct err e = { 0 };
	const char *verdict;

	if (event->data == NULL || !json_parse(event->data, strlen(event->data), &root, &e) ||
	    json_type_of(root) != JSON_OBJECT) {
		json_release(root);
		judge_decide(bench, result, VERDICT_INCONCLUSIVE,
			     "the record of this check cannot be read", "run it again");
		return;
	}
	result->target = read_text(bench->arena, root, "expected");
	result->observed = read_text(bench->arena, root, "got");
	verdict = read_text(bench->arena, root, "verdict");
	if (strcmp(verdict, verdict_name(VERDICT_MET)) == 0)
		judge_decide(bench, result, VERDICT_MET, event->text, NULL);
	else if (strcmp(verdict, verdict_name(VERDICT_MISSED)) == 0)
		judge_decide(bench, result, VERDICT_MISSED, event->text, NULL);
	else
		judge_decide(bench, result, VERDICT_INCONCLUSIVE, event->text,
			     "see why the check could not be made, and run it again");
	json_release(root);
}

static void judge_one(struct bench *bench, const struct check *check)
{
	const struct event *event = find_check(bench->request, check->probe.name);
	struct objective_result result = {
		.name = arena_format(bench->arena, "check %s", check->probe.name),
		.target = "",
		.observed = "not checked",
		.margin = "",
	};

	if (judge_is_moot(bench, &result)) {
		judge_put(bench, &result);
		return;
	}
	if (event == NULL)
		judge_decide(bench, &result, VERDICT_INCONCLUSIVE,
			     "the run ended before this check was made", "run it again");
	else
		read_check(bench, event, &result);
	judge_put(bench, &result);
}

void judge_checks(struct bench *bench)
{
	const struct experiment *experiment = bench->request->experiment;

	for (size_t i = 0; i < experiment->check_count; i++)
		judge_one(bench, &experiment->checks[i]);
}
