/*
 * text_lag.h - a part of the text report. Only for text.c.
 */
#ifndef REPORTS_TEXT_LAG_H
#define REPORTS_TEXT_LAG_H

#include "model/story.h"

void text_lag(const struct story *story, const struct lag_result *lag, size_t width, bool has_colour,
	      struct text *text);

#endif
