/*
 * redis_write.c - probe "redis.write": the ledger in Redis. One row for each slot, pushed onto one
 * list or set as a key of its own, and later a look at which of them are still there.
 *
 * Redis answers OK before a replica has the write and, but for `appendfsync always`, before the disk
 * has it: that is what this ledger shows. With `wait: N` a write is acknowledged only when N replicas
 * said so. A pushed row that was written twice is seen twice; a key cannot be there twice.
 *
 * Reading `keys: string` back walks the whole database with SCAN: other people's keys cost time.
 */
#include "probes/ledger_row.h"
#include "probes/probe.h"
#include "probes/redis_conn.h"
#include "probes/redis_rows.h"
#include "probes/stable.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NUMBER_BYTES = 24,
	RETRY_EVERY_MS = 100,
	REPLICAS_MAX = 64,
};

/* One try of prepare or clean: a host that freezes meanwhile may not take all the time there is. */
static const int64_t try_at_most_ns = 5 * NS_PER_S;
static const int64_t wait_spare_ns = 150 * NS_PER_MS;

struct redis_write {
	struct redis_want want;
	struct links *owned_links;
	struct text key;  /* of the list, or what the keys begin with */
	struct text line; /* of the row at hand */
	bool is_list;
	int64_t replica_count; /* to wait for */
	size_t payload_bytes;
	uint64_t seed;
};

static const struct param redis_write_params[] = {
	{ "keys", PARAM_CHOICE, .choices = "list|string", .fallback = "list",
	  .help = "list: all rows on one list; string: a key for each row" },
	{ "wait", PARAM_COUNT, .min = 0, .max = REPLICAS_MAX, .fallback = "0",
	  .help = "replicas that must have a write before it counts as acknowledged" },
	{ "payload", PARAM_BYTES, .min = 1, .max = LEDGER_PAYLOAD_BYTES_MAX, .fallback = "32B",
	  .help = "size of the payload of each row" },
	{ "keep", PARAM_BOOL, .fallback = "false",
	  .help = "leave the keys in place after the run, for counts of your own" },
	{ 0 },
};

static bool redis_write_check(const struct probe_spec *spec, struct err *e)
{
	const struct param_value *address = params_find(&spec->service->params, "address");

	return links_check(address->items, address->item_count, e) ||
	       err_wrap(e, "service %s", spec->service->name);
}

static void release_probe(struct redis_write *probe)
{
	links_close(probe->owned_links);
	text_release(&probe->key);
	text_release(&probe->line);
}

/* The probe must stay where it is: its links borrow from it. */
static bool init_probe(const struct probe_spec *spec, const char *run_id, const char *question,
		       struct redis_write *probe, struct err *e)
{
	const struct param_value *address = params_find(&spec->service->params, "address");
	const struct links_want want = {
		.ops = &redis_link_ops,
		.conn_want = &probe->want,
		.places = address->items,
		.place_count = address->item_count,
		.port = (uint16_t)params_number(&spec->service->params, "port"),
		.inventory = spec->inventory,
		.question = question,
		.timeout_ns = spec->timeout_ns,
	};

	*probe = (struct redis_write){
		.want = redis_want_of(spec->service),
		.is_list = strcmp(params_text(&spec->params, "keys"), "list") == 0,
		.replica_count = params_number(&spec->params, "wait"),
		.payload_bytes = (size_t)params_number(&spec->params, "payload"),
		.seed = ledger_seed(run_id, spec->name),
	};
	text_addf(&probe->key, "firedrill:ledger:%s:%s", run_id, spec->name);
	return links_open(&want, &probe->owned_links, e);
}

static bool redis_write_open(const struct probe_spec *spec, const char *run_id, void **ret_state,
			     struct err *e)
{
	struct redis_write *probe = mem_alloc(sizeof *probe);

	if (!init_probe(spec, run_id, "redis rows", probe, e)) {
		release_probe(probe);
		free(probe);
		return err_wrap(e, "open redis.write on %s", spec->service->name);
	}
	*ret_state = probe;
	return true;
}

static void redis_write_close(void *state)
{
	struct redis_write *probe = state;

	if (probe == NULL)
		return;
	release_probe(probe);
	free(probe);
}

/* So much less than the time left that the server, which looks at its clock ten times a second, still
   answers in time. 0 would mean for ever. */
static int64_t wait_ms(int64_t left_ns)
{
	const int64_t spare_ns = left_ns / 2 < wait_spare_ns ? left_ns / 2 : wait_spare_ns;

	return left_ns - spare_ns < NS_PER_MS ? 1 : (left_ns - spare_ns) / NS_PER_MS;
}

