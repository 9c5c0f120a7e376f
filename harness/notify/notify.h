/*
 * notify.h - telling people: the table of contents of harness/notify.
 *
 *   happening.c  what happened, as plain texts; its JSON
 *   route.c      the rules: who is told, and when
 *   slack.c, webhook.c, email.c, pagerduty.c, grafana.c   a happening in, a letter out; table.c lists them
 *   template.c   {{names}} in a webhook's own body
 *   outbox.c      messages that wait, as files
 *   post.c       one attempt
 *   deliver.c    attempts until it is sent, or dead
 *   missed.c     a run that was due and did not take place
 *
 * A message is durable before its first attempt, so a crash loses none; the same message again has the
 * same id, so a receiver knows a repetition. Nothing here can change a verdict: whoever tells does so
 * when nothing is harmed, and goes on whatever comes of it.
 */
#ifndef NOTIFY_NOTIFY_H
#define NOTIFY_NOTIFY_H

#include "base/clock.h"
#include "notify/outbox.h"

/* On whose behalf. */
struct notifier {
	const struct notify *notify;
	const char *inventory;        /* absolute path of the document that `notify` stands in */
	const char *folder;           /* of the messages */
	const struct secrets *secrets; /* that must not be in any */
	const struct clock *clock;
};

/*
 * Puts what the rules say into the outbox, and sends nothing. The happening and the report need not be
 * redacted. *ret_count: how many messages there are, escalations included.
 */
bool notify_post(const struct notifier *notifier, const struct happening *happening,
		 const char *report, size_t *ret_count, struct err *e);
/* One message to one channel, whatever the rules say; ret_id (at least 256 bytes) is its id. */
bool notify_post_to(const struct notifier *notifier, const struct channel_spec *channel,
		    const struct happening *happening, char *ret_id, size_t id_bytes,
		    struct err *e);

/* A run that was due and did not take place: what a scheduler knows of it. */
struct missed_run {
	const char *schedule;    /* its name */
	const char *title;       /* of the experiment */
	const char *service;     /* NULL: none */
	int64_t tier;
	const char *environment; /* NULL: none */
	int64_t due_wall_ns;     /* of several the newest */
	int64_t count;           /* of those that were missed */
	const char *why;         /* a sentence without a full stop; NULL: nothing to say */
};

/* notify_post of it. It has no run, so its incident and its escalations bear the name
   "missed-SCHEDULE-SECONDS", which `firedrill ack` takes as well. */
bool notify_post_missed(const struct notifier *notifier, const struct missed_run *missed,
			size_t *ret_count, struct err *e);

/* The channel of a message, with its secrets; false: it cannot be known now. It stays valid while the
   delivery lasts. */
typedef bool channel_fn(void *ctx, const char *inventory, const char *channel,
			const struct channel_spec **ret_channel, struct err *e);

struct delivery {
	const char *folder;
	const struct clock *clock;
	int64_t deadline_ns;   /* on the clock: no attempt begins later, and none lasts longer */
	bool waits;            /* also for what becomes due again before the deadline */
	const char *first;     /* a run whose messages come before all others, and which alone is waited
				  for; NULL: none */
	const char *only;      /* the id of one message; NULL: all */
	const struct secrets *secrets; /* hidden in what is kept of errors */
	channel_fn *find;
	void *ctx;
};

struct delivered {
	size_t sent_count;
	size_t waiting_count; /* tried, and to be tried again */
	size_t dead_count;
	struct err first;     /* why, of the first that was not sent */
};

/* Sends what is due. It cannot fail: what cannot be sent waits, or is dead after a final no. */
void notify_deliver(const struct delivery *delivery, struct delivered *ret_delivered);

/* Nobody else need hear of this run: its escalations go. *ret_count: how many there were. */
bool notify_end_escalations(const char *folder, const char *run_id, size_t *ret_count,
			    struct err *e);

/* When a message is tried again after so many attempts have failed; pure. */
int64_t notify_retry_wall_ns(const char *id, int64_t attempt_count, int64_t now_wall_ns,
			     int64_t retry_after_ns);

#endif
