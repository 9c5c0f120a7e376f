/*
 * lag.h - how far replicas are behind their primary: what a primary said (lag_look), what follows from
 * many such answers (lag_result), and how much the failover's own settings may lose (loss_bound).
 *
 * Bytes are of WAL, behind what the primary had written when it answered. Which of them says what:
 *   flush   what a failover to this replica would lose (it is durable there up to this point)
 *   replay  what a reader on this replica does not see yet
 *   sent    what has not even left the primary
 * A replica that the primary does not list is not "0 behind": how far it is behind is unknown.
 */
#ifndef MODEL_LAG_H
#define MODEL_LAG_H

#include "base/limits.h"
#include "model/verdict.h"

enum { LAG_REPLICAS_MAX = 16, LAG_STATE_BYTES = 16 };

/* Of bytes and nanoseconds: nobody knows. */
enum { LAG_UNKNOWN = -1 };

struct lag_row {
	char replica[LIMIT_NAME_BYTES];
	char state[LAG_STATE_BYTES]; /* "streaming", "catchup" */
	bool is_sync;		     /* commits wait for it */
	int64_t sent_bytes;
	int64_t flush_bytes;
	int64_t replay_bytes;
	/* The server's own lag times: of WAL that came through, so they stand still while none does. */
	int64_t flush_told_ns;
	int64_t replay_told_ns;
};

/* One answer of one primary. */
struct lag_look {
	const char *primary; /* the host that answered */
	int64_t from_ns;     /* asked and answered, on the run's clock */
	int64_t until_ns;
	uint64_t wal_bytes;  /* its position: bytes of WAL since the beginning */
	size_t row_count;    /* 0: it has no replica */
	struct lag_row rows[LAG_REPLICAS_MAX];
};

/* One replica in one answer of a primary. */
struct lag_point {
	int64_t from_ns;
	int64_t until_ns;
	const char *primary;
	uint64_t wal_bytes; /* its position */
	bool is_primary; /* it answered itself, as a primary: then it is behind nobody */
	bool is_known; /* false: not listed, or listed without saying how far; what follows is not set */
	bool is_sync;
	int64_t flush_bytes;
	int64_t replay_bytes;
	/* Everything the primary had written so long ago is there: NEVER_NS: nobody knows since when. */
	struct span flush_behind;
	struct span replay_behind;
	int64_t replay_told_ns; /* the server's word for it, or LAG_UNKNOWN */
};

/* The worst of one window. */
struct lag_worst {
	int64_t from_ns;
	int64_t until_ns;
	bool was_primary;	/* itself, for a time */
	uint64_t look_count;	/* answers of another one as primary */
	uint64_t unknown_count; /* of these: did not say how far this replica is behind */
	int64_t unseen_ns;	/* the longest time without an answer that did */
	/* LAG_UNKNOWN when no answer said; with unknown ones it may have been worse. */
	int64_t flush_bytes;
	int64_t replay_bytes;
	struct span flush_behind;
	struct span replay_behind;
};

enum { LAG_WINDOWS = 3 };

struct replica_lag {
	const char *replica;
	const struct lag_point *points; /* in the order of time */
	size_t point_count;
	struct lag_worst windows[LAG_WINDOWS]; /* baseline, during, after the fault */
	const struct lag_point *last_before;   /* the last that said, before the fault; NULL: none */
	/* The last that the primary of before the fault ever said, when another primary came: what a
	   failover to this replica then lacked, at least. NULL: no other came, or it never said. */
	const struct lag_point *last_words;
};

struct lag_result {
	const char *probe;
	const struct replica_lag *replicas;
	size_t replica_count;
	uint64_t look_count;
	uint64_t unreadable_count; /* answers in the journal that cannot be read */
	/* How fast a primary wrote, at most, over a second or more; LAG_UNKNOWN. */
	int64_t wal_bytes_per_s;
};

/* What the software that fails over was told, as it said at the beginning of the run. */
struct failover_settings {
	char manager[LIMIT_NAME_BYTES]; /* "Patroni" */
	bool is_synchronous;
	bool is_strict; /* rather no writes than writes on one host alone */
	bool is_paused; /* it fails nothing over by itself */
	int64_t maximum_lag_bytes;
	int64_t ttl_ns;
	int64_t loop_wait_ns;
	int64_t retry_timeout_ns;
};

/* The loss that these settings allow, before anything has happened. */
struct loss_bound {
	const char *service;
	const char *told_by; /* host */
	struct failover_settings settings;
	int64_t wal_bytes_per_s; /* as measured by a lag probe on the service; LAG_UNKNOWN */
	int64_t bound_bytes;	 /* LAG_UNKNOWN: no rate, so it cannot be told */
};

#endif
