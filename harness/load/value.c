/*
 * value.c - one value of a declared row, from the text of a document; see form.h.
 */
#include "load/form.h"

#include "base/units.h"
#include "load/suggest.h"
#include "load/vars.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/* Where a value is being read, for its messages. */
struct reading {
	struct loader *loader;
	const struct param *row;
	struct mark mark;
};

static bool is_word(const char *text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcasecmp(text, *words) == 0)
			return true;
	return false;
}

static bool read_bool(const struct reading *reading, const char *text, int64_t *ret_number)
{
	static const char *const yes_words[] = { "yes", "on", "y", "1", NULL };
	static const char *const no_words[] = { "no", "off", "n", "0", NULL };

	if (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0) {
		*ret_number = tolower((unsigned char)text[0]) == 't';
		return true;
	}
	if (is_word(text, yes_words) || is_word(text, no_words))
		problem_add(reading->loader, reading->mark,
			    "`%s: %s` is a word and no truth value; write `%s`", reading->row->name,
			    text, is_word(text, yes_words) ? "true" : "false");
	else
		problem_add(reading->loader, reading->mark,
			    "`%s` is `%s`; write `true` or `false`", reading->row->name, text);
	return false;
}

/* The bound as the user would write it. */
static const char *bound_text(const struct reading *reading, int64_t bound)
{
	char text[UNITS_TEXT_BYTES];

	switch (reading->row->type) {
	case PARAM_DURATION:
		return arena_copy(reading->loader->arena, units_format_duration_exact(bound, text));
	case PARAM_BYTES:
		return arena_copy(reading->loader->arena,
				  units_format_bytes((uint64_t)bound, text));
	case PARAM_PERCENT:
		return arena_copy(reading->loader->arena, units_format_percent(bound, text));
	case PARAM_COUNT:
	case PARAM_TEXT:
	case PARAM_PATH:
	case PARAM_BOOL:
	case PARAM_CHOICE:
	case PARAM_LIST:
	case PARAM_MAP:
	case PARAM_HOSTS:
		break;
	}
	return arena_format(reading->loader->arena, "%" PRId64, bound);
}

static bool check_bounds(const struct reading *reading, const char *text, int64_t number)
{
	const struct param *row = reading->row;
	const bool has_bounds = row->min != 0 || row->max != 0;

	if (has_bounds && number < row->min) {
		problem_add(reading->loader, reading->mark, "`%s` is %s; the least is %s",
			    row->name, text, bound_text(reading, row->min));
		return false;
	}
	if (row->max != 0 && number > row->max) {
		problem_add(reading->loader, reading->mark, "`%s` is %s; the most is %s", row->name,
			    text, bound_text(reading, row->max));
		return false;
	}
	if (!has_bounds && number < 0) {
		problem_add(reading->loader, reading->mark, "`%s` is %s; it cannot be negative",
			    row->name, text);
		return false;
	}
	return true;
}

static bool read_number(const struct reading *reading, const char *text, int64_t *ret_number)
{
	struct err e = { 0 };
	uint64_t bytes = 0;
	bool is_read;

	switch (reading->row->type) {
	case PARAM_DURATION:
		is_read = units_parse_duration(text, ret_number, &e);
		break;
	case PARAM_BYTES:
		is_read = units_parse_bytes(text, &bytes, &e);
		*ret_number = (int64_t)bytes;
		break;
	case PARAM_PERCENT:
		is_read = units_parse_percent(text, ret_number, &e);
		break;
	case PARAM_COUNT:
	case PARAM_TEXT:
	case PARAM_PATH:
	case PARAM_BOOL:
	case PARAM_CHOICE:
	case PARAM_LIST:
	case PARAM_MAP:
	case PARAM_HOSTS:
	default:
		is_read = units_parse_count(text, ret_number, &e);
		break;
	}
	if (!is_read) {
		problem_add(reading->loader, reading->mark, "%s: %s", reading->row->name, e.text);
		return false;
	}
	return check_bounds(reading, text, *ret_number);
}

static void refuse_choice(const struct reading *reading, const char *text)
{
	struct suggestion near = suggest_for(text);
	struct text all = { 0 };

	for (const char *at = reading->row->choices; *at != '\0';) {
		const size_t word_bytes = strcspn(at, "|");

		text_addf(&all, "%s`%.*s`", all.length_bytes == 0 ? "" : ", ", (int)word_bytes, at);
		at += word_bytes + (at[word_bytes] == '|' ? 1 : 0);
	}
	suggest_offer_choices(&near, reading->row->choices, reading->loader->arena);
	if (near.best != NULL)
		problem_add(reading->loader, reading->mark,
			    "`%s` is `%s`; did you mean `%s`? (one of %s)", reading->row->name, text,
			    near.best, text_str(&all));
	else
		problem_add(reading->loader, reading->mark, "`%s` is `%s`; write one of %s",
			    reading->row->name, text, text_str(&all));
	text_release(&all);
}

