/*
 * trials_words.c - see trials.h.
 */
#include "reports/trials.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"

const char *trials_span(struct span span, char text[WORDS_BYTES])
{
	char low[UNITS_TEXT_BYTES];

	if (span.high_ns != INT64_MAX)
		return words_span(span, text);
	(void)snprintf(text, WORDS_BYTES, "%s or more", units_format_duration(span.low_ns, low));
	return text;
}

const char *trials_rto(const struct trial *trial, char text[WORDS_BYTES])
{
	char low[UNITS_TEXT_BYTES];

	switch (trial->rto_kind) {
	case MEASURED_SPAN:
		return words_span(trial->rto, text);
	case MEASURED_NO_OUTAGE:
		(void)snprintf(text, WORDS_BYTES, "no outage seen");
		return text;
	case MEASURED_NEVER_RECOVERED:
		(void)snprintf(text, WORDS_BYTES, "never recovered (down at least %s)",
			       units_format_duration(trial->rto.low_ns, low));
		return text;
	case MEASURED_NOTHING:
		break;
	}
	(void)snprintf(text, WORDS_BYTES, "not measured");
	return text;
}

enum verdict trials_rto_verdict(const struct trial *trial)
{
	for (size_t i = 0; i < trial->objective_count; i++)
		if (strcmp(trial->objectives[i].name, "rto") == 0)
			return trial->objectives[i].verdict;
	return VERDICT_NONE;
}

void trials_quantiles(const struct trial_set *set,
		      struct trials_quantile ret_quantiles[TRIALS_QUANTILES])
{
	ret_quantiles[0] = (struct trials_quantile){ "fastest", "min", set->rto.min };
	ret_quantiles[1] = (struct trials_quantile){ "median", "median", set->rto.median };
	ret_quantiles[2] = (struct trials_quantile){ "p95", "p95", set->rto.p95 };
	ret_quantiles[3] = (struct trials_quantile){ "slowest", "max", set->rto.max };
}

const char *trials_remark(const struct trial_set *set, char text[WORDS_BYTES])
{
	struct text all = { 0 };

	if (set->never_count > 0)
		text_addf(&all, "%zu never recovered", set->never_count);
	if (set->no_outage_count > 0)
		text_addf(&all, "%s%zu saw no outage", all.length_bytes == 0 ? "" : ", ",
			  set->no_outage_count);
	if (set->trial_count > set->ranked_count)
		text_addf(&all, "%s%zu could not measure it", all.length_bytes == 0 ? "" : ", ",
			  set->trial_count - set->ranked_count);
	(void)snprintf(text, WORDS_BYTES, "%s", text_str(&all));
	text_release(&all);
	return text;
}
