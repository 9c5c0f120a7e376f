/*
 * keeper.c - see keeper.h.
 */
#include "serve/keeper.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t wait_first_ns = NS_PER_S;
static const int64_t wait_most_ns = 5 * 60 * NS_PER_S;
/* One that has lived this long had begun: it is started at once when it ends. */
static const int64_t soon_ns = 60 * NS_PER_S;
static const int64_t ask_again_ns = NS_PER_S; /* one that was not wanted */

struct post {
	struct kept kept;
	struct child child;
	int64_t started_ns;
	int64_t due_ns;      /* while it does not run: when it is started, INT64_MIN at once */
	unsigned soon_count;
	int told_count;      /* so many signals to end were passed on to this process */
	struct text trouble; /* said already, of one that ends by itself */
};

struct keeper {
	struct keeper_request request;
	struct post posts[KEEPER_MAX];
	bool is_ending;
};

int64_t keeper_wait_ns(unsigned soon_count)
{
	int64_t wait_ns = wait_first_ns;

	for (unsigned i = 1; i < soon_count && wait_ns < wait_most_ns; i++)
		wait_ns *= 2;
	return wait_ns < wait_most_ns ? wait_ns : wait_most_ns;
}

static void say(const struct keeper *keeper, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(const struct keeper *keeper, const char *format, ...)
{
	struct text line = { 0 };
	va_list args;

	va_start(args, format);
	text_addv(&line, format, args);
	va_end(args);
	keeper->request.say(keeper->request.ctx, text_str(&line));
	text_release(&line);
}

/* ---- one process ---- */

static bool is_going_on(const struct post *post)
{
	return post->kept.every_ns == 0;
}

static void start(struct keeper *keeper, struct post *post, int64_t now_ns)
{
	const struct kept *kept = &post->kept;
	struct err e = { 0 };

	post->started_ns = now_ns;
	post->told_count = 0;
	if (is_going_on(post) ? child_start_heard(kept->words, kept->word_count, &post->child, &e) :
				child_start(kept->words, kept->word_count, &post->child, &e))
		return;
	post->due_ns = now_ns + keeper_wait_ns(++post->soon_count);
	say(keeper, "%s cannot be started, and it is tried again: %s", kept->name, e.text);
}

static const char *ended_how(enum child_state state, int number, char how[48])
{
	if (state == CHILD_EXITED)
		(void)snprintf(how, 48, "ended with exit code %d", number);
	else
		(void)snprintf(how, 48, "was killed by SIG%s",
			       sigabbrev_np(number) == NULL ? "?" : sigabbrev_np(number));
	return how;
}

/* It was to go on. */
static void take_end(struct keeper *keeper, struct post *post, const char *how, int64_t now_ns)
{
	int64_t wait_ns = 0;

	post->soon_count = now_ns - post->started_ns < soon_ns ? post->soon_count + 1 : 0;
	if (post->soon_count > 0)
		wait_ns = keeper_wait_ns(post->soon_count);
	post->due_ns = now_ns + wait_ns;
	if (keeper->is_ending)
		return;
	if (wait_ns == 0)
		say(keeper, "%s %s; it is started again", post->kept.name, how);
	else
		say(keeper, "%s %s; it is started again in %" PRId64 " s", post->kept.name, how,
		    wait_ns / NS_PER_S);
}

/* It ends by itself: what is news of a failure is said. */
static void take_result(struct keeper *keeper, struct post *post, bool is_good, const char *how)
{
	struct text trouble = { 0 };
	struct text output = { 0 };

	if (!is_good) {
		child_output(&post->child, &output);
		text_addf(&trouble, "%s %s%s%.*s", post->kept.name, how,
			  output.length_bytes == 0 ? "" : ": ",
			  (int)strcspn(text_str(&output), "\n"), text_str(&output));
		if (strcmp(text_str(&trouble), text_str(&post->trouble)) != 0 && !keeper->is_ending)
			say(keeper, "%s", text_str(&trouble));
		text_release(&output);
	}
	text_release(&post->trouble);
	post->trouble = trouble;
}

static void look(struct keeper *keeper, struct post *post, int64_t now_ns)
{
	char how[48];
	int number = 0;
	enum child_state state;

	if (post->child.pid == 0)
		return;
	state = child_look(&post->child, &number);
	if (state == CHILD_RUNS)
		return;
	(void)ended_how(state, number, how);
	if (is_going_on(post)) {
		take_end(keeper, post, how, now_ns);
	} else {
		take_result(keeper, post, state == CHILD_EXITED && number == 0, how);
		post->due_ns = now_ns + post->kept.every_ns;
	}
	child_close(&post->child);
}

static void start_if_due(struct keeper *keeper, struct post *post, int64_t now_ns)
{
	if (post->child.pid != 0 || post->due_ns > now_ns)
		return;
	if (post->kept.is_wanted == NULL || post->kept.is_wanted(post->kept.ctx))
		start(keeper, post, now_ns);
	else
		post->due_ns = now_ns + (is_going_on(post) ? ask_again_ns : post->kept.every_ns);
}

/* ---- the job ---- */

/* The end of a process brings us here too. */
static int64_t work(void *ctx, int64_t now_ns)
{
	struct keeper *keeper = ctx;
	int64_t next_ns = INT64_MAX;

	for (size_t i = 0; i < keeper->request.kept_count; i++) {
		struct post *post = &keeper->posts[i];

		look(keeper, post, now_ns);
		if (keeper->is_ending)
			continue;
		start_if_due(keeper, post, now_ns);
		if (post->child.pid == 0 && post->due_ns < next_ns)
			next_ns = post->due_ns;
	}
	return next_ns;
}

static void reload(void *ctx)
{
	struct keeper *keeper = ctx;

	for (size_t i = 0; i < keeper->request.kept_count; i++) {
		struct post *post = &keeper->posts[i];

		if (post->kept.reload_signal != 0)
			child_signal(&post->child, post->kept.reload_signal);
		post->soon_count = 0; /* what kept it from going on may be mended */
		if (post->child.pid == 0)
			post->due_ns = INT64_MIN;
	}
}

/* Each of them gets as many signals as we did: a worker ends with its runs, or heals them and ends. */
static bool end(void *ctx, int stop_count)
{
	struct keeper *keeper = ctx;
	bool is_over = true;

	keeper->is_ending = true;
	for (size_t i = 0; i < keeper->request.kept_count; i++) {
		struct post *post = &keeper->posts[i];

		look(keeper, post, clock_now_ns(keeper->request.clock));
		/* Two of the same kind that come at once would be one. */
		for (; post->child.pid != 0 && post->told_count < stop_count; post->told_count++)
			child_signal(&post->child, post->told_count % 2 == 0 ? SIGTERM : SIGINT);
		is_over = is_over && post->child.pid == 0;
	}
	return is_over;
}

struct keeper *keeper_open(const struct keeper_request *request)
{
	struct keeper *keeper = mem_alloc(sizeof *keeper);

	assert(request->kept_count <= KEEPER_MAX);

	keeper->request = *request;
	for (size_t i = 0; i < request->kept_count; i++) {
		keeper->posts[i].kept = request->kept[i];
		keeper->posts[i].due_ns = INT64_MIN;
	}
	return keeper;
}

struct serve_job keeper_job(struct keeper *keeper)
{
	return (struct serve_job){ .work = work, .reload = reload, .end = end, .ctx = keeper };
}

void keeper_close(struct keeper *keeper)
{
	if (keeper == NULL)
		return;
	for (size_t i = 0; i < keeper->request.kept_count; i++)
		text_release(&keeper->posts[i].trouble);
	free(keeper);
}
