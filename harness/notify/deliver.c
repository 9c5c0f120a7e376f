/*
 * deliver.c - see notify.h: messages into the outbox, and out of it.
 *
 * Between two attempts lies four times as long as before, from one second to one hour, more or less a
 * quarter: many runs that fail together do not come back together. The chance is made of the message's
 * id, so the same message always has the same timetable. After a day, or a final no, it is dead.
 */
#include "notify/notify.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/random.h"
#include "notify/post.h"
#include "notify/route.h"

static const int64_t retry_first_ns = NS_PER_S;
static const int64_t retry_longest_ns = INT64_C(3600) * NS_PER_S;
static const int64_t retry_after_longest_ns = INT64_C(6 * 3600) * NS_PER_S;
static const int64_t give_up_after_ns = INT64_C(24 * 3600) * NS_PER_S;
static const int64_t look_again_ns = 100 * NS_PER_MS; /* for one that another process holds */

enum { RETRY_FACTOR = 4, JITTER_PERCENT = 25 };

/* ---- when again ---- */

static uint64_t seed_of(const char *id, int64_t attempt_count)
{
	char digest[HASH_TEXT_BYTES];
	uint64_t seed = (uint64_t)attempt_count;

	hash_chain("", id, strlen(id), digest);
	for (size_t i = 0; i < 16; i++)
		seed = seed * 31 + (unsigned char)digest[i];
	return seed;
}

int64_t notify_retry_wall_ns(const char *id, int64_t attempt_count, int64_t now_wall_ns,
			     int64_t retry_after_ns)
{
	struct random random = random_from_seed(seed_of(id, attempt_count));
	int64_t wait_ns = retry_first_ns;

	assert(attempt_count > 0);

	for (int64_t i = 1; i < attempt_count && wait_ns < retry_longest_ns; i++)
		wait_ns *= RETRY_FACTOR;
	if (wait_ns > retry_longest_ns)
		wait_ns = retry_longest_ns;

	const int64_t jitter_ns = wait_ns / 100 * JITTER_PERCENT;

	wait_ns += (int64_t)random_below(&random, (uint64_t)jitter_ns * 2 + 1) - jitter_ns;
	if (retry_after_ns > retry_after_longest_ns)
		retry_after_ns = retry_after_longest_ns;
	return now_wall_ns + (wait_ns > retry_after_ns ? wait_ns : retry_after_ns);
}

/* ---- into the outbox ---- */

/* The link of the inventory, with the run in its place. */
static const char *link_of(const struct notifier *notifier, const char *run_id, struct arena *arena)
{
	const char *link = notifier->notify->link;
	const char *place = link == NULL ? NULL : strstr(link, "{run}");

	if (place == NULL)
		return link;
	return arena_format(arena, "%.*s%s%s", (int)(place - link), link, run_id,
			    place + strlen("{run}"));
}

static const char *hide_in_report(const struct notifier *notifier, const char *report,
				  struct arena *arena)
{
	struct text text = { 0 };
	const char *clean;

	if (report == NULL || strlen(report) > LIMIT_MESSAGE_BYTES / 2)
		return NULL; /* it can still be read where it was made */
	text_add(&text, report);
	secrets_redact(notifier->secrets, &text);
	clean = arena_copy(arena, text_str(&text));
	text_release(&text);
	return clean;
}

/* id_end: what its id has behind the usual words. */
static bool post_part(const struct notifier *notifier, const struct happening *happening,
		      const struct route *route, const char *id_end, const char *report,
		      struct arena *arena, const char **ret_id, struct err *e)
{
	struct message message = {
		.channel = route->channel->name,
		.inventory = notifier->inventory,
		.created_wall_ns = clock_wall_ns(notifier->clock),
		.due_wall_ns = happening->wall_ns + route->after_ns,
		.happening = *happening,
		.report = channel_find(route->channel->kind)->wants_report ? report : NULL,
	};

