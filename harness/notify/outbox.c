/*
 * outbox.c - see outbox.h. Files appear whole by a rename and are locked while somebody delivers them. The
 * lock belongs to the file and not to its name, so who gets it looks whether the name still means that
 * file.
 */
#include "notify/outbox.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"

enum { OUTBOX_FORMAT_VERSION = 1 };

static const char file_end[] = ".json";

struct claim {
	char *owned_folder;
	char *owned_path;
	int fd;
};

/* ---- names ---- */

static void add_path(struct text *path, const char *folder, enum outbox_part part, const char *id)
{
	text_addf(path, "%s/%s%s%s", folder, part == OUTBOX_DEAD ? "dead/" : "", id, file_end);
}

static void add_folder(struct text *path, const char *folder, enum outbox_part part)
{
	text_addf(path, "%s%s", folder, part == OUTBOX_DEAD ? "/dead" : "");
}

/* An id is a file's name: whoever gives one must not lead us elsewhere. */
static bool is_id(const char *id)
{
	return id != NULL && *id != '\0' && *id != '.' &&
	       id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] ==
		       '\0' &&
	       strlen(id) < 200;
}

static bool is_message_file(const char *name)
{
	const size_t length = strlen(name);
	const size_t end_bytes = sizeof file_end - 1;

	return name[0] != '.' && length > end_bytes &&
	       strcmp(name + length - end_bytes, file_end) == 0;
}

/* ---- a message as text ---- */

static void print_message(const struct message *message, struct text *text)
{
	struct json *root = json_object();

	json_put_int(root, "format", OUTBOX_FORMAT_VERSION);
	json_put_text(root, "id", message->id);
	json_put_text(root, "channel", message->channel);
	json_put_text(root, "inventory", message->inventory);
	moment_put(root, "created_wall_ns", message->created_wall_ns);
	moment_put(root, "due_wall_ns", message->due_wall_ns);
	json_put_int(root, "attempt_count", message->attempt_count);
	json_put_text(root, "error", message->error);
	happening_put(json_put_object(root, "happening"), &message->happening);
	json_put_text(root, "report", message->report);
	json_print(root, false, text);
	json_release(root);
}

static int64_t get_int(const struct json *object, const char *key)
{
	int64_t number = 0;

	return json_int_of(json_get(object, key), &number) ? number : 0;
}

static bool parse_message(const struct text *bytes, bool wants_report, struct arena *arena,
			  struct message *ret_message)
{
	struct json *root = NULL;
	struct message message = { 0 };
	bool ok;

	if (!json_parse(text_str(bytes), bytes->length_bytes, &root, NULL))
		return false;
	message.id = arena_copy(arena, json_text_of(json_get(root, "id")));
	message.channel = arena_copy(arena, json_text_of(json_get(root, "channel")));
	message.inventory = arena_copy(arena, json_text_of(json_get(root, "inventory")));
	message.error = arena_copy(arena, json_text_of(json_get(root, "error")));
	message.created_wall_ns = moment_get(root, "created_wall_ns");
	message.due_wall_ns = moment_get(root, "due_wall_ns");
	message.attempt_count = get_int(root, "attempt_count");
	happening_get(json_get(root, "happening"), arena, &message.happening);
	if (wants_report)
		message.report = arena_copy(arena, json_text_of(json_get(root, "report")));
	ok = get_int(root, "format") == OUTBOX_FORMAT_VERSION && is_id(message.id) &&
	     message.channel != NULL && message.inventory != NULL && message.attempt_count >= 0;
	json_release(root);
	if (ok)
		*ret_message = message;
	return ok;
}

static bool read_message(const char *path, bool wants_report, struct arena *arena,
			 struct message *ret_message)
{
	struct text bytes = { 0 };
	bool is_there = false;
	const bool ok = file_read(path, &is_there, &bytes, NULL) && is_there &&
			parse_message(&bytes, wants_report, arena, ret_message);

	text_release(&bytes);
	return ok;
}

/* ---- writing ---- */

static bool write_message(const char *folder, enum outbox_part part, const struct message *message,
			  struct err *e)
{
	struct text bytes = { 0 };
	struct text place = { 0 };
	struct text path = { 0 };
	bool ok;

	assert(is_id(message->id));

