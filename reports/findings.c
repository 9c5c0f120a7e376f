/*
 * findings.c - see findings.h.
 */
#include "reports/findings.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/units.h"
#include "reports/facts.h"
#include "reports/words.h"

static struct finding_row *add_row(struct findings *findings, const char *name, const char *meaning)
{
	struct finding_row *row = &findings->rows[findings->row_count++];

	assert(findings->row_count <= FINDINGS_ROWS_MAX);
	*row = (struct finding_row){ .name = name, .meaning = meaning };
	return row;
}

static void say_together(const struct story *story, const struct together *together,
			 struct finding_row *row)
{
	const int64_t zero_ns = facts_zero_ns(story);
	char span[WORDS_BYTES];
	char from[WORDS_BYTES];
	char until[WORDS_BYTES];

	row->is_bad = together->time.low_ns > 0;
	if (row->is_bad)
		(void)snprintf(row->value, sizeof row->value, "%s, from %s to %s: %.80s",
			       words_span(together->time, span),
			       words_moment(together->when.low_ns - zero_ns, from),
			       words_moment(together->when.high_ns - zero_ns, until),
			       together->hosts);
	else if (together->time.high_ns > 0)
		(void)snprintf(row->value, sizeof row->value, "none seen; up to %s not excluded",
			       units_format_duration(together->time.high_ns, span));
	else
		(void)snprintf(row->value, sizeof row->value, "none");
}

static void tell_primaries(const struct story *story, const struct primaries_result *watch,
			   struct findings *findings)
{
	struct finding_row *row;
	char number[WORDS_BYTES];

	findings->heading = "Primaries seen by";
	findings->probe = watch->probe;
	row = add_row(findings, "two writable primaries",
		      "two members acknowledged writes at the same time: a split brain");
	if (watch->event_count == 0)
		(void)snprintf(row->value, sizeof row->value, "not known");
	else
		say_together(story, &watch->writable, row);
	row = add_row(findings, "two primaries",
		      "two members said at the same time that they are primary");
	if (watch->event_count == 0)
		(void)snprintf(row->value, sizeof row->value, "not known");
	else
		say_together(story, &watch->primaries, row);
	if (watch->silent_ns > 0) {
		row = add_row(findings, "silent members",
			      "so long it is not known whether two took writes");
		(void)snprintf(row->value, sizeof row->value, "%s",
			       units_format_duration(watch->silent_ns, number));
	}
	row = add_row(findings, "members seen", "answered at least once");
	(void)snprintf(row->value, sizeof row->value, "%zu%s", watch->host_count,
		       watch->is_whole ? "" : "; not all looks were written down");
}

bool findings_at(const struct story *story, size_t index, struct findings *ret_findings)
{
	*ret_findings = (struct findings){ .row_count = 0 };
	if (index >= story->primaries_count)
		return false;
	tell_primaries(story, &story->primaries[index], ret_findings);
	return true;
}
