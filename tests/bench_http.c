/*
 * bench_http.c - the probe http.get in a closed loop, to set beside wrk.
 *
 *   bench_http kept|fresh THREADS DURATION PORT     ("kept 32 1s 8080")
 *
 * Each thread asks again as soon as it was answered, as wrk's connections do; lanes never do that,
 * but it is what makes the cost of one request comparable. Prints "requests others took_s cpu_ns":
 * others were not good; cpu_ns is this process's for one request, its start not counted.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/units.h"
#include "fixtures/probe_try.h"

enum { THREADS_MAX = 256 };

static const int64_t timeout_ns = 5 * NS_PER_S;

struct client {
	struct probe_try probe;
	int64_t until_ns;
	uint64_t good_count;
	uint64_t other_count;
	pthread_t thread;
	bool is_running;
};

static int64_t cpu_ns(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * NS_PER_S +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * NS_PER_US;
}

static void *ask_on(void *ctx)
{
	struct client *client = ctx;
	uint64_t slot = 0;

	while (clock_now_ns(&client->probe.clock) < client->until_ns) {
		const struct attempt_result result =
			probe_try_sample(&client->probe, slot++, timeout_ns);

		client->good_count += result.state == SAMPLE_GOOD;
		client->other_count += result.state != SAMPLE_GOOD;
	}
	return NULL;
}

static bool run_clients(struct client *clients, size_t count, int64_t until_ns, struct err *e)
{
	bool ok = true;

	for (size_t i = 0; ok && i < count; i++) {
		clients[i].until_ns = until_ns;
		ok = pthread_create(&clients[i].thread, NULL, ask_on, &clients[i]) == 0;
		clients[i].is_running = ok;
	}
	for (size_t i = 0; i < count; i++)
		if (clients[i].is_running)
			(void)pthread_join(clients[i].thread, NULL);
	return ok || err_set(e, ERR_LIMIT, "no thread for every client");
}

int main(int argc, char **argv)
{
	static struct client clients[THREADS_MAX];
	const struct clock clock = clock_system();
	struct service service = { .name = "s", .kind = "http" };
	char url[64];
	int64_t threads = 0;
	int64_t duration_ns = 0;
	int64_t port = 0;
	uint64_t good_count = 0;
	uint64_t other_count = 0;
	struct err e = { 0 };
	bool ok = true;

	if (argc != 5 || !units_parse_count(argv[2], &threads, &e) || threads < 1 ||
	    threads > THREADS_MAX || !units_parse_duration(argv[3], &duration_ns, &e) ||
	    !units_parse_count(argv[4], &port, &e)) {
		(void)fprintf(stderr, "usage: bench_http kept|fresh THREADS DURATION PORT\n");
		return 2;
	}

	const char *const params[] = { "fresh", strcmp(argv[1], "kept") == 0 ? "false" : "true", NULL };

	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)port);
	service.url = url;
	for (size_t i = 0; i < (size_t)threads; i++) {
		probe_try_init(&clients[i].probe, "http.get", params);
		clients[i].probe.spec.service = &service;
		ok = ok && probe_try_open(&clients[i].probe, &e);
	}

	const int64_t from_cpu_ns = cpu_ns();
	const int64_t from_ns = clock_now_ns(&clock);

	ok = ok && run_clients(clients, (size_t)threads, from_ns + duration_ns, &e);

	const int64_t took_ns = clock_now_ns(&clock) - from_ns;
	const int64_t cost_ns = cpu_ns() - from_cpu_ns;

	for (size_t i = 0; i < (size_t)threads; i++) {
		good_count += clients[i].good_count;
		other_count += clients[i].other_count;
		probe_try_release(&clients[i].probe);
	}
	if (ok)
		(void)printf("%" PRIu64 " %" PRIu64 " %.3f %" PRId64 "\n", good_count, other_count,
			     (double)took_ns / NS_PER_S,
			     cost_ns / (int64_t)(good_count > 0 ? good_count : 1));
	else
		(void)fprintf(stderr, "bench_http: %s\n", e.text);
	return ok ? 0 : 1;
}
