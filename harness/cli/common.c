/*
 * common.c - what several commands do the same way; see cli.h.
 */
#include "cli/cli.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "reports/escape.h"
#include "reports/grid.h"
#include "store/store_url.h"

const char *arguments_value(const struct arguments *arguments, const char *name)
{
	for (size_t i = arguments->option_count; i > 0; i--)
		if (strcmp(arguments->options[i - 1].row->name, name) == 0)
			return arguments->options[i - 1].value;
	return NULL;
}

bool arguments_flag(const struct arguments *arguments, const char *name)
{
	for (size_t i = 0; i < arguments->option_count; i++)
		if (strcmp(arguments->options[i].row->name, name) == 0)
			return true;
	return false;
}

size_t arguments_values(const struct arguments *arguments, const char *name,
			const char *ret_values[ARGUMENTS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < arguments->option_count; i++)
		if (strcmp(arguments->options[i].row->name, name) == 0)
			ret_values[count++] = arguments->options[i].value;
	return count;
}

void cli_add_line(struct text *text, const struct secrets *secrets, const char *line)
{
	struct text clean = { 0 };

	text_add(&clean, line);
	secrets_redact(secrets, &clean);
	escape_terminal(text, text_str(&clean));
	text_add(text, "\n");
	text_release(&clean);
}

void cli_print_line(FILE *stream, const struct secrets *secrets, const char *line)
{
	struct text safe = { 0 };

	cli_add_line(&safe, secrets, line);
	(void)fputs(text_str(&safe), stream); /* main.c looks at the stream at the end */
	text_release(&safe);
}

void cli_say(void *ctx, const char *line)
{
	(void)ctx;
	cli_print_line(stdout, NULL, line);
	(void)fflush(stdout); /* main.c looks at the stream at the end */
}

void cli_print_wrapped(FILE *stream, const struct secrets *secrets, const char *first,
		       size_t indent, const char *line)
{
	struct text clean = { 0 };
	struct text wrapped = { 0 };

	if (isatty(fileno(stream)) == 1) {
		/* Before it is wrapped: a secret that spans two lines would not be found. */
		text_add(&clean, line);
		secrets_redact(secrets, &clean);
		grid_sentence(&wrapped, first, indent, cli_columns(stream), text_str(&clean));
		(void)fputs(text_str(&wrapped), stream);
	} else {
		text_addf(&wrapped, "%s%s", first, line);
		cli_print_line(stream, secrets, text_str(&wrapped));
	}
	text_release(&clean);
	text_release(&wrapped);
}

int cli_fail(int code, const struct secrets *secrets, const struct err *e)
{
	struct text text = { 0 };

	text_addf(&text, "firedrill: %s", e->text);
	cli_print_line(stderr, secrets, text_str(&text));
	text_release(&text);
	return code;
}

int cli_fail_text(int code, const char *format, ...)
{
	struct text text = { 0 };
	va_list args;

	text_add(&text, "firedrill: ");
	va_start(args, format);
	text_addv(&text, format, args);
	va_end(args);
	cli_print_line(stderr, NULL, text_str(&text));
	text_release(&text);
	return code;
}

void cli_store_path(const struct arguments *arguments, struct text *ret_path)
{
	const char *path = arguments_value(arguments, "store");

	if (path == NULL)
		path = getenv("FIREDRILL_STORE");
	if (path != NULL && *path != '\0')
		text_add(ret_path, path);
	else
		store_default_path(ret_path);
}

void cli_sample_path(const struct arguments *arguments, struct text *ret_path)
{
	struct text place = { 0 };

	cli_store_path(arguments, &place);
	store_beside(text_str(&place), ret_path);
	text_add(ret_path, ".samples"); /* what survives a crash stays together */
	text_release(&place);
}

/* Everybody on this machine can read the arguments of a process. */
bool cli_check_store_option(const struct arguments *arguments, struct err *e)
{
	const char *given = arguments_value(arguments, "store");

	if (given != NULL && store_url_has_password(given))
		return err_set(e, ERR_INPUT,
			       "`--store` holds a password, which every user of this machine can see "
			       "there; put the URL into the variable FIREDRILL_STORE, or the password "
			       "into PGPASSFILE");
	return true;
}

bool cli_open_store(const struct arguments *arguments, const struct secrets *secrets,
		    struct store **ret_store, struct err *e)
{
	struct text place = { 0 };

	if (!cli_check_store_option(arguments, e))
		return false;
	cli_store_path(arguments, &place);

	const bool ok = store_open(text_str(&place), secrets, ret_store, e);

	text_release(&place);
	return ok;
}

bool cli_open_kept(const struct arguments *arguments, struct store **ret_store, struct err *e)
{
	struct text place = { 0 };
	bool ok = true;

	*ret_store = NULL;
	if (!cli_check_store_option(arguments, e))
		return false;
	cli_store_path(arguments, &place);
	if (store_is_there(text_str(&place)))
		ok = store_open(text_str(&place), NULL, ret_store, e);
	else if (arguments_value(arguments, "store") != NULL)
		ok = err_set(e, ERR_INPUT, "there is no store %s", text_str(&place));
	text_release(&place);
	return ok;
}

