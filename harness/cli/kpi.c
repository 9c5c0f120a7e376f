/*
 * kpi.c - command "kpi": the history of the store in numbers. What they mean: docs/kpi.md.
 *
 * It reads the facts that every run leaves behind. Runs without facts are told, and --rebuild derives
 * them from the runs' own records.
 */
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "cli/cli.h"
#include "engine/facts.h"
#include "engine/kpi.h"
#include "reports/kpi.h"

static const struct option_row kpi_options[] = {
	STORE_OPTION,
	{ "since", "WHEN", "count runs from this day on, 2026-01-01, or for so long, 365d; default all" },
	{ "stale-after", "DURATION", "a proof older than this is stale; default 90d" },
	{ "zone", "NAME", "where days and months begin, such as Europe/Berlin; default UTC" },
	{ "service", "NAME", "this service alone" },
	{ "environment", "NAME", "this environment alone" },
	{ "confidence", "PERCENT", "of each bound; default 95%" },
	{ "inventory", "FILE", "of the experiments named; its services are listed even if never tried" },
	VAR_OPTION,
	{ "format", "NAME", "text (default), json or csv" },
	{ "table", "NAME", "of csv: scenarios (default), services, months, flaky or trend" },
	{ "trend", NULL, "json: with a row for each drill" },
	{ "rebuild", NULL, "first derive the facts of runs that have none" },
	{ "rebuild-all", NULL, "first derive the facts of all runs again" },
	{ NULL, NULL, NULL },
};

struct kpi_command {
	const struct arguments *arguments;
	struct store *owned_store;
	struct arena arena;
	struct secrets secrets; /* of the documents that are named; none is resolved */
	struct clock clock;
	struct kpi_request request;
	struct facts_rows rows;
	const char *format;
	const struct kpi_table *table;
};

/* ---- options ---- */

/* The moment at which this day begins there: the offset is looked at where it will be. */
static int64_t day_begins_ns(const struct zone *zone, int64_t day)
{
	const int64_t day_s = 24 * 3600;
	int64_t offset_s = zone_time_at(zone, day * day_s * NS_PER_S).offset_s;

	offset_s = zone_time_at(zone, (day * day_s - offset_s) * NS_PER_S).offset_s;
	return (day * day_s - offset_s) * NS_PER_S;
}

static bool take_since(struct kpi_command *command, struct err *e)
{
	const char *given = arguments_value(command->arguments, "since");
	int64_t day = 0;
	int64_t ago_ns = 0;

	if (given == NULL)
		return true;
	if (strchr(given, '-') != NULL) {
		if (!zone_parse_date(given, &day, e))
			return err_wrap(e, "--since");
		command->request.since_wall_ns = day_begins_ns(command->request.zone, day);
		return true;
	}
	if (!units_parse_duration(given, &ago_ns, e))
		return err_wrap(e, "--since");
	command->request.since_wall_ns =
		ago_ns < command->request.now_wall_ns ? command->request.now_wall_ns - ago_ns : 1;
	return true;
}

static bool take_numbers(struct kpi_command *command, struct err *e)
{
	const char *stale = arguments_value(command->arguments, "stale-after");
	const char *confidence = arguments_value(command->arguments, "confidence");
	struct kpi_request *request = &command->request;

	if (stale != NULL && !units_parse_duration(stale, &request->stale_after_ns, e))
		return err_wrap(e, "--stale-after");
	if (confidence != NULL && !units_parse_percent(confidence, &request->confidence_ppm, e))
		return err_wrap(e, "--confidence");
	if (request->confidence_ppm <= 500000 || request->confidence_ppm >= 1000000)
		return err_set(e, ERR_INPUT, "`--confidence %s` is not between 50%% and 100%%",
			       confidence);
	return true;
}

static bool take_format(struct kpi_command *command, struct err *e)
{
	const char *format = arguments_value(command->arguments, "format");
	const char *table = arguments_value(command->arguments, "table");

	command->format = format == NULL ? "text" : format;
	if (strcmp(command->format, "text") != 0 && strcmp(command->format, "json") != 0 &&
	    strcmp(command->format, "csv") != 0)
		return err_set(e, ERR_INPUT, "`kpi` has no format `%s`; there are text, json and csv",
			       format);
	command->table = kpi_table_find(table == NULL ? "scenarios" : table);
	if (command->table == NULL)
		return err_set(e, ERR_INPUT, "there is no table `%s`; there are scenarios, services, "
			       "months, flaky and trend", table);
	if (table != NULL && strcmp(command->format, "csv") != 0)
		return err_set(e, ERR_INPUT, "`--table` is for `--format csv`");
	return true;
}

static bool take_options(struct kpi_command *command, struct err *e)
{
	const char *zone = arguments_value(command->arguments, "zone");
	struct kpi_request *request = &command->request;

	request->zone_name = zone == NULL ? "UTC" : zone;
	request->now_wall_ns = clock_wall_ns(&command->clock);
	request->stale_after_ns = INT64_C(90) * 24 * 3600 * NS_PER_S;
	request->confidence_ppm = 950000;
	request->service = arguments_value(command->arguments, "service");
	request->environment = arguments_value(command->arguments, "environment");
	return zone_load(request->zone_name, &command->arena, &request->zone, e) &&
	       take_since(command, e) && take_numbers(command, e) && take_format(command, e);
}

