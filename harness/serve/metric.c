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

void metric_count(const struct metric *metric, const struct metric_label *labels, uint64_t count,
		  struct text *text)
{
	open_line(metric, labels, text);
	text_addf(text, "%" PRIu64 "\n", count);
}

/* All nine digits: nothing is rounded on the way, and Prometheus keeps what a double can. */
void metric_seconds(const struct metric *metric, const struct metric_label *labels, int64_t ns,
		    struct text *text)
{
	const uint64_t size_ns = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

	open_line(metric, labels, text);
	text_addf(text, "%s%" PRIu64 ".%09" PRIu64 "\n", ns < 0 ? "-" : "",
		  size_ns / (uint64_t)NS_PER_S, size_ns % (uint64_t)NS_PER_S);
}

void metric_write_all(const struct metric_facts *facts, struct text *text)
{
	size_t count;
	const struct metric *metrics = metric_table(&count);

	for (size_t i = 0; i < count; i++) {
		struct text values = { 0 };

		metrics[i].write(&metrics[i], facts, &values);
		if (values.length_bytes > 0)
			text_addf(text, "# HELP %s %s\n# TYPE %s %s\n%s", metrics[i].name,
				  metrics[i].help, metrics[i].name, metrics[i].type,
				  text_str(&values));
		text_release(&values);
	}
}
