/*
 * suite.h - several experiments run as one gate: each with what came of it, and what all of them come
 * to. Filled by harness/cli, told by reports/suite_*.c. What it has to say is pure.
 */
#ifndef MODEL_SUITE_H
#define MODEL_SUITE_H

#include "base/err.h"
#include "base/secrets.h"
#include "model/trials.h"

/* What of a suite makes its exit code; what is unhealed, broken off or wrong always does. */
enum suite_reason {
	SUITE_MISSED = 1 << 0,
	SUITE_INCONCLUSIVE = 1 << 1,
	SUITE_NOT_STARTED = 1 << 2,
	SUITE_STOPPED = 1 << 3,
	SUITE_REGRESSION = 1 << 4,
};

/* The recoveries of an experiment beside those of its baseline. */
struct suite_baseline {
	bool is_there;          /* false: the baseline has none to compare with; `sentence` says so */
	const char *const *run_ids;
	size_t run_count;       /* of the baseline */
	size_t own_count;       /* recoveries of this suite */
	enum slower answer;
	struct span_summary before;
	struct span_summary after;
	const char *sentence;   /* for people */
};

/* One experiment of a suite. */
struct suite_drill {
	const char *path;
	const char *title;
	const char *service;    /* its name; NULL: none */
	const char *folder;     /* where its own reports are */
	const char *run_id;     /* of its run, or of its set of trials */
	bool is_set;
	bool is_begun;          /* false: the suite never started it */
	struct outcome outcome;
	int64_t begun_wall_ns;  /* 0: not begun */
	int64_t took_ns;
	const struct objective_result *objectives; /* of the set, or of its only run */
	size_t objective_count;
	const struct trial *trials; /* its runs; of a plain one the only one */
	size_t trial_count;
	struct suite_baseline baseline; /* means nothing without suite->baseline */
};

struct suite {
	const char *suite_id;
	const char *version;
	const char *folder;
	int64_t begun_wall_ns;
	int64_t took_ns;
	int64_t budget_ns;      /* 0: none */
	const char *stopped;    /* "the budget of 20 min 0 s was used up", "signal 2 (INT)"; NULL: it was not */
	unsigned fail_on;       /* of enum suite_reason */
	const char *baseline;   /* its name; NULL: nothing was compared */
	const struct suite_drill *drills;
	size_t drill_count;
	enum run_exit exit_code;
	const struct secrets *secrets;
};

/* "missed,inconclusive": words of suite_reason_word, with commas between them. */
bool suite_parse_reasons(const char *words, unsigned *ret_reasons, struct err *e);
const char *suite_reason_word(enum suite_reason reason);
/* All but SUITE_REGRESSION, which must be asked for. */
unsigned suite_default_reasons(void);

bool suite_is_slower(const struct suite *suite, const struct suite_drill *drill);
/* Does this one make the suite fail? */
bool suite_does_fail(const struct suite *suite, const struct suite_drill *drill);
/*
 * What the suite comes to: the worst of those that make it fail, 0 when there is none. Worst first:
 * 4 left unhealed, 7 broken off, 6 stopped, 1 missed or slower, 2 not run, 5 not started, 3
 * inconclusive. A suite in which nothing came to a verdict fails, whatever fail_on says: a gate that
 * has looked at nothing is not open.
 */
enum run_exit suite_exit(const struct suite *suite);

#endif
