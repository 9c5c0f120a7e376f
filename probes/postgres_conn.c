/*
 * postgres_conn.c - see postgres_conn.h: which place to connect to, how long to wait for it, and
 * which connection to keep or to leave.
 */
#include "probes/postgres_wire.h"
#include "probes/socket.h"

#include <assert.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without connect_timeout, while there are other places to try. libpq takes no less. */
static const int64_t silent_at_most_ns = 2 * NS_PER_S;
static const int64_t first_patience_at_least_ns = 5 * NS_PER_S;
enum { FIRST_PATIENCE_TIMEOUTS = 5 };

/* All lanes of all probes that ask this question there share the patience. */
static struct patience *find_patience(const struct postgres_place *place,
					       const char *question)
{
	static const char *const address_parts[] = { "host", "hostaddr", "port" };
	struct patience *patience;
	struct text text = { 0 };

	for (size_t i = 0; place->keywords[i] != NULL; i++) {
		for (size_t n = 0; n < sizeof address_parts / sizeof address_parts[0]; n++) {
			if (strcmp(place->keywords[i], address_parts[n]) == 0)
				text_addf(&text, "%s=%s ", address_parts[n],
					  place->values[i] == NULL ? "" : place->values[i]);
		}
	}
	text_add(&text, question);
	patience = patience_find(text_str(&text));
	text_release(&text);
	return patience;
}

bool postgres_conn_open(const struct postgres_want *want, const char *prepare_sql,
			struct postgres_conn **ret_conn, struct err *e)
{
	const int64_t some_timeouts_ns = FIRST_PATIENCE_TIMEOUTS * want->timeout_ns;
	struct postgres_conn *conn = mem_alloc(sizeof *conn);

	if (!postgres_places_init(want, &conn->places, e)) {
		postgres_conn_close(conn);
		return false;
	}
	conn->prepare_sql = arena_copy(&conn->places.arena, prepare_sql);
	conn->first_patience_ns = some_timeouts_ns > first_patience_at_least_ns
					  ? some_timeouts_ns
					  : first_patience_at_least_ns;
	for (size_t i = 0; want->question != NULL && i < conn->places.count; i++)
		conn->links[i].patience =
			find_patience(&conn->places.places[i], want->question);
	*ret_conn = conn;
	return true;
}

void postgres_conn_close(struct postgres_conn *conn)
{
	if (conn == NULL)
		return;
	for (size_t i = 0; i < POSTGRES_PLACES_MAX; i++) {
		/* An idle session ends politely: the server's log stays clean. */
		if (conn->links[i].stage == POSTGRES_READY)
			postgres_link_end(&conn->links[i]);
		else
			postgres_link_drop(&conn->links[i]);
	}
	postgres_places_release(&conn->places);
	free(conn);
}

struct pg_conn *postgres_conn_pq(const struct postgres_conn *conn)
{
	return conn->links[conn->current].owned_pq;
}

enum waited {
	WAITED_CHANGED = 1, /* a link became READY, or broke */
	WAITED_IN_VAIN,
	WAITED_SHORTAGE, /* this machine could not wait; errno says why */
};

/* The links to wait for, as poll wants them. A socket that libpq gave up is -1 here. */
static size_t list_waiting(const struct postgres_conn *conn,
			   struct pollfd ret_fds[POSTGRES_PLACES_MAX],
			   size_t ret_indexes[POSTGRES_PLACES_MAX], bool *ret_is_lost)
{
	size_t count = 0;

	*ret_is_lost = false;
	for (size_t i = 0; i < conn->places.count; i++) {
		const struct postgres_link *link = &conn->links[i];

		if (!postgres_link_is_waiting(link))
			continue;

		const short events = postgres_link_events(link); /* may give up the socket */

		ret_fds[count] = (struct pollfd){ .fd = PQsocket(link->owned_pq),
						  .events = events };
		ret_indexes[count] = i;
		*ret_is_lost = *ret_is_lost || ret_fds[count].fd < 0;
		count++;
	}
	return count;
}

