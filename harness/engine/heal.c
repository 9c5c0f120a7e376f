/*
 * heal.c - see heal.h and engine.h.
 *
 * A target that cannot be reached is tried again until its own guard must have healed it: the lease,
 * and then some. After the heal the state must become what it was before the harm; a service that
 * its manager raises again needs a moment, so the state is read until it is equal or time is up.
 */
#include "engine/heal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/process.h"
#include "load/load.h"

static const int64_t retry_ns = NS_PER_S;
static const int64_t open_quickly_ns = 2 * NS_PER_S; /* while others wait for their first try */
static const int64_t read_every_ns = 200 * NS_PER_MS;
static const int64_t lease_grace_ns = 15 * NS_PER_S;
static const int64_t recover_default_ns = 60 * NS_PER_S;

static bool tell(const struct heal_job *job, enum event_kind kind, int64_t from_ns, int64_t until_ns,
		 const char *text)
{
	return journal_append(job->journal, (struct event){
						    .kind = kind,
						    .step = job->record->step,
						    .host = job->record->host->name,
						    .from_ns = from_ns,
						    .until_ns = until_ns,
						    .text = text,
					    });
}

static bool try_heal(const struct heal_job *job, int64_t *ret_sent_ns, struct err *e)
{
	const struct fault_ops *fault = fault_find(job->record->fault);
	struct fault_context ctx;

	if (!sessions_context(job->sessions, job->record, &ctx, e))
		return false;
	*ret_sent_ns = journal_now_ns(job->journal);
	if (!fault->heal(job->record, &ctx, e)) {
		/* Whatever broke, the next try begins with a fresh line. */
		sessions_drop(job->sessions, job->record->host);
		return false;
	}
	return true;
}

enum course { COURSE_PENDING = 0, COURSE_HEALED, COURSE_GIVEN_UP };

static enum course attempt_heal(const struct heal_job *job, int64_t deadline_ns)
{
	const struct heal_record *record = job->record;
	struct text text = { 0 };
	struct err e = { 0 };
	int64_t sent_ns = 0;
	const bool is_healed = try_heal(job, &sent_ns, &e);

	/* Refused or unknown stays so: trying again would only keep people waiting. */
	if (!is_healed && e.kind != ERR_REFUSED && e.kind != ERR_INPUT &&
	    journal_now_ns(job->journal) < deadline_ns)
		return COURSE_PENDING;
	if (is_healed)
		text_addf(&text, "%s on %s is healed", record->fault, record->host->name);
	else
		text_addf(&text, "heal %s on %s: %s", record->fault, record->host->name, e.text);
	(void)tell(job, is_healed ? EVENT_HEALED : EVENT_HEAL_FAILED, is_healed ? sent_ns : 0,
		   is_healed ? journal_now_ns(job->journal) : 0, text_str(&text));
	text_release(&text);
	return is_healed ? COURSE_HEALED : COURSE_GIVEN_UP;
}

/* The newer harm of a host is undone before the older one. */
static bool must_wait(const struct heal_job *jobs, const enum course *courses, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (courses[i] == COURSE_PENDING &&
		    strcmp(jobs[i].record->host->name, jobs[index].record->host->name) == 0)
			return true;
	return false;
}

static size_t attempt_round(const struct heal_job *jobs, size_t count, int64_t begun_ns,
			    enum course *courses)
{
	size_t pending_count = 0;

	for (size_t i = 0; i < count; i++) {
		const int64_t deadline_ns = begun_ns + jobs[i].record->lease_ns + lease_grace_ns;

		if (courses[i] == COURSE_PENDING && !must_wait(jobs, courses, i))
			courses[i] = attempt_heal(&jobs[i], deadline_ns);
		pending_count += courses[i] == COURSE_PENDING ? 1 : 0;
	}
	return pending_count;
}

