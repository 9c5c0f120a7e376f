/*
 * judge_words.h - numbers as people read them, in the sentences of a verdict. All in the arena.
 */
#ifndef ENGINE_JUDGE_WORDS_H
#define ENGINE_JUDGE_WORDS_H

#include "base/mem.h"
#include "engine/judge.h"

const char *judge_duration(struct arena *arena, int64_t ns);	   /* "4.31 s", "-700 ms" */
const char *judge_span(struct arena *arena, struct span span);	   /* "4.31 s to 4.35 s" */
const char *judge_percent(struct arena *arena, int64_t ppm);	   /* "99.95 %", "-0.5 %" */
const char *judge_count(struct arena *arena, uint64_t count);	   /* "1,024" */
const char *judge_sentence(struct arena *arena, const char *text); /* capital, full stop */

/* "182 ms", "12.3 ms to 80 ms", "at least 1 s", "not known" */
const char *judge_took(struct arena *arena, struct span latency);
/* "0.5 %", "20 % to 40 %" */
const char *judge_share(struct arena *arena, int64_t low_ppm, int64_t high_ppm);

/* "466 of 1,024 acknowledged writes lost", "1,024 acknowledged writes, none lost" */
const char *judge_losses(struct arena *arena, const struct ledger_classes *classes);

/* A closer spacing of slots that would narrow a span to about a tenth: "2ms". At least 1 ms. */
const char *judge_closer(struct arena *arena, int64_t every_ns);

/* The widest spacing of required probes: what all of them together surely see. 0: none. */
int64_t judge_every_ns(const struct judge_request *request);

/* "4.31 s to 4.35 s", "never recovered (down at least 2 min 0 s)", "no outage seen at every=20ms"
 */
const char *judge_observed_rto(const struct judge_request *request, struct arena *arena);

#endif
