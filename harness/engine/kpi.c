/*
 * kpi.c - see kpi.h. Subjects are sorted once, which gives every run its service, its scenario and its
 * experiment by an index; then the runs go by once, in the order in which they began.
 */
#include "engine/kpi.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kpi_sum.h"

enum { PPM = 1000000, NOWHERE = -1, FLIPS_LEAST = 2 };

/* Where the runs of one subject are added up. */
struct place {
	const struct facts_subject *subject;
	bool is_shown; /* it has runs or is expected, and was asked for */
	bool is_expected;
	int64_t service;
	int64_t scenario; /* NOWHERE: nothing is harmed */
	int64_t experiment;
};

struct scenario {
	struct kpi_scenario row;
	struct kpi_gather gather;
	struct span spans[2 * KPI_DRIFT_RUNS]; /* the newest that were measured, as a ring */
	uint64_t span_count;                   /* all that were measured */
	enum run_exit decided;                 /* of the last that was met or missed */
};

struct experiment_row {
	struct kpi_flaky row;
	enum run_exit decided; /* of the last that was met or missed */
};

struct service {
	struct kpi_service row;
	struct kpi_gather gather;
	int64_t last_month; /* index of the month that was added to last; NOWHERE: none */
};

struct month {
	struct kpi_month row;
	struct kpi_gather gather;
	int64_t month_before; /* of the same service */
};

struct computing {
	const struct kpi_request *request;
	struct arena *arena;
	struct place *places; /* of each subject, then of each that is expected */
	size_t place_count;
	struct service *services;
	size_t service_count;
	struct scenario *scenarios;
	size_t scenario_count;
	struct experiment_row *experiments;
	size_t experiment_count;
	struct month *months;
	size_t month_count;
	struct kpi_gather all;
	struct kpi_point *points;
	int64_t day; /* the last one that was written as a date: most runs share theirs */
	char date[ZONE_DATE_BYTES];
	struct kpi kpi;
};

/* ---- places ---- */

static int compare_services(const struct facts_subject *a, const struct facts_subject *b)
{
	const int by_name = strcmp(a->service, b->service);

	return by_name != 0 ? by_name : strcmp(a->environment, b->environment);
}

static int compare_scenarios(const struct facts_subject *a, const struct facts_subject *b)
{
	const int by_service = compare_services(a, b);

	return by_service != 0 ? by_service : strcmp(a->scenario, b->scenario);
}

static int compare_experiments(const struct facts_subject *a, const struct facts_subject *b)
{
	const int by_scenario = compare_scenarios(a, b);
	const int by_document = by_scenario != 0 ? by_scenario : strcmp(a->experiment, b->experiment);

	return by_document != 0 ? by_document : strcmp(a->inventory, b->inventory);
}

static int compare_places(const void *a, const void *b)
{
	const struct place *const *left = a;
	const struct place *const *right = b;

	return compare_experiments((*left)->subject, (*right)->subject);
}

static bool is_wanted(const struct kpi_request *request, const struct facts_subject *subject)
{
	return (request->service == NULL || strcmp(request->service, subject->service) == 0) &&
	       (request->environment == NULL ||
		strcmp(request->environment, subject->environment) == 0);
}

static void list_places(struct computing *computing, size_t room)
{
	const struct kpi_request *request = computing->request;

	computing->place_count = request->subject_count + request->expected_count;
	computing->places = arena_alloc(computing->arena, room * sizeof *computing->places);
	for (size_t i = 0; i < computing->place_count; i++) {
		struct place *place = &computing->places[i];

		place->is_expected = i >= request->subject_count;
		place->subject = place->is_expected ?
					 &request->expected[i - request->subject_count] :
					 &request->subjects[i];
		place->is_shown = place->is_expected;
		place->service = place->scenario = place->experiment = NOWHERE;
	}
	for (size_t i = 0; i < request->run_count; i++) {
		assert(request->runs[i].subject < request->subject_count);
		computing->places[request->runs[i].subject].is_shown = true;
	}
	for (size_t i = 0; i < computing->place_count; i++)
		if (!is_wanted(request, computing->places[i].subject))
			computing->places[i].is_shown = false;
}

