/*
 * layout.h - what all HTML pages have around and in them: head, navigation, the sentence of a failure,
 * and how a moment and a verdict read.
 */
#ifndef SERVE_LAYOUT_H
#define SERVE_LAYOUT_H

#include "reports/html_writer.h"
#include "serve/page.h"

/* Until the navigation has been written. `head`: more elements of the head, ours; NULL: none. */
void layout_top(const struct visit *visit, const char *title, const char *head, struct text *body);
void layout_bottom(struct text *body);
/* The same with a <main> that begins with a heading. */
void layout_open(const struct visit *visit, const char *title, struct text *body);
void layout_close(struct text *body);

void layout_failure(const struct visit *visit, const struct err *e, struct text *body);
/* A page of one sentence; for a script the sentence alone. */
void layout_refuse(const struct visit *visit, unsigned status, const char *title, const char *sentence,
		   struct answer *answer);
/* 303: the browser asks for that one next. The text must live as long as the answer. */
void layout_send_to(const char *location, struct answer *answer);

/* "<section aria-labelledby=ID-head><h2 id=ID-head>"; the caller closes the section. */
void layout_section(struct text *body, const char *id, const char *class_name, const char *title);

/* A cell with sign and word in the colour of the verdict. */
void layout_verdict_cell(struct text *body, const struct html_table *table, size_t column,
			 enum verdict tone, const char *word);
/* A cell that leads to the run. */
void layout_run_cell(struct text *body, const struct html_table *table, size_t column,
		     const char *run_id, const char *words);

enum { LAYOUT_AGE_BYTES = 48 };

/* "2026-11-21 10:20:30 UTC" */
const char *layout_moment(int64_t wall_ns, char text[LAYOUT_AGE_BYTES]);
/* "5 min ago", "12 days ago": roughly, the moment stands beside it or behind it */
const char *layout_age(int64_t wall_ns, int64_t now_wall_ns, char text[LAYOUT_AGE_BYTES]);

#endif