/* One reading. False: it could not be read; e says why. */
static bool read_state(const struct heal_job *job, struct text *ret_state, struct err *e)
{
	const struct fault_ops *fault = fault_find(job->record->fault);
	struct fault_context ctx;

	text_clear(ret_state);
	if (!sessions_context(job->sessions, job->record, &ctx, e))
		return false;
	if (!fault->read_back(job->record, &ctx, ret_state, e)) {
		sessions_drop(job->sessions, job->record->host);
		return false;
	}
	return true;
}

static bool read_back(const struct heal_job *job)
{
	const int64_t deadline_ns = journal_now_ns(job->journal) + job->recover_at_most_ns;
	struct text state = { 0 };
	struct text sentence = { 0 };
	struct err e = { 0 };
	bool is_read = false;
	bool is_equal = false;

	for (;;) {
		is_read = read_state(job, &state, &e);
		/* Without a reading from before, a heal that worked is all that can be told. */
		is_equal = is_read &&
			   (job->before == NULL || strcmp(text_str(&state), job->before) == 0);
		if (is_equal || journal_now_ns(job->journal) >= deadline_ns)
			break;
		job->patience.wait_until(job->patience.ctx,
					 clock_now_ns(job->journal->clock) + read_every_ns);
	}
	if (is_equal && job->before != NULL)
		text_addf(&sentence, "%s is as it was before %s: %s", job->record->host->name,
			  job->record->fault, text_str(&state));
	else if (is_equal)
		text_addf(&sentence, "%s after %s: %s (the state before was not read)",
			  job->record->host->name, job->record->fault, text_str(&state));
	else if (is_read)
		text_addf(&sentence, "%s is not as it was before %s: before: %s; now: %s",
			  job->record->host->name, job->record->fault, job->before,
			  text_str(&state));
	else
		text_addf(&sentence, "the state of %s after %s could not be read: %s",
			  job->record->host->name, job->record->fault, e.text);
	(void)tell(job, is_equal ? EVENT_CLEAN : EVENT_LEFTOVER, 0, 0, text_str(&sentence));
	text_release(&state);
	text_release(&sentence);
	return is_equal;
}

static void mark(const struct heal_job *job, bool is_healed)
{
	struct err e = { 0 };

	if (!store_heal_mark(job->journal->store, job->record,
			     is_healed ? HEAL_DONE : HEAL_LEFTOVER, &e) &&
	    !job->journal->is_broken) {
		job->journal->is_broken = true;
		job->journal->failure = e;
	}
}

size_t heal_many(const struct heal_job *jobs, size_t count, bool *ret_is_healed)
{
	enum course *courses = mem_alloc((count + 1) * sizeof *courses);
	const int64_t begun_ns = count > 0 ? journal_now_ns(jobs[0].journal) : 0;
	size_t healed_count = 0;
	size_t pending_count;

	/* First round: who answers at once is healed at once. */
	if (count > 1)
		sessions_set_patience(jobs[0].sessions, open_quickly_ns);
	pending_count = attempt_round(jobs, count, begun_ns, courses);
	if (count > 1)
		sessions_set_patience(jobs[0].sessions, 0);
	while (pending_count > 0) {
		const struct patience *patience = &jobs[0].patience;

		patience->wait_until(patience->ctx,
				     clock_now_ns(jobs[0].journal->clock) + retry_ns);
		pending_count = attempt_round(jobs, count, begun_ns, courses);
	}
	for (size_t i = 0; i < count; i++) {
		const bool is_healed = courses[i] == COURSE_HEALED && read_back(&jobs[i]);

		mark(&jobs[i], is_healed);
		healed_count += is_healed ? 1 : 0;
		if (ret_is_healed != NULL)
			ret_is_healed[i] = is_healed;
	}
	free(courses);
	return healed_count;
}

static void plain_wait_until(void *ctx, int64_t until_ns)
{
	const struct clock *clock = ctx;

	clock_sleep_until_ns(clock, until_ns);
}

/* The run's own clock began at its boot; after a reboot of ours its time goes on by the wall's. */
static int64_t shift_since(const struct run_row *run, const struct clock *clock)
{
	struct process_id self;

	if (process_self(&self, NULL) && run->boot_id != NULL &&
	    strcmp(self.boot_id, run->boot_id) == 0)
		return 0;
	return run->anchor.boot_ns + (clock_wall_ns(clock) - run->anchor.wall_ns) -
	       clock_now_ns(clock);
}

