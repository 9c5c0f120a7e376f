/*
 * helper.c - see helper.h: names for scripts, and the texts of the two files that a host needs.
 */
#include "faults/helper.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "base/hash.h"
#include "faults/guard.h"
#include "faults/trial.h"

enum { OWN_SETS = 2 };

static const struct script_set *const own_sets[OWN_SETS] = { &guard_scripts, &trial_scripts };

/* Every set there is: ours, then those of the faults. NULL: the fault of this number has none. */
static const struct script_set *set_at(size_t index, size_t *ret_count)
{
	size_t fault_count;
	const struct fault_ops *const *faults = fault_table(&fault_count);

	*ret_count = OWN_SETS + fault_count;
	return index < OWN_SETS ? own_sets[index] : faults[index - OWN_SETS]->scripts;
}

const char *helper_script_name(const char *text)
{
	size_t count = OWN_SETS;

	for (size_t i = 0; i < count; i++) {
		const struct script_set *set = set_at(i, &count);

		for (const struct script_row *row = set == NULL ? NULL : set->rows;
		     row != NULL && row->name != NULL; row++)
			if (row->text == text)
				return row->name;
	}
	return NULL;
}

static void hash_text(struct hash *hash, const char *text)
{
	hash_add(hash, text, strlen(text) + 1);
}

void helper_catalogue(char ret_text[HELPER_CATALOGUE_BYTES])
{
	struct hash *hash = hash_open();
	char whole[HASH_TEXT_BYTES];
	size_t count = OWN_SETS;

	for (size_t i = 0; i < HELPER_SCRIPT_PARTS; i++)
		hash_text(hash, helper_script[i]);
	for (size_t i = 0; i < count; i++) {
		const struct script_set *set = set_at(i, &count);

		hash_text(hash, set == NULL || set->record == NULL ? "" : set->record);
		for (const struct script_row *row = set == NULL ? NULL : set->rows;
		     row != NULL && row->name != NULL; row++) {
			hash_text(hash, row->name);
			hash_text(hash, row->text);
			hash_text(hash, row->takes);
			hash_text(hash, row->is_inner ? "inner" : "");
		}
	}
	hash_close(hash, whole);
	memcpy(ret_text, whole, HELPER_CATALOGUE_BYTES - 1);
	ret_text[HELPER_CATALOGUE_BYTES - 1] = '\0';
}

void helper_argv(const struct host *host, const char *catalogue, const char *script,
		 const char *ret_argv[HELPER_ARGV_OWN])
{
	const char *const own[HELPER_ARGV_OWN] = { "sudo", "-n", HELPER_PATH, catalogue,
						   host->is_local ? "local" : "ssh",
						   helper_script_name(script) };

	assert(own[HELPER_ARGV_OWN - 1] != NULL); /* a script of a target has its row */
	memcpy(ret_argv, own, sizeof own);
}

/* ---- the helper's tables ---- */

static void add_quoted(struct text *text, const char *word)
{
	const char *const argv[] = { word, NULL };

	quote_argv(argv, text);
}

/* "dir record" -> "dir name main|all" */
static void add_takes(struct text *text, const struct script_set *set, const char *takes)
{
	static const char record[] = "record";

	for (const char *at = takes; *at != '\0';) {
		const size_t length = strcspn(at, " ");

		if (length == sizeof record - 1 && strncmp(at, record, length) == 0)
			text_add(text, set->record);
		else
			text_add_bytes(text, at, length);
		at += length;
		if (*at == ' ')
			text_add_bytes(text, at++, 1);
	}
}

static void add_kinds(struct text *text, const struct script_set *set)
{
	for (const struct script_row *row = set->rows; row->name != NULL; row++) {
		struct text takes = { 0 };

		add_takes(&takes, set, row->takes);
		text_addf(text, "%s) kinds='%s'%s ;;\n", row->name, text_str(&takes),
			  row->is_inner ? " is_inner=yes" : "");
		text_release(&takes);
	}
}

static void add_texts(struct text *text, const struct script_set *set)
{
	for (const struct script_row *row = set->rows; row->name != NULL; row++)
		text_addf(text, "%s) cat <<'FIREDRILL_END'\n%sFIREDRILL_END\n\t;;\n", row->name,
			  row->text);
}

/* Is this kind of word one that a person chooses? The others follow from the run. */
static bool is_chosen(const char *kind, size_t length)
{
	return !(length == 5 && strncmp(kind, "lease", length) == 0) &&
	       !(length == 5 && strncmp(kind, "table", length) == 0);
}

