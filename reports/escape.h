/*
 * escape.h - foreign text made harmless, once for each place it can go to.
 *
 * Every name, sentence and error text of a story passes one of these. NULL reads as "". None of
 * them knows about secrets: report_write hides those before and after.
 */
#ifndef REPORTS_ESCAPE_H
#define REPORTS_ESCAPE_H

#include <stdbool.h>

#include "base/mem.h"

/* One line for a terminal: control and turning characters become visible, as <1b> or <U+202E>. */
void escape_terminal(struct text *text, const char *raw);

/* Between tags and inside quoted attributes of HTML and XML; what XML forbids becomes U+FFFD. */
void escape_markup(struct text *text, const char *raw);

/* One line of GitHub flavoured Markdown, also inside a table: no markup, links, mentions, HTML. */
void escape_markdown(struct text *text, const char *raw);

/* Into a workflow command of GitHub Actions: its data, or the value of a property. Bytes that could
   end the command, the property or the line are written as %25, %0A, %3A. */
void escape_command(struct text *text, const char *raw, bool is_property);

#endif
