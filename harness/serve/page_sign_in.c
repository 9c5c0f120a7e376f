/*
 * page_sign_in.c - pages "/sign-in" and "/sign-out": a token for a session, and the end of it. Both are
 * written down, and so are tokens that were wrong.
 */
#include "serve/door.h"
#include "serve/layout.h"

#include "reports/escape.h"

static void add_form(const char *next, struct text *body)
{
	text_add(body, "<form class=\"deed\" method=\"post\" action=\"/sign-in\">\n"
		       "<input type=\"hidden\" name=\"next\" value=\"");
	escape_markup(body, next);
	text_addf(body, "\">\n<label for=\"token\">Your token</label>\n"
			"<input id=\"token\" name=\"token\" type=\"password\" required maxlength=\"%d\" "
			"autocomplete=\"current-password\" autofocus>\n"
			"<p class=\"choices\"><button type=\"submit\">Sign in</button> "
			"<a href=\"/\">Leave it</a></p></form>\n", TOKEN_MAX_BYTES);
}

static bool write_sign_in(const struct visit *visit, struct answer *answer, struct err *e)
{
	const char *next = request_param(visit->request, "next");

	if (!visit->takes_actions)
		return err_set(e, ERR_INPUT, "nobody signs in here: `firedrill serve` was started "
			       "without --actions-token-file");
	layout_open(visit, "Sign in", &answer->body);
	text_add(&answer->body, "<p>Reading needs no sign-in. What you do here is written down under the "
				"name that your token stands for. A session ends after 8 hours.</p>\n");
	add_form(request_is_local(next) ? next : "/", &answer->body);
	layout_close(&answer->body);
	return true;
}

static bool take_sign_in(const struct visit *visit, struct answer *answer, struct err *e)
{
	const char *next = request_field(visit->request, "next");
	const char *cookie = NULL;
	struct caller caller;
	const enum guard_answer said = guard_sign_in(site_guard(visit->site), visit->request, visit->arena,
						     &caller, &cookie);

	if (said != GUARD_PASSES)
		return door_refuse(visit, said, &caller, answer, e);
	if (!door_note(visit, "sign-in", &caller, AUDIT_DONE, "Signed in", e))
		return false; /* the cookie goes nowhere, so nobody has the session */
	answer->cookie = cookie;
	layout_send_to(request_is_local(next) ? next : "/", answer);
	return true;
}

static bool take_sign_out(const struct visit *visit, struct answer *answer, struct err *e)
{
	struct err unsaid = { 0 };

	(void)e;
	guard_sign_out(site_guard(visit->site), visit->request, visit->arena, &answer->cookie);
	layout_send_to("/", answer);
	/* Whoever wants to leave leaves, whether or not it can be written down. */
	(void)door_note(visit, "sign-out", &visit->caller, AUDIT_DONE, "Signed out", &unsaid);
	return true;
}

const struct page page_sign_in = {
	.path = "/sign-in",
	.content_type = PAGE_HTML,
	.write = write_sign_in,
	.take = take_sign_in,
	.is_way_in = true,
};

const struct page page_sign_out = {
	.path = "/sign-out",
	.content_type = PAGE_HTML,
	.take = take_sign_out,
};