struct healing {
	struct store *store;
	struct sessions *sessions;
	const struct clock *clock;
	const struct progress *progress;
	const char *sample_dir;
	struct heal_summary *summary;
};

/* The heals of one run, undone together; what is left is listed. */
static void heal_rows(const struct healing *healing, const struct heal_row *const *rows, size_t count,
		      struct journal *journal)
{
	struct clock clock = *healing->clock;
	struct heal_job *jobs = mem_alloc((count + 1) * sizeof *jobs);
	bool *is_healed = mem_alloc((count + 1) * sizeof *is_healed);

	for (size_t i = 0; i < count; i++)
		jobs[i] = (struct heal_job){
			.record = &rows[i]->record,
			.before = rows[i]->before,
			.journal = journal,
			.sessions = healing->sessions,
			.patience = { .wait_until = plain_wait_until, .ctx = &clock },
			.recover_at_most_ns = recover_default_ns,
		};
	healing->summary->healed_count += heal_many(jobs, count, is_healed);
	for (size_t i = 0; i < count; i++) {
		const struct heal_record *record = jobs[i].record;

		if (is_healed[i])
			continue;
		healing->summary->leftover_count++;
		text_addf(&healing->summary->leftovers, "%s on %s (run %s, step %" PRIu32 ")\n",
			  record->fault, record->host->name, record->run_id, record->step);
	}
	free(jobs);
	free(is_healed);
}

static bool heal_rows_of_run(const struct healing *healing, const struct run_row *run,
			     const struct heal_row *rows, size_t count, bool *ret_is_whole,
			     struct err *e)
{
	const size_t left_before = healing->summary->leftover_count;
	const struct heal_row **mine = mem_alloc((count + 1) * sizeof *mine);
	size_t mine_count = 0;
	struct journal journal = {
		.store = healing->store,
		.run_id = run->run_id,
		.clock = healing->clock,
		.progress = healing->progress,
		.shift_ns = shift_since(run, healing->clock),
	};

	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].record.run_id, run->run_id) == 0)
			mine[mine_count++] = &rows[i];
	(void)journal_phase(&journal, PHASE_HEAL);
	heal_rows(healing, mine, mine_count, &journal);
	free(mine);

	const bool is_whole = healing->summary->leftover_count == left_before;

	if (!run->is_ended) {
		struct err salvage = { 0 };

		if (healing->sample_dir != NULL &&
		    !salvage_samples(healing->store, run->run_id, healing->sample_dir, &salvage))
			(void)journal_say(&journal, EVENT_NOTE, "%s", salvage.text);
		(void)journal_say(&journal, EVENT_FAILED, "%s",
				  is_whole ? "the run did not end by itself; it was healed afterwards"
					   : "the run did not end by itself, and not everything could "
					     "be healed afterwards");
		(void)journal_say(&journal, EVENT_RUN_ENDED, "ended by heal");
	}
	if (journal.is_broken) {
		*e = journal.failure;
		return false;
	}
	*ret_is_whole = is_whole;
	return true;
}

/* Reads the run's documents for the secrets that they name. What cannot be read now cannot be printed
   by accident either, so it is no reason not to heal. */
static void learn_secrets(struct store *store, const char *run_id, struct secrets *secrets)
{
	struct arena arena = { 0 };
	const struct experiment *experiment;
	struct problems *problems = arena_alloc(&arena, sizeof *problems);
	struct run_row row;

	if (store_run_find(store, run_id, &arena, &row, NULL) && row.experiment_path != NULL &&
	    row.experiment_text != NULL && row.inventory_text != NULL) {
		/* Not its variables: of a secret one the store has only that it is one. */
		const struct load_request request = {
			.experiment_path = row.experiment_path,
			.inventory_path = row.inventory_path,
			.experiment_text = row.experiment_text,
			.inventory_text = row.inventory_text,
			.has_secrets = true,
		};

		(void)load_experiment(&request, &arena, secrets, &experiment, problems);
	}
	arena_release(&arena);
}

