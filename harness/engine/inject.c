/*
 * inject.c - one step of the method: who plays the role now, write down the heal, arm the guard, do
 * the harm, look whether it took effect.
 *
 * Every target goes through the same order, and nothing is harmed before its intent is durable. A
 * half-done inject counts as done: its record is open and will be healed.
 */
#include "engine/run.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "engine/permission.h"

static const int64_t role_timeout_ns = 10 * NS_PER_S;
static const int64_t confirm_at_most_ns = 5 * NS_PER_S;
static const int64_t confirm_every_ns = 20 * NS_PER_MS;

static bool tell(struct run *run, enum event_kind kind, const struct heal_record *record,
		 const char *text, const char *data)
{
	return journal_append(&run->journal, (struct event){ .kind = kind,
							     .step = record->step,
							     .host = record->host->name,
							     .text = text,
							     .data = data });
}

static bool resolve(struct run *run, size_t step_index, struct err *e)
{
	struct plan_step *planned = &run->plan.steps[step_index];
	const struct selector *on = &planned->step->on;
	const struct host *members[LIMIT_TARGETS];
	size_t count = 0;

	if (planned->is_resolved)
		return true;
	assert(on->service != NULL); /* the loader: a role needs a service */
	return run->request->outside.ops->resolve_role(run->request->outside.ctx, on->service,
						       on->role,
						       clock_now_ns(run->clock) + role_timeout_ns,
						       members, &count, e) &&
	       plan_resolve(&run->plan, step_index, members, count, &run->arena, e);
}

static bool tell_targets(struct run *run, const struct plan_step *planned)
{
	struct text text = { 0 };
	struct text data = { 0 };
	struct json *root = json_object();
	struct json *hosts = json_put_array(root, "hosts");

	text_addf(&text, "step %" PRIu32 " (%s) hits", planned->step->index, planned->step->fault);
	for (size_t i = 0; i < planned->target_count; i++) {
		text_addf(&text, "%s %s", i == 0 ? "" : ",", planned->targets[i].host->name);
		json_push_text(hosts, planned->targets[i].host->name);
	}
	if (planned->step->on.role != NULL)
		text_addf(&text, " (%s of %s)", planned->step->on.role,
			  planned->step->on.service->name);
	json_put_int(root, "seed", (int64_t)run->plan.seed);
	json_print(root, false, &data);

	const bool ok = journal_append(&run->journal, (struct event){ .kind = EVENT_TARGETS,
								      .step = planned->step->index,
								      .text = text_str(&text),
								      .data = text_str(&data) });

	json_release(root);
	text_release(&text);
	text_release(&data);
	return ok;
}

/* Durable: the state before, the record, the intent. Only then may harm be done. */
static bool write_down(struct run *run, const struct plan_target *target,
		       struct fault_context *ctx, const char **ret_before, struct err *e)
{
	const struct heal_record *record = &target->record;
	struct text state = { 0 };
	struct text printed = { 0 };
	struct text data = { 0 };
	struct json *root = NULL;
	bool ok = false;

	if (!fault_find(record->fault)->read_back(record, ctx, &state, e)) {
		err_wrap(e, "read the state of %s", record->host->name);
		goto out;
	}
	*ret_before = arena_copy(&run->arena, text_str(&state));
	heal_record_print(record, &printed);
	root = json_object();
	json_put_text(root, "inject", target->inject);
	json_put_text(root, "heal", target->heal);
	json_put_text(root, "record", text_str(&printed));
	json_print(root, false, &data);
	ok = store_heal_put(run->request->store, record, *ret_before, e);
	if (ok && !(tell(run, EVENT_STATE_BEFORE, record, *ret_before, NULL) &&
		    tell(run, EVENT_INTENT, record, target->inject, text_str(&data)))) {
		*e = run->journal.failure;
		ok = false;
	}
out:
	json_release(root);
	text_release(&state);
	text_release(&printed);
	text_release(&data);
	return ok;
}

static void add_harm(struct run *run, const struct plan_step *planned,
		     const struct plan_target *target, const char *before)
{
	const int64_t now_ns = clock_now_ns(run->clock);
	const size_t room = sizeof run->harms / sizeof run->harms[0];

	assert(run->harm_count < room); /* checked before the step began */
	run->harms[run->harm_count++] = (struct harm){
		.record = &target->record,
		.before = before,
		.is_on = true,
		.heal_due_ns = planned->step->hold_ns > 0 ? now_ns + planned->step->hold_ns : 0,
		.renew_due_ns = now_ns + target->record.lease_ns / 3,
	};
	if (run->first_harm_ns == 0)
		run->first_harm_ns = now_ns;
}

/* A signal needs a moment to end a process: not yet in effect is asked again, for a while. The run lives on
   meanwhile, and what it does for others may change the session. */
static enum confirmation confirm(struct run *run, const struct heal_record *record,
				 const struct fault_context *begun, struct text *ret_evidence)
{
	const struct fault_ops *fault = fault_find(record->fault);
	const int64_t deadline_ns = clock_now_ns(run->clock) + confirm_at_most_ns;
	struct fault_context ctx = *begun;
	enum confirmation answer = fault->confirm(record, &ctx, ret_evidence);

	while (answer != CONFIRMED && !run->is_stopping && clock_now_ns(run->clock) < deadline_ns) {
		struct err e = { 0 };

		run_tick(run, clock_now_ns(run->clock) + confirm_every_ns);
		text_clear(ret_evidence);
		if (sessions_context(run->sessions, record, &ctx, &e)) {
			answer = fault->confirm(record, &ctx, ret_evidence);
		} else {
			answer = CONFIRM_UNKNOWN;
			text_add(ret_evidence, e.text);
		}
	}
	return answer;
}

