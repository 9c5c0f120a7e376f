/*
 * kpi.h - a history in numbers as text, JSON and CSV, and the words they share. Pure, as every report:
 * the same numbers give the same bytes.
 */
#ifndef REPORTS_KPI_H
#define REPORTS_KPI_H

#include "model/kpi.h"
#include "reports/report.h"

void kpi_text_write(const struct kpi *kpi, const struct report_style *style,
		    struct text *ret_bytes);
/* docs/schema-kpi.json has the shape. has_trend: with a row for each drill. */
void kpi_json_write(const struct kpi *kpi, bool has_trend, struct text *ret_bytes);

/* One table as CSV: a heading, then a line for each row. */
struct kpi_table {
	const char *name;
	const char *summary;
	void (*write)(const struct kpi *kpi, struct text *ret_bytes);
};

const struct kpi_table *kpi_table_find(const char *name); /* NULL: there is none */
const struct kpi_table *kpi_tables(size_t *ret_count);

enum { KPI_WORDS_BYTES = 160 };

/* "orders-db", "(no service)", and where there is more than one environment "orders-db (staging)"; holds
   foreign text, so a format escapes it. */
const char *kpi_words_service(const struct kpi *kpi, size_t service, char text[KPI_WORDS_BYTES]);
/* The environment of all services; NULL: there is more than one, or none is named. */
const char *kpi_words_environment(const struct kpi *kpi);
/* How a drill ended, in a word or two: "met", "left unhealed". */
const char *kpi_words_end(enum run_exit exit_code);
/* Of a time between drills: "93 days", "5 h", "12 min". */
const char *kpi_words_days(int64_t ns, char text[KPI_WORDS_BYTES]);

#endif
