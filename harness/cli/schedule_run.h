/*
 * schedule_run.h - the words behind `firedrill schedule` that have a file of their own.
 */
#ifndef CLI_SCHEDULE_RUN_H
#define CLI_SCHEDULE_RUN_H

#include "cli/cli.h"

/* `firedrill schedule run FILE...`: until SIGTERM or SIGINT. SIGHUP reads the files again. The exit code. */
int schedule_run(const struct arguments *arguments);
/* `firedrill schedule past`: what became of what was due. */
int schedule_past(const struct arguments *arguments);

/* --format: text, or json. */
bool schedule_take_format(const struct arguments *arguments, bool *ret_is_json, struct err *e);

#endif
