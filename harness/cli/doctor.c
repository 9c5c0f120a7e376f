/*
 * doctor.c - command "doctor": can these hosts be drilled safely? Arms a guard over nothing on every host,
 * ends the session, and watches it fire; then says for every fault what the host lacks.
 *
 * All hosts are armed first and looked at afterwards, so that many take hardly longer than one. Nothing
 * is harmed and nothing stays. Protected hosts are not even connected to.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "faults/fault.h"
#include "faults/record.h"
#include "faults/trial.h"

static const int64_t open_timeout_ns = 10 * NS_PER_S;
static const int64_t fire_grace_ns = 6 * NS_PER_S; /* beyond the lease: whole seconds, and a busy host */
static const int64_t look_every_ns = 200 * NS_PER_MS;

static const struct option_row doctor_options[] = {
	{ "inventory", "FILE", "the inventory; default inventory.yaml" },
	{ "fault", "NAME", "must work on every host, else exit 1; may be given often" },
	VAR_OPTION,
	{ NULL, NULL, NULL },
};

/* One host and what was found. */
struct patient {
	const struct host *host;
	char dir[64]; /* of its trial, there */
	struct remote *owned_remote;
	bool is_armed;
	bool is_guarded;  /* the guard fired, and left nothing */
	bool is_leftover; /* the trial's record could not be removed */
	int64_t reached_ns;
	int64_t armed_ns;
	struct text guard;         /* what is said of it */
	struct text *owned_missing; /* one for each fault */
};

struct doctor {
	const struct arguments *arguments;
	const struct inventory *inventory;
	struct clock clock;
	struct remote_opener opener;
	struct remote *owned_harness;
	struct patient *owned_patients;
	size_t patient_count;
	const struct fault_ops *const *faults;
	size_t fault_count;
};

static const struct host harness_host = { .name = "(harness)", .is_local = true };

static bool open_host(struct doctor *doctor, struct patient *patient, struct err *e)
{
	return doctor->opener.open(doctor->opener.ctx, patient->host, &doctor->clock,
				   open_timeout_ns, &patient->owned_remote, e);
}

static void close_host(struct patient *patient)
{
	remote_close(patient->owned_remote);
	patient->owned_remote = NULL;
}

static void examine_faults(struct doctor *doctor, struct patient *patient)
{
	const struct fault_request request = { .run_id = "doctor", .step = 1,
					       .host = patient->host,
					       .inventory = doctor->inventory,
					       .lease_ns = TRIAL_LEASE_S * NS_PER_S };
	struct fault_context ctx = { .target = patient->owned_remote,
				     .harness = doctor->owned_harness, .clock = &doctor->clock };

	for (size_t i = 0; i < doctor->fault_count; i++) {
		struct text *missing = &patient->owned_missing[i];
		struct err e = { 0 };

		if (!doctor->faults[i]->examine(&request, &ctx, missing, &e))
			text_addf(missing, "%s%s",
				  e.kind == ERR_REFUSED ? "" : "could not be looked: ", e.text);
		while (missing->length_bytes > 0 &&
		       missing->owned_bytes[missing->length_bytes - 1] == '\n')
			missing->owned_bytes[--missing->length_bytes] = '\0';
	}
}

/* Connects, looks around, and leaves a guard behind that has to fire by itself. */
static void begin(struct doctor *doctor, struct patient *patient)
{
	const int64_t begun_ns = clock_now_ns(&doctor->clock);
	enum trial_state state;
	struct err e = { 0 };

	if (!open_host(doctor, patient, &e)) {
		text_addf(&patient->guard, "cannot be reached: %s", e.text);
		return;
	}
	patient->reached_ns = clock_now_ns(&doctor->clock) - begun_ns;
	/* Without its helper such a host does nothing at all, and that is said once. */
	if (patient->host->is_sudo &&
	    !trial_look(patient->owned_remote, patient->dir, &state, &e)) {
		text_add(&patient->guard, e.text);
		close_host(patient);
		return;
	}
	examine_faults(doctor, patient);
	patient->is_armed = true; /* also half-way: something may be there to remove */
	if (!trial_of_heal(patient->owned_remote, patient->dir, &e) ||
	    !trial_begin(patient->owned_remote, patient->dir, &e))
		text_add(&patient->guard, e.text);
	patient->armed_ns = clock_now_ns(&doctor->clock);
	close_host(patient); /* what ends with our session is no guard */
}

