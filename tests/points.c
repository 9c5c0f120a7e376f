/*
 * points.c - see points.h. One table of names and counts, then what is put around whom.
 *
 * The linker's --wrap sends a call of NAME to __wrap_NAME and one of __real_NAME to NAME, for calls that
 * cross from one object file to another.
 */
#include "tests/points.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/units.h"
#include "faults/fault.h"
#include "store/store.h"

enum { NAMES_MAX = 128, PASSED_MAX = 4000, FAULTS_MAX = 64 };

struct counted {
	char name[POINT_NAME_BYTES];
	unsigned count;
};

static struct {
	bool is_on;
	bool has_real_hosts; /* a command takes its time, so it has a `during` */
	const char *point;
	enum point_deed deed;
	bool was_reached;
	const char *hook;
	int64_t step_ns;
	int64_t delay_ms;
	int64_t shift_ns; /* of the wall clock, so far */
	int list_fd;
	const char *op;
	struct counted names[NAMES_MAX];
	size_t name_count;
	struct arena passed_arena;
	const char *passed[PASSED_MAX];
	size_t passed_count;
} points = { .list_fd = -1 };

static int64_t number_of(const char *variable, int64_t otherwise)
{
	const char *given = getenv(variable);
	char *end = NULL;

	if (given == NULL || *given == '\0')
		return otherwise;

	const long long number = strtoll(given, &end, 10);

	assert(*end == '\0');
	return number;
}

static enum point_deed deed_of(const char *word)
{
	static const char *const words[] = { "pass", "kill", "fail", "hook", "step" };

	for (size_t i = 0; word != NULL && i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i], word) == 0)
			return (enum point_deed)i;
	return POINT_PASS;
}

static void begin(const char *point, enum point_deed deed)
{
	points.is_on = true;
	points.point = point;
	points.deed = deed;
	points.was_reached = false;
	points.op = "";
	points.name_count = 0;
	points.passed_count = 0;
	arena_release(&points.passed_arena);
}

