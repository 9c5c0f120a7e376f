/*
 * bundle.h - a run as one file that others can open, check and compute from: a plain tar archive of
 * JSON lines, CSV and the documents, with a manifest of hashes. See docs/evidence.md.
 *
 * The same run gives the same bytes, on any machine.
 */
#ifndef STORE_BUNDLE_H
#define STORE_BUNDLE_H

#include "store/store.h"

struct bundle_extra {
	const char *name; /* "report.html"; it becomes report/report.html */
	const char *bytes;
	size_t length_bytes;
};

struct bundle_request {
	const char *run_id;
	const char *exporter; /* our version */
	const struct bundle_extra *reports;
	size_t report_count;
	const char *path;
};

/* Streams: a chunk of samples at a time. Checks every seal on the way and writes nothing that does
   not fit. ERR_REFUSED when the run is under way or has no documents. */
bool bundle_export(struct store *store, const struct bundle_request *request, struct err *e);

/* Checks every byte of the file against its manifest, then opens it as a store with one run in it,
   which can only be read. Damage is ERR_ALTERED and named. */
bool bundle_store_open(const char *path, struct store **ret_store, struct err *e);

/* Of a store that bundle_store_open has opened: */
bool bundle_is(const struct store *store);
const char *bundle_head(struct store *store);     /* what the exporter found; never NULL */
const char *bundle_exporter(struct store *store); /* its version, or NULL */
const char *bundle_report_name(struct store *store, size_t index); /* NULL past the end */
bool bundle_report_read(struct store *store, const char *name, struct text *ret_bytes,
			struct err *e);

#endif
