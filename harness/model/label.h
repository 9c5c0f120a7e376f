/*
 * label.h - labels by which a due run finds a worker that is near its targets: "site=eu-west".
 */
#ifndef MODEL_LABEL_H
#define MODEL_LABEL_H

#include <stdbool.h>

enum { LABELS_MAX = 16 }; /* of one schedule, and of one worker */

/* Lower case letters, digits, `-` and `.` on both sides of one `=`. */
bool label_is_valid(const char *label);

#endif
