/*
 * param.h - parameters are declared data: loader, help, JSON Schema and reference read these rows.
 *
 * A fault, a probe and a service kind list what they accept as rows of `struct param`. The loader
 * turns the user's mapping into `struct params`: one value for each row, in the order of the rows.
 */
#ifndef MODEL_PARAM_H
#define MODEL_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum param_type {
	PARAM_TEXT = 1,
	PARAM_PATH,     /* absolute */
	PARAM_COUNT,    /* whole number, between min and max */
	PARAM_DURATION, /* ns, between min and max */
	PARAM_BYTES,    /* between min and max */
	PARAM_PERCENT,  /* parts per million, between min and max */
	PARAM_BOOL,
	PARAM_CHOICE,   /* one of the words in `choices` */
	PARAM_LIST,     /* list of texts; a single text is a list of one */
	PARAM_MAP,      /* name -> text */
	PARAM_HOSTS,    /* inventory host names (checked), addresses or networks, or `all` */
};

struct param {
	const char *name; /* NULL ends the rows */
	enum param_type type;
	bool is_required;
	bool is_secret;        /* a text that must come from ${env:NAME} or ${file:PATH} */
	int64_t min;
	int64_t max;           /* 0: no upper bound */
	const char *choices;   /* "in|out|both" */
	const char *fallback;  /* what is taken when absent, as the user would write it; NULL: unset */
	const char *help;      /* one line, no full stop */
};

/* Where something stands in a document, for messages. Lines and columns count from 1; 0 unknown. */
struct mark {
	const char *file;
	uint32_t line;
	uint32_t column;
};

struct pair {
	const char *name;
	const char *value;
};

struct param_value {
	const char *name;
	enum param_type type;
	bool is_set;          /* given, or filled from the fallback */
	const char *text;     /* TEXT, PATH, CHOICE; else the source text */
	int64_t number;       /* COUNT, DURATION (ns), BYTES, PERCENT (ppm), BOOL (0 or 1) */
	const char *const *items; /* LIST, HOSTS (HOSTS: names as written) */
	size_t item_count;
	const struct pair *pairs; /* MAP */
	size_t pair_count;
	struct mark mark;
};

struct params {
	const struct param_value *values;
	size_t count;
};

/* NULL when there is no such row: that is our mistake, so the typed readers assert it. */
const struct param_value *params_find(const struct params *params, const char *name);
const char *params_text(const struct params *params, const char *name); /* NULL when unset */
int64_t params_number(const struct params *params, const char *name);   /* 0 when unset */
bool params_bool(const struct params *params, const char *name);
bool params_is_set(const struct params *params, const char *name);

#endif