static void ask_write(struct redis_write *probe, uint64_t slot, int64_t left_ns)
{
	struct redis_conn *conn = links_current(probe->owned_links);
	char replicas[NUMBER_BYTES];
	char timeout[NUMBER_BYTES];
	struct text key = { 0 };
	struct redis_command commands[2] = {
		{ .words = { probe->is_list ? "RPUSH" : "SET" }, .word_count = 3 },
		{ .words = { "WAIT", replicas, timeout }, .word_count = 3 },
	};

	text_add(&key, text_str(&probe->key));
	if (!probe->is_list)
		text_addf(&key, ":%" PRIu64, slot);
	text_clear(&probe->line);
	ledger_line(probe->seed, slot, probe->payload_bytes, &probe->line);
	commands[0].words[1] = text_str(&key);
	commands[0].words[2] = text_str(&probe->line);
	(void)snprintf(replicas, sizeof replicas, "%" PRId64, probe->replica_count);
	(void)snprintf(timeout, sizeof timeout, "%" PRId64, wait_ms(left_ns));
	redis_conn_ask(conn, commands, probe->replica_count > 0 ? 2 : 1);
	text_release(&key);
}

/*
 * Redis refuses a command before it does anything. But a proxy in front of it says errors of its own
 * when it lost the server, so what is not one of Redis's own refusals tells nothing.
 */
static bool is_certain(const char *error)
{
	static const char *const refusals[] = {
		"BUSY",	      "CLUSTERDOWN", "CROSSSLOT", "ERR max number of clients",
		"ERR unknown", "ERR wrong",   "LOADING",   "MASTERDOWN",
		"MISCONF",    "MOVED",	     "NOAUTH",	  "NOPERM",
		"NOREPLICAS", "OOM",	     "READONLY",  "TRYAGAIN",
		"WRONGTYPE",
	};

	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		if (strncmp(error, refusals[i], strlen(refusals[i])) == 0)
			return true;
	}
	return false;
}

static void take_refusal(struct redis_write *probe, const char *error,
			 struct attempt_result *result, struct err *e)
{
	char reason[STABLE_TEXT_BYTES];

	result->state = SAMPLE_BAD;
	result->write = is_certain(error) ? WRITE_FAILED : WRITE_INDETERMINATE;
	err_set(e, ERR_REMOTE, "write: %s", stable_text(error, reason));
	/* A primary of a moment ago: the next attempt looks at the other places as well. */
	if (strncmp(error, "READONLY", 8) == 0 || strncmp(error, "MASTERDOWN", 10) == 0)
		links_leave(probe->owned_links, reason);
}

static void take_answer(struct redis_write *probe, struct attempt_result *result, struct err *e)
{
	const struct redis_conn *conn = links_current(probe->owned_links);
	const struct redisReply *written = redis_conn_reply(conn, 0);
	const struct redisReply *waited =
		probe->replica_count > 0 ? redis_conn_reply(conn, 1) : NULL;
	char reason[STABLE_TEXT_BYTES];

	if (written->type == REDIS_REPLY_ERROR) {
		take_refusal(probe, written->str, result, e);
		return;
	}
	result->state = SAMPLE_BAD;
	result->write = WRITE_INDETERMINATE;
	if (written->type != (probe->is_list ? REDIS_REPLY_INTEGER : REDIS_REPLY_STATUS)) {
		err_set(e, ERR_REMOTE, "write: an answer that is none to it");
	} else if (waited != NULL && waited->type == REDIS_REPLY_ERROR) {
		err_set(e, ERR_REMOTE, "wait: %s", stable_text(waited->str, reason));
	} else if (waited != NULL && (waited->type != REDIS_REPLY_INTEGER ||
				      waited->integer < probe->replica_count)) {
		err_set(e, ERR_DEADLINE, "wait: %lld of %" PRId64 " replicas had the write in time",
			waited->integer, probe->replica_count);
	} else {
		result->state = SAMPLE_GOOD;
		result->write = WRITE_ACKNOWLEDGED;
	}
}

static void redis_write_sample(void *state, const struct attempt *attempt,
			       struct attempt_result *result, struct err *e)
{
	struct redis_write *probe = state;
	const enum link_end end =
		links_connect(probe->owned_links, attempt->clock, attempt->deadline_ns, e);

	if (end != LINK_DONE) {
		result->state = end == LINK_SHORTAGE ? SAMPLE_SKIPPED : SAMPLE_BAD;
		return;
	}
	ask_write(probe, attempt->slot, attempt->deadline_ns - clock_now_ns(attempt->clock));
	if (links_wait(probe->owned_links, attempt->clock, attempt->deadline_ns, e) == LINK_DONE) {
		take_answer(probe, result, e);
		return;
	}
	result->state = SAMPLE_BAD;
	result->write = WRITE_INDETERMINATE;
	err_wrap(e, "write");
}

/* ---- before and after ---- */

