/*
 * links.c - see links.h: which place to connect to, how long to wait for it, and which connection
 * to keep or to leave. Names become places in link_places.c.
 */
#include "probes/links.h"
#include "probes/link_places.h"
#include "probes/patience.h"
#include "probes/socket.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t first_patience_at_least_ns = 5 * NS_PER_S;
enum { FIRST_PATIENCE_TIMEOUTS = 5 };

/* The one connection to a place. */
struct link {
	void *owned_conn; /* NULL in LINK_NONE */
	enum link_stage stage;
	int64_t opened_ns;
	int64_t asked_ns; /* the last question, else opened_ns */

	/* These outlive the connection. */
	struct patience *patience;
	struct link_failure failure;
	bool is_silent; /* ended its last try by not answering: tried after those that do answer */
	bool is_unreached_left; /* left one whose host did not even acknowledge; until an answer */
	bool is_tried;		/* opened within this attempt */
};

struct links {
	const struct link_ops *ops;
	const void *conn_want;
	struct link_places places;
	struct link links[LINK_PLACES_MAX]; /* links[i] to places.places[i] */
	int64_t first_patience_ns;
	size_t current;	  /* index of the link in use */
	size_t last_good; /* index of the place connected to last */
};

bool links_open(const struct links_want *want, struct links **ret_links, struct err *e)
{
	const int64_t some_timeouts_ns = FIRST_PATIENCE_TIMEOUTS * want->timeout_ns;
	struct links *links = mem_alloc(sizeof *links);

	if (!link_places_init(want, &links->places, e)) {
		links_close(links);
		return false;
	}
	links->ops = want->ops;
	links->conn_want = want->conn_want;
	links->first_patience_ns = some_timeouts_ns > first_patience_at_least_ns
					   ? some_timeouts_ns
					   : first_patience_at_least_ns;
	for (size_t i = 0; i < links->places.count; i++) {
		const struct link_place *place = &links->places.places[i];
		struct text key = { 0 };

		text_addf(&key, "%s %u %s", place->address, place->port, want->question);
		links->links[i].patience = patience_find(text_str(&key));
		text_release(&key);
	}
	*ret_links = links;
	return true;
}

static void drop(const struct links *links, struct link *link)
{
	if (link->owned_conn != NULL)
		links->ops->close(link->owned_conn, link->stage == LINK_READY);
	link->owned_conn = NULL;
	link->stage = LINK_NONE;
}

void links_close(struct links *links)
{
	if (links == NULL)
		return;
	for (size_t i = 0; i < links->places.count; i++)
		drop(links, &links->links[i]);
	link_places_release(&links->places);
	free(links);
}

void *links_current(const struct links *links)
{
	assert(links->links[links->current].stage == LINK_READY);
	return links->links[links->current].owned_conn;
}

static bool is_waiting(const struct link *link)
{
	return link->stage == LINK_OPENING || link->stage == LINK_ASKED;
}

/* READY, and nothing came while nobody asked: an end, or a last word before it. */
static bool is_alive(const struct links *links, const struct link *link)
{
	struct pollfd pfd = { .events = POLLIN };

	if (link->stage != LINK_READY)
		return false;
	pfd.fd = links->ops->fd(link->owned_conn);
	return pfd.fd >= 0 && poll(&pfd, 1, 0) == 0;
}

static bool tcp_info_of(const struct links *links, const struct link *link,
			struct tcp_info *ret_info)
{
	socklen_t info_bytes = sizeof *ret_info;

	return getsockopt(links->ops->fd(link->owned_conn), IPPROTO_TCP, TCP_INFO, ret_info,
			  &info_bytes) == 0;
}

/* The host took the TCP connection, so its server may have something of ours. */
static bool is_begun(const struct links *links, const struct link *link)
{
	struct tcp_info info = { 0 };

	return tcp_info_of(links, link, &info) && info.tcpi_state != TCP_SYN_SENT;
}

/* The host's kernel does not acknowledge what we send: it is off, or cut off. */
static bool is_unreached(const struct links *links, const struct link *link)
{
	/* One may be a lost packet; two take 0.6 s. */
	enum { UNANSWERED_RETRANSMITS = 2 };
	struct tcp_info info = { 0 };

	return tcp_info_of(links, link, &info) && info.tcpi_unacked > 0 &&
	       info.tcpi_retransmits >= UNANSWERED_RETRANSMITS;
}

/* Goes on with a link that is under way. */
static void step(struct links *links, struct link *link)
{
	link->stage = links->ops->step(link->owned_conn, &link->failure);
	if (link->stage == LINK_NONE)
		drop(links, link);
	if (link->stage != LINK_READY)
		return;
	link->is_unreached_left = false;
	patience_answered(link->patience, link->opened_ns);
}

