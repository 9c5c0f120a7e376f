/*
 * door.c - see door.h.
 */
#include "serve/door.h"

#include <string.h>

#include "serve/layout.h"

static const struct refusal {
	enum guard_answer said;
	unsigned status;
	const char *title;
	const char *sentence;
} refusals[] = {
	{ GUARD_OPEN_LINE, 403, "Not over this line",
	  "others could read the token on its way here, so none is taken: ask from the machine that "
	  "firedrill serve runs on, or through a proxy on it that speaks TLS and says so "
	  "(X-Forwarded-Proto: https)" },
	{ GUARD_STRANGE, 403, "Not from here",
	  "this request does not come from a page of this server, or from one that is too old: load the "
	  "page again and repeat it" },
	{ GUARD_UNKNOWN, 401, "Nobody is signed in",
	  "you are not signed in, or no longer: sign in, and repeat it" },
	{ GUARD_WRONG, 401, "No such token", "there is no such token" },
	{ GUARD_WAIT, 429, "Not now",
	  "there were too many wrong tokens; try again in a minute" },
};

bool door_refuse(const struct visit *visit, enum guard_answer said, const struct caller *caller,
		 struct answer *answer, struct err *e)
{
	const struct refusal *refusal = refusals;

	while (refusal->said != said)
		refusal++;
	if (said == GUARD_WRONG &&
	    !door_note(visit, "sign-in", caller, AUDIT_REFUSED, "There is no such token", e))
		return false;
	layout_refuse(visit, refusal->status, refusal->title, refusal->sentence, answer);
	return true;
}

bool door_note(const struct visit *visit, const char *action, const struct caller *caller,
	       enum audit_outcome outcome, const char *sentence, struct err *e)
{
	const int64_t now_ns = site_wall_ns(visit->site);
	const struct audit_row begin = { .wall_ns = now_ns,
					 .person = caller->person,
					 .action = action,
					 .address = caller->address };
	struct audit_row end = { .outcome = outcome, .ended_wall_ns = now_ns, .sentence = sentence };
	struct store *store;

	if (!site_store(visit->site, &store, e))
		return false;
	if (store == NULL)
		return err_set(e, ERR_INPUT, "there is no store yet: the first `firedrill run` makes one");
	return store_audit_begin(store, &begin, &end.audit_id, e) && store_audit_end(store, &end, e);
}

void door_lead_in(const struct visit *visit, struct answer *answer)
{
	struct text here = { 0 };
	struct text target = { 0 };
	const char *subject = request_param(visit->request, "on");

	text_add(&here, visit->request->path);
	if (*subject != '\0') {
		text_add(&here, "?on=");
		request_encode(&here, subject);
	}
	text_add(&target, "/sign-in?next=");
	request_encode(&target, text_str(&here));
	layout_send_to(arena_copy(visit->arena, text_str(&target)), answer);
	text_release(&here);
	text_release(&target);
}

bool door_take(struct visit *visit, const struct page *page, struct answer *answer, struct err *e)
{
	struct guard *guard = site_guard(visit->site);
	enum guard_answer said;

	if (page->take == NULL || guard == NULL) {
		layout_refuse(visit, 405, "Only for reading", "this page is only for reading: GET and HEAD",
			      answer);
		return true;
	}
	if (page->is_way_in)
		return page->take(visit, answer, e);
	said = guard_admit(guard, visit->request, visit->arena, &visit->caller);
	return said == GUARD_PASSES ? page->take(visit, answer, e) :
				      door_refuse(visit, said, &visit->caller, answer, e);
}
