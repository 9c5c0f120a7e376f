/*
 * job.h - one due run in the hands of a worker, from its claim to its outcome in the store.
 */
#ifndef WORKER_JOB_H
#define WORKER_JOB_H

#include "worker/worker.h"

enum job_phase {
	JOB_FREE = 0,
	JOB_RUNS,   /* its process runs */
	JOB_LOOKS,  /* its process is gone, or its worker was: what is left, and is it over? */
	JOB_HEALS,  /* what it left is being healed */
	JOB_ENDS,   /* its outcome waits to be taken by the store */
};

struct job {
	enum job_phase phase;
	const struct worker_request *request;
	struct arena arena;
	struct due_row due;
	struct child child; /* in JOB_RUNS and JOB_HEALS */
	bool is_taken_over;
	bool was_told;      /* to end */
	bool has_looked;    /* and found no run yet */
	int64_t renew_ns;
	int64_t retry_ns;   /* of JOB_LOOKS and JOB_ENDS: not before then */
};

/* The due row is claimed and stands in job->due. */
void job_start(struct job *job, int64_t now_ns);
/* The same for one of a worker that is gone. */
void job_settle(struct job *job, int64_t now_ns);
/* Everything that is to be done now. */
void job_tick(struct job *job, int64_t now_ns);
/* It heals and ends. */
void job_stop(struct job *job);
/* When job_tick is to be called at the latest, besides when a process ends. */
int64_t job_wake_ns(const struct job *job);

void job_say(const struct worker_request *request, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