	message.happening.after_ns = route->after_ns;
	message.id = arena_format(arena, "%s.%s.%s%s", happening->run_id,
				  happening_name(happening->kinds), route->channel->name, id_end);
	if (route->after_ns > 0)
		message.id = arena_format(arena, "%s.%" PRId64 "s", message.id,
					  route->after_ns / NS_PER_S);
	*ret_id = message.id;
	return outbox_put(notifier->folder, &message, e) ||
	       err_wrap(e, "tell channel `%s`", route->channel->name);
}

/* An escalation tells that something happened, and no more when. */
static bool post_one(const struct notifier *notifier, const struct happening *happening,
		     const struct route *route, const char *report, struct arena *arena,
		     const char **ret_id, struct err *e)
{
	const bool is_split = channel_find(route->channel->kind)->tells_harms &&
			      happening->harm_count > 0 && route->after_ns == 0;
	bool ok = true;

	if (!is_split)
		return post_part(notifier, happening, route, "", report, arena, ret_id, e);
	for (size_t i = 0; i < happening->harm_count; i++) {
		struct happening part = *happening;

		part.harms = &happening->harms[i];
		part.harm_count = 1;
		ok = post_part(notifier, &part, route, arena_format(arena, ".h%zu", i + 1), report,
			       arena, ret_id, ok ? e : NULL) && ok;
	}
	return ok;
}

static struct happening make_clean(const struct notifier *notifier,
				   const struct happening *happening, struct arena *arena)
{
	struct happening clean = happening_redact(happening, notifier->secrets, arena);

	if (clean.link == NULL)
		clean.link = link_of(notifier, clean.run_id, arena);
	return clean;
}

bool notify_post(const struct notifier *notifier, const struct happening *happening,
		 const char *report, size_t *ret_count, struct err *e)
{
	struct arena arena = { 0 };
	const struct happening clean = make_clean(notifier, happening, &arena);
	const char *clean_report = hide_in_report(notifier, report, &arena);
	const struct route *routes = NULL;
	const char *id = NULL;
	size_t count = 0;
	bool ok = true;

	route_happening(notifier->notify, &clean, &arena, &routes, &count);
	/* One that cannot be put must not keep the others from being told. */
	for (size_t i = 0; i < count; i++)
		ok = post_one(notifier, &clean, &routes[i], clean_report, &arena, &id,
			      ok ? e : NULL) && ok;
	arena_release(&arena);
	*ret_count = count;
	return ok;
}

bool notify_post_to(const struct notifier *notifier, const struct channel_spec *channel,
		    const struct happening *happening, char *ret_id, size_t id_bytes,
		    struct err *e)
{
	struct arena arena = { 0 };
	const struct happening clean = make_clean(notifier, happening, &arena);
	const struct route route = { .channel = channel };
	const char *id = "";
	const bool ok = post_one(notifier, &clean, &route, NULL, &arena, &id, e);
	const size_t length = strlen(id);

	assert(length < id_bytes);

	memcpy(ret_id, id, length + 1);
	arena_release(&arena);
	return ok;
}

bool notify_end_escalations(const char *folder, const char *run_id, size_t *ret_count,
			    struct err *e)
{
	struct arena arena = { 0 };
	struct message *messages = NULL;
	size_t count = 0;
	size_t broken_count = 0;
	bool ok = outbox_list(folder, OUTBOX_WAITING, &arena, &messages, &count, &broken_count, e);

	*ret_count = 0;
	for (size_t i = 0; ok && i < count; i++) {
		struct message message;
		struct claim *claim;

		if (messages[i].happening.after_ns == 0 ||
		    strcmp(messages[i].happening.run_id, run_id) != 0)
			continue;
		claim = outbox_claim(folder, messages[i].id, &arena, &message);
		if (claim == NULL)
			continue; /* it is on its way this very moment */
		ok = outbox_remove(claim, e);
		outbox_leave(claim);
		(*ret_count)++;
	}
	arena_release(&arena);
	return ok;
}

