/*
 * times.h - zones, times of day, days of the week and frozen days, as inventories and schedules write them.
 */
#ifndef LOAD_TIMES_H
#define LOAD_TIMES_H

#include "load/documents.h"

/* The zone of a row, or the one around it. NULL: a problem says why, or the document is one of the past. */
const struct zone *zone_value(struct loader *loader, const struct param_value *own,
			      const struct param_value *shared, const char **ret_name);

/* "09:00" to "24:00". False: it is unset, or a problem says why. */
bool minute_value(struct loader *loader, const struct param_value *value, int32_t *ret_minute);

/* "mon", or "fri-mon", into bits of which 0 is Monday. */
void days_value(struct loader *loader, const struct param_value *value, uint32_t *ret_days);

/* The rows of a list, with room for them in the arena; NULL: there are none. */
void *rows_make(struct loader *loader, const struct node *parent, const char *key,
		size_t row_bytes, const struct node **ret_part);

/* The `freeze:` of a mapping. */
const struct policy_freeze *freezes_build(struct loader *loader, const struct node *parent,
					  const struct param_value *zone, size_t *ret_count);
extern const struct form form_freeze;

#endif
