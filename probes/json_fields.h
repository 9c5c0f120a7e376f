/*
 * json_fields.h - are these fields of a JSON text as expected?
 */
#ifndef PROBES_JSON_FIELDS_H
#define PROBES_JSON_FIELDS_H

#include "base/err.h"
#include "base/mem.h"
#include "model/param.h"

/*
 * True when every pair of `fields` (a PARAM_MAP) names a field with that value. A name is a path:
 * "db.state" is the member state of the member db (or the member "db.state"), "nodes.0.name" goes
 * into a list. Values are compared as plain text: true, null, 3 and "3" read as they are written.
 */
bool json_fields_match(const struct text *body, const struct param_value *fields, struct err *e);

#endif
