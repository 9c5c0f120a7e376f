/*
 * kpi.c - the words for what a history says of a scenario; see kpi.h.
 */
#include "model/kpi.h"

const char *kpi_state_name(enum kpi_state state)
{
	switch (state) {
	case KPI_NEVER:
		return "never tried";
	case KPI_UNPROVEN:
		return "not proven";
	case KPI_PROVEN:
		return "proven";
	case KPI_STALE:
		return "stale";
	case KPI_FAILED:
		return "failed";
	}
	return "never tried";
}

const char *kpi_trend_name(enum kpi_trend trend)
{
	switch (trend) {
	case KPI_TREND_UNKNOWN:
		return "too few";
	case KPI_TREND_LEVEL:
		return "level";
	case KPI_TREND_SLOWER:
		return "slower";
	case KPI_TREND_FASTER:
		return "faster";
	}
	return "too few";
}
