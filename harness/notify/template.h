/*
 * template.h - a text with {{names}} in it, for receivers that want a form of their own. There is no
 * code in it: no conditions, no loops, no names but these.
 */
#ifndef NOTIFY_TEMPLATE_H
#define NOTIFY_TEMPLATE_H

#include "notify/happening.h"

/* How a value is written, so that it cannot leave the place it was put in. */
enum template_escape {
	TEMPLATE_JSON = 1, /* within the quotes of a JSON text */
	TEMPLATE_FORM,     /* application/x-www-form-urlencoded */
	TEMPLATE_PLAIN,
};

/* False: a name that there is not, or `{{` without `}}`; e names those there are. */
bool template_check(const char *source, enum template_escape escape, struct err *e);
/* The source has been checked. */
void template_fill(const char *source, enum template_escape escape,
		   const struct happening *happening, const char *message_id, struct text *text);

#endif