/* Goes on with every link that is under way or hangs, until one changed or until_ns. */
static enum waited wait_links(struct postgres_conn *conn, const struct clock *clock,
			      int64_t until_ns)
{
	for (;;) {
		struct pollfd fds[POSTGRES_PLACES_MAX];
		size_t indexes[POSTGRES_PLACES_MAX];
		bool is_changed = false;
		bool is_lost;
		const size_t count = list_waiting(conn, fds, indexes, &is_lost);

		if (count == 0)
			return WAITED_IN_VAIN;

		const int64_t left_ns = clock_left_ns(clock, until_ns);
		const int64_t wait_ns = is_lost ? 0 : left_ns;
		const struct timespec timeout = { .tv_sec = wait_ns / NS_PER_S,
						  .tv_nsec = wait_ns % NS_PER_S };

		if (ppoll(fds, count, &timeout, NULL) == -1) {
			if (errno != EINTR)
				return WAITED_SHORTAGE;
			continue;
		}
		for (size_t i = 0; i < count; i++) {
			if (fds[i].fd >= 0 && fds[i].revents == 0)
				continue;
			postgres_link_step(conn, indexes[i]);
			is_changed = is_changed ||
				     !postgres_link_is_waiting(&conn->links[indexes[i]]);
		}
		if (is_changed)
			return WAITED_CHANGED;
		if (left_ns == 0)
			return WAITED_IN_VAIN;
	}
}

/*
 * The order of a round: the last good place first, then as written; those that were silent last
 * time come after all that answer. So a dead first host costs an attempt its slice once, and not
 * each attempt the moment at which it could have seen the new primary.
 */
static size_t order_places(const struct postgres_conn *conn, uint8_t ret_order[POSTGRES_PLACES_MAX])
{
	const size_t count = conn->places.count;
	size_t filled = 0;

	for (int is_silent = 0; is_silent <= 1; is_silent++) {
		for (size_t n = 0; n < count; n++) {
			const size_t index = (conn->last_good + n) % count;

			if (conn->places.places[index].is_silent == (is_silent == 1))
				ret_order[filled++] = (uint8_t)index;
		}
	}
	assert(filled == count);
	return filled;
}

/* A connection that was opened for any session is no answer to the question for a standby. */
static bool is_wanted(const struct postgres_link *link, const char *session_attrs)
{
	return session_attrs == NULL || strcmp(session_attrs, "any") == 0 ||
	       (link->session_attrs != NULL && strcmp(link->session_attrs, session_attrs) == 0);
}

/* Takes a link that is READY into use, if there is one; the last good place first. */
static bool take_ready(struct postgres_conn *conn, const char *session_attrs)
{
	for (size_t n = 0; n < conn->places.count; n++) {
		const size_t index = (conn->last_good + n) % conn->places.count;
		struct postgres_link *link = &conn->links[index];

		if (link->stage != POSTGRES_READY || !is_wanted(link, session_attrs))
			continue;
		if (!postgres_link_is_alive(link)) {
			postgres_link_drop(link);
			continue;
		}
		conn->places.places[index].is_silent = false;
		conn->current = index;
		conn->last_good = index;
		return true;
	}
	return false;
}

/* What is not answered at the end of its time is kept, unless nothing of it is on the server. */
static void keep_or_drop(struct postgres_conn *conn, size_t index)
{
	struct postgres_place *place = &conn->places.places[index];

	place->is_silent = true;
	(void)snprintf(place->failure, sizeof place->failure, "no answer in time");
	if (!postgres_link_is_begun(&conn->links[index]))
		postgres_link_drop(&conn->links[index]);
}

