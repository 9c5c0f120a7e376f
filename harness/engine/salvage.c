/*
 * salvage.c - the samples of a run whose process died, taken from its mapped files.
 *
 * Lanes write into files, so what was seen before the death is still there. Error texts are not: they
 * lived in the process. A file that is not one of ours is left alone and said.
 */
#include "engine/engine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/sampler.h"

static bool is_sound(const struct sample_file_head *head, uint64_t file_bytes)
{
	return head->magic == SAMPLE_FILE_MAGIC && head->every_ns > 0 && head->lane_count > 0 &&
	       memchr(head->probe, '\0', sizeof head->probe) != NULL &&
	       head->slot_room <= (file_bytes - SAMPLE_FILE_HEAD_BYTES) / sizeof(struct sample);
}

/* Slots up to the last one that was sampled; error numbers have lost their texts. A page that a power loss
   has torn may hold anything, and a record of anything could not be read again. */
static struct track track_of(const struct sample_file_head *head, struct sample *samples)
{
	struct track track = { .probe = head->probe,
			       .t0_ns = head->t0_ns,
			       .every_ns = head->every_ns,
			       .lane_count = head->lane_count,
			       .samples = samples };

	for (uint64_t slot = 0; slot < head->slot_room; slot++) {
		samples[slot].error_index = 0;
		if (samples[slot].state > SAMPLE_SKIPPED)
			samples[slot].state = SAMPLE_NONE;
		if (samples[slot].write > WRITE_INDETERMINATE)
			samples[slot].write = WRITE_INDETERMINATE;
		if (samples[slot].state != SAMPLE_NONE)
			track.slot_count = slot + 1;
	}
	return track;
}

static bool take_file(struct store *store, const char *run_id, const char *path, struct err *e)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat status;
	void *mapped = MAP_FAILED;
	size_t map_bytes = 0;
	bool ok = false;

	if (fd == -1 || fstat(fd, &status) == -1) {
		err_set(e, ERR_STORE, "open the samples %s: %s", path, strerror(errno));
		goto out;
	}
	map_bytes = (size_t)status.st_size;
	if (map_bytes > SAMPLE_FILE_HEAD_BYTES)
		mapped = mmap(NULL, map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (mapped == MAP_FAILED || !is_sound(mapped, map_bytes)) {
		err_set(e, ERR_STORE, "%s holds no samples of firedrill; look at it, then remove it",
			path);
		goto out;
	}

	const struct sample_file_head *head = mapped;
	const struct track track =
		track_of(head, (struct sample *)(void *)((char *)mapped + SAMPLE_FILE_HEAD_BYTES));

	/* Nothing was sampled yet: then there is nothing to keep. */
	ok = (track.t0_ns == 0 || track.slot_count == 0 ||
	      store_track_put(store, run_id, &track, e)) &&
	     (unlink(path) == 0 || err_set(e, ERR_STORE, "remove %s: %s", path, strerror(errno)));
out:
	if (mapped != MAP_FAILED)
		(void)munmap(mapped, map_bytes);
	if (fd != -1)
		(void)close(fd);
	return ok;
}

bool salvage_samples(struct store *store, const char *run_id, const char *sample_dir, struct err *e)
{
	DIR *folder = opendir(sample_dir);
	const size_t id_bytes = strlen(run_id);
	const struct dirent *entry;
	bool ok = true;

	if (folder == NULL)
		return errno == ENOENT ||
		       err_set(e, ERR_STORE, "look into %s: %s", sample_dir, strerror(errno));
	while (ok && (entry = readdir(folder)) != NULL) {
		struct text path = { 0 };

		if (strncmp(entry->d_name, run_id, id_bytes) == 0 &&
		    entry->d_name[id_bytes] == '.') {
			text_addf(&path, "%s/%s", sample_dir, entry->d_name);
			ok = take_file(store, run_id, text_str(&path), e);
		}
		text_release(&path);
	}
	(void)closedir(folder);
	return ok;
}
