/*
 * oracle_kpi.c - histories on standard input through the KPIs of the engine, for an oracle to doubt:
 * `oracle_kpi json|text`.
 *
 * Lines of fields between tabs, "-" for one that is missing:
 *   history  now_ns since_ns stale_ns confidence_ppm zone service environment missing
 *   subject  service environment scenario title experiment inventory rto_ns rpo_ns
 *   expected (the same)
 *   run      id subject trial began_ns ended_ns is_ended exit has_harmed kind low high verdict
 *            is_known low high lost verdict
 *   end
 * Each history is answered with its KPIs and a line "----". tests/oracle_kpi.py makes and judges them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "engine/kpi.h"
#include "reports/kpi.h"

enum { FIELDS_MOST = 24, ROWS_MOST = 4096 };

struct history {
	struct arena arena;
	struct facts_subject subjects[ROWS_MOST];
	struct facts_subject expected[ROWS_MOST];
	struct run_facts runs[ROWS_MOST];
	struct kpi_request request;
};

static void fail(const char *what, const char *about)
{
	(void)fprintf(stderr, "oracle_kpi: %s: %s\n", what, about);
	exit(1);
}

static int64_t number(const char *field)
{
	char *end = NULL;
	const long long value = strtoll(field, &end, 10);

	if (*field == '\0' || *end != '\0')
		fail("not a number", field);
	return value;
}

static bool is_given(const char *field)
{
	return strcmp(field, "-") != 0;
}

static const char *keep(struct history *history, const char *field)
{
	return arena_copy(&history->arena, is_given(field) ? field : "");
}

static struct facts_subject subject_of(struct history *history, char *const *fields)
{
	return (struct facts_subject){
		.service = keep(history, fields[1]),
		.environment = keep(history, fields[2]),
		.scenario = keep(history, fields[3]),
		.title = keep(history, fields[4]),
		.experiment = keep(history, fields[5]),
		.inventory = keep(history, fields[6]),
		.has_rto = is_given(fields[7]),
		.rto_ns = is_given(fields[7]) ? number(fields[7]) : 0,
		.has_rpo = is_given(fields[8]),
		.rpo_ns = is_given(fields[8]) ? number(fields[8]) : 0,
	};
}

static struct run_facts run_of(struct history *history, char *const *fields)
{
	return (struct run_facts){
		.run_id = keep(history, fields[1]),
		.subject = (size_t)number(fields[2]),
		.trial = number(fields[3]),
		.began_wall_ns = number(fields[4]),
		.ended_wall_ns = number(fields[5]),
		.is_ended = number(fields[6]) != 0,
		.exit_code = (enum run_exit)number(fields[7]),
		.has_harmed = number(fields[8]) != 0,
		.rto_kind = (enum measured)number(fields[9]),
		.rto = { number(fields[10]), number(fields[11]) },
		.rto_verdict = (enum verdict)number(fields[12]),
		.is_rpo_known = number(fields[13]) != 0,
		.rpo = { number(fields[14]), number(fields[15]) },
		.lost_count = (uint64_t)number(fields[16]),
		.rpo_verdict = (enum verdict)number(fields[17]),
	};
}

static void begin(struct history *history, char *const *fields)
{
	struct kpi_request *request = &history->request;
	struct err e = { 0 };

	arena_release(&history->arena);
	*request = (struct kpi_request){
		.subjects = history->subjects,
		.runs = history->runs,
		.expected = history->expected,
		.now_wall_ns = number(fields[1]),
		.since_wall_ns = number(fields[2]),
		.stale_after_ns = number(fields[3]),
		.confidence_ppm = number(fields[4]),
		.zone_name = keep(history, fields[5]),
		.service = is_given(fields[6]) ? keep(history, fields[6]) : NULL,
		.environment = is_given(fields[7]) ? keep(history, fields[7]) : NULL,
		.missing_count = (uint64_t)number(fields[8]),
	};
	if (!zone_load(request->zone_name, &history->arena, &request->zone, &e))
		fail("zone", e.text);
}

static void answer(struct history *history, bool is_text)
{
	const struct report_style style = { .columns = 80 };
	struct text bytes = { 0 };
	struct kpi kpi;

	kpi_compute(&history->request, &history->arena, &kpi);
	if (is_text)
		kpi_text_write(&kpi, &style, &bytes);
	else
		kpi_json_write(&kpi, true, &bytes);
	(void)printf("%s----\n", text_str(&bytes));
	text_release(&bytes);
}

static void take_line(struct history *history, char *line, bool is_text)
{
	struct kpi_request *request = &history->request;
	char *fields[FIELDS_MOST] = { NULL };
	size_t count = 0;

	line[strcspn(line, "\n")] = '\0';
	while (line != NULL && count < FIELDS_MOST)
		fields[count++] = strsep(&line, "\t");
	if (request->run_count == ROWS_MOST || request->subject_count == ROWS_MOST)
		fail("too long", fields[0]);
	if (strcmp(fields[0], "history") == 0 && count == 9)
		begin(history, fields);
	else if (strcmp(fields[0], "subject") == 0 && count == 9)
		history->subjects[request->subject_count++] = subject_of(history, fields);
	else if (strcmp(fields[0], "expected") == 0 && count == 9)
		history->expected[request->expected_count++] = subject_of(history, fields);
	else if (strcmp(fields[0], "run") == 0 && count == 18)
		history->runs[request->run_count++] = run_of(history, fields);
	else if (strcmp(fields[0], "end") == 0)
		answer(history, is_text);
	else
		fail("not a line of a history", fields[0]);
}

int main(int argc, char **argv)
{
	struct history *history = mem_alloc(sizeof *history);
	char *line = NULL;
	size_t room = 0;

	if (argc != 2)
		fail("usage", "oracle_kpi json|text");
	while (getline(&line, &room, stdin) > 0)
		take_line(history, line, strcmp(argv[1], "text") == 0);
	free(line);
	arena_release(&history->arena);
	free(history);
	return 0;
}
