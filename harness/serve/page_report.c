/*
 * page_report.c - pages "/runs/ID/report" and "/sets/ID": the HTML report as `firedrill report` writes
 * it, made anew from the store. See page_report.h for the run page, which has the report in it.
 */
#include "serve/page_report.h"

#include <string.h>

#include "base/hash.h"
#include "engine/engine.h"
#include "engine/trials.h"
#include "reports/report.h"

static bool need_store(const struct visit *visit, struct store **ret_store, struct err *e)
{
	if (!site_store(visit->site, ret_store, e))
		return false;
	return *ret_store != NULL || err_set(e, ERR_INPUT, "there are no runs yet");
}

bool page_report_write(const struct visit *visit, const char *run_id, struct text *ret_bytes,
		       struct err *e)
{
	const struct report_style style = { 0 };
	struct secrets secrets = { 0 };
	struct story story = { 0 };
	struct store *store;
	const bool ok = need_store(visit, &store, e) &&
			story_build(store, run_id, visit->arena, &secrets, &story, e) &&
			report_write(report_find("html"), &story, &style, ret_bytes, e);

	secrets_release(&secrets);
	return ok;
}

/* The report has its own <style>, the first one in it; a browser takes none but that. */
static void allow_style(const struct visit *visit, struct answer *answer)
{
	static const char open[] = "<style>";
	const char *begin = strstr(text_str(&answer->body), open);
	const char *end = begin == NULL ? NULL : strstr(begin, "</style>");
	char hash[HASH_BASE64_BYTES];

	if (end == NULL)
		return;
	begin += strlen(open);
	hash_base64(begin, (size_t)(end - begin), hash);
	answer->style_hash = arena_format(visit->arena, "sha256-%s", hash);
}

static bool write_run_report(const struct visit *visit, struct answer *answer, struct err *e)
{
	if (!page_report_write(visit, visit->id, &answer->body, e))
		return false;
	allow_style(visit, answer);
	return true;
}

static bool write_set(const struct visit *visit, struct answer *answer, struct err *e)
{
	const struct report_style style = { 0 };
	struct secrets secrets = { 0 };
	struct trial_set set;
	struct store *store;
	const bool ok = need_store(visit, &store, e) &&
			trials_story(store, visit->id, visit->arena, &secrets, &set, e) &&
			report_write_set(report_find("html"), &set, &style, &answer->body, e);

	secrets_release(&secrets);
	if (ok)
		allow_style(visit, answer);
	return ok;
}

const struct page page_run_report = {
	.path = "/runs/*/report",
	.content_type = PAGE_HTML,
	.write = write_run_report,
};

const struct page page_set = {
	.path = "/sets/*",
	.content_type = PAGE_HTML,
	.write = write_set,
};
