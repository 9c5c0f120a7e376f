/*
 * page.h - the contract of a page: one file and one row in page_table.c each. A request in, an answer out.
 */
#ifndef SERVE_PAGE_H
#define SERVE_PAGE_H

#include "serve/guard.h"
#include "serve/site.h"

#define PAGE_HTML "text/html; charset=utf-8"

struct visit {
	struct site *site;
	const struct request *request;
	const char *id; /* what stands for the star in the path: an id as the store allows them; else NULL */
	struct arena *arena;
	bool takes_actions;   /* something can be done by way of this page */
	struct caller caller; /* who asks; nobody where nothing can be done */
};

struct page {
	const char *path;  /* "/runs"; a star in it stands for one id */
	const char *title; /* in the navigation; NULL: it is not there */
	const char *content_type;
	/* Fills the body, or a stream. ERR_INPUT: there is no such thing (404). */
	bool (*write)(const struct visit *visit, struct answer *answer, struct err *e);
	/* The same for a POST, once it is known who asks (visit->caller). NULL: this page is for reading. */
	bool (*take)(const struct visit *visit, struct answer *answer, struct err *e);
	bool is_way_in; /* its `take` finds out itself who asks */
};

/* NULL when no page has this path. */
const struct page *page_find(const char *path, struct arena *arena, const char **ret_id);
const struct page *const *page_table(size_t *ret_count);

#endif