/* ---- out of it ---- */

/* A channel that has just failed is left alone for the rest of this delivery, unless it waits. */
struct failed_channel {
	const char *name;
	const char *inventory;
};

struct delivering {
	const struct delivery *delivery;
	struct delivered *delivered;
	struct arena arena;
	struct failed_channel *failed;
	size_t failed_count;
};

static void note_failure(struct delivering *delivering, const struct message *message,
			 const struct err *why)
{
	if (delivering->delivered->first.kind == ERR_NONE)
		delivering->delivered->first = *why;
	delivering->failed = arena_more(&delivering->arena, delivering->failed,
					delivering->failed_count, sizeof *delivering->failed);
	delivering->failed[delivering->failed_count++] = (struct failed_channel){
		arena_copy(&delivering->arena, message->channel),
		arena_copy(&delivering->arena, message->inventory),
	};
}

static bool has_failed(const struct delivering *delivering, const struct message *message)
{
	for (size_t i = 0; i < delivering->failed_count; i++)
		if (strcmp(delivering->failed[i].name, message->channel) == 0 &&
		    strcmp(delivering->failed[i].inventory, message->inventory) == 0)
			return true;
	return false;
}

/* One attempt. e says why when it is not sent. */
static struct receipt attempt(const struct delivery *delivery, const struct message *message,
			      struct arena *arena, struct err *e)
{
	const struct channel_spec *channel = NULL;
	struct letter letter = { 0 };
	int64_t deadline_ns;

	if (!delivery->find(delivery->ctx, message->inventory, message->channel, &channel, e))
		return (struct receipt){ .fate = FATE_AGAIN };

	const struct occasion occasion = {
		.channel = channel,
		.happening = &message->happening,
		.message_id = message->id,
		.wall_ns = clock_wall_ns(delivery->clock),
		.report = message->report,
	};

	deadline_ns = clock_now_ns(delivery->clock) + channel->timeout_ns;
	if (deadline_ns > delivery->deadline_ns)
		deadline_ns = delivery->deadline_ns;
	channel_find(channel->kind)->compose(&occasion, arena, &letter);
	return post_letter(&occasion, &letter, delivery->clock, deadline_ns, e);
}

/* What is kept of an error goes into a file, a list and a terminal. */
static const char *clean_error(const struct delivery *delivery, struct err *why,
			       struct arena *arena)
{
	struct text text = { 0 };
	const char *clean;

	text_add(&text, why->text);
	secrets_redact(delivery->secrets, &text);
	clean = arena_copy(arena, text_str(&text));
	text_release(&text);
	err_set(why, why->kind, "%s", clean);
	return clean;
}

static void settle(struct delivering *delivering, const struct claim *claim,
		   struct message *message, struct receipt receipt, struct err *why)
{
	const int64_t now_wall_ns = clock_wall_ns(delivering->delivery->clock);
	struct err e = { 0 };
	bool ok;

	if (receipt.fate == FATE_SENT) {
		delivering->delivered->sent_count++;
		ok = outbox_remove(claim, &e);
	} else {
		const int64_t began_wall_ns =
			message->created_wall_ns + message->happening.after_ns;
		const bool is_over = receipt.fate == FATE_NEVER ||
				     now_wall_ns - began_wall_ns > give_up_after_ns;

		err_wrap(why, "channel `%s`", message->channel);
		message->error = clean_error(delivering->delivery, why, &delivering->arena);
		message->attempt_count++;
		message->due_wall_ns = notify_retry_wall_ns(message->id, message->attempt_count,
							    now_wall_ns, receipt.retry_after_ns);
		note_failure(delivering, message, why);
		if (is_over)
			delivering->delivered->dead_count++;
		ok = is_over ? outbox_bury(claim, message, &e) : outbox_update(claim, message, &e);
	}
	if (!ok && delivering->delivered->first.kind == ERR_NONE)
		delivering->delivered->first = e;
}

