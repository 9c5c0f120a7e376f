/*
 * fuzz.c - one program for libFuzzer with every harness in it: `fuzz NAME [libFuzzer's own options]
 * [corpus...]`, `fuzz --list` names them. tests/fuzz.sh runs them; built by clang alone.
 */
#include "tests/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Called by libFuzzer. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length_bytes);

static const struct fuzz_row *chosen;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = *argc > 1 ? (*argv)[1] : "";

	for (const struct fuzz_row *row = fuzz_harnesses; row->name != NULL; row++) {
		if (strcmp(name, "--list") == 0)
			(void)puts(row->name);
		else if (strcmp(name, row->name) == 0)
			chosen = row;
	}
	if (strcmp(name, "--list") == 0)
		exit(EXIT_SUCCESS);
	if (chosen == NULL) {
		(void)fprintf(stderr, "usage: fuzz NAME [OPTIONS] [CORPUS...]; `fuzz --list` names them\n");
		exit(2);
	}
	/* libFuzzer shall not see the name: it would be a corpus. */
	(*argv)[1] = (*argv)[0];
	(*argv)++;
	(*argc)--;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length_bytes)
{
	chosen->run(bytes, length_bytes);
	return 0;
}
