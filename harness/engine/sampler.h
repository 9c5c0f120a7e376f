/*
 * sampler.h - the lanes of one probe (design.md 6): the only threads that look at the service.
 *
 * With L lanes, lane j owns slots j, j + L, j + 2L, ...; it sleeps until each is due (absolute time)
 * and writes the sample into a mapped file, where it survives a crash of ours. Nobody dispatches and
 * nobody locks. A hanging attempt delays no slot of another lane.
 */
#ifndef ENGINE_SAMPLER_H
#define ENGINE_SAMPLER_H

#include "base/clock.h"
#include "base/limits.h"
#include "probes/probe.h"

struct sampler;

enum { SAMPLE_FILE_HEAD_BYTES = 4096, SAMPLE_FILE_MAGIC = 0x31736466 }; /* "fds1" */

/* The head of a sample file, so that `heal` can take the samples of a run whose process died. */
struct sample_file_head {
	uint32_t magic;
	uint32_t lane_count;
	int64_t t0_ns; /* 0: the lanes had not started */
	int64_t every_ns;
	uint64_t slot_room;
	char probe[LIMIT_NAME_BYTES + 1];
};

struct sampler_request {
	const struct probe_spec *spec;
	const char *run_id;
	const struct clock *clock;
	const char *sample_dir; /* the folder it is in exists */
	int64_t at_most_ns;     /* of the run: bounds the slots */
	bool is_plain;          /* no real-time scheduling, even where it would be granted */
};

/* Reserves the samples' place on the disk and opens the probe once for each lane. */
bool sampler_open(const struct sampler_request *request, struct sampler **ret_sampler,
		  struct err *e);
/* *ret_is_fifo: every lane got real-time scheduling. */
bool sampler_start(struct sampler *sampler, int64_t t0_ns, bool *ret_is_fifo, struct err *e);
/*
 * How much later than the first probe's the timetable of probe `index` of `count` begins: spread over
 * one `every`, because a thousand attempts that are due at one moment would be late for each other.
 */
int64_t sampler_shift_ns(int64_t every_ns, size_t index, size_t count);
void sampler_view(const struct sampler *sampler, int64_t now_ns, struct track *ret_track);
/* What one read of a reader showed anew; see outside_ops. For one thread. */
bool sampler_take_shown(struct sampler *sampler, uint64_t *ret_slot, struct text *ret_changes);
/* Lanes that gave real-time scheduling up, so as not to starve this machine. */
uint32_t sampler_yielded_count(const struct sampler *sampler);
void sampler_stop_begin(struct sampler *sampler); /* no new attempt */
void sampler_stop_wait(struct sampler *sampler);  /* joins; then the samples are at rest */
/* Removes the file too: by now the samples are in the store. NULL is fine. */
void sampler_close(struct sampler *sampler);

#endif
