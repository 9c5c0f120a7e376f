/*
 * words_vantage.h - what several machines saw, as rows that stand side by side; the same in every format.
 * Nothing here escapes.
 */
#ifndef REPORTS_WORDS_VANTAGE_H
#define REPORTS_WORDS_VANTAGE_H

#include "reports/words.h"

/* Why the numbers can be compared, and which cannot; a sentence or two. */
extern const char words_vantage_note[];

/*
 * The row of this index: of each probe that vantage points have one row for each view, and last one for each view
 * that tells nothing. *ret_sight NULL: it is such a one, and view->why says why. NULL: there are no more.
 */
const struct vantage_view *words_vantage_row(const struct story *story, size_t index,
					     const struct vantage_sight **ret_sight);

/* "4.31 s to 4.35 s", "none at every=20ms", "not over, at least 6.3 s" */
const char *words_outage(const struct vantage_sight *sight, char text[WORDS_BYTES]);
/* Failed of all; "12 of 340" */
const char *words_failed(const struct vantage_sight *sight, char text[WORDS_BYTES]);

#endif
