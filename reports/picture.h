/*
 * picture.h - the drill in one picture, 1200 x 600: the same for the page (SVG) and beside it
 * (PNG).
 *
 * From top to bottom: the verdict; the RTO as a bracket with its target; latency of every sample on
 * a log axis; a strip of good and bad for each probe; for a ledger what was acknowledged and lost.
 * t = 0 is when the fault was sent.
 */
#ifndef REPORTS_PICTURE_H
#define REPORTS_PICTURE_H

#include "model/story.h"
#include "reports/canvas.h"

enum { PICTURE_WIDTH = 1200, PICTURE_HEIGHT = 600 };

bool picture_draw(enum canvas_kind kind, const struct story *story, struct text *ret_bytes,
		  struct err *e);

#endif
