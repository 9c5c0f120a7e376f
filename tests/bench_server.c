/*
 * bench_server.c - a private server for the benchmarks: `bench_server pg`, `ssh` or `http`.
 *
 * Prints one line that says how to reach it, serves until its standard input ends, and then removes
 * everything it made. Whoever started it may therefore be killed in any way.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fixtures/pg_server.h"
#include "fixtures/ssh_server.h"
#include "fixtures/tcp_server.h"

static const char *const durable[] = { "fsync=on", "synchronous_commit=on", "max_connections=100",
				       "shared_buffers=256MB", "max_wal_size=4GB", NULL };

/* The same key exchange for every client, and a login shell that reads no files of this account. */
static const char sshd_config[] = "KexAlgorithms curve25519-sha256\nSetEnv HOME=/nonexistent\n";

static const char http_reply[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
				 "Content-Length: 20\r\n\r\n{\"status\":\"healthy\"}";

static void wait_for_end_of_input(void)
{
	char bytes[64];

	while (read(STDIN_FILENO, bytes, sizeof bytes) > 0)
		continue;
}

static int serve_pg(void)
{
	struct pg_server server;
	struct err e = { 0 };
	const bool is_up = pg_server_start(&server, durable, &e);

	if (is_up) {
		(void)printf("%u\n", server.port);
		(void)fflush(stdout);
		wait_for_end_of_input();
	} else {
		(void)fprintf(stderr, "bench_server: %s\n", e.text);
	}
	pg_server_stop(&server);
	return is_up ? 0 : 1;
}

static int serve_ssh(void)
{
	struct ssh_server server;
	struct text why = { 0 };
	const bool is_up = ssh_server_start(&server, "bench", sshd_config, &why);

	if (is_up) {
		(void)printf("%u %s %s %s\n", server.port, server.user, server.key_path,
			     server.known_hosts);
		(void)fflush(stdout);
		wait_for_end_of_input();
	} else {
		(void)fprintf(stderr, "bench_server: %s\n", text_str(&why));
	}
	ssh_server_stop(&server);
	text_release(&why);
	return is_up ? 0 : 1;
}

static int serve_http(void)
{
	struct tcp_server *server = tcp_server_open(TCP_SERVER_REPLIES, http_reply, 0);

	(void)printf("%u\n", tcp_server_port(server));
	(void)fflush(stdout);
	wait_for_end_of_input();
	tcp_server_close(server);
	return 0;
}

int main(int argc, char **argv)
{
	/* Whoever ends us by signal ends the one who holds our input as well: that is our sign. */
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && strcmp(argv[1], "pg") == 0)
		return serve_pg();
	if (argc == 2 && strcmp(argv[1], "ssh") == 0)
		return serve_ssh();
	if (argc == 2 && strcmp(argv[1], "http") == 0)
		return serve_http();
	(void)fprintf(stderr, "usage: bench_server pg|ssh|http\n");
	return 2;
}
