/*
 * redact.c - see redact.h. One function for each kind of row; a text without a secret is shared.
 */
#include "reports/redact.h"

#include <string.h>

struct redactor {
	const struct secrets *secrets;
	struct arena *arena;
};

static void *copy(const struct redactor *r, const void *rows, size_t bytes)
{
	void *fresh = arena_alloc(r->arena, bytes);

	if (bytes > 0)
		memcpy(fresh, rows, bytes);
	return fresh;
}

static const char *clean(const struct redactor *r, const char *raw)
{
	struct text text = { 0 };

	if (raw == NULL)
		return NULL;
	text_add(&text, raw);
	secrets_redact(r->secrets, &text);

	const char *result = strcmp(text_str(&text), raw) == 0 ?
				     raw :
				     arena_copy(r->arena, text_str(&text));

	text_release(&text);
	return result;
}

static const char *const *clean_texts(const struct redactor *r, const char *const *rows,
				      size_t count)
{
	const char **fresh = arena_alloc(r->arena, count * sizeof *fresh);

	for (size_t i = 0; i < count; i++)
		fresh[i] = clean(r, rows[i]);
	return fresh;
}

static const struct service *clean_service(const struct redactor *r, const struct service *service)
{
	if (service == NULL)
		return NULL;

	struct service *fresh = copy(r, service, sizeof *service);

	fresh->name = clean(r, service->name);
	fresh->kind = clean(r, service->kind);
	fresh->conninfo = clean(r, service->conninfo);
	fresh->url = clean(r, service->url);
	fresh->address = clean(r, service->address);
	return fresh;
}

static const struct experiment *clean_experiment(const struct redactor *r,
						 const struct experiment *experiment)
{
	struct experiment *fresh = copy(r, experiment, sizeof *experiment);
	struct probe_spec *probes =
		copy(r, experiment->probes, experiment->probe_count * sizeof *probes);
	struct step *steps = copy(r, experiment->steps, experiment->step_count * sizeof *steps);
	struct pair *vars = copy(r, experiment->vars, experiment->var_count * sizeof *vars);

	for (size_t i = 0; i < experiment->probe_count; i++) {
		probes[i].name = clean(r, probes[i].name);
		probes[i].kind = clean(r, probes[i].kind);
		probes[i].service = clean_service(r, probes[i].service);
	}
	for (size_t i = 0; i < experiment->step_count; i++) {
		steps[i].name = clean(r, steps[i].name);
		steps[i].fault = clean(r, steps[i].fault);
	}
	for (size_t i = 0; i < experiment->var_count; i++) {
		vars[i].name = clean(r, vars[i].name);
		vars[i].value = clean(r, vars[i].value);
	}
	fresh->title = clean(r, experiment->title);
	fresh->hypothesis = clean(r, experiment->hypothesis);
	fresh->service = clean_service(r, experiment->service);
	fresh->source_path = clean(r, experiment->source_path);
	fresh->source_text = clean(r, experiment->source_text);
	fresh->inventory_path = clean(r, experiment->inventory_path);
	fresh->inventory_text = clean(r, experiment->inventory_text);
	fresh->probes = probes;
	fresh->steps = steps;
	fresh->vars = vars;
	return fresh;
}

static struct timeline clean_timeline(const struct redactor *r, const struct timeline *timeline)
{
	struct timeline fresh = *timeline;
	struct event *events = copy(r, timeline->events, timeline->event_count * sizeof *events);
	struct track *tracks = copy(r, timeline->tracks, timeline->track_count * sizeof *tracks);
	struct ledger_read *reads =
		copy(r, timeline->ledger_reads, timeline->ledger_read_count * sizeof *reads);

