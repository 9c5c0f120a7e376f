/*
 * shown.h - what readers showed, from the lanes into the journal (shown_text.h); only the run thread
 * calls this. An event is appended when enough has come together, and one that is the last at the end.
 */
#ifndef ENGINE_SHOWN_H
#define ENGINE_SHOWN_H

struct run;
struct shown_log;

struct shown_log *shown_log_make(void);
void shown_log_release(struct shown_log *log);

void shown_take(struct run *run);
/* The lanes have stopped: takes the rest. */
void shown_end(struct run *run);

#endif
