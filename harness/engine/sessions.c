/*
 * sessions.c - see sessions.h. Opening many hosts is the only work done by more than one thread here:
 * each opener thread writes into slots of its own, and all have ended before the call returns.
 */
#include "engine/sessions.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

enum {
	OPENERS_MAX = 16,
	OPENED_INLINE_MAX = 3, /* so few are as fast one after the other */
};

static const int64_t open_usually_ns = 10 * NS_PER_S;

struct session {
	const struct host *host; /* borrowed from the model or a record: outlives us */
	struct remote *owned_remote;
};

struct sessions {
	struct remote_opener opener;
	const struct clock *clock;
	int64_t open_timeout_ns;
	struct session items[LIMIT_HOSTS + 1];
	size_t count;
};

/* This machine, for power commands and the like; `local: true` without being in the inventory. */
static const struct host harness_host = { .name = "(harness)", .is_local = true };

struct sessions *sessions_make(const struct remote_opener *opener, const struct clock *clock)
{
	struct sessions *sessions = mem_alloc(sizeof *sessions);

	sessions->opener = *opener;
	sessions->clock = clock;
	sessions->open_timeout_ns = open_usually_ns;
	return sessions;
}

void sessions_release(struct sessions *sessions)
{
	if (sessions == NULL)
		return;
	for (size_t i = 0; i < sessions->count; i++)
		remote_close(sessions->items[i].owned_remote);
	free(sessions);
}

static struct session *find(struct sessions *sessions, const struct host *host)
{
	for (size_t i = 0; i < sessions->count; i++)
		if (strcmp(sessions->items[i].host->name, host->name) == 0)
			return &sessions->items[i];
	assert(sessions->count < LIMIT_HOSTS + 1);

	struct session *fresh = &sessions->items[sessions->count++];

	*fresh = (struct session){ .host = host };
	return fresh;
}

bool sessions_get(struct sessions *sessions, const struct host *host, struct remote **ret_remote,
		  struct err *e)
{
	struct session *session = find(sessions, host);

	if (session->owned_remote != NULL && !remote_is_alive(session->owned_remote, e)) {
		remote_close(session->owned_remote);
		session->owned_remote = NULL;
	}
	if (session->owned_remote == NULL &&
	    !sessions->opener.open(sessions->opener.ctx, host, sessions->clock,
				   sessions->open_timeout_ns, &session->owned_remote, e))
		return err_wrap(e, "reach %s", host->name);
	*ret_remote = session->owned_remote;
	return true;
}

void sessions_set_patience(struct sessions *sessions, int64_t open_timeout_ns)
{
	assert(open_timeout_ns >= 0);

	sessions->open_timeout_ns = open_timeout_ns > 0 ? open_timeout_ns : open_usually_ns;
}

void sessions_drop(struct sessions *sessions, const struct host *host)
{
	struct session *session = find(sessions, host);

	remote_close(session->owned_remote);
	session->owned_remote = NULL;
}

/* One opener's share: items first, first + step, ... */
struct opener_share {
	struct sessions *sessions;
	struct session **items;
	size_t count;
	size_t first;
	size_t step;
	struct err err;
};

static void *open_share(void *ctx)
{
	struct opener_share *share = ctx;
	const struct remote_opener *opener = &share->sessions->opener;

	for (size_t i = share->first; i < share->count; i += share->step) {
		struct session *session = share->items[i];
		struct err e = { 0 };

		if (session->owned_remote != NULL)
			continue;
		if (!opener->open(opener->ctx, session->host, share->sessions->clock,
				  share->sessions->open_timeout_ns, &session->owned_remote, &e) &&
		    share->err.kind == ERR_NONE) {
			err_wrap(&e, "reach %s", session->host->name);
			share->err = e;
		}
	}
	return NULL;
}

bool sessions_open_all(struct sessions *sessions, const struct host *const *hosts, size_t count,
		       struct err *e)
{
	struct opener_share shares[OPENERS_MAX] = { 0 };
	pthread_t threads[OPENERS_MAX];
	bool is_thread[OPENERS_MAX] = { false };
	const size_t opener_count = count <= OPENED_INLINE_MAX ? 1 :
				    count < OPENERS_MAX	       ? count :
								 OPENERS_MAX;
	struct session **items = mem_alloc(count * sizeof *items);
	bool ok = true;

	for (size_t i = 0; i < count; i++)
		items[i] = find(sessions, hosts[i]);
	for (size_t i = 0; i < opener_count; i++) {
		shares[i] = (struct opener_share){ .sessions = sessions, .items = items,
						   .count = count, .first = i,
						   .step = opener_count };
		/* The last share, and any whose thread cannot be had, is done right here. */
		is_thread[i] = i + 1 < opener_count &&
			       pthread_create(&threads[i], NULL, open_share, &shares[i]) == 0;
		if (!is_thread[i])
			(void)open_share(&shares[i]);
	}
	for (size_t i = 0; i < opener_count; i++) {
		if (is_thread[i])
			(void)pthread_join(threads[i], NULL);
		if (ok && shares[i].err.kind != ERR_NONE) {
			*e = shares[i].err;
			ok = false;
		}
	}
	free(items);
	return ok;
}

bool sessions_context(struct sessions *sessions, const struct heal_record *record,
		      struct fault_context *ret_ctx, struct err *e)
{
	const struct fault_ops *fault = fault_find(record->fault);
	struct fault_context ctx = { .clock = sessions->clock };

	if (fault == NULL)
		return err_set(e, ERR_INPUT, "this firedrill knows no fault `%s`", record->fault);
	if (!sessions_get(sessions, &harness_host, &ctx.harness, e))
		return false;
	if (!sessions_get(sessions, record->host, &ctx.target, e)) {
		if (!fault->cuts_target)
			return false;
		ctx.target = NULL;
	}
	*ret_ctx = ctx;
	return true;
}

