/*
 * serve.c - see serve.h.
 */
#include "serve/serve.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "serve/guard.h"
#include "serve/listen.h"
#include "serve/site.h"
#include "serve/systemd.h"

enum { JOBS_MAX = SERVE_JOBS_MAX + 1 }; /* and the watchdog */

struct server {
	const struct serve_request *request;
	struct web *owned_web;
	struct site *owned_site;
	struct guard *owned_guard; /* NULL: the page is for reading */
	struct text url;
	struct host_names names;
	struct text name;       /* one of them */
	struct {
		struct serve_job job;
		int64_t due_ns;
		bool is_over; /* once the end has come */
	} jobs[JOBS_MAX];
	size_t job_count;
	int64_t watchdog_ns;
	bool is_ending;
};

static void tell_manager(const struct server *server, const char *state)
{
	struct err e = { 0 };

	if (!systemd_tell(state, &e) && server->request->on_trouble != NULL)
		server->request->on_trouble(server->request->ctx, &e);
}

/* ---- names ---- */

static bool take_names(struct server *server, struct err *e)
{
	const char *const *hosts = server->request->hosts;
	size_t count = 0;

	server->names.names[count++] = text_str(&server->name);
	server->names.names[count++] = "localhost";
	for (size_t i = 0; hosts != NULL && hosts[i] != NULL; i++) {
		if (count == REQUEST_HOST_NAMES)
			return err_set(e, ERR_LIMIT, "serve: more than %d names", REQUEST_HOST_NAMES - 2);
		server->names.names[count++] = hosts[i];
	}
	return true;
}

/* ---- jobs ---- */

static void add_job(struct server *server, struct serve_job job)
{
	server->jobs[server->job_count].job = job;
	server->jobs[server->job_count].due_ns = INT64_MIN; /* at once */
	server->job_count++;
}

/* At half the time that is granted, as sd_watchdog_enabled(3) asks. */
static int64_t feed_watchdog(void *ctx, int64_t now_ns)
{
	struct server *server = ctx;

	tell_manager(server, "WATCHDOG=1");
	return now_ns + server->watchdog_ns / 2;
}

static void make_jobs_due(struct server *server)
{
	for (size_t i = 0; i < server->job_count; i++)
		server->jobs[i].due_ns = INT64_MIN;
}

static int64_t run_jobs(struct server *server, int64_t now_ns)
{
	int64_t next_ns = INT64_MAX;

	for (size_t i = 0; i < server->job_count; i++) {
		if (server->jobs[i].due_ns <= now_ns)
			server->jobs[i].due_ns =
				server->jobs[i].job.work(server->jobs[i].job.ctx, now_ns);
		if (server->jobs[i].due_ns < next_ns)
			next_ns = server->jobs[i].due_ns;
	}
	return next_ns;
}

/* The page goes on while one of them does. */
static bool end_jobs(struct server *server)
{
	const int stop_count = (int)*server->request->stop_count;
	bool is_over = true;

	if (!server->is_ending)
		tell_manager(server, "STOPPING=1");
	server->is_ending = true;
	for (size_t i = 0; i < server->job_count; i++) {
		const struct serve_job *job = &server->jobs[i].job;

		if (!server->jobs[i].is_over)
			server->jobs[i].is_over = job->end == NULL || job->end(job->ctx, stop_count);
		is_over = is_over && server->jobs[i].is_over;
	}
	return is_over;
}

/* ---- the loop ---- */

static void read_schedules(struct server *server)
{
	const struct serve_request *request = server->request;

	if (request->schedules != NULL)
		site_set_schedules(server->owned_site, request->schedules(request->ctx));
}

