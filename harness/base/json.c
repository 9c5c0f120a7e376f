/*
 * json.c - see json.h. A `struct json` is a cJSON node under another name, so that cJSON's header
 * stays in this file. Whole numbers are written as raw text: cJSON's double would round them.
 */
#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

static cJSON *node(struct json *json)
{
	return (cJSON *)json;
}

static const cJSON *const_node(const struct json *json)
{
	return (const cJSON *)json;
}

static void *grab(size_t bytes)
{
	return mem_or_die(malloc(bytes), bytes);
}

static void set_hooks(void)
{
	cJSON_Hooks hooks = { .malloc_fn = grab, .free_fn = free };

	cJSON_InitHooks(&hooks);
}

/* cJSON calls a text that it has no memory for a wrong one, and somebody would believe it. */
static void never_lack_memory(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, set_hooks); /* cannot fail */
}

static struct json *made(cJSON *fresh)
{
	assert(fresh != NULL);
	return (struct json *)fresh;
}

struct json *json_object(void)
{
	never_lack_memory();
	return made(cJSON_CreateObject());
}

struct json *json_array(void)
{
	never_lack_memory();
	return made(cJSON_CreateArray());
}

void json_release(struct json *taken_root)
{
	cJSON_Delete(node(taken_root));
}

/* The length in bytes of the valid UTF-8 character at `at`, or 0. */
static size_t utf8_length(const unsigned char *at)
{
	if (at[0] < 0x80)
		return 1;
	if (at[0] >= 0xc2 && at[0] <= 0xdf && (at[1] & 0xc0) == 0x80)
		return 2;
	if (at[0] >= 0xe0 && at[0] <= 0xef && (at[1] & 0xc0) == 0x80 && (at[2] & 0xc0) == 0x80) {
		const unsigned code = (at[0] & 0x0fu) << 12 | (at[1] & 0x3fu) << 6;

		return code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 0 : 3;
	}
	if (at[0] >= 0xf0 && at[0] <= 0xf4 && (at[1] & 0xc0) == 0x80 && (at[2] & 0xc0) == 0x80 &&
	    (at[3] & 0xc0) == 0x80) {
		const unsigned code = (at[0] & 0x07u) << 18 | (at[1] & 0x3fu) << 12;

		return code < 0x10000 || code > 0x10ffff ? 0 : 4;
	}
	return 0;
}

bool json_is_utf8(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at != '\0') {
		const size_t length = utf8_length(at);

		if (length == 0)
			return false;
		at += length;
	}
	return true;
}

static cJSON *text_node(const char *text)
{
	struct text clean = { 0 };

	if (text == NULL)
		return node(made(cJSON_CreateNull()));
	for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
		const size_t length = utf8_length(at);

		if (length == 0) {
			text_add(&clean, "\xef\xbf\xbd");
			at++;
		} else {
			text_add_bytes(&clean, (const char *)at, length);
			at += length;
		}
	}

	cJSON *fresh = node(made(cJSON_CreateString(text_str(&clean))));

	text_release(&clean);
	return fresh;
}

static cJSON *int_node(int64_t number)
{
	char digits[32];

	(void)snprintf(digits, sizeof digits, "%" PRId64, number);
	return node(made(cJSON_CreateRaw(digits)));
}

static void put(struct json *object, const char *key, cJSON *taken_child)
{
	assert(cJSON_IsObject(node(object)));

	const cJSON_bool is_added = cJSON_AddItemToObject(node(object), key, taken_child);

	assert(is_added);
}

static void push(struct json *array, cJSON *taken_child)
{
	assert(cJSON_IsArray(node(array)));

	const cJSON_bool is_added = cJSON_AddItemToArray(node(array), taken_child);

	assert(is_added);
}

void json_put_text(struct json *object, const char *key, const char *text)
{
	put(object, key, text_node(text));
}

void json_put_int(struct json *object, const char *key, int64_t number)
{
	put(object, key, int_node(number));
}

void json_put_bool(struct json *object, const char *key, bool is_true)
{
	put(object, key, node(made(cJSON_CreateBool(is_true))));
}

void json_put_null(struct json *object, const char *key)
{
	put(object, key, node(made(cJSON_CreateNull())));
}

struct json *json_put_object(struct json *object, const char *key)
{
	struct json *child = json_object();

	put(object, key, node(child));
	return child;
}

struct json *json_put_array(struct json *object, const char *key)
{
	struct json *child = json_array();

	put(object, key, node(child));
	return child;
}

void json_push_text(struct json *array, const char *text)
{
	push(array, text_node(text));
}

void json_push_int(struct json *array, int64_t number)
{
	push(array, int_node(number));
}

struct json *json_push_object(struct json *array)
{
	struct json *child = json_object();

	push(array, node(child));
	return child;
}

