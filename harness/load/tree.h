/*
 * tree.h - a document as it stands on the page: mappings, lists and scalars, each with its place.
 *
 * One reader for YAML and JSON (JSON is YAML written in flow style; a .json file is held to JSON's
 * own rules as well). Scalars stay text: what they mean is decided by the row that takes them, so
 * `yes`, `0755` and 64-bit numbers arrive as written. Anchors, aliases, tags, merge keys, duplicate
 * keys and second documents are refused.
 */
#ifndef LOAD_TREE_H
#define LOAD_TREE_H

#include "load/loader.h"

enum node_kind {
	NODE_SCALAR = 1,
	NODE_LIST,
	NODE_MAP,
	NODE_BROKEN, /* a problem is already listed for it: readers pass over it in silence */
};

/* In a mapping a child has a key; in a list it has none. */
struct node {
	enum node_kind kind;
	struct mark mark;
	const char *key;
	struct mark key_mark;
	const char *text; /* of a scalar, with ${...} as written */
	bool is_quoted;   /* in quotes: the text begins one column later than the node */
	bool is_null;     /* a plain scalar that is empty, `~` or `null` */
	struct node *first;
	struct node *next;
	size_t count;     /* of children */
};

/*
 * Reads the whole document. False: it is no readable document, and problems say why. True: there is
 * a tree, and perhaps problems of parts of it. Bytes are checked before (source.h).
 */
bool tree_parse(struct loader *loader, const char *file, const char *bytes, size_t length_bytes,
		struct node **ret_root);

/* The child with this key, or NULL. A node that is no mapping has none. */
struct node *tree_get(const struct node *map, const char *key);

/* "a list", for messages. */
const char *tree_kind_name(const struct node *node);

#endif
