/*
 * measure_primaries.c - see measure_primaries.h.
 *
 * The journal holds, for each member, every change of what it is, with the bound of the change, and a
 * last word. Between two changes a member is in one stretch:
 *
 *   proven    from the end of the bound of the change that began it, to the beginning of the bound of the
 *             change that ended it: at both ends it answered so, and at every look in between
 *   possible  the other way round: outside it answered something else
 *
 * Two members are together in something where their proven parts overlap; they cannot be excluded to be
 * where their possible parts do. A stretch that was seen in one look only proves a moment and no time. A
 * silent member is possibly anything, unless it was a replica before and after and was not restarted: a
 * server that was promoted never becomes a replica again without a restart.
 */
#include "engine/measure_primaries.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* One bit for each member that is in something. */
enum { HOSTS_MAX = 64 };

struct stretch {
	size_t host;
	enum standing is;
	const char *server; /* which start of it; "": not known */
	struct span proven;
	struct span possible;
};

struct member {
	const char *name;
	struct stretch *open;	/* NULL: none yet, or the last word was said */
	struct stretch *before; /* the one before it */
	bool has_answered;
};

struct scan {
	struct stretch *stretches;
	size_t stretch_count;
	struct member members[HOSTS_MAX];
	size_t member_count;
	bool is_whole;
};

/* What the data of one event says. */
struct word {
	enum standing was;
	enum standing is;
	const char *server;
	bool is_last;
};

static bool read_word(const struct event *event, struct arena *arena, struct word *ret_word)
{
	struct json *root = NULL;
	bool ok = event->host != NULL && event->data != NULL && event->from_ns <= event->until_ns &&
		  json_parse(event->data, strlen(event->data), &root, NULL) &&
		  json_type_of(root) == JSON_OBJECT &&
		  json_bool_of(json_get(root, "is_last"), &ret_word->is_last);

	ret_word->was = standing_find(json_text_of(json_get(root, "was")));
	ret_word->is = standing_find(json_text_of(json_get(root, "is")));
	ret_word->server = arena_copy(arena, json_text_of(json_get(root, "server")));
	json_release(root);
	return ok && ret_word->is != STANDING_NONE;
}

/* NULL: there are more members than can be. */
static struct member *find_member(struct scan *scan, const char *name)
{
	for (size_t i = 0; i < scan->member_count; i++)
		if (strcmp(scan->members[i].name, name) == 0)
			return &scan->members[i];
	if (scan->member_count == HOSTS_MAX)
		return NULL;
	scan->members[scan->member_count] = (struct member){ .name = name };
	return &scan->members[scan->member_count++];
}

/* A silence between two looks at one and the same start of a replica. */
static void explain_silence(const struct member *member, const struct stretch *now)
{
	struct stretch *silence = member->open;
	const struct stretch *before = member->before;

	if (silence == NULL || before == NULL || silence->is != STANDING_SILENT ||
	    before->is != STANDING_REPLICA || now->is != STANDING_REPLICA ||
	    before->server == NULL || now->server == NULL || now->server[0] == '\0' ||
	    strcmp(before->server, now->server) != 0)
		return;
	silence->is = STANDING_REPLICA;
	silence->server = now->server;
}

static void open_stretch(struct scan *scan, struct member *member, const struct stretch *fresh)
{
	struct stretch *stretch = &scan->stretches[scan->stretch_count++];

	*stretch = *fresh;
	explain_silence(member, stretch);
	member->before = member->open;
	member->open = stretch;
}