static void take_environment(void)
{
	const char *list = getenv("FIREDRILL_POINTS_LIST");
	const char *point = getenv("FIREDRILL_POINT");

	if (list == NULL && point == NULL)
		return;
	begin(point, deed_of(getenv("FIREDRILL_POINT_DEED")));
	points.has_real_hosts = true;
	points.hook = getenv("FIREDRILL_POINT_HOOK");
	points.step_ns = number_of("FIREDRILL_POINT_STEP", 0) * NS_PER_S;
	points.delay_ms = number_of("FIREDRILL_POINT_DELAY", 10);
	if (list != NULL)
		points.list_fd = open(list, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

/* Lanes open hosts, too, so several threads may come here first. */
static void read_environment(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, take_environment);
}

void points_begin(const char *point, enum point_deed deed)
{
	read_environment();
	begin(point, deed);
}

void points_end(void)
{
	points.is_on = false;
}

bool points_was_reached(void)
{
	return points.was_reached;
}

const char *const *points_passed(size_t *ret_count)
{
	*ret_count = points.passed_count;
	return points.passed;
}

const char *points_op(void)
{
	return points.op == NULL ? "" : points.op;
}

/* ---- passing a point ---- */

struct spot {
	const char *name; /* NULL: not counted */
	unsigned number;
};

static bool is_counting(void)
{
	read_environment();
	return points.is_on && syscall(SYS_gettid) == (long)getpid();
}

static struct spot spot_at(const char *name)
{
	size_t i = 0;

	if (!is_counting())
		return (struct spot){ 0 };
	while (i < points.name_count && strcmp(points.names[i].name, name) != 0)
		i++;
	if (i == points.name_count) {
		assert(i < NAMES_MAX);
		points.names[points.name_count++].count = 0;
		(void)snprintf(points.names[i].name, sizeof points.names[i].name, "%s", name);
	}
	points.names[i].count++;
	return (struct spot){ .name = points.names[i].name, .number = points.names[i].count };
}

static void run_hook(void)
{
	const pid_t child = fork();

	assert(child >= 0);
	if (child == 0) {
		(void)execl("/bin/sh", "sh", "-c", points.hook == NULL ? "exit 1" : points.hook,
			    (char *)NULL);
		_exit(127);
	}
	while (waitpid(child, NULL, 0) == -1)
		;
}

static void note(const char *passed)
{
	if (points.passed_count < PASSED_MAX)
		points.passed[points.passed_count++] = arena_copy(&points.passed_arena, passed);
	if (points.list_fd != -1)
		(void)dprintf(points.list_fd, "%s\n", passed); /* the driver misses the line */
}

/* False: it fails here. */
static bool pass(const struct spot *spot, const char *side)
{
	char passed[POINT_NAME_BYTES + 32];

	if (spot->name == NULL)
		return true;
	(void)snprintf(passed, sizeof passed, "%s#%u %s", spot->name, spot->number, side);
	note(passed);
	if (points.point == NULL || points.was_reached || strcmp(points.point, passed) != 0)
		return true;
	points.was_reached = true;
	switch (points.deed) {
	case POINT_PASS:
		return true;
	case POINT_KILL:
		(void)raise(SIGKILL); /* cannot fail */
		return true;
	case POINT_FAIL:
		return false;
	case POINT_HOOK:
		run_hook();
		return true;
	case POINT_STEP:
		points.shift_ns += points.step_ns;
		return true;
	}
	return true;
}

/* A timer that ends the process in the middle of the command. */
static void pass_during(const struct spot *spot)
{
	char passed[POINT_NAME_BYTES + 32];
	const struct itimerval timer = {
		.it_value = { .tv_usec = (suseconds_t)(points.delay_ms * 1000 + 1) },
	};

	if (spot->name == NULL || !points.has_real_hosts)
		return;
	(void)snprintf(passed, sizeof passed, "%s#%u during", spot->name, spot->number);
	note(passed);
	if (points.point == NULL || points.deed != POINT_KILL || strcmp(points.point, passed) != 0)
		return;
	points.was_reached = true;
	(void)signal(SIGALRM, SIG_DFL);
	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

/* ---- around the store's writes ---- */

static bool store_enter(struct spot *spot, const char *name, struct err *e)
{
	*spot = spot_at(name);
	return pass(spot, "before") ||
	       err_set(e, ERR_STORE, "write the journal: no space left on device");
}

static bool store_leave(const struct spot *spot, bool is_done, struct err *e)
{
	return pass(spot, "after") ? is_done :
				     err_set(e, ERR_STORE, "write the journal: I/O error");
}

#define WRAPPED(type, name, parameters)   \
	type __real_##name parameters;     \
	type __wrap_##name parameters;     \
	type __wrap_##name parameters

WRAPPED(bool, store_run_begin, (struct store *store, const struct run_row *row, struct err *e))
{
	struct spot spot;

	return store_enter(&spot, "run begin", e) &&
	       store_leave(&spot, __real_store_run_begin(store, row, e), e);
}

WRAPPED(bool, store_run_end, (struct store *store, const char *run_id, int64_t ended_wall_ns,
			      int64_t exit_code, const char *sentence, struct err *e))
{
	struct spot spot;

	return store_enter(&spot, "run end", e) &&
	       store_leave(&spot, __real_store_run_end(store, run_id, ended_wall_ns, exit_code,
						       sentence, e), e);
}

WRAPPED(bool, store_append, (struct store *store, const char *run_id, struct event *event,
			     struct err *e))
{
	char name[POINT_NAME_BYTES];
	struct spot spot;

	(void)snprintf(name, sizeof name, "append %s%s%s", event_kind_name(event->kind),
		       event->kind == EVENT_PHASE ? " " : "",
		       event->kind == EVENT_PHASE ? phase_name(event->phase) : "");
	return store_enter(&spot, name, e) &&
	       store_leave(&spot, __real_store_append(store, run_id, event, e), e);
}

WRAPPED(bool, store_heal_put, (struct store *store, const struct heal_record *record,
			       const char *before, struct err *e))
{
	struct spot spot;

	return store_enter(&spot, "record put", e) &&
	       store_leave(&spot, __real_store_heal_put(store, record, before, e), e);
}

WRAPPED(bool, store_heal_mark, (struct store *store, const struct heal_record *record,
				enum heal_state state, struct err *e))
{
	struct spot spot;

	return store_enter(&spot, "record mark", e) &&
	       store_leave(&spot, __real_store_heal_mark(store, record, state, e), e);
}

WRAPPED(bool, store_lock_take, (struct store *store, const char *run_id, const char *target,
				struct err *e))
{
	struct spot spot;

	return store_enter(&spot, "lock take", e) &&
	       store_leave(&spot, __real_store_lock_take(store, run_id, target, e), e);
}

WRAPPED(bool, store_locks_drop, (struct store *store, const char *run_id, struct err *e))
{
	struct spot spot;

	return store_enter(&spot, "locks drop", e) &&
	       store_leave(&spot, __real_store_locks_drop(store, run_id, e), e);
}

WRAPPED(bool, store_track_put, (struct store *store, const char *run_id, const struct track *track,
				struct err *e))
{
	struct spot spot;

	return store_enter(&spot, "track put", e) &&
	       store_leave(&spot, __real_store_track_put(store, run_id, track, e), e);
}

WRAPPED(bool, store_ledger_read_put, (struct store *store, const char *run_id,
				      const struct ledger_read *read, struct err *e))
{
	struct spot spot;

	return store_enter(&spot, "ledger put", e) &&
	       store_leave(&spot, __real_store_ledger_read_put(store, run_id, read, e), e);
}

WRAPPED(bool, store_run_beat, (struct store *store, const char *run_id, int64_t space,
			       int64_t alive_until_wall_ns, struct err *e))
{
	struct spot spot;

	return store_enter(&spot, "beat", e) &&
	       store_leave(&spot, __real_store_run_beat(store, run_id, space, alive_until_wall_ns, e),
			   e);
}

WRAPPED(bool, store_approve, (struct store *store, const struct approval_row *row, struct err *e))
{
	struct spot spot;

	return store_enter(&spot, "approve", e) &&
	       store_leave(&spot, __real_store_approve(store, row, e), e);
}

WRAPPED(bool, store_stop, (struct store *store, const struct stop_row *row, struct err *e))
{
	struct spot spot;

	return store_enter(&spot, "stop", e) &&
	       store_leave(&spot, __real_store_stop(store, row, e), e);
}

WRAPPED(bool, store_resume, (struct store *store, const struct stop_row *lift, size_t *ret_count,
			     struct err *e))
{
	struct spot spot;

	return store_enter(&spot, "resume", e) &&
	       store_leave(&spot, __real_store_resume(store, lift, ret_count, e), e);
}

WRAPPED(bool, store_set_begin, (struct store *store, const struct set_row *row, struct err *e))
{
	struct spot spot;

	return store_enter(&spot, "set begin", e) &&
	       store_leave(&spot, __real_store_set_begin(store, row, e), e);
}

WRAPPED(bool, store_set_end, (struct store *store, const struct set_row *end, struct err *e))
{
	struct spot spot;

	return store_enter(&spot, "set end", e) &&
	       store_leave(&spot, __real_store_set_end(store, end, e), e);
}

/* ---- around the remotes ---- */

WRAPPED(struct remote_opener, remote_opener_real, (void));

struct pointed {
	struct remote remote; /* first: a struct remote is converted to its container */
	struct remote *owned_inner;
	bool is_dead;
};

static bool lose(struct pointed *pointed, struct err *e)
{
	pointed->is_dead = true;
	return err_set(e, ERR_REMOTE, "%s: the session was lost", pointed->remote.host->name);
}

static bool pointed_exec(struct remote *remote, const struct command *command,
			 struct reply *ret_reply, struct err *e)
{
	struct pointed *pointed = (struct pointed *)remote;
	const struct spot spot = spot_at(points_op()[0] == '\0' ? "command" : points_op());
	struct reply reply = { 0 };

	if (pointed->is_dead || !pass(&spot, "before"))
		return lose(pointed, e);
	pass_during(&spot);
	if (!remote_exec(pointed->owned_inner, command, &reply, e)) {
		(void)pass(&spot, "after"); /* it failed by itself */
		return false;
	}
	if (!pass(&spot, "after")) {
		reply_release(&reply);
		return lose(pointed, e);
	}
	*ret_reply = reply;
	return true;
}

static bool pointed_is_alive(struct remote *remote, struct err *e)
{
	struct pointed *pointed = (struct pointed *)remote;

	return pointed->is_dead ? lose(pointed, e) : remote_is_alive(pointed->owned_inner, e);
}

static void pointed_close(struct remote *remote)
{
	struct pointed *pointed = (struct pointed *)remote;

	remote_close(pointed->owned_inner);
	free(pointed);
}

static const struct remote_ops pointed_ops = {
	.name = "pointed",
	.exec = pointed_exec,
	.is_alive = pointed_is_alive,
	.close = pointed_close,
};

static bool pointed_open(void *ctx, const struct host *host, const struct clock *clock,
			 int64_t timeout_ns, struct remote **ret_remote, struct err *e)
{
	const struct remote_opener real = __real_remote_opener_real();
	const struct remote_opener *inner = ctx == NULL ? &real : ctx;
	const struct spot spot = spot_at(host->is_local ? "open here" : "open host");
	struct remote *opened = NULL;

	if (!pass(&spot, "before"))
		return err_set(e, ERR_REMOTE, "reach %s: connection refused", host->name);
	pass_during(&spot);
	if (!inner->open(inner->ctx, host, clock, timeout_ns, &opened, e)) {
		(void)pass(&spot, "after"); /* it failed by itself */
		return false;
	}
	if (!pass(&spot, "after")) {
		remote_close(opened);
		return err_set(e, ERR_REMOTE, "reach %s: connection reset", host->name);
	}

	struct pointed *pointed = mem_alloc(sizeof *pointed);

	pointed->remote = (struct remote){ .ops = &pointed_ops, .host = host, .clock = clock };
	pointed->owned_inner = opened;
	*ret_remote = &pointed->remote;
	return true;
}

struct remote_opener points_opener(const struct remote_opener *opener)
{
	/* The cast drops a const that pointed_open puts back. */
	return (struct remote_opener){ .open = pointed_open, .ctx = (void *)(uintptr_t)opener };
}

struct remote_opener __wrap_remote_opener_real(void)
{
	read_environment();
	return points.is_on ? points_opener(NULL) : __real_remote_opener_real();
}

/* ---- around the faults: which of their deeds is a command for? ---- */

WRAPPED(const struct fault_ops *, fault_find, (const char *name));

static const struct fault_ops *begin_op(const struct heal_record *record, const char *op)
{
	points.op = op;
	return __real_fault_find(record->fault);
}

static bool end_op(bool is_done)
{
	points.op = "";
	return is_done;
}

static bool op_arm(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return end_op(begin_op(record, "arm")->arm(record, ctx, e));
}

static bool op_renew(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return end_op(begin_op(record, "renew")->renew(record, ctx, e));
}

static bool op_inject(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return end_op(begin_op(record, "inject")->inject(record, ctx, e));
}

static enum confirmation op_confirm(const struct heal_record *record, struct fault_context *ctx,
				    struct text *ret_evidence)
{
	const enum confirmation seen =
		begin_op(record, "confirm")->confirm(record, ctx, ret_evidence);

	(void)end_op(true);
	return seen;
}

static bool op_heal(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	return end_op(begin_op(record, "heal")->heal(record, ctx, e));
}

static bool op_read_back(const struct heal_record *record, struct fault_context *ctx,
			 struct text *ret_state, struct err *e)
{
	return end_op(begin_op(record, "read back")->read_back(record, ctx, ret_state, e));
}

const struct fault_ops *__wrap_fault_find(const char *name)
{
	static struct fault_ops wrapped[FAULTS_MAX];
	const struct fault_ops *real = __real_fault_find(name);
	size_t i = 0;

	read_environment();
	if (!points.is_on || real == NULL)
		return real;
	while (wrapped[i].name != NULL && strcmp(wrapped[i].name, real->name) != 0)
		i++;
	assert(i < FAULTS_MAX - 1);
	wrapped[i] = *real;
	wrapped[i].arm = op_arm;
	wrapped[i].renew = op_renew;
	wrapped[i].inject = op_inject;
	wrapped[i].confirm = op_confirm;
	wrapped[i].heal = op_heal;
	wrapped[i].read_back = op_read_back;
	return &wrapped[i];
}

/* ---- around the clock: the wall's time may jump, the run's own never does ---- */

WRAPPED(struct clock, clock_system, (void));

static int64_t stepped_wall_ns(void *ctx)
{
	const struct clock real = __real_clock_system();

	(void)ctx;
	return clock_wall_ns(&real) + points.shift_ns;
}

struct clock __wrap_clock_system(void)
{
	struct clock clock = __real_clock_system();

	clock.wall_ns = stepped_wall_ns;
	return clock;
}