static void deliver_one(struct delivering *delivering, const char *id)
{
	struct arena arena = { 0 };
	struct message message;
	struct err why = { 0 };
	struct claim *claim = outbox_claim(delivering->delivery->folder, id, &arena, &message);

	if (claim != NULL && message.due_wall_ns <= clock_wall_ns(delivering->delivery->clock))
		settle(delivering, claim, &message,
		       attempt(delivering->delivery, &message, &arena, &why), &why);
	outbox_leave(claim);
	arena_release(&arena);
}

static bool is_of_first(const struct delivery *delivery, const struct message *message)
{
	return delivery->first != NULL && strcmp(message->happening.run_id, delivery->first) == 0;
}

static bool is_wanted(const struct delivery *delivery, const struct message *message)
{
	return delivery->only == NULL || strcmp(delivery->only, message->id) == 0;
}

/* Everything that is due now, once; those of `first` before the others. */
static void deliver_due(struct delivering *delivering)
{
	const struct delivery *delivery = delivering->delivery;
	struct arena arena = { 0 };
	struct message *messages = NULL;
	size_t count = 0;
	size_t broken_count = 0;
	struct err e = { 0 };

	if (!outbox_list(delivery->folder, OUTBOX_WAITING, &arena, &messages, &count, &broken_count,
			&e) && delivering->delivered->first.kind == ERR_NONE)
		delivering->delivered->first = e;
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < count; i++)
			if (is_of_first(delivery, &messages[i]) == (round == 0) &&
			    is_wanted(delivery, &messages[i]) &&
			    !has_failed(delivering, &messages[i]) &&
			    messages[i].due_wall_ns <= clock_wall_ns(delivery->clock) &&
			    clock_now_ns(delivery->clock) < delivery->deadline_ns)
				deliver_one(delivering, messages[i].id);
	arena_release(&arena);
}

/* What was not sent: how many there are, and when the first that is waited for is due again. Escalations
   that are not due yet do not count. */
static int64_t look_at_rest(const struct delivery *delivery, size_t *ret_count)
{
	const int64_t now_wall_ns = clock_wall_ns(delivery->clock);
	struct arena arena = { 0 };
	struct message *messages = NULL;
	size_t count = 0;
	size_t broken_count = 0;
	int64_t next_wall_ns = INT64_MAX;

	*ret_count = 0;
	if (!outbox_list(delivery->folder, OUTBOX_WAITING, &arena, &messages, &count, &broken_count,
			NULL))
		count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct message *message = &messages[i];

		if (!is_wanted(delivery, message) ||
		    (message->attempt_count == 0 && message->due_wall_ns > now_wall_ns))
			continue;
		(*ret_count)++;
		if ((delivery->first == NULL || is_of_first(delivery, message)) &&
		    message->due_wall_ns < next_wall_ns)
			next_wall_ns = message->due_wall_ns;
	}
	arena_release(&arena);
	return next_wall_ns;
}

void notify_deliver(const struct delivery *delivery, struct delivered *ret_delivered)
{
	struct delivering delivering = { .delivery = delivery, .delivered = ret_delivered };

	*ret_delivered = (struct delivered){ 0 };
	for (;;) {
		const int64_t now_wall_ns = clock_wall_ns(delivery->clock);
		int64_t next_wall_ns;
		int64_t due_ns;

		deliver_due(&delivering);
		next_wall_ns = look_at_rest(delivery, &ret_delivered->waiting_count);
		if (!delivery->waits || next_wall_ns == INT64_MAX)
			break;
		due_ns = clock_now_ns(delivery->clock) +
			 (next_wall_ns > now_wall_ns ? next_wall_ns - now_wall_ns : look_again_ns);
		if (due_ns >= delivery->deadline_ns)
			break;
		clock_sleep_until_ns(delivery->clock, due_ns);
		delivering.failed_count = 0; /* perhaps it is there again */
	}
	arena_release(&delivering.arena);
}