	for (size_t i = 0; i < timeline->event_count; i++) {
		events[i].host = clean(r, events[i].host);
		events[i].name = clean(r, events[i].name);
		events[i].text = clean(r, events[i].text);
		events[i].data = clean(r, events[i].data);
	}
	for (size_t i = 0; i < timeline->track_count; i++) {
		tracks[i].probe = clean(r, tracks[i].probe);
		tracks[i].error_texts =
			clean_texts(r, tracks[i].error_texts, tracks[i].error_count);
	}
	for (size_t i = 0; i < timeline->ledger_read_count; i++) {
		reads[i].probe = clean(r, reads[i].probe);
		reads[i].error = clean(r, reads[i].error);
	}
	fresh.run_id = clean(r, timeline->run_id);
	fresh.events = events;
	fresh.tracks = tracks;
	fresh.ledger_reads = reads;
	return fresh;
}

static const struct probe_result *clean_probes(const struct redactor *r,
					       const struct probe_result *probes, size_t count)
{
	struct probe_result *fresh = copy(r, probes, count * sizeof *fresh);

	for (size_t i = 0; i < count; i++) {
		fresh[i].probe = clean(r, fresh[i].probe);
		for (size_t part = 0; part < fresh[i].part_count; part++)
			fresh[i].parts[part].name = clean(r, fresh[i].parts[part].name);
	}
	return fresh;
}

static const struct ledger_result *clean_ledgers(const struct redactor *r,
						 const struct story *story)
{
	struct ledger_result *fresh = copy(r, story->ledgers, story->ledger_count * sizeof *fresh);

	for (size_t i = 0; i < story->ledger_count; i++) {
		const struct ledger_result *old = &story->ledgers[i];

		fresh[i].probe = clean(r, old->probe);
		fresh[i].stable.error = clean(r, old->stable.error);
		fresh[i].healed.error = clean(r, old->healed.error);
		fresh[i].worse = old->worse == &old->stable ? &fresh[i].stable :
				 old->worse == &old->healed ? &fresh[i].healed :
							      NULL;
	}
	return fresh;
}

static const struct objective_result *clean_objectives(const struct redactor *r,
						       const struct objective_result *rows,
						       size_t count)
{
	struct objective_result *fresh = copy(r, rows, count * sizeof *fresh);

	for (size_t i = 0; i < count; i++) {
		fresh[i].name = clean(r, fresh[i].name);
		fresh[i].target = clean(r, fresh[i].target);
		fresh[i].observed = clean(r, fresh[i].observed);
		fresh[i].margin = clean(r, fresh[i].margin);
		fresh[i].reason = clean(r, fresh[i].reason);
		fresh[i].advice = clean(r, fresh[i].advice);
	}
	return fresh;
}

static const struct named_event *clean_named_events(const struct redactor *r,
						    const struct story *story)
{
	struct named_event *fresh =
		copy(r, story->named_events, story->named_event_count * sizeof *fresh);

	for (size_t i = 0; i < story->named_event_count; i++) {
		fresh[i].probe = clean(r, fresh[i].probe);
		fresh[i].host = clean(r, fresh[i].host);
		fresh[i].what = clean(r, fresh[i].what);
		fresh[i].part_name = clean(r, fresh[i].part_name);
		fresh[i].why = clean(r, fresh[i].why);
	}
	return fresh;
}

static const struct primaries_result *clean_primaries(const struct redactor *r,
						      const struct story *story)
{
	struct primaries_result *fresh =
		copy(r, story->primaries, story->primaries_count * sizeof *fresh);

	for (size_t i = 0; i < story->primaries_count; i++) {
		fresh[i].probe = clean(r, fresh[i].probe);
		fresh[i].twins = clean(r, fresh[i].twins);
		fresh[i].primaries.hosts = clean(r, fresh[i].primaries.hosts);
		fresh[i].writable.hosts = clean(r, fresh[i].writable.hosts);
	}
	return fresh;
}

static const struct reader_result *clean_readers(const struct redactor *r,
						 const struct story *story)
{
	struct reader_result *fresh =
		copy(r, story->readers, story->reader_count * sizeof *fresh);

	for (size_t i = 0; i < story->reader_count; i++) {
		fresh[i].probe = clean(r, fresh[i].probe);
		fresh[i].ledger = clean(r, fresh[i].ledger);
	}
	return fresh;
}

