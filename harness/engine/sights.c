/*
 * sights.c - see sights.h.
 */
#include "engine/sights.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "engine/host_clock.h"
#include "engine/lag_log.h"
#include "engine/run.h"

enum {
	SIGHTS_MAX = 1000, /* events of the system in one run; a log may match without end */
	CLOCKS_MAX = 256,
};

/* Hosts that do not answer may not hold up the run for ever, one after the other. */
static const int64_t begin_within_ns = 30 * NS_PER_S;
static const int64_t end_within_ns = 15 * NS_PER_S;

/* What was told already: another place may tell it again. */
struct known {
	const struct probe_spec *spec;
	char key[SIGHTING_KEY_BYTES];
};

struct host_in_use {
	const struct host *host;
	bool is_measured;  /* at the start */
	bool has_own_time; /* an event with a time of this host's was seen */
};

struct sights {
	struct known known[SIGHTS_MAX + 1]; /* one more for the event that is too many */
	size_t known_count;
	size_t event_count;
	struct host_in_use hosts[CLOCKS_MAX];
	size_t host_count;
	struct lag_log *owned_lag;
};

struct sights *sights_make(void)
{
	struct sights *sights = mem_alloc(sizeof *sights);

	sights->owned_lag = lag_log_make();
	return sights;
}

void sights_release(struct sights *sights)
{
	lag_log_release(sights->owned_lag);
	free(sights);
}

/* ---- clocks ---- */

static struct host_in_use *find_host(struct sights *sights, const struct host *host)
{
	for (size_t i = 0; i < sights->host_count; i++)
		if (sights->hosts[i].host == host)
			return &sights->hosts[i];
	if (sights->host_count == CLOCKS_MAX)
		return NULL;
	sights->hosts[sights->host_count] = (struct host_in_use){ .host = host };
	return &sights->hosts[sights->host_count++];
}

static void put_ns(struct json *object, const char *key, int64_t ns)
{
	struct text text = { 0 };

	text_addf(&text, "%" PRId64, ns);
	json_put_text(object, key, text_str(&text));
	text_release(&text);
}

static void append_clock(struct run *run, const struct host *host, const struct host_clock *clock)
{
	const struct clock_anchor anchor = clock_anchor_take(run->clock);
	const struct span offset = clock->offset;
	const int64_t half_ns = (offset.high_ns - offset.low_ns) / 2;
	const int64_t ahead_ns = offset.low_ns + half_ns - (anchor.wall_ns - anchor.boot_ns);
	struct json *root = json_object();
	struct text data = { 0 };
	struct text text = { 0 };
	char ahead[UNITS_TEXT_BYTES];
	char half[UNITS_TEXT_BYTES];

	put_ns(root, "low_ns", offset.low_ns);
	put_ns(root, "high_ns", offset.high_ns);
	json_put_int(root, "round_count", clock->round_count);
	json_print(root, false, &data);
	text_addf(&text, "its clock is %s %s ours, give or take %s",
		  units_format_duration(ahead_ns < 0 ? -ahead_ns : ahead_ns, ahead),
		  ahead_ns < 0 ? "behind" : "ahead of", units_format_duration(half_ns, half));
	(void)journal_append(&run->journal, (struct event){ .kind = EVENT_CLOCK,
							    .host = host->name,
							    .from_ns = clock->sent_ns,
							    .until_ns = clock->done_ns,
							    .text = text_str(&text),
							    .data = text_str(&data) });
	json_release(root);
	text_release(&data);
	text_release(&text);
}

static bool measure_clock(struct run *run, const struct host *host, int64_t deadline_ns,
			  struct err *e)
{
	struct host_clock clock;
	struct remote *remote = NULL;

	if (clock_now_ns(run->clock) >= deadline_ns)
		return err_set(e, ERR_DEADLINE, "other hosts used up the time for clocks");
	if (!sessions_get(run->sessions, host, &remote, e))
		return false;
	if (!host_clock_measure(remote, &clock, e))
		return false;
	append_clock(run, host, &clock);
	return true;
}

void sights_begin(struct run *run)
{
	const struct experiment *experiment = run->experiment;
	const int64_t deadline_ns = clock_now_ns(run->clock) + begin_within_ns;
	struct sights *sights = run->sights;

	for (size_t i = 0; i < experiment->probe_count; i++) {
		const struct probe_spec *spec = &experiment->probes[i];

		if (!spec->is_event || !probe_find(spec->kind)->uses_host_clock)
			continue;
		for (size_t j = 0; j < probe_place_count(spec); j++)
			(void)find_host(sights, probe_place(spec, j));
	}
	for (size_t i = 0; i < sights->host_count; i++) {
		struct host_in_use *use = &sights->hosts[i];
		struct err e = { 0 };

		use->is_measured = measure_clock(run, use->host, deadline_ns, &e);
		if (!use->is_measured)
			(void)journal_say(&run->journal, EVENT_NOTE,
					  "the clock of %s could not be measured at the start (%s), so "
					  "its own times are not used", use->host->name, e.text);
	}
}

