/*
 * problem.c - the list of problems, and how one is printed; see load.h and loader.h.
 */
#include "load/loader.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool is_listed(const struct problems *problems, const struct mark *mark, const char *text)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *item = &problems->items[i];

		if (item->mark.line == mark->line && item->mark.column == mark->column &&
		    strcmp(item->text, text) == 0 && strcmp(item->mark.file, mark->file) == 0)
			return true;
	}
	return false;
}

__attribute__((format(printf, 4, 0)))
static void list(struct loader *loader, struct mark mark, bool is_warning, const char *format,
		 va_list args)
{
	struct problems *problems = loader->problems;
	struct text text = { 0 };

	assert(mark.file != NULL);

	if (!is_warning)
		loader->error_count++;
	text_addv(&text, format, args);
	if (is_listed(problems, &mark, text_str(&text)))
		goto out;
	if (problems->count == LIMIT_PROBLEMS) {
		problems->dropped_count++;
		goto out;
	}
	problems->items[problems->count++] = (struct problem){
		.mark = mark,
		.text = arena_copy(loader->arena, text_str(&text)),
		.is_warning = is_warning,
	};
out:
	text_release(&text);
}

void problem_add(struct loader *loader, struct mark mark, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	list(loader, mark, false, format, args);
	va_end(args);
}

void problem_warn(struct loader *loader, struct mark mark, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	list(loader, mark, true, format, args);
	va_end(args);
}

static bool is_before(const struct problem *left, const struct problem *right,
		      const char *first_file)
{
	const int files = strcmp(left->mark.file, right->mark.file);

	if (files != 0) {
		if (strcmp(left->mark.file, first_file) == 0)
			return true;
		return strcmp(right->mark.file, first_file) != 0 && files < 0;
	}
	if (left->mark.line != right->mark.line)
		return left->mark.line < right->mark.line;
	return left->mark.column < right->mark.column;
}

/* By insertion: at most LIMIT_PROBLEMS of them, and those of one place keep their order. */
void problems_sort(struct problems *problems, const char *first_file)
{
	for (size_t i = 1; i < problems->count; i++) {
		const struct problem moving = problems->items[i];
		size_t place = i;

		for (; place > 0 && is_before(&moving, &problems->items[place - 1], first_file);
		     place--)
			problems->items[place] = problems->items[place - 1];
		problems->items[place] = moving;
	}
}

void problem_print(const struct problem *problem, struct text *text)
{
	text_add(text, problem->mark.file);
	if (problem->mark.line > 0)
		text_addf(text, ":%u:%u", (unsigned)problem->mark.line,
			  (unsigned)problem->mark.column);
	text_addf(text, ": %s%s", problem->is_warning ? "warning: " : "", problem->text);
}
