/*
 * serve_daemon.h - what `firedrill serve FILE...` does beside the page: three of our own commands as processes.
 *
 *   firedrill schedule run FILE...    puts what is due into the store
 *   firedrill worker --jobs N         runs it, and heals first what a crash has left (not with --jobs 0)
 *   firedrill notifications deliver   whenever messages wait
 */
#ifndef CLI_SERVE_DAEMON_H
#define CLI_SERVE_DAEMON_H

#include "cli/cli.h"
#include "serve/keeper.h"

struct serve_daemon;

/* False: an option is wrong, or a file, which was said (e is ERR_NONE then). *ret_daemon NULL: no file was given,
   and there is nothing to do. */
bool serve_daemon_open(const struct arguments *arguments, struct serve_daemon **ret_daemon,
		       struct err *e);
void serve_daemon_close(struct serve_daemon *daemon); /* NULL is fine */

struct serve_job serve_daemon_job(struct serve_daemon *daemon);
/* As they are written now; those from before when they cannot be read, which is said. */
const struct schedule_list *serve_daemon_schedules(struct serve_daemon *daemon);

#endif
