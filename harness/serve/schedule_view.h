/*
 * schedule_view.h - the schedules that this page knows, as the pages want them: what comes next, what is
 * paused, and which experiment a word names.
 */
#ifndef SERVE_SCHEDULE_VIEW_H
#define SERVE_SCHEDULE_VIEW_H

#include "schedule/schedule.h"
#include "serve/page.h"

struct planned {
	const struct schedule *schedule;
	struct occurrence occurrence;
};

/* Pauses in force, as the store has them. */
struct pause_list {
	struct pause_row *rows;
	size_t count;
};

bool schedule_view_pauses(const struct visit *visit, struct pause_list *ret_pauses, struct err *e);
/* NULL: it is not paused. */
const struct pause_row *schedule_view_pause(const struct pause_list *pauses, const char *name);

/* Those due after a moment, of all schedules, by the time they are due, at most `most`; of each schedule no
   more than the first `most_each`. */
void schedule_view_next(const struct visit *visit, const struct pause_list *pauses, int64_t after_wall_ns,
			size_t most_each, size_t most, struct planned **ret_planned, size_t *ret_count);

/* NULL: this page knows no schedule of this name. */
const struct schedule *schedule_view_find(const struct visit *visit, const char *name);
/* "weekly/2": the second experiment of it; of a schedule that has one, the name alone is enough. ERR_INPUT
   says what there is instead. */
bool schedule_view_experiment(const struct visit *visit, const char *word,
			      const struct schedule **ret_schedule,
			      const struct scheduled_experiment **ret_experiment, struct err *e);
/* The word for it. */
const char *schedule_view_word(const struct schedule *schedule, size_t experiment_index,
			       struct arena *arena);

/* A moment, and below it what the clocks of the schedule show then, where that is something else. */
void schedule_view_moment(const struct schedule *schedule, int64_t wall_ns, struct text *body);
/* What comes next, as a table: on the overview and on the page of schedules. */
bool schedule_view_table(const struct visit *visit, size_t most, struct text *body, struct err *e);

#endif