static void add_service(struct computing *computing, const struct facts_subject *subject)
{
	computing->services[computing->service_count++] = (struct service){
		.row = { .name = subject->service, .environment = subject->environment },
		.last_month = NOWHERE,
	};
}

static void add_scenario(struct computing *computing, const struct facts_subject *subject)
{
	computing->scenarios[computing->scenario_count++] = (struct scenario){
		.row = { .service = computing->service_count - 1, .name = subject->scenario },
	};
}

static void add_experiment(struct computing *computing, const struct facts_subject *subject)
{
	computing->experiments[computing->experiment_count++] = (struct experiment_row){
		.row = { .subject = subject, .service = computing->service_count - 1 },
	};
}

/* In the order of names, each once. */
static void find_places(struct computing *computing)
{
	const size_t room = computing->request->subject_count +
			    computing->request->expected_count + 1;
	struct place **sorted = arena_alloc(computing->arena, room * sizeof *sorted);
	const struct facts_subject *before = NULL;
	size_t count = 0;

	list_places(computing, room);
	computing->services = arena_alloc(computing->arena, room * sizeof *computing->services);
	computing->scenarios = arena_alloc(computing->arena, room * sizeof *computing->scenarios);
	computing->experiments = arena_alloc(computing->arena, room * sizeof *computing->experiments);
	for (size_t i = 0; i < computing->place_count; i++)
		if (computing->places[i].is_shown)
			sorted[count++] = &computing->places[i];
	qsort(sorted, count, sizeof(struct place *), compare_places);
	for (size_t i = 0; i < count; i++) {
		const struct facts_subject *subject = sorted[i]->subject;

		if (before == NULL || compare_services(before, subject) != 0)
			add_service(computing, subject);
		sorted[i]->service = (int64_t)computing->service_count - 1;
		if (subject->scenario[0] != '\0') {
			if (before == NULL || compare_scenarios(before, subject) != 0)
				add_scenario(computing, subject);
			sorted[i]->scenario = (int64_t)computing->scenario_count - 1;
		}
		if (before == NULL || compare_experiments(before, subject) != 0)
			add_experiment(computing, subject);
		sorted[i]->experiment = (int64_t)computing->experiment_count - 1;
		if (sorted[i]->is_expected && sorted[i]->scenario != NOWHERE)
			computing->scenarios[sorted[i]->scenario].row.declared = subject;
		before = subject;
	}
}

/* ---- the runs, one after the other ---- */

static int compare_runs(const void *a, const void *b)
{
	const struct run_facts *left = *(const struct run_facts *const *)a;
	const struct run_facts *right = *(const struct run_facts *const *)b;

	if (left->began_wall_ns != right->began_wall_ns)
		return left->began_wall_ns < right->began_wall_ns ? -1 : 1;
	return strcmp(left->run_id, right->run_id);
}

/* A store hands them out in this order, but for clocks that disagree. */
static const struct run_facts **sort_runs(const struct computing *computing, size_t *ret_count)
{
	const struct kpi_request *request = computing->request;
	const struct run_facts **runs =
		arena_alloc(computing->arena, (request->run_count + 1) * sizeof *runs);
	bool is_sorted = true;
	size_t count = 0;

	for (size_t i = 0; i < request->run_count; i++) {
		if (!computing->places[request->runs[i].subject].is_shown)
			continue;
		runs[count] = &request->runs[i];
		is_sorted = is_sorted && (count == 0 || compare_runs(&runs[count - 1], &runs[count]) <= 0);
		count++;
	}
	if (!is_sorted)
		qsort(runs, count, sizeof(const struct run_facts *), compare_runs);
	*ret_count = count;
	return runs;
}

/* Where the clocks are put back over midnight, a month comes twice: so all of the service's are looked at,
   the newest first. */
static struct month *find_month(struct computing *computing, int64_t service, const char *date)
{
	struct service *of = &computing->services[service];
	int64_t at = of->last_month;
	struct month *month;

