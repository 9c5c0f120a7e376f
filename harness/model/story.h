/*
 * story.h - all that a report sees: documents, timeline, measured results and verdicts.
 * Built by engine/story.c from the store alone, so `firedrill report RUN` repeats it exactly.
 */
#ifndef MODEL_STORY_H
#define MODEL_STORY_H

#include "base/secrets.h"
#include "model/experiment.h"
#include "model/reads.h"
#include "model/lag.h"
#include "model/standing.h"
#include "model/timeline.h"
#include "model/vantage.h"
#include "model/verdict.h"

/* What was done to one host by one step, and how it was undone. */
struct deed {
	uint32_t step;
	const char *fault;
	const char *host;
	const char *what;          /* "SIGKILL to postgres" */
	const char *heal;          /* what undoes it, for people */
	struct span injected;      /* [sent, confirmed] on the run's clock; 0,0 when it was not */
	struct span healed;        /* [sent, answered]; 0,0 when it was not */
	enum event_kind confirmation; /* EVENT_CONFIRMED, EVENT_MISMATCH, EVENT_UNKNOWN, EVENT_NONE */
	enum event_kind read_back;    /* EVENT_CLEAN, EVENT_LEFTOVER, EVENT_NONE */
	const char *leftover;      /* the sentence, or NULL */
};

struct story {
	const char *run_id;
	const char *version;
	const char *set_id;         /* of the set of trials that the run is one of; NULL: none */
	int64_t trial;              /* its number there, from 1; 0: none */
	const char *watch_of;       /* the run that this one only watched, and from which vantage point; NULL: none */
	const char *vantage;
	const struct experiment *experiment; /* of a watch: without what only the other run does */
	struct timeline timeline;
	struct span fault;          /* the first confirmed harm [sent, confirmed]; 0,0 when none */
	int64_t ended_ns;
	const struct probe_result *probes;
	size_t probe_count;
	/* The slowest required probe's result, with the service's own RTO; NULL: nothing measured. */
	const struct probe_result *service;
	const struct ledger_result *ledgers;
	size_t ledger_count;
	const struct objective_result *objectives;
	size_t objective_count;
	const struct named_event *named_events; /* in the order of their moments; withheld ones last */
	size_t named_event_count;
	const struct primaries_result *primaries; /* one for each watch over all members */
	size_t primaries_count;
	const struct reader_result *readers;
	size_t reader_count;
	const struct lag_result *lags; /* one for each lag probe */
	size_t lag_count;
	const struct loss_bound *bounds; /* one for each service whose failover settings are known */
	size_t bound_count;
	const struct vantage_view *views; /* of a run with vantage points: itself, then each of them */
	size_t view_count;
	const char *seen_from; /* the views in one sentence; NULL: there are none */
	const struct deed *deeds;
	size_t deed_count;
	const char *const *permission; /* sentences: what permitted it, what was set aside or refused */
	size_t permission_count;
	const char *const *untold;  /* what could not be told, sentences */
	size_t untold_count;
	struct outcome outcome;
	const struct secrets *secrets; /* reports redact with it */
};

#endif
