/*
 * heal_record.c - heal records as JSON and back; see heal_record.h. Adding a field to struct host
 * that heal needs means adding it to both functions here.
 */
#include "model/heal_record.h"

#include <string.h>

#include "base/json.h"

const char *heal_record_field(const struct heal_record *record, const char *name)
{
	for (size_t i = 0; i < record->field_count; i++)
		if (strcmp(record->fields[i].name, name) == 0)
			return record->fields[i].value;
	return NULL;
}

static void put_host(struct json *object, const char *key, const struct host *host)
{
	struct json *child = json_put_object(object, key);

	json_put_text(child, "name", host->name);
	json_put_bool(child, "local", host->is_local);
	json_put_text(child, "address", host->address);
	json_put_int(child, "port", host->port);
	json_put_text(child, "user", host->user);
	json_put_bool(child, "sudo", host->is_sudo);
	json_put_text(child, "key", host->key_path);
	json_put_text(child, "known_hosts", host->known_hosts);
	json_put_text(child, "host_key", host->host_key);
	if (host->via != NULL)
		put_host(child, "via", host->via);
}

void heal_record_print(const struct heal_record *record, struct text *text)
{
	struct json *root = json_object();

	json_put_text(root, "run", record->run_id);
	json_put_int(root, "step", record->step);
	json_put_text(root, "fault", record->fault);
	put_host(root, "host", record->host);
	json_put_int(root, "lease_ns", record->lease_ns);

	struct json *fields = json_put_object(root, "fields");

	for (size_t i = 0; i < record->field_count; i++)
		json_put_text(fields, record->fields[i].name, record->fields[i].value);
	json_print(root, false, text);
	json_release(root);
}

static bool get_text(const struct json *object, const char *key, bool is_required,
		     struct arena *arena, const char **ret_text, struct err *e)
{
	const char *text = json_text_of(json_get(object, key));

	if (text == NULL && is_required)
		return err_set(e, ERR_STORE, "a heal record has no `%s`", key);
	*ret_text = arena_copy(arena, text);
	return true;
}

static bool get_int(const struct json *object, const char *key, int64_t min, int64_t max,
		    int64_t *ret_number, struct err *e)
{
	if (!json_int_of(json_get(object, key), ret_number) || *ret_number < min ||
	    *ret_number > max)
		return err_set(e, ERR_STORE, "a heal record has no sound `%s`", key);
	return true;
}

static bool get_host(const struct json *object, struct arena *arena, int depth,
		     const struct host **ret_host, struct err *e)
{
	struct host *host = arena_alloc(arena, sizeof *host);
	int64_t port;

	if (depth > 1 || json_type_of(object) != JSON_OBJECT)
		return err_set(e, ERR_STORE, "a heal record has no sound `host`");
	if (!get_text(object, "name", true, arena, &host->name, e) ||
	    !get_text(object, "address", false, arena, &host->address, e) ||
	    !get_text(object, "user", false, arena, &host->user, e) ||
	    !get_text(object, "key", false, arena, &host->key_path, e) ||
	    !get_text(object, "known_hosts", false, arena, &host->known_hosts, e) ||
	    !get_text(object, "host_key", false, arena, &host->host_key, e) ||
	    !get_int(object, "port", 0, UINT16_MAX, &port, e))
		return false;
	host->port = (uint16_t)port;
	if (!json_bool_of(json_get(object, "local"), &host->is_local))
		return err_set(e, ERR_STORE, "a heal record has no sound `local`");

	/* Records of before there was sudo do not say. */
	if (json_get(object, "sudo") != NULL && !json_bool_of(json_get(object, "sudo"), &host->is_sudo))
		return err_set(e, ERR_STORE, "a heal record has no sound `sudo`");

	const struct json *via = json_get(object, "via");

	if (via != NULL && !get_host(via, arena, depth + 1, &host->via, e))
		return false;
	*ret_host = host;
	return true;
}

static bool get_record(const struct json *root, struct arena *arena, struct heal_record *record,
		       struct err *e)
{
	const struct json *fields = json_get(root, "fields");
	const struct json *host = json_get(root, "host");
	int64_t step;

	if (host == NULL || fields == NULL || json_type_of(fields) != JSON_OBJECT)
		return err_set(e, ERR_STORE, "a heal record has no `host` or no `fields`");
	if (!get_text(root, "run", true, arena, &record->run_id, e) ||
	    !get_text(root, "fault", true, arena, &record->fault, e) ||
	    !get_int(root, "step", 0, UINT32_MAX, &step, e) ||
	    !get_int(root, "lease_ns", 0, INT64_MAX, &record->lease_ns, e) ||
	    !get_host(host, arena, 0, &record->host, e))
		return false;
	record->step = (uint32_t)step;

	struct pair *pairs = arena_alloc(arena, (json_count(fields) + 1) * sizeof *pairs);

	for (const struct json *field; (field = json_at(fields, record->field_count)) != NULL;) {
		struct pair *pair = &pairs[record->field_count++];

		pair->name = arena_copy(arena, json_key_of(field));
		pair->value = arena_copy(arena, json_text_of(field));
		if (pair->value == NULL)
			return err_set(e, ERR_STORE, "field `%s` of a heal record is no text",
				       pair->name);
	}
	record->fields = pairs;
	return true;
}

bool heal_record_parse(const char *json, struct arena *arena, struct heal_record *ret_record,
		       struct err *e)
{
	struct heal_record record = { 0 };
	struct json *root = NULL;
	bool ok;

	if (!json_parse(json, strlen(json), &root, e))
		return err_wrap(e, "read a heal record");
	ok = json_type_of(root) == JSON_OBJECT ? get_record(root, arena, &record, e) :
						 err_set(e, ERR_STORE, "a heal record is no object");
	json_release(root);
	if (ok)
		*ret_record = record;
	return ok;
}
