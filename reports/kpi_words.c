/*
 * kpi_words.c - words that every form of a history uses; see kpi.h.
 */
#include "reports/kpi.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"

static bool are_environments_alike(const struct kpi *kpi)
{
	for (size_t i = 1; i < kpi->service_count; i++)
		if (strcmp(kpi->services[i].environment, kpi->services[0].environment) != 0)
			return false;
	return true;
}

const char *kpi_words_environment(const struct kpi *kpi)
{
	return kpi->service_count > 0 && are_environments_alike(kpi) &&
			       kpi->services[0].environment[0] != '\0' ?
		       kpi->services[0].environment : NULL;
}

const char *kpi_words_service(const struct kpi *kpi, size_t service, char text[KPI_WORDS_BYTES])
{
	const struct kpi_service *row = &kpi->services[service];
	const char *name = row->name[0] == '\0' ? "(no service)" : row->name;

	if (row->environment[0] == '\0' || are_environments_alike(kpi))
		(void)snprintf(text, KPI_WORDS_BYTES, "%s", name);
	else
		(void)snprintf(text, KPI_WORDS_BYTES, "%s (%s)", name, row->environment);
	return text;
}

const char *kpi_words_end(enum run_exit exit_code)
{
	switch (exit_code) {
	case EXIT_MET:
		return "met";
	case EXIT_MISSED:
		return "missed";
	case EXIT_INCONCLUSIVE:
		return "inconclusive";
	case EXIT_LEFTOVER:
		return "left unhealed";
	case EXIT_STOPPED:
		return "stopped";
	case EXIT_NOT_RUN:
	case EXIT_NOT_STARTED:
		return "not started";
	case EXIT_INTERNAL:
		break;
	}
	return "broken off";
}

const char *kpi_words_days(int64_t ns, char text[KPI_WORDS_BYTES])
{
	const int64_t hour_ns = INT64_C(3600) * NS_PER_S;
	const int64_t day_ns = 24 * hour_ns;
	char duration[UNITS_TEXT_BYTES];

	if (ns >= 2 * day_ns)
		(void)snprintf(text, KPI_WORDS_BYTES, "%" PRId64 " days", ns / day_ns);
	else if (ns >= 2 * hour_ns)
		(void)snprintf(text, KPI_WORDS_BYTES, "%" PRId64 " h", ns / hour_ns);
	else
		(void)snprintf(text, KPI_WORDS_BYTES, "%s", units_format_duration(ns, duration));
	return text;
}
