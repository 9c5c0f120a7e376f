/*
 * timeline.h - what happened: events and samples. Measure, judge and report read only this.
 */
#ifndef MODEL_TIMELINE_H
#define MODEL_TIMELINE_H

#include "base/clock.h"
#include "base/hash.h"
#include "model/param.h"

/* The walk of design.md 2, in order. */
#define PHASE_ROWS(X) \
	X(LOAD, "load") X(PLAN, "plan") X(GATE, "gate") X(BASELINE, "baseline") \
	X(INJECT, "inject") X(OBSERVE, "observe") X(HEAL, "heal") X(SETTLE, "settle") \
	X(VALIDATE, "validate") X(MEASURE, "measure") X(REPORT, "report")

enum phase {
	PHASE_NONE = 0,
#define X(id, name) PHASE_##id,
	PHASE_ROWS(X)
#undef X
};

/* Kind, the word in the journal. Only the run thread appends events. */
#define EVENT_ROWS(X) \
	X(RUN_STARTED, "run started")         /* data: seed, version, schedule facts */ \
	X(PHASE, "phase")                     /* a phase begins */ \
	X(PERMITTED, "permitted")             /* text: on what grounds */ \
	X(REFUSED, "refused")                 /* step or 0; name: the rule */ \
	X(OVERRIDDEN, "overridden")           /* the same; text: by whom, why, and what was set aside */ \
	X(LANES, "lanes started")             /* how many, and how they are scheduled */ \
	X(STEADY, "steady")                   /* gate or settle: steady state holds; from..until */ \
	X(NOT_STEADY, "not steady")           /* gate or settle: it did not in time */ \
	X(TARGETS, "targets resolved")        /* step; data: hosts, seed */ \
	X(STATE_BEFORE, "state before")       /* step, host; data: the text of read_back */ \
	X(INTENT, "intent")                   /* step, host; durable before the harm; data: record */ \
	X(GUARDED, "guard armed")             /* step, host */ \
	X(INJECTED, "injected")               /* step, host; from = sent, until = answered */ \
	X(CONFIRMED, "confirmed")             /* step, host; from = inject sent, until = confirmed */ \
	X(MISMATCH, "mismatch")               /* the fault is not in effect; text says what is */ \
	X(UNKNOWN, "unconfirmed")             /* could not be told */ \
	X(INJECT_FAILED, "inject failed")     \
	X(STABLE, "stable")                   /* every required probe good for stable_for */ \
	X(NOT_STABLE, "not stable")           /* observe.at_most passed first */ \
	X(STOP, "stop condition")             \
	X(SIGNAL, "signal")                   /* operator: SIGINT, SIGTERM, SIGHUP */ \
	X(HEALED, "healed")                   /* step, host; from = sent, until = answered */ \
	X(HEAL_FAILED, "heal failed")         \
	X(CLEAN, "state as before")           /* step, host: read back equals STATE_BEFORE */ \
	X(LEFTOVER, "leftover")               /* step, host: it does not; text names it */ \
	X(LEDGER_READ, "ledger read")         /* name = probe; data: which count, read number */ \
	X(SEEN, "seen")                       /* name = event probe; host; sights.h; text: what it did */ \
	X(CLOCK, "clock")                     /* host; sights.h: how far its clock is from ours */ \
	X(STANDING, "standing")               /* name = watch; host; sights.h: what it is from now on */ \
	X(SHOWN, "shown")                     /* name = reader; data: shown_text.h */ \
	X(LAG, "replication lag")             /* name = probe; host = primary; lag_text.h */ \
	X(SETTINGS, "failover settings")      /* name = service; host that told; settings_log.h */ \
	X(WATCHING, "watching")               /* name = vantage point; it samples, and sees steady state */ \
	X(WATCH_OVER, "watch over")           /* to the vantage points: the run has taken its last sample */ \
	X(SEEN_FROM, "seen from")             /* name = vantage point; data: vantage_text.h */ \
	X(CHECK, "check")                     /* name; data: verdict, expected, got */ \
	X(NOTE, "note")                       /* something a reader must know */ \
	X(FAILED, "run failed")               /* internal or storage error */ \
	X(RUN_ENDED, "run ended")

enum event_kind {
	EVENT_NONE = 0,
#define X(id, name) EVENT_##id,
	EVENT_ROWS(X)
#undef X
};

const char *phase_name(enum phase phase);
const char *event_kind_name(enum event_kind kind);
enum event_kind event_kind_find(const char *name); /* EVENT_NONE when there is none */
enum phase phase_find(const char *name);