	add_folder(&place, folder, part);
	add_path(&path, folder, part, message->id);
	print_message(message, &bytes);
	if (bytes.length_bytes > LIMIT_MESSAGE_BYTES)
		ok = err_set(e, ERR_LIMIT, "message %s has %zu bytes; the most is %d", message->id,
			     bytes.length_bytes, LIMIT_MESSAGE_BYTES);
	else
		ok = folder_make(text_str(&place), e) &&
		     file_write(text_str(&path), text_str(&bytes), bytes.length_bytes, e) &&
		     folder_settle(text_str(&place), e);
	text_release(&bytes);
	text_release(&place);
	text_release(&path);
	return ok;
}

/* ---- listing ---- */

static bool list_names(const char *folder, enum outbox_part part, struct arena *arena,
		       const char ***ret_names, size_t *ret_count, struct err *e)
{
	struct text path = { 0 };
	const char **names = NULL;
	size_t count = 0;
	DIR *dir;
	bool ok = true;

	add_folder(&path, folder, part);
	dir = opendir(text_str(&path));
	if (dir == NULL && errno != ENOENT)
		ok = err_set(e, ERR_LIMIT, "look into %s: %s", text_str(&path), strerror(errno));
	for (struct dirent *entry = dir == NULL ? NULL : readdir(dir);
	     entry != NULL && count < 2 * LIMIT_MESSAGES; entry = readdir(dir)) {
		if (!is_message_file(entry->d_name))
			continue;
		names = arena_more(arena, names, count, sizeof *names);
		names[count++] = arena_copy(arena, entry->d_name);
	}
	if (dir != NULL)
		(void)closedir(dir); /* only read */
	text_release(&path);
	*ret_names = names;
	*ret_count = count;
	return ok;
}

static int compare_due(const void *left, const void *right)
{
	const struct message *a = left;
	const struct message *b = right;

	if (a->due_wall_ns != b->due_wall_ns)
		return a->due_wall_ns < b->due_wall_ns ? -1 : 1;
	return strcmp(a->id, b->id);
}

bool outbox_list(const char *folder, enum outbox_part part, struct arena *arena,
		struct message **ret_messages, size_t *ret_count, size_t *ret_broken_count,
		struct err *e)
{
	const char **names = NULL;
	struct message *messages;
	size_t name_count = 0;
	size_t count = 0;

	if (!list_names(folder, part, arena, &names, &name_count, e))
		return false;
	messages = arena_alloc(arena, (name_count + 1) * sizeof *messages);
	for (size_t i = 0; i < name_count; i++) {
		struct text path = { 0 };

		add_folder(&path, folder, part);
		text_addf(&path, "/%s", names[i]);
		if (read_message(text_str(&path), false, arena, &messages[count]))
			count++;
		text_release(&path);
	}
	qsort(messages, count, sizeof *messages, compare_due);
	*ret_messages = messages;
	*ret_count = count;
	*ret_broken_count = name_count - count;
	return true;
}

bool outbox_count(const char *folder, enum outbox_part part, size_t *ret_count, struct err *e)
{
	struct arena arena = { 0 };
	const char **names = NULL;
	const bool ok = list_names(folder, part, &arena, &names, ret_count, e);

	arena_release(&arena);
	return ok;
}

bool outbox_put(const char *folder, const struct message *message, struct err *e)
{
	struct arena arena = { 0 };
	const char **names = NULL;
	size_t count = 0;
	bool ok = list_names(folder, OUTBOX_WAITING, &arena, &names, &count, e);

	if (ok && count >= LIMIT_MESSAGES)
		ok = err_set(e, ERR_LIMIT, "%d messages are waiting in %s, which is the most; look at "
			     "`firedrill notifications`", LIMIT_MESSAGES, folder);
	arena_release(&arena);
	return ok && write_message(folder, OUTBOX_WAITING, message, e);
}

/* ---- one message ---- */

/* Does the name still mean the file that we hold? */
static bool is_same_file(const char *path, int fd)
{
	struct stat named;
	struct stat held;

	return stat(path, &named) == 0 && fstat(fd, &held) == 0 && named.st_ino == held.st_ino &&
	       named.st_dev == held.st_dev;
}

struct claim *outbox_claim(const char *folder, const char *id, struct arena *arena,
			  struct message *ret_message)
{
	struct text path = { 0 };
	struct claim *claim;
	int fd;

