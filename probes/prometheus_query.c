/*
 * prometheus_query.c - probe "prometheus.query": does what the monitoring knows lie within bounds?
 *
 * GOOD means that the instant query was answered and every value of the answer lies between at_least
 * and at_most. No series at all is bad unless `absent: good` says otherwise: a rule that looks at
 * nothing must not pass. What Prometheus knows is as old as its last scrape; use it for stop
 * conditions and for numbers that only it has, not to time a recovery.
 */
#include "probes/http_status.h"
#include "probes/http_url.h"
#include "probes/probe.h"
#include "probes/stable.h"

#include "base/json.h"
#include "remote/http.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct prometheus_query {
	struct http *owned_http; /* NULL until the first attempt: it needs the clock */
	struct text url;
	struct text host;        /* what the header Host must say; "": as the URL */
	const struct params *params;
	double at_least;
	double at_most;
	bool is_absent_good;
};

static const struct param prometheus_query_params[] = {
	{ "url", PARAM_TEXT, .is_required = true,
	  .help = "where Prometheus answers, such as http://prometheus:9090" },
	{ "query", PARAM_TEXT, .is_required = true, .help = "PromQL, evaluated at that moment" },
	{ "at_most", PARAM_TEXT, .help = "a number: every value is at most this" },
	{ "at_least", PARAM_TEXT, .help = "a number: every value is at least this" },
	{ "absent", PARAM_CHOICE, .choices = "bad|good", .fallback = "bad",
	  .help = "what it means when there is no such series" },
	{ 0 },
};

/* As PromQL writes numbers, infinities too, and not NaN. */
static bool parse_number(const char *text, double *ret_number)
{
	char *end = NULL;

	*ret_number = strtod(text, &end);
	return end != text && *end == '\0' && !isnan(*ret_number);
}

static bool check_bound(const struct probe_spec *spec, const char *name, struct err *e)
{
	const char *text = params_text(&spec->params, name);
	double number;

	if (text == NULL || parse_number(text, &number))
		return true;
	return err_set(e, ERR_INPUT, "%s is \"%s\", which is no number; write one such as 0.05", name,
		       text);
}

static bool prometheus_query_check(const struct probe_spec *spec, struct err *e)
{
	if (!http_url_is_valid(params_text(&spec->params, "url")))
		return err_set(e, ERR_INPUT, "prometheus.query needs a URL that begins with http:// or "
					     "https:// and a host; add `url: http://...`");
	if (params_text(&spec->params, "at_most") == NULL &&
	    params_text(&spec->params, "at_least") == NULL)
		return err_set(e, ERR_INPUT, "prometheus.query has no bound and would always be good; "
					     "add `at_most: NUMBER` or `at_least: NUMBER`");
	return check_bound(spec, "at_most", e) && check_bound(spec, "at_least", e);
}

static bool prometheus_query_open(const struct probe_spec *spec, const char *run_id,
				  void **ret_state, struct err *e)
{
	struct prometheus_query *probe = mem_alloc(sizeof *probe);
	const char *at_least = params_text(&spec->params, "at_least");
	const char *at_most = params_text(&spec->params, "at_most");
	const char *url = params_text(&spec->params, "url");
	size_t url_bytes = strlen(url);
	struct text base = { 0 };

	while (url_bytes > 0 && url[url_bytes - 1] == '/')
		url_bytes--;
	(void)run_id; /* leaves nothing behind that would need a name */
	(void)e;
	probe->params = &spec->params;
	probe->at_least = -INFINITY;
	probe->at_most = INFINITY;
	if (at_least != NULL)
		(void)parse_number(at_least, &probe->at_least); /* checked when it was loaded */
	if (at_most != NULL)
		(void)parse_number(at_most, &probe->at_most);
	probe->is_absent_good = strcmp(params_text(&spec->params, "absent"), "good") == 0;
	text_add_bytes(&base, url, url_bytes);
	http_url_resolve(spec->inventory, text_str(&base), &probe->url, &probe->host);
	text_release(&base);
	text_add(&probe->url, "/api/v1/query?query=");
	http_url_encode(params_text(&spec->params, "query"), &probe->url);
	*ret_state = probe;
	return true;
}

