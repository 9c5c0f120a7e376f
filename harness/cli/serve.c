/*
 * serve.c - command "serve": the web page and /metrics over what is in the store, for reading, until a
 * signal ends it.
 */
#include <signal.h>

#include "cli/cli.h"
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
	STORE_OPTION,
	{ NULL, NULL, NULL },
};

static volatile sig_atomic_t stop_signal;
static volatile sig_atomic_t reload_signal;

static void take_stop(int number)
{
	stop_signal = number;
}

static void take_reload(int number)
{
	reload_signal = number;
}

/* They come in only while the loop waits, so none is missed between looking and waiting. */
static void catch_signals(void)
{
	static const int stops[] = { SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = take_stop };
	sigset_t blocked;

	(void)sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
		(void)sigaction(stops[i], &action, NULL); /* cannot fail for these */
		(void)sigaddset(&blocked, stops[i]);
	}
	action.sa_handler = take_reload;
	(void)sigaction(SIGHUP, &action, NULL);
	(void)sigaddset(&blocked, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &blocked, NULL);
}

static void tell_ready(void *ctx, const char *url)
{
	(void)ctx;
	(void)printf("firedrill serves %s for reading; Ctrl-C ends it\n", url);
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

static int run_serve(const struct arguments *arguments)
{
	const char *listen = arguments_value(arguments, "listen");
	const char *hosts[ARGUMENTS_MAX + 1] = { NULL };
	const struct clock clock = clock_system();
	struct text store = { 0 };
	struct err e = { 0 };

	(void)arguments_values(arguments, "host", hosts);
	cli_store_path(arguments, &store);
	catch_signals();

	const struct serve_request request = {
		.listen = listen == NULL ? LISTEN_DEFAULT : listen,
		.is_beyond_loopback = arguments_flag(arguments, "beyond-loopback"),
		.hosts = hosts,
		.store_path = text_str(&store),
		.token_path = arguments_value(arguments, "actions-token-file"),
		.clock = &clock,
		.limits = &web_limits_default,
		.stop_signal = &stop_signal,
		.reload_signal = &reload_signal,
		.on_ready = tell_ready,
		.on_trouble = tell_trouble,
	};
	const int code = cli_check_store_option(arguments, &e) && serve(&request, &e) ?
				 EXIT_MET :
				 cli_fail(code_of(e.kind), NULL, &e);

	text_release(&store);
	return code;
}

const struct verb verb_serve = {
	.name = "serve",
	.arguments = "",
	.word_min = 0,
	.word_max = 0,
	.summary = "show the runs on a web page, and numbers for Prometheus",
	.example = "firedrill serve --listen 127.0.0.1:7333",
	.options = serve_options,
	.run = run_serve,
};
