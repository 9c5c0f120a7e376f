/*
 * permission.c - see permission.h. The question is put together anew each time: an approval expires, a
 * window closes, another run takes a host between two injects.
 */
#include "engine/permission.h"

#include <inttypes.h>
#include <string.h>

#include "base/process.h"
#include "base/units.h"

static const int64_t orders_every_ns = NS_PER_S / 2;

/* Long beside any one command on a host, so that waiting for an answer is not death. */
static const int64_t life_least_ns = 60 * NS_PER_S;

void permission_beat(struct run *run)
{
	const int64_t now_ns = clock_now_ns(run->clock);
	const int64_t life_ns = run->experiment->lease_ns > life_least_ns ? run->experiment->lease_ns :
									   life_least_ns;

	if (now_ns < run->beat_due_ns)
		return;
	run->beat_due_ns = now_ns + life_ns / 6;
	/* One that fails is made good by the next; a store that is gone shows at the next event. */
	(void)store_run_beat(run->request->store, run->request->run_id, process_space(),
			     clock_wall_ns(run->clock) + life_ns, NULL);
}

bool permission_lock(struct run *run, const struct host *const *hosts, size_t count, struct err *e)
{
	struct store *store = run->request->store;
	const char *run_id = run->request->run_id;

	permission_beat(run); /* before there is anything to take from us */
	for (size_t i = 0; i < count; i++) {
		if (!store_lock_take(store, run_id, hosts[i]->name, e))
			return false;
		if (!store_lock_take(store, run_id, host_place(hosts[i], &run->arena), e))
			return err_wrap(e, "`%s` is also known by another name", hosts[i]->name);
	}
	return true;
}

/* ---- the question ---- */

struct asking {
	struct store *store;
	const struct experiment *experiment;
	const char *run_id; /* NULL: there is no run yet */
	const char *set_id;
	struct arena *arena;
	struct permit_question question;
	struct permit_hit *hits;
};

static void add_hit(struct asking *asking, struct permit_hit hit)
{
	struct permit_question *question = &asking->question;

	asking->hits = arena_more(asking->arena, asking->hits, question->hit_count,
				  sizeof *asking->hits);
	asking->hits[question->hit_count++] = hit;
	question->hits = asking->hits;
}

/* The first trouble is enough: nothing is permitted then. */
static void note_trouble(struct asking *asking, const struct err *e)
{
	if (asking->question.trouble == NULL)
		asking->question.trouble = arena_copy(asking->arena, e->text);
}

static void read_stop(struct asking *asking)
{
	struct stop_row *stop = arena_alloc(asking->arena, sizeof *stop);
	bool is_there = false;
	struct err e = { 0 };

	if (!store_stop_find(asking->store, asking->run_id, asking->set_id, asking->arena, &is_there,
			     stop, &e))
		note_trouble(asking, &e);
	else if (is_there)
		asking->question.stop = stop;
}

static void read_approvals(struct asking *asking)
{
	struct approval_row *rows = NULL;
	size_t count = 0;
	char digest[HASH_TEXT_BYTES];
	struct err e = { 0 };

	permit_digest(asking->experiment, asking->question.claim.override_reason, digest);
	if (!store_approvals(asking->store, digest, asking->arena, &rows, &count, &e)) {
		note_trouble(asking, &e);
		return;
	}
	asking->question.approvals = rows;
	asking->question.approval_count = count;
}

static const char *find_holder(const struct asking *asking, const struct lock_row *locks,
			       size_t count, const char *target)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(locks[i].target, target) == 0 &&
		    (asking->run_id == NULL || strcmp(locks[i].run_id, asking->run_id) != 0))
			return locks[i].run_id;
	return NULL;
}

/* What other runs hold they may harm at any moment, and until they let go. */
static void read_others(struct asking *asking)
{
	const struct inventory *inventory = asking->experiment->inventory;
	struct lock_row *locks = NULL;
	size_t count = 0;
	struct err e = { 0 };

	if (!store_locks(asking->store, asking->arena, &locks, &count, &e)) {
		note_trouble(asking, &e);
		return;
	}
	for (size_t i = 0; count > 0 && i < inventory->host_count; i++) {
		const struct host *host = &inventory->hosts[i];
		const char *holder = find_holder(asking, locks, count, host->name);

		if (holder == NULL)
			holder = find_holder(asking, locks, count, host_place(host, asking->arena));
		if (holder != NULL)
			add_hit(asking, (struct permit_hit){ .host = host,
							     .from_ns = INT64_MIN,
							     .until_ns = INT64_MAX,
							     .is_certain = true,
							     .held_by = holder });
	}
}