/* A sample is [moment, "number"]. */
static bool is_within(const struct prometheus_query *probe, const struct json *sample,
		      struct text *got, struct err *e)
{
	const char *text = json_text_of(json_at(sample, 1));
	char shown[STABLE_TEXT_BYTES];
	double number;

	if (text == NULL)
		return err_set(e, ERR_REMOTE, "query: the answer is no number");
	if (got != NULL)
		text_addf(got, "%s%s", got->length_bytes > 0 ? ", " : "", text);
	if (!parse_number(text, &number) || number > probe->at_most || number < probe->at_least)
		return err_set(e, ERR_REMOTE, "query: %s is out of bounds", stable_text(text, shown));
	return true;
}

static bool are_within(const struct prometheus_query *probe, const struct json *root,
		       struct text *got, struct err *e)
{
	const struct json *data = json_get(root, "data");
	const char *type = json_text_of(json_get(data, "resultType"));
	const struct json *result = json_get(data, "result");
	const struct json *series = json_at(result, 0);

	if (type != NULL && strcmp(type, "scalar") == 0)
		return is_within(probe, result, got, e);
	if (type == NULL || strcmp(type, "vector") != 0)
		return err_set(e, ERR_REMOTE, "query: it yields neither a vector nor a scalar");
	if (series == NULL && !probe->is_absent_good)
		return err_set(e, ERR_REMOTE, "query: there is no such series");
	for (; series != NULL; series = json_next(series))
		if (!is_within(probe, json_get(series, "value"), got, e))
			return false;
	return true;
}

static bool is_as_expected(const struct prometheus_query *probe, const struct http_reply *reply,
			   struct text *got, struct err *e)
{
	const char *said = "Prometheus did not say why";
	char shown[STABLE_TEXT_BYTES];
	struct json *root = NULL;
	bool ok;

	if (!json_parse(text_str(&reply->body), reply->body.length_bytes, &root, NULL))
		return err_set(e, ERR_REMOTE, "query: status %ld and an answer that is not JSON",
			       reply->status);
	if (reply->status == 200) {
		ok = are_within(probe, root, got, e);
	} else {
		if (json_text_of(json_get(root, "error")) != NULL)
			said = json_text_of(json_get(root, "error"));
		ok = err_set(e, ERR_REMOTE, "query: status %ld: %s", reply->status,
			     stable_text(said, shown));
	}
	json_release(root);
	return ok;
}

static void prometheus_query_sample(void *state, const struct attempt *attempt,
				    struct attempt_result *result, struct err *e)
{
	struct prometheus_query *probe = state;
	const struct pair host = { "Host", text_str(&probe->host) };
	struct http_reply reply = { 0 };
	const struct http_request request = {
		.url = text_str(&probe->url),
		.headers = &host,
		.header_count = probe->host.length_bytes > 0 ? 1 : 0,
		.deadline_ns = attempt->deadline_ns,
	};

	if (http_attempt(&probe->owned_http, attempt, &request, "query", &reply, result, e))
		result->state =
			is_as_expected(probe, &reply, result->got, e) ? SAMPLE_GOOD : SAMPLE_BAD;
	http_reply_release(&reply);
}

static void prometheus_query_close(void *state)
{
	struct prometheus_query *probe = state;

	if (probe == NULL)
		return;
	http_close(probe->owned_http);
	text_release(&probe->url);
	text_release(&probe->host);
	free(probe);
}

const struct probe_ops probe_prometheus_query = {
	.name = "prometheus.query",
	.summary = "what Prometheus knows lies within bounds",
	.on = PROBE_ON_NOTHING,
	.params = prometheus_query_params,
	.check = prometheus_query_check,
	.open = prometheus_query_open,
	.sample = prometheus_query_sample,
	.close = prometheus_query_close,
};
