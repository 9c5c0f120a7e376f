/*
 * store_parts.h - what a store holds that is of no single run, from one store into another: sets of trials,
 * recordings, holds and pauses, beside the bundles of its runs. What must not travel in a file is counted, so
 * that whoever moves a store can be told: approvals and orders would act elsewhere on a stranger's word,
 * due runs belong to the schedulers and workers of their store, and an audit to the page that wrote it.
 */
#ifndef STORE_STORE_PARTS_H
#define STORE_STORE_PARTS_H

#include "store/store.h"

#define STORE_PARTS_NAME "store.json"

struct parts_counts {
	size_t set_count;
	size_t recording_count;
	size_t hold_count;
	size_t pause_count;
	/* Of an export, what stays behind: */
	size_t approval_count;
	size_t audit_count;   /* actions by way of the page */
	uint64_t due_count;   /* occurrences of schedules */
	bool is_stopped;      /* an emergency stop is in force */
	/* Of an import: rows about runs that are not here. */
	size_t stray_count;
};

/* Appends the file. The same rows give the same bytes. */
bool store_parts_export(struct store *store, const char *exporter, struct text *json,
			struct parts_counts *ret_counts, struct err *e);

/* In one step, after the runs: what is new is taken and counted, what is here stays as it is here.
   ERR_INPUT: it is no such file; ERR_ALTERED, ERR_REFUSED: as of store_import. */
bool store_parts_import(struct store *store, const struct text *json, struct parts_counts *ret_counts,
			struct err *e);

#endif
