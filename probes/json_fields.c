/*
 * json_fields.c - see json_fields.h.
 */
#include "probes/json_fields.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/units.h"
#include "probes/stable.h"

#include <string.h>

static const struct json *step_into(const struct json *value, const char *name)
{
	int64_t index = 0;

	switch (json_type_of(value)) {
	case JSON_OBJECT:
		return json_get(value, name);
	case JSON_ARRAY:
		if (!units_parse_count(name, &index, NULL) || index < 0)
			return NULL;
		return json_at(value, (size_t)index);
	case JSON_NULL:
	case JSON_BOOL:
	case JSON_NUMBER:
	case JSON_TEXT:
		break;
	}
	return NULL;
}

/* Follows the path; at each level a member that has the whole rest as its name goes first. */
static const struct json *find_field(const struct json *value, const char *path)
{
	for (int depth = 0; value != NULL && depth < LIMIT_NESTING; depth++) {
		const struct json *whole = step_into(value, path);
		const char *dot = strchr(path, '.');
		struct text name = { 0 };

		if (whole != NULL || dot == NULL)
			return whole;
		text_add_bytes(&name, path, (size_t)(dot - path));
		value = step_into(value, text_str(&name));
		text_release(&name);
		path = dot + 1;
	}
	return NULL;
}

static bool is_field(const struct json *root, const struct pair *expected, struct err *e)
{
	const struct json *field = find_field(root, expected->name);
	char shown[STABLE_TEXT_BYTES];
	struct text got = { 0 };
	bool ok = true;

	if (field == NULL)
		return err_set(e, ERR_REMOTE, "the JSON body has no field %s", expected->name);
	json_plain(field, &got);
	if (strcmp(text_str(&got), expected->value) != 0)
		ok = err_set(e, ERR_REMOTE, "field %s is \"%s\" where \"%s\" was expected",
			     expected->name, stable_text(text_str(&got), shown), expected->value);
	text_release(&got);
	return ok;
}

bool json_fields_match(const struct text *body, const struct param_value *fields, struct err *e)
{
	struct json *root = NULL;
	bool ok = true;

	/* The parser's reason holds positions, which differ from answer to answer. */
	if (!json_parse(text_str(body), body->length_bytes, &root, NULL))
		return err_set(e, ERR_REMOTE, "the body is not JSON");
	for (size_t i = 0; ok && i < fields->pair_count; i++)
		ok = is_field(root, &fields->pairs[i], e);
	json_release(root);
	return ok;
}
