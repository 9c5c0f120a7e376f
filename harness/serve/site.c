/*
 * site.c - see site.h.
 */
#include "serve/site.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "notify/outbox.h"
#include "serve/door.h"
#include "serve/layout.h"
#include "serve/page.h"

/* What an answer may cost everybody else, and for how long nobody asks a store that took all of it. */
static const int64_t patience_ns = 2 * NS_PER_S;
static const int64_t rest_ns = 5 * NS_PER_S;

struct site {
	const char *store_path;
	const struct clock *clock;
	struct guard *guard; /* NULL: nothing can be done here */
	const struct schedule_list *schedules;
	struct store *owned_store;
	int64_t deadline_ns;
	int64_t rest_until_ns; /* since it hung; 0: it did not */
	struct err hung;       /* and how */
	struct stat file;              /* that owned_store has open */
	struct arena history_arena;
	struct history history;
	struct history_facts facts; /* that the history borrows */
	int64_t history_ns;
	bool has_history;
};

struct site *site_open(const char *store_path, const struct clock *clock)
{
	struct site *site = mem_alloc(sizeof *site);

	site->store_path = store_path;
	site->clock = clock;
	site->deadline_ns = INT64_MAX;
	return site;
}

void site_take_actions(struct site *site, struct guard *guard)
{
	site->guard = guard;
}

struct guard *site_guard(const struct site *site)
{
	return site->guard;
}

void site_forget_history(struct site *site)
{
	arena_release(&site->history_arena);
	site->history_arena = (struct arena){ 0 };
	site->has_history = false;
}

void site_set_schedules(struct site *site, const struct schedule_list *schedules)
{
	site->schedules = schedules;
}

const struct schedule_list *site_schedules(const struct site *site)
{
	return site->schedules;
}

void site_reload(struct site *site)
{
	store_close(site->owned_store);
	site->owned_store = NULL;
	site_forget_history(site);
	history_facts_release(&site->facts);
}

void site_close(struct site *site)
{
	if (site == NULL)
		return;
	site_reload(site);
	free(site);
}

int64_t site_wall_ns(const struct site *site)
{
	return clock_wall_ns(site->clock);
}

void site_begin(struct site *site)
{
	site->deadline_ns = clock_now_ns(site->clock) + patience_ns;
}

void site_fail(struct site *site, const struct err *e)
{
	const int64_t now_ns = clock_now_ns(site->clock);

	/* Its own limits may have ended the wait a little earlier. */
	if (site->rest_until_ns == 0 && now_ns >= site->deadline_ns - patience_ns / 2) {
		site->rest_until_ns = now_ns + rest_ns;
		site->hung = *e;
	}
	site_reload(site);
}

/* Is it too early to ask it again? */
static bool is_resting(struct site *site)
{
	if (clock_now_ns(site->clock) >= site->rest_until_ns)
		site->rest_until_ns = 0;
	return site->rest_until_ns != 0;
}

static bool is_file(const struct site *site)
{
	return strstr(site->store_path, "://") == NULL;
}

/* A copy that was brought back, or a store that was put aside: another file, or none. */
static bool was_replaced(const struct site *site)
{
	struct stat now;

	return is_file(site) && (stat(site->store_path, &now) == -1 ||
				 now.st_ino != site->file.st_ino || now.st_dev != site->file.st_dev);
}

bool site_store(struct site *site, struct store **ret_store, struct err *e)
{
	if (site->owned_store != NULL && was_replaced(site))
		site_reload(site);
	*ret_store = NULL;
	if (is_resting(site)) {
		*e = site->hung;
		return false;
	}
	if (site->owned_store != NULL)
		store_set_deadline(site->owned_store, site->deadline_ns);
	if (site->owned_store == NULL && store_is_there(site->store_path)) {
		if (!store_open_by(site->store_path,
				   site->guard == NULL ? NULL : guard_secrets(site->guard),
				   site->deadline_ns, &site->owned_store, e))
			return false;
		if (is_file(site) && stat(site->store_path, &site->file) == -1)
			site->file = (struct stat){ 0 }; /* replaced this moment: seen next time */
	}
	*ret_store = site->owned_store;
	return true;
}

bool site_history(struct site *site, const struct history **ret_history, struct err *e)
{
	const int64_t now_ns = clock_now_ns(site->clock);
	struct store *store;

	if (!site_store(site, &store, e))
		return false;
	if (!site->has_history || now_ns - site->history_ns > NS_PER_S) {
		site_forget_history(site);
		site->history = (struct history){ 0 };
		if (store != NULL && !history_read(store, site_wall_ns(site), &site->facts,
						   &site->history_arena, &site->history, e)) {
			site_fail(site, e);
			return false;
		}
		site->history_ns = now_ns;
		site->has_history = true;
	}
	*ret_history = &site->history;
	return true;
}

void site_outbox(const struct site *site, struct text *ret_folder)
{
	store_beside(site->store_path, ret_folder);
	text_add(ret_folder, OUTBOX_NAME_END);
}

void site_samples(const struct site *site, struct text *ret_folder)
{
	store_beside(site->store_path, ret_folder);
	text_add(ret_folder, ".samples");
}

void site_heal_command(const struct site *site, const char *run_id, struct text *text)
{
	struct text usual = { 0 };

	text_addf(text, "firedrill heal %s", run_id);
	store_default_path(&usual);
	/* An address of a server may hold a password, and whoever heals knows it. */
	if (is_file(site) && strcmp(text_str(&usual), site->store_path) != 0)
		text_addf(text, " --store %s", site->store_path);
	text_release(&usual);
}

static unsigned status_of(enum err_kind kind)
{
	switch (kind) {
	case ERR_INPUT:
		return 404;
	case ERR_ALTERED:
	case ERR_INTERNAL:
		return 500;
	case ERR_NONE:
	case ERR_REMOTE:
	case ERR_DEADLINE:
	case ERR_LIMIT:
	case ERR_REFUSED:
	case ERR_STORE:
		break;
	}
	return 503;
}

/* What can only be done answers to POST alone. */
static bool read_page(const struct visit *visit, const struct page *page, struct answer *answer,
		      struct err *e)
{
	if (page->write != NULL)
		return page->write(visit, answer, e);
	layout_refuse(visit, 405, "Not by reading", "this is done by a form: POST", answer);
	answer->allow = "POST";
	return true;
}

void site_answer(void *ctx, const struct request *request, struct arena *arena,
		 struct answer *ret_answer)
{
	struct visit visit = { .site = ctx, .request = request, .arena = arena };
	const struct page *page = page_find(request->path, arena, &visit.id);
	struct answer answer = { .status = 200 };
	struct err e = { 0 };
	bool ok;

	site_begin(visit.site);
	visit.takes_actions = visit.site->guard != NULL;
	if (visit.takes_actions)
		guard_recognise(visit.site->guard, request, arena, &visit.caller);
	if (page == NULL)
		ok = err_set(&e, ERR_INPUT, "there is no page %.200s here", request->path);
	else if (request->is_post)
		ok = door_take(&visit, page, &answer, &e);
	else
		ok = read_page(&visit, page, &answer, &e);
	if (!ok && e.kind != ERR_INPUT)
		site_fail(visit.site, &e); /* the next one opens it anew: a server may be back by then */
	if (page != NULL && answer.content_type == NULL)
		answer.content_type = page->content_type;
	if (!ok) {
		text_release(&answer.body);
		answer = (struct answer){ .status = status_of(e.kind), .content_type = PAGE_HTML };
		layout_failure(&visit, &e, &answer.body);
	}
	*ret_answer = answer;
}
