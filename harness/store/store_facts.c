/*
 * store_facts.c - what runs come to, kept beside them, so that a history of many runs is read at once.
 *
 * A row is one small blob: its length, the hash of its subject (what many runs have in common, kept once),
 * what codec_facts.c makes of the rest, and the hash of these two as a seal. So it is the same bytes in every
 * store, and several of them may come as one.
 * The facts can be lost without harm: engine/facts.h derives them again from the run, and
 * `firedrill verify` compares.
 */
#include "store/store_private.h"

#include <string.h>

#include "store/codec.h"
#include "store/row_text.h"
#include "store/varint.h"

/* ---- subjects ---- */

enum {
	SERVICE = 0, ENVIRONMENT, SCENARIO, TITLE, EXPERIMENT, INVENTORY, HAS_RTO, RTO, HAS_RPO, RPO,
	SUBJECT_FIELDS
};

static const struct row_field subject_fields[SUBJECT_FIELDS] = {
	[SERVICE] = { "service", ROW_TEXT },
	[ENVIRONMENT] = { "environment", ROW_TEXT },
	[SCENARIO] = { "scenario", ROW_TEXT },
	[TITLE] = { "title", ROW_TEXT },
	[EXPERIMENT] = { "experiment", ROW_TEXT },
	[INVENTORY] = { "inventory", ROW_TEXT },
	[HAS_RTO] = { "has_rto", ROW_BOOL },
	[RTO] = { "rto_ns", ROW_INT },
	[HAS_RPO] = { "has_rpo", ROW_BOOL },
	[RPO] = { "rpo_ns", ROW_INT },
};

static void subject_print(const struct store *store, struct arena *arena,
			  const struct facts_subject *subject, struct text *text)
{
	const struct row_value values[SUBJECT_FIELDS] = {
		[SERVICE] = { .text = store_hide(store, arena, subject->service) },
		[ENVIRONMENT] = { .text = store_hide(store, arena, subject->environment) },
		[SCENARIO] = { .text = store_hide(store, arena, subject->scenario) },
		[TITLE] = { .text = store_hide(store, arena, subject->title) },
		[EXPERIMENT] = { .text = subject->experiment },
		[INVENTORY] = { .text = subject->inventory },
		[HAS_RTO] = { .number = subject->has_rto },
		[RTO] = { .number = subject->rto_ns },
		[HAS_RPO] = { .number = subject->has_rpo },
		[RPO] = { .number = subject->rpo_ns },
	};

	row_print(subject_fields, SUBJECT_FIELDS, values, text);
}

static bool subject_parse(const struct stored_subject *stored, struct arena *arena,
			  struct facts_subject *ret_subject, struct err *e)
{
	struct row_value values[SUBJECT_FIELDS];
	const size_t length = strlen(stored->text);

	if (length == 0 || stored->text[length - 1] != '\n')
		return err_set(e, ERR_ALTERED, "its line has no end");
	if (!row_parse(subject_fields, SUBJECT_FIELDS, stored->text, length - 1, arena, values, e))
		return false;
	for (size_t i = SERVICE; i <= INVENTORY; i++)
		if (values[i].text == NULL)
			return err_set(e, ERR_ALTERED, "`%s` is missing", subject_fields[i].key);
	if (values[RTO].number < 0 || values[RPO].number < 0)
		return err_set(e, ERR_ALTERED, "an objective is below 0");
	*ret_subject = (struct facts_subject){
		.service = values[SERVICE].text,
		.environment = values[ENVIRONMENT].text,
		.scenario = values[SCENARIO].text,
		.title = values[TITLE].text,
		.experiment = values[EXPERIMENT].text,
		.inventory = values[INVENTORY].text,
		.has_rto = values[HAS_RTO].number != 0,
		.rto_ns = values[RTO].number,
		.has_rpo = values[HAS_RPO].number != 0,
		.rpo_ns = values[RPO].number,
	};
	return true;
}

/* ---- reading ---- */

enum { SEALED_BYTES_MIN = 2 * HASH_BYTES }; /* the subject's hash before the facts, the seal behind */

