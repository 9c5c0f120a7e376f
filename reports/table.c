/*
 * table.c - the report formats: one row each, and the one door through which reports leave.
 */
#include "reports/report.h"

#include <assert.h>
#include <string.h>

#include "reports/redact.h"

#define REPORT_ROWS(X) \
	X(text)        \
	X(json)        \
	X(junit)       \
	X(markdown)    \
	X(html)        \
	X(png)

#define X(id) extern const struct report_ops report_##id;
REPORT_ROWS(X)
#undef X

static const struct report_ops *const report_rows[] = {
#define X(id) &report_##id,
	REPORT_ROWS(X)
#undef X
};

const struct report_ops *const *report_table(size_t *ret_count)
{
	*ret_count = sizeof report_rows / sizeof report_rows[0];
	return report_rows;
}

const struct report_ops *report_find(const char *name)
{
	for (size_t i = 0; i < sizeof report_rows / sizeof report_rows[0]; i++)
		if (strcmp(report_rows[i]->name, name) == 0)
			return report_rows[i];
	return NULL;
}

bool report_write(const struct report_ops *ops, const struct story *story,
		  const struct report_style *style, struct text *ret_bytes, struct err *e)
{
	struct arena arena = { 0 };
	struct text bytes = { 0 };

	assert(ops != NULL);
	assert(story->experiment != NULL);

	const bool is_written = ops->write(redact_story(story, &arena), style, &bytes, e);

	if (is_written && !ops->is_binary)
		secrets_redact(story->secrets, &bytes);
	if (is_written)
		text_add_bytes(ret_bytes, bytes.owned_bytes, bytes.length_bytes);
	text_release(&bytes);
	arena_release(&arena);
	return is_written;
}

bool report_write_set(const struct report_ops *ops, const struct trial_set *set,
		      const struct report_style *style, struct text *ret_bytes, struct err *e)
{
	struct arena arena = { 0 };
	struct text bytes = { 0 };

	assert(ops != NULL);

	if (ops->write_set == NULL)
		return err_set(e, ERR_INPUT,
			       "report %s of the set %s: there is none of a set; each trial has one",
			       ops->name, set->set_id);

	const bool is_written = ops->write_set(redact_set(set, &arena), style, &bytes, e);

	if (is_written)
		secrets_redact(set->secrets, &bytes);
	if (is_written)
		text_add_bytes(ret_bytes, bytes.owned_bytes, bytes.length_bytes);
	text_release(&bytes);
	arena_release(&arena);
	return is_written;
}
