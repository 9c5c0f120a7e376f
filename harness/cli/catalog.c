/*
 * catalog.c - commands "faults" and "probes": what there is, from the same rows that the loader reads.
 */
#include <inttypes.h>

#include "cli/cli.h"
#include "faults/fault.h"
#include "probes/probe.h"

static const struct option_row no_options[] = { { NULL, NULL, NULL } };

void cli_print_params(const struct param *params)
{
	for (const struct param *param = params; param != NULL && param->name != NULL; param++) {
		(void)printf("    %-14s %s", param->name, param->help == NULL ? "" : param->help);
		if (param->choices != NULL)
			(void)printf(" (%s)", param->choices);
		if (param->is_required)
			(void)printf("; required");
		else if (param->fallback != NULL)
			(void)printf("; default %s", param->fallback);
		(void)printf("\n");
	}
}

static void print_fault(const struct fault_ops *fault)
{
	(void)printf("%s - %s\n", fault->name, fault->summary);
	if (fault->caution != NULL)
		(void)printf("    caution: %s\n", fault->caution);
	cli_print_params(fault->params);
}

static void print_probe(const struct probe_ops *probe)
{
	(void)printf("%s - %s%s\n", probe->name, probe->summary,
		     probe->is_ledger ? " (a ledger)" : probe->is_event ? " (events)" : "");
	cli_print_params(probe->params);
}

static int run_faults(const struct arguments *arguments)
{
	size_t count;
	const struct fault_ops *const *table = fault_table(&count);

	if (arguments->word_count > 0) {
		const struct fault_ops *fault = fault_find(arguments->words[0]);

		if (fault == NULL)
			return cli_fail_text(EXIT_NOT_RUN,
					     "there is no fault `%s`; `firedrill faults` lists them",
					     arguments->words[0]);
		print_fault(fault);
		return EXIT_MET;
	}
	for (size_t i = 0; i < count; i++)
		print_fault(table[i]);
	return EXIT_MET;
}

static int run_probes(const struct arguments *arguments)
{
	size_t count;
	const struct probe_ops *const *table = probe_table(&count);

	if (arguments->word_count > 0) {
		const struct probe_ops *probe = probe_find(arguments->words[0]);

		if (probe == NULL)
			return cli_fail_text(EXIT_NOT_RUN,
					     "there is no probe `%s`; `firedrill probes` lists them",
					     arguments->words[0]);
		print_probe(probe);
		return EXIT_MET;
	}
	for (size_t i = 0; i < count; i++)
		print_probe(table[i]);
	return EXIT_MET;
}

const struct verb verb_faults = {
	.name = "faults",
	.arguments = "[NAME]",
	.word_min = 0,
	.word_max = 1,
	.summary = "list the faults and their parameters",
	.example = "firedrill faults net.partition",
	.options = no_options,
	.run = run_faults,
};

const struct verb verb_probes = {
	.name = "probes",
	.arguments = "[NAME]",
	.word_min = 0,
	.word_max = 1,
	.summary = "list the probes and their parameters",
	.example = "firedrill probes postgres.write",
	.options = no_options,
	.run = run_probes,
};