bool cli_need_store(const struct arguments *arguments, struct store **ret_store, struct err *e)
{
	struct text place = { 0 };

	if (!cli_open_kept(arguments, ret_store, e))
		return false;
	if (*ret_store != NULL)
		return true;
	cli_store_path(arguments, &place);
	err_set(e, ERR_INPUT, "there are no runs yet: the first `firedrill run` makes the store %s",
		text_str(&place));
	text_release(&place);
	return false;
}

bool cli_is_bundle(const char *run)
{
	const size_t length = strlen(run);

	return strchr(run, '/') != NULL || (length > 4 && strcmp(run + length - 4, ".tar") == 0);
}

int cli_fail_evidence(const struct secrets *secrets, const struct err *e)
{
	switch (e->kind) {
	case ERR_ALTERED:
		return cli_fail(EXIT_MISSED, secrets, e);
	case ERR_INPUT:
	case ERR_REFUSED:
		return cli_fail(EXIT_NOT_RUN, secrets, e);
	case ERR_NONE:
	case ERR_REMOTE:
	case ERR_DEADLINE:
	case ERR_LIMIT:
	case ERR_STORE:
	case ERR_INTERNAL:
		break;
	}
	return cli_fail(EXIT_INTERNAL, secrets, e);
}

static bool split_var(const char *given, struct arena *arena, struct pair *ret_var)
{
	const size_t length = strcspn(given, "=");

	if (length == 0 || given[length] != '=')
		return false;
	ret_var->name = arena_copy_bytes(arena, given, length);
	ret_var->value = arena_copy(arena, given + length + 1);
	return true;
}

static void print_problems(const struct problems *problems, const struct secrets *secrets)
{
	struct text text = { 0 };

	for (size_t i = 0; i < problems->count; i++) {
		text_clear(&text);
		problem_print(&problems->items[i], &text);
		cli_print_line(stderr, secrets, text_str(&text));
	}
	if (problems->dropped_count > 0)
		(void)fprintf(stderr, "... and %zu more\n", problems->dropped_count);
	text_release(&text);
}

/* The --var words as pairs; NULL: one is none, which was said. */
static const struct pair *take_vars(const struct arguments *arguments, struct arena *arena,
				    size_t *ret_count)
{
	const char *given[ARGUMENTS_MAX];
	const size_t count = arguments_values(arguments, "var", given);
	struct pair *vars = arena_alloc(arena, (count + 1) * sizeof *vars);

	for (size_t i = 0; i < count; i++)
		if (!split_var(given[i], arena, &vars[i])) {
			(void)cli_fail_text(EXIT_NOT_RUN, "`--var %s` is not NAME=VALUE", given[i]);
			return NULL;
		}
	*ret_count = count;
	return vars;
}

bool cli_load(const struct arguments *arguments, const char *path, bool has_secrets,
	      struct arena *arena, struct secrets *secrets,
	      const struct experiment **ret_experiment)
{
	struct load_request request = {
		.experiment_path = path,
		.inventory_path = arguments_value(arguments, "inventory"),
		.has_secrets = has_secrets,
	};
	struct problems *problems = arena_alloc(arena, sizeof *problems);

	request.vars = take_vars(arguments, arena, &request.var_count);
	if (request.vars == NULL)
		return false;

	const bool ok = load_experiment(&request, arena, secrets, ret_experiment, problems);

	print_problems(problems, secrets);
	return ok;
}

bool cli_load_inventory(const struct arguments *arguments, struct arena *arena,
			struct secrets *secrets, const struct inventory **ret_inventory)
{
	const char *given = arguments_value(arguments, "inventory");
	struct load_request request = {
		.inventory_path = given != NULL ? given : "inventory.yaml",
	};
	struct problems *problems = arena_alloc(arena, sizeof *problems);

	request.vars = take_vars(arguments, arena, &request.var_count);
	if (request.vars == NULL)
		return false;

	const bool ok = load_inventory(&request, arena, secrets, ret_inventory, problems);

	print_problems(problems, secrets);
	return ok;
}

bool cli_load_schedules(const struct arguments *arguments, const char *const *paths,
			size_t path_count, struct arena *arena, struct schedule_list *ret_list)
{
	struct load_request request = {
		.inventory_path = arguments_value(arguments, "inventory"),
	};
	struct problems *problems = arena_alloc(arena, sizeof *problems);

	request.vars = take_vars(arguments, arena, &request.var_count);
	if (request.vars == NULL)
		return false;

	const bool ok = load_schedules(&request, paths, path_count, arena, ret_list, problems);

	print_problems(problems, NULL);
	return ok;
}

bool cli_has_colour(FILE *stream)
{
	const char *no_colour = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (no_colour != NULL && *no_colour != '\0')
		return false;
	return isatty(fileno(stream)) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

bool cli_is_utf8(void)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	bool is_utf8;

	if (locale == (locale_t)0)
		return false;
	is_utf8 = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
	freelocale(locale);
	return is_utf8;
}

unsigned cli_columns(FILE *stream)
{
	struct winsize size;

	if (ioctl(fileno(stream), TIOCGWINSZ, &size) == -1 || size.ws_col < 40)
		return 80;
	return size.ws_col;
}

unsigned cli_rows(FILE *stream)
{
	struct winsize size;

	if (ioctl(fileno(stream), TIOCGWINSZ, &size) == -1 || size.ws_row < 4)
		return 24;
	return size.ws_row;
}
