/*
 * findings.h - what was found beside the outage, as rows of name, number and meaning: the same rows in
 * every format for people. Nothing is measured here.
 */
#ifndef REPORTS_FINDINGS_H
#define REPORTS_FINDINGS_H

#include "model/story.h"

enum { FINDINGS_ROWS_MAX = 8, FINDINGS_VALUE_BYTES = 256 };

struct finding_row {
	const char *name;
	char value[FINDINGS_VALUE_BYTES];
	const char *meaning;
	bool is_bad; /* proven, and what nobody wants */
};

struct findings {
	const char *heading; /* "Primaries seen by" */
	const char *probe;
	struct finding_row rows[FINDINGS_ROWS_MAX];
	size_t row_count;
};

/* Those of this index; false: there are no more. */
bool findings_at(const struct story *story, size_t index, struct findings *ret_findings);

#endif
