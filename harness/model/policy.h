/*
 * policy.h - what the inventory permits: which faults on whom, how much at one time, when, and who must
 * have agreed. Built by the loader, const afterwards. Whether something is permitted now is
 * engine/permit.h's.
 */
#ifndef MODEL_POLICY_H
#define MODEL_POLICY_H

#include "base/zone.h"
#include "model/param.h"

/* Harm may begin from `from` until just before `until`, on these days. */
struct policy_window {
	uint32_t days;            /* bit 0: Monday */
	int32_t from_minute;      /* of the day */
	int32_t until_minute;     /* not after from_minute: it ends on the next day */
	const struct zone *zone;  /* NULL: it could not be read on this machine, so nothing is permitted */
	const char *text;         /* "mon-fri 09:00 to 16:00 Europe/Berlin" */
};

/* Whole days on which nothing is harmed. */
struct policy_freeze {
	int64_t from_day;         /* since 1970-01-01, both ends are frozen */
	int64_t until_day;
	const struct zone *zone;  /* as above */
	const char *text;         /* "2026-12-20 to 2027-01-06 Europe/Berlin" */
	const char *reason;
};

/* Hosts that have all of these labels may receive these faults only. */
struct policy_allow {
	const struct pair *labels; /* none: every host */
	size_t label_count;
	const char *const *faults; /* names, or "net.*" */
	size_t fault_count;
};

/* How much of each group may be harmed at one time; a group is all hosts with one value of a label. */
struct policy_cap {
	const char *by;            /* the label: "zone" */
	int64_t max_hosts;         /* of each group; 0: no cap */
	int64_t max_percent_ppm;   /* of each group; 0: no cap */
	int64_t max_groups;        /* groups with any harm; 0: no cap */
};

struct policy {
	bool is_declared;
	const char *environment;   /* must be typed back; NULL: none */
	int64_t approval_count;    /* different people who must have approved; 0: nobody */
	const struct policy_window *windows; /* one of them must be open; none: always */
	size_t window_count;
	const struct policy_freeze *freezes;
	size_t freeze_count;
	const struct policy_allow *allows;   /* each that speaks of a host must allow the fault */
	size_t allow_count;
	const struct policy_cap *caps;
	size_t cap_count;
};

/* `now` is what the clocks of the window's, or of the frozen time's, own zone show. */
bool policy_window_is_open(const struct policy_window *window, const struct zone_time *now);
bool policy_freeze_holds(const struct policy_freeze *freeze, const struct zone_time *now);

#endif