enum waited {
	WAITED_CHANGED = 1, /* a link became READY, or broke */
	WAITED_IN_VAIN,
	WAITED_SHORTAGE, /* this machine could not wait; errno says why */
};

/* Goes on with every link that is under way or hangs, until one changed or until_ns. */
static enum waited wait_links(struct links *links, const struct clock *clock, int64_t until_ns)
{
	for (;;) {
		struct pollfd fds[LINK_PLACES_MAX];
		struct link *waiting[LINK_PLACES_MAX];
		size_t count = 0;
		bool is_changed = false;
		bool is_lost = false; /* a library gave its socket up: it has something to say */

		for (size_t i = 0; i < links->places.count; i++) {
			struct link *link = &links->links[i];

			if (!is_waiting(link))
				continue;
			fds[count] =
				(struct pollfd){ .fd = links->ops->fd(link->owned_conn),
						 .events = links->ops->events(link->owned_conn) };
			is_lost = is_lost || fds[count].fd < 0;
			waiting[count++] = link;
		}
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
			step(links, waiting[i]);
			is_changed = is_changed || !is_waiting(waiting[i]);
		}
		if (is_changed)
			return WAITED_CHANGED;
		if (left_ns == 0)
			return WAITED_IN_VAIN;
	}
}

/* Takes a link that is READY into use, if there is one; the last good place first. */
static bool take_ready(struct links *links)
{
	for (size_t n = 0; n < links->places.count; n++) {
		const size_t index = (links->last_good + n) % links->places.count;
		struct link *link = &links->links[index];

		if (link->stage != LINK_READY)
			continue;
		if (!is_alive(links, link)) {
			drop(links, link);
			continue;
		}
		link->is_silent = false;
		links->current = index;
		links->last_good = index;
		return true;
	}
	return false;
}

/* What is not answered at the end of its time is kept, unless nothing of it is on the server. */
static void keep_or_drop(struct links *links, struct link *link)
{
	link->is_silent = true;
	link->failure.is_shortage = false;
	(void)snprintf(link->failure.text, sizeof link->failure.text, "no answer in time");
	if (!is_begun(links, link))
		drop(links, link);
}

static enum link_end say_shortage(const struct links *links, size_t index, struct err *e)
{
	err_set(e, ERR_LIMIT, "connect to %s: %s", links->places.places[index].name,
		links->links[index].failure.text);
	return LINK_SHORTAGE;
}

/* Opens a link to this place and goes on with all of them. DONE: one of them is in use. */
static enum link_end try_place(struct links *links, size_t index, const struct clock *clock,
			       int64_t until_ns, struct err *e)
{
	struct link *link = &links->links[index];

	assert(link->stage == LINK_NONE);
	link->is_tried = true;
	link->is_silent = false;
	link->failure = (struct link_failure){ 0 };
	link->opened_ns = clock_now_ns(clock);
	link->asked_ns = link->opened_ns;
	link->owned_conn = links->ops->open(links->conn_want, &links->places.places[index],
					    &link->failure);
	if (link->owned_conn != NULL)
		link->stage = LINK_OPENING;
	while (link->stage != LINK_NONE) {
		const enum waited waited = wait_links(links, clock, until_ns);

		if (waited == WAITED_SHORTAGE) {
			(void)snprintf(link->failure.text, sizeof link->failure.text, "%s",
				       strerror(errno));
			return say_shortage(links, index, e);
		}
		if (take_ready(links))
			return LINK_DONE;
		if (waited == WAITED_IN_VAIN && link->stage != LINK_NONE) {
			keep_or_drop(links, link);
			return LINK_UNSENT;
		}
	}
	return link->failure.is_shortage ? say_shortage(links, index, e) : LINK_UNSENT;
}

/* The places without a connection: the last good one first, then as written, silent ones last. */
static size_t order_places(const struct links *links, uint8_t ret_order[LINK_PLACES_MAX])
{
	const size_t count = links->places.count;
	size_t filled = 0;

	for (int is_silent = 0; is_silent <= 1; is_silent++) {
		for (size_t n = 0; n < count; n++) {
			const size_t index = (links->last_good + n) % count;
			const struct link *link = &links->links[index];

			if (link->stage == LINK_NONE && link->is_silent == (is_silent == 1))
				ret_order[filled++] = (uint8_t)index;
		}
	}
	return filled;
}

/* Every place without a connection once, then until the deadline for what is kept. A place whose
   kept connection breaks meanwhile gets its try. */