/* A run whose process still lives heals itself; two healers at once would only confuse people. */
static bool refuse_living(const struct run_row *run, struct err *e)
{
	const bool is_here = !run->is_shared || process_is_boot(run->boot_id);
	char until[32];

	if (run->is_ended || !store_run_is_alive(run))
		return true;
	if (is_here && (run->space == 0 || run->space == process_space()))
		return err_set(e, ERR_REFUSED,
			       "run %s is still under way in process %" PRId64
			       "; end that process (SIGINT) and it heals by itself",
			       run->run_id, run->pid);
	clock_format_wall(run->alive_until_wall_ns, until, sizeof until);
	return err_set(e, ERR_REFUSED,
		       "run %s is under way %s, or was: it said that it lives until %s at least; end it "
		       "there, or try again after that",
		       run->run_id, is_here ? "in another container" : "on another machine", until);
}

/* The end of a run that has none of its own: what every later report derives from its record. When that cannot
   be derived, what is known here. */
static bool end_run(struct store *store, const char *run_id, const struct clock *clock, bool is_whole,
		    struct err *e)
{
	struct arena arena = { 0 };
	struct secrets none = { 0 };
	struct story story = { .outcome = {
		.exit_code = is_whole ? EXIT_INTERNAL : EXIT_LEFTOVER,
		.sentence = is_whole ? "The run did not end by itself; it was healed afterwards."
				     : "The run did not end by itself, and not everything could be "
				       "healed afterwards.",
	} };
	struct story derived = { 0 };
	bool ok;

	if (story_build(store, run_id, &arena, &none, &derived, NULL))
		story = derived;
	ok = store_run_end(store, run_id, clock_wall_ns(clock), story.outcome.exit_code,
			   story.outcome.sentence, e);
	secrets_release(&none);
	arena_release(&arena);
	return ok;
}

bool heal_runs(struct store *store, const char *run_id, const struct remote_opener *opener,
	       const struct clock *clock, const struct progress *progress, const char *sample_dir,
	       struct heal_summary *ret_summary, struct err *e)
{
	struct arena arena = { 0 };
	struct heal_row *rows = NULL;
	struct run_row *runs = NULL;
	size_t row_count = 0;
	size_t run_count = 0;
	const struct healing healing = {
		.store = store,
		.sessions = sessions_make(opener, clock),
		.clock = clock,
		.progress = progress,
		.sample_dir = sample_dir,
		.summary = ret_summary,
	};
	bool ok = store_heals_open(store, run_id, &arena, &rows, &row_count, e) &&
		  store_runs(store, 0, &arena, &runs, &run_count, e);

	for (size_t i = 0; ok && i < run_count; i++) {
		size_t mine = 0;

		for (size_t j = 0; j < row_count; j++)
			mine += strcmp(rows[j].record.run_id, runs[i].run_id) == 0 ? 1 : 0;

		const bool is_asked = run_id == NULL || strcmp(run_id, runs[i].run_id) == 0;

		if (!is_asked || (mine == 0 && runs[i].is_ended))
			continue;
		/* Asked for all: a living run is passed over, it heals itself. */
		if (!refuse_living(&runs[i], e)) {
			ok = run_id == NULL;
			continue;
		}
		bool is_whole = false;

		learn_secrets(store, runs[i].run_id, &ret_summary->secrets);
		store_hide_also(store, &ret_summary->secrets);
		ok = heal_rows_of_run(&healing, &runs[i], rows, row_count, &is_whole, e) &&
		     (runs[i].is_ended || end_run(store, runs[i].run_id, clock, is_whole, e)) &&
		     store_locks_drop(store, runs[i].run_id, e);
	}
	store_hide_also(store, NULL);
	sessions_release(healing.sessions);
	arena_release(&arena);
	return ok;
}

void heal_summary_release(struct heal_summary *summary)
{
	text_release(&summary->leftovers);
	secrets_release(&summary->secrets);
}