	while (at != NOWHERE &&
	       strncmp(computing->months[at].row.month, date, KPI_MONTH_BYTES - 1) != 0)
		at = computing->months[at].month_before;
	if (at != NOWHERE)
		return &computing->months[at];
	computing->months = arena_more(computing->arena, computing->months, computing->month_count,
				       sizeof *computing->months);
	month = &computing->months[computing->month_count];
	*month = (struct month){ .row.service = (size_t)service, .month_before = of->last_month };
	memcpy(month->row.month, date, KPI_MONTH_BYTES - 1);
	of->last_month = (int64_t)computing->month_count++;
	return month;
}

static void add_to_month(struct computing *computing, const struct place *place,
			 const struct run_facts *run)
{
	const struct zone_time when = zone_time_at(computing->request->zone, run->began_wall_ns);

	if (computing->date[0] == '\0' || when.day != computing->day)
		(void)zone_format_date(when.day, computing->date);
	computing->day = when.day;
	kpi_gather_add(&find_month(computing, place->service, computing->date)->gather,
		       place->subject, run);
}

static void add_decision(struct experiment_row *experiment, const struct run_facts *run)
{
	struct kpi_flaky *row = &experiment->row;

	if (run->exit_code != EXIT_MET && run->exit_code != EXIT_MISSED)
		return;
	if (row->decided_count > 0 && experiment->decided != run->exit_code) {
		row->flip_count++;
		row->last_flip = run;
	}
	experiment->decided = run->exit_code;
	row->decided_count++;
	row->met_count += run->exit_code == EXIT_MET;
}

static void add_to_window(struct computing *computing, const struct place *place,
			  const struct run_facts *run)
{
	struct scenario *scenario = &computing->scenarios[place->scenario];

	kpi_gather_add(&computing->all, place->subject, run);
	kpi_gather_add(&computing->services[place->service].gather, place->subject, run);
	kpi_gather_add(&scenario->gather, place->subject, run);
	add_to_month(computing, place, run);
	add_decision(&computing->experiments[place->experiment], run);
	if (kpi_is_measured(run))
		scenario->spans[scenario->span_count++ % (2 * KPI_DRIFT_RUNS)] = run->rto;
	computing->points[computing->kpi.point_count++] = (struct kpi_point){
		.service = (size_t)place->service,
		.run = run,
	};
}

/* What the whole history says of a scenario, whatever the window. */
static void add_to_proof(struct scenario *scenario, const struct facts_subject *subject,
			 const struct run_facts *run)
{
	scenario->row.last = run;
	scenario->row.declared = subject;
	if (run->exit_code == EXIT_MET)
		scenario->row.proof = run;
	if (run->exit_code == EXIT_MET || run->exit_code == EXIT_MISSED)
		scenario->decided = run->exit_code;
}

static void add_run(struct computing *computing, const struct run_facts *run)
{
	const struct place *place = &computing->places[run->subject];
	const bool is_drill = kpi_is_drill(place->subject, run);
	struct kpi *kpi = &computing->kpi;

	if (is_drill)
		add_to_proof(&computing->scenarios[place->scenario], place->subject, run);
	if (run->began_wall_ns < computing->request->since_wall_ns)
		return;
	if (kpi->run_count++ == 0)
		kpi->first_wall_ns = run->began_wall_ns;
	if (is_drill)
		add_to_window(computing, place, run);
	else if (place->scenario == NOWHERE)
		kpi->harmless_count++;
	else
		kpi->not_started_count++;
}

/* ---- what it comes to ---- */

/* ns / of_ns in parts per million, without a product that is too large. */
static int64_t share_ppm(int64_t ns, int64_t of_ns, bool is_up)
{
	enum { THOUSAND = 1000 };
	const int64_t whole = ns / of_ns;
	const int64_t first = ns % of_ns * THOUSAND;
	const int64_t second = first % of_ns * THOUSAND;

	return whole * PPM + first / of_ns * THOUSAND + second / of_ns +
	       (is_up && second % of_ns != 0);
}

/* The newest first: 0 is the last one that was measured. */
static void take_spans(const struct scenario *scenario, uint64_t newest, size_t count,
		       struct span *ret_spans)
{
	for (size_t i = 0; i < count; i++)
		ret_spans[i] = scenario->spans[(scenario->span_count - 1 - newest - i) %
					       (2 * KPI_DRIFT_RUNS)];
}

