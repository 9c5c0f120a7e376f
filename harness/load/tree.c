/*
 * tree.c - see tree.h. Fills the tree from libyaml's events: the only file that knows libyaml.
 */
#include "load/source.h"
#include "load/syntax.h"
#include "load/tree.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/json.h"

/* A mapping or list that is still open. */
struct frame {
	struct node *node;
	struct node **tail; /* where the next child goes */
	const char *key;    /* read, and waiting for its value */
	struct mark key_mark;
};

struct reader {
	struct loader *loader;
	const char *file;
	bool is_json;
	struct frame frames[LIMIT_NESTING];
	size_t depth;
	struct node *root;
	bool is_ended; /* the first document is */
};

enum progress { STEP_ON = 1, STEP_DONE, STEP_FAILED };

static struct mark mark_of(const struct reader *reader, const yaml_mark_t *at)
{
	return (struct mark){ reader->file, (uint32_t)at->line + 1, (uint32_t)at->column + 1 };
}

static struct node *node_new(struct reader *reader, enum node_kind kind, struct mark mark)
{
	struct node *node = arena_alloc(reader->loader->arena, sizeof *node);

	node->kind = kind;
	node->mark = mark;
	return node;
}

/* Hangs the node below the open one, or makes it the root. */
static enum progress attach(struct reader *reader, struct node *node)
{
	struct frame *frame;

	if (reader->depth == 0) {
		reader->root = node;
		return STEP_ON;
	}
	frame = &reader->frames[reader->depth - 1];
	if (frame->node->count == LIMIT_KEYS) {
		problem_add(reader->loader, node->mark, "more than %d entries in one %s",
			    LIMIT_KEYS, frame->node->kind == NODE_MAP ? "mapping" : "list");
		return STEP_FAILED;
	}
	node->key = frame->key;
	node->key_mark = frame->key_mark;
	frame->key = NULL;
	*frame->tail = node;
	frame->tail = &node->next;
	frame->node->count++;
	return STEP_ON;
}

/* True when the next event is a key and not a value. */
static bool wants_key(const struct reader *reader)
{
	return reader->depth > 0 && reader->frames[reader->depth - 1].node->kind == NODE_MAP &&
	       reader->frames[reader->depth - 1].key == NULL;
}

static void refuse_extras(struct reader *reader, struct mark mark, const yaml_char_t *anchor,
			  const yaml_char_t *tag)
{
	static const char core[] = "tag:yaml.org,2002:"; /* what libyaml makes of `!!` */
	const bool is_core = tag != NULL &&
			     strncmp((const char *)tag, core, strlen(core)) == 0;

	if (anchor != NULL)
		problem_add(reader->loader, mark,
			    "anchors (`&%s`) are not taken; write the value out where it is "
			    "needed, or use `vars:` and `${name}`",
			    (const char *)anchor);
	if (tag != NULL)
		problem_add(reader->loader, mark,
			    "tags (`%s%s`) are not taken; leave it out: what a value means is "
			    "decided by its key",
			    is_core ? "!!" : "",
			    (const char *)tag + (is_core ? strlen(core) : 0));
}

static bool is_json_literal(const char *text)
{
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0 || strcmp(text, "null") == 0)
		return true;
	return text[strspn(text, "+-.0123456789eE")] == '\0' &&
	       (isdigit((unsigned char)text[0]) || text[0] == '-');
}

static void hold_to_json(struct reader *reader, const yaml_event_t *event, const char *text,
			 struct mark mark)
{
	const yaml_scalar_style_t style = event->data.scalar.style;

	if (style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
		return;
	if (wants_key(reader))
		problem_add(reader->loader, mark, "JSON wants its keys in double quotes; write "
			    "`\"%s\"`", text);
	else if (style != YAML_PLAIN_SCALAR_STYLE || !is_json_literal(text))
		problem_add(reader->loader, mark, "JSON wants its texts in double quotes; write "
			    "`\"%s\"`", text);
}

/* NULL: the text cannot be kept, and a problem says why. */
static const char *scalar_text(struct reader *reader, const yaml_event_t *event, struct mark mark)
{
	const char *bytes = (const char *)event->data.scalar.value;
	const size_t length_bytes = event->data.scalar.length;

	if (length_bytes > LIMIT_SCALAR_BYTES) {
		problem_add(reader->loader, mark, "a value of %zu bytes; the most is %d",
			    length_bytes, LIMIT_SCALAR_BYTES);
		return NULL;
	}
	for (size_t i = 0; i < length_bytes; i++) {
		const unsigned char byte = (unsigned char)bytes[i];

		if ((byte < 0x20 && byte != '\t' && byte != '\n') || byte == 0x7f) {
			problem_add(reader->loader, mark, "the value holds the control character "
				    "U+%04X; take the escape out", (unsigned)byte);
			return NULL;
		}
	}
	return source_unshield(reader->loader, bytes, length_bytes);
}

static enum progress take_key(struct reader *reader, const char *key, struct mark mark)
{
	struct frame *frame = &reader->frames[reader->depth - 1];

