/*
 * patroni_config.c - the failover settings of a service under Patroni: GET /config of any member.
 *
 * They are the cluster's dynamic configuration, one for all members; what is not in it has Patroni's
 * default. What a member's own file overrides (tags such as nofailover) is not seen.
 */
#include "probes/patroni_api.h"
#include "probes/probe.h"
#include "probes/socket.h"

#include <stdio.h>

/* Of Patroni's documentation, "Dynamic configuration settings". */
enum { TTL_DEFAULT_S = 30, LOOP_WAIT_DEFAULT_S = 10, RETRY_TIMEOUT_DEFAULT_S = 10 };
enum { MAXIMUM_LAG_DEFAULT_BYTES = 1048576 };

static bool patroni_has(const struct service *service)
{
	return service->patroni_port != 0;
}

static int64_t number_of(const struct json *config, const char *key, int64_t fallback)
{
	int64_t number;

	return json_int_of(json_get(config, key), &number) && number >= 0 ? number : fallback;
}

static int64_t seconds_of(const struct json *config, const char *key, int64_t fallback_s)
{
	const int64_t seconds = number_of(config, key, fallback_s);

	return (seconds > LIMIT_DRILL_NS / NS_PER_S ? fallback_s : seconds) * NS_PER_S;
}

static bool is_true(const struct json *config, const char *key)
{
	bool value = false;

	return json_bool_of(json_get(config, key), &value) && value;
}

static void read_config(const struct json *config, struct failover_settings *settings)
{
	*settings = (struct failover_settings){
		.is_synchronous = is_true(config, "synchronous_mode"),
		.is_strict = is_true(config, "synchronous_mode_strict"),
		.is_paused = is_true(config, "pause"),
		.maximum_lag_bytes = number_of(config, "maximum_lag_on_failover",
					       MAXIMUM_LAG_DEFAULT_BYTES),
		.ttl_ns = seconds_of(config, "ttl", TTL_DEFAULT_S),
		.loop_wait_ns = seconds_of(config, "loop_wait", LOOP_WAIT_DEFAULT_S),
		.retry_timeout_ns = seconds_of(config, "retry_timeout", RETRY_TIMEOUT_DEFAULT_S),
	};
	(void)snprintf(settings->manager, sizeof settings->manager, "Patroni");
}

static bool ask_member(const struct service *service, const struct host *member,
		       const struct clock *clock, int64_t deadline_ns,
		       struct failover_settings *ret_settings, struct err *e)
{
	struct patroni_api *api = patroni_api_open(service, member);
	struct json *config = NULL;
	bool ok = patroni_api_ask(api, clock, deadline_ns, "/config", &config, e);

	if (ok && json_type_of(config) != JSON_OBJECT)
		ok = err_set(e, ERR_REMOTE, "%s/config is no map", patroni_api_url(api));
	if (ok)
		read_config(config, ret_settings);
	json_release(config);
	patroni_api_close(api);
	return ok;
}

static bool patroni_read(const struct service *service, const struct clock *clock,
			 int64_t deadline_ns, struct failover_settings *ret_settings,
			 const struct host **ret_told_by, struct err *e)
{
	for (size_t i = 0; i < service->member_count; i++) {
		const int64_t until_ns = socket_slice_end_ns(clock_now_ns(clock), deadline_ns,
							     service->member_count - i);

		*ret_told_by = service->members[i];
		if (ask_member(service, service->members[i], clock, until_ns, ret_settings, e))
			return true;
	}
	if (service->member_count == 0)
		return err_set(e, ERR_INPUT, "%s has no members to ask", service->name);
	return false;
}

const struct failover_ops failover_patroni = {
	.service_kind = "postgres",
	.has = patroni_has,
	.read = patroni_read,
};
