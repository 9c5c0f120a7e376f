/*
 * helper.h - faults as an ordinary user: the one program of root on a host that does what they need, and no more.
 *
 * Without it a fault's script travels as the text of `sh -c`, and a sudoers line that lets that through
 * lets everything through. With `sudo: true` nothing that root runs travels: firedrill says
 *
 *     sudo -n HELPER_PATH CATALOGUE ssh|local SCRIPT WORD...
 *
 * with names (struct script_row) for scripts, and the helper, a shell script that `firedrill sudoers HOST --helper`
 * prints, has the texts of those scripts that this host's faults need. It refuses, with SCRIPT_REFUSED and a
 * sentence: another firedrill's catalogue; a script it was not made with; a word that is not what the row says;
 * words other than the granted ones; a record that was armed for something else; folders that are not root's.
 *
 * It does not decide when, how often or how long: what it grants, it grants to whoever may call it.
 */
#ifndef FAULTS_HELPER_H
#define FAULTS_HELPER_H

#include "faults/script.h"

#define HELPER_PATH "/usr/local/libexec/firedrill-helper"
#define SUDOERS_PATH "/etc/sudoers.d/firedrill"

enum { HELPER_CATALOGUE_BYTES = 17, HELPER_ARGV_OWN = 6, HELPER_SCRIPT_PARTS = 3 };

/* A fault that the helper may do; with these records' words only, or, when there are none, with any. */
struct helper_grant {
	const struct fault_ops *fault;
	const struct heal_record *records;
	size_t record_count;
};

/* The name of a script by its text (the same pointer, not an equal one); NULL: it is no script of a row. */
const char *helper_script_name(const char *text);

/* Of all scripts of this firedrill and of the helper's own lines: the helper of another one refuses. */
void helper_catalogue(char ret_text[HELPER_CATALOGUE_BYTES]);

/* What stands before the words of this script. */
void helper_argv(const struct host *host, const char *catalogue, const char *script,
		 const char *ret_argv[HELPER_ARGV_OWN]);

/* The helper of this host, as text. */
void helper_print(const struct host *host, const struct helper_grant *grants, size_t grant_count,
		  struct text *text);
/* What sudoers needs to let the host's user call it. False: the name of that user means something to sudo. */
bool helper_print_sudoers(const struct host *host, struct text *text, struct err *e);

extern const char *const helper_script[HELPER_SCRIPT_PARTS]; /* helper_script.c */

#endif