static bool tell_confirmation(struct run *run, const struct heal_record *record,
			      const struct fault_context *ctx, int64_t sent_ns)
{
	static const enum event_kind kinds[] = {
		[CONFIRMED] = EVENT_CONFIRMED,
		[CONFIRM_MISMATCH] = EVENT_MISMATCH,
		[CONFIRM_UNKNOWN] = EVENT_UNKNOWN,
	};
	struct text evidence = { 0 };
	const enum confirmation answer = confirm(run, record, ctx, &evidence);
	const int64_t until_ns = clock_now_ns(run->clock);

	(void)journal_append(&run->journal, (struct event){ .kind = kinds[answer],
							    .step = record->step,
							    .host = record->host->name,
							    .from_ns = sent_ns,
							    .until_ns = until_ns,
							    .text = text_str(&evidence) });
	run->last_change_ns = until_ns;
	text_release(&evidence);
	return answer == CONFIRMED;
}

static bool tell_guarded(struct run *run, const struct heal_record *record)
{
	char lease[UNITS_TEXT_BYTES];
	struct text text = { 0 };

	text_addf(&text, "it is undone when the guard has not heard of us for %s",
		  units_format_duration(record->lease_ns, lease));

	const bool ok = tell(run, EVENT_GUARDED, record, text_str(&text), NULL);

	text_release(&text);
	return ok;
}

static bool harm_one(struct run *run, const struct plan_step *planned,
		     const struct plan_target *target, struct err *e)
{
	const struct heal_record *record = &target->record;
	const struct fault_ops *fault = fault_find(record->fault);
	struct fault_context ctx;
	const char *before = NULL;

	if (!sessions_context(run->sessions, record, &ctx, e) ||
	    !write_down(run, target, &ctx, &before, e))
		return false;
	add_harm(run, planned, target, before);
	if (!fault->arm(record, &ctx, e))
		return err_wrap(e, "arm the guard on %s", record->host->name);
	/* A fault that leaves nothing on has no guard. */
	if (fault->has_heal && !tell_guarded(run, record)) {
		*e = run->journal.failure; /* what cannot be written down is not done */
		return false;
	}

	const int64_t sent_ns = clock_now_ns(run->clock);

	if (!fault->inject(record, &ctx, e))
		return false;
	(void)journal_append(&run->journal, (struct event){ .kind = EVENT_INJECTED,
							    .step = record->step,
							    .host = record->host->name,
							    .from_ns = sent_ns,
							    .until_ns = clock_now_ns(run->clock),
							    .text = target->inject });
	/* Not in effect is a finding for the judge, not a reason to stop the others. */
	(void)tell_confirmation(run, record, &ctx, sent_ns);
	return true;
}

/* The helper that may not do a fault, or not with these words, refuses to look for it as well. */
static bool ask_helper(struct run *run, const struct heal_record *record, struct err *e)
{
	const struct fault_ops *fault = fault_find(record->fault);
	const struct fault_request request = { .run_id = record->run_id,
					       .step = record->step,
					       .host = record->host,
					       .inventory = run->experiment->inventory,
					       .lease_ns = record->lease_ns };
	struct fault_context ctx;
	struct text missing = { 0 };
	struct text state = { 0 };
	bool ok = sessions_context(run->sessions, record, &ctx, e) &&
		  fault->examine(&request, &ctx, &missing, e);

	if (ok && missing.length_bytes > 0)
		ok = err_set(e, ERR_REFUSED, "%s: %.*s", record->host->name,
			     (int)strcspn(text_str(&missing), "\n"), text_str(&missing));
	ok = ok && fault->read_back(record, &ctx, &state, e);
	text_release(&missing);
	text_release(&state);
	return ok || err_wrap(e, "%s", record->fault);
}

bool inject_ask_helpers(struct run *run, struct err *e)
{
	for (size_t i = 0; i < run->plan.step_count; i++) {
		const struct plan_step *planned = &run->plan.steps[i];
		const bool is_there = fault_find(planned->step->fault)->scripts != NULL;

		for (size_t j = 0; is_there && j < planned->target_count; j++)
			if (planned->targets[j].host->is_sudo &&
			    !ask_helper(run, &planned->targets[j].record, e))
				return false;
	}
	return true;
}

bool inject_step(struct run *run, size_t step_index)
{
	struct plan_step *planned = &run->plan.steps[step_index];
	struct err e = { 0 };

	if (!resolve(run, step_index, &e)) {
		(void)journal_append(&run->journal, (struct event){ .kind = EVENT_INJECT_FAILED,
								    .step = planned->step->index,
								    .text = e.text });
		return false;
	}
	if (run->harm_count + planned->target_count >
	    sizeof run->harms / sizeof run->harms[0]) {
		(void)journal_say(&run->journal, EVENT_INJECT_FAILED,
				  "step %" PRIu32 " would be harm number %zu; the limit of one run is %zu",
				  planned->step->index, run->harm_count + planned->target_count,
				  sizeof run->harms / sizeof run->harms[0]);
		return false;
	}
	(void)tell_targets(run, planned);
	for (size_t i = 0; i < planned->target_count; i++) {
		if (i > 0)
			run_tick(run, 0); /* many targets take their time: leases, signals, stop conditions */
		permission_wait_for_store(run);
		if (run->is_stopping)
			return true; /* nothing more is harmed */
		if (!permission_to_inject(run, planned, i))
			return false;
		if (harm_one(run, planned, &planned->targets[i], &e))
			continue;
		err_wrap(&e, "%s on %s", planned->step->fault, planned->targets[i].host->name);
		(void)tell(run, EVENT_INJECT_FAILED, &planned->targets[i].record, e.text, NULL);
		return false;
	}
	return true;
}