static bool read_choice(const struct reading *reading, const char *text)
{
	assert(reading->row->choices != NULL);

	if (form_has_word(reading->row->choices, text))
		return true;
	refuse_choice(reading, text);
	return false;
}

static bool read_path(const struct reading *reading, const char *text)
{
	if (text[0] != '/') {
		problem_add(reading->loader, reading->mark,
			    "`%s` is `%s`; write an absolute path, for example `/%s`",
			    reading->row->name, text, text);
		return false;
	}
	if (strchr(text, '\n') != NULL) {
		problem_add(reading->loader, reading->mark, "`%s` holds a line end; a path is one "
			    "line", reading->row->name);
		return false;
	}
	return true;
}

/* Everything that is written as one value; text has its variables put in. */
static bool read_single(const struct reading *reading, const char *text,
			struct param_value *ret_value)
{
	bool is_read = true;

	ret_value->text = text;
	switch (reading->row->type) {
	case PARAM_TEXT:
		is_read = !reading->row->is_required || *text != '\0';
		if (!is_read)
			problem_add(reading->loader, reading->mark, "`%s` is empty",
				    reading->row->name);
		break;
	case PARAM_PATH:
		is_read = read_path(reading, text);
		break;
	case PARAM_BOOL:
		is_read = read_bool(reading, text, &ret_value->number);
		break;
	case PARAM_CHOICE:
		is_read = read_choice(reading, text);
		break;
	case PARAM_COUNT:
	case PARAM_DURATION:
	case PARAM_BYTES:
	case PARAM_PERCENT:
		is_read = read_number(reading, text, &ret_value->number);
		break;
	case PARAM_LIST:
	case PARAM_MAP:
	case PARAM_HOSTS:
		break;
	}
	ret_value->is_set = is_read;
	return is_read;
}

static bool refuse_secret(const struct reading *reading)
{
	problem_add(reading->loader, reading->mark,
		    "`%s` cannot be a secret: it is written into plans and reports; use `vars:` "
		    "and `${name}` instead",
		    reading->row->name);
	return false;
}

/* The text of one scalar of the row, or NULL. */
static const char *scalar_of(const struct reading *reading, const struct node *node,
			     bool takes_secret)
{
	const struct reading at = { reading->loader, reading->row, node->mark };
	const char *text = NULL;
	bool is_secret = false;

	if (node->kind == NODE_BROKEN)
		return NULL;
	if (node->kind != NODE_SCALAR || node->is_null) {
		problem_add(at.loader, at.mark, "`%s` must be a single value, not %s", at.row->name,
			    tree_kind_name(node));
		return NULL;
	}
	if (!vars_expand(at.loader, node, &text, &is_secret))
		return NULL;
	if (is_secret && !takes_secret)
		return refuse_secret(&at) ? text : NULL;
	if (!is_secret && at.row->is_secret) {
		problem_add(at.loader, at.mark,
			    "`%s` is a secret: whoever has it can use it; write it as `${env:NAME}` or "
			    "`${file:PATH}`", at.row->name);
		return NULL;
	}
	return text;
}

static bool check_host(const struct reading *reading, struct mark mark, const char *name)
{
	const struct inventory *inventory = reading->loader->inventory;
	struct suggestion near = suggest_for(name);

	/* While the inventory itself is read its hosts are checked by inventory.c. */
	if (inventory == NULL || inventory_host(inventory, name) != NULL ||
	    strcmp(name, "all") == 0)
		return true;
	if (strpbrk(name, ".:") != NULL && strpbrk(name, " \t\n") == NULL)
		return true; /* an address that the inventory does not know */
	for (size_t i = 0; i < inventory->host_count; i++)
		suggest_offer(&near, inventory->hosts[i].name);
	if (near.best != NULL)
		problem_add(reading->loader, mark, "unknown host `%s`; did you mean `%s`?", name,
			    near.best);
	else
		problem_add(reading->loader, mark, "unknown host `%s`; write one of the inventory's "
			    "hosts, or an address", name);
	return false;
}

static bool read_list(const struct reading *reading, const struct node *node,
		      struct param_value *ret_value)
{
	const size_t count = node->kind == NODE_LIST ? node->count : 1;
	const char **items = arena_alloc(reading->loader->arena, (count + 1) * sizeof *items);
	const struct node *item = node->kind == NODE_LIST ? node->first : node;
	bool is_whole = true;

