/*
 * bench_fanout.c - one command to many hosts, on the engine's own sessions.
 *
 *   bench_fanout cold PORT USER KEY KNOWN_HOSTS COUNT   opens all, runs `true` on each, ends
 *   bench_fanout warm PORT USER KEY KNOWN_HOSTS COUNT   opens all; then for each line read, "all" or
 *                                                       "each", runs `true` on every session, at
 *                                                       once or one after the other, and prints
 *                                                       "wall_ns cpu_ns"
 *
 * The hosts are names of one sshd. The engine itself gives its commands one after the other; "all"
 * is what its sessions can do when every one has a thread.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/units.h"
#include "engine/sessions.h"

enum { HOSTS_MAX = 64, THREAD_STACK_BYTES = 512 << 10 };

static const int64_t command_timeout_ns = 10 * NS_PER_S;

struct target {
	struct host host;
	char name[16];
	struct remote *remote;
	pthread_t thread;
	struct err err; /* kind ERR_NONE: it ran */
};

struct fanout {
	struct clock clock;
	struct sessions *owned_sessions;
	struct target targets[HOSTS_MAX];
	size_t count;
};

static int fail(const struct err *e)
{
	(void)fprintf(stderr, "bench_fanout: %s\n", e->text);
	return 1;
}

static void *run_one(void *ctx)
{
	static const char *const argv[] = { "true", NULL };
	const struct command command = { .argv = argv, .timeout_ns = command_timeout_ns };
	struct target *target = ctx;
	struct reply reply = { 0 };

	err_clear(&target->err);
	(void)remote_run(target->remote, &command, &reply, &target->err); /* the error says it */
	reply_release(&reply);
	return NULL;
}

static bool open_all(struct fanout *fanout, struct err *e)
{
	const struct host *hosts[HOSTS_MAX];
	const struct remote_opener opener = remote_opener_real();

	fanout->owned_sessions = sessions_make(&opener, &fanout->clock);
	for (size_t i = 0; i < fanout->count; i++)
		hosts[i] = &fanout->targets[i].host;
	if (!sessions_open_all(fanout->owned_sessions, hosts, fanout->count, e))
		return false;
	for (size_t i = 0; i < fanout->count; i++) {
		struct target *target = &fanout->targets[i];

		if (!sessions_get(fanout->owned_sessions, &target->host, &target->remote, e))
			return false;
	}
	return true;
}

static bool run_at_once(struct fanout *fanout, struct err *e)
{
	pthread_attr_t attr;
	bool ok = pthread_attr_init(&attr) == 0 &&
		  pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES) == 0;
	size_t started = 0;

	while (ok && started < fanout->count) {
		struct target *target = &fanout->targets[started];

		ok = pthread_create(&target->thread, &attr, run_one, target) == 0;
		started += ok;
	}
	if (!ok)
		(void)err_set(e, ERR_LIMIT, "no thread for every session");
	for (size_t i = 0; i < started; i++) {
		(void)pthread_join(fanout->targets[i].thread, NULL);
		if (ok && fanout->targets[i].err.kind != ERR_NONE) {
			*e = fanout->targets[i].err;
			ok = false;
		}
	}
	return ok;
}

static bool run_one_by_one(struct fanout *fanout, struct err *e)
{
	for (size_t i = 0; i < fanout->count; i++) {
		(void)run_one(&fanout->targets[i]);
		if (fanout->targets[i].err.kind != ERR_NONE) {
			*e = fanout->targets[i].err;
			return false;
		}
	}
	return true;
}

static int64_t cpu_ns(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * NS_PER_S +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * NS_PER_US;
}

static bool answer_rounds(struct fanout *fanout, struct err *e)
{
	char line[16];

	(void)printf("open\n");
	(void)fflush(stdout);
	while (fgets(line, sizeof line, stdin) != NULL) {
		const int64_t from_cpu_ns = cpu_ns();
		const int64_t from_ns = clock_now_ns(&fanout->clock);

		if (!(strcmp(line, "all\n") == 0 ? run_at_once(fanout, e) : run_one_by_one(fanout, e)))
			return false;
		(void)printf("%" PRId64 " %" PRId64 "\n", clock_now_ns(&fanout->clock) - from_ns,
			     cpu_ns() - from_cpu_ns);
		(void)fflush(stdout);
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct fanout fanout;
	int64_t port = 0;
	int64_t count = 0;
	struct err e = { 0 };
	bool ok;

	if (argc != 7 || !units_parse_count(argv[2], &port, &e) ||
	    !units_parse_count(argv[6], &count, &e) || count < 1 || count > HOSTS_MAX) {
		(void)fprintf(stderr, "usage: bench_fanout cold|warm PORT USER KEY KNOWN_HOSTS COUNT\n");
		return 2;
	}
	fanout.clock = clock_system();
	fanout.count = (size_t)count;
	for (size_t i = 0; i < fanout.count; i++) {
		struct target *target = &fanout.targets[i];

		(void)snprintf(target->name, sizeof target->name, "n%zu", i + 1);
		target->host = (struct host){ .name = target->name, .address = "127.0.0.1",
					      .port = (uint16_t)port, .user = argv[3],
					      .key_path = argv[4], .known_hosts = argv[5] };
	}
	ok = open_all(&fanout, &e) && (strcmp(argv[1], "cold") == 0 ? run_at_once(&fanout, &e) :
								      answer_rounds(&fanout, &e));
	sessions_release(fanout.owned_sessions);
	return ok ? 0 : fail(&e);
}
