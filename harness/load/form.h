/*
 * form.h - what one mapping of a document may hold: declared rows, and the reader of them.
 *
 * Values are rows of `struct param`, as those of faults and probes are; keys that hold mappings
 * are parts. Loader, messages, JSON Schema and reference all come from these rows.
 */
#ifndef LOAD_FORM_H
#define LOAD_FORM_H

#include "load/tree.h"

enum part_shape {
	PART_FORM = 1,  /* a mapping of the form */
	PART_SHORT,     /* a mapping of the form, or only the value of its first row */
	PART_FORM_MAP,  /* name -> form */
	PART_FORM_LIST, /* list of the form */
	PART_SELECTOR,  /* a host's name, or the form */
	PART_VARS,      /* name -> single value */
	PART_PARAMS,    /* a mapping of rows that another key decides (`with:`) */
};

struct form;

struct part {
	const char *name; /* NULL ends the rows */
	enum part_shape shape;
	bool is_required;
	const struct form *form;
	const char *help;
};

struct form {
	const char *noun; /* "a host" */
	const struct param *params;
	const struct part *parts; /* NULL: none */
	/* Another key decides about more rows of this mapping ("kind"); NULL: none. */
	const char *kind_key;
	const char *secret_keys; /* "conninfo|url": rows whose value may be a secret; NULL: none */
	/* The known word that an unknown key means, where spelling misleads; NULL: none does. */
	const char *(*nearest)(const char *key);
};

/* The forms of both documents, for the loader and the schema. */
extern const struct form form_inventory;
extern const struct form form_experiment;

/* What a mapping held. `extra` are the values of the rows its kind added. */
struct form_values {
	struct params own;
	struct params extra;
};

/*
 * Reads the mapping: every unknown, missing or bad key is a problem. extra_rows may be NULL; with
 * is_open unknown keys pass, as the rows that would know them are not known. False: no mapping at
 * all; then the values are all unset. Values that are bad are unset.
 */
bool form_read(struct loader *loader, const struct form *form, const struct node *node,
	       const struct param *extra_rows, bool is_open, struct form_values *ret_values);

/*
 * The same for a PART_SHORT: a single value is that of the form's first row, and messages about it
 * name the key of the node. False: neither a mapping nor a single value.
 */
bool form_read_short(struct loader *loader, const struct form *form, const struct node *node,
		     struct form_values *ret_values);

/* The rows alone, as `with:` holds them; no secrets. A NULL node is an empty mapping at `mark`. */
void form_read_params(struct loader *loader, const char *noun, const struct param *rows,
		      const struct node *node, struct mark mark, struct params *ret_params);

/*
 * One value of a row, from the document. False: a problem says why. A secret is taken for a text or
 * the values of a mapping only: everything else ends up in plans, names and argument lists.
 */
bool value_read(struct loader *loader, const struct param *row, const struct node *node,
		bool takes_secret, struct param_value *ret_value);
/* What a row takes when nothing is written. */
void value_fall_back(struct loader *loader, const struct param *row,
		     struct param_value *ret_value);

/* Text in which no secret may stand; NULL: a problem says why. */
const char *plain_text(struct loader *loader, const struct node *node);

/* True when the word is one of "in|out|both"; NULL has none. */
bool form_has_word(const char *words, const char *word);

/* Letters, digits, `-` and `_`; at most LIMIT_NAME_BYTES. */
bool name_check(struct loader *loader, struct mark mark, const char *noun, const char *name);

/* A name for reports: one line, at most LIMIT_NAME_BYTES. False also when there is none. */
bool title_check(struct loader *loader, const struct param_value *title);

/* The children of a part: false when it is absent or has the wrong kind (a problem then). */
bool part_children(struct loader *loader, const struct node *parent, const char *key,
		   enum node_kind kind, size_t count_max, const struct node **ret_part);

#endif
