/*
 * output.c - see output.h.
 */
#include "cli/output.h"

#include <string.h>

#include "reports/report.h"

static struct report_style style_of(FILE *stream)
{
	return (struct report_style){ .has_colour = stream != NULL && cli_has_colour(stream),
				      .is_utf8 = stream != NULL && cli_is_utf8(),
				      .columns = stream == NULL ? 0 : cli_columns(stream) };
}

/* What a report is of: one run, or a set of trials. */
struct subject {
	const struct story *story;
	const struct trial_set *set;
};

static bool write_bytes(const struct subject *subject, const struct report_ops *ops,
			const struct report_style *style, struct text *bytes, struct err *e)
{
	return subject->set != NULL ? report_write_set(ops, subject->set, style, bytes, e) :
				      report_write(ops, subject->story, style, bytes, e);
}

static bool write_file(const struct subject *subject, const struct report_ops *ops,
		       const char *path, struct err *e)
{
	const struct report_style style = style_of(NULL);
	struct text bytes = { 0 };
	const bool ok = write_bytes(subject, ops, &style, &bytes, e) &&
			file_write(path, text_str(&bytes), bytes.length_bytes, e);

	text_release(&bytes);
	return ok || err_wrap(e, "report %s", ops->name);
}

static bool write_all(const struct subject *subject, const char *folder, struct err *e)
{
	size_t count;
	const struct report_ops *const *table = report_table(&count);
	bool ok = folder_make(folder, e);

	for (size_t i = 0; ok && i < count; i++) {
		struct text path = { 0 };

		if (subject->set != NULL && table[i]->write_set == NULL)
			continue;
		text_addf(&path, "%s/%s", folder, table[i]->file_name);
		ok = write_file(subject, table[i], text_str(&path), e);
		text_release(&path);
	}
	return ok;
}

bool output_write_all(const struct story *story, const char *folder, struct err *e)
{
	return write_all(&(struct subject){ .story = story }, folder, e);
}

bool output_write_set(const struct trial_set *set, const char *folder, struct err *e)
{
	return write_all(&(struct subject){ .set = set }, folder, e);
}

bool output_check_format(const char *format, struct err *e)
{
	size_t count;
	const struct report_ops *const *table = report_table(&count);
	struct text names = { 0 };

	if (report_find(format) != NULL)
		return true;
	for (size_t i = 0; i < count; i++)
		text_addf(&names, "%s%s", i == 0 ? "" : ", ", table[i]->name);
	err_set(e, ERR_INPUT, "there is no report format `%s`; there are %s", format,
		text_str(&names));
	text_release(&names);
	return false;
}

static bool write_one(const struct subject *subject, const char *format, const char *path,
		      struct err *e)
{
	const struct report_ops *ops;

	if (!output_check_format(format, e))
		return false;
	ops = report_find(format);
	if (path != NULL)
		return write_file(subject, ops, path, e);
	if (ops->is_binary && cli_has_colour(stdout))
		return err_set(e, ERR_INPUT, "a %s is no text for a terminal; use --out FILE",
			       ops->name);

	const struct report_style style = style_of(stdout);
	struct text bytes = { 0 };
	const bool ok = write_bytes(subject, ops, &style, &bytes, e);

	if (ok)
		(void)fwrite(text_str(&bytes), 1, bytes.length_bytes, stdout); /* main.c checks */
	text_release(&bytes);
	return ok;
}

bool output_write_one(const struct story *story, const char *format, const char *path,
		      struct err *e)
{
	return write_one(&(struct subject){ .story = story }, format, path, e);
}

bool output_write_set_one(const struct trial_set *set, const char *format, const char *path,
			  struct err *e)
{
	return write_one(&(struct subject){ .set = set }, format, path, e);
}