/* The chosen words of a record, one a line: what the helper compares. */
static void add_chosen(struct text *text, const struct script_set *set,
		       const struct heal_record *record)
{
	const char *kind = set->record;
	const char *gap = "";

	for (size_t i = 1; i < record->field_count; i++) { /* behind the directory */
		const size_t length = strcspn(kind, " ");

		assert(length > 0);
		if (is_chosen(kind, length)) {
			text_addf(text, "%s%s", gap, record->fields[i].value);
			gap = "\n";
		}
		if (kind[length] == ' ')
			kind += length + 1;
		else if (strncmp(kind, "peers", length) != 0)
			kind += length;
	}
}

static void add_grant(struct text *text, const struct helper_grant *grant)
{
	struct text chosen = { 0 };

	text_addf(text, "%s)", grant->fault->name);
	for (size_t i = 0; i < grant->record_count; i++) {
		text_clear(&chosen);
		add_chosen(&chosen, grant->fault->scripts, &grant->records[i]);
		text_addf(text, "%s\n\t[ \"$1\" = ", i > 0 ? " ||" : "");
		add_quoted(text, text_str(&chosen));
		text_add(text, " ]");
	}
	text_add(text, grant->record_count == 0 ? " ;;\n" : "\n\t;;\n");
	text_release(&chosen);
}

static void add_head(struct text *text, const struct host *host, const struct helper_grant *grants,
		     size_t grant_count)
{
	char catalogue[HELPER_CATALOGUE_BYTES];

	helper_catalogue(catalogue);
	text_addf(text,
		  "#!/bin/sh\n"
		  "# firedrill-helper - what firedrill may do as root on %s, and nothing else.\n"
		  "# Printed by `firedrill sudoers %s --helper`; print it again rather than edit it.\n"
		  "# It belongs to %s, to root, mode 0755, and is called through sudo.\n"
		  "# May do:", host->name, host->name, HELPER_PATH);
	for (size_t i = 0; i < grant_count; i++)
		text_addf(text, "%s %s%s", i > 0 ? "," : "", grants[i].fault->name,
			  grants[i].record_count > 0 ? " (with the words below)" : "");
	text_addf(text, "\nhost=%s catalogue=%s\n", host->name, catalogue);
}

void helper_print(const struct host *host, const struct helper_grant *grants, size_t grant_count,
		  struct text *text)
{
	add_head(text, host, grants, grant_count);

	text_add(text, "\n# What each script takes, a kind a word.\n"
		       "takes() { # SCRIPT: sets kinds, and is_inner\n"
		       "kinds='' is_inner=no\ncase $1 in\n");
	for (size_t i = 0; i < OWN_SETS; i++)
		add_kinds(text, own_sets[i]);
	for (size_t i = 0; i < grant_count; i++)
		add_kinds(text, grants[i].fault->scripts);

	text_add(text, "esac\n}\n\n# May the fault be done with these words, one a line?\n"
		       "is_granted() { # WORDS\ncase $fault in\n");
	for (size_t i = 0; i < grant_count; i++)
		add_grant(text, &grants[i]);

	text_add(text, "*) return 1 ;;\nesac\n}\n\n# The scripts.\ntext_of() { # SCRIPT\ncase $1 in\n");
	for (size_t i = 0; i < OWN_SETS; i++)
		add_texts(text, own_sets[i]);
	for (size_t i = 0; i < grant_count; i++)
		add_texts(text, grants[i].fault->scripts);
	text_add(text, "*) return 1 ;;\nesac\n}\n\n");
	for (size_t i = 0; i < HELPER_SCRIPT_PARTS; i++)
		text_add(text, helper_script[i]);
}

/* ---- sudoers ---- */

/* Capital letters may name an alias, or everybody. */
static bool is_plain_user(const char *name)
{
	if (!islower((unsigned char)name[0]) && name[0] != '_')
		return false;
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-")] == '\0';
}

bool helper_print_sudoers(const struct host *host, struct text *text, struct err *e)
{
	assert(host->is_sudo);

	if (!is_plain_user(host->user))
		return err_set(e, ERR_INPUT, "%s: `user: %s` may mean something else in a sudoers file; "
			       "use one of small letters, digits, `.`, `_` and `-`", host->name,
			       host->user);
	text_addf(text,
		  "# What firedrill needs of sudo on %s: one program, which knows its faults and checks each word.\n"
		  "# Printed by `firedrill sudoers %s`. It belongs to %s, to root, mode 0440;\n"
		  "# the program itself is what the same command prints with --helper.\n"
		  "Defaults!%s env_reset, !requiretty, !use_pty, env_keep += \"SSH_CONNECTION\"\n"
		  "%s ALL = (root) NOPASSWD: NOSETENV: %s\n",
		  host->name, host->name, SUDOERS_PATH, HELPER_PATH, host->user, HELPER_PATH);
	return true;
}
