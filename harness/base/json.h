/*
 * json.h - JSON values, in and out; the only door to cJSON.
 *
 * Writing: build a tree, then json_print. Numbers are int64_t and stay exact (never through double).
 * Reading: strict (no trailing text, no duplicate keys), bounded in depth by the library.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct json;

struct json *json_object(void); /* the caller releases the root; children belong to it */
struct json *json_array(void);
void json_release(struct json *taken_root);

/* Into an object: a NULL text is written as null. */
void json_put_text(struct json *object, const char *key, const char *text);
void json_put_int(struct json *object, const char *key, int64_t number);
void json_put_bool(struct json *object, const char *key, bool is_true);
void json_put_null(struct json *object, const char *key);
struct json *json_put_object(struct json *object, const char *key); /* returns the new child */
struct json *json_put_array(struct json *object, const char *key);
/* Into an array. */
void json_push_text(struct json *array, const char *text);
void json_push_int(struct json *array, int64_t number);
struct json *json_push_object(struct json *array);
struct json *json_push_array(struct json *array);

/* Appends the text; indented when is_pretty, always valid UTF-8 (bad bytes become U+FFFD). */
void json_print(const struct json *root, bool is_pretty, struct text *text);

/* Would json_put_text keep every byte of it? */
bool json_is_utf8(const char *text);

/* Reads one value and nothing after it. */
bool json_parse(const char *bytes, size_t length_bytes, struct json **ret_root, struct err *e);

enum json_type { JSON_NULL = 1, JSON_BOOL, JSON_NUMBER, JSON_TEXT, JSON_ARRAY, JSON_OBJECT };

enum json_type json_type_of(const struct json *value);
const struct json *json_get(const struct json *object, const char *key); /* NULL when absent */
size_t json_count(const struct json *array_or_object);
const struct json *json_next(const struct json *member); /* the one behind it; NULL: the last */
const struct json *json_at(const struct json *array_or_object, size_t index); /* NULL past the end */
const char *json_key_of(const struct json *member);           /* "" for no member */
const char *json_text_of(const struct json *value);           /* NULL when it is no text */
bool json_int_of(const struct json *value, int64_t *ret_number); /* false when no whole number */
bool json_bool_of(const struct json *value, bool *ret_is_true);
/* The value as plain text for comparing and showing: text as it is, others as JSON. */
void json_plain(const struct json *value, struct text *text);

#endif