static void ask(struct asking *asking, struct permit_answer *ret_answer)
{
	asking->question.inventory = asking->experiment->inventory;
	if (asking->store != NULL && asking->question.scope == PERMIT_NOW) {
		read_stop(asking);
		if (asking->experiment->inventory->policy.approval_count > 0)
			read_approvals(asking);
		if (asking->experiment->inventory->policy.cap_count > 0)
			read_others(asking);
	}
	permit_check(&asking->question, asking->arena, ret_answer);
}

static void add_plan(struct asking *asking, const struct plan *plan)
{
	permit_hits_of_plan(plan, asking->arena, &asking->hits, &asking->question.hit_count);
	asking->question.hits = asking->hits;
}

void permission_preview(const struct permission_request *request, struct arena *arena,
			struct permit_answer *ret_answer)
{
	struct asking asking = {
		.store = request->store,
		.experiment = request->plan->experiment,
		.arena = arena,
		.question = { .scope = request->scope,
			      .wall_ns = clock_wall_ns(request->clock),
			      .claim = request->claim },
	};

	add_plan(&asking, request->plan);
	ask(&asking, ret_answer);
}

/* ---- in a run ---- */

static struct asking asking_of(struct run *run, struct arena *arena)
{
	const struct run_request *request = run->request;

	return (struct asking){
		.store = request->store,
		.experiment = run->experiment,
		.run_id = request->run_id,
		.set_id = request->set_id,
		.arena = arena,
		.question = { .scope = PERMIT_NOW,
			      .wall_ns = clock_wall_ns(run->clock),
			      .claim = request->claim },
	};
}

static void tell_refusals(struct run *run, const struct permit_answer *answer, uint32_t step)
{
	const struct permit_claim *claim = &run->request->claim;

	for (size_t i = 0; i < answer->refusal_count; i++) {
		const struct permit_refusal *refusal = &answer->refusals[i];
		struct text text = { 0 };

		if (refusal->is_overridden)
			text_addf(&text, "set aside by %s (%s): ",
				  claim->by == NULL ? "somebody" : claim->by, claim->override_reason);
		text_add(&text, refusal->text);
		(void)journal_append(&run->journal,
				     (struct event){ .kind = refusal->is_overridden ? EVENT_OVERRIDDEN :
										      EVENT_REFUSED,
						     .step = step,
						     .name = permit_rule_name(refusal->rule),
						     .text = text_str(&text) });
		text_release(&text);
	}
}

static void tell_grounds(struct run *run, const struct permit_answer *answer, uint32_t step)
{
	const struct permit_claim *claim = &run->request->claim;
	struct text text = { 0 };

	if (!run->experiment->inventory->policy.is_declared)
		return;
	text_addf(&text, "%s may do this", claim->by == NULL ? "the run" : claim->by);
	if (answer->grounds[0] != '\0')
		text_addf(&text, ": %s", answer->grounds);
	(void)journal_append(&run->journal, (struct event){ .kind = EVENT_PERMITTED,
							    .step = step,
							    .text = text_str(&text) });
	text_release(&text);
}

bool permission_to_start(struct run *run)
{
	struct asking asking = asking_of(run, &run->arena);
	struct permit_answer answer;
	struct text why = { 0 };

	add_plan(&asking, &run->plan);
	ask(&asking, &answer);
	tell_refusals(run, &answer, 0);
	if (answer.is_permitted) {
		tell_grounds(run, &answer, 0);
		return true;
	}
	permit_say(&answer, &why);
	(void)run_not_started(run, text_str(&why));
	text_release(&why);
	return false;
}

