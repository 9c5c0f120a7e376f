/*
 * picture_parts.h - what the parts of the picture share: colours, places, the scale. Only for
 * reports/picture*.c.
 */
#ifndef REPORTS_PICTURE_PARTS_H
#define REPORTS_PICTURE_PARTS_H

#include "reports/facts.h"
#include "reports/picture.h"

/* Readable on a light card; reports/html_style.c gives each its partner for the dark. */
#define PICTURE_PAPER "#fdfdfe"
#define PICTURE_INK "#1b2530"
#define PICTURE_MUTED "#566270"
#define PICTURE_GRID "#e2e6eb"
#define PICTURE_FRAME "#aab4bf"
#define PICTURE_WASH "#fbeae6"
#define PICTURE_BAD "#c62828"
#define PICTURE_MIXED "#e57368"
#define PICTURE_GOOD "#22784a"
#define PICTURE_AMBER "#a35f00"
#define PICTURE_SOFT "#8a98a6"

enum { PICTURE_PROBES_MAX = 5 };

enum {
	PICTURE_HEAD = 64,       /* height of the words on top */
	PICTURE_LEFT = 136,
	PICTURE_RIGHT = 1176,
	PICTURE_LANE = 92,       /* the line of the RTO bracket */
	PICTURE_TOP = 134,       /* of the latency panel */
	PICTURE_BOTTOM = 548,    /* of the strips */
	PICTURE_ROW = 24,        /* of one strip */
	PICTURE_LAG = 84,        /* of the replication lag, when there is one */
};

struct picture {
	const struct story *story;
	struct canvas *canvas;
	struct span window;
	int64_t zero_ns;
	const struct track *tracks[PICTURE_PROBES_MAX];
	size_t track_count;
	size_t row_count;    /* strips below the panel */
	double panel_bottom;
	double strips_top;
};

const char *picture_colour(size_t probe);
double picture_x(const struct picture *picture, int64_t at_ns);
bool picture_is_inside(const struct picture *picture, int64_t at_ns);

void picture_panel(const struct picture *picture);  /* latency over time */
bool picture_has_lag(const struct picture *picture);
void picture_lag(const struct picture *picture);    /* how far replicas were behind */
void picture_strips(const struct picture *picture); /* good and bad, acknowledged and lost */
void picture_frame(const struct picture *picture);  /* bracket, marks, axis, legend */
void picture_head(const struct picture *picture);   /* what came out, in words */
void picture_event_bands(const struct picture *picture); /* under the samples */
void picture_event_names(const struct picture *picture); /* over them */
void picture_wash(const struct picture *picture);   /* from inject to heal, under all the rest */

#endif
