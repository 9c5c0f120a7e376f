/*
 * schema.c - JSON Schema (draft 2020-12) of the documents, for editors: from the same declared
 * rows that the loader reads. It knows shapes, words and units; cross references it does not know.
 */
#include "load/load.h"

#include "base/json.h"
#include "faults/fault.h"
#include "load/documents.h"
#include "notify/channel.h"
#include "probes/probe.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A variable may stand wherever a value does. */
static const char variable_pattern[] = "\\$\\{[^}]+\\}";
static const char duration_pattern[] = "^([0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h|d))+$";
static const char bytes_pattern[] = "^[0-9]+(\\.[0-9]+)?([kMGT]?B|[KMGT]iB)$";
static const char percent_pattern[] = "^[0-9]+(\\.[0-9]+)? ?%$";

/* One row more for a mapping: what another key decides. */
struct variant {
	const char *kind;
	const char *summary;
	const struct param *rows;
};

static void put_ref(struct json *object, const char *name)
{
	char ref[64] = "#/$defs/";

	assert(strlen(name) < sizeof ref - strlen(ref));
	memcpy(ref + strlen(ref), name, strlen(name) + 1);
	json_put_text(object, "$ref", ref);
}

static void put_scalar_types(struct json *schema)
{
	struct json *types = json_put_array(schema, "type");

	json_push_text(types, "string");
	json_push_text(types, "number");
	json_push_text(types, "boolean");
}

static void put_count(struct json *schema, const struct param *row)
{
	struct json *any = json_put_array(schema, "anyOf");
	struct json *number = json_push_object(any);

	json_put_text(number, "type", "integer");
	json_put_int(number, "minimum", row->min);
	if (row->max != 0)
		json_put_int(number, "maximum", row->max);
	put_ref(json_push_object(any), "variable");
	if (row->fallback != NULL)
		json_put_int(schema, "default", strtoll(row->fallback, NULL, 10));
}

static void put_bool(struct json *schema, const struct param *row)
{
	struct json *any = json_put_array(schema, "anyOf");

	json_put_text(json_push_object(any), "type", "boolean");
	put_ref(json_push_object(any), "variable");
	if (row->fallback != NULL)
		json_put_bool(schema, "default", strcmp(row->fallback, "true") == 0);
}

static void put_choice(struct json *schema, const struct param *row)
{
	struct json *any = json_put_array(schema, "anyOf");
	struct json *words = json_put_array(json_push_object(any), "enum");
	struct arena arena = { 0 };

	for (const char *at = row->choices; *at != '\0';) {
		const size_t word_bytes = strcspn(at, "|");

		json_push_text(words, arena_copy_bytes(&arena, at, word_bytes));
		at += word_bytes + (at[word_bytes] == '|' ? 1 : 0);
	}
	arena_release(&arena);
	put_ref(json_push_object(any), "variable");
	if (row->fallback != NULL)
		json_put_text(schema, "default", row->fallback);
}

static void put_list(struct json *schema)
{
	struct json *any = json_put_array(schema, "anyOf");
	struct json *list = json_push_object(any);

	json_put_text(list, "type", "array");
	put_scalar_types(json_put_object(list, "items"));
	put_scalar_types(json_push_object(any));
}

static void put_value(struct json *schema, const struct param *row)
{
	bool has_default = false;

	json_put_text(schema, "description", row->help);
	switch (row->type) {
	case PARAM_TEXT:
		if (row->is_secret)
			json_put_text(schema, "pattern", variable_pattern);
		put_scalar_types(schema);
		has_default = true;
		break;
	case PARAM_PATH:
		json_put_text(schema, "type", "string");
		json_put_text(schema, "pattern", "^/|\\$\\{");
		has_default = true;
		break;
	case PARAM_DURATION:
		put_ref(schema, "duration");
		has_default = true;
		break;
	case PARAM_BYTES:
		put_ref(schema, "size");
		has_default = true;
		break;
	case PARAM_PERCENT:
		put_ref(schema, "percentage");
		has_default = true;
		break;
	case PARAM_COUNT:
		put_count(schema, row);
		break;
	case PARAM_BOOL:
		put_bool(schema, row);
		break;
	case PARAM_CHOICE:
		put_choice(schema, row);
		break;
	case PARAM_LIST:
	case PARAM_HOSTS:
		put_list(schema);
		has_default = true;
		break;
	case PARAM_MAP:
		json_put_text(schema, "type", "object");
		put_scalar_types(json_put_object(schema, "additionalProperties"));
		break;
	}
	if (has_default && row->fallback != NULL)
		json_put_text(schema, "default", row->fallback);
}

static void put_rows(struct json *properties, struct json *required, const struct param *rows)
{
	for (; rows != NULL && rows->name != NULL; rows++) {
		put_value(json_put_object(properties, rows->name), rows);
		if (rows->is_required)
			json_push_text(required, rows->name);
	}
}

static void put_form(struct json *schema, const struct form *form, const struct variant *variant);