static enum link_end try_places(struct links *links, const struct clock *clock,
				int64_t deadline_ns, struct err *e)
{
	uint8_t order[LINK_PLACES_MAX];
	enum waited waited = WAITED_CHANGED;

	if (take_ready(links))
		return LINK_DONE;

	const size_t count = order_places(links, order);

	for (size_t n = 0; n < count; n++) {
		const int64_t until_ns =
			socket_slice_end_ns(clock_now_ns(clock), deadline_ns, count - n);
		const enum link_end end = try_place(links, order[n], clock, until_ns, e);

		if (end != LINK_UNSENT)
			return end;
	}
	while (waited == WAITED_CHANGED) {
		if (take_ready(links))
			return LINK_DONE;
		for (size_t i = 0; i < links->places.count; i++) {
			if (links->links[i].stage != LINK_NONE || links->links[i].is_tried)
				continue;

			const enum link_end end = try_place(links, i, clock, deadline_ns, e);

			if (end != LINK_UNSENT)
				return end;
		}
		waited = wait_links(links, clock, deadline_ns);
	}
	return LINK_UNSENT;
}

/* One sentence with every place in the order as written, so that it is stable. */
static void say_all_failures(const struct links *links, struct err *e)
{
	struct text hung = { 0 };
	struct text failed = { 0 };
	bool is_deadline = true;

	for (size_t i = 0; i < links->places.count; i++) {
		const struct link *link = &links->links[i];
		const char *name = links->places.places[i].name;

		is_deadline = is_deadline && link->is_silent;
		if (link->stage == LINK_ASKED)
			text_addf(&hung, "%s%s",
				  hung.length_bytes == 0 ? "still no answer to an earlier request on "
							 : ", ",
				  name);
		else
			text_addf(&failed, "%s%s: %s",
				  failed.length_bytes == 0 ? "connect to " : "; ", name,
				  link->failure.text);
	}
	err_set(e, is_deadline ? ERR_DEADLINE : ERR_REMOTE, "%s%s%s", text_str(&hung),
		hung.length_bytes == 0 || failed.length_bytes == 0 ? "" : "; ", text_str(&failed));
	text_release(&hung);
	text_release(&failed);
}

/* Leaves hung connections where that is allowed; their places are then like any other. */
static void leave_hung(struct links *links, int64_t now_ns)
{
	for (size_t i = 0; i < links->places.count; i++) {
		struct link *link = &links->links[i];

		if (!is_waiting(link))
			continue;
		if (!link->is_unreached_left && is_unreached(links, link)) {
			link->is_unreached_left = true;
			drop(links, link);
		} else if (patience_may_leave(link->patience, link->asked_ns,
					      links->first_patience_ns, now_ns)) {
			drop(links, link);
		}
	}
}

enum link_end links_connect(struct links *links, const struct clock *clock, int64_t deadline_ns,
			    struct err *e)
{
	const int64_t now_ns = clock_now_ns(clock);
	struct link *current = &links->links[links->current];
	enum link_end end;

	(void)wait_links(links, clock, now_ns); /* what has come since the last attempt */
	if (is_alive(links, current)) {
		for (size_t i = 0; i < links->places.count; i++) {
			if (i == links->current || links->links[i].stage != LINK_READY)
				continue;
			links->links[i].is_silent = false;
			drop(links, &links->links[i]);
		}
		return LINK_DONE;
	}
	if (current->stage == LINK_READY)
		drop(links, current);

	leave_hung(links, now_ns);
	for (size_t i = 0; i < links->places.count; i++)
		links->links[i].is_tried = false;
	end = try_places(links, clock, deadline_ns, e);
	for (size_t i = 0; i < links->places.count; i++) {
		if (is_waiting(&links->links[i]))
			keep_or_drop(links, &links->links[i]);
	}
	if (end == LINK_UNSENT)
		say_all_failures(links, e);
	return end;
}

enum link_end links_wait(struct links *links, const struct clock *clock, int64_t deadline_ns,
			 struct err *e)
{
	struct link *link = &links->links[links->current];

	assert(link->stage == LINK_READY);
	link->asked_ns = clock_now_ns(clock);
	link->stage = LINK_ASKED;
	step(links, link); /* sends it, and reads what is there */
	while (is_waiting(link)) {
		const enum waited waited = wait_links(links, clock, deadline_ns);

		if (waited == WAITED_CHANGED)
			continue; /* perhaps another link */
		if (!is_waiting(link))
			break;
		link->is_silent = true;
		(void)snprintf(link->failure.text, sizeof link->failure.text, "no answer in time");
		err_set(e, ERR_DEADLINE, "no answer in time");
		return LINK_IN_VAIN;
	}
	if (link->stage == LINK_READY)
		return LINK_DONE;
	err_set(e, ERR_REMOTE, "%s", link->failure.text);
	return LINK_BROKEN;
}

void links_leave(struct links *links, const char *reason)
{
	struct link *link = &links->links[links->current];

	drop(links, link);
	(void)snprintf(link->failure.text, sizeof link->failure.text, "%s", reason);
}
