/*
 * tell.h - what the command "run" tells people by the inventory's `notify:`: that it begins, and what
 * came of it.
 *
 * Both take place while nothing is harmed, on the thread of the run: before the gate, for at most three
 * seconds, and after everything is healed, judged and written, for at most ten. What is not sent by then
 * waits in the outbox. Neither can change an exit code.
 */
#ifndef CLI_TELL_H
#define CLI_TELL_H

#include "cli/run_command.h"

#define NO_NOTIFY_OPTION { "no-notify", NULL, "tell nobody, whatever `notify:` of the inventory says" }

void tell_start(struct run_command *command);
void tell_end(struct run_command *command, const char *folder_of_reports, int code);
/* Of the run that left something unhealed, which keeps this one from starting. */
void tell_blocked(struct run_command *command);

#endif