static void take_event(struct scan *scan, const struct event *event, struct arena *arena)
{
	struct word word = { 0 };
	struct member *member = NULL;

	if (read_word(event, arena, &word))
		member = find_member(scan, event->host);
	if (member == NULL) {
		scan->is_whole = false;
		return;
	}

	struct stretch *open = member->open;

	/* A change is missing in between: of the stretch no more is proven than its first look. */
	if (word.was != (open == NULL ? STANDING_NONE : open->is) && !word.is_last)
		scan->is_whole = false;
	else if (open != NULL && (!word.is_last || word.is == open->is))
		open->proven.high_ns = event->from_ns;
	else if (word.is_last)
		scan->is_whole = false;
	if (open != NULL)
		open->possible.high_ns = event->until_ns;
	member->has_answered = member->has_answered || word.is > STANDING_SILENT;
	if (word.is_last) {
		member->open = NULL;
		return;
	}
	open_stretch(scan, member,
		     &(struct stretch){ .host = (size_t)(member - scan->members),
					.is = word.is,
					.server = word.server,
					.proven = { event->until_ns, event->until_ns },
					.possible = { event->from_ns, event->until_ns } });
}

static void take_events(struct scan *scan, const struct timeline *timeline, const char *probe,
			struct arena *arena)
{
	const int64_t end_ns = timeline->event_count == 0 ?
				       0 :
				       timeline->events[timeline->event_count - 1].at_ns;

	for (size_t i = 0; i < timeline->event_count; i++) {
		const struct event *event = &timeline->events[i];

		if (event->kind == EVENT_STANDING && event->name != NULL &&
		    strcmp(event->name, probe) == 0)
			take_event(scan, event, arena);
	}
	/* No last word: nobody knows how it went on. */
	for (size_t i = 0; i < scan->member_count; i++) {
		if (scan->members[i].open == NULL)
			continue;
		scan->is_whole = false;
		if (scan->members[i].open->possible.high_ns < end_ns)
			scan->members[i].open->possible.high_ns = end_ns;
	}
}

/* ---- together ---- */

/* What is asked: at least this, proven or possible, and whether a silent one may be it. */
struct question {
	enum standing least;
	bool is_possible;
	bool is_silence_possible;
};

static struct span part_of(const struct stretch *stretch, const struct question *question)
{
	const bool is_silent = stretch->is == STANDING_SILENT;

	if (!question->is_possible)
		return stretch->is >= question->least ? stretch->proven : (struct span){ 0, 0 };
	return stretch->is >= question->least || (is_silent && question->is_silence_possible) ?
		       stretch->possible :
		       (struct span){ 0, 0 };
}

static int compare_ns(const void *a, const void *b)
{
	const int64_t left = *(const int64_t *)a;
	const int64_t right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static bool is_same_server(const struct stretch *a, const struct stretch *b)
{
	return a->server != NULL && a->server[0] != '\0' && b->server != NULL &&
	       strcmp(a->server, b->server) == 0;
}

static bool is_within(const struct scan *scan, size_t index, const struct question *question,
		      int64_t from_ns, int64_t until_ns)
{
	const struct span part = part_of(&scan->stretches[index], question);

	return part.low_ns <= from_ns && part.high_ns >= until_ns;
}

/* The members in it between two neighbouring edges: none of them begins or ends there. Of several that
   are one server, the first. */
static uint64_t members_between(const struct scan *scan, const struct question *question,
				int64_t from_ns, int64_t until_ns)
{
	uint64_t members = 0;

	for (size_t i = 0; i < scan->stretch_count; i++) {
		const struct stretch *stretch = &scan->stretches[i];
		bool is_twin = false;

		if (!is_within(scan, i, question, from_ns, until_ns))
			continue;
		for (size_t n = 0; n < i && !is_twin; n++)
			is_twin = stretch->host != scan->stretches[n].host &&
				  is_same_server(stretch, &scan->stretches[n]) &&
				  is_within(scan, n, question, from_ns, until_ns);
		if (!is_twin)
			members |= UINT64_C(1) << stretch->host;
	}
	return members;
}

/* Members that answer as one and the same start of a server. */
static uint64_t find_twins(const struct scan *scan)
{
	uint64_t members = 0;

	for (size_t i = 0; i < scan->stretch_count; i++)
		for (size_t n = 0; n < i; n++)
			if (scan->stretches[i].host != scan->stretches[n].host &&
			    is_same_server(&scan->stretches[i], &scan->stretches[n]))
				members |= UINT64_C(1) << scan->stretches[i].host |
					   UINT64_C(1) << scan->stretches[n].host;
	return members;
}

struct overlap {
	int64_t time_ns;
	uint64_t spell_count;
	struct span when;
	uint64_t members;
};

static struct overlap find_overlap(const struct scan *scan, const struct question *question,
				   struct arena *arena)
{
	int64_t *edges = arena_alloc(arena, (2 * scan->stretch_count + 1) * sizeof *edges);
	struct overlap overlap = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < scan->stretch_count; i++) {
		const struct span part = part_of(&scan->stretches[i], question);

		if (part.low_ns >= part.high_ns)
			continue;
		edges[count++] = part.low_ns;
		edges[count++] = part.high_ns;
	}
	qsort(edges, count, sizeof *edges, compare_ns);
	for (size_t i = 1; i < count; i++) {
		const uint64_t members =
			members_between(scan, question, edges[i - 1], edges[i]);

		if (edges[i - 1] == edges[i] || (members & (members - 1)) == 0)
			continue; /* no time, or fewer than two */
		overlap.time_ns += edges[i] - edges[i - 1];
		overlap.spell_count += overlap.when.high_ns != edges[i - 1];
		if (overlap.when.low_ns == 0)
			overlap.when.low_ns = edges[i - 1];
		overlap.when.high_ns = edges[i];
		overlap.members |= members;
	}
	return overlap;
}

