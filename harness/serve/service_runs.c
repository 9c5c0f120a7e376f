/*
 * service_runs.c - see service_runs.h.
 */
#include "serve/service_runs.h"

#include <string.h>

#include "reports/kpi.h"

static bool is_chosen(const struct kpi *kpi, const struct kpi_point *point,
		      const struct service_choice *choice)
{
	const struct history_run run = history_run_of(point->run);
	char name[KPI_WORDS_BYTES];

	return strcmp(kpi_words_service(kpi, point->service, name), choice->service) == 0 &&
	       (*choice->verdict == '\0' || strcmp(choice->verdict, history_word(&run)) == 0) &&
	       (*choice->text == '\0' ||
		strcasestr(kpi->subjects[point->run->subject].title, choice->text) != NULL ||
		strcasestr(run.run_id, choice->text) != NULL);
}

bool service_runs(struct store *store, const struct kpi *kpi, const struct service_choice *choice,
		  struct arena *arena, struct history_run **ret_runs, size_t *ret_count,
		  size_t *ret_chosen_count, struct err *e)
{
	struct history_run *runs = arena_alloc(arena, (choice->limit + 1) * sizeof *runs);
	size_t chosen_count = 0;
	size_t count = 0;

	for (size_t i = kpi->point_count; i > 0; i--) {
		const struct kpi_point *point = &kpi->points[i - 1];
		struct run_row row;

		if (!is_chosen(kpi, point, choice) || chosen_count++ < choice->skip ||
		    count == choice->limit)
			continue;
		if (!store_run_find(store, point->run->run_id, arena, &row, e))
			return false;
		runs[count++] = history_run_of_row(&row);
	}
	*ret_runs = runs;
	*ret_count = count;
	*ret_chosen_count = chosen_count;
	return true;
}