static void find_drift(const struct scenario *scenario, struct kpi_drift *drift)
{
	const struct facts_subject *declared = scenario->row.declared;
	const uint64_t known = scenario->span_count < 2 * KPI_DRIFT_RUNS ? scenario->span_count :
									   2 * KPI_DRIFT_RUNS;
	const bool is_told = known >= 2 * KPI_DRIFT_LEAST;
	struct span spans[KPI_DRIFT_RUNS];

	drift->used_low_ppm = 1; /* nothing is known */
	drift->recent_count = is_told ? known / 2 : known < KPI_DRIFT_RUNS ? known : KPI_DRIFT_RUNS;
	if (drift->recent_count == 0)
		return;
	take_spans(scenario, 0, drift->recent_count, spans);
	drift->recent = kpi_mean(spans, drift->recent_count);
	if (declared->has_rto && declared->rto_ns > 0) {
		drift->used_low_ppm = share_ppm(drift->recent.low_ns, declared->rto_ns, false);
		drift->used_high_ppm = share_ppm(drift->recent.high_ns, declared->rto_ns, true);
	}
	if (!is_told)
		return;
	drift->earlier_count = known - drift->recent_count;
	take_spans(scenario, drift->recent_count, drift->earlier_count, spans);
	drift->earlier = kpi_mean(spans, drift->earlier_count);
	drift->change = (struct span){ drift->recent.low_ns - drift->earlier.high_ns,
				       drift->recent.high_ns - drift->earlier.low_ns };
	drift->trend = drift->change.low_ns > 0	 ? KPI_TREND_SLOWER :
		       drift->change.high_ns < 0 ? KPI_TREND_FASTER :
						   KPI_TREND_LEVEL;
}

static void finish_scenario(const struct kpi_request *request, struct scenario *scenario)
{
	struct kpi_scenario *row = &scenario->row;

	kpi_gather_finish(&scenario->gather, request->now_wall_ns, request->confidence_ppm, true);
	row->sum = scenario->gather.sum;
	find_drift(scenario, &row->drift);
	if (row->proof != NULL && request->now_wall_ns > row->proof->ended_wall_ns)
		row->since_proof_ns = request->now_wall_ns - row->proof->ended_wall_ns;
	if (row->last == NULL)
		row->state = KPI_NEVER;
	else if (scenario->decided == EXIT_MISSED)
		row->state = KPI_FAILED;
	else if (row->proof == NULL)
		row->state = KPI_UNPROVEN;
	else
		row->state = row->since_proof_ns > request->stale_after_ns ? KPI_STALE : KPI_PROVEN;
}

static void finish_services(struct computing *computing)
{
	const struct kpi_request *request = computing->request;
	struct kpi_service *rows =
		arena_alloc(computing->arena, (computing->service_count + 1) * sizeof *rows);
	struct kpi_scenario *scenarios =
		arena_alloc(computing->arena, (computing->scenario_count + 1) * sizeof *scenarios);

	for (size_t i = 0; i < computing->service_count; i++) {
		struct service *service = &computing->services[i];

		kpi_gather_finish(&service->gather, request->now_wall_ns, request->confidence_ppm,
				  true);
		rows[i] = service->row;
		rows[i].sum = service->gather.sum;
	}
	for (size_t i = 0; i < computing->scenario_count; i++) {
		finish_scenario(request, &computing->scenarios[i]);
		scenarios[i] = computing->scenarios[i].row;
	}
	computing->kpi.services = rows;
	computing->kpi.service_count = computing->service_count;
	computing->kpi.scenarios = scenarios;
	computing->kpi.scenario_count = computing->scenario_count;
}

static int compare_months(const void *a, const void *b)
{
	const struct kpi_month *left = a;
	const struct kpi_month *right = b;

	if (left->service != right->service)
		return left->service < right->service ? -1 : 1;
	return strcmp(left->month, right->month);
}

