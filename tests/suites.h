/*
 * suites.h - the list of unit test suites: tests/test_<row>.c defines suite_<row>.
 */
#ifndef TESTS_SUITES_H
#define TESTS_SUITES_H

#include <check.h>

#define SUITE_ROWS(X) \
	X(base) \
	X(zone) \
	X(calendar) \
	X(cron) \
	X(cron_systemd) \
	X(schedule) \
	X(decide) \
	X(permit) \
	X(plan) \
	X(run_permit) \
	X(suite) \
	X(report_suite) \
	X(store_recordings) \
	X(store_permits) \
	X(store_pauses) \
	X(store_dues) \
	X(worker) \
	X(events) \
	X(lag) \
	X(bundle) \
	X(bundle_forged) \
	X(fuzz) \
	X(faults) \
	X(faults_power) \
	X(faults_process) \
	X(faults_trial) \
	X(helper) \
	X(ledger_read) \
	X(load) \
	X(load_hostile) \
	X(load_invalid) \
	X(load_objectives) \
	X(judge) \
	X(judge_level) \
	X(judge_run) \
	X(measure) \
	X(measure_docs) \
	X(measure_ledger) \
	X(measure_level) \
	X(measure_primaries) \
	X(measure_reads) \
	X(measure_truth) \
	X(probe_batch) \
	X(probe_events) \
	X(probe_http) \
	X(probe_http_write) \
	X(probe_hung) \
	X(probe_lag) \
	X(probe_ledger) \
	X(probe_mariadb) \
	X(probe_log) \
	X(probe_primaries) \
	X(probe_prometheus) \
	X(probe_query) \
	X(probe_read) \
	X(probe_redis) \
	X(probe_s3) \
	X(probe_ssh) \
	X(probe_tcp) \
	X(remote_fake) \
	X(remote_local) \
	X(remote_ssh) \
	X(report) \
	X(report_lag) \
	X(report_picture) \
	X(report_trials) \
	X(store) \
	X(store_codec) \
	X(store_crash) \
	X(store_disk) \
	X(store_history) \
	X(store_place) \
	X(store_rows) \
	X(store_care) \
	X(store_migrate) \
	X(store_sets) \
	X(store_server) \
	X(store_spool) \
	X(statistics) \
	X(story) \
	X(trials) \
	X(verify) \
	X(compare) \
	X(crash) \
	X(crash_orders) \
	X(run_hung) \
	X(sampler) \
	X(scheduler) \
	X(watch) \
	X(stop) \
	X(run) \
	X(run_reads) \
	X(run_heal) \
	X(run_events) \
	X(run_level) \
	X(run_lag) \
	X(remote_ssh_keys) \
	X(remote_ssh_login) \
	X(http) \
	X(kpi) \
	X(facts) \
	X(serve) \
	X(serve_request) \
	X(serve_strangers) \
	X(serve_slow) \
	X(truth) \
	X(notify) \
	X(notify_deliver) \
	X(outbox) \
	X(mail)

#define X(id) void suite_##id(Suite *suite);
SUITE_ROWS(X)
#undef X

#endif
