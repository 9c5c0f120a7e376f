/*
 * process.h - which process is this, and is it still there? A pid alone is no answer: it is used
 * again. A pid, the moment it started and the boot of the machine together are.
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdint.h>

#include "base/err.h"

enum { BOOT_ID_BYTES = 64 };

struct process_id {
	char boot_id[BOOT_ID_BYTES];
	int64_t pid;
	int64_t pid_start; /* clock ticks after the boot, as the kernel counts them */
};

bool process_self(struct process_id *ret_id, struct err *e);

/* Raises the soft limit of open descriptors towards `wanted`, as far as the hard one lets it, and
   never lowers it. What holds now. */
uint64_t process_reserve_descriptors(uint64_t wanted);

/* Is this the boot that the machine is in now? */
bool process_is_boot(const char *boot_id);

/* Which process namespace this is: pids of another one say nothing here. 0: it cannot be told. */
int64_t process_space(void);

/* From here on this process leaves no core dump, and only root may look into its memory and its
   environment: secrets are in both. What it starts is as it would be without. */
void process_keep_private(void);

/* False once it has ended, also while nobody has collected it yet, and after a reboot. */
bool process_is_alive(const char *boot_id, int64_t pid, int64_t pid_start);

#endif