struct json *json_push_array(struct json *array)
{
	struct json *child = json_array();

	push(array, node(child));
	return child;
}

void json_print(const struct json *root, bool is_pretty, struct text *text)
{
	char *printed = is_pretty ? cJSON_Print(const_node(root)) :
				    cJSON_PrintUnformatted(const_node(root));

	assert(printed != NULL);
	text_add(text, printed);
	cJSON_free(printed);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, because a foreign text may have a million keys. */
static bool has_twins(const cJSON *object, const char **ret_key)
{
	const size_t count = (size_t)cJSON_GetArraySize(object);
	const char **keys = mem_alloc((count + 1) * sizeof *keys);
	size_t filled_count = 0;
	bool is_found = false;

	for (const cJSON *child = object->child; child != NULL; child = child->next)
		keys[filled_count++] = child->string;
	qsort(keys, filled_count, sizeof *keys, compare_keys);
	for (size_t i = 1; i < filled_count && !is_found; i++) {
		is_found = strcmp(keys[i - 1], keys[i]) == 0;
		*ret_key = keys[i];
	}
	free(keys);
	return is_found;
}

static bool has_duplicate_key(const cJSON *value, const char **ret_key)
{
	if (cJSON_IsObject(value) && has_twins(value, ret_key))
		return true;
	for (const cJSON *child = value->child; child != NULL; child = child->next)
		if (has_duplicate_key(child, ret_key))
			return true;
	return false;
}

/* cJSON keeps numbers as double; whole numbers beyond 2^53 would silently change. */
bool json_parse(const char *bytes, size_t length_bytes, struct json **ret_root, struct err *e)
{
	const char *end = bytes;
	const char *key = NULL;
	char *copy = mem_alloc(length_bytes + 1);

	never_lack_memory();
	memcpy(copy, bytes, length_bytes);

	cJSON *root = cJSON_ParseWithLengthOpts(copy, length_bytes + 1, &end, 1);

	if (root == NULL) {
		err_set(e, ERR_INPUT, "the text is not JSON: a mistake at byte %td", end - copy);
		free(copy);
		return false;
	}
	free(copy);
	if (has_duplicate_key(root, &key)) {
		err_set(e, ERR_INPUT, "the JSON text has the key `%s` twice", key);
		cJSON_Delete(root);
		return false;
	}
	*ret_root = (struct json *)root;
	return true;
}

enum json_type json_type_of(const struct json *value)
{
	const cJSON *n = const_node(value);

	if (cJSON_IsBool(n))
		return JSON_BOOL;
	if (cJSON_IsNumber(n) || cJSON_IsRaw(n))
		return JSON_NUMBER;
	if (cJSON_IsString(n))
		return JSON_TEXT;
	if (cJSON_IsArray(n))
		return JSON_ARRAY;
	if (cJSON_IsObject(n))
		return JSON_OBJECT;
	return JSON_NULL;
}

const struct json *json_get(const struct json *object, const char *key)
{
	return (const struct json *)cJSON_GetObjectItemCaseSensitive(const_node(object), key);
}

size_t json_count(const struct json *array_or_object)
{
	return (size_t)cJSON_GetArraySize(const_node(array_or_object));
}

const struct json *json_at(const struct json *array_or_object, size_t index)
{
	const cJSON *child = array_or_object == NULL ? NULL : const_node(array_or_object)->child;

	while (child != NULL && index-- > 0)
		child = child->next;
	return (const struct json *)child;
}

const struct json *json_next(const struct json *member)
{
	return member == NULL ? NULL : (const struct json *)const_node(member)->next;
}

const char *json_key_of(const struct json *member)
{
	return member == NULL || const_node(member)->string == NULL ? "" : const_node(member)->string;
}

const char *json_text_of(const struct json *value)
{
	return value == NULL ? NULL : cJSON_GetStringValue(const_node(value));
}

bool json_int_of(const struct json *value, int64_t *ret_number)
{
	const cJSON *n = const_node(value);
	const double exact_max = 9007199254740992.0; /* 2^53 */

	if (!cJSON_IsNumber(n) || n->valuedouble < -exact_max || n->valuedouble > exact_max ||
	    n->valuedouble != (double)(int64_t)n->valuedouble)
		return false;
	*ret_number = (int64_t)n->valuedouble;
	return true;
}

bool json_bool_of(const struct json *value, bool *ret_is_true)
{
	if (!cJSON_IsBool(const_node(value)))
		return false;
	*ret_is_true = cJSON_IsTrue(const_node(value));
	return true;
}

void json_plain(const struct json *value, struct text *text)
{
	const char *plain = json_text_of(value);

	if (plain != NULL)
		text_add(text, plain);
	else if (value != NULL)
		json_print(value, false, text);
}