/* Opens a link to this place and goes on with all of them. DONE: one of them is in use. */
static enum postgres_end try_place(struct postgres_conn *conn, size_t index,
				   const char *session_attrs, const struct clock *clock,
				   int64_t until_ns)
{
	struct postgres_place *place = &conn->places.places[index];
	const struct postgres_link *link = &conn->links[index];
	const enum postgres_end opened =
		postgres_link_open(conn, index, session_attrs, clock_now_ns(clock));

	if (opened != POSTGRES_DONE)
		return opened;
	for (;;) {
		const enum waited waited = wait_links(conn, clock, until_ns);

		if (waited == WAITED_SHORTAGE) {
			(void)snprintf(place->failure, sizeof place->failure, "%s",
				       strerror(errno));
			return POSTGRES_SHORTAGE;
		}
		if (take_ready(conn, session_attrs))
			return POSTGRES_DONE;
		if (link->stage == POSTGRES_NONE)
			return link->is_shortage ? POSTGRES_SHORTAGE : POSTGRES_UNSENT;
		if (waited == WAITED_IN_VAIN) {
			keep_or_drop(conn, index);
			return POSTGRES_UNSENT;
		}
	}
}

/* One sentence with every place in the order of conninfo, so that it is stable. */
static void say_all_failures(const struct postgres_conn *conn, struct err *e)
{
	struct text hung = { 0 };
	struct text failed = { 0 };
	bool is_deadline = true;

	for (size_t i = 0; i < conn->places.count; i++) {
		const struct postgres_place *place = &conn->places.places[i];

		is_deadline = is_deadline && place->is_silent;
		if (conn->links[i].stage == POSTGRES_ASKED)
			text_addf(&hung, "%s%s",
				  hung.length_bytes == 0 ? "still no answer to an earlier request on "
							 : ", ",
				  place->name);
		else
			text_addf(&failed, "%s%s: %s",
				  failed.length_bytes == 0 ? "connect to " : "; ", place->name,
				  place->failure);
	}
	err_set(e, is_deadline ? ERR_DEADLINE : ERR_REMOTE, "%s%s%s", text_str(&hung),
		hung.length_bytes == 0 || failed.length_bytes == 0 ? "" : "; ", text_str(&failed));
	text_release(&hung);
	text_release(&failed);
}

static enum postgres_end say_shortage(const struct postgres_place *place, struct err *e)
{
	err_set(e, ERR_LIMIT, "connect to %s: %s", place->name, place->failure);
	return POSTGRES_SHORTAGE;
}

/* The places of order without a connection, in that order. Returns how many. */
static size_t keep_free(const struct postgres_conn *conn, uint8_t order[POSTGRES_PLACES_MAX],
			size_t count)
{
	size_t kept = 0;

	for (size_t n = 0; n < count; n++) {
		if (conn->links[order[n]].stage == POSTGRES_NONE)
			order[kept++] = order[n];
	}
	return kept;
}

/* A reading of the ledger has many seconds, and a host without power shall not take its slice of
   them. */
static int64_t try_at_most_ns(const struct postgres_places *places, size_t tries_left)
{
	if (places->try_at_most_ns > 0)
		return places->try_at_most_ns;
	return tries_left > 1 ? silent_at_most_ns : INT64_MAX;
}

/* Every place without a connection once, within its slice of the time left. rounds_left counts
   this round too. */
static enum postgres_end try_round(struct postgres_conn *conn, const char *session_attrs,
				   size_t rounds_left, const struct clock *clock,
				   int64_t deadline_ns, struct err *e)
{
	uint8_t order[POSTGRES_PLACES_MAX];

	if (take_ready(conn, session_attrs))
		return POSTGRES_DONE;

	const size_t count = keep_free(conn, order, order_places(conn, order));

	for (size_t n = 0; n < count; n++) {
		const size_t tries_left = count - n + (rounds_left - 1) * count;
		const int64_t now_ns = clock_now_ns(clock);
		const int64_t at_most_ns = try_at_most_ns(&conn->places, tries_left);
		int64_t until_ns = socket_slice_end_ns(now_ns, deadline_ns, tries_left);

		if (until_ns - now_ns > at_most_ns)
			until_ns = now_ns + at_most_ns;

		const enum postgres_end end =
			try_place(conn, order[n], session_attrs, clock, until_ns);

		if (end == POSTGRES_SHORTAGE)
			return say_shortage(&conn->places.places[order[n]], e);
		if (end == POSTGRES_DONE)
			return end;
	}
	return POSTGRES_UNSENT;
}