/* Writes a row beside the ledger, reads it and removes it: whatever this user may not do shows. */
static bool try_all(struct redis_write *probe, const struct clock *clock, int64_t deadline_ns,
		    bool *ret_is_passing, struct err *e)
{
	static const char *const what[] = { "write to it", "read it back", "remove it" };
	struct text key = { 0 };
	bool ok;

	text_addf(&key, "%s:prepare", text_str(&probe->key));

	const char *name = text_str(&key);
	const struct redis_command on_list[] = {
		{ .words = { "RPUSH", name, "-" }, .word_count = 3 },
		{ .words = { "LRANGE", name, "0", "0" }, .word_count = 4 },
		{ .words = { "UNLINK", name }, .word_count = 2 },
	};
	const struct redis_command on_keys[] = {
		{ .words = { "SET", name, "-" }, .word_count = 3 },
		{ .words = { "SCAN", "0", "COUNT", "1" }, .word_count = 4 },
		{ .words = { "UNLINK", name }, .word_count = 2 },
	};

	*ret_is_passing = true;
	ok = links_connect(probe->owned_links, clock, deadline_ns, e) == LINK_DONE;
	if (ok) {
		redis_conn_ask(links_current(probe->owned_links),
			       probe->is_list ? on_list : on_keys, 3);
		ok = links_wait(probe->owned_links, clock, deadline_ns, e) == LINK_DONE;
	}
	for (size_t i = 0; i < 3 && ok; i++) {
		const struct redisReply *reply =
			redis_conn_reply(links_current(probe->owned_links), i);

		if (reply->type != REDIS_REPLY_ERROR)
			continue;
		*ret_is_passing = strncmp(reply->str, "NOPERM", 6) != 0 &&
				  strncmp(reply->str, "ERR", 3) != 0 &&
				  strncmp(reply->str, "MOVED", 5) != 0;
		ok = err_set(e, ERR_REMOTE, "%s: %s", what[i], reply->str);
	}
	text_release(&key);
	return ok;
}

static bool redis_write_prepare(const struct probe_spec *spec, const char *run_id,
				const struct clock *clock, int64_t deadline_ns, struct err *e)
{
	struct redis_write probe;
	bool is_passing = true;
	bool ok = init_probe(spec, run_id, "redis ledger", &probe, e);

	for (bool is_first = true; probe.owned_links != NULL; is_first = false) {
		const int64_t now_ns = clock_now_ns(clock);
		const int64_t try_end_ns = now_ns + try_at_most_ns;
		const int64_t next_ns = now_ns + RETRY_EVERY_MS * NS_PER_MS;

		if (!is_first && (!is_passing || next_ns >= deadline_ns))
			break;
		if (!is_first)
			clock_sleep_until_ns(clock, next_ns);
		ok = try_all(&probe, clock, try_end_ns < deadline_ns ? try_end_ns : deadline_ns,
			     &is_passing, e);
		if (ok)
			break;
	}
	release_probe(&probe);
	if (ok)
		err_clear(e); /* of tries before */
	return ok || err_wrap(e, "prepare the ledger on %s", spec->service->name);
}

static struct redis_rows rows_of(const struct redis_write *probe)
{
	return (struct redis_rows){ .links = probe->owned_links,
				    .key = text_str(&probe->key),
				    .is_list = probe->is_list,
				    .payload_bytes = probe->payload_bytes,
				    .seed = probe->seed };
}

static bool redis_write_read_back(const struct probe_spec *spec, const char *run_id,
				  const struct clock *clock, int64_t deadline_ns,
				  const struct row_sink *sink, struct err *e)
{
	struct redis_write probe;
	bool ok = init_probe(spec, run_id, "redis ledger", &probe, e);

	if (ok) {
		const struct redis_rows rows = rows_of(&probe);

		ok = redis_rows_read(&rows, clock, deadline_ns, sink, e);
	}
	release_probe(&probe);
	return ok || err_wrap(e, "read the ledger back from %s", spec->service->name);
}

static bool redis_write_clean(const struct probe_spec *spec, const char *run_id,
			      const struct clock *clock, int64_t deadline_ns, struct err *e)
{
	struct redis_write probe;
	bool ok;

	if (params_bool(&spec->params, "keep"))
		return true;
	ok = init_probe(spec, run_id, "redis ledger", &probe, e);
	if (ok) {
		const struct redis_rows rows = rows_of(&probe);

		ok = redis_rows_remove(&rows, clock, deadline_ns, e);
	}
	release_probe(&probe);
	return ok || err_wrap(e, "remove the ledger's keys from %s", spec->service->name);
}

const struct probe_ops probe_redis_write = {
	.name = "redis.write",
	.summary = "the ledger in Redis: numbered rows, and which of them were acknowledged",
	.on = PROBE_ON_SERVICE,
	.service_kinds = "redis",
	.is_ledger = true,
	.params = redis_write_params,
	.check = redis_write_check,
	.open = redis_write_open,
	.sample = redis_write_sample,
	.close = redis_write_close,
	.prepare = redis_write_prepare,
	.read_back = redis_write_read_back,
	.clean = redis_write_clean,
};
