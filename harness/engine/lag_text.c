/*
 * lag_text.c - see lag_text.h.
 */
#include "engine/lag_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { WORD_BYTES = 24 };

static const char no_state[] = "-";

/* ---- out ---- */

struct names {
	const char *items[LAG_TEXT_ROWS_MAX];
	size_t count;
};

static size_t number_of(struct names *names, const char *replica)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], replica) == 0)
			return i;
	assert(names->count < LAG_TEXT_ROWS_MAX);
	names->items[names->count] = replica;
	return names->count++;
}

static void add_number(struct text *line, int64_t number)
{
	if (number == LAG_UNKNOWN)
		text_add(line, " -");
	else
		text_addf(line, " %" PRId64, number);
}

static void add_look(const struct lag_look *first, const struct lag_look *look, struct names *names,
		     struct text *line)
{
	text_addf(line, "%" PRId64 " %" PRId64 " %" PRIu64, look->from_ns - first->from_ns,
		  look->until_ns - first->from_ns, look->wal_bytes - first->wal_bytes);
	for (size_t i = 0; i < look->row_count; i++) {
		const struct lag_row *row = &look->rows[i];
		const bool is_word = row->state[0] != '\0' && strpbrk(row->state, " ;") == NULL;

		text_addf(line, "; %zu %s %s", number_of(names, row->replica),
			  is_word ? row->state : no_state, row->is_sync ? "sync" : "async");
		add_number(line, row->sent_bytes);
		add_number(line, row->flush_bytes);
		add_number(line, row->replay_bytes);
		add_number(line, row->flush_told_ns);
		add_number(line, row->replay_told_ns);
	}
}

void lag_text_write(const struct lag_look *looks, size_t count, struct text *ret_data)
{
	struct json *root = json_object();
	struct names names = { .count = 0 };
	struct text line = { 0 };

	assert(count > 0);
	text_addf(&line, "%" PRIu64, looks[0].wal_bytes);
	json_put_text(root, "wal", text_str(&line));

	struct json *list = json_put_array(root, "replicas");
	struct json *lines = json_put_array(root, "looks");

	for (size_t i = 0; i < count; i++) {
		assert(looks[i].wal_bytes >= looks[0].wal_bytes);
		text_clear(&line);
		add_look(&looks[0], &looks[i], &names, &line);
		json_push_text(lines, text_str(&line));
	}
	for (size_t i = 0; i < names.count; i++)
		json_push_text(list, names.items[i]);
	json_print(root, false, ret_data);
	text_release(&line);
	json_release(root);
}

/* ---- in ---- */

/* The next word; false when there is none or it is too long. */
static bool read_word(const char **at, char word[WORD_BYTES])
{
	const size_t blanks = strspn(*at, " ");
	const size_t bytes = strcspn(*at + blanks, " ;");

	if (bytes == 0 || bytes >= WORD_BYTES)
		return false;
	memcpy(word, *at + blanks, bytes);
	word[bytes] = '\0';
	*at += blanks + bytes;
	return true;
}

/* Not negative; "-" is LAG_UNKNOWN where may_be_unknown. */
static bool read_number(const char **at, bool may_be_unknown, int64_t *ret_number)
{
	char word[WORD_BYTES];
	char *end = NULL;

	if (!read_word(at, word))
		return false;
	if (may_be_unknown && strcmp(word, "-") == 0) {
		*ret_number = LAG_UNKNOWN;
		return true;
	}
	*ret_number = (int64_t)strtoll(word, &end, 10);
	return *end == '\0' && *ret_number >= 0 && *ret_number < INT64_MAX / 4;
}

static bool read_row(const char **at, const struct json *replicas, struct lag_row *row)
{
	char state[WORD_BYTES];
	char sync[WORD_BYTES];
	int64_t number;

	if (!read_number(at, false, &number) || !read_word(at, state) || !read_word(at, sync) ||
	    !read_number(at, true, &row->sent_bytes) || !read_number(at, true, &row->flush_bytes) ||
	    !read_number(at, true, &row->replay_bytes) ||
	    !read_number(at, true, &row->flush_told_ns) ||
	    !read_number(at, true, &row->replay_told_ns))
		return false;

	const char *replica = json_text_of(json_at(replicas, (size_t)number));

	if (replica == NULL)
		return false;
	(void)snprintf(row->replica, sizeof row->replica, "%s", replica);
	(void)snprintf(row->state, sizeof row->state, "%.*s", LAG_STATE_BYTES - 1, state);
	row->is_sync = strcmp(sync, "sync") == 0;
	return true;
}

static bool read_look(const char *at, const struct json *replicas, struct lag_look *look)
{
	int64_t wal_bytes;

	if (!read_number(&at, false, &look->from_ns) || !read_number(&at, false, &look->until_ns) ||
	    !read_number(&at, false, &wal_bytes) || look->from_ns > look->until_ns)
		return false;
	look->wal_bytes = (uint64_t)wal_bytes;
	look->row_count = 0;
	while (*at == ';') {
		at++;
		if (look->row_count == LAG_REPLICAS_MAX ||
		    !read_row(&at, replicas, &look->rows[look->row_count]))
			return false;
		look->row_count++;
	}
	return *at == '\0';
}

static size_t read_looks(const struct event *event, const struct json *root, uint64_t wal_bytes,
			 void (*take)(void *ctx, const struct lag_look *look), void *ctx)
{
	const struct json *lines = json_get(root, "looks");
	size_t failed_count = 0;

	for (const struct json *at = json_at(lines, 0); at != NULL; at = json_next(at)) {
		const char *line = json_text_of(at);
		struct lag_look look = { .primary = event->host };

		if (line == NULL || !read_look(line, json_get(root, "replicas"), &look)) {
			failed_count++;
			continue;
		}
		look.from_ns += event->from_ns;
		look.until_ns += event->from_ns;
		look.wal_bytes += wal_bytes;
		take(ctx, &look);
	}
	return failed_count;
}

size_t lag_text_read(const struct event *event, void (*take)(void *ctx, const struct lag_look *look),
		     void *ctx)
{
	struct json *root = NULL;
	size_t failed_count = 1;
	int64_t wal_bytes = 0;

	if (event->data != NULL && event->host != NULL &&
	    json_parse(event->data, strlen(event->data), &root, NULL) &&
	    json_type_of(root) == JSON_OBJECT && json_text_of(json_get(root, "wal")) != NULL) {
		const char *wal = json_text_of(json_get(root, "wal"));

		if (read_number(&wal, false, &wal_bytes))
			failed_count = read_looks(event, root, (uint64_t)wal_bytes, take, ctx);
	}
	json_release(root);
	return failed_count;
}
