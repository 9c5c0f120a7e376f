/*
 * bench_chart.c - the time of one report of a long drill: `bench_chart FORMAT SAMPLES`, for example
 * "html 600000" or "png 600000". Prints "ns bytes peak_kib", the making of the story not counted.
 * Exits 3 when there is no such format.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/units.h"
#include "fixtures/stories.h"
#include "reports/report.h"

int main(int argc, char **argv)
{
	const struct report_style style = { 0 };
	const struct clock clock = clock_system();
	const struct report_ops *report;
	struct arena arena = { 0 };
	struct text bytes = { 0 };
	struct rusage usage;
	int64_t count = 0;
	struct err e = { 0 };

	if (argc != 3 || !units_parse_count(argv[2], &count, &e) || count < 1) {
		(void)fprintf(stderr, "usage: bench_chart FORMAT SAMPLES\n");
		return 2;
	}
	report = report_find(argv[1]);
	if (report == NULL)
		return 3;

	const struct story *story = story_long(&arena, (uint64_t)count);
	const int64_t from_ns = clock_now_ns(&clock);
	const bool ok = report_write(report, story, &style, &bytes, &e);
	const int64_t took_ns = clock_now_ns(&clock) - from_ns;

	(void)getrusage(RUSAGE_SELF, &usage);
	if (ok)
		(void)printf("%" PRId64 " %zu %ld\n", took_ns, bytes.length_bytes, usage.ru_maxrss);
	else
		(void)fprintf(stderr, "bench_chart: %s\n", e.text);
	text_release(&bytes);
	arena_release(&arena);
	return ok ? 0 : 1;
}
