/*
 * vars.c - see vars.h. Unread secrets (request->has_secrets is false) read secret_unread.
 */
#include "load/vars.h"

#include "load/form.h"
#include "load/suggest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECRET_BYTES_MIN = 4 }; /* secrets.h hides nothing shorter */

const char secret_unread[] = "[secret]";

const char *path_resolve(struct loader *loader, const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	const char *home = getenv("HOME");

	if (strncmp(path, "~/", 2) == 0 && home != NULL)
		return arena_format(loader->arena, "%s%s", home, path + 1);
	if (path[0] == '/' || path[0] == '~' || slash == NULL)
		return path;
	return arena_format(loader->arena, "%.*s%s", (int)(slash - file + 1), file, path);
}

static struct var *var_find(struct loader *loader, const char *name, size_t name_bytes)
{
	for (size_t i = 0; i < loader->var_count; i++)
		if (strlen(loader->vars[i].name) == name_bytes &&
		    strncmp(loader->vars[i].name, name, name_bytes) == 0)
			return &loader->vars[i];
	return NULL;
}

/* At most LIMIT_SCALAR_BYTES, without the line end that editors add. */
static bool read_secret(const char *path, struct text *text, const char **ret_why)
{
	char bytes[4096];
	ssize_t got = 0;
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	*ret_why = NULL;
	if (fd == -1) {
		*ret_why = strerror(errno);
		return false;
	}
	while (text->length_bytes <= LIMIT_SCALAR_BYTES &&
	       (got = read(fd, bytes, sizeof bytes)) > 0)
		text_add_bytes(text, bytes, (size_t)got);
	if (got == -1)
		*ret_why = strerror(errno);
	else if (text->length_bytes > LIMIT_SCALAR_BYTES)
		*ret_why = "it is larger than 64 KiB";
	else if (strlen(text_str(text)) != text->length_bytes)
		*ret_why = "it holds a NUL byte";
	close(fd);
	return *ret_why == NULL;
}

/* Puts the value in, registers it, and refuses what could not be hidden later. */
static bool take_secret(struct loader *loader, const struct node *scalar, const char *source,
			const char *value, struct text *text)
{
	size_t length_bytes = strlen(value);

	while (length_bytes > 0 && (value[length_bytes - 1] == '\n' ||
				    value[length_bytes - 1] == '\r'))
		length_bytes--;
	if (length_bytes < SECRET_BYTES_MIN) {
		problem_add(loader, scalar->mark,
			    "`${%s}` gives %zu bytes; a secret has at least %d, or it could not be "
			    "hidden in reports",
			    source, length_bytes, SECRET_BYTES_MIN);
		return false;
	}
	value = arena_copy_bytes(loader->arena, value, length_bytes);
	secrets_register(loader->secrets, value);
	text_add(text, value);
	return true;
}

static bool expand_env(struct loader *loader, const struct node *scalar, const char *source,
		       struct text *text)
{
	const char *name = source + strlen("env:");
	const char *value = getenv(name);

	if (value == NULL) {
		problem_add(loader, scalar->mark,
			    "`${%s}`: the environment variable `%s` is not set; export it before "
			    "the run",
			    source, name);
		return false;
	}
	return take_secret(loader, scalar, source, value, text);
}

static bool expand_file(struct loader *loader, const struct node *scalar, const char *source,
			struct text *text)
{
	const char *path = path_resolve(loader, scalar->mark.file, source + strlen("file:"));
	struct text content = { 0 };
	const char *why = NULL;
	bool is_taken = false;

	if (!read_secret(path, &content, &why))
		problem_add(loader, scalar->mark, "`${%s}`: %s cannot be read: %s", source, path,
			    why);
	else
		is_taken = take_secret(loader, scalar, source, text_str(&content), text);
	text_release(&content);
	return is_taken;
}

static bool expand_var(struct loader *loader, const struct node *scalar, const char *name,
		       struct text *text, bool *ret_is_secret)
{
	struct var *var = var_find(loader, name, strlen(name));
	struct suggestion near = suggest_for(name);

	if (var != NULL && var->value != NULL) {
		var->is_used = true;
		*ret_is_secret = *ret_is_secret || var->is_secret;
		text_add(text, var->value);
		return true;
	}
	if (var != NULL) {
		var->is_used = true;
		problem_add(loader, scalar->mark, "the variable `%s` has no value; give it with "
			    "`--var %s=...`, or a default in `vars:`", name, name);
		return false;
	}
	for (size_t i = 0; i < loader->var_count; i++)
		suggest_offer(&near, loader->vars[i].name);
	if (near.best != NULL)
		problem_add(loader, scalar->mark, "unknown variable `%s`; did you mean `${%s}`?",
			    name, near.best);
	else
		problem_add(loader, scalar->mark, "unknown variable `%s`; declare it in `vars:` or "
			    "give it with `--var %s=...`", name, name);
	return false;
}

/* `source` is what stands between the braces. */
static bool expand_one(struct loader *loader, const struct node *scalar, const char *source,
		       struct text *text, bool *ret_is_secret)
{
	const bool is_env = strncmp(source, "env:", 4) == 0;
	const bool is_file = strncmp(source, "file:", 5) == 0;
	const char *colon = strchr(source, ':');

