/*
 * action_due.c - actions "run" and "approve" of an experiment that a schedule of this page has: a due row for a
 * worker to take at once, and an agreement to exactly this plan. The page itself runs nothing and touches no
 * host.
 */
#include "serve/action.h"

#include <inttypes.h>
#include <string.h>

#include "base/random.h"
#include "base/units.h"
#include "engine/permission.h"
#include "load/load.h"
#include "reports/escape.h"
#include "serve/layout.h"
#include "serve/schedule_view.h"
#include "worker/scheduler.h"

static const int64_t begin_within_ns = INT64_C(300) * NS_PER_S;
static const int64_t approve_for_ns = INT64_C(24) * 3600 * NS_PER_S;

/* What is asked about, as its files are now. */
struct asked {
	const struct schedule *schedule;
	const struct scheduled_experiment *scheduled;
	const struct experiment *experiment;
	char digest[HASH_TEXT_BYTES]; /* what an approval stands for */
};

static bool load_asked(const struct errand *errand, struct asked *ret_asked, struct err *e)
{
	struct arena *arena = errand->visit->arena;
	struct problems *problems = arena_alloc(arena, sizeof *problems);
	struct secrets none = { 0 };
	struct text first = { 0 };
	bool ok;

	if (!schedule_view_experiment(errand->visit, errand->subject, &ret_asked->schedule,
				      &ret_asked->scheduled, e))
		return false;

	const struct load_request request = { .experiment_path = ret_asked->scheduled->path,
					      .inventory_path = ret_asked->scheduled->inventory_path,
					      .vars = ret_asked->scheduled->vars,
					      .var_count = ret_asked->scheduled->var_count };

	ok = load_experiment(&request, arena, &none, &ret_asked->experiment, problems);
	secrets_release(&none); /* none were asked for */
	if (ok) {
		permit_digest(ret_asked->experiment, NULL, ret_asked->digest);
		return true;
	}
	if (problems->count > 0)
		problem_print(&problems->items[0], &first);
	(void)err_set(e, ERR_REFUSED, "read %s: %.600s", ret_asked->scheduled->path, text_str(&first));
	text_release(&first);
	return false;
}

/* ---- what would be done ---- */

static void add_step(const struct plan_step *planned, struct text *body)
{
	char at[UNITS_TEXT_BYTES];
	char hold[UNITS_TEXT_BYTES];
	struct text line = { 0 };

	text_addf(&line, "%s, %s after the baseline", planned->step->fault,
		  units_format_duration(planned->step->at_ns, at));
	if (planned->step->hold_ns > 0)
		text_addf(&line, ", healed after %s", units_format_duration(planned->step->hold_ns, hold));
	text_add(&line, planned->is_resolved ? ", on" : ", on one or more of");
	for (size_t i = 0; i < planned->target_count; i++)
		text_addf(&line, "%s %s", i == 0 ? "" : ",", planned->targets[i].host->name);
	html_element(body, "li", NULL, text_str(&line));
	text_release(&line);
}

static void add_answer(const struct errand *errand, const struct plan *plan, struct text *body)
{
	const struct clock clock = clock_system();
	const struct permission_request request = {
		.plan = plan,
		.store = errand->store,
		.clock = &clock,
		.scope = PERMIT_NOW,
		.claim = { .environment = plan->experiment->inventory->policy.environment },
	};
	struct permit_answer answer;

	permission_preview(&request, errand->visit->arena, &answer);
	if (answer.refusal_count == 0)
		return;
	text_add(body, "<p>What stands in its way now:</p><ul>");
	for (size_t i = 0; i < answer.refusal_count; i++)
		html_element(body, "li", NULL, answer.refusals[i].text);
	text_add(body, "</ul>\n");
}

static bool show_plan(const struct errand *errand, const struct asked *asked, struct text *body,
		      struct err *e)
{
	struct plan plan;

	html_element(body, "h2", NULL, asked->experiment->title);
	if (asked->experiment->hypothesis != NULL)
		html_element(body, "p", NULL, asked->experiment->hypothesis);
	if (!plan_build(asked->experiment, "preview", random_fresh_seed(), errand->visit->arena, &plan, e))
		return false;
	text_add(body, "<ol>");
	for (size_t i = 0; i < plan.step_count; i++)
		add_step(&plan.steps[i], body);
	text_add(body, "</ol>\n");
	for (size_t i = 0; i < plan.caution_count; i++)
		html_element(body, "p", NULL, plan.cautions[i]);
	add_answer(errand, &plan, body);
	return true;
}