struct event {
	uint64_t number;     /* from 1, no gaps */
	int64_t at_ns;       /* on the run's clock */
	enum event_kind kind;
	enum phase phase;
	uint32_t step;       /* 0: none */
	const char *host;    /* NULL: none */
	const char *name;    /* probe or check; NULL: none */
	int64_t from_ns;     /* what it speaks of took place in [from, until]; 0 when not meant */
	int64_t until_ns;
	const char *text;    /* a sentence for people; never NULL */
	const char *data;    /* JSON, or NULL */
	char hash[HASH_TEXT_BYTES]; /* over the previous hash and this event */
};

enum sample_state {
	SAMPLE_NONE = 0, /* not sampled: the lane was still busy, or the run ended first */
	SAMPLE_GOOD,
	SAMPLE_BAD,      /* the service's fault */
	SAMPLE_SKIPPED,  /* our own shortage: never counted as their outage */
};

enum write_outcome {
	WRITE_NONE = 0,     /* no ledger, or nothing was sent */
	WRITE_ACKNOWLEDGED,
	WRITE_FAILED,       /* certainly not done */
	WRITE_INDETERMINATE, /* sent, and then no answer */
};

/* One attempt. The slot is its index; due = t0 + slot * every. 24 bytes: 24 MiB for 1 M writes. */
struct sample {
	int64_t sent_ns;
	int64_t done_ns;
	uint16_t error_index; /* into the track's texts, from 1; 0: none */
	uint8_t state;        /* enum sample_state; written last (release), read first (acquire) */
	uint8_t write;        /* enum write_outcome */
	uint32_t detail;      /* free for the probe kind; of a batch: write_pack of its rows; else 0 */
};

_Static_assert(sizeof(struct sample) == 24, "a sample is 24 bytes");

/*
 * All samples of one probe. For a ledger the slot is also the sequence number of the row, unless a
 * slot writes a batch of n rows: those of slot s are number s * n to s * n + n - 1.
 */
struct track {
	const char *probe;
	int64_t t0_ns;
	int64_t every_ns;
	uint32_t lane_count;
	uint32_t rows_per_slot;       /* of a ledger; 0 as 1. Of the probe, so the store does not keep it */
	uint64_t slot_count;          /* slots that were due before the end */
	const struct sample *samples; /* slot_count of them */
	const char *const *error_texts;
	size_t error_count;
};

int64_t track_due_ns(const struct track *track, uint64_t slot);
/*
 * Sent only when the next slot was due already, through no fault of the service. What it saw is true,
 * but it was not a look in its own slot. Those that are not late were sent in the order of slots.
 */
bool track_is_late(const struct track *track, uint64_t slot);

/* Two bits for each row of a batch fill `detail`. */
enum { BATCH_ROWS_MAX = 16 };

uint64_t track_row_count(const struct track *track);
const struct sample *track_row_sample(const struct track *track, uint64_t row);
enum write_outcome track_row_write(const struct track *track, uint64_t row);

/* The outcomes of a batch as `detail` keeps them, and what they come to as one: what all have in
   common, else indeterminate when any is, else failed. */
uint32_t write_pack(const enum write_outcome *writes, uint32_t count);
enum write_outcome write_of_all(const enum write_outcome *writes, uint32_t count);

/* What one read-back of a ledger found. Two of them count: COUNT_STABLE and COUNT_HEALED. */
enum ledger_count { COUNT_STABLE = 1, COUNT_HEALED };

enum { ROW_PRESENT = 1, ROW_CORRUPTED = 2, ROW_DUPLICATED = 4 };

struct ledger_read {
	const char *probe;
	enum ledger_count count;
	uint32_t read_number;     /* reads until the missing set stopped shrinking; from 1 */
	bool is_complete;         /* false: the store could not be read; error says why */
	const char *error;
	uint64_t first_missing_count; /* acknowledged and absent in the first read */
	int64_t settle_ns;        /* from the first to the final read */
	uint64_t row_count;
	const uint8_t *rows;      /* for each row ROW_ bits of the final read */
	const int64_t *unexpected; /* keys present, never attempted; LIMIT_LOST_KEYS_SHOWN at most */
	uint64_t unexpected_count; /* all of them */
};

/* Everything the journal knows of one run. */
struct timeline {
	const char *run_id;
	struct clock_anchor anchor;
	const struct event *events;
	size_t event_count;
	const struct track *tracks;
	size_t track_count;
	const struct ledger_read *ledger_reads;
	size_t ledger_read_count;
	char head[HASH_TEXT_BYTES]; /* over all of this and the documents: one hash pins the run */
	bool is_sealed;             /* the run came to its end, and the end was sealed */
	size_t sealed_event_count;  /* events there were then; a heal from elsewhere comes later */
};

#endif
