/*
 * store_private.h - what the files behind store.h share.
 */
#ifndef STORE_STORE_PRIVATE_H
#define STORE_STORE_PRIVATE_H

#include <sys/stat.h>

#include "base/json.h"
#include "base/limits.h"
#include "store/store_ops.h"

/* More slots than the longest run at the closest spacing can have. */
static const uint64_t STORE_SLOTS_MAX = UINT64_C(24) * 3600 * 1000;

struct store {
	const struct store_ops *ops;
	void *owned_backend;
	const struct secrets *secrets; /* NULL: none */
	const struct secrets *more_secrets; /* store_hide_also */
	struct secrets own_secrets; /* what opens it */
	char *owned_file;           /* NULL: it is on a server */
	struct stat file;           /* as it was opened */
};

/* The text without secrets: itself, or a copy in the arena. NULL gives NULL. */
const char *store_hide(const struct store *store, struct arena *arena, const char *text);

/* The same for a list. Before it becomes JSON: what a stranger has escaped would be escaped again. */
const char *const *store_hide_texts(const struct store *store, struct arena *arena,
				    const char *const *texts, size_t text_count);

/* For keys and heal records, which would be useless with a hole in them: refused instead. */
bool store_refuse_secret(const struct store *store, const char *text, const char *what,
			 struct err *e);

/*
 * Runs the work inside begin .. commit. When the disk is full the backend makes room and the work
 * is done again, so it must not depend on having run before.
 */
typedef bool store_work_fn(struct store *store, void *ctx, struct err *e);
bool store_write(struct store *store, store_work_fn *work, void *ctx, struct err *e);

/* ERR_INPUT: no id of a run or a set. */
bool store_check_id(const char *id, struct err *e);

/* The run with exactly this id, whole and checked against its seal. */
bool store_run_read(struct store *store, const char *run_id, struct arena *arena,
		    struct stored_run *ret_run, struct err *e);

/* Within a write: the end of the run (run_id, ended_wall_ns, exit_code, sentence), sealed with what the
   store has of it now. */
bool store_run_seal_end(struct store *store, const struct run_row *end, struct err *e);

/* ERR_ALTERED: the set is not as it was written. */
bool store_set_check(const struct stored_set *set, struct err *e);
/* Within a write: a set of another store, as it was sealed there. ERR_REFUSED: there is another with its id.
   *ret_is_new false: it was here already, as far as it had come there. */
bool store_set_copy(struct store *store, const struct stored_set *set, bool *ret_is_new, struct err *e);

/* One hash over the seals of everything measured, so that none of it can go missing unseen. */
bool store_series_seal(struct store *store, const char *run_id, struct arena *arena,
		       char ret_hash[HASH_TEXT_BYTES], struct err *e);

/* The run's row, its events and its head; the chain is checked, and that no track and no ledger read
   is missing. Their own seals are checked by whoever reads them. */
bool store_journal_read(struct store *store, const char *run_id, struct arena *arena,
			struct stored_run *ret_run, struct timeline *ret_timeline, struct err *e);

/* Chunks of a track with this many slots, and the samples in one of them. */
uint64_t store_chunk_count(uint64_t slot_count);
size_t store_chunk_samples(uint64_t slot_count, uint64_t chunk);

/* The seal of a track: first its columns, then chunk after chunk. */
void store_seal_track(const struct stored_track *track, uint64_t chunk_count,
		      char ret_hash[HASH_TEXT_BYTES]);
void store_seal_chunk(struct blob chunk, char hash[HASH_TEXT_BYTES]);
void store_seal_ledger_read(const struct stored_ledger_read *read,
			    char ret_hash[HASH_TEXT_BYTES]);

/* Within a write of `to`: the facts of a run as they are in `from`; none when it has none. */
bool store_facts_copy(struct store *from, struct store *to, const char *run_id, struct err *e);

/* A list of texts as JSON, and back. */
void store_texts_print(const char *const *texts, size_t text_count, struct text *text);
bool store_texts_parse(const char *json, struct arena *arena, const char ***ret_texts,
		       size_t *ret_count, struct err *e);

#endif
