/*
 * page_table.c - the list of pages. Adding one is one file and one row here.
 */
#include "serve/page.h"

#include <string.h>

#define PAGE_ROWS(X)  \
	X(overview)   \
	X(runs)       \
	X(trends)     \
	X(coverage)   \
	X(kpi)        \
	X(schedule)   \
	X(run)        \
	X(run_report) \
	X(run_events) \
	X(run_strips) \
	X(set)        \
	X(audit)      \
	X(audit_row)  \
	X(actions)    \
	X(sign_in)    \
	X(sign_out)   \
	X(metrics)    \
	X(style)      \
	X(live)       \
	X(icon)

#define X(id) extern const struct page page_##id;
PAGE_ROWS(X)
#undef X

static const struct page *const pages[] = {
#define X(id) &page_##id,
	PAGE_ROWS(X)
#undef X
};

const struct page *const *page_table(size_t *ret_count)
{
	*ret_count = sizeof pages / sizeof pages[0];
	return pages;
}

/* As long as the id at the beginning of the text is, or 0. */
static size_t id_length(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	const size_t length = strspn(text, allowed);

	return length <= LIMIT_NAME_BYTES && (text[length] == '\0' || text[length] == '/') ? length : 0;
}

static bool matches(const char *pattern, const char *path, struct arena *arena, const char **ret_id)
{
	const char *star = strchr(pattern, '*');
	size_t length;

	if (star == NULL)
		return strcmp(pattern, path) == 0;
	if (strncmp(pattern, path, (size_t)(star - pattern)) != 0)
		return false;
	path += star - pattern;
	length = id_length(path);
	if (length == 0 || strcmp(path + length, star + 1) != 0)
		return false;
	*ret_id = arena_copy_bytes(arena, path, length);
	return true;
}

const struct page *page_find(const char *path, struct arena *arena, const char **ret_id)
{
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
		if (matches(pages[i]->path, path, arena, ret_id))
			return pages[i];
	return NULL;
}