/* Where a subject is, by its hash. */
struct subject_place {
	uint8_t hash[HASH_BYTES];
	size_t index;
	bool is_taken;
};

struct reading {
	struct arena *arena;
	struct hash *owned_hash;
	struct facts_subject *subjects;
	struct subject_place *places; /* of each in the first free one from where its hash points to */
	size_t place_mask;            /* their count, a power of two, less one */
	size_t subject_count;
	struct run_facts *rows;
	size_t row_count;
	size_t room;
};

/* That of this hash, or the free one in which it belongs. */
static struct subject_place *find_place(const struct reading *reading, const uint8_t *hash)
{
	uint32_t start;
	size_t i;

	memcpy(&start, hash, sizeof start); /* any four bytes of a hash are as good */
	i = start & reading->place_mask;
	while (reading->places[i].is_taken && memcmp(reading->places[i].hash, hash, HASH_BYTES) != 0)
		i = (i + 1) & reading->place_mask;
	return &reading->places[i];
}

/* There is room for every run; more can only come where the count was of another moment. */
static void make_room(struct reading *reading)
{
	const size_t room = 2 * reading->room + 1;
	struct run_facts *rows = arena_alloc(reading->arena, room * sizeof *rows);

	if (reading->row_count > 0)
		memcpy(rows, reading->rows, reading->row_count * sizeof *rows);
	reading->rows = rows;
	reading->room = room;
}

static bool is_sealed(struct hash *hash, const uint8_t *bytes, size_t length_bytes)
{
	uint8_t seal[HASH_BYTES];

	hash_add(hash, bytes, length_bytes - HASH_BYTES);
	hash_take(hash, seal);
	return memcmp(bytes + length_bytes - HASH_BYTES, seal, HASH_BYTES) == 0;
}

static bool refuse(const struct reading *reading, const char *why, struct err *e)
{
	return err_set(e, ERR_ALTERED,
		       "read the facts of run number %zu: %s; `firedrill kpi --rebuild-all` derives "
		       "all of them again from the runs",
		       reading->row_count + 1, why);
}

static bool take_one(struct reading *reading, const uint8_t *bytes, size_t length_bytes,
		     struct err *e)
{
	const struct subject_place *place;
	struct run_facts *row;

	if (length_bytes < SEALED_BYTES_MIN || !is_sealed(reading->owned_hash, bytes, length_bytes))
		return refuse(reading, "they are not as they were written", e);
	place = find_place(reading, bytes);
	if (!place->is_taken)
		return refuse(reading, "what they are about is gone", e);
	if (reading->row_count == reading->room)
		make_room(reading);
	row = &reading->rows[reading->row_count];
	if (!codec_facts_read(bytes + HASH_BYTES, length_bytes - SEALED_BYTES_MIN, reading->arena,
			      row, e))
		return false;
	row->subject = place->index;
	reading->row_count++;
	return true;
}

static bool take_facts(void *ctx, struct blob facts, struct err *e)
{
	struct reading *reading = ctx;
	struct reader reader = { .bytes = facts.bytes, .length_bytes = facts.length_bytes };

	do {
		const uint64_t length_bytes = varint_read(&reader);

		if (reader.is_broken || length_bytes > reader.length_bytes - reader.used_bytes)
			return refuse(reading, "they are not as they were written", e);
		if (!take_one(reading, reader.bytes + reader.used_bytes, (size_t)length_bytes, e))
			return false;
		reader.used_bytes += (size_t)length_bytes;
	} while (reader.used_bytes < reader.length_bytes);
	return true;
}

static bool read_subjects(struct store *store, struct reading *reading, struct err *e)
{
	struct stored_subject *stored = NULL;
	size_t count = 0;

	if (!store->ops->subjects_read(store->owned_backend, reading->arena, &stored, &count, e))
		return false;
	reading->subjects = arena_alloc(reading->arena, (count + 1) * sizeof *reading->subjects);
	while (reading->place_mask < 2 * count)
		reading->place_mask = 2 * reading->place_mask + 1;
	reading->places = arena_alloc(reading->arena,
				      (reading->place_mask + 1) * sizeof *reading->places);
	for (size_t i = 0; i < count; i++) {
		const size_t found = reading->subject_count;
		struct subject_place *place;
		uint8_t hash[HASH_BYTES];

		/* The hash of the text as it is now: facts about what it was do not find it, and say so. */
		if (!subject_parse(&stored[i], reading->arena, &reading->subjects[found], NULL))
			continue;
		hash_add(reading->owned_hash, stored[i].text, strlen(stored[i].text));
		hash_take(reading->owned_hash, hash);
		place = find_place(reading, hash);
		place->is_taken = true;
		place->index = found;
		memcpy(place->hash, hash, sizeof hash);
		reading->subject_count++;
	}
	return true;
}

