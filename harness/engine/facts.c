/*
 * facts.c - see facts.h.
 */
#include "engine/facts.h"

#include <string.h>

#include "base/hash.h"
#include "base/units.h"
#include "engine/engine.h"
#include "engine/measure.h"
#include "engine/story_parts.h"

/* ---- words ---- */

enum { NAMED_HOSTS_MOST = 3 };

/* "2 of ", "50 % of ", or "" for all. */
static void add_amount(const struct selector *on, struct text *text)
{
	char share[UNITS_TEXT_BYTES];

	if (on->percent_ppm > 0)
		text_addf(text, "%s of ", units_format_percent(on->percent_ppm, share));
	else if (on->count > 0)
		text_addf(text, "%lld of ", (long long)on->count);
}

static void add_hosts(const struct selector *on, struct text *text)
{
	if (on->host_count > NAMED_HOSTS_MOST) {
		text_addf(text, "%zu hosts", on->host_count);
		return;
	}
	for (size_t i = 0; i < on->host_count; i++)
		text_addf(text, "%s%s", i == 0 ? "" : ", ", on->hosts[i]->name);
}

static void add_labels(const struct selector *on, struct text *text)
{
	text_add(text, "hosts with ");
	for (size_t i = 0; i < on->label_count; i++)
		text_addf(text, "%s%s=%s", i == 0 ? "" : ", ", on->labels[i].name,
			  on->labels[i].value == NULL ? "" : on->labels[i].value);
}

/* Without the service's name where it is the one the experiment is about: the same harm to another
   service is the same scenario. */
static void add_target(const struct experiment *experiment, const struct selector *on,
		       struct text *text)
{
	add_amount(on, text);
	switch (on->kind) {
	case SELECT_HOSTS:
		add_hosts(on, text);
		break;
	case SELECT_LABELS:
		add_labels(on, text);
		break;
	case SELECT_SERVICE:
		text_add(text, on->role != NULL ? on->role : "members");
		if (on->service != experiment->service && on->service != NULL)
			text_addf(text, " of %s", on->service->name);
		break;
	}
}

const char *facts_scenario(const struct experiment *experiment, struct arena *arena)
{
	struct text text = { 0 };

	for (size_t i = 0; i < experiment->step_count; i++) {
		text_addf(&text, "%s%s on ", i == 0 ? "" : " + ", experiment->steps[i].fault);
		add_target(experiment, &experiment->steps[i].on, &text);
	}

	const char *words = arena_copy(arena, text_str(&text));

	text_release(&text);
	return words;
}

/* ---- derived ---- */

static const char *text_or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

static const char *digest_experiment(const struct experiment *experiment, struct arena *arena)
{
	const size_t count = 1 + 2 * experiment->var_count;
	const char **texts = arena_alloc(arena, count * sizeof *texts);
	char hash[HASH_TEXT_BYTES];

	texts[0] = experiment->source_text;
	for (size_t i = 0; i < experiment->var_count; i++) {
		texts[1 + 2 * i] = experiment->vars[i].name;
		texts[2 + 2 * i] = experiment->vars[i].value;
	}
	hash_texts(texts, count, hash);
	return arena_copy(arena, hash);
}

void facts_subject_of(const struct experiment *experiment, struct arena *arena,
		      struct facts_subject *ret_subject)
{
	char inventory[HASH_TEXT_BYTES];

	hash_texts(&experiment->inventory_text, 1, inventory);
	*ret_subject = (struct facts_subject){
		.service = experiment->service == NULL ? "" : experiment->service->name,
		.environment = text_or_empty(experiment->inventory->policy.environment),
		.scenario = facts_scenario(experiment, arena),
		.title = text_or_empty(experiment->title),
		.experiment = digest_experiment(experiment, arena),
		.inventory = arena_copy(arena, inventory),
		.has_rto = experiment->objectives.has_rto,
		.rto_ns = experiment->objectives.rto_ns,
		.has_rpo = experiment->objectives.has_rpo,
		.rpo_ns = experiment->objectives.rpo_ns,
	};
}

static enum verdict verdict_of(const struct story *story, const char *objective)
{
	for (size_t i = 0; i < story->objective_count; i++)
		if (strcmp(story->objectives[i].name, objective) == 0)
			return story->objectives[i].verdict;
	return VERDICT_NONE;
}

static bool is_worse(const struct ledger_count_result *a, uint64_t a_lost,
		     const struct run_facts *than)
{
	if (a_lost != than->lost_count)
		return a_lost > than->lost_count;
	return a->rpo.high_ns > than->rpo.high_ns;
}

