/*
 * probe.h - the contract of a probe: repeated observation of a service from outside.
 *
 * One file and one row of table.c each. Plain blocking code with a deadline, run by lane threads:
 * each lane opens a state of its own, so no locks. A lane's signals are blocked.
 */
#ifndef PROBES_PROBE_H
#define PROBES_PROBE_H

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "model/experiment.h"
#include "model/lag.h"
#include "model/standing.h"
#include "model/timeline.h"

enum probe_on { PROBE_ON_SERVICE = 1, PROBE_ON_HOST, PROBE_ON_NOTHING, PROBE_ON_EITHER };

struct attempt {
	const char *run_id;
	uint64_t slot;        /* for a ledger also the sequence number to write; see struct track */
	int64_t due_ns;
	int64_t deadline_ns;  /* due + timeout */
	const struct clock *clock;
};

/* What an attempt came to. The lane has zeroed it. */
struct attempt_result {
	enum sample_state state; /* never SAMPLE_NONE */
	enum write_outcome write;
	struct text *shown;      /* of a reader, when not NULL: what this read showed that the last one
				    of this lane did not, and the other way round (shown_text.h) */
	uint32_t detail;         /* of a batch of rows: write_pack of their outcomes */
	struct text *got;        /* when not NULL, the answer as text (used by `validate:` and gate) */
};

/* Receives the rows of a ledger, one call for each row found; cheap, no locks. */
struct row_sink {
	void (*row)(void *ctx, int64_t sequence, bool is_intact);
	void *ctx;
	uint64_t row_count; /* numbers below it may be there: for stores that are asked by number */
	/* Something came: the deadline for what comes next. Also lets the run live on during a reading
	   that takes long. NULL: the deadline is for all of it. */
	int64_t (*heard)(void *ctx, int64_t deadline_ns);
};

int64_t row_sink_heard(const struct row_sink *sink, int64_t deadline_ns);

/*
 * What an event probe saw the system do. Each of the two bounds stands by itself: from..until needs no
 * clock but ours; own_low..own_high is of the host's clock and is worth something only once the
 * distance of that clock from ours is known.
 */
enum { SIGHTING_WHAT_BYTES = 160, SIGHTING_KEY_BYTES = 96, SIGHTING_SERVER_BYTES = 32 };

struct sighting {
	char what[SIGHTING_WHAT_BYTES]; /* names the phase that it ends: "Patroni promoted db2" */
	char key[SIGHTING_KEY_BYTES];   /* sightings of one probe with one key are one event; "": none */
	const struct host *host;        /* whose doing it was, and whose clock; NULL: not known */
	int64_t from_ns;                /* on the run's clock; 0: not known */
	int64_t until_ns;               /* never 0 */
	int64_t own_low_ns;             /* since 1970 on the host's clock; 0, 0: none */
	int64_t own_high_ns;
	/* Of a watch over standings (tells_standing): what host was, and is from then on. NONE: no such. */
	enum standing was;
	enum standing is;
	char server[SIGHTING_SERVER_BYTES]; /* differs for each start of a server; "": not known */
	bool is_last; /* no change: at the end of the watch it was still so; from..until is the last look */
};

struct sighting_sink {
	void (*seen)(void *ctx, const struct sighting *sighting);
	void (*lag)(void *ctx, const struct lag_look *look);
	void *ctx;
};

/* Each place has a thread of its own, so that one that hangs delays no other. */
enum { WATCH_PLACES_MAX = 64 };

struct probe_ops {
	const char *name;
	const char *summary;
	enum probe_on on;
	const char *service_kinds; /* "postgres", "http|tcp", NULL: any */
	bool is_ledger;
	bool is_event;        /* yields what the system does, not whether the service answers */
	bool uses_host_clock; /* its events carry times of the hosts' own clocks */
	bool tells_standing;  /* an event probe that tells what each member is, and nothing else */
	bool tells_lag;       /* an event probe whose looks tell how far replicas are behind */
	const struct param *params;
	/* A reader: shows which rows of a ledger are visible, of ledgers of this kind. Its parameter
	   `ledger` names one. NULL: no reader. */
	const char *reads_ledger;
	const char *batch_param; /* the row of params with the rows of one slot; NULL: always one */

	/* Pure look at the spec (parameters that depend on each other); NULL: nothing to check. */
	bool (*check)(const struct probe_spec *spec, struct err *e);
	/* One state for each lane. Connects lazily: a service that is down is a BAD sample, not a
	   failed open. */
	bool (*open)(const struct probe_spec *spec, const char *run_id, void **ret_state,
		     struct err *e);
	void (*sample)(void *state, const struct attempt *attempt, struct attempt_result *result,
		       struct err *e);
	void (*close)(void *state); /* NULL is fine */

	/*
	 * Event probes only (is_event; they have no open and no sample). They look at every place of
	 * the spec (probe_place) once in each `every`. look tells the sink what is new since the last
	 * look; false: the place did not answer, e says why, and nothing was told (a watch over
	 * standings tells just that). leave: the watch ends; the last word, or NULL.
	 */
	bool (*watch)(const struct probe_spec *spec, const struct host *place, void **ret_state,
		      struct err *e);
	bool (*look)(void *state, const struct attempt *attempt, const struct sighting_sink *sink,
		     struct err *e);
	void (*leave)(void *state, const struct sighting_sink *sink);

	/* Of all that write: ledgers, and watches that write. prepare: make the place to write, before
	   the first slot. clean: remove what prepare made; repeatable. Of ledgers only, read_back:
	   every row of this run, streamed; after each piece of an answer it asks row_sink_heard for
	   its new deadline. The run lives on while they wait, and may end them: their clock says how
	   often it wants to be looked at (clock_left_ns), and soon after a stop it is past any deadline. */
	bool (*prepare)(const struct probe_spec *spec, const char *run_id,
			const struct clock *clock, int64_t deadline_ns, struct err *e);
	bool (*read_back)(const struct probe_spec *spec, const char *run_id,
			  const struct clock *clock, int64_t deadline_ns,
			  const struct row_sink *sink, struct err *e);
	bool (*clean)(const struct probe_spec *spec, const char *run_id, const struct clock *clock,
		      int64_t deadline_ns, struct err *e);
};

const struct probe_ops *probe_find(const char *name); /* NULL when there is none */
const struct probe_ops *const *probe_table(size_t *ret_count);

/* The hosts that an event probe looks at: its host, or each member of its service. */
size_t probe_place_count(const struct probe_spec *spec);
const struct host *probe_place(const struct probe_spec *spec, size_t index);

/*
 * Who plays a role in a service at this moment ("primary", "replica"): one row for each kind of
 * service that has roles. ret_members gets those of service->members that play it now.
 */
struct role_ops {
	const char *service_kind;
	const char *roles; /* "primary|replica" */
	bool (*resolve)(const struct service *service, const char *role, const struct clock *clock,
			int64_t deadline_ns, const struct host **ret_members, size_t *ret_count,
			struct err *e);
};

const struct role_ops *role_find(const char *service_kind);

/*
 * What the software that fails a service over was told about losing writes: one row for each such
 * software. Pure looks; nothing is changed.
 */
struct failover_ops {
	const char *service_kind;
	bool (*has)(const struct service *service); /* by the inventory alone */
	bool (*read)(const struct service *service, const struct clock *clock, int64_t deadline_ns,
		     struct failover_settings *ret_settings, const struct host **ret_told_by,
		     struct err *e);
};

const struct failover_ops *failover_find(const struct service *service); /* NULL: none known */

#endif