/* What is read belongs together. */
static bool read_facts(struct store *store, struct reading *reading, uint64_t *ret_runs,
		       struct err *e)
{
	const struct facts_sink sink = { take_facts, reading };
	bool ok;

	if (!store->ops->begin(store->owned_backend, false, e))
		return false;
	reading->owned_hash = hash_open();
	ok = store->ops->runs_count(store->owned_backend, ret_runs, e) &&
	     read_subjects(store, reading, e);
	if (ok) {
		reading->room = (size_t)*ret_runs;
		reading->rows = arena_alloc(reading->arena, reading->room * sizeof *reading->rows);
		ok = store->ops->facts_read(store->owned_backend, NULL, &sink, e);
	}
	hash_close(reading->owned_hash, NULL);
	store->ops->rollback(store->owned_backend); /* nothing was written */
	return ok;
}

bool store_facts(struct store *store, struct arena *arena, struct facts_rows *ret_rows,
		 struct err *e)
{
	struct reading reading = { .arena = arena };
	uint64_t run_count = 0;

	if (!read_facts(store, &reading, &run_count, e))
		return false;
	*ret_rows = (struct facts_rows){
		.subjects = reading.subjects,
		.subject_count = reading.subject_count,
		.rows = reading.rows,
		.row_count = reading.row_count,
		.missing_count = run_count > reading.row_count ? run_count - reading.row_count : 0,
	};
	return true;
}

bool store_facts_version(struct store *store, int64_t *ret_version, struct err *e)
{
	return store->ops->facts_version(store->owned_backend, ret_version, e);
}

/* ---- writing, and comparing with what was written ---- */

/* Facts as they are stored. */
struct packed {
	struct text subject;
	char subject_hash[HASH_TEXT_BYTES];
	struct text bytes;
};

static void add_hash(const struct text *of, struct text *bytes)
{
	struct hash *hash = hash_open();
	uint8_t digest[HASH_BYTES];

	hash_add(hash, text_str(of), of->length_bytes);
	hash_take(hash, digest);
	hash_close(hash, NULL);
	text_add_bytes(bytes, (const char *)digest, sizeof digest);
}

static void pack(const struct store *store, const struct facts_subject *subject,
		 const struct run_facts *facts, struct packed *packed)
{
	struct arena scratch = { 0 };
	struct text sealed = { 0 };

	subject_print(store, &scratch, subject, &packed->subject);
	hash_chain("", text_str(&packed->subject), packed->subject.length_bytes,
		   packed->subject_hash);
	add_hash(&packed->subject, &sealed);
	codec_facts_write(facts, &sealed);
	add_hash(&sealed, &sealed); /* the seal */
	varint_write(&packed->bytes, sealed.length_bytes);
	text_add_bytes(&packed->bytes, text_str(&sealed), sealed.length_bytes);
	text_release(&sealed);
	arena_release(&scratch);
}

static void pack_release(struct packed *packed)
{
	text_release(&packed->subject);
	text_release(&packed->bytes);
}

struct putting {
	struct stored_facts facts;
	bool is_there;
	bool is_same;
};

static bool compare_facts(void *ctx, struct blob found, struct err *e)
{
	struct putting *putting = ctx;
	const struct blob *facts = &putting->facts.facts;

	(void)e; /* nothing here can fail */
	putting->is_there = true;
	putting->is_same = found.length_bytes == facts->length_bytes &&
			   memcmp(found.bytes, facts->bytes, found.length_bytes) == 0;
	return true;
}

