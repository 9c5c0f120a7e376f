/*
 * vantage.c - see vantage.h.
 */
#include "engine/vantage.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "engine/permission.h"
#include "engine/run.h"
#include "engine/vantage_text.h"
#include "store/store_dues.h"

static const int64_t look_every_ns = 100 * NS_PER_MS;
/* For a watch to end once it was let go, besides what an attempt under way may take. */
static const int64_t collect_within_ns = 15 * NS_PER_S;

/* ---- asking ---- */

static bool ask(struct run *run, size_t index, struct err *e)
{
	const struct experiment *experiment = run->experiment;
	const struct vantage_point *point = &experiment->vantage_points[index];
	bool is_new = false;

	const struct due_row row = {
		.schedule = arena_format(&run->arena, "watch of %s", run->request->run_id),
		.nominal_wall_ns = clock_wall_ns(run->clock),
		.turn = -(int64_t)index,
		.experiment_path = experiment->source_path,
		.experiment_text = experiment->source_text,
		.inventory_path = experiment->inventory_path,
		.inventory_text = experiment->inventory_text,
		.vars = experiment->vars,
		.var_count = experiment->var_count,
		.labels = point->labels,
		.label_count = point->label_count,
		.watch_of = run->request->run_id,
		.vantage = point->name,
		.within_ns = point->within_ns,
		.state = DUE_WAITS,
	};

	return store_due_put(run->request->store, &row, &is_new, e) ||
	       err_wrap(e, "ask for the vantage point `%s`", point->name);
}

bool vantages_ask(struct run *run)
{
	struct err e = { 0 };

	for (size_t i = 0; i < run->experiment->vantage_point_count; i++)
		if (!ask(run, i, &e))
			return run_not_started(run, e.text);
	run->asked_ns = clock_now_ns(run->clock);
	return true;
}

/* ---- are they there? ---- */

/* What its journal has said since the last look. */
static void read_journal(struct run *run, struct vantage *vantage)
{
	struct arena scratch = { 0 };
	struct event *events = NULL;
	size_t count = 0;
	struct err ignored = { 0 }; /* a store that is away is asked again, until the time is over */

	if (!store_events_after(run->request->store, vantage->run_id, vantage->seen_number, &scratch,
				&events, &count, &ignored))
		count = 0;
	for (size_t i = 0; i < count; i++) {
		vantage->seen_number = events[i].number;
		if (events[i].kind == EVENT_STEADY)
			vantage->is_there = true;
		if (events[i].kind == EVENT_NOT_STEADY || events[i].kind == EVENT_STOP ||
		    events[i].kind == EVENT_SIGNAL || events[i].kind == EVENT_FAILED)
			vantage->why = arena_copy(&run->arena, events[i].text);
	}
	arena_release(&scratch);
}

static void take_state(struct run *run, struct vantage *vantage, const struct due_row *due)
{
	vantage->due_id = due->due_id;
	if (vantage->run_id == NULL && due->run_id != NULL)
		vantage->run_id = arena_copy(&run->arena, due->run_id);
	if (vantage->run_id != NULL)
		read_journal(run, vantage);
	if (vantage->is_there || vantage->why != NULL)
		return;
	if (due->state == DUE_DONE || due->state == DUE_ABANDONED)
		vantage->why = arena_copy(&run->arena,
					  due->sentence == NULL ? "it ended" : due->sentence);
}

/* True: each is there or will not come. */
static bool look(struct run *run)
{
	const struct experiment *experiment = run->experiment;
	struct arena scratch = { 0 };
	struct due_row *dues = NULL;
	size_t due_count = 0;
	struct err ignored = { 0 }; /* as above */
	bool is_whole = true;

	if (!store_dues_watching(run->request->store, run->request->run_id, &scratch, &dues,
				 &due_count, &ignored))
		due_count = 0;
	for (size_t i = 0; i < experiment->vantage_point_count; i++) {
		struct vantage *vantage = &run->vantages[i];

		if (!vantage->is_there && vantage->why == NULL)
			for (size_t n = 0; n < due_count; n++)
				if (strcmp(dues[n].vantage, experiment->vantage_points[i].name) == 0)
					take_state(run, vantage, &dues[n]);
		is_whole = is_whole && (vantage->is_there || vantage->why != NULL);
	}
	arena_release(&scratch);
	return is_whole;
}

/* What nobody took is missed, not due for ever. A store that is away leaves that to the schedulers. */
static void withdraw(struct run *run, const struct vantage *vantage)
{
	struct err ignored = { 0 };
	bool is_new = false;

	if (vantage->run_id == NULL && vantage->due_id != 0)
		(void)store_due_miss(run->request->store, vantage->due_id, &is_new, &ignored);
}

/* Those whose time is over will not come. */
static void give_up(struct run *run, int64_t now_ns)
{
	for (size_t i = 0; i < run->experiment->vantage_point_count; i++) {
		const struct vantage_point *point = &run->experiment->vantage_points[i];
		struct vantage *vantage = &run->vantages[i];
		char within[UNITS_TEXT_BYTES];

		if (vantage->is_there || vantage->why != NULL ||
		    now_ns < run->asked_ns + point->within_ns)
			continue;
		withdraw(run, vantage);
		(void)units_format_duration(point->within_ns, within);
		vantage->why = vantage->run_id == NULL ?
				       arena_format(&run->arena, "no worker with the label %s%s came "
						    "within %s", point->labels[0],
						    point->label_count > 1 ? " and its others" : "",
						    within) :
				       arena_format(&run->arena, "it did not see steady state within %s",
						    within);
	}
}