/* ---- what should have been tried ---- */

/* False: the problems were told. */
static bool expect_services(struct kpi_command *command, struct facts_subject *expected,
			    size_t *count)
{
	const struct inventory *inventory = NULL;

	if (arguments_value(command->arguments, "inventory") == NULL)
		return true;
	if (!cli_load_inventory(command->arguments, &command->arena, &command->secrets, &inventory))
		return false;
	for (size_t i = 0; i < inventory->service_count; i++) {
		const char *environment = inventory->policy.environment;

		expected[(*count)++] = (struct facts_subject){
			.service = inventory->services[i].name,
			.environment = environment == NULL ? "" : environment,
			.scenario = "", .title = "", .experiment = "", .inventory = "",
		};
	}
	return true;
}

static bool take_expected(struct kpi_command *command)
{
	const struct arguments *arguments = command->arguments;
	struct facts_subject *expected = arena_alloc(
		&command->arena, (LIMIT_SERVICES + arguments->word_count) * sizeof *expected);
	size_t count = 0;

	if (!expect_services(command, expected, &count))
		return false;
	for (size_t i = 0; i < arguments->word_count; i++) {
		const struct experiment *experiment = NULL;

		if (!cli_load(arguments, arguments->words[i], false, &command->arena,
			      &command->secrets, &experiment))
			return false;
		facts_subject_of(experiment, &command->arena, &expected[count++]);
	}
	command->request.expected = expected;
	command->request.expected_count = count;
	return true;
}

/* ---- facts ---- */

static void tell_trouble(void *ctx, const struct err *e)
{
	(void)ctx;
	(void)cli_fail(EXIT_INTERNAL, NULL, e);
}

static bool rebuild(struct kpi_command *command, struct err *e)
{
	struct facts_rebuild work = {
		.is_all = arguments_flag(command->arguments, "rebuild-all"),
		.tell = tell_trouble,
	};

	if (!work.is_all && !arguments_flag(command->arguments, "rebuild"))
		return true;
	if (!facts_rebuild(command->owned_store, &work, e))
		return false;
	(void)fprintf(stderr, "derived the facts of %zu run%s", work.derived_count,
		      work.derived_count == 1 ? "" : "s");
	if (work.changed_count > 0)
		(void)fprintf(stderr, "; %zu had others before", work.changed_count);
	if (work.failed_count > 0)
		(void)fprintf(stderr, "; %zu cannot be read", work.failed_count);
	if (work.alive_count > 0)
		(void)fprintf(stderr, "; %zu are still under way", work.alive_count);
	(void)fputs("\n", stderr);
	return true;
}

static bool read_rows(struct kpi_command *command, struct err *e)
{
	struct kpi_request *request = &command->request;

	if (!cli_need_store(command->arguments, &command->owned_store, e) || !rebuild(command, e) ||
	    !store_facts(command->owned_store, &command->arena, &command->rows, e))
		return false;
	request->subjects = command->rows.subjects;
	request->subject_count = command->rows.subject_count;
	request->runs = command->rows.rows;
	request->run_count = command->rows.row_count;
	request->missing_count = command->rows.missing_count;
	return true;
}

static void print(struct kpi_command *command)
{
	const struct report_style style = { .has_colour = cli_has_colour(stdout),
					    .is_utf8 = cli_is_utf8(),
					    .columns = cli_columns(stdout) };
	struct text bytes = { 0 };
	struct kpi kpi;

	kpi_compute(&command->request, &command->arena, &kpi);
	if (strcmp(command->format, "json") == 0)
		kpi_json_write(&kpi, arguments_flag(command->arguments, "trend"), &bytes);
	else if (strcmp(command->format, "csv") == 0)
		command->table->write(&kpi, &bytes);
	else
		kpi_text_write(&kpi, &style, &bytes);
	(void)fwrite(text_str(&bytes), 1, bytes.length_bytes, stdout);
	text_release(&bytes);
}

static int run_kpi(const struct arguments *arguments)
{
	struct kpi_command command = { .arguments = arguments, .clock = clock_system() };
	struct err e = { 0 };
	int code = EXIT_MET;

	if (!take_options(&command, &e))
		code = cli_fail(EXIT_NOT_RUN, NULL, &e);
	else if (!take_expected(&command))
		code = EXIT_NOT_RUN;
	else if (!read_rows(&command, &e))
		code = cli_fail_evidence(NULL, &e);
	else
		print(&command);
	store_close(command.owned_store);
	secrets_release(&command.secrets);
	arena_release(&command.arena);
	return code;
}

const struct verb verb_kpi = {
	.name = "kpi",
	.arguments = "[EXPERIMENT...]",
	.word_min = 0,
	.word_max = ARGUMENTS_MAX,
	.summary = "MTTR, kept objectives, last proofs and coverage over all runs of the store",
	.example = "firedrill kpi --since 365d --zone Europe/Berlin",
	.options = kpi_options,
	.run = run_kpi,
};
