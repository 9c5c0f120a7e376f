/*
 * text_vantage.h - the views of several machines in the text report. Only for reports/text.c.
 */
#ifndef REPORTS_TEXT_VANTAGE_H
#define REPORTS_TEXT_VANTAGE_H

#include "model/story.h"

void text_vantage(const struct story *story, size_t width, bool has_colour, struct text *text);

#endif