	if (node->kind == NODE_BROKEN)
		return false;
	if (node->kind == NODE_MAP) {
		problem_add(reading->loader, reading->mark, "`%s` must be a list, not a mapping; "
			    "write `[a, b]`", reading->row->name);
		return false;
	}
	for (size_t i = 0; i < count; i++, item = node->kind == NODE_LIST ? item->next : item) {
		items[i] = scalar_of(reading, item, false);
		if (items[i] == NULL)
			is_whole = false;
		else if (reading->row->type == PARAM_HOSTS &&
			 !check_host(reading, item->mark, items[i]))
			is_whole = false;
	}
	if (count == 0 && reading->row->is_required) {
		problem_add(reading->loader, reading->mark, "`%s` is an empty list",
			    reading->row->name);
		is_whole = false;
	}
	ret_value->items = items;
	ret_value->item_count = count;
	ret_value->text = count > 0 && is_whole ? items[0] : "";
	ret_value->is_set = is_whole;
	return is_whole;
}

static bool read_map(const struct reading *reading, const struct node *node, bool takes_secret,
		     struct param_value *ret_value)
{
	struct pair *pairs;
	size_t count = 0;
	bool is_whole = true;

	if (node->kind == NODE_BROKEN)
		return false;
	if (node->kind != NODE_MAP) {
		problem_add(reading->loader, reading->mark,
			    "`%s` must be a mapping, not %s; write `{ name: value }`",
			    reading->row->name, tree_kind_name(node));
		return false;
	}
	pairs = arena_alloc(reading->loader->arena, node->count * sizeof *pairs);
	for (const struct node *entry = node->first; entry != NULL; entry = entry->next) {
		const char *value = scalar_of(reading, entry, takes_secret);

		if (value == NULL)
			is_whole = false;
		pairs[count++] = (struct pair){ entry->key, value };
	}
	ret_value->pairs = pairs;
	ret_value->pair_count = count;
	ret_value->text = "";
	ret_value->is_set = is_whole;
	return is_whole;
}

bool value_read(struct loader *loader, const struct param *row, const struct node *node,
		bool takes_secret, struct param_value *ret_value)
{
	const struct reading reading = { loader, row, node->mark };
	const char *text;

	*ret_value = (struct param_value){ .name = row->name, .type = row->type,
					   .mark = node->mark };
	if (row->type == PARAM_LIST || row->type == PARAM_HOSTS)
		return read_list(&reading, node, ret_value);
	if (row->type == PARAM_MAP)
		return read_map(&reading, node, takes_secret, ret_value);

	text = scalar_of(&reading, node, takes_secret && row->type == PARAM_TEXT);
	return text != NULL && read_single(&reading, text, ret_value);
}

void value_fall_back(struct loader *loader, const struct param *row, struct param_value *ret_value)
{
	const struct reading reading = { loader, row, { .file = "a default" } };
	const char **items;
	bool is_read;

	*ret_value = (struct param_value){ .name = row->name, .type = row->type };
	if (row->fallback == NULL)
		return;
	assert(row->type != PARAM_MAP);
	if (row->type == PARAM_LIST || row->type == PARAM_HOSTS) {
		items = arena_alloc(loader->arena, 2 * sizeof *items);
		items[0] = row->fallback;
		ret_value->items = items;
		ret_value->item_count = 1;
		ret_value->text = row->fallback;
		ret_value->is_set = true;
		return;
	}
	is_read = read_single(&reading, row->fallback, ret_value);
	assert(is_read); /* a row whose own default is wrong is our mistake */
}

const char *plain_text(struct loader *loader, const struct node *node)
{
	const struct param row = { .name = node->key == NULL ? "this" : node->key,
				   .type = PARAM_TEXT };
	const struct reading reading = { loader, &row, node->mark };

	return scalar_of(&reading, node, false);
}

bool name_check(struct loader *loader, struct mark mark, const char *noun, const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_";

	if (*name == '\0')
		return false; /* the tree has said so */
	if (name[strspn(name, letters)] != '\0') {
		problem_add(loader, mark, "`%s` cannot name %s; use letters, digits, `-` and `_`",
			    name, noun);
		return false;
	}
	if (strlen(name) > LIMIT_NAME_BYTES) {
		problem_add(loader, mark, "the name of %s has %zu bytes; the most is %d", noun,
			    strlen(name), LIMIT_NAME_BYTES);
		return false;
	}
	return true;
}

bool title_check(struct loader *loader, const struct param_value *title)
{
	if (!title->is_set)
		return false;
	if (*title->text != '\0' && strlen(title->text) <= LIMIT_NAME_BYTES &&
	    strpbrk(title->text, "\n\t") == NULL)
		return true;
	problem_add(loader, title->mark, "`%s` must be one line of at most %d bytes", title->name,
		    LIMIT_NAME_BYTES);
	return false;
}

bool form_has_word(const char *words, const char *word)
{
	const size_t word_bytes = strlen(word);

	while (words != NULL && *words != '\0') {
		const size_t bytes = strcspn(words, "|");

		if (bytes == word_bytes && strncmp(words, word, bytes) == 0)
			return true;
		words += bytes + (words[bytes] == '|' ? 1 : 0);
	}
	return false;
}
