/*
 * redis_rows.c - see redis_rows.h. A list is read by its indexes: rows are only ever added at its
 * end, so pieces fit together while writers go on. Keys are found with SCAN, which gives each key that
 * is there all the time at least once, and perhaps twice: hence one bit for each number seen.
 */
#include "probes/redis_rows.h"
#include "probes/ledger_row.h"
#include "probes/redis_conn.h"
#include "probes/stable.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NUMBER_BYTES = 24,
	PIECE_BYTES = 1 << 20, /* of payload in one answer */
	PIECE_ROWS = 1000,
	SCAN_COUNT = 1000,
	SEEN_BYTES_MAX = 16 << 20, /* 134 M rows; a number beyond is reported each time it comes */
};

struct reading {
	const struct redis_rows *rows;
	const struct clock *clock;
	int64_t deadline_ns;
	const struct row_sink *sink;
	uint8_t *owned_seen; /* a bit for each number */
	size_t seen_bytes;
};

/* One command and its answer; an error is a failure. The reply is good until the next question. */
static const struct redisReply *ask(struct reading *reading,
				    const struct redis_command *command, int wanted_type,
				    struct err *e)
{
	const struct redisReply *reply;
	char reason[STABLE_TEXT_BYTES];

	redis_conn_ask(links_current(reading->rows->links), command, 1);
	if (links_wait(reading->rows->links, reading->clock, reading->deadline_ns, e) != LINK_DONE)
		return NULL;
	if (reading->sink != NULL)
		reading->deadline_ns = row_sink_heard(reading->sink, reading->deadline_ns);
	reply = redis_conn_reply(links_current(reading->rows->links), 0);
	if (reply->type == wanted_type)
		return reply;
	if (reply->type == REDIS_REPLY_ERROR)
		err_set(e, ERR_REMOTE, "%s", stable_text(reply->str, reason));
	else
		err_set(e, ERR_REMOTE, "an answer to %s that is none", command->words[0]);
	return NULL;
}

/* What was read is the primary's only if it was one to the end. */
static bool is_still_primary(struct reading *reading, struct err *e)
{
	const struct redis_command role = { .words = { "ROLE" }, .word_count = 1 };
	struct err why = { 0 };
	const struct redisReply *reply = ask(reading, &role, REDIS_REPLY_ARRAY, &why);

	if (reply == NULL && strncmp(why.text, "NOPERM", 6) == 0)
		return true; /* nobody may ask; see redis_conn.c */
	if (reply == NULL)
		return err_set(e, why.kind, "%s", why.text);
	if (reply->elements == 0 || reply->element[0]->type != REDIS_REPLY_STRING ||
	    strcmp(reply->element[0]->str, "master") != 0)
		return err_set(e, ERR_REMOTE, "it became a replica while it was read");
	return true;
}

static bool take_list_row(struct reading *reading, const struct redisReply *row,
			  struct err *e)
{
	const struct redis_rows *rows = reading->rows;
	int64_t sequence = -1;

	if (row->type != REDIS_REPLY_STRING)
		return err_set(e, ERR_REMOTE, "a list with something else than texts");
	/* Without a number it is nobody's row: unexpected, and damaged. */
	if (!ledger_line_sequence(row->str, (size_t)row->len, &sequence))
		sequence = -1;
	reading->sink->row(reading->sink->ctx, sequence,
			   sequence >= 0 && ledger_line_is_intact(rows->seed, (uint64_t)sequence,
								  rows->payload_bytes, row->str,
								  (size_t)row->len));
	return true;
}

static size_t piece_rows(const struct redis_rows *rows)
{
	const size_t count = PIECE_BYTES / rows->payload_bytes;

	return count > PIECE_ROWS ? PIECE_ROWS : count;
}

static bool read_list(struct reading *reading, struct err *e)
{
	const size_t step = piece_rows(reading->rows);
	char first[NUMBER_BYTES];
	char last[NUMBER_BYTES];
	const struct redis_command range = { .words = { "LRANGE", reading->rows->key, first, last },
					     .word_count = 4 };

	for (size_t at = 0;; at += step) {
		const struct redisReply *reply;

		(void)snprintf(first, sizeof first, "%zu", at);
		(void)snprintf(last, sizeof last, "%zu", at + step - 1);
		reply = ask(reading, &range, REDIS_REPLY_ARRAY, e);
		if (reply == NULL)
			return false;
		for (size_t i = 0; i < reply->elements; i++) {
			if (!take_list_row(reading, reply->element[i], e))
				return false;
		}
		if (reply->elements < step)
			return true;
	}
}

/* True when this number is new. Grows the bits as far as they go. */
static bool is_first_time(struct reading *reading, int64_t sequence)
{
	const size_t at = (size_t)sequence / 8;
	const uint8_t bit = (uint8_t)(1u << (sequence % 8));

	if (at >= SEEN_BYTES_MAX)
		return true;
	if (at >= reading->seen_bytes) {
		const size_t wanted = at + 1 > 2 * reading->seen_bytes ? at + 1
								       : 2 * reading->seen_bytes;

		reading->owned_seen = mem_grow(reading->owned_seen, wanted);
		memset(reading->owned_seen + reading->seen_bytes, 0, wanted - reading->seen_bytes);
		reading->seen_bytes = wanted;
	}
	if (reading->owned_seen[at] & bit)
		return false;
	reading->owned_seen[at] |= bit;
	return true;
}