/* Until the deadline for what is kept. A place whose connection breaks meanwhile gets its try. */
static enum postgres_end wait_kept(struct postgres_conn *conn, const char *session_attrs,
				   const struct clock *clock, int64_t deadline_ns, struct err *e)
{
	enum waited waited;

	do {
		if (take_ready(conn, session_attrs))
			return POSTGRES_DONE;
		for (size_t i = 0; i < conn->places.count; i++) {
			if (conn->links[i].stage != POSTGRES_NONE || conn->links[i].is_tried)
				continue;

			const enum postgres_end end =
				try_place(conn, i, session_attrs, clock, deadline_ns);

			if (end == POSTGRES_SHORTAGE)
				return say_shortage(&conn->places.places[i], e);
			if (end == POSTGRES_DONE)
				return end;
		}
		waited = wait_links(conn, clock, deadline_ns);
	} while (waited == WAITED_CHANGED);
	return POSTGRES_UNSENT;
}

static enum postgres_end try_rounds(struct postgres_conn *conn, const struct clock *clock,
				    int64_t deadline_ns, struct err *e)
{
	const char *session_attrs = NULL;
	enum postgres_end end = POSTGRES_UNSENT;

	if (conn->places.is_standby_preferred) {
		end = try_round(conn, "standby", 2, clock, deadline_ns, e);
		session_attrs = "any";
	}
	if (end == POSTGRES_UNSENT)
		end = try_round(conn, session_attrs, 1, clock, deadline_ns, e);
	if (end == POSTGRES_UNSENT)
		end = wait_kept(conn, session_attrs, clock, deadline_ns, e);
	return end;
}

/* Leaves hung connections where that is allowed; their places are then like any other. */
static void leave_hung(struct postgres_conn *conn, int64_t now_ns)
{
	for (size_t i = 0; i < conn->places.count; i++) {
		struct postgres_link *link = &conn->links[i];

		if (!postgres_link_is_waiting(link))
			continue;
		if (!link->is_unreached_left && postgres_link_is_unreached(link)) {
			link->is_unreached_left = true;
			postgres_link_drop(link);
		} else if (link->patience != NULL &&
			   patience_may_leave(link->patience, link->asked_ns,
						       conn->first_patience_ns, now_ns)) {
			postgres_link_drop(link);
		}
	}
}

enum postgres_end postgres_conn_connect(struct postgres_conn *conn, const struct clock *clock,
					int64_t deadline_ns, struct err *e)
{
	const int64_t now_ns = clock_now_ns(clock);
	enum postgres_end end;

	(void)wait_links(conn, clock, now_ns); /* what has come since the last attempt */
	if (postgres_link_is_alive(&conn->links[conn->current])) {
		for (size_t i = 0; i < conn->places.count; i++) {
			if (i == conn->current || conn->links[i].stage != POSTGRES_READY)
				continue;
			conn->places.places[i].is_silent = false;
			postgres_link_end(&conn->links[i]);
		}
		return POSTGRES_DONE;
	}
	if (conn->links[conn->current].stage == POSTGRES_READY)
		postgres_link_drop(&conn->links[conn->current]);

	leave_hung(conn, now_ns);
	for (size_t i = 0; i < conn->places.count; i++)
		conn->links[i].is_tried = false;
	end = try_rounds(conn, clock, deadline_ns, e);
	for (size_t i = 0; i < conn->places.count; i++) {
		if (postgres_link_is_waiting(&conn->links[i]))
			keep_or_drop(conn, i);
	}
	if (end == POSTGRES_UNSENT)
		say_all_failures(conn, e);
	return end;
}

void postgres_conn_leave(struct postgres_conn *conn)
{
	struct postgres_link *link = &conn->links[conn->current];

	if (link->stage == POSTGRES_READY)
		postgres_link_end(link);
}
