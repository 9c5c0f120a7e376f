/*
 * documents.h - from a tree to the model: the inventory first, then the experiment that uses it.
 */
#ifndef LOAD_DOCUMENTS_H
#define LOAD_DOCUMENTS_H

#include "load/form.h"

/* One row for each kind of service: what it needs besides the common keys. */
struct service_kind {
	const char *name; /* NULL ends the rows */
	const char *summary;
	const struct param *params;
};

extern const struct service_kind service_kinds[];

/* Builds what can be built, also when there are problems, so that names can still be looked up. */
void inventory_build(struct loader *loader, const struct node *root);

/* policy.c: what the inventory permits; hosts are built before it. */
void policy_build(struct loader *loader, const struct node *root, struct policy *policy);
extern const struct form form_policy;

/* notify.c: who is told of what; services are built before it, or not known at all. */
void notify_build(struct loader *loader, const struct node *root, struct notify *notify);
extern const struct form form_notify;
extern const struct form form_channel;

/* The experiment of a root; loader->inventory may be NULL when it could not be read. */
void experiment_build(struct loader *loader, const struct node *root,
		      struct experiment *experiment);

/* probes.c: a row of `probes:` and of `validate:`. */
void probes_build(struct loader *loader, const struct node *root, struct experiment *experiment);
void checks_build(struct loader *loader, const struct node *root, struct experiment *experiment);
extern const struct form form_probe;
extern const struct form form_check;

/* objectives.c: what was promised; the probes are built before it. */
void objectives_build(struct loader *loader, const struct node *root,
		      struct experiment *experiment);
extern const struct form form_objectives;

/*
 * service_objectives.c: those about how well the service serves. A builder reads its node, and says
 * what cannot be measured with the experiment's probes.
 */
#define SERVICE_OBJECTIVES(X)                                                                     \
	X(latency, PART_FORM, "how long an answer takes, after the fault and during it")          \
	X(error_rate, PART_SHORT, "share of bad samples, after the fault and during it")          \
	X(throughput, PART_SHORT, "share of the baseline's throughput that is kept")              \
	X(degraded, PART_SHORT, "time in which the service is slow or down, from the fault on")

typedef void (*service_builder)(struct loader *loader, const struct node *node,
				struct experiment *experiment);

#define X(id, part_shape, what)                                                                   \
	extern const struct form form_##id;                                                       \
	void service_##id##_build(struct loader *loader, const struct node *node,                 \
				  struct experiment *experiment);
SERVICE_OBJECTIVES(X)
#undef X

/* method.c: the steps and whom they hit. */
void method_build(struct loader *loader, const struct node *root, struct experiment *experiment);
extern const struct form form_step;

/* vantage.c: from where else it is watched; the probes are built before it. */
void vantage_points_build(struct loader *loader, const struct node *root,
			  struct experiment *experiment);
extern const struct form form_vantage_point;

/* schedule.c: labels of a worker. noun: who asks for them, "one schedule". */
void labels_read(struct loader *loader, const struct param_value *value, const char *noun,
		 const char *const **ret_labels, size_t *ret_count);

/* schedule.c: the experiment's own, which stays NULL when it comes out of the store. */
void schedule_build(struct loader *loader, const struct node *root, struct experiment *experiment);
extern const struct form form_schedule;
void schedule_list_add(struct arena *arena, struct schedule_list *list,
		       const struct schedule *schedule);

/* plan_file.c: the rows of a plan file, behind what the list has. */
void plan_file_build(struct loader *loader, const struct node *root, struct schedule_list *list);
extern const struct form form_plan_file;

/* load.c: an experiment that another document names. NULL: problems say why. */
const struct experiment *experiment_load_named(struct loader *loader,
					       const struct load_request *request);

/* cross.c: the probe of this name, or NULL and a problem with the nearest one. */
const struct probe_spec *probe_named(struct loader *loader, const struct experiment *experiment,
				     const struct param_value *name);

/* cross.c: what only shows when everything is read. */
void experiment_cross_check(struct loader *loader, const struct node *root,
			    const struct experiment *experiment);

/*
 * The host or the service of this name, or NULL and a problem with the nearest one. Silent while
 * the inventory is not known.
 */
const struct host *host_named(struct loader *loader, struct mark mark, const char *name);
const struct service *service_named(struct loader *loader, struct mark mark, const char *name);

#endif
