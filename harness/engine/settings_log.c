/*
 * settings_log.c - see settings_log.h.
 */
#include "engine/settings_log.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "engine/run.h"

static const int64_t ask_within_ns = 5 * NS_PER_S;

static void append(struct run *run, const struct service *service, const struct host *told_by,
		   const struct failover_settings *settings, int64_t asked_ns)
{
	struct json *root = json_object();
	struct text text = { 0 };
	struct text data = { 0 };
	char ttl[UNITS_TEXT_BYTES];
	char lag[UNITS_TEXT_BYTES];

	json_put_text(root, "manager", settings->manager);
	json_put_bool(root, "is_synchronous", settings->is_synchronous);
	json_put_bool(root, "is_strict", settings->is_strict);
	json_put_bool(root, "is_paused", settings->is_paused);
	json_put_int(root, "maximum_lag_bytes", settings->maximum_lag_bytes);
	json_put_int(root, "ttl_ns", settings->ttl_ns);
	json_put_int(root, "loop_wait_ns", settings->loop_wait_ns);
	json_put_int(root, "retry_timeout_ns", settings->retry_timeout_ns);
	json_print(root, false, &data);
	text_addf(&text, "%s of %s: %s, may lag by %s, ttl %s", settings->manager, service->name,
		  settings->is_synchronous ? "synchronous" : "asynchronous",
		  units_format_bytes((uint64_t)settings->maximum_lag_bytes, lag),
		  units_format_duration(settings->ttl_ns, ttl));
	(void)journal_append(&run->journal, (struct event){ .kind = EVENT_SETTINGS,
							    .host = told_by->name,
							    .name = service->name,
							    .from_ns = asked_ns,
							    .until_ns = clock_now_ns(run->clock),
							    .text = text_str(&text),
							    .data = text_str(&data) });
	json_release(root);
	text_release(&text);
	text_release(&data);
}

static void read_service(struct run *run, const struct service *service)
{
	const struct outside *outside = &run->request->outside;
	const int64_t asked_ns = clock_now_ns(run->clock);
	struct failover_settings settings;
	const struct host *told_by = NULL;
	struct err e = { 0 };

	if (outside->ops->settings(outside->ctx, service, asked_ns + ask_within_ns, &settings,
				   &told_by, &e))
		append(run, service, told_by, &settings, asked_ns);
	else
		(void)journal_say(&run->journal, EVENT_NOTE,
				  "the failover settings of %s could not be read (%s), so nothing says "
				  "how much they may lose", service->name, e.text);
}

static bool is_about_loss(const struct probe_spec *spec)
{
	return spec->service != NULL && (spec->is_ledger || probe_find(spec->kind)->tells_lag) &&
	       failover_find(spec->service) != NULL;
}

void settings_log_read(struct run *run)
{
	const struct experiment *experiment = run->experiment;

	if (run->request->outside.ops->settings == NULL)
		return;
	for (size_t i = 0; i < experiment->probe_count; i++) {
		const struct probe_spec *spec = &experiment->probes[i];
		bool is_read = false;

		for (size_t j = 0; j < i && !is_read; j++)
			is_read = is_about_loss(&experiment->probes[j]) &&
				  experiment->probes[j].service == spec->service;
		if (!is_read && is_about_loss(spec))
			read_service(run, spec->service);
	}
}

static bool read_ns(const struct json *root, const char *key, int64_t *ret_ns)
{
	return json_int_of(json_get(root, key), ret_ns) && *ret_ns >= 0 &&
	       *ret_ns <= LIMIT_DRILL_NS;
}

bool settings_log_parse(const struct event *event, struct failover_settings *ret_settings)
{
	struct json *root = NULL;
	struct failover_settings settings = { 0 };
	bool ok = event->data != NULL && event->name != NULL &&
		  json_parse(event->data, strlen(event->data), &root, NULL) &&
		  json_type_of(root) == JSON_OBJECT;
	const char *manager = ok ? json_text_of(json_get(root, "manager")) : NULL;

	ok = manager != NULL && json_bool_of(json_get(root, "is_synchronous"),
					     &settings.is_synchronous) &&
	     json_bool_of(json_get(root, "is_strict"), &settings.is_strict) &&
	     json_bool_of(json_get(root, "is_paused"), &settings.is_paused) &&
	     json_int_of(json_get(root, "maximum_lag_bytes"), &settings.maximum_lag_bytes) &&
	     settings.maximum_lag_bytes >= 0 && read_ns(root, "ttl_ns", &settings.ttl_ns) &&
	     read_ns(root, "loop_wait_ns", &settings.loop_wait_ns) &&
	     read_ns(root, "retry_timeout_ns", &settings.retry_timeout_ns);
	if (ok) {
		(void)snprintf(settings.manager, sizeof settings.manager, "%s", manager);
		*ret_settings = settings;
	}
	json_release(root);
	return ok;
}
