/*
 * form.c - reading a mapping by its declared rows; see form.h.
 */
#include "load/form.h"

#include "load/suggest.h"

#include <assert.h>
#include <string.h>

static size_t row_count(const struct param *rows)
{
	size_t count = 0;

	while (rows != NULL && rows[count].name != NULL)
		count++;
	return count;
}

static const struct param *row_find(const struct param *rows, const char *name)
{
	for (; rows != NULL && rows->name != NULL; rows++)
		if (strcmp(rows->name, name) == 0)
			return rows;
	return NULL;
}

static const struct part *part_find(const struct part *parts, const char *name)
{
	for (; parts != NULL && parts->name != NULL; parts++)
		if (strcmp(parts->name, name) == 0)
			return parts;
	return NULL;
}

/* The known keys, offered to a suggestion or listed. */
struct keys {
	const struct param *rows;
	const struct param *extra_rows;
	const struct part *parts;
};

static void list_keys(const struct keys *keys, struct suggestion *near, struct text *all)
{
	for (const struct param *row = keys->rows; row != NULL && row->name != NULL; row++) {
		suggest_offer(near, row->name);
		text_addf(all, "%s`%s`", all->length_bytes == 0 ? "" : ", ", row->name);
	}
	for (const struct param *row = keys->extra_rows; row != NULL && row->name != NULL; row++) {
		suggest_offer(near, row->name);
		text_addf(all, "%s`%s`", all->length_bytes == 0 ? "" : ", ", row->name);
	}
	for (const struct part *part = keys->parts; part != NULL && part->name != NULL; part++) {
		suggest_offer(near, part->name);
		text_addf(all, "%s`%s`", all->length_bytes == 0 ? "" : ", ", part->name);
	}
}

static void refuse_unknown(struct loader *loader, const struct form *form, const struct keys *keys,
			   const struct node *entry)
{
	struct suggestion near = suggest_for(entry->key);
	struct text all = { 0 };

	if (*entry->key == '\0' || strcmp(entry->key, "<<") == 0)
		return; /* the tree has said what is wrong with these */
	list_keys(keys, &near, &all);
	if (form->nearest != NULL && form->nearest(entry->key) != NULL)
		near.best = form->nearest(entry->key);
	if (near.best != NULL)
		problem_add(loader, entry->key_mark, "unknown key `%s`; did you mean `%s`?",
			    entry->key, near.best);
	else if (all.length_bytes == 0)
		problem_add(loader, entry->key_mark, "unknown key `%s`; %s takes no keys",
			    entry->key, form->noun);
	else
		problem_add(loader, entry->key_mark, "unknown key `%s`; %s takes %s", entry->key,
			    form->noun, text_str(&all));
	text_release(&all);
}

/* Which rows of a mapping may hold secrets. */
struct secret_rule {
	bool is_all;
	const char *keys;
};

static void read_rows(struct loader *loader, const char *noun, const struct param *rows,
		      const struct node *map, struct mark mark, struct secret_rule secrets,
		      struct params *ret_params)
{
	const size_t count = row_count(rows);
	struct param_value *values = arena_alloc(loader->arena, count * sizeof *values);

	assert(rows != NULL || count == 0);

	for (size_t i = 0; i < count; i++) {
		const struct param *row = &rows[i];
		const struct node *node = map == NULL ? NULL : tree_get(map, row->name);

		if (node != NULL) {
			if (!value_read(loader, row, node,
					secrets.is_all || form_has_word(secrets.keys, row->name),
					&values[i]))
				values[i].is_set = false;
			continue;
		}
		value_fall_back(loader, row, &values[i]);
		values[i].mark = mark;
		if (row->is_required && map != NULL)
			problem_add(loader, mark, "%s needs `%s`: %s", noun, row->name, row->help);
	}
	*ret_params = (struct params){ values, count };
}

static void check_keys(struct loader *loader, const struct form *form, const struct node *map,
		       const struct param *extra_rows)
{
	const struct keys keys = { form->params, extra_rows, form->parts };

	for (const struct node *entry = map->first; entry != NULL; entry = entry->next)
		if (row_find(form->params, entry->key) == NULL &&
		    row_find(extra_rows, entry->key) == NULL &&
		    part_find(form->parts, entry->key) == NULL)
			refuse_unknown(loader, form, &keys, entry);
}

