/*
 * template.c - see template.h. A value is put in once and never looked at again, so a title that holds
 * {{sentence}} says just that.
 */
#include "notify/template.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "notify/channel.h"

struct filling {
	const struct happening *happening;
	const char *message_id;
};

typedef void value_fn(const struct filling *filling, struct text *text);

static void add_or_nothing(struct text *text, const char *value)
{
	if (value != NULL)
		text_add(text, value);
}

#define TEXT_VALUE(name)                                                               \
	static void value_##name(const struct filling *filling, struct text *text)     \
	{                                                                              \
		add_or_nothing(text, filling->happening->name);                        \
	}
TEXT_VALUE(run_id)
TEXT_VALUE(title)
TEXT_VALUE(hypothesis)
TEXT_VALUE(service)
TEXT_VALUE(environment)
TEXT_VALUE(verdict)
TEXT_VALUE(sentence)
TEXT_VALUE(previous_run)
TEXT_VALUE(heal_command)
TEXT_VALUE(report)
TEXT_VALUE(link)
TEXT_VALUE(machine)
TEXT_VALUE(person)
#undef TEXT_VALUE

static void value_id(const struct filling *filling, struct text *text)
{
	text_add(text, filling->message_id);
}

static void value_kind(const struct filling *filling, struct text *text)
{
	text_add(text, happening_name(filling->happening->kinds));
}

static void value_headline(const struct filling *filling, struct text *text)
{
	text_add(text, happening_headline(filling->happening->kinds));
}

static void value_facts(const struct filling *filling, struct text *text)
{
	channel_add_facts(filling->happening, text);
}

static void value_tier(const struct filling *filling, struct text *text)
{
	text_addf(text, "%" PRId64, filling->happening->tier);
}

static void value_exit_code(const struct filling *filling, struct text *text)
{
	text_addf(text, "%" PRId64, filling->happening->exit_code);
}

static void value_time(const struct filling *filling, struct text *text)
{
	char wall[32];

	clock_format_wall(filling->happening->wall_ns, wall, sizeof wall);
	text_add(text, wall);
}

static const struct {
	const char *name;
	value_fn *add;
} values[] = {
	{ "id", value_id },
	{ "kind", value_kind },
	{ "headline", value_headline },
	{ "run", value_run_id },
	{ "title", value_title },
	{ "hypothesis", value_hypothesis },
	{ "service", value_service },
	{ "tier", value_tier },
	{ "environment", value_environment },
	{ "verdict", value_verdict },
	{ "exit_code", value_exit_code },
	{ "sentence", value_sentence },
	{ "facts", value_facts },
	{ "previous_run", value_previous_run },
	{ "heal_command", value_heal_command },
	{ "report", value_report },
	{ "link", value_link },
	{ "machine", value_machine },
	{ "person", value_person },
	{ "time", value_time },
};

enum { VALUE_COUNT = sizeof values / sizeof values[0] };

static value_fn *value_find(const char *name, size_t name_bytes)
{
	for (size_t i = 0; i < VALUE_COUNT; i++)
		if (strlen(values[i].name) == name_bytes &&
		    strncmp(values[i].name, name, name_bytes) == 0)
			return values[i].add;
	return NULL;
}

/* The name between the braces, without blanks around it; NULL: there is no `}}`. */
static const char *name_at(const char *open, size_t *ret_name_bytes, const char **ret_rest)
{
	const char *name = open + 2;
	const char *close = strstr(name, "}}");

	if (close == NULL)
		return NULL;
	*ret_rest = close + 2;
	while (*name == ' ')
		name++;
	while (close > name && close[-1] == ' ')
		close--;
	*ret_name_bytes = (size_t)(close - name);
	return name;
}

/* json.c escapes as it does everywhere; the quotes around are the template's. */
static void escape_json(struct text *text, const char *raw)
{
	struct json *array = json_array();
	struct text printed = { 0 };

	json_push_text(array, raw);
	json_print(array, false, &printed);
	text_add_bytes(text, text_str(&printed) + strlen("[\""),
		       printed.length_bytes - strlen("[\"\"]"));
	json_release(array);
	text_release(&printed);
}

static void escape_form(struct text *text, const char *raw)
{
	for (; *raw != '\0'; raw++) {
		const unsigned char byte = (unsigned char)*raw;

		if (isalnum(byte) || strchr("-._~", byte) != NULL)
			text_add_bytes(text, raw, 1);
		else
			text_addf(text, "%%%02X", byte);
	}
}

static void add_escaped(struct text *text, enum template_escape escape, const char *raw)
{
	switch (escape) {
	case TEMPLATE_JSON:
		escape_json(text, raw);
		return;
	case TEMPLATE_FORM:
		escape_form(text, raw);
		return;
	case TEMPLATE_PLAIN:
		text_add(text, raw);
		return;
	}
}

void template_fill(const char *source, enum template_escape escape,
		   const struct happening *happening, const char *message_id, struct text *text)
{
	const struct filling filling = { happening, message_id };
	struct text value = { 0 };

	for (;;) {
		const char *open = strstr(source, "{{");
		const char *rest = NULL;
		size_t name_bytes = 0;

		if (open == NULL)
			break;

		const char *name = name_at(open, &name_bytes, &rest);
		value_fn *add = name == NULL ? NULL : value_find(name, name_bytes);

		assert(add != NULL); /* template_check has seen it */
		text_add_bytes(text, source, (size_t)(open - source));
		text_clear(&value);
		add(&filling, &value);
		add_escaped(text, escape, text_str(&value));
		source = rest;
	}
	text_add(text, source);
	text_release(&value);
}

static bool refuse_name(const char *name, size_t name_bytes, struct err *e)
{
	struct text all = { 0 };

	for (size_t i = 0; i < VALUE_COUNT; i++)
		text_addf(&all, "%s%s", i == 0 ? "" : ", ", values[i].name);
	err_set(e, ERR_INPUT, "there is no `{{%.*s}}`; write one of %s", (int)name_bytes, name,
		text_str(&all));
	text_release(&all);
	return false;
}

static bool check_names(const char *source, struct err *e)
{
	for (;;) {
		const char *open = strstr(source, "{{");
		size_t name_bytes = 0;

		if (open == NULL)
			return true;

		const char *name = name_at(open, &name_bytes, &source);

		if (name == NULL)
			return err_set(e, ERR_INPUT, "`{{` without its `}}`");
		if (value_find(name, name_bytes) == NULL)
			return refuse_name(name, name_bytes, e);
	}
}

bool template_check(const char *source, enum template_escape escape, struct err *e)
{
	static const struct happening example = { .kinds = HAPPENING_TEST, .run_id = "r", .title = "t",
						  .verdict = "none", .sentence = "s" };
	struct json *parsed = NULL;
	struct text text = { 0 };
	struct err why = { 0 };
	bool is_ok = check_names(source, e);

	if (is_ok && escape == TEMPLATE_JSON) {
		template_fill(source, escape, &example, "i", &text);
		is_ok = json_parse(text_str(&text), text.length_bytes, &parsed, &why) ||
			err_set(e, ERR_INPUT, "filled in, it is no JSON (%s); texts need quotes "
				"around them: \"{{title}}\"", why.text);
		json_release(parsed);
	}
	text_release(&text);
	return is_ok;
}
