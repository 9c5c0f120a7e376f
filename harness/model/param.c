/*
 * param.c - reading of parameter values; see param.h.
 */
#include "model/param.h"

#include <assert.h>
#include <string.h>

const struct param_value *params_find(const struct params *params, const char *name)
{
	for (size_t i = 0; i < params->count; i++)
		if (strcmp(params->values[i].name, name) == 0)
			return &params->values[i];
	return NULL;
}

const char *params_text(const struct params *params, const char *name)
{
	const struct param_value *value = params_find(params, name);

	assert(value != NULL);
	return value->is_set ? value->text : NULL;
}

int64_t params_number(const struct params *params, const char *name)
{
	const struct param_value *value = params_find(params, name);

	assert(value != NULL);
	return value->is_set ? value->number : 0;
}

bool params_bool(const struct params *params, const char *name)
{
	return params_number(params, name) != 0;
}

bool params_is_set(const struct params *params, const char *name)
{
	const struct param_value *value = params_find(params, name);

	assert(value != NULL);
	return value->is_set;
}
