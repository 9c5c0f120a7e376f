/*
 * child.h - this program once more, as a process of our own: started, asked to stop, collected. What
 * it says on both streams is kept aside until somebody wants it, or goes where our own words go.
 *
 * It has a process group of its own, so Ctrl-C of a terminal reaches us alone and we decide. When we
 * die, however that comes, it gets SIGINT: it heals and ends.
 */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct child {
	int64_t pid;  /* 0: there is none, or it was collected */
	int output_fd; /* what it has said so far; 0: it is not kept, or let go */
};

enum child_state {
	CHILD_RUNS = 1,
	CHILD_EXITED, /* with the code */
	CHILD_KILLED, /* by the signal */
};

/* The words behind the program's name; standard input is empty. Nothing of ours is handed over but
   the environment. */
bool child_start(const char *const *words, size_t count, struct child *ret_child, struct err *e);
/* The same, and what it says goes where our own words go. */
bool child_start_heard(const char *const *words, size_t count, struct child *ret_child,
		       struct err *e);
/* Looks once and does not wait. Collects it when it is over; after that, it is never asked again. */
enum child_state child_look(struct child *child, int *ret_number);
void child_signal(const struct child *child, int number); /* one that is over gets nothing */
/* What it has said, as much of it as there is room for; more is left out and said so. */
void child_output(const struct child *child, struct text *ret_output);
/* The last line in it with which a command complains, without its "firedrill: ". NULL: there is none. */
const char *child_complaint(const char *output, struct arena *arena);
void child_close(struct child *child); /* lets the output go; it must be over. Repeatable */

/* Until `due_ns` on the clock of clock_system, or until a child is over or a signal comes. */
void child_wait_until(int64_t due_ns);

#endif