static bool tell_who_is_there(struct run *run)
{
	for (size_t i = 0; i < run->experiment->vantage_point_count; i++) {
		const struct vantage_point *point = &run->experiment->vantage_points[i];
		const struct vantage *vantage = &run->vantages[i];
		struct text text = { 0 };
		bool ok = true;

		if (vantage->is_there) {
			text_addf(&text, "%s watches as run %s, and sees steady state", point->name,
				  vantage->run_id);
			(void)journal_append(&run->journal, (struct event){ .kind = EVENT_WATCHING,
									    .name = point->name,
									    .text = text_str(&text) });
		} else if (!point->is_optional) {
			text_addf(&text, "the vantage point `%s` is not there: %s", point->name,
				  vantage->why);
			ok = run_not_started(run, text_str(&text));
		}
		text_release(&text);
		if (!ok)
			return false;
	}
	return true;
}

bool vantages_wait(struct run *run)
{
	if (run->experiment->vantage_point_count == 0)
		return true;
	while (!look(run) && !run->is_stopping) {
		run_wait(run, clock_now_ns(run->clock) + look_every_ns);
		give_up(run, clock_now_ns(run->clock));
	}
	if (run->is_stopping || !tell_who_is_there(run))
		return false;
	run->is_watched = true;
	return true;
}

/* ---- what they saw ---- */

void vantages_let_go(struct run *run)
{
	if (!run->is_watched || run->is_let_go)
		return;
	run->is_let_go = true;
	(void)journal_say(&run->journal, EVENT_WATCH_OVER, "the vantage points may end");
}

static const char died[] = "it died before it had told";

/* The watch has ended: what it saw, from its record alone. */
static void take_view(struct run *run, const struct run_row *row, struct arena *arena,
		      struct vantage_view *view)
{
	struct secrets none = { 0 };
	struct story story = { 0 };
	struct err e = { 0 };

	if (!story_build(run->request->store, row->run_id, arena, &none, &story, &e))
		view->why = arena_copy(arena, e.text);
	else if (row->exit_code == EXIT_INTERNAL)
		view->why = died;
	else if (row->exit_code != EXIT_MET || story.view_count != 1)
		view->why = arena_format(arena, "it did not watch to the end: %s",
					 row->sentence == NULL ? "" : row->sentence);
	else
		*view = story.views[0];
	secrets_release(&none);
}

/* False: it is still under way. What the view has stays in the arena. */
static bool look_at_end(struct run *run, struct arena *arena, struct vantage_view *view)
{
	struct arena scratch = { 0 };
	struct run_row row = { 0 };
	struct err e = { 0 };
	/* A store that is away comes back. */
	const bool is_read =
		store_run_find(run->request->store, view->run_id, &scratch, &row, &e);

	view->why = is_read ? NULL : arena_copy(arena, e.text);
	if (row.is_ended)
		take_view(run, &row, arena, view);
	else if (is_read && !store_run_is_alive(&row))
		view->why = died;
	arena_release(&scratch);
	return row.is_ended || (is_read && view->why != NULL);
}

static void append_view(struct run *run, const struct vantage_view *view)
{
	struct arena scratch = { 0 };
	struct text data = { 0 };
	struct text text = { 0 };

	vantage_text_write(view, &data);
	text_addf(&text, "%s: %s", view->name, vantage_words(view, &scratch));
	(void)journal_append(&run->journal, (struct event){ .kind = EVENT_SEEN_FROM,
							    .name = view->name,
							    .text = text_str(&text),
							    .data = text_str(&data) });
	text_release(&data);
	text_release(&text);
	arena_release(&scratch);
}

static void collect(struct run *run, size_t index, int64_t deadline_ns)
{
	const struct vantage *vantage = &run->vantages[index];
	struct arena scratch = { 0 };
	struct vantage_view view = { .name = run->experiment->vantage_points[index].name,
				     .run_id = vantage->run_id,
				     .why = vantage->why };

	while (vantage->is_there && !look_at_end(run, &scratch, &view)) {
		const int64_t now_ns = clock_now_ns(run->clock);

		if (now_ns >= deadline_ns) {
			if (view.why == NULL)
				view.why = "it had not told by the end of the run";
			break;
		}
		permission_beat(run);
		clock_sleep_until_ns(run->clock, now_ns + look_every_ns);
	}
	append_view(run, &view);
	arena_release(&scratch);
}

static int64_t longest_timeout_ns(const struct experiment *experiment)
{
	int64_t longest_ns = 0;

	for (size_t i = 0; i < experiment->probe_count; i++)
		if (experiment->probes[i].timeout_ns > longest_ns)
			longest_ns = experiment->probes[i].timeout_ns;
	return longest_ns;
}

void vantages_collect(struct run *run)
{
	const int64_t deadline_ns = clock_now_ns(run->clock) + collect_within_ns +
				    longest_timeout_ns(run->experiment);

	if (!run->is_watched)
		return;
	assert(run->is_let_go);
	for (size_t i = 0; i < run->experiment->vantage_point_count; i++)
		collect(run, i, deadline_ns);
}