static void check_parts(struct loader *loader, const struct form *form, const struct node *map)
{
	for (const struct part *part = form->parts; part != NULL && part->name != NULL; part++)
		if (part->is_required && tree_get(map, part->name) == NULL)
			problem_add(loader, map->mark, "%s needs `%s`: %s", form->noun, part->name,
				    part->help);
}

bool form_read(struct loader *loader, const struct form *form, const struct node *node,
	       const struct param *extra_rows, bool is_open, struct form_values *ret_values)
{
	const bool is_map = node != NULL && node->kind == NODE_MAP;
	const struct node *map = is_map ? node : NULL;
	const struct mark mark = node == NULL ? (struct mark){ 0 } : node->mark;

	if (node != NULL && !is_map && node->kind != NODE_BROKEN)
		problem_add(loader, node->mark, "%s must be a mapping (`key: value`), not %s",
			    form->noun, tree_kind_name(node));
	if (is_map && !is_open)
		check_keys(loader, form, node, extra_rows);
	if (is_map)
		check_parts(loader, form, node);
	read_rows(loader, form->noun, form->params, map, mark,
		  (struct secret_rule){ .keys = form->secret_keys }, &ret_values->own);
	read_rows(loader, form->noun, extra_rows, map, mark,
		  (struct secret_rule){ .is_all = true }, &ret_values->extra);
	return is_map;
}

bool form_read_short(struct loader *loader, const struct form *form, const struct node *node,
		     struct form_values *ret_values)
{
	struct param first = form->params[0];
	struct param_value *values;

	assert(first.name != NULL);

	if (node->kind == NODE_LIST || (node->kind == NODE_SCALAR && node->is_null)) {
		const struct node broken = { .kind = NODE_BROKEN, .mark = node->mark };

		problem_add(loader, node->mark, "%s must be a single value or a mapping, not %s",
			    form->noun, tree_kind_name(node));
		return form_read(loader, form, &broken, NULL, false, ret_values);
	}
	if (node->kind != NODE_SCALAR)
		return form_read(loader, form, node, NULL, false, ret_values);
	first.name = node->key;
	values = arena_alloc(loader->arena, row_count(form->params) * sizeof *values);
	for (size_t i = 0; form->params[i].name != NULL; i++) {
		value_fall_back(loader, &form->params[i], &values[i]);
		values[i].mark = node->mark;
	}
	for (size_t i = 1; form->params[i].name != NULL; i++)
		if (form->params[i].is_required)
			problem_add(loader, node->mark, "%s needs `%s`: %s", form->noun,
				    form->params[i].name, form->params[i].help);
	if (!value_read(loader, &first, node, false, &values[0]))
		values[0].is_set = false;
	values[0].name = form->params[0].name;
	*ret_values = (struct form_values){ .own = { values, row_count(form->params) } };
	return true;
}

void form_read_params(struct loader *loader, const char *noun, const struct param *rows,
		      const struct node *node, struct mark mark, struct params *ret_params)
{
	const struct form form = { .noun = noun, .params = rows };
	const struct node empty = { .kind = NODE_MAP, .mark = mark };
	struct form_values values;

	if (node != NULL && node->kind == NODE_SCALAR && node->is_null)
		node = &empty; /* `with:` and nothing after it */
	(void)form_read(loader, &form, node == NULL ? &empty : node, NULL, false, &values);
	*ret_params = values.own;
}

bool part_children(struct loader *loader, const struct node *parent, const char *key,
		   enum node_kind kind, size_t count_max, const struct node **ret_part)
{
	const struct node *part = tree_get(parent, key);

	assert(kind == NODE_LIST || kind == NODE_MAP);
	if (part == NULL || part->kind == NODE_BROKEN)
		return false;
	if (part->kind != kind) {
		problem_add(loader, part->mark, "`%s` must be %s, not %s", key,
			    kind == NODE_LIST ? "a list (`- ...` lines)" :
						"a mapping (`name: ...` lines)",
			    tree_kind_name(part));
		return false;
	}
	if (part->count > count_max) {
		problem_add(loader, part->mark, "`%s` has %zu entries; the most is %zu", key,
			    part->count, count_max);
		return false;
	}
	*ret_part = part;
	return true;
}