static bool show_run(struct errand *errand, struct text *body, struct err *e)
{
	struct asked asked;

	return load_asked(errand, &asked, e) && show_plan(errand, &asked, body, e);
}

/* ---- run ---- */

/* A name that no schedule has, so that the mark of the schedule stays where it is. */
static const char *name_by_hand(const struct schedule *schedule, struct arena *arena)
{
	return arena_format(arena, "%s by hand", schedule->name);
}

static bool act_run(const struct errand *errand, const char **ret_sentence, struct err *e)
{
	struct arena *arena = errand->visit->arena;
	char within[UNITS_TEXT_BYTES];
	bool is_new = false;
	struct asked asked;

	if (!load_asked(errand, &asked, e))
		return false;

	struct due_row row = {
		.schedule = name_by_hand(asked.schedule, arena),
		.nominal_wall_ns = errand->wall_ns,
		.turn = 1 + (asked.scheduled - asked.schedule->experiments),
		.due_wall_ns = errand->wall_ns,
		.latest_wall_ns = errand->wall_ns + begin_within_ns,
		.labels = asked.schedule->labels,
		.label_count = asked.schedule->label_count,
		.state = DUE_WAITS,
	};

	if (!scheduler_fill_documents(asked.scheduled, arena, &row, e) ||
	    !store_due_put(errand->store, &row, &is_new, e))
		return false;
	if (!is_new)
		return err_set(e, ERR_REFUSED, "somebody else has asked for the same in this moment");
	*ret_sentence = arena_format(arena, "%s is due; a worker takes it within %s, or it is missed",
				     asked.experiment->title,
				     units_format_duration(begin_within_ns, within));
	return true;
}

const struct action action_run = {
	.name = "run",
	.title = "Run an experiment now",
	.button = "Run it",
	.about = "A worker takes it at once, whatever its schedule says. Its policy holds, and so do locks on its "
		 "targets: what these forbid is not run.",
	.subject = "Schedule",
	.has_reason = true,
	.show = show_run,
	.act = act_run,
};

/* ---- approve ---- */

static bool check_policy(const struct asked *asked, struct err *e)
{
	return asked->experiment->inventory->policy.approval_count > 0 ||
	       err_set(e, ERR_REFUSED, "the policy in %s asks for no approvals (`approvals: 2` would)",
		       asked->experiment->inventory_path);
}

/* Who agrees agrees to what they saw, and not to what has become of it since. */
static bool show_approve(struct errand *errand, struct text *body, struct err *e)
{
	struct asked asked;

	if (!load_asked(errand, &asked, e) || !check_policy(&asked, e) ||
	    !show_plan(errand, &asked, body, e))
		return false;
	errand->digest = arena_copy(errand->visit->arena, asked.digest);
	return true;
}

static bool act_approve(const struct errand *errand, const char **ret_sentence, struct err *e)
{
	struct arena *arena = errand->visit->arena;
	struct asked asked;

	if (!load_asked(errand, &asked, e) || !check_policy(&asked, e))
		return false;
	if (strcmp(request_field(errand->visit->request, "digest"), asked.digest) != 0)
		return err_set(e, ERR_REFUSED, "the plan of %s is not the one that was shown: look at it, and "
			       "approve again", errand->subject);

	const struct approval_row row = {
		.digest = asked.digest,
		.person = errand->person,
		.account = arena_format(arena, "token of %s, from %s", errand->person,
					errand->visit->caller.address),
		.title = asked.experiment->title,
		.wall_ns = errand->wall_ns,
		.until_wall_ns = errand->wall_ns + approve_for_ns,
	};
	char until[LAYOUT_AGE_BYTES];

	if (!store_approve(errand->store, &row, e))
		return false;
	*ret_sentence = arena_format(arena, "%s approves %s until %s", errand->person, errand->subject,
				     layout_moment(row.until_wall_ns, until));
	return true;
}

const struct action action_approve = {
	.name = "approve",
	.title = "Approve a plan",
	.button = "Approve exactly this",
	.about = "You agree to this plan for 24 hours. Any change of its documents needs new approvals, and each "
		 "person counts once.",
	.subject = "Schedule",
	.show = show_approve,
	.act = act_approve,
};
