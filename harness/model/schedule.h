/*
 * schedule.h - when an experiment is to run by itself. Built by the loader, const afterwards; the moments
 * that follow from it are harness/schedule's.
 */
#ifndef MODEL_SCHEDULE_H
#define MODEL_SCHEDULE_H

#include "model/policy.h"

/* What the five fields say; schedule/cron.h has their meaning. */
struct cron {
	uint64_t minutes;  /* bit n: minute n */
	uint32_t hours;    /* bit n: hour n */
	uint32_t days;     /* bit n: day n of the month, from 1 */
	uint32_t months;   /* bit n: month n, from 1 */
	uint32_t weekdays; /* bit 0: Monday */
	bool is_each_hour; /* minute or hour begins with `*`: each real hour counts */
	bool needs_both;   /* day or weekday begins with `*`: the date must be in both; else in one */
};

/* `random:` once on each of these days, at a moment that is drawn between the two. */
struct random_time {
	uint32_t days;        /* bit 0: Monday */
	int32_t from_minute;  /* of the day */
	int32_t until_minute; /* not after from_minute: on the next day */
};

enum calendar_repeat {
	REPEAT_NEVER = 0,
	REPEAT_DAILY,
	REPEAT_WEEKLY,
	REPEAT_MONTHLY,
	REPEAT_YEARLY,
};

/* One weekday of RRULE's BYDAY. */
struct calendar_weekday {
	int32_t week;    /* 2: the second of the month, -1: the last one; 0: each */
	int32_t weekday; /* 0: Monday */
};

enum { CALENDAR_WEEKDAYS_MAX = 14 };

/* A VEVENT: from a second of a day until just before another, by the clocks of its zone. */
struct calendar_event {
	const char *summary;     /* "" when it has none */
	uint32_t line;           /* of the file, where it begins */
	const struct zone *zone;
	int64_t day;             /* of the first begin, since 1970-01-01 */
	int32_t second;          /* of that day */
	int64_t span_days;       /* the end is so many days later ... */
	int32_t until_second;    /* ... at this second */
	enum calendar_repeat repeat;
	int64_t interval;        /* every so many days, weeks, months or years */
	uint32_t months;         /* bit n: month n; those in which it may begin */
	uint32_t month_days;     /* bit n: day n; 0: all */
	struct calendar_weekday weekdays[CALENDAR_WEEKDAYS_MAX]; /* none: all */
	size_t weekday_count;
	int64_t until_wall_ns;   /* the last moment in which it may begin; INT64_MAX: for ever */
	const int64_t *except_days; /* EXDATE: no begin on these */
	size_t except_count;
};

/* An iCalendar file: nothing runs while one of its events is on. */
struct calendar {
	const char *name; /* the file */
	const struct calendar_event *events;
	size_t event_count;
};

struct experiment;

/* What a schedule starts. */
struct scheduled_experiment {
	const char *path;
	const char *inventory_path; /* NULL: as the experiment says */
	const struct pair *vars;
	size_t var_count;
	const char *title;
	const struct policy *policy; /* of its inventory: windows and frozen days count here, too */
	const struct experiment *experiment; /* as it was read together with the schedule */
};

enum { SCHEDULE_POOL_MAX = 64 }; /* experiments of a chaos day */

enum schedule_kind { SCHEDULE_CRON = 1, SCHEDULE_RANDOM };
enum schedule_missed { MISSED_SKIP = 1, MISSED_RUN, MISSED_ALERT };
enum schedule_overlap { OVERLAP_SKIP = 1, OVERLAP_WAIT };

struct schedule {
	const char *name;      /* the moments that are drawn depend on it */
	enum schedule_kind kind;
	const char *text;      /* "30 9 * * mon-fri Europe/Berlin" */
	struct cron cron;
	struct random_time random;
	const struct zone *zone;
	bool has_not_after;
	int32_t not_after_minute; /* of the occurrence's own day; this minute still counts */
	int64_t jitter_ns;
	enum schedule_missed missed;
	int64_t grace_ns;      /* of MISSED_RUN */
	enum schedule_overlap overlap;
	bool is_chaos_day;     /* else there is one experiment, and it runs once */
	int64_t chaos_for_ns;  /* none begins later than this */
	int64_t pause_low_ns;  /* between two of them */
	int64_t pause_high_ns;
	const struct scheduled_experiment *experiments;
	size_t experiment_count;
	const struct policy_freeze *freezes;
	size_t freeze_count;
	const struct calendar *const *calendars;
	size_t calendar_count;
	const char *const *labels; /* a worker that runs it has them all */
	size_t label_count;
	struct mark mark;
};

/* All that some files ask for, in their order. */
struct schedule_list {
	const struct schedule **items;
	size_t count;
};

#endif
