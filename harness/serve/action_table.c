/*
 * action_table.c - the list of actions. Adding one is one row here.
 */
#include "serve/action.h"

#include <string.h>

#include "reports/escape.h"

#define ACTION_ROWS(X) \
	X(stop)        \
	X(stop_all)    \
	X(resume_all)  \
	X(pause)       \
	X(resume)      \
	X(ack)         \
	X(run)         \
	X(approve)

#define X(id) extern const struct action action_##id;
ACTION_ROWS(X)
#undef X

static const struct action *const actions[] = {
#define X(id) &action_##id,
	ACTION_ROWS(X)
#undef X
};

const struct action *action_find(const char *name)
{
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		if (strcmp(actions[i]->name, name) == 0)
			return actions[i];
	return NULL;
}

const char *action_address(const char *name, const char *subject, struct arena *arena)
{
	struct text address = { 0 };
	const char *copy;

	text_addf(&address, "/actions/%s", name);
	if (subject != NULL) {
		text_add(&address, "?on=");
		request_encode(&address, subject);
	}
	copy = arena_copy(arena, text_str(&address));
	text_release(&address);
	return copy;
}

void action_link(const struct visit *visit, const char *name, const char *subject, const char *words,
		 struct text *body)
{
	if (!visit->takes_actions)
		return;
	text_add(body, "<a class=\"act\" href=\"");
	escape_markup(body, action_address(name, subject, visit->arena));
	text_add(body, "\">");
	escape_markup(body, words);
	text_add(body, "</a>\n");
}

void action_show_caller(const struct visit *visit, struct text *body)
{
	if (!visit->takes_actions)
		return;
	if (visit->caller.form_key == NULL) {
		text_add(body, "<p class=\"caller\"><a href=\"/sign-in\">Sign in</a></p>\n");
		return;
	}
	text_add(body, "<form class=\"caller\" method=\"post\" action=\"/sign-out\"><span>");
	escape_markup(body, visit->caller.person);
	text_addf(body, "</span> <input type=\"hidden\" name=\"" GUARD_FORM_KEY "\" value=\"%s\">"
			"<button type=\"submit\">Sign out</button></form>\n", visit->caller.form_key);
}
