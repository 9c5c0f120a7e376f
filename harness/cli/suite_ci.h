/*
 * suite_ci.h - what a suite says to the CI system around it, in the system's own way, and how nothing
 * that is printed between can speak to it.
 */
#ifndef CLI_SUITE_CI_H
#define CLI_SUITE_CI_H

#include <stdio.h>

#include "base/err.h"
#include "model/suite.h"

struct suite_ci;

/* word: auto, github, gitlab or none; NULL: auto, which looks at the environment. */
bool suite_ci_open(const char *word, FILE *stream, struct suite_ci **ret_ci, struct err *e);
/* What is printed between is folded away under the title. */
void suite_ci_group_begin(struct suite_ci *ci, size_t index, const char *title);
void suite_ci_group_end(struct suite_ci *ci, size_t index);
/* Annotations, and the summary page of the job. */
bool suite_ci_tell(struct suite_ci *ci, const struct suite *suite, struct err *e);
void suite_ci_close(struct suite_ci *ci); /* NULL is fine */

#endif
