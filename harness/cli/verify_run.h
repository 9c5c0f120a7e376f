/*
 * verify_run.h - is the record of one run as it was written, and does it still say what its reports
 * say? Every number is derived again from the raw samples; each finding is a line on standard output.
 */
#ifndef CLI_VERIFY_RUN_H
#define CLI_VERIFY_RUN_H

#include "cli/cli.h"

struct findings {
	const struct secrets *secrets;
	size_t altered_count;
	size_t unsure_count;
	size_t report_count; /* kept ones that were compared */
	const char *excuse;  /* why results that come of this run may differ, too; NULL: none */
};

void findings_say(const struct findings *findings, const char *what, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Something kept is not what is derived; why: what may excuse it, or NULL. */
void findings_differ(struct findings *findings, const char *what, const char *difference,
		     const char *why);
/* A kept report against the one derived now. */
void findings_compare(struct findings *findings, const char *name, const struct text *kept,
		      const struct text *derived, const char *why);

struct kept_result {
	int64_t exit_code;
	const char *sentence;
};

void findings_result(struct findings *findings, const struct kept_result *kept,
		     const struct outcome *outcome, const char *why);

struct verify_request {
	struct store *store;
	const struct run_row *row;
	bool is_bundle;     /* its own reports are compared, too */
	const char *head;   /* the one that a report shows; NULL: not given */
	const char *folder; /* of kept reports; those that are there are compared. NULL: none */
};

/* Adds to *findings. False: the record cannot be read, or is altered (ERR_ALTERED). */
bool verify_run(const struct verify_request *request, struct findings *findings, struct err *e);

#endif
