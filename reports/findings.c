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
	if (watch->twins[0] != '\0') {
		row = add_row(findings, "one server", "members that are one and the same");
		(void)snprintf(row->value, sizeof row->value, "%.200s", watch->twins);
	}
	row = add_row(findings, "members seen", "answered at least once");
	(void)snprintf(row->value, sizeof row->value, "%zu%s", watch->host_count,
		       watch->is_whole ? "" : "; not all looks were written down");
}

static void say_reads(const struct story *story, uint64_t count, const struct reader_result *reader,
		      struct span when, struct finding_row *row)
{
	const int64_t zero_ns = facts_zero_ns(story);
	char number[WORDS_BYTES];
	char all[WORDS_BYTES];
	char from[WORDS_BYTES];
	char until[WORDS_BYTES];

	row->is_bad = count > 0;
	(void)snprintf(row->value, sizeof row->value, "%s of %s", words_count(count, number),
		       words_count(reader->read_count, all));
	if (count > 0)
		(void)snprintf(row->value, sizeof row->value, "%.40s of %.40s, from %.40s to %.40s",
			       number, all, words_moment(when.low_ns - zero_ns, from),
			       words_moment(when.high_ns - zero_ns, until));
}

static void tell_staleness(const struct reader_result *reader, struct findings *findings)
{
	struct finding_row *row;
	char text[WORDS_BYTES];

	row = add_row(findings, "staleness",
		      "longest time after its acknowledgement that a write was missing");
	(void)snprintf(row->value, sizeof row->value, "%s%s",
		       words_latency(reader->staleness, text),
		       reader->open_row_count > 0 ? ", and missing to the last read" : "");
	row = add_row(findings, "stale rows", "acknowledged writes that some read missed");
	(void)snprintf(row->value, sizeof row->value, "%s",
		       words_count(reader->stale_row_count, text));
	if (reader->undecided_read_count == 0)
		return;
	row = add_row(findings, "undecided reads",
		      "missed writes that are late or lost; the ledger's last reading could tell");
	(void)snprintf(row->value, sizeof row->value, "%s",
		       words_count(reader->undecided_read_count, text));
}

static void tell_reads(const struct story *story, const struct reader_result *reader,
		       struct findings *findings)
{
	struct finding_row *row;
	char text[WORDS_BYTES];

	findings->heading = "Reads by";
	findings->probe = reader->probe;
	if (!reader->is_readable) {
		row = add_row(findings, "reads", "what they showed is not known");
		(void)snprintf(row->value, sizeof row->value, "%.200s", reader->error);
		return;
	}
	if (reader->read_count == 0) {
		row = add_row(findings, "reads", "none was answered, so nothing is known");
		(void)snprintf(row->value, sizeof row->value, "0");
		return;
	}
	row = add_row(findings, "stale reads",
		      "missed a write that was acknowledged before they began, and was there later");
	say_reads(story, reader->stale_read_count, reader, reader->stale_when, row);
	tell_staleness(reader, findings);
	row = add_row(findings, "non-monotonic reads", "showed less than an earlier read had shown");
	say_reads(story, reader->non_monotonic_read_count, reader, reader->non_monotonic_when, row);
	if (reader->gone_row_count == 0)
		return;
	row = add_row(findings, "rows gone", "shown by a read, and then never again");
	row->is_bad = true;
	(void)snprintf(row->value, sizeof row->value, "%s",
		       words_count(reader->gone_row_count, text));
}

bool findings_at(const struct story *story, size_t index, struct findings *ret_findings)
{
	*ret_findings = (struct findings){ .row_count = 0 };
	if (index < story->reader_count) {
		tell_reads(story, &story->readers[index], ret_findings);
		return true;
	}
	index -= story->reader_count;
	if (index >= story->primaries_count)
		return false;
	tell_primaries(story, &story->primaries[index], ret_findings);
	return true;
}
