/*
 * page_actions.c - page "/actions/NAME": what an action does, with a form for whoever is signed in; and the
 * doing of it. Who may was asked before; here it is written down, done, and written down what came of it.
 */
#include "serve/action.h"
#include "serve/door.h"
#include "serve/layout.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "reports/escape.h"

/* ---- the form ---- */

static void add_form(const struct errand *errand, struct text *body)
{
	const struct action *action = errand->action;

	text_addf(body, "<form class=\"deed\" method=\"post\" action=\"/actions/%s\">\n"
			"<input type=\"hidden\" name=\"" GUARD_FORM_KEY "\" value=\"%s\">\n",
		  action->name, errand->visit->caller.form_key);
	if (action->subject != NULL) {
		text_add(body, "<input type=\"hidden\" name=\"on\" value=\"");
		escape_markup(body, errand->subject);
		text_add(body, "\">\n");
	}
	if (errand->digest != NULL)
		text_addf(body, "<input type=\"hidden\" name=\"digest\" value=\"%s\">\n", errand->digest);
	if (action->has_reason)
		text_addf(body, "<label for=\"reason\">Why, for those who come after you</label>\n"
				"<input id=\"reason\" name=\"reason\" required maxlength=\"%d\" "
				"autocomplete=\"off\" autofocus>\n", LIMIT_REASON_BYTES);
	text_add(body, "<p class=\"choices\"><button type=\"submit\">");
	escape_markup(body, action->button);
	text_add(body, "</button> <a href=\"/\">Leave it</a></p></form>\n");
}

static bool begin_errand(const struct visit *visit, const char *subject, struct errand *ret_errand,
		       struct err *e)
{
	*ret_errand = (struct errand){
		.action = action_find(visit->id),
		.visit = visit,
		.subject = subject,
		.person = visit->caller.person,
		.wall_ns = site_wall_ns(visit->site),
	};
	if (ret_errand->action == NULL)
		return err_set(e, ERR_INPUT, "there is no action `%s`", visit->id);
	if (!site_store(visit->site, &ret_errand->store, e))
		return false;
	if (ret_errand->store == NULL)
		return err_set(e, ERR_INPUT, "there is no store yet: the first `firedrill run` makes one");
	return true;
}

static bool write_actions(const struct visit *visit, struct answer *answer, struct err *e)
{
	struct text *body = &answer->body;
	struct text shown = { 0 };
	struct errand errand;
	bool ok;

	if (!visit->takes_actions)
		return err_set(e, ERR_INPUT, "this page is for reading: `firedrill serve` was started "
			       "without --actions-token-file");
	if (!begin_errand(visit, request_param(visit->request, "on"), &errand, e))
		return false;
	ok = errand.action->show == NULL || errand.action->show(&errand, &shown, e);
	if (ok && visit->caller.form_key == NULL) {
		door_lead_in(visit, answer);
	} else if (ok) {
		layout_open(visit, errand.action->title, body);
		if (errand.action->subject != NULL) {
			text_add(body, "<p class=\"subject\">");
			escape_markup(body, errand.action->subject);
			text_add(body, " <strong>");
			escape_markup(body, errand.subject);
			text_add(body, "</strong></p>\n");
		}
		html_element(body, "p", NULL, errand.action->about);
		text_add(body, text_str(&shown));
		add_form(&errand, body);
		layout_close(body);
	}
	text_release(&shown);
	return ok;
}

/* ---- doing it ---- */

/* Without the blanks at its ends. */
static bool take_reason(struct errand *errand, struct err *e)
{
	const char *given = request_field(errand->visit->request, "reason");
	size_t length;

	if (!errand->action->has_reason)
		return true;
	given += strspn(given, " ");
	length = strlen(given);
	while (length > 0 && given[length - 1] == ' ')
		length--;
	if (length == 0)
		return err_set(e, ERR_INPUT, "say why, for those who come after you");
	if (length > LIMIT_REASON_BYTES)
		return err_set(e, ERR_INPUT, "a reason has at most %d bytes", LIMIT_REASON_BYTES);
	errand->reason = arena_copy_bytes(errand->visit->arena, given, length);
	return true;
}

/* Something else than what was asked for must not stand in the audit, so a long one is refused before it. */
static bool take_subject(struct errand *errand, struct err *e)
{
	if (errand->action->subject == NULL)
		errand->subject = NULL;
	else if (*errand->subject == '\0' || strlen(errand->subject) > 2 * LIMIT_NAME_BYTES)
		return err_set(e, ERR_INPUT, "name a %s (`on`)", errand->action->subject);
	return true;
}

static bool do_errand(const struct errand *errand, struct audit_row *row, struct err *e)
{
	struct err why = { 0 };
	const char *sentence = NULL;

	*row = (struct audit_row){
		.wall_ns = errand->wall_ns,
		.person = errand->person,
		.action = errand->action->name,
		.subject = errand->subject,
		.reason = errand->reason,
		.address = errand->visit->caller.address,
	};
	if (!store_audit_begin(errand->store, row, &row->audit_id, e))
		return err_wrap(e, "nothing was done, since it could not be written down");
	if (errand->action->act(errand, &sentence, &why)) {
		row->outcome = AUDIT_DONE;
		row->sentence = sentence;
	} else {
		row->outcome = why.kind == ERR_INPUT || why.kind == ERR_REFUSED ? AUDIT_REFUSED :
										  AUDIT_FAILED;
		row->sentence = arena_copy(errand->visit->arena, why.text);
	}
	row->ended_wall_ns = site_wall_ns(errand->visit->site);
	site_forget_history(errand->visit->site); /* the next page shows what has come of it */
	return store_audit_end(errand->store, row, e) ||
	       err_wrap(e, "action %" PRId64 " was begun (%s), but its end could not be written down",
			row->audit_id, row->sentence);
}

/* A script reads what has come of it, and sees by the status whether it was done. */
static void tell_script(const struct audit_row *row, struct answer *answer)
{
	struct json *json = json_object();

	json_put_int(json, "audit", row->audit_id);
	json_put_text(json, "outcome", audit_outcome_name(row->outcome));
	json_put_text(json, "sentence", row->sentence);
	json_print(json, false, &answer->body);
	text_add(&answer->body, "\n");
	json_release(json);
	answer->content_type = "application/json; charset=utf-8";
	answer->status = row->outcome == AUDIT_DONE ? 200 : row->outcome == AUDIT_REFUSED ? 409 : 500;
}

static bool take_actions(const struct visit *visit, struct answer *answer, struct err *e)
{
	struct audit_row row;
	struct errand errand;

	if (!begin_errand(visit, request_field(visit->request, "on"), &errand, e))
		return false;
	if (!take_subject(&errand, e) || !take_reason(&errand, e)) {
		layout_refuse(visit, 422, "Not done", e->text, answer);
		return true;
	}
	if (!do_errand(&errand, &row, e))
		return false;
	if (visit->caller.is_script)
		tell_script(&row, answer);
	else
		layout_send_to(arena_format(visit->arena, "/audit/%" PRId64, row.audit_id), answer);
	return true;
}

const struct page page_actions = {
	.path = "/actions/*",
	.content_type = PAGE_HTML,
	.write = write_actions,
	.take = take_actions,
};