static bool look_up(struct store *store, struct putting *putting, struct err *e)
{
	const struct facts_sink sink = { compare_facts, putting };

	putting->is_there = putting->is_same = false;
	return store->ops->facts_read(store->owned_backend, putting->facts.run_id, &sink, e);
}

static bool put_work(struct store *store, void *ctx, struct err *e)
{
	struct putting *putting = ctx;

	return look_up(store, putting, e) &&
	       store->ops->facts_put(store->owned_backend, &putting->facts, e);
}

static struct putting putting_of(const struct packed *packed, const char *run_id)
{
	return (struct putting){
		.facts = {
			.run_id = run_id,
			.subject = { .hash = packed->subject_hash,
				     .text = text_str(&packed->subject) },
			.facts = { text_str(&packed->bytes), packed->bytes.length_bytes },
		},
	};
}

bool store_facts_put(struct store *store, const struct facts_subject *subject,
		     const struct run_facts *facts, bool *ret_has_changed, struct err *e)
{
	struct packed packed = { 0 };
	struct putting putting;
	bool ok;

	pack(store, subject, facts, &packed);
	putting = putting_of(&packed, facts->run_id);
	ok = store_write(store, put_work, &putting, e);
	if (ok && ret_has_changed != NULL)
		*ret_has_changed = putting.is_there && !putting.is_same;
	pack_release(&packed);
	return ok;
}

bool store_facts_compare(struct store *store, const struct facts_subject *subject,
			 const struct run_facts *facts, bool *ret_is_there, bool *ret_is_same,
			 struct err *e)
{
	struct packed packed = { 0 };
	struct putting putting;
	bool ok;

	pack(store, subject, facts, &packed);
	putting = putting_of(&packed, facts->run_id);
	ok = look_up(store, &putting, e);
	if (ok) {
		*ret_is_there = putting.is_there;
		*ret_is_same = putting.is_same;
	}
	pack_release(&packed);
	return ok;
}

/* ---- to another store ---- */

struct facts_copy {
	struct arena arena;
	struct blob facts;
};

static bool keep_facts(void *ctx, struct blob facts, struct err *e)
{
	struct facts_copy *copy = ctx;

	(void)e; /* nothing here can fail */
	copy->facts.bytes = arena_copy_bytes(&copy->arena, facts.bytes, facts.length_bytes);
	copy->facts.length_bytes = facts.length_bytes;
	return true;
}

/* The subject whose hash the facts begin with, behind their length; NULL: it is gone. */
static const struct stored_subject *subject_of(struct blob facts,
					       const struct stored_subject *subjects, size_t count)
{
	struct reader reader = { .bytes = facts.bytes, .length_bytes = facts.length_bytes };
	char hash[HASH_TEXT_BYTES];

	(void)varint_read(&reader);
	if (reader.is_broken || reader.length_bytes - reader.used_bytes < HASH_BYTES)
		return NULL;
	hash_print(reader.bytes + reader.used_bytes, hash);
	for (size_t i = 0; i < count; i++)
		if (strcmp(subjects[i].hash, hash) == 0)
			return &subjects[i];
	return NULL;
}

/* Within a write of `to`. What is damaged or not there stays behind: it can be derived again. */
bool store_facts_copy(struct store *from, struct store *to, const char *run_id, struct err *e)
{
	struct facts_copy copy = { .arena = { 0 } };
	const struct facts_sink sink = { keep_facts, &copy };
	struct stored_subject *subjects = NULL;
	size_t count = 0;
	bool ok;

	if (from->ops->facts_read == NULL)
		return true;
	ok = from->ops->facts_read(from->owned_backend, run_id, &sink, e) &&
	     from->ops->subjects_read(from->owned_backend, &copy.arena, &subjects, &count, e);
	if (ok && copy.facts.length_bytes > 0) {
		const struct stored_subject *subject = subject_of(copy.facts, subjects, count);
		const struct stored_facts facts = {
			.run_id = run_id,
			.subject = subject == NULL ? (struct stored_subject){ 0 } : *subject,
			.facts = copy.facts,
		};

		ok = subject == NULL || to->ops->facts_put(to->owned_backend, &facts, e);
	}
	arena_release(&copy.arena);
	return ok;
}