static const char *name_members(const struct scan *scan, uint64_t members, struct arena *arena)
{
	const char *names = "";

	for (size_t i = 0; i < scan->member_count; i++)
		if ((members >> i & 1) != 0)
			names = arena_format(arena, "%s%s%s", names, names[0] == '\0' ? "" : ", ",
					     scan->members[i].name);
	return names;
}

static struct together tell_together(const struct scan *scan, enum standing least,
				     struct arena *arena)
{
	const struct overlap proven =
		find_overlap(scan, &(struct question){ .least = least }, arena);
	const struct overlap possible =
		find_overlap(scan,
			     &(struct question){ .least = least,
						 .is_possible = true,
						 .is_silence_possible = true },
			     arena);

	assert(proven.time_ns <= possible.time_ns);
	return (struct together){ .time = { proven.time_ns, possible.time_ns },
				  .spell_count = proven.spell_count,
				  .when = proven.when,
				  .hosts = name_members(scan, proven.members, arena) };
}

void measure_primaries(const struct timeline *timeline, const char *probe, struct arena *arena,
		       struct primaries_result *ret_result)
{
	struct scan scan = { .is_whole = true };

	*ret_result = (struct primaries_result){ .probe = probe };
	for (size_t i = 0; i < timeline->event_count; i++)
		ret_result->event_count += timeline->events[i].kind == EVENT_STANDING &&
					   timeline->events[i].name != NULL &&
					   strcmp(timeline->events[i].name, probe) == 0;
	scan.stretches =
		arena_alloc(arena, (ret_result->event_count + 1) * sizeof *scan.stretches);
	take_events(&scan, timeline, probe, arena);
	for (size_t i = 0; i < scan.member_count; i++)
		ret_result->host_count += scan.members[i].has_answered;
	ret_result->is_whole = scan.is_whole && scan.member_count > 0;
	ret_result->twins = name_members(&scan, find_twins(&scan), arena);
	ret_result->primaries = tell_together(&scan, STANDING_PRIMARY, arena);
	ret_result->writable = tell_together(&scan, STANDING_WRITABLE, arena);

	const struct overlap answered =
		find_overlap(&scan,
			     &(struct question){ .least = STANDING_WRITABLE, .is_possible = true },
			     arena);

	ret_result->silent_ns = ret_result->writable.time.high_ns - answered.time_ns;
}
