/*
 * site.h - what the pages read: the store, and what it held a moment ago.
 *
 * The store is opened when somebody asks and is there, and again when another file lies in its place. A
 * failure is told to whoever asked, and the next one may have more luck: the page outlives its store.
 */
#ifndef SERVE_SITE_H
#define SERVE_SITE_H

#include "base/clock.h"
#include "model/schedule.h"
#include "serve/history.h"
#include "serve/web.h"

struct guard;
struct site;

/* Nothing is opened yet. The texts and the clock must outlive it. */
struct site *site_open(const char *store_path, const struct clock *clock);
/* The schedules that this page knows, valid until the next call; NULL: none (the page was given no files). */
void site_set_schedules(struct site *site, const struct schedule_list *schedules);
const struct schedule_list *site_schedules(const struct site *site);
void site_close(struct site *site); /* NULL is fine */
/* Actions can be done by those whom this guard lets in, from now on. It must outlive the site, and the site
   is reloaded when it changes. */
void site_take_actions(struct site *site, struct guard *guard);
struct guard *site_guard(const struct site *site); /* NULL: the site is for reading */
/* What was read a moment ago is read anew by the next one who asks. */
void site_forget_history(struct site *site);
/* Forgets the store: the next one who asks opens it again. */
void site_reload(struct site *site);

/* Somebody begins to read: until he has all of it he waits for the store at most so long, however often it is
   asked. One loop serves everybody. */
void site_begin(struct site *site);
/* Something went wrong in between: the store is opened anew when somebody asks again. One that has eaten all the
   time is not asked again for a while: whoever asks meanwhile is told the same at once. */
void site_fail(struct site *site, const struct err *e);

/* *ret_store NULL: there is none yet. Valid until the next call. */
bool site_store(struct site *site, struct store **ret_store, struct err *e);
/* As it was at most a second ago; valid until the next call. Without a store it is empty. */
bool site_history(struct site *site, const struct history **ret_history, struct err *e);
/* The folder of the messages that wait; it may not be there. */
void site_outbox(const struct site *site, struct text *ret_folder);
/* The folder of the samples of runs under way on this machine; it may not be there. */
void site_samples(const struct site *site, struct text *ret_folder);
int64_t site_wall_ns(const struct site *site);
/* "firedrill heal RUN", with the option that names the store where it is not the usual one. */
void site_heal_command(const struct site *site, const char *run_id, struct text *text);

/* Finds the page and lets it write; what goes wrong becomes a page, too. An web_answer_fn. */
void site_answer(void *site, const struct request *request, struct arena *arena,
		 struct answer *ret_answer);

#endif
