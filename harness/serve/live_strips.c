/*
 * live_strips.c - see live_strips.h. The files are read, not mapped: one that goes away or gets shorter while we
 * look is a strip less, and no signal.
 */
#include "serve/live_strips.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/sampler.h"
#include "reports/escape.h"
#include "reports/strip.h"
#include "serve/layout.h"

enum { STRIPS_MAX = 32, CELLS = 120, CELL_WIDTH = 5, STRIP_HEIGHT = 18, SLOTS_MAX = 100000 };

static const int64_t window_ns = 60 * NS_PER_S;

static bool is_sound(const struct sample_file_head *head, const struct stat *file, int64_t now_ns)
{
	return head->magic == SAMPLE_FILE_MAGIC && head->every_ns > 0 && head->lane_count > 0 &&
	       head->t0_ns > 0 && head->t0_ns <= now_ns &&
	       memchr(head->probe, '\0', sizeof head->probe) != NULL &&
	       file->st_size > SAMPLE_FILE_HEAD_BYTES &&
	       head->slot_room <= ((uint64_t)file->st_size - SAMPLE_FILE_HEAD_BYTES) / sizeof(struct sample);
}

/* The slots of the last minute, up to the last one that was sampled. */
static bool read_slots(int fd, const struct sample_file_head *head, int64_t now_ns, struct arena *arena,
		       struct track *ret_track)
{
	const int64_t from_ns = now_ns - window_ns > head->t0_ns ? now_ns - window_ns : head->t0_ns;
	const uint64_t due_count = (uint64_t)((now_ns - head->t0_ns) / head->every_ns) + 1;
	const uint64_t last = due_count < head->slot_room ? due_count : head->slot_room;
	uint64_t first = (uint64_t)((from_ns - head->t0_ns) / head->every_ns);
	struct track track = { .probe = arena_copy(arena, head->probe),
			       .every_ns = head->every_ns,
			       .lane_count = head->lane_count };

	if (first >= last)
		return false;
	if (last - first > SLOTS_MAX)
		first = last - SLOTS_MAX;

	struct sample *samples = arena_alloc(arena, (size_t)(last - first) * sizeof *samples);
	const ssize_t got = pread(fd, samples, (size_t)(last - first) * sizeof *samples,
				  (off_t)(SAMPLE_FILE_HEAD_BYTES + first * sizeof *samples));

	if (got <= 0)
		return false;
	track.t0_ns = head->t0_ns + (int64_t)first * head->every_ns;
	track.samples = samples;
	track.slot_count = (uint64_t)got / sizeof *samples;
	while (track.slot_count > 0 && samples[track.slot_count - 1].state == SAMPLE_NONE)
		track.slot_count--;
	*ret_track = track;
	return track.slot_count > 0;
}

static bool read_track(int folder, const char *name, int64_t now_ns, struct arena *arena,
		       struct track *ret_track)
{
	const int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct sample_file_head head;
	struct stat file;
	bool ok;

	if (fd == -1)
		return false;
	ok = fstat(fd, &file) == 0 && S_ISREG(file.st_mode) &&
	     pread(fd, &head, sizeof head, 0) == (ssize_t)sizeof head && is_sound(&head, &file, now_ns) &&
	     read_slots(fd, &head, now_ns, arena, ret_track);
	(void)close(fd); /* nothing was written to it */
	return ok;
}

/* ---- drawing ---- */

static const char *const cell_names[] = {
	[STRIP_EMPTY] = "empty", [STRIP_GOOD] = "good",	   [STRIP_MIXED] = "mixed",
	[STRIP_BAD] = "bad",	 [STRIP_UNSEEN] = "unseen",
};

/* Cells that are alike are one rectangle. */
static void draw(const enum strip_cell *cells, struct text *body)
{
	for (size_t i = 0; i < CELLS;) {
		size_t end = i + 1;

		while (end < CELLS && cells[end] == cells[i])
			end++;
		if (cells[i] != STRIP_EMPTY)
			text_addf(body, "<rect class=\"cell-%s\" x=\"%zu\" y=\"0\" width=\"%zu\" height=\"%d\"/>",
				  cell_names[cells[i]], i * CELL_WIDTH, (end - i) * CELL_WIDTH, STRIP_HEIGHT);
		i = end;
	}
}

static const char *newest_of(const struct track *track)
{
	const uint8_t state = track->samples[track->slot_count - 1].state; /* of a file: it may be any */

	return state == SAMPLE_GOOD ? "good" : state == SAMPLE_BAD ? "bad" : "not seen";
}

static void add_strip(const struct track *track, int64_t now_ns, struct text *body)
{
	const struct span window = { .low_ns = now_ns - window_ns, .high_ns = now_ns };
	enum strip_cell cells[CELLS];
	struct text label = { 0 };

	strip_cells(track, window, CELLS, cells);
	text_addf(&label, "%s, the last minute: %s now", track->probe, newest_of(track));
	text_add(body, "<p class=\"strip\"><span>");
	escape_markup(body, track->probe);
	text_addf(body, " <b class=\"now-%s\">%s</b></span><svg viewBox=\"0 0 %d %d\" "
			"preserveAspectRatio=\"none\" role=\"img\" aria-label=\"",
		  strcmp(newest_of(track), "bad") == 0 ? "bad" : "good", newest_of(track),
		  CELLS * CELL_WIDTH, STRIP_HEIGHT);
	escape_markup(body, text_str(&label));
	text_add(body, "\">");
	draw(cells, body);
	text_add(body, "</svg></p>\n");
	text_release(&label);
}

static int by_probe(const void *one, const void *other)
{
	return strcmp(((const struct track *)one)->probe, ((const struct track *)other)->probe);
}

void live_strips_write(const struct visit *visit, const char *run_id, struct text *body)
{
	const struct clock clock = clock_system();
	const int64_t now_ns = clock_now_ns(&clock);
	const size_t id_length = strlen(run_id);
	struct track tracks[STRIPS_MAX];
	struct text path = { 0 };
	const struct dirent *entry;
	size_t count = 0;
	DIR *folder;

	site_samples(visit->site, &path);
	folder = opendir(text_str(&path));
	text_release(&path);
	while (folder != NULL && count < STRIPS_MAX && (entry = readdir(folder)) != NULL)
		if (strncmp(entry->d_name, run_id, id_length) == 0 && entry->d_name[id_length] == '.' &&
		    read_track(dirfd(folder), entry->d_name, now_ns, visit->arena, &tracks[count]))
			count++;
	if (folder != NULL)
		(void)closedir(folder);
	if (count > 1)
		qsort(tracks, count, sizeof tracks[0], by_probe);
	for (size_t i = 0; i < count; i++)
		add_strip(&tracks[i], now_ns, body);
	if (count == 0)
		text_add(body, "<p>No probe has seen anything here yet.</p>\n");
}