	if (key != NULL && strcmp(key, "<<") == 0)
		problem_add(reader->loader, mark, "merge keys (`<<`) are not taken; write the "
			    "values out, or use `vars:`");
	if (key != NULL && *key == '\0')
		problem_add(reader->loader, mark, "a key is missing before this `:`");
	if (key != NULL && strlen(key) > LIMIT_NAME_BYTES * 2) {
		problem_add(reader->loader, mark, "a key of %zu bytes; the most is %d",
			    strlen(key), LIMIT_NAME_BYTES * 2);
		key = NULL;
	}
	frame->key = key == NULL ? "" : key;
	frame->key_mark = mark;
	return STEP_ON;
}

static enum progress take_scalar(struct reader *reader, const yaml_event_t *event)
{
	const struct mark mark = mark_of(reader, &event->start_mark);
	const bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	const char *text = scalar_text(reader, event, mark);
	struct node *node;

	refuse_extras(reader, mark, event->data.scalar.anchor, event->data.scalar.tag);
	if (reader->is_json && text != NULL)
		hold_to_json(reader, event, text, mark);
	if (wants_key(reader))
		return take_key(reader, text, mark);

	node = node_new(reader, text == NULL ? NODE_BROKEN : NODE_SCALAR, mark);
	node->text = text;
	node->is_quoted = event->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
			  event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	node->is_null = text != NULL && is_plain &&
			(*text == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0 ||
			 strcmp(text, "Null") == 0 || strcmp(text, "NULL") == 0);
	return attach(reader, node);
}

static enum progress refuse_key(struct reader *reader, struct mark mark)
{
	problem_add(reader->loader, mark, "a list, a mapping or an alias cannot be a key; write a "
		    "word before the `:`");
	return STEP_FAILED;
}

static enum progress open_node(struct reader *reader, enum node_kind kind, struct mark mark,
			   bool is_flow)
{
	struct node *node;

	if (wants_key(reader))
		return refuse_key(reader, mark);
	if (reader->depth == LIMIT_NESTING) {
		problem_add(reader->loader, mark, "nested deeper than %d levels", LIMIT_NESTING);
		return STEP_FAILED;
	}
	if (reader->is_json && !is_flow) {
		problem_add(reader->loader, mark, "not JSON: lists stand in `[ ]` and mappings "
			    "in `{ }`; name the file .yaml when it is YAML");
		return STEP_FAILED;
	}
	node = node_new(reader, kind, mark);
	if (attach(reader, node) == STEP_FAILED)
		return STEP_FAILED;
	reader->frames[reader->depth++] = (struct frame){ .node = node, .tail = &node->first };
	return STEP_ON;
}

static int compare_keys(const void *left, const void *right)
{
	const struct node *const *a = left;
	const struct node *const *b = right;
	const int order = strcmp((*a)->key, (*b)->key);

	if (order != 0)
		return order;
	if ((*a)->key_mark.line != (*b)->key_mark.line)
		return (*a)->key_mark.line < (*b)->key_mark.line ? -1 : 1;
	return (*a)->key_mark.column < (*b)->key_mark.column ? -1 : 1;
}

/* By sorting: comparing each with each would take seconds for a hostile document. */
static void refuse_duplicates(struct reader *reader, const struct node *map)
{
	const struct node **keys;
	size_t i = 0;

	if (map->count < 2)
		return;
	keys = arena_alloc(reader->loader->arena, map->count * sizeof *keys);
	for (const struct node *child = map->first; child != NULL; child = child->next)
		keys[i++] = child;
	assert(i == map->count);
	qsort(keys, map->count, sizeof *keys, compare_keys);
	for (i = 1; i < map->count; i++) {
		if (keys[i]->key[0] == '\0' || strcmp(keys[i - 1]->key, keys[i]->key) != 0)
			continue;
		problem_add(reader->loader, keys[i]->key_mark,
			    "the key `%s` is already given in line %u; keep one of them",
			    keys[i]->key, (unsigned)keys[i - 1]->key_mark.line);
	}
}

static enum progress close_node(struct reader *reader)
{
	assert(reader->depth > 0);
	reader->depth--;
	if (reader->frames[reader->depth].node->kind == NODE_MAP)
		refuse_duplicates(reader, reader->frames[reader->depth].node);
	return STEP_ON;
}

static enum progress take_alias(struct reader *reader, const yaml_event_t *event)
{
	const struct mark mark = mark_of(reader, &event->start_mark);