static void finish_months(struct computing *computing)
{
	struct kpi_month *rows =
		arena_alloc(computing->arena, (computing->month_count + 1) * sizeof *rows);

	for (size_t i = 0; i < computing->month_count; i++) {
		struct month *month = &computing->months[i];

		/* Nothing failed "since" a month: it has no exposure. */
		kpi_gather_finish(&month->gather, 0, computing->request->confidence_ppm, false);
		rows[i] = month->row;
		rows[i].sum = month->gather.sum;
	}
	qsort(rows, computing->month_count, sizeof *rows, compare_months);
	computing->kpi.months = rows;
	computing->kpi.month_count = computing->month_count;
}

static int compare_flaky(const void *a, const void *b)
{
	const struct kpi_flaky *left = a;
	const struct kpi_flaky *right = b;

	if (left->flip_count != right->flip_count)
		return left->flip_count > right->flip_count ? -1 : 1;
	return compare_experiments(left->subject, right->subject);
}

/* Once may be a change for good or a repair; back again is neither. */
static void finish_flaky(struct computing *computing)
{
	struct kpi_flaky *rows =
		arena_alloc(computing->arena, (computing->experiment_count + 1) * sizeof *rows);

	for (size_t i = 0; i < computing->experiment_count; i++)
		if (computing->experiments[i].row.flip_count >= FLIPS_LEAST)
			rows[computing->kpi.flaky_count++] = computing->experiments[i].row;
	qsort(rows, computing->kpi.flaky_count, sizeof *rows, compare_flaky);
	computing->kpi.flaky = rows;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void finish_matrix(struct computing *computing)
{
	struct kpi *kpi = &computing->kpi;
	const char **names = arena_alloc(computing->arena, (kpi->scenario_count + 1) * sizeof *names);
	const struct kpi_scenario **cells;

	for (size_t i = 0; i < kpi->scenario_count; i++)
		names[i] = kpi->scenarios[i].name;
	qsort(names, kpi->scenario_count, sizeof(const char *), compare_names);
	for (size_t i = 0; i < kpi->scenario_count; i++)
		if (kpi->name_count == 0 || strcmp(names[kpi->name_count - 1], names[i]) != 0)
			names[kpi->name_count++] = names[i];
	cells = arena_alloc(computing->arena,
			    (kpi->service_count * kpi->name_count + 1) * sizeof *cells);
	for (size_t i = 0; i < kpi->scenario_count; i++) {
		const struct kpi_scenario *scenario = &kpi->scenarios[i];
		const char **name = bsearch(&scenario->name, names, kpi->name_count,
					    sizeof(const char *), compare_names);

		assert(name != NULL);
		cells[scenario->service * kpi->name_count + (size_t)(name - names)] = scenario;
	}
	kpi->names = names;
	kpi->cells = cells;
}

void kpi_compute(const struct kpi_request *request, struct arena *arena, struct kpi *ret_kpi)
{
	struct computing computing = { .request = request, .arena = arena };
	struct kpi *kpi = &computing.kpi;
	const struct run_facts **runs;
	size_t run_count = 0;

	assert(request->zone != NULL);
	assert(request->confidence_ppm > PPM / 2 && request->confidence_ppm < PPM);

	find_places(&computing);
	runs = sort_runs(&computing, &run_count);
	computing.points = arena_alloc(arena, (run_count + 1) * sizeof *computing.points);
	for (size_t i = 0; i < run_count; i++)
		add_run(&computing, runs[i]);
	kpi_gather_finish(&computing.all, request->now_wall_ns, request->confidence_ppm, true);
	kpi->sum = computing.all.sum;
	finish_services(&computing);
	finish_months(&computing);
	finish_flaky(&computing);
	finish_matrix(&computing);
	kpi->points = computing.points;
	kpi->subjects = request->subjects;
	kpi->now_wall_ns = request->now_wall_ns;
	kpi->since_wall_ns = request->since_wall_ns;
	kpi->stale_after_ns = request->stale_after_ns;
	kpi->confidence_ppm = request->confidence_ppm;
	kpi->zone = request->zone_name;
	kpi->service = request->service;
	kpi->environment = request->environment;
	kpi->missing_count = request->missing_count;
	*ret_kpi = computing.kpi;
}