static const struct deed *clean_deeds(const struct redactor *r, const struct story *story)
{
	struct deed *fresh = copy(r, story->deeds, story->deed_count * sizeof *fresh);

	for (size_t i = 0; i < story->deed_count; i++) {
		fresh[i].fault = clean(r, fresh[i].fault);
		fresh[i].host = clean(r, fresh[i].host);
		fresh[i].what = clean(r, fresh[i].what);
		fresh[i].heal = clean(r, fresh[i].heal);
		fresh[i].leftover = clean(r, fresh[i].leftover);
	}
	return fresh;
}

static const struct vantage_view *clean_views(const struct redactor *r, const struct story *story)
{
	struct vantage_view *fresh = copy(r, story->views, story->view_count * sizeof *fresh);

	for (size_t i = 0; i < story->view_count; i++) {
		struct vantage_sight *sights =
			copy(r, fresh[i].sights, fresh[i].sight_count * sizeof *sights);

		for (size_t n = 0; n < fresh[i].sight_count; n++)
			sights[n].probe = clean(r, sights[n].probe);
		fresh[i].sights = sights;
		fresh[i].name = clean(r, fresh[i].name);
		fresh[i].run_id = clean(r, fresh[i].run_id);
		fresh[i].why = clean(r, fresh[i].why);
	}
	return fresh;
}

const struct story *redact_story(const struct story *story, struct arena *arena)
{
	const struct redactor r = { .secrets = story->secrets, .arena = arena };

	if (story->secrets == NULL || story->secrets->value_count == 0)
		return story;

	struct story *fresh = copy(&r, story, sizeof *story);

	fresh->run_id = clean(&r, story->run_id);
	fresh->version = clean(&r, story->version);
	fresh->set_id = clean(&r, story->set_id);
	fresh->experiment = clean_experiment(&r, story->experiment);
	fresh->timeline = clean_timeline(&r, &story->timeline);
	fresh->probes = clean_probes(&r, story->probes, story->probe_count);
	fresh->service = story->service == NULL ? NULL : clean_probes(&r, story->service, 1);
	fresh->ledgers = clean_ledgers(&r, story);
	fresh->objectives = clean_objectives(&r, story->objectives, story->objective_count);
	fresh->named_events = clean_named_events(&r, story);
	fresh->readers = clean_readers(&r, story);
	fresh->primaries = clean_primaries(&r, story);
	fresh->watch_of = clean(&r, story->watch_of);
	fresh->vantage = clean(&r, story->vantage);
	fresh->views = clean_views(&r, story);
	fresh->seen_from = clean(&r, story->seen_from);
	fresh->deeds = clean_deeds(&r, story);
	fresh->permission = clean_texts(&r, story->permission, story->permission_count);
	fresh->untold = clean_texts(&r, story->untold, story->untold_count);
	fresh->outcome.sentence = clean(&r, story->outcome.sentence);
	return fresh;
}

const struct trial_set *redact_set(const struct trial_set *set, struct arena *arena)
{
	const struct redactor r = { .secrets = set->secrets, .arena = arena };

	if (set->secrets == NULL || set->secrets->value_count == 0)
		return set;

	struct trial_set *fresh = copy(&r, set, sizeof *set);
	struct trial *trials = copy(&r, set->trials, set->trial_count * sizeof *trials);

	for (size_t i = 0; i < set->trial_count; i++) {
		trials[i].run_id = clean(&r, trials[i].run_id);
		trials[i].objectives =
			clean_objectives(&r, trials[i].objectives, trials[i].objective_count);
		trials[i].outcome.sentence = clean(&r, trials[i].outcome.sentence);
	}
	fresh->trials = trials;
	fresh->set_id = clean(&r, set->set_id);
	fresh->version = clean(&r, set->version);
	fresh->title = clean(&r, set->title);
	fresh->hypothesis = clean(&r, set->hypothesis);
	fresh->service = clean(&r, set->service);
	fresh->stopped = clean(&r, set->stopped);
	fresh->objectives = clean_objectives(&r, set->objectives, set->objective_count);
	fresh->outcome.sentence = clean(&r, set->outcome.sentence);
	return fresh;
}