	if (wants_key(reader))
		return refuse_key(reader, mark);
	problem_add(reader->loader, mark,
		    "aliases (`*%s`) are not taken; write the value out, or use `vars:` and "
		    "`${name}`",
		    (const char *)event->data.alias.anchor);
	return attach(reader, node_new(reader, NODE_BROKEN, mark));
}

static enum progress take_start(struct reader *reader, const yaml_event_t *event)
{
	if (!reader->is_ended)
		return STEP_ON;
	problem_add(reader->loader, mark_of(reader, &event->start_mark),
		    "a second document begins here; a file holds one: put it into a file of its "
		    "own");
	return STEP_FAILED;
}

static enum progress take(struct reader *reader, const yaml_event_t *event)
{
	const struct mark mark = mark_of(reader, &event->start_mark);

	switch (event->type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
		return STEP_ON;
	case YAML_STREAM_END_EVENT:
		return STEP_DONE;
	case YAML_DOCUMENT_START_EVENT:
		return take_start(reader, event);
	case YAML_DOCUMENT_END_EVENT:
		reader->is_ended = true;
		return STEP_ON;
	case YAML_SCALAR_EVENT:
		return take_scalar(reader, event);
	case YAML_ALIAS_EVENT:
		return take_alias(reader, event);
	case YAML_SEQUENCE_START_EVENT:
		refuse_extras(reader, mark, event->data.sequence_start.anchor,
			      event->data.sequence_start.tag);
		return open_node(reader, NODE_LIST, mark, event->data.sequence_start.style ==
				 YAML_FLOW_SEQUENCE_STYLE);
	case YAML_MAPPING_START_EVENT:
		refuse_extras(reader, mark, event->data.mapping_start.anchor,
			      event->data.mapping_start.tag);
		return open_node(reader, NODE_MAP, mark, event->data.mapping_start.style ==
				 YAML_FLOW_MAPPING_STYLE);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_node(reader);
	}
	return STEP_FAILED;
}

static void report_syntax(struct reader *reader, const yaml_parser_t *parser, const char *bytes,
			  size_t length_bytes)
{
	const struct syntax_error error = {
		.problem = parser->problem,
		.context = parser->context,
		.mark = mark_of(reader, &parser->problem_mark),
		.context_mark = mark_of(reader, &parser->context_mark),
	};

	syntax_explain(reader->loader, &error, bytes, length_bytes);
}

static bool read_events(struct reader *reader, const char *bytes, size_t length_bytes)
{
	enum progress step = STEP_ON;
	yaml_parser_t parser;

	if (!yaml_parser_initialize(&parser)) {
		problem_add(reader->loader, (struct mark){ .file = reader->file },
			    "cannot be read: out of memory");
		return false;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, length_bytes);
	while (step == STEP_ON) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			report_syntax(reader, &parser, bytes, length_bytes);
			step = STEP_FAILED;
			break;
		}
		step = take(reader, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return step == STEP_DONE;
}

/* What a YAML reader lets pass in JSON: commas too many, comments, numbers like 01. */
static void check_strict_json(struct loader *loader, const struct source *source)
{
	struct json *root = NULL;
	struct err e = { 0 };

	if (json_parse(source->bytes, source->length_bytes, &root, &e)) {
		json_release(root);
		return;
	}
	problem_add(loader, syntax_mark_of_byte(source->file, source->bytes, source->length_bytes,
						e.text),
		    "not JSON; look for a comma too many, a comment, or a number such as `01`");
}

bool tree_parse(struct loader *loader, const char *file, const char *bytes, size_t length_bytes,
		struct node **ret_root)
{
	struct source source = { file, bytes, length_bytes };
	const size_t file_bytes = strlen(file);
	const size_t errors_before = loader->error_count;
	struct reader reader = { .loader = loader, .file = file };
	size_t shielded_bytes = 0;
	const char *shielded;

	reader.is_json = file_bytes > 5 && strcmp(file + file_bytes - 5, ".json") == 0;
	if (!source_check(loader, &source))
		return false;
	shielded = source_shield(loader, &source, &shielded_bytes);
	if (!read_events(&reader, shielded, shielded_bytes))
		return false;
	if (reader.root == NULL) {
		problem_add(loader, (struct mark){ .file = file }, "is empty");
		return false;
	}
	if (reader.is_json && loader->error_count == errors_before)
		check_strict_json(loader, &source);
	*ret_root = reader.root;
	return true;
}

struct node *tree_get(const struct node *map, const char *key)
{
	if (map == NULL || map->kind != NODE_MAP)
		return NULL;
	for (struct node *child = map->first; child != NULL; child = child->next)
		if (strcmp(child->key, key) == 0)
			return child;
	return NULL;
}

const char *tree_kind_name(const struct node *node)
{
	switch (node->kind) {
	case NODE_LIST:
		return "a list";
	case NODE_MAP:
		return "a mapping";
	case NODE_SCALAR:
		return node->is_null ? "nothing" : "a single value";
	case NODE_BROKEN:
		break;
	}
	return "unreadable";
}