static void watch_it_fire(struct doctor *doctor, struct patient *patient, struct err *e)
{
	const int64_t deadline_ns =
		patient->armed_ns + TRIAL_LEASE_S * NS_PER_S + fire_grace_ns;
	enum trial_state state = TRIAL_HARMED;
	char after[UNITS_TEXT_BYTES];
	int64_t now_ns;

	for (;;) {
		if (!trial_look(patient->owned_remote, patient->dir, &state, e))
			return;
		now_ns = clock_now_ns(&doctor->clock);
		if (state != TRIAL_HARMED || now_ns >= deadline_ns)
			break;
		clock_sleep_until_ns(&doctor->clock, now_ns + look_every_ns);
	}
	if (state == TRIAL_HEALED) {
		patient->is_guarded = true;
		text_addf(&patient->guard,
			  "fired by itself, seen %s after it was armed for %d s, though our session "
			  "had ended; a heal ends it at once",
			  units_format_duration((now_ns - patient->armed_ns) / NS_PER_MS * NS_PER_MS,
						after),
			  TRIAL_LEASE_S);
	} else {
		text_addf(&patient->guard, "%s",
			  state == TRIAL_GONE ?
				  "its record vanished; does something empty /run there?" :
				  "it did not fire; does something there end the processes of a "
				  "session that is closed (KillUserProcesses in logind.conf)?");
	}
}

static void end(struct doctor *doctor, struct patient *patient)
{
	struct err e = { 0 };

	if (!patient->is_armed)
		return;
	if (!open_host(doctor, patient, &e)) {
		patient->is_leftover = true;
		text_addf(&patient->guard, "%scannot be reached again: %s",
			  patient->guard.length_bytes > 0 ? "; " : "", e.text);
		return;
	}
	if (patient->guard.length_bytes == 0)
		watch_it_fire(doctor, patient, &e);
	if (e.kind != ERR_NONE)
		text_add(&patient->guard, e.text);
	if (!trial_end(patient->owned_remote, patient->dir, &e)) {
		patient->is_leftover = true;
		patient->is_guarded = false;
		text_addf(&patient->guard, "; %s could not be removed: %s",
			  patient->dir, e.text);
	}
	close_host(patient);
}

/* ---- what is told ---- */

static void print_row(const char *what, bool is_fine, const char *sentence)
{
	struct text line = { 0 };

	text_addf(&line, "  %-20s %s", what, is_fine ? "yes" : "no");
	for (const char *at = sentence; *at != '\0';) {
		const size_t length = strcspn(at, "\n");

		text_add(&line, at == sentence ? (is_fine ? "   " : "    ") : "; ");
		text_add_bytes(&line, at, length);
		at += length + (at[length] == '\n' ? 1 : 0);
	}
	cli_print_line(stdout, NULL, text_str(&line));
	text_release(&line);
}

static void print_patient(const struct doctor *doctor, const struct patient *patient)
{
	const struct host *host = patient->host;
	char took[UNITS_TEXT_BYTES];
	struct text line = { 0 };

	text_addf(&line, "%s", host->name);
	if (host->is_local)
		text_add(&line, "  this machine");
	else
		text_addf(&line, "  %s as %s", host->address, host->user == NULL ? "?" : host->user);
	if (host->is_sudo)
		text_add(&line, ", through sudo");
	if (patient->is_armed)
		text_addf(&line, ", reached in %s",
			  units_format_duration(patient->reached_ns / NS_PER_MS * NS_PER_MS, took));
	cli_print_line(stdout, NULL, text_str(&line));
	text_release(&line);
	print_row("guard", patient->is_guarded, text_str(&patient->guard));
	for (size_t i = 0; patient->is_armed && i < doctor->fault_count; i++)
		print_row(doctor->faults[i]->name, patient->owned_missing[i].length_bytes == 0,
			  text_str(&patient->owned_missing[i]));
}

/* Do the faults work that were asked for? */
static bool are_wanted_fine(const struct doctor *doctor, const struct patient *patient)
{
	const char *wanted[ARGUMENTS_MAX];
	const size_t count = arguments_values(doctor->arguments, "fault", wanted);

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < doctor->fault_count; j++)
			if (strcmp(doctor->faults[j]->name, wanted[i]) == 0 &&
			    patient->owned_missing[j].length_bytes > 0)
				return false;
	return true;
}

static int conclude(const struct doctor *doctor)
{
	size_t sound_count = 0;
	bool is_leftover = false;

	for (size_t i = 0; i < doctor->patient_count; i++) {
		const struct patient *patient = &doctor->owned_patients[i];

		print_patient(doctor, patient);
		sound_count += patient->is_guarded && are_wanted_fine(doctor, patient) ? 1 : 0;
		is_leftover = is_leftover || patient->is_leftover;
	}
	(void)printf("%zu of %zu hosts can be drilled\n", sound_count, doctor->patient_count);
	if (is_leftover)
		return EXIT_LEFTOVER;
	return sound_count == doctor->patient_count ? EXIT_MET : EXIT_MISSED;
}

