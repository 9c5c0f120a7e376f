/*
 * judge_trials.h - several trials in, what they come to together out. Pure.
 *
 * A promise is judged over all trials: missed when one missed it, met when all met it. Only `rto`
 * with a `share` is judged by the exact bounds on that share (docs/measurement.md).
 */
#ifndef ENGINE_JUDGE_TRIALS_H
#define ENGINE_JUDGE_TRIALS_H

#include "base/mem.h"
#include "model/trials.h"

/*
 * Fills everything of the set that follows from its trials: rto, the counts, share, objectives,
 * outcome. The exit code is the first that holds of 4, 7, 6, 5, 1, 3, 0, over the trials, the end
 * of the set itself, and the share.
 */
void judge_trials(struct trial_set *set, struct arena *arena);

/* "4.31 s to 4.35 s"; "2 min 0 s or more" when it has no upper bound. */
const char *judge_open_span(struct arena *arena, struct span span);

/* "18 of 18 within 30 s: at least 84.7 % with 95 % confidence"; NULL when there is no share. */
const char *judge_share_sentence(const struct trial_set *set, struct arena *arena);

#endif