static void reload(struct server *server)
{
	struct err e = { 0 };
	char state[96];

	(void)snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		       clock_now_ns(server->request->clock) / NS_PER_US);
	tell_manager(server, state);
	site_reload(server->owned_site); /* it has the tokens of before */
	if (server->owned_guard != NULL && !guard_reload(server->owned_guard, &e) &&
	    server->request->on_trouble != NULL) {
		(void)err_wrap(&e, "those from before still act, until it is read again or the page ends");
		server->request->on_trouble(server->request->ctx, &e);
	}
	read_schedules(server);
	for (size_t i = 0; i < server->job_count; i++)
		if (server->jobs[i].job.reload != NULL)
			server->jobs[i].job.reload(server->jobs[i].job.ctx);
	make_jobs_due(server);
	tell_manager(server, "READY=1");
}

/* Until something comes in, a signal comes, or the moment has come. */
static void wait_until(struct server *server, int64_t until_ns)
{
	const int64_t left_ns = until_ns == INT64_MAX ? 3600 * NS_PER_S :
				until_ns - clock_now_ns(server->request->clock);
	const struct timespec timeout = {
		.tv_sec = left_ns < 0 ? 0 : (time_t)(left_ns / NS_PER_S),
		.tv_nsec = left_ns < 0 ? 0 : (long)(left_ns % NS_PER_S),
	};
	struct pollfd pollfd = { .fd = web_fd(server->owned_web), .events = POLLIN };
	sigset_t none;

	(void)sigemptyset(&none);
	(void)ppoll(&pollfd, 1, &timeout, &none); /* whatever ended it, the loop looks at all of it */
}

static void take_signals(struct server *server)
{
	const struct serve_request *request = server->request;

	if (*request->reload_signal != 0 && *request->stop_count == 0) {
		*request->reload_signal = 0;
		reload(server);
	}
	if (request->child_signal != NULL && *request->child_signal != 0) {
		*request->child_signal = 0;
		make_jobs_due(server);
	}
}

static void loop(struct server *server)
{
	const struct serve_request *request = server->request;

	for (;;) {
		const int64_t now_ns = clock_now_ns(request->clock);
		int64_t next_ns;
		int64_t job_ns;

		take_signals(server);
		if (*request->stop_count != 0 && end_jobs(server))
			return;
		next_ns = web_work(server->owned_web, now_ns);
		job_ns = run_jobs(server, now_ns);
		wait_until(server, job_ns < next_ns ? job_ns : next_ns);
	}
}

static bool begin(struct server *server, struct err *e)
{
	const struct serve_request *request = server->request;
	struct web_request web = {
		.names = &server->names,
		.limits = request->limits,
		.takes_forms = request->token_path != NULL,
		.answer = site_answer,
	};
	uint16_t port;

	if (request->token_path != NULL &&
	    !guard_open(request->token_path, request->clock, &server->owned_guard, e))
		return false;
	if (!listen_open(request->listen, request->is_beyond_loopback, &web.taken_fd,
			 &server->name, &port, e))
		return false;
	if (!take_names(server, e)) {
		(void)close(web.taken_fd); /* nothing was written to it */
		return false;
	}
	server->owned_site = site_open(request->store_path, request->clock);
	site_take_actions(server->owned_site, server->owned_guard);
	read_schedules(server);
	web.ctx = server->owned_site;
	if (!web_open(&web, &server->owned_web, e))
		return false;
	text_addf(&server->url, "http://%s:%u/", text_str(&server->name), (unsigned)port);
	server->watchdog_ns = systemd_watchdog_ns();
	if (server->watchdog_ns > 0)
		add_job(server, (struct serve_job){ .work = feed_watchdog, .ctx = server });
	for (size_t i = 0; i < request->job_count; i++)
		add_job(server, request->jobs[i]);
	return true;
}

bool serve(const struct serve_request *request, struct err *e)
{
	struct server server = { .request = request };
	bool ok;

	assert(request->job_count <= SERVE_JOBS_MAX);

	ok = begin(&server, e);

	if (ok) {
		if (request->on_ready != NULL)
			request->on_ready(request->ctx, text_str(&server.url));
		tell_manager(&server, "READY=1");
		loop(&server);
	}
	web_close(server.owned_web);
	site_close(server.owned_site);
	guard_close(server.owned_guard);
	text_release(&server.url);
	text_release(&server.name);
	return ok;
}
