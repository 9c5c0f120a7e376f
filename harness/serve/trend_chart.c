/*
 * trend_chart.c - see trend_chart.h.
 *
 * Drills stand side by side in the order of time, not at their times: a month of weekly drills and an
 * hour of trials read alike. What is no span has a sign of its own, and so has every drill that did not
 * meet its target: colour is never alone.
 */
#include "serve/trend_chart.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "reports/escape.h"
#include "reports/words.h"
#include "serve/layout.h"
#include "serve/service_view.h"

enum {
	WIDTH = 1000,
	HEIGHT = 240,
	LEFT = 8,
	RIGHT = 930, /* the scale stands beside the newest drill */
	TOP = 26,
	BOTTOM = 206,
	SLOTS_MIN = 12,
	LINES = 4, /* of the grid */
};

struct chart {
	const struct kpi *kpi;
	struct text *body;
	int64_t top_ns; /* what TOP stands for */
	double slot_width;
	double first_x; /* where the first drill begins: few of them stand beside the scale */
};

static bool is_of(const struct kpi *kpi, const struct kpi_point *point,
		  const struct kpi_scenario *scenario)
{
	return point->service == scenario->service &&
	       strcmp(kpi->subjects[point->run->subject].scenario, scenario->name) == 0;
}

size_t trend_points(const struct kpi *kpi, const struct kpi_scenario *scenario,
		    const struct run_facts *ret_runs[TREND_DRILLS])
{
	size_t count = 0;

	for (size_t i = kpi->point_count; i > 0 && count < TREND_DRILLS; i--)
		if (is_of(kpi, &kpi->points[i - 1], scenario))
			ret_runs[count++] = kpi->points[i - 1].run;
	for (size_t i = 0; i < count / 2; i++) {
		const struct run_facts *swapped = ret_runs[i];

		ret_runs[i] = ret_runs[count - 1 - i];
		ret_runs[count - 1 - i] = swapped;
	}
	return count;
}

static const struct facts_subject *subject_of(const struct chart *chart, const struct run_facts *run)
{
	return &chart->kpi->subjects[run->subject];
}

/* The next of 1, 2, 4, 6, 8, 12 of a unit that people use, above what was measured and promised. */
static int64_t round_up_ns(int64_t most_ns)
{
	static const int64_t units_ns[] = { NS_PER_MS, 10 * NS_PER_MS, 100 * NS_PER_MS, NS_PER_S,
					    10 * NS_PER_S, 60 * NS_PER_S, 600 * NS_PER_S,
					    3600 * NS_PER_S, 36000 * NS_PER_S };
	static const int64_t steps[] = { 1, 2, 4, 6, 8, 12 };

	for (size_t i = 0; i < sizeof units_ns / sizeof units_ns[0]; i++)
		for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++)
			if (most_ns <= units_ns[i] * steps[k])
				return units_ns[i] * steps[k];
	return most_ns;
}

static int64_t top_of(const struct chart *chart, const struct run_facts *const *runs, size_t count)
{
	int64_t most_ns = NS_PER_MS;

	for (size_t i = 0; i < count; i++) {
		const struct facts_subject *subject = subject_of(chart, runs[i]);

		if (runs[i]->rto_kind == MEASURED_SPAN && runs[i]->rto.high_ns > most_ns)
			most_ns = runs[i]->rto.high_ns;
		if (subject->has_rto && subject->rto_ns > most_ns)
			most_ns = subject->rto_ns;
	}
	return round_up_ns(most_ns);
}

static double y_of(const struct chart *chart, int64_t ns)
{
	return BOTTOM - (double)(BOTTOM - TOP) * (double)ns / (double)chart->top_ns;
}

/* Tenths of a point as whole numbers: a number must have a point whatever the locale. */
static void add_number(struct text *body, const char *name, double value)
{
	const long tenths = (long)(value * 10 + 0.5);

	text_addf(body, " %s=\"%ld.%ld\"", name, tenths / 10, tenths % 10);
}

static void add_line(const struct chart *chart, const char *class_name, double x0, double x1, double y)
{
	text_addf(chart->body, "<line class=\"%s\"", class_name);
	add_number(chart->body, "x1", x0);
	add_number(chart->body, "x2", x1);
	add_number(chart->body, "y1", y);
	add_number(chart->body, "y2", y);
	text_add(chart->body, "/>");
}

static void add_box(const struct chart *chart, const char *class_name, double x, double width,
		    double top, double bottom)
{
	text_addf(chart->body, "<rect class=\"%s\"", class_name);
	add_number(chart->body, "x", x);
	add_number(chart->body, "width", width);
	add_number(chart->body, "y", top);
	add_number(chart->body, "height", bottom - top);
	text_add(chart->body, "/>");
}

static void add_text(const struct chart *chart, const char *class_name, double x, double y,
		     const char *words)
{
	text_addf(chart->body, "<text class=\"%s\"", class_name);
	add_number(chart->body, "x", x);
	add_number(chart->body, "y", y);
	text_add(chart->body, ">");
	escape_markup(chart->body, words);
	text_add(chart->body, "</text>");
}

