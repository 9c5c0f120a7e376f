/*
 * serve.c - command "serve": the web page and /metrics over what is in the store, for reading, until a
 * signal ends it. With files it is the daemon, too: it runs what they schedule (serve_daemon.h).
 */
#include <signal.h>

#include "cli/serve_daemon.h"
#include "serve/listen.h"
#include "serve/serve.h"

static const struct option_row serve_options[] = {
	{ "listen", "ADDRESS:PORT", "where to listen; default " LISTEN_DEFAULT ", port 0: a free one" },
	{ "beyond-loopback", NULL,
	  "allow an address that other machines reach: the page asks nobody who they are" },
	{ "host", "NAME", "another name this server goes by, behind a proxy; may be given often" },
	{ "actions-token-file", "FILE",
	  "let those act by way of the page whose NAME:TOKEN stands in this file (mode 0600); default: it is "
	  "for reading" },
	{ "jobs", "NUMBER", "with files: at most so many runs at one time; default 1. 0: workers are elsewhere" },
	{ "labels", "NAME=VALUE,...", "with files: run what asks for these, too, such as site=eu-west" },
	{ "own-documents", NULL,
	  "with files: run only what stands on this machine, unchanged, where the schedule says" },
	VAR_OPTION,
	INVENTORY_OPTION,
	STORE_OPTION,
	{ NULL, NULL, NULL },
};

static volatile sig_atomic_t stop_count;
static volatile sig_atomic_t reload_signal;
static volatile sig_atomic_t end_signal; /* of a process of ours */

static void take_stop(int number)
{
	(void)number;
	stop_count = stop_count + 1;
}

static void take_reload(int number)
{
	reload_signal = number;
}

static void take_end(int number)
{
	end_signal = number;
}

/* They come in only while the loop waits, so none is missed between looking and waiting. */
static void catch_signals(void)
{
	static const struct {
		int number;
		void (*take)(int);
	} rows[] = {
		{ SIGINT, take_stop },
		{ SIGTERM, take_stop },
		{ SIGHUP, take_reload },
		{ SIGCHLD, take_end },
	};
	sigset_t blocked;

	(void)sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct sigaction action = { .sa_handler = rows[i].take,
						  .sa_flags = SA_NOCLDSTOP };

		(void)sigaction(rows[i].number, &action, NULL); /* cannot fail for these */
		(void)sigaddset(&blocked, rows[i].number);
	}
	(void)sigprocmask(SIG_BLOCK, &blocked, NULL);
}

static const struct schedule_list *tell_schedules(void *ctx)
{
	return serve_daemon_schedules(ctx);
}

static void tell_ready(void *ctx, const char *url)
{
	(void)printf("firedrill serves %s%s\n", url,
		     ctx == NULL ? "; Ctrl-C ends it" :
				   ", and runs what is scheduled; Ctrl-C ends it when that is over, a second "
				   "one heals and ends");
	(void)fflush(stdout); /* main.c looks at the stream at the end */
}

static void tell_trouble(void *ctx, const struct err *e)
{
	(void)ctx;
	(void)cli_fail(0, NULL, e);
}

static int code_of(enum err_kind kind)
{
	return kind == ERR_INPUT || kind == ERR_REFUSED ? EXIT_NOT_RUN : EXIT_INTERNAL;
}

static int serve_with(const struct arguments *arguments, struct serve_daemon *daemon)
{
	const char *listen = arguments_value(arguments, "listen");
	const char *hosts[ARGUMENTS_MAX + 1] = { NULL };
	const struct clock clock = clock_system();
	struct serve_job job = { 0 };
	struct text store = { 0 };
	struct err e = { 0 };

	(void)arguments_values(arguments, "host", hosts);
	cli_store_path(arguments, &store);
	catch_signals();
	if (daemon != NULL)
		job = serve_daemon_job(daemon);

	const struct serve_request request = {
		.listen = listen == NULL ? LISTEN_DEFAULT : listen,
		.is_beyond_loopback = arguments_flag(arguments, "beyond-loopback"),
		.hosts = hosts,
		.store_path = text_str(&store),
		.token_path = arguments_value(arguments, "actions-token-file"),
		.schedules = daemon == NULL ? NULL : tell_schedules,
		.jobs = &job,
		.job_count = daemon == NULL ? 0 : 1,
		.clock = &clock,
		.limits = &web_limits_default,
		.stop_count = &stop_count,
		.reload_signal = &reload_signal,
		.child_signal = &end_signal,
		.on_ready = tell_ready,
		.on_trouble = tell_trouble,
		.ctx = daemon,
	};
	const int code = serve(&request, &e) ? EXIT_MET : cli_fail(code_of(e.kind), NULL, &e);

	text_release(&store);
	return code;
}

static int run_serve(const struct arguments *arguments)
{
	struct serve_daemon *daemon = NULL;
	struct err e = { 0 };
	int code;

	if (!cli_check_store_option(arguments, &e))
		return cli_fail(EXIT_NOT_RUN, NULL, &e);
	if (!serve_daemon_open(arguments, &daemon, &e))
		return e.kind == ERR_NONE ? EXIT_NOT_RUN : cli_fail(EXIT_NOT_RUN, NULL, &e);
	code = serve_with(arguments, daemon);
	serve_daemon_close(daemon);
	return code;
}

const struct verb verb_serve = {
	.name = "serve",
	.arguments = "[FILE...]",
	.word_min = 0,
	.word_max = ARGUMENTS_MAX,
	.summary = "show the runs on a web page, with numbers for Prometheus; run what FILEs schedule",
	.example = "firedrill serve --listen 127.0.0.1:7333",
	.options = serve_options,
	.run = run_serve,
};