/* ---- whom ---- */

static void add_patient(struct doctor *doctor, const struct host *host, const char *run_id)
{
	struct patient *patient = &doctor->owned_patients[doctor->patient_count++];

	patient->host = host;
	patient->owned_missing = mem_alloc(doctor->fault_count * sizeof *patient->owned_missing);
	(void)snprintf(patient->dir, sizeof patient->dir, RECORD_DIR_DEFAULT "/doctor-%s-%zu/1",
		       run_id, doctor->patient_count);
}

static bool choose_patients(struct doctor *doctor, struct err *e)
{
	const struct arguments *arguments = doctor->arguments;
	const struct inventory *inventory = doctor->inventory;
	char run_id[32];

	run_id_make(&doctor->clock, run_id, sizeof run_id);
	doctor->owned_patients =
		mem_alloc((inventory->host_count + arguments->word_count + 1) *
			  sizeof *doctor->owned_patients);
	for (size_t i = 0; i < arguments->word_count; i++) {
		const struct host *host = inventory_host(inventory, arguments->words[i]);

		if (host == NULL)
			return err_set(e, ERR_INPUT, "the inventory has no host `%s`",
				       arguments->words[i]);
		if (host->is_protected)
			return err_set(e, ERR_INPUT, "`%s` is protected, so it is not touched",
				       host->name);
		add_patient(doctor, host, run_id);
	}
	for (size_t i = 0; arguments->word_count == 0 && i < inventory->host_count; i++)
		if (!inventory->hosts[i].is_protected)
			add_patient(doctor, &inventory->hosts[i], run_id);
	if (doctor->patient_count == 0)
		return err_set(e, ERR_INPUT, "the inventory has no host that is not protected");
	return true;
}

static bool check_wanted(const struct arguments *arguments, struct err *e)
{
	const char *wanted[ARGUMENTS_MAX];
	const size_t count = arguments_values(arguments, "fault", wanted);

	for (size_t i = 0; i < count; i++)
		if (fault_find(wanted[i]) == NULL)
			return err_set(e, ERR_INPUT, "there is no fault `%s`; `firedrill faults` "
				       "lists them", wanted[i]);
	return true;
}

static void release(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->patient_count; i++) {
		struct patient *patient = &doctor->owned_patients[i];

		for (size_t j = 0; j < doctor->fault_count; j++)
			text_release(&patient->owned_missing[j]);
		free(patient->owned_missing);
		text_release(&patient->guard);
		close_host(patient);
	}
	free(doctor->owned_patients);
	remote_close(doctor->owned_harness);
}

static int run_doctor(const struct arguments *arguments)
{
	struct arena arena = { 0 };
	struct secrets secrets = { 0 };
	struct doctor doctor = { .arguments = arguments, .clock = clock_system(),
				 .opener = remote_opener_real() };
	struct err e = { 0 };
	int code = EXIT_NOT_RUN;

	doctor.faults = fault_table(&doctor.fault_count);
	if (!check_wanted(arguments, &e))
		code = cli_fail(code, NULL, &e);
	else if (!cli_load_inventory(arguments, &arena, &secrets, &doctor.inventory))
		code = EXIT_NOT_RUN;
	else if (!choose_patients(&doctor, &e))
		code = cli_fail(code, &secrets, &e);
	else if (!doctor.opener.open(doctor.opener.ctx, &harness_host, &doctor.clock,
				     open_timeout_ns, &doctor.owned_harness, &e))
		code = cli_fail(EXIT_INTERNAL, &secrets, &e);
	else {
		for (size_t i = 0; i < doctor.patient_count; i++)
			begin(&doctor, &doctor.owned_patients[i]);
		for (size_t i = 0; i < doctor.patient_count; i++)
			end(&doctor, &doctor.owned_patients[i]);
		code = conclude(&doctor);
	}
	release(&doctor);
	secrets_release(&secrets);
	arena_release(&arena);
	return code;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.arguments = "[HOST...]",
	.word_min = 0,
	.word_max = ARGUMENTS_MAX,
	.summary = "prove that the guard works on each host, and list what faults lack there",
	.example = "firedrill doctor --inventory experiments/inventory.yaml",
	.options = doctor_options,
	.run = run_doctor,
};
