/*
 * live.c - see live.h. Every foreign byte goes through cli_add_line's escaping. What is shown at one time is
 * put together first, and never waited for (outlet.h).
 */
#include <stdio.h>

#include "cli/live.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/cli.h"
#include "cli/outlet.h"
#include "reports/strip.h"
#include "reports/utf8.h"

static const int64_t shown_ns = 30 * NS_PER_S; /* of the past, in a strip */

struct live {
	FILE *stream;
	struct outlet *owned_outlet;
	struct text pending;
	const struct secrets *secrets;
	const struct clock *clock;
	struct progress progress;
	bool is_terminal;
	struct strip_style style;
	size_t block_lines; /* of the block now on the screen */
	int64_t begun_ns;
};

static void erase_block(struct live *live)
{
	for (; live->block_lines > 0; live->block_lines--)
		text_add(&live->pending, "\033[1A\033[2K");
}

static void put_pending(struct live *live)
{
	if (!outlet_put(live->owned_outlet, &live->pending))
		live->block_lines = 0; /* nobody knows what is on the screen; it is left there */
	text_clear(&live->pending);
}

/* Which events a person wants to see as they happen, and how loud. */
static const char *word_for(enum event_kind kind)
{
	switch (kind) {
	case EVENT_STATE_BEFORE:
	case EVENT_CLOCK:
	case EVENT_SHOWN:
	case EVENT_LAG:
	case EVENT_SETTINGS:
	case EVENT_WATCH_OVER:
	case EVENT_RUN_STARTED:
	case EVENT_LANES:
	case EVENT_RUN_ENDED:
	case EVENT_NONE:
		return NULL;
	case EVENT_PHASE:
	case EVENT_STEADY:
	case EVENT_NOT_STEADY:
	case EVENT_TARGETS:
	case EVENT_PERMITTED:
	case EVENT_REFUSED:
	case EVENT_OVERRIDDEN:
	case EVENT_INTENT:
	case EVENT_GUARDED:
	case EVENT_INJECTED:
	case EVENT_CONFIRMED:
	case EVENT_MISMATCH:
	case EVENT_UNKNOWN:
	case EVENT_INJECT_FAILED:
	case EVENT_STABLE:
	case EVENT_NOT_STABLE:
	case EVENT_STOP:
	case EVENT_SIGNAL:
	case EVENT_HEALED:
	case EVENT_HEAL_FAILED:
	case EVENT_CLEAN:
	case EVENT_LEFTOVER:
	case EVENT_SEEN:
	case EVENT_STANDING:
	case EVENT_LEDGER_READ:
	case EVENT_WATCHING:
	case EVENT_SEEN_FROM:
	case EVENT_CHECK:
	case EVENT_NOTE:
	case EVENT_FAILED:
		return event_kind_name(kind);
	}
	return NULL;
}

static void show_event(void *ctx, const struct event *event)
{
	struct live *live = ctx;
	const char *word = word_for(event->kind);
	struct text line = { 0 };

	if (word == NULL)
		return;
	erase_block(live);
	text_addf(&line, "%8.2f s  ", (double)(event->at_ns - live->begun_ns) / (double)NS_PER_S);
	if (event->kind == EVENT_PHASE)
		text_addf(&line, "-- %s --", event->text);
	else if (event->host != NULL)
		text_addf(&line, "%-18s %s: %s", word, event->host, event->text);
	else
		text_addf(&line, "%-18s %s", word, event->text);
	cli_add_line(&live->pending, live->secrets, text_str(&line));
	put_pending(live);
	text_release(&line);
}

/* Never wider than the terminal: a line that wraps would be counted as one and never erased. */
static void show_line(struct live *live, const char *line, unsigned columns)
{
	struct text cut = { 0 };

	utf8_add_cut(&cut, line, columns - 1);
	text_addf(&live->pending, "%s\n", text_str(&cut));
	live->block_lines++;
	text_release(&cut);
}

static void show_head(struct live *live, enum phase phase, int64_t now_ns, unsigned columns)
{
	char shown[UNITS_TEXT_BYTES];
	struct text line = { 0 };

	text_addf(&line, "%8.2f s  %s   (the last %s; Ctrl-C heals and ends)",
		  (double)(now_ns - live->begun_ns) / (double)NS_PER_S, phase_name(phase),
		  units_format_duration(shown_ns, shown));
	show_line(live, text_str(&line), columns);
	text_clear(&line);
	text_addf(&line, "  %s", strip_legend(&live->style));
	show_line(live, text_str(&line), columns);
	text_release(&line);
}

static void show_probe(struct live *live, const struct track *track, int64_t now_ns,
		       unsigned columns)
{
	const struct span window = { .low_ns = now_ns - shown_ns, .high_ns = now_ns };
	const size_t name_columns = 16;
	struct text line = { 0 };

	text_addf(&line, "  %-*.*s ", (int)name_columns, (int)name_columns, track->probe);
	strip_render(track, window, columns - name_columns - 5, &live->style, &line);
	text_addf(&live->pending, "%s\n", text_str(&line)); /* names are checked by the loader */
	live->block_lines++;
	text_release(&line);
}

static void show_tick(void *ctx, const struct timeline *so_far, enum phase phase, int64_t now_ns)
{
	struct live *live = ctx;

	if (!live->is_terminal)
		return;

	const unsigned columns = cli_columns(live->stream);
	/* The cursor cannot go up beyond the screen; room for the row it stands in. */
	const size_t line_max = cli_rows(live->stream) - 2;

	erase_block(live);
	show_head(live, phase, now_ns, columns);
	for (size_t i = 0; i < so_far->track_count && live->block_lines < line_max; i++)
		if (so_far->tracks[i].probe != NULL)
			show_probe(live, &so_far->tracks[i], now_ns, columns);
	put_pending(live);
}

struct live *live_open(FILE *stream,
		       const struct secrets *secrets, const struct clock *clock)
{
	struct live *live = mem_alloc(sizeof *live);
	const char *term = getenv("TERM");

	live->stream = stream;
	live->owned_outlet = outlet_open(stream);
	live->secrets = secrets;
	live->clock = clock;
	live->begun_ns = clock_now_ns(clock);
	live->is_terminal = isatty(fileno(stream)) == 1 && term != NULL &&
			    strcmp(term, "dumb") != 0;
	live->style = (struct strip_style){ .has_colour = cli_has_colour(stream),
					    .is_utf8 = cli_is_utf8() };
	live->progress = (struct progress){ .on_event = show_event, .on_tick = show_tick,
					    .ctx = live };
	return live;
}

void live_close(struct live *live)
{
	if (live == NULL)
		return;
	erase_block(live);
	put_pending(live);
	outlet_close(live->owned_outlet);
	text_release(&live->pending);
	free(live);
}

const struct progress *live_progress(const struct live *live)
{
	return &live->progress;
}
