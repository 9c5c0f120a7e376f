/*
 * suites.h - the list of unit test suites: tests/test_<row>.c defines suite_<row>.
 */
#ifndef TESTS_SUITES_H
#define TESTS_SUITES_H

#include <check.h>

#define SUITE_ROWS(X) \
	X(base) \
	X(load) \
	X(load_hostile) \
	X(load_invalid) \
	X(faults) \
	X(faults_power) \
	X(faults_process) \
	X(probe_postgres) \
	X(measure) \
	X(measure_ledger) \
	X(measure_truth) \
	X(remote_fake) \
	X(remote_local) \
	X(report) \
	X(store) \
	X(store_codec) \
	X(store_crash) \
	X(store_disk) \
	X(store_place) \
	X(store_rows) \
	X(remote_ssh)

#define X(id) void suite_##id(Suite *suite);
SUITE_ROWS(X)
#undef X

#endif
