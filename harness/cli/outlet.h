/*
 * outlet.h - where the live view goes: a stream that nobody waits for. The run thread renews leases and obeys
 * stops, so a terminal that somebody has halted with Ctrl-S, or a pipe that nobody reads, must not hold it.
 *
 * It is for what may be lost: the journal has it all. Reports go to the stream itself, after the heal.
 */
#ifndef CLI_OUTLET_H
#define CLI_OUTLET_H

#include <stdbool.h>
#include <stdio.h>

#include "base/mem.h"

struct outlet;

/* The stream is borrowed, and nobody else writes to it until outlet_close. */
struct outlet *outlet_open(FILE *stream);
/* False: not all of it was taken. What comes next is dropped until somebody reads again, which is then said. */
bool outlet_put(struct outlet *outlet, const struct text *text);
void outlet_close(struct outlet *outlet); /* NULL is fine */

#endif