static void take_losses(const struct story *story, struct run_facts *facts)
{
	for (size_t i = 0; i < story->ledger_count; i++) {
		const struct ledger_count_result *worse = story->ledgers[i].worse;

		if (worse == NULL)
			continue;

		const uint64_t lost = worse->classes.lost + worse->classes.corrupted;

		if (facts->is_rpo_known && !is_worse(worse, lost, facts))
			continue;
		facts->is_rpo_known = true;
		facts->rpo = worse->rpo;
		facts->lost_count = lost;
	}
}

void facts_of_story(const struct story *story, struct arena *arena,
		    struct facts_subject *ret_subject, struct run_facts *ret_facts)
{
	const struct timeline *timeline = &story->timeline;
	struct run_facts facts = {
		.run_id = story->run_id,
		.trial = story->trial,
		.began_wall_ns = timeline->anchor.wall_ns,
		.ended_wall_ns = clock_anchor_wall_ns(&timeline->anchor, story->ended_ns),
		.is_ended = story_event(timeline, EVENT_RUN_ENDED) != NULL,
		.exit_code = story->outcome.exit_code,
		.has_harmed = story->fault.high_ns != 0,
		.rto_verdict = verdict_of(story, "rto"),
		.rpo_verdict = verdict_of(story, "rpo"),
	};
	const char *probe;

	measure_service_rto(story->probes, story->probe_count, &facts.rto_kind, &facts.rto, &probe);
	if (facts.rto_kind != MEASURED_SPAN && facts.rto_kind != MEASURED_NEVER_RECOVERED)
		facts.rto = (struct span){ 0, 0 };
	take_losses(story, &facts);
	facts_subject_of(story->experiment, arena, ret_subject);
	*ret_facts = facts;
}

static bool keep(struct store *store, const struct story *story, bool *ret_has_changed,
		 struct err *e)
{
	struct arena arena = { 0 };
	struct facts_subject subject;
	struct run_facts facts;
	bool ok;

	if (story->watch_of != NULL) /* the history is of drills */
		return true;
	facts_of_story(story, &arena, &subject, &facts);
	ok = store_facts_put(store, &subject, &facts, ret_has_changed, e);
	arena_release(&arena);
	return ok;
}

bool facts_keep(struct store *store, const struct story *story, struct err *e)
{
	return keep(store, story, NULL, e);
}

/* ---- again ---- */

/* *ret_is_read false: the story could not be built, which says nothing of other runs. */
static bool derive(struct store *store, const char *run_id, bool *ret_is_read,
		   bool *ret_has_changed, struct err *e)
{
	struct arena arena = { 0 };
	struct secrets none = { 0 };
	struct story story = { 0 };

	*ret_is_read = story_build(store, run_id, &arena, &none, &story, e);

	const bool ok = *ret_is_read && keep(store, &story, ret_has_changed, e);

	secrets_release(&none);
	arena_release(&arena);
	return ok;
}

bool facts_derive(struct store *store, const char *run_id, struct err *e)
{
	bool is_read = false;

	return derive(store, run_id, &is_read, NULL, e);
}

static bool list_runs(struct store *store, bool is_all, struct arena *arena,
		      struct run_row **ret_rows, size_t *ret_count, struct err *e)
{
	return is_all ? store_runs(store, 0, arena, ret_rows, ret_count, e) :
			store_facts_missing(store, arena, ret_rows, ret_count, e);
}

bool facts_rebuild(struct store *store, struct facts_rebuild *rebuild, struct err *e)
{
	struct arena arena = { 0 };
	struct run_row *rows = NULL;
	size_t count = 0;
	bool ok = list_runs(store, rebuild->is_all, &arena, &rows, &count, e);

	for (size_t i = 0; ok && i < count; i++) {
		struct err trouble = { 0 };
		bool is_read = false;
		bool has_changed = false;

		if (rows[i].watch_of != NULL)
			continue;
		if (!rows[i].is_ended && store_run_is_alive(&rows[i])) {
			rebuild->alive_count++;
			continue;
		}
		if (derive(store, rows[i].run_id, &is_read, &has_changed, &trouble)) {
			rebuild->derived_count++;
			rebuild->changed_count += has_changed;
			continue;
		}
		rebuild->failed_count++;
		if (rebuild->tell != NULL)
			rebuild->tell(rebuild->ctx, &trouble);
		ok = !is_read;
		if (is_read)
			*e = trouble;
	}
	arena_release(&arena);
	return ok;
}