/* The number at the end of a key of ours, or -1. */
static int64_t sequence_of(const struct redis_rows *rows, const char *key)
{
	const char *number = key + strlen(rows->key) + 1; /* SCAN's pattern matched up to here */
	char *end = NULL;
	const int64_t sequence = number[0] >= '0' && number[0] <= '9' ? strtoll(number, &end, 10)
								      : -1;

	return end != NULL && *end == '\0' ? sequence : -1;
}

/* The values of some keys. One that is gone meanwhile is not there. */
static bool take_keys(struct reading *reading, const char *const *keys, size_t count,
		      struct err *e)
{
	const struct redis_rows *rows = reading->rows;
	const struct redis_command get = { .words = { "MGET" }, .word_count = 1,
					   .more_words = keys, .more_count = count };
	const struct redisReply *reply = ask(reading, &get, REDIS_REPLY_ARRAY, e);

	if (reply == NULL)
		return false;
	if (reply->elements != count)
		return err_set(e, ERR_REMOTE, "MGET: %zu values for %zu keys", reply->elements,
			       count);
	for (size_t i = 0; i < count; i++) {
		const struct redisReply *value = reply->element[i];
		const int64_t sequence = sequence_of(rows, keys[i]);

		if (value->type == REDIS_REPLY_NIL)
			continue;
		reading->sink->row(reading->sink->ctx, sequence,
				   sequence >= 0 && value->type == REDIS_REPLY_STRING &&
					   ledger_line_is_intact(rows->seed, (uint64_t)sequence,
								 rows->payload_bytes, value->str,
								 (size_t)value->len));
	}
	return true;
}

/* Receives keys of ours, at most REDIS_WORDS_MAX of them at a time. */
typedef bool keys_fn(struct reading *reading, const char *const *keys, size_t count,
		     struct err *e);

/* One piece of SCAN. Copies the keys, since the next question ends the reply. */
static bool scan_piece(struct reading *reading, const char *pattern, char cursor[NUMBER_BYTES],
		       size_t step, keys_fn *take, struct err *e)
{
	const struct redis_command scan = { .words = { "SCAN", cursor, "MATCH", pattern, "COUNT",
						       "1000" },
					    .word_count = 6 };
	const struct redisReply *reply = ask(reading, &scan, REDIS_REPLY_ARRAY, e);
	struct arena arena = { 0 };
	const char **keys;
	size_t count = 0;
	bool ok = true;

	if (reply == NULL)
		return false;
	if (reply->elements != 2 || reply->element[0]->type != REDIS_REPLY_STRING ||
	    reply->element[1]->type != REDIS_REPLY_ARRAY)
		return err_set(e, ERR_REMOTE, "an answer to SCAN that is none");
	(void)snprintf(cursor, NUMBER_BYTES, "%.20s", reply->element[0]->str);
	keys = arena_alloc(&arena, (reply->element[1]->elements + 1) * sizeof *keys);
	for (size_t i = 0; i < reply->element[1]->elements; i++) {
		const char *key = reply->element[1]->element[i]->str;
		const int64_t sequence = sequence_of(reading->rows, key);

		if (sequence < 0 || is_first_time(reading, sequence))
			keys[count++] = arena_copy(&arena, key);
	}
	for (size_t at = 0; at < count && ok; at += step)
		ok = take(reading, keys + at, count - at < step ? count - at : step, e);
	arena_release(&arena);
	return ok;
}

static bool scan_all(struct reading *reading, size_t step, keys_fn *take, struct err *e)
{
	char cursor[NUMBER_BYTES] = "0";
	struct text pattern = { 0 };
	bool ok = true;

	/* Run and probe are letters, digits, - and _: nothing that SCAN would read as a pattern. */
	text_addf(&pattern, "%s:*", reading->rows->key);
	do {
		ok = scan_piece(reading, text_str(&pattern), cursor, step, take, e);
	} while (ok && strcmp(cursor, "0") != 0);
	text_release(&pattern);
	free(reading->owned_seen);
	reading->owned_seen = NULL;
	reading->seen_bytes = 0;
	return ok;
}

bool redis_rows_read(const struct redis_rows *rows, const struct clock *clock, int64_t deadline_ns,
		     const struct row_sink *sink, struct err *e)
{
	struct reading reading = {
		.rows = rows, .clock = clock, .deadline_ns = deadline_ns, .sink = sink
	};

	if (links_connect(rows->links, clock, deadline_ns, e) != LINK_DONE)
		return false;
	return (rows->is_list ? read_list(&reading, e)
			      : scan_all(&reading, piece_rows(rows), take_keys, e)) &&
	       is_still_primary(&reading, e);
}

static bool remove_keys(struct reading *reading, const char *const *keys, size_t count,
			struct err *e)
{
	const struct redis_command unlink = { .words = { "UNLINK" }, .word_count = 1,
					      .more_words = keys, .more_count = count };

	return ask(reading, &unlink, REDIS_REPLY_INTEGER, e) != NULL;
}

bool redis_rows_remove(const struct redis_rows *rows, const struct clock *clock,
		       int64_t deadline_ns, struct err *e)
{
	struct reading reading = { .rows = rows, .clock = clock, .deadline_ns = deadline_ns };

	if (links_connect(rows->links, clock, deadline_ns, e) != LINK_DONE)
		return false;
	return rows->is_list ? remove_keys(&reading, &rows->key, 1, e)
			     : scan_all(&reading, PIECE_ROWS, remove_keys, e);
}
