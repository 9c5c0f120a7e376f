/*
 * record.c - see record.h.
 */
#include "faults/record.h"

#include "base/clock.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

void record_begin(const struct fault_request *request, const char *fault, size_t field_room,
		  struct arena *arena, struct heal_record *ret_record)
{
	assert(request->host != NULL);

	*ret_record = (struct heal_record){
		.run_id = arena_copy(arena, request->run_id),
		.step = request->step,
		.fault = fault,
		.host = request->host,
		.lease_ns = request->lease_ns,
		.fields = arena_alloc(arena, (field_room + 1) * sizeof(struct pair)),
	};
	record_add(ret_record, RECORD_DIR, RECORD_DIR_DEFAULT, arena);
}

void record_add(struct heal_record *record, const char *name, const char *value,
		struct arena *arena)
{
	/* The room was allocated by record_begin; the model shows it as const to everybody else. */
	struct pair *room = (struct pair *)(uintptr_t)record->fields;

	assert(value != NULL);
	room[record->field_count].name = arena_copy(arena, name);
	room[record->field_count].value = arena_copy(arena, value);
	record->field_count++;
}

void record_add_item(struct heal_record *record, const char *name, size_t index, const char *value,
		     struct arena *arena)
{
	record_add(record, arena_format(arena, "%s.%zu", name, index), value, arena);
}

const char *record_text(const struct heal_record *record, const char *name)
{
	const char *value = heal_record_field(record, name);

	assert(value != NULL);
	return value;
}

const char *record_dir(const struct heal_record *record, struct arena *arena)
{
	return arena_format(arena, "%s/%s/%" PRIu32, record_text(record, RECORD_DIR),
			    record->run_id, record->step);
}

const char *record_lease_s(const struct heal_record *record, struct arena *arena)
{
	int64_t lease_s = (record->lease_ns + NS_PER_S - 1) / NS_PER_S;

	return arena_format(arena, "%" PRId64, lease_s > 0 ? lease_s : 1);
}

bool check_word(const char *fault, const char *param, const char *word, struct err *e)
{
	if (word == NULL || word[0] == '\0')
		return err_set(e, ERR_INPUT, "%s: `%s` is empty; write a name", fault, param);
	if (word[0] == '-')
		return err_set(e, ERR_INPUT, "%s: `%s` starts with \"-\", which would be read as an "
			       "option; write the name itself", fault, param);
	for (const char *at = word; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return err_set(e, ERR_INPUT, "%s: `%s` holds a control character; write one "
				       "line of plain text", fault, param);
	if (strlen(word) > 255)
		return err_set(e, ERR_LIMIT, "%s: `%s` is longer than 255 bytes", fault, param);
	return true;
}

bool check_process(const char *fault, const char *name, struct err *e)
{
	if (!check_word(fault, "name", name, e))
		return false;
	if (name[0] == '/')
		return err_set(e, ERR_INPUT, "%s: `name: %s` is a path, and no process is called so; "
			       "write `%s`", fault, name, strrchr(name, '/') + 1);
	return true;
}

/* True for a part like "", "." or "..", which makes two different texts name one place. */
static bool is_odd_part(const char *part, size_t length_bytes)
{
	return length_bytes == 0 || (length_bytes == 1 && part[0] == '.') ||
	       (length_bytes == 2 && part[0] == '.' && part[1] == '.');
}

bool check_path(const char *fault, const char *param, const char *path, struct arena *arena,
		const char **ret_path, struct err *e)
{
	if (!check_word(fault, param, path, e))
		return false;
	if (path[0] != '/')
		return err_set(e, ERR_INPUT, "%s: `%s: %s` is not absolute; start it with /", fault,
			       param, path);

	size_t length_bytes = strlen(path);

	while (length_bytes > 1 && path[length_bytes - 1] == '/')
		length_bytes--;

	const char *plain = arena_copy_bytes(arena, path, length_bytes);

	for (const char *part = plain; length_bytes > 1 && part != NULL; part = strchr(part + 1, '/')) {
		if (is_odd_part(part + 1, strcspn(part + 1, "/")))
			return err_set(e, ERR_INPUT, "%s: `%s: %s` has a part that is empty, \".\" "
				       "or \"..\"; write the plain path", fault, param, path);
	}
	*ret_path = plain;
	return true;
}

bool no_guard(const struct heal_record *record, struct fault_context *ctx, struct err *e)
{
	(void)record;
	(void)ctx;
	(void)e;
	return true;
}