/* One alternative for each row that the kind may name. */
static void put_variants(struct json *schema, const struct form *form)
{
	struct json *any = json_put_array(schema, "oneOf");
	size_t count = 0;

	if (form == &form_probe || form == &form_check) {
		const struct probe_ops *const *rows = probe_table(&count);

		for (size_t i = 0; i < count; i++)
			put_form(json_push_object(any), form,
				 &(struct variant){ rows[i]->name, rows[i]->summary,
						    rows[i]->params });
	} else if (form == &form_step) {
		const struct fault_ops *const *rows = fault_table(&count);

		for (size_t i = 0; i < count; i++)
			put_form(json_push_object(any), form,
				 &(struct variant){ rows[i]->name, rows[i]->summary,
						    rows[i]->params });
	} else if (form == &form_channel) {
		const struct channel_ops *const *rows = channel_table(&count);

		for (size_t i = 0; i < count; i++)
			put_form(json_push_object(any), form,
				 &(struct variant){ rows[i]->name, rows[i]->summary,
						    rows[i]->params });
	} else {
		for (const struct service_kind *kind = service_kinds; kind->name != NULL; kind++)
			put_form(json_push_object(any), form,
				 &(struct variant){ kind->name, kind->summary, kind->params });
	}
}

static void put_element(struct json *schema, const struct form *form)
{
	if (form->kind_key != NULL)
		put_variants(schema, form);
	else
		put_form(schema, form, NULL);
}

static void put_selector(struct json *schema, const struct form *form)
{
	struct json *any = json_put_array(schema, "anyOf");

	json_put_text(json_push_object(any), "type", "string");
	put_form(json_push_object(any), form, NULL);
}

static void put_short(struct json *schema, const struct form *form)
{
	struct json *any = json_put_array(schema, "anyOf");

	put_value(json_push_object(any), form->params);
	put_form(json_push_object(any), form, NULL);
}

static void put_part(struct json *schema, const struct part *part, const struct variant *variant)
{
	const struct form with = { .noun = "`with`",
				   .params = variant == NULL ? NULL : variant->rows };

	json_put_text(schema, "description", part->help);
	switch (part->shape) {
	case PART_FORM:
		put_form(schema, part->form, NULL);
		break;
	case PART_SHORT:
		put_short(schema, part->form);
		break;
	case PART_FORM_MAP:
		json_put_text(schema, "type", "object");
		put_element(json_put_object(schema, "additionalProperties"), part->form);
		break;
	case PART_FORM_LIST:
		json_put_text(schema, "type", "array");
		put_element(json_put_object(schema, "items"), part->form);
		break;
	case PART_SELECTOR:
		put_selector(schema, part->form);
		break;
	case PART_VARS:
		json_put_text(schema, "type", "object");
		break;
	case PART_PARAMS:
		put_form(schema, &with, NULL);
		break;
	}
}

static bool needs_params(const struct part *part, const struct variant *variant)
{
	if (part->shape != PART_PARAMS || variant == NULL)
		return false;
	for (const struct param *row = variant->rows; row != NULL && row->name != NULL; row++)
		if (row->is_required)
			return true;
	return false;
}

static bool has_params_part(const struct form *form)
{
	for (const struct part *part = form->parts; part != NULL && part->name != NULL; part++)
		if (part->shape == PART_PARAMS)
			return true;
	return false;
}

static void put_form(struct json *schema, const struct form *form, const struct variant *variant)
{
	struct json *properties;
	struct json *required;

	json_put_text(schema, "type", "object");
	if (variant != NULL)
		json_put_text(schema, "title", variant->summary);
	json_put_bool(schema, "additionalProperties", false);
	properties = json_put_object(schema, "properties");
	required = json_put_array(schema, "required");
	for (const struct param *row = form->params; row != NULL && row->name != NULL; row++) {
		struct json *value = json_put_object(properties, row->name);

		if (variant != NULL && strcmp(row->name, form->kind_key) == 0)
			json_put_text(value, "const", variant->kind);
		else
			put_value(value, row);
		if (row->is_required)
			json_push_text(required, row->name);
	}
	if (variant != NULL && !has_params_part(form))
		put_rows(properties, required, variant->rows);
	for (const struct part *part = form->parts; part != NULL && part->name != NULL; part++) {
		put_part(json_put_object(properties, part->name), part, variant);
		if (part->is_required || needs_params(part, variant))
			json_push_text(required, part->name);
	}
}

/* A text with a unit, 0, or a variable. */
static void put_unit(struct json *defs, const char *name, const char *pattern)
{
	struct json *any = json_put_array(json_put_object(defs, name), "anyOf");
	struct json *text = json_push_object(any);

	json_put_text(text, "type", "string");
	json_put_text(text, "pattern", pattern);
	json_put_int(json_push_object(any), "const", 0);
	put_ref(json_push_object(any), "variable");
}

void load_schema(struct text *text)
{
	struct json *root = json_object();
	struct json *any;
	struct json *defs;
	struct json *variable;

	json_put_text(root, "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_put_text(root, "title", "firedrill: an experiment, an inventory or a plan file");
	any = json_put_array(root, "anyOf");
	put_ref(json_push_object(any), "experiment");
	put_ref(json_push_object(any), "inventory");
	put_ref(json_push_object(any), "plan_file");
	defs = json_put_object(root, "$defs");
	put_form(json_put_object(defs, "experiment"), &form_experiment, NULL);
	put_form(json_put_object(defs, "inventory"), &form_inventory, NULL);
	put_form(json_put_object(defs, "plan_file"), &form_plan_file, NULL);
	put_unit(defs, "duration", duration_pattern);
	put_unit(defs, "size", bytes_pattern);
	put_unit(defs, "percentage", percent_pattern);
	variable = json_put_object(defs, "variable");
	json_put_text(variable, "type", "string");
	json_put_text(variable, "pattern", variable_pattern);
	json_print(root, true, text);
	text_add(text, "\n");
	json_release(root);
}