static void add_grid(const struct chart *chart)
{
	char number[UNITS_TEXT_BYTES];

	for (int i = 0; i <= LINES; i++) {
		const int64_t ns = chart->top_ns / LINES * i;

		add_line(chart, "grid", LEFT, RIGHT, y_of(chart, ns));
		add_text(chart, "scale", RIGHT + 8, y_of(chart, ns) + 4,
			 units_format_duration(ns, number));
	}
	text_add(chart->body, "\n");
}

/* What a drill's bar says when it is pointed at. */
static void add_title(const struct chart *chart, const struct run_facts *run)
{
	const struct facts_subject *subject = subject_of(chart, run);
	struct arena arena = { 0 };
	char moment[LAYOUT_AGE_BYTES];
	char target[UNITS_TEXT_BYTES];

	text_addf(chart->body, "<title>%.10s: ", layout_moment(run->began_wall_ns, moment));
	escape_markup(chart->body, service_rto_words(run, &arena));
	if (subject->has_rto)
		text_addf(chart->body, ", target %s", units_format_duration(subject->rto_ns, target));
	text_addf(chart->body, ", %s: ", words_verdict(run->rto_verdict));
	escape_markup(chart->body, subject->scenario);
	text_add(chart->body, "</title>");
	arena_release(&arena);
}

static void add_span(const struct chart *chart, const struct run_facts *run, double x, double width)
{
	enum { THICK_MIN = 3 };
	char class_name[64];
	double top = y_of(chart, run->rto.high_ns);
	const double bottom = y_of(chart, run->rto.low_ns);

	/* A span thinner than a line would not be seen: it grows upwards. */
	if (bottom - top < THICK_MIN)
		top = bottom - THICK_MIN;
	add_box(chart, "stem", x + width * 0.4, width * 0.2, bottom, BOTTOM);
	(void)snprintf(class_name, sizeof class_name, "bar-%s", verdict_name(run->rto_verdict));
	add_box(chart, class_name, x, width, top, bottom);
	if (run->rto_verdict == VERDICT_MISSED || run->rto_verdict == VERDICT_INCONCLUSIVE)
		add_text(chart, "sign", x + width / 2, top - 5, words_mark(run->rto_verdict, true));
}

static void add_drill(const struct chart *chart, const struct run_facts *run, size_t index)
{
	const struct facts_subject *subject = subject_of(chart, run);
	const double left = chart->first_x + chart->slot_width * (double)index;
	const double x = left + chart->slot_width * 0.2;
	const double width = chart->slot_width * 0.6;

	if (subject->has_rto)
		add_line(chart, "target", left, left + chart->slot_width,
			 y_of(chart, subject->rto_ns));
	text_add(chart->body, "<a tabindex=\"-1\" href=\"/runs/");
	escape_markup(chart->body, run->run_id);
	text_add(chart->body, "\">");
	add_title(chart, run);
	add_box(chart, "touch", left, chart->slot_width, TOP, BOTTOM);
	switch (run->rto_kind) {
	case MEASURED_SPAN:
		add_span(chart, run, x, width);
		break;
	case MEASURED_NEVER_RECOVERED:
		add_box(chart, "bar-missed", x + width * 0.3, width * 0.4, TOP, BOTTOM);
		add_text(chart, "sign", x + width / 2, TOP - 5, "\xe2\x96\xb2");
		break;
	case MEASURED_NO_OUTAGE:
		add_text(chart, "sign", x + width / 2, BOTTOM - 4, "\xe2\x97\x8b");
		break;
	case MEASURED_NOTHING:
		add_text(chart, "sign", x + width / 2, BOTTOM - 4, "?");
		break;
	}
	text_add(chart->body, "</a>");
	text_add(chart->body, "\n");
}

void trend_chart(const struct kpi *kpi, const struct run_facts *const *runs, size_t count,
		 const char *label, struct text *body)
{
	struct chart chart = { .kpi = kpi, .body = body };
	char moment[LAYOUT_AGE_BYTES];

	if (count == 0)
		return;
	chart.top_ns = top_of(&chart, runs, count);
	chart.slot_width = (double)(RIGHT - LEFT) / (double)(count < SLOTS_MIN ? SLOTS_MIN : count);
	chart.first_x = RIGHT - chart.slot_width * (double)count;
	text_addf(body, "<svg class=\"trend\" viewBox=\"0 0 %d %d\" role=\"group\" aria-label=\"",
		  WIDTH, HEIGHT);
	escape_markup(body, label);
	text_add(body, "\">\n");
	add_grid(&chart);
	for (size_t i = 0; i < count; i++)
		add_drill(&chart, runs[i], i);
	moment[0] = '\0';
	(void)layout_moment(runs[0]->began_wall_ns, moment);
	moment[10] = '\0';
	add_text(&chart, "first", chart.first_x, BOTTOM + 22, moment);
	if (count > 1) {
		(void)layout_moment(runs[count - 1]->began_wall_ns, moment);
		moment[10] = '\0';
		add_text(&chart, "last", RIGHT, BOTTOM + 22, moment);
	}
	text_add(body, "</svg>\n");
}
