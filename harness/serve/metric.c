/*
 * metric.c - how a family is written; which there are is in metric_table.c.
 */
#include "serve/metric.h"

#include <inttypes.h>

#include "base/clock.h"
#include "reports/utf8.h"

static void add_label_value(const char *raw, struct text *text)
{
	for (uint32_t character = utf8_next(&raw); character != 0; character = utf8_next(&raw)) {
		if (character == '\\' || character == '"')
			text_add(text, "\\");
		if (character == '\n')
			text_add(text, "\\n");
		else
			utf8_add(text, character);
	}
}

static void open_line(const struct metric *metric, const struct metric_label *labels,
		      struct text *text)
{
	text_add(text, metric->name);
	for (size_t i = 0; labels != NULL && labels[i].name != NULL; i++) {
		text_addf(text, "%s%s=\"", i == 0 ? "{" : ",", labels[i].name);
		add_label_value(labels[i].value, text);
		text_add(text, "\"");
	}
	text_add(text, labels != NULL && labels[0].name != NULL ? "} " : " ");
}

/* Seconds with all nine digits: nothing is rounded on the way, and Prometheus keeps what a double can. */
void metric_line(const struct metric *metric, const struct metric_label *labels, int64_t number,
		 struct text *text)
{
	const uint64_t size = number < 0 ? -(uint64_t)number : (uint64_t)number;

	open_line(metric, labels, text);
	if (metric->unit == METRIC_SECONDS)
		text_addf(text, "%s%" PRIu64 ".%09" PRIu64 "\n", number < 0 ? "-" : "",
			  size / (uint64_t)NS_PER_S, size % (uint64_t)NS_PER_S);
	else
		text_addf(text, "%" PRId64 "\n", number);
}

static void write_scenarios(const struct metric *metric, const struct kpi *kpi, struct text *text)
{
	for (size_t i = 0; i < kpi->scenario_count; i++) {
		const struct kpi_scenario *scenario = &kpi->scenarios[i];
		const struct kpi_service *service = &kpi->services[scenario->service];
		const struct metric_label labels[METRIC_LABELS] = {
			{ "service", service->name },
			{ "environment", service->environment },
			{ "scenario", scenario->name },
			{ metric->names_run ? "run" : NULL,
			  scenario->last == NULL ? NULL : scenario->last->run_id },
		};
		int64_t number;

		if (scenario->last != NULL && metric->of_scenario(scenario, &number))
			metric_line(metric, labels, number, text);
	}
}

static void write_schedules(const struct metric *metric, const struct due_sums *sums, struct text *text)
{
	for (size_t i = 0; i < sums->count; i++) {
		const struct metric_label labels[] = { { "schedule", sums->rows[i].schedule }, { 0 } };
		int64_t number;

		if (metric->of_schedule(&sums->rows[i], sums->now_wall_ns, &number))
			metric_line(metric, labels, number, text);
	}
}

void metric_write_all(const struct metric_facts *facts, struct text *text)
{
	size_t count;
	const struct metric *metrics = metric_table(&count);

	for (size_t i = 0; i < count; i++) {
		struct text values = { 0 };

		if (metrics[i].of_scenario != NULL)
			write_scenarios(&metrics[i], &facts->history->kpi, &values);
		else if (metrics[i].of_schedule != NULL)
			write_schedules(&metrics[i], &facts->history->dues, &values);
		else
			metrics[i].write(&metrics[i], facts, &values);
		if (values.length_bytes > 0)
			text_addf(text, "# HELP %s %s\n# TYPE %s gauge\n%s", metrics[i].name,
				  metrics[i].help, metrics[i].name, text_str(&values));
		text_release(&values);
	}
}
