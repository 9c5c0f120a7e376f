/*
 * sudoers.c - command "sudoers": the two files that let an ordinary user drill a host: the sudoers fragment,
 * and with --helper the program of root that it names. Connects to nothing; installing them is an
 * administrator's decision (docs/least-privilege.md).
 *
 * Without experiments the helper may do every fault that the policy allows on that host, with any words; with
 * experiments, what they do there and nothing else.
 */
#include <string.h>

#include "cli/cli.h"
#include "engine/permit.h"
#include "faults/fault.h"
#include "faults/helper.h"

static const struct option_row sudoers_options[] = {
	{ "helper", NULL, "print the helper, the program of root, instead of the sudoers fragment" },
	INVENTORY_OPTION,
	VAR_OPTION,
	{ NULL, NULL, NULL },
};

/* What one host's helper may do. */
struct rights {
	const char *host_name;
	const struct host *host; /* of the last inventory that was read */
	struct arena arena;
	struct secrets secrets;
	struct helper_grant *grants; /* in the arena */
	size_t grant_count;
};

static bool find_host(struct rights *rights, const struct inventory *inventory, struct err *e)
{
	const struct host *host = inventory_host(inventory, rights->host_name);

	if (host == NULL)
		return err_set(e, ERR_INPUT, "the inventory has no host `%s`", rights->host_name);
	if (host->is_protected)
		return err_set(e, ERR_INPUT, "`%s` is protected, so nothing is granted on it",
			       host->name);
	if (!host->is_sudo)
		return err_set(e, ERR_INPUT, "`%s` does not say `sudo: true`, so it needs no helper; "
			       "write that and an ordinary `user` into its row", host->name);
	rights->host = host;
	return true;
}

/* By the documents alone; the hour and the approvals are the run's. */
static bool is_allowed(struct rights *rights, const struct inventory *inventory,
		       const struct fault_ops *fault)
{
	const struct permit_hit hit = { .host = rights->host, .fault = fault->name, .step = 1 };
	const struct permit_question question = { .scope = PERMIT_STANDING,
						  .inventory = inventory,
						  .hits = &hit,
						  .hit_count = 1 };
	struct permit_answer answer;

	permit_check(&question, &rights->arena, &answer);
	return answer.is_permitted;
}

static struct helper_grant *grant_of(struct rights *rights, const struct fault_ops *fault)
{
	for (size_t i = 0; i < rights->grant_count; i++)
		if (rights->grants[i].fault == fault)
			return &rights->grants[i];
	rights->grants = arena_more(&rights->arena, rights->grants, rights->grant_count,
				    sizeof *rights->grants);

	struct helper_grant *grant = &rights->grants[rights->grant_count++];

	*grant = (struct helper_grant){ .fault = fault };
	return grant;
}

static bool grant_all(struct rights *rights, const struct inventory *inventory, struct err *e)
{
	size_t count;
	const struct fault_ops *const *faults = fault_table(&count);

	for (size_t i = 0; i < count; i++)
		if (faults[i]->scripts != NULL && is_allowed(rights, inventory, faults[i]))
			(void)grant_of(rights, faults[i]);
	return rights->grant_count > 0 ||
	       err_set(e, ERR_INPUT, "the policy allows no fault on `%s`", rights->host_name);
}

static bool grant_step(struct rights *rights, const struct experiment *experiment,
		       const struct step *step, struct err *e)
{
	const struct fault_ops *fault = fault_find(step->fault);
	const struct fault_request request = { .run_id = "x",
					       .step = step->index,
					       .host = rights->host,
					       .service = step->on.service,
					       .inventory = experiment->inventory,
					       .with = &step->with,
					       .lease_ns = experiment->lease_ns };
	struct heal_record record;

	if (fault->scripts == NULL || !plan_may_hit(experiment, step, rights->host))
		return true;
	if (!is_allowed(rights, experiment->inventory, fault))
		return err_set(e, ERR_INPUT, "%s: the policy does not allow %s on `%s`",
			       experiment->source_path, fault->name, rights->host_name);
	if (!fault->plan_heal(&request, &rights->arena, &record, e))
		return err_wrap(e, "%s", experiment->source_path);

	struct helper_grant *grant = grant_of(rights, fault);

	if (fault->scripts->record == NULL)
		return true; /* nothing of it is a word */

	struct heal_record *records = arena_alloc(&rights->arena,
						  (grant->record_count + 1) * sizeof *records);

	for (size_t i = 0; i < grant->record_count; i++)
		records[i] = grant->records[i];
	records[grant->record_count++] = record;
	grant->records = records;
	return true;
}

/* False with e->kind ERR_NONE: what is wrong was said. */
static bool grant_experiment(struct rights *rights, const struct arguments *arguments,
			     const char *path, struct err *e)
{
	const struct experiment *experiment;

	if (!cli_load(arguments, path, false, &rights->arena, &rights->secrets, &experiment) ||
	    !find_host(rights, experiment->inventory, e))
		return false;
	for (size_t i = 0; i < experiment->step_count; i++)
		if (!grant_step(rights, experiment, &experiment->steps[i], e))
			return false;
	return true;
}

static bool read_rights(struct rights *rights, const struct arguments *arguments, struct err *e)
{
	const struct inventory *inventory;

	rights->host_name = arguments->words[0];
	if (arguments->word_count == 1)
		return cli_load_inventory(arguments, &rights->arena, &rights->secrets, &inventory) &&
		       find_host(rights, inventory, e) && grant_all(rights, inventory, e);
	for (size_t i = 1; i < arguments->word_count; i++)
		if (!grant_experiment(rights, arguments, arguments->words[i], e))
			return false;
	return rights->grant_count > 0 ||
	       err_set(e, ERR_INPUT, "these experiments do nothing on `%s` that a helper is for",
		       rights->host_name);
}

static int run_sudoers(const struct arguments *arguments)
{
	struct rights rights = { 0 };
	struct text text = { 0 };
	struct err e = { 0 };
	bool ok = read_rights(&rights, arguments, &e);

	if (ok && arguments_flag(arguments, "helper"))
		helper_print(rights.host, rights.grants, rights.grant_count, &text);
	else
		ok = ok && helper_print_sudoers(rights.host, &text, &e);
	if (ok)
		(void)fputs(text_str(&text), stdout); /* main.c looks at the stream at the end */
	else if (e.kind != ERR_NONE)
		(void)cli_fail(EXIT_NOT_RUN, &rights.secrets, &e);
	text_release(&text);
	secrets_release(&rights.secrets);
	arena_release(&rights.arena);
	return ok ? EXIT_MET : EXIT_NOT_RUN;
}

const struct verb verb_sudoers = {
	.name = "sudoers",
	.arguments = "HOST [EXPERIMENT...]",
	.word_min = 1,
	.word_max = ARGUMENTS_MAX,
	.summary = "print what lets an ordinary user drill a host: sudoers lines, and a helper of root",
	.example = "firedrill sudoers db1 --inventory experiments/inventory.yaml",
	.options = sudoers_options,
	.run = run_sudoers,
};