	add_path(&path, folder, OUTBOX_WAITING, id);
	fd = is_id(id) ? open(text_str(&path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (fd == -1 || flock(fd, LOCK_EX | LOCK_NB) == -1 || !is_same_file(text_str(&path), fd) ||
	    !read_message(text_str(&path), true, arena, ret_message)) {
		if (fd != -1)
			(void)close(fd); /* only read */
		text_release(&path);
		return NULL;
	}
	claim = mem_alloc(sizeof *claim);
	claim->owned_folder = mem_copy(folder);
	claim->owned_path = mem_copy(text_str(&path));
	claim->fd = fd;
	text_release(&path);
	return claim;
}

void outbox_leave(struct claim *taken_claim)
{
	if (taken_claim == NULL)
		return;
	(void)close(taken_claim->fd); /* only read; the lock goes with it */
	free(taken_claim->owned_folder);
	free(taken_claim->owned_path);
	free(taken_claim);
}

static bool remove_file(const char *folder, const char *path, struct err *e)
{
	if (unlink(path) == -1 && errno != ENOENT)
		return err_set(e, ERR_LIMIT, "remove %s: %s", path, strerror(errno));
	return folder_settle(folder, e);
}

bool outbox_remove(const struct claim *claim, struct err *e)
{
	return remove_file(claim->owned_folder, claim->owned_path, e);
}

bool outbox_update(const struct claim *claim, const struct message *message, struct err *e)
{
	return write_message(claim->owned_folder, OUTBOX_WAITING, message, e);
}

/* The oldest go when there are too many: nobody has looked at them for long. */
static void bound_dead(const char *folder)
{
	struct arena arena = { 0 };
	struct message *messages = NULL;
	size_t count = 0;
	size_t broken_count = 0;

	if (outbox_list(folder, OUTBOX_DEAD, &arena, &messages, &count, &broken_count, NULL))
		for (size_t i = 0; i + LIMIT_MESSAGES < count; i++)
			(void)outbox_drop(folder, messages[i].id, NULL); /* tried again next time */
	arena_release(&arena);
}

bool outbox_bury(const struct claim *claim, const struct message *message, struct err *e)
{
	if (!write_message(claim->owned_folder, OUTBOX_DEAD, message, e))
		return false;
	bound_dead(claim->owned_folder);
	return outbox_remove(claim, e);
}

static bool need_dead(const char *folder, const char *id, struct text *ret_path, struct err *e)
{
	if (is_id(id))
		add_path(ret_path, folder, OUTBOX_DEAD, id);
	if (is_id(id) && access(text_str(ret_path), F_OK) == 0)
		return true;
	return err_set(e, ERR_INPUT, "there is no dead letter `%s`; `firedrill notifications --dead` "
		       "lists them", id);
}

bool outbox_revive(const char *folder, const char *id, int64_t wall_ns, struct err *e)
{
	struct arena arena = { 0 };
	struct message message = { 0 };
	struct text path = { 0 };
	bool ok = need_dead(folder, id, &path, e);

	if (ok && !read_message(text_str(&path), true, &arena, &message))
		ok = err_set(e, ERR_STORE, "%s is damaged; `firedrill notifications drop %s` throws it "
			     "away", text_str(&path), id);
	message.attempt_count = 0;
	message.created_wall_ns = wall_ns; /* what is tried for a while is tried for that while again */
	message.due_wall_ns = wall_ns;
	ok = ok && outbox_put(folder, &message, e) && outbox_drop(folder, id, e);
	text_release(&path);
	arena_release(&arena);
	return ok;
}

bool outbox_drop(const char *folder, const char *id, struct err *e)
{
	struct text path = { 0 };
	struct text place = { 0 };
	bool ok;

	add_folder(&place, folder, OUTBOX_DEAD);
	ok = need_dead(folder, id, &path, e) && remove_file(text_str(&place), text_str(&path), e);
	text_release(&path);
	text_release(&place);
	return ok;
}

void outbox_forget(const char *folder, const char *id)
{
	static const enum outbox_part parts[] = { OUTBOX_WAITING, OUTBOX_DEAD };

	assert(is_id(id));
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		struct text path = { 0 };

		add_path(&path, folder, parts[i], id);
		(void)unlink(text_str(&path)); /* not being there is fine */
		text_release(&path);
	}
}