/* What is on, and all that this step is about to do. */
static void add_harm_now(struct asking *asking, const struct run *run,
			 const struct plan_step *planned)
{
	for (size_t i = 0; i < run->harm_count; i++)
		if (run->harms[i].is_on && run->harms[i].record->step != planned->step->index)
			add_hit(asking, (struct permit_hit){ .host = run->harms[i].record->host,
							     .fault = run->harms[i].record->fault,
							     .step = run->harms[i].record->step,
							     .until_ns = INT64_MAX,
							     .is_certain = true });
	for (size_t i = 0; i < planned->target_count; i++)
		add_hit(asking, (struct permit_hit){ .host = planned->targets[i].host,
						     .fault = planned->step->fault,
						     .step = planned->step->index,
						     .until_ns = INT64_MAX,
						     .is_certain = true });
}

static void refuse_inject(struct run *run, const struct plan_step *planned,
			  const struct permit_answer *answer)
{
	struct text why = { 0 };

	tell_refusals(run, answer, planned->step->index);
	text_addf(&why, "step %" PRIu32 " (%s) is no longer permitted: ", planned->step->index,
		  planned->step->fault);
	permit_say(answer, &why);
	if (run->harm_count == 0)
		(void)run_not_started(run, text_str(&why));
	else
		run_stop(run, EVENT_STOP, 0, text_str(&why));
	text_release(&why);
}

bool permission_to_inject(struct run *run, const struct plan_step *planned, size_t target_index)
{
	struct arena scratch = { 0 };
	struct asking asking = asking_of(run, &scratch);
	struct permit_answer answer;

	add_harm_now(&asking, run, planned);
	ask(&asking, &answer);
	if (!answer.is_permitted)
		refuse_inject(run, planned, &answer);
	else if (target_index == 0)
		tell_grounds(run, &answer, planned->step->index);

	const bool is_permitted = answer.is_permitted;

	arena_release(&scratch);
	return is_permitted;
}

/* On the run's clock, when somebody ordered it; 0: that cannot be so, as after a step of the wall clock. */
static int64_t ordered_ns(const struct run *run, const struct stop_row *stop)
{
	const int64_t age_ns = clock_wall_ns(run->clock) - stop->wall_ns;

	return age_ns >= 0 && age_ns < 2 * orders_every_ns ? clock_now_ns(run->clock) - age_ns : 0;
}

/* A shared store may be away while its servers change places. As long as others take us for alive, that
   alone is no reason to end a run: what happens is kept, nothing new is harmed. */
static bool is_away_for_a_while(struct run *run, int64_t now_ns, const struct err *why)
{
	if (!store_is_away(run->request->store))
		return false;
	if (run->store_away_ns == 0) {
		run->store_away_ns = now_ns;
		(void)journal_say(&run->journal, EVENT_NOTE,
				  "the store is away, and what happens is kept on this machine until "
				  "it is back: %s", why->text);
	}
	return now_ns - run->store_away_ns < life_least_ns;
}

static void note_back(struct run *run, int64_t now_ns)
{
	char length[UNITS_TEXT_BYTES];

	if (run->store_away_ns == 0)
		return;
	(void)journal_say(&run->journal, EVENT_NOTE, "the store is back after %s",
			  units_format_duration(now_ns - run->store_away_ns, length));
	run->store_away_ns = 0;
}

void permission_wait_for_store(struct run *run)
{
	while (store_is_away(run->request->store) && !run->is_stopping)
		run_tick(run, clock_now_ns(run->clock) + orders_every_ns);
}

void permission_look_at_orders(struct run *run)
{
	const int64_t now_ns = clock_now_ns(run->clock);
	struct arena scratch = { 0 };
	struct stop_row stop;
	bool is_there = false;
	struct text text = { 0 };
	struct err e = { 0 };

	if (run->is_stopping || now_ns < run->orders_due_ns)
		return;
	run->orders_due_ns = now_ns + orders_every_ns;

	const bool is_asked = store_stop_find(run->request->store, run->request->run_id,
					      run->request->set_id, &scratch, &is_there, &stop, &e);

	if (is_asked)
		note_back(run, now_ns);
	if (!is_asked && !is_away_for_a_while(run, now_ns, &e))
		text_addf(&text, "stopped: whether somebody has ordered it cannot be told: %s", e.text);
	else if (is_there)
		text_addf(&text, "stopped by %s%s: %s", stop.person,
			  stop.subject == NULL ? " (emergency stop of everything)" : "", stop.reason);
	if (text.length_bytes > 0)
		run_stop(run, EVENT_STOP, is_there ? ordered_ns(run, &stop) : 0, text_str(&text));
	text_release(&text);
	arena_release(&scratch);
}
