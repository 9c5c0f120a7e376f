/*
 * standing.h - what a member of a replicated database is at one moment, and what follows from a watch
 * over all of them: were there two primaries at once, and did two of them take writes?
 */
#ifndef MODEL_STANDING_H
#define MODEL_STANDING_H

#include "model/verdict.h"

/* Word in the journal, and for people. The later ones are more of a primary. */
#define STANDING_ROWS(X)                                                          \
	X(SILENT, "silent", "does not answer")                                    \
	X(DOWN, "down", "serves nobody")                                  \
	X(REPLICA, "replica", "is a replica")                                     \
	X(PRIMARY, "primary", "says it is primary, and acknowledges no write")    \
	X(WRITABLE, "writable", "is primary and acknowledges writes")

enum standing {
	STANDING_NONE = 0,
#define X(id, word, sentence) STANDING_##id,
	STANDING_ROWS(X)
#undef X
};

const char *standing_word(enum standing standing);     /* "writable" */
const char *standing_sentence(enum standing standing); /* "is primary and acknowledges writes" */
enum standing standing_find(const char *word);	       /* STANDING_NONE when there is none */

/* Two or more members of which the same holds at one time. */
struct together {
	struct span time;     /* in all: low is proven, beyond high it is excluded */
	uint64_t spell_count; /* proven stretches of time, without a gap each */
	struct span when;     /* from the first to the end of the last proven one; 0,0: none */
	const char *hosts;    /* of the proven ones: "db1, db2"; "": none */
};

/* What one watch over a cluster found. */
struct primaries_result {
	const char *probe;
	size_t host_count;	   /* members that answered at least once */
	uint64_t event_count;	   /* changes in the journal; 0: the watch saw nothing */
	bool is_whole;		   /* false: not all of its looks are in the journal */
	const char *twins;	   /* members that are one server, "db1, db2"; "": none are */
	struct together primaries; /* say that they are primary */
	struct together writable;  /* acknowledged writes */
	/* Of writable.time.high: only because members did not answer. */
	int64_t silent_ns;
};

#endif