	if (colon == NULL)
		return expand_var(loader, scalar, source, text, ret_is_secret);
	if (!is_env && !is_file) {
		problem_add(loader, scalar->mark, "`${%s}`: there is no source `%.*s:`; write "
			    "`${env:NAME}`, `${file:PATH}` or `${name}`",
			    source, (int)(colon - source), source);
		return false;
	}
	if (colon[1] == '\0') {
		problem_add(loader, scalar->mark, "`${%s}` names nothing; write `${%s%s}`", source,
			    source, is_env ? "NAME" : "PATH");
		return false;
	}
	*ret_is_secret = true;
	if (!loader->request->has_secrets) {
		loader->unresolved_count++;
		text_add(text, secret_unread);
		return true;
	}
	return is_env ? expand_env(loader, scalar, source, text) :
			expand_file(loader, scalar, source, text);
}

static bool expand_text(struct loader *loader, const struct node *scalar, struct text *text,
			bool *ret_is_secret)
{
	const char *at = scalar->text;

	for (;;) {
		const char *dollar = strchr(at, '$');
		const char *end;

		if (dollar == NULL) {
			text_add(text, at);
			return true;
		}
		text_add_bytes(text, at, (size_t)(dollar - at));
		if (strncmp(dollar, "$${", 3) == 0) {
			text_add(text, "${");
			at = dollar + 3;
			continue;
		}
		if (dollar[1] != '{') {
			text_add(text, "$");
			at = dollar + 1;
			continue;
		}
		end = strchr(dollar, '}');
		if (end == NULL) {
			problem_add(loader, scalar->mark, "`${` without its `}`; close it, or "
				    "write `$${` for a plain `${`");
			return false;
		}
		if (!expand_one(loader, scalar,
				arena_copy_bytes(loader->arena, dollar + 2,
						 (size_t)(end - dollar) - 2),
				text, ret_is_secret))
			return false;
		at = end + 1;
	}
}

bool vars_expand(struct loader *loader, const struct node *scalar, const char **ret_text,
		 bool *ret_is_secret)
{
	struct text text = { 0 };
	bool is_secret = false;
	bool is_whole;

	assert(scalar->kind == NODE_SCALAR);

	*ret_is_secret = false;
	if (strchr(scalar->text, '$') == NULL) {
		*ret_text = scalar->text;
		return true;
	}
	is_whole = expand_text(loader, scalar, &text, &is_secret);
	if (is_whole && text.length_bytes > LIMIT_SCALAR_BYTES) {
		problem_add(loader, scalar->mark, "with its variables put in the value is larger "
			    "than %d bytes", LIMIT_SCALAR_BYTES);
		is_whole = false;
	}
	if (is_whole) {
		*ret_text = arena_copy_bytes(loader->arena, text_str(&text), text.length_bytes);
		*ret_is_secret = is_secret;
	}
	text_release(&text);
	return is_whole;
}

const char *vars_file_path(struct loader *loader, const struct node *scalar)
{
	const size_t length_bytes = scalar->kind == NODE_SCALAR ? strlen(scalar->text) : 0;
	const char *close = length_bytes == 0 ? NULL : strchr(scalar->text, '}');

	if (length_bytes < 9 || strncmp(scalar->text, "${file:", 7) != 0 ||
	    close != scalar->text + length_bytes - 1)
		return NULL;
	return arena_copy_bytes(loader->arena, scalar->text + 7, length_bytes - 8);
}

/* A default may use the variables above it: values are put in at once. */
static void declare(struct loader *loader, const struct node *entry)
{
	struct var *given = var_find(loader, entry->key, strlen(entry->key));
	struct var var = { .name = entry->key, .is_declared = true };

	(void)name_check(loader, entry->key_mark, "a variable", entry->key);
	if (given != NULL) {
		given->is_declared = true;
		return;
	}
	if (entry->kind == NODE_LIST || entry->kind == NODE_MAP)
		problem_add(loader, entry->mark, "the variable `%s` must be a single value, not %s",
			    entry->key, tree_kind_name(entry));
	else if (entry->kind == NODE_SCALAR && !entry->is_null)
		(void)vars_expand(loader, entry, &var.value, &var.is_secret);
	loader->vars[loader->var_count++] = var;
}

void vars_load(struct loader *loader, const struct node *vars)
{
	const struct load_request *request = loader->request;
	const bool is_map = vars != NULL && vars->kind == NODE_MAP;
	const size_t room_count = request->var_count + (is_map ? vars->count : 0);

	loader->vars = arena_alloc(loader->arena, room_count * sizeof *loader->vars);
	for (size_t i = 0; i < request->var_count; i++) {
		const struct pair *pair = &request->vars[i];
		struct var *earlier = var_find(loader, pair->name, strlen(pair->name));
		const struct var var = { .name = pair->name, .value = pair->value };

		if (earlier != NULL)
			*earlier = var; /* given twice: the last one counts, as with any option */
		else
			loader->vars[loader->var_count++] = var;
	}
	for (const struct node *entry = is_map ? vars->first : NULL; entry != NULL;
	     entry = entry->next)
		declare(loader, entry);
	assert(loader->var_count <= room_count);
}

void vars_check_given(struct loader *loader)
{
	for (size_t i = 0; i < loader->var_count; i++) {
		const struct var *var = &loader->vars[i];
		struct suggestion near = suggest_for(var->name);

		if (var->is_declared || var->is_used)
			continue;
		for (size_t j = 0; j < loader->var_count; j++)
			if (loader->vars[j].is_declared)
				suggest_offer(&near, loader->vars[j].name);
		problem_add(loader, (struct mark){ .file = "--var" },
			    "no document has a variable `%s`%s%s%s", var->name,
			    near.best == NULL ? "" : "; did you mean `",
			    near.best == NULL ? "" : near.best, near.best == NULL ? "" : "`?");
	}
}