/* ---- events ---- */

static bool is_known(struct sights *sights, const struct outside_sight *sight)
{
	const char *key = sight->sighting.key;

	if (key[0] == '\0')
		return false;
	for (size_t i = 0; i < sights->known_count; i++)
		if (sights->known[i].spec == sight->spec &&
		    strcmp(sights->known[i].key, key) == 0)
			return true;

	struct known *fresh = &sights->known[sights->known_count++];

	fresh->spec = sight->spec;
	memcpy(fresh->key, key, sizeof fresh->key);
	return false;
}

static void append_standing(struct run *run, const struct outside_sight *sight)
{
	const struct sighting *sighting = &sight->sighting;
	struct json *root = json_object();
	struct text data = { 0 };

	json_put_text(root, "was", standing_word(sighting->was));
	json_put_text(root, "is", standing_word(sighting->is));
	json_put_text(root, "server", sighting->server);
	json_put_bool(root, "is_last", sighting->is_last);
	json_print(root, false, &data);
	(void)journal_append(&run->journal, (struct event){ .kind = EVENT_STANDING,
							    .host = sighting->host->name,
							    .name = sight->spec->name,
							    .from_ns = sighting->from_ns,
							    .until_ns = sighting->until_ns,
							    .text = sighting->what,
							    .data = text_str(&data) });
	json_release(root);
	text_release(&data);
}

static void append_sight(struct run *run, const struct outside_sight *sight)
{
	const struct sighting *sighting = &sight->sighting;
	const bool has_own_time = sighting->own_high_ns != 0;
	struct event event = { .kind = EVENT_SEEN,
			       .host = sighting->host == NULL ? NULL : sighting->host->name,
			       .name = sight->spec->name,
			       .from_ns = sighting->from_ns,
			       .until_ns = sighting->until_ns,
			       .text = sighting->what };
	struct json *root = json_object();
	struct text data = { 0 };

	put_ns(root, "own_low_ns", sighting->own_low_ns);
	put_ns(root, "own_high_ns", sighting->own_high_ns);
	json_print(root, false, &data);
	event.data = has_own_time ? text_str(&data) : NULL;
	(void)journal_append(&run->journal, event);
	json_release(root);
	text_release(&data);

	struct host_in_use *use = !has_own_time || sighting->host == NULL ?
					  NULL :
					  find_host(run->sights, sighting->host);

	if (use != NULL)
		use->has_own_time = true;
}

static void take_sight(struct run *run, const struct outside_sight *sight)
{
	struct sights *sights = run->sights;
	const struct host *host = sight->sighting.host;

	if (sight->is_lag) {
		lag_log_add(sights->owned_lag, &run->journal, sight->spec, &sight->lag);
		return;
	}
	if (sight->is_blind) {
		(void)journal_say(&run->journal, EVENT_NOTE, "event probe `%s` saw nothing%s%s: %s",
				  sight->spec->name, host == NULL ? " of some events" : " of ",
				  host == NULL ? "" : host->name, sight->sighting.what);
		return;
	}
	if (sights->event_count > SIGHTS_MAX || is_known(sights, sight))
		return;
	if (sights->event_count++ == SIGHTS_MAX) {
		(void)journal_say(&run->journal, EVENT_NOTE,
				  "more than %d events of the system were seen; those after the first "
				  "%d are not kept", SIGHTS_MAX, SIGHTS_MAX);
		return;
	}
	if (sight->sighting.is != STANDING_NONE)
		append_standing(run, sight);
	else
		append_sight(run, sight);
}

void sights_take(struct run *run)
{
	const struct outside *outside = &run->request->outside;
	struct outside_sight sight;

	while (outside->ops->take != NULL && outside->ops->take(outside->ctx, &sight))
		take_sight(run, &sight);
}

void sights_end(struct run *run)
{
	const int64_t deadline_ns = clock_now_ns(run->clock) + end_within_ns;
	const volatile sig_atomic_t *stop_signal = run->request->stop_signal;
	struct sights *sights = run->sights;

	sights_take(run);
	lag_log_flush(sights->owned_lag, &run->journal);
	/* Whoever pressed Ctrl-C waits for no host that is off. */
	if (stop_signal != NULL && *stop_signal != 0)
		return;
	for (size_t i = 0; i < sights->host_count; i++) {
		const struct host_in_use *use = &sights->hosts[i];
		struct err e = { 0 };

		if (use->is_measured && use->has_own_time &&
		    !measure_clock(run, use->host, deadline_ns, &e))
			(void)journal_say(&run->journal, EVENT_NOTE,
					  "the clock of %s could not be measured at the end (%s), so its "
					  "own times are not used", use->host->name, e.text);
	}
}
