/*
 * output.h - writing the reports of one run into its folder, and one of them to standard output.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/cli.h"
#include "model/story.h"
#include "model/trials.h"

/* Every row of reports/table.c into the folder, which is made. */
bool output_write_all(const struct story *story, const char *folder, struct err *e);
/* One format; path NULL: standard output. */
bool output_write_one(const struct story *story, const char *format, const char *path,
		      struct err *e);
/* The same for a set of trials; formats that have none of a set are left out. */
bool output_write_set(const struct trial_set *set, const char *folder, struct err *e);
bool output_write_set_one(const struct trial_set *set, const char *format, const char *path,
			  struct err *e);
/* False: no such format; e names those there are. */
bool output_check_format(const char *format, struct err *e);

#endif
