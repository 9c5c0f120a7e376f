/*
 * codec_facts.c - the facts of a run as one small blob, and back, exactly: see codec.h.
 *
 * A hundred thousand of them are read at once, and their seals are over these bytes as they stand: so
 * reading and checking all of them takes less than reading them as columns would.
 */
#include "store/codec.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "store/varint.h"

enum { FORMAT = 1, BIT_ENDED = 1, BIT_HARMED = 2, BIT_RPO_KNOWN = 4, BITS_ALL = 7 };

static void span_write(struct text *bytes, struct span span)
{
	zigzag_write(bytes, (uint64_t)span.low_ns);
	zigzag_write(bytes, (uint64_t)span.high_ns - (uint64_t)span.low_ns);
}

void codec_facts_write(const struct run_facts *facts, struct text *bytes)
{
	const size_t id_bytes = strlen(facts->run_id);

	assert(id_bytes > 0 && id_bytes <= LIMIT_NAME_BYTES);

	varint_write(bytes, FORMAT);
	varint_write(bytes, id_bytes);
	text_add_bytes(bytes, facts->run_id, id_bytes);
	varint_write(bytes, (facts->is_ended ? BIT_ENDED : 0) | (facts->has_harmed ? BIT_HARMED : 0) |
				    (facts->is_rpo_known ? BIT_RPO_KNOWN : 0));
	zigzag_write(bytes, (uint64_t)facts->trial);
	zigzag_write(bytes, (uint64_t)facts->began_wall_ns);
	zigzag_write(bytes, (uint64_t)facts->ended_wall_ns - (uint64_t)facts->began_wall_ns);
	varint_write(bytes, facts->exit_code);
	varint_write(bytes, facts->rto_kind);
	varint_write(bytes, facts->rto_verdict);
	span_write(bytes, facts->rto);
	varint_write(bytes, facts->rpo_verdict);
	span_write(bytes, facts->rpo);
	varint_write(bytes, facts->lost_count);
}

/* What is added up later must be a duration. */
static struct span span_read(struct reader *reader)
{
	struct span span;

	span.low_ns = (int64_t)zigzag_read(reader);
	span.high_ns = (int64_t)((uint64_t)span.low_ns + zigzag_read(reader));
	if (span.low_ns < 0 || span.high_ns < span.low_ns)
		reader->is_broken = true;
	return span;
}

static const char *id_read(struct reader *reader, struct arena *arena)
{
	const size_t id_bytes = (size_t)varint_read_at_most(reader, LIMIT_NAME_BYTES);
	const char *id = (const char *)reader->bytes + reader->used_bytes;

	if (reader->is_broken || id_bytes == 0 ||
	    reader->length_bytes - reader->used_bytes < id_bytes ||
	    memchr(id, '\0', id_bytes) != NULL) {
		reader->is_broken = true;
		return "";
	}
	reader->used_bytes += id_bytes;
	return arena_copy_bytes(arena, id, id_bytes);
}

bool codec_facts_read(const void *blob, size_t blob_bytes, struct arena *arena,
		      struct run_facts *ret_facts, struct err *e)
{
	struct reader reader = { .bytes = blob, .length_bytes = blob_bytes };
	struct run_facts facts = { 0 };
	uint64_t bits;

	if (varint_read(&reader) != FORMAT)
		reader.is_broken = true;
	facts.run_id = id_read(&reader, arena);
	bits = varint_read_at_most(&reader, BITS_ALL);
	facts.is_ended = (bits & BIT_ENDED) != 0;
	facts.has_harmed = (bits & BIT_HARMED) != 0;
	facts.is_rpo_known = (bits & BIT_RPO_KNOWN) != 0;
	facts.trial = (int64_t)zigzag_read(&reader);
	facts.began_wall_ns = (int64_t)zigzag_read(&reader);
	facts.ended_wall_ns = (int64_t)((uint64_t)facts.began_wall_ns + zigzag_read(&reader));
	facts.exit_code = (enum run_exit)varint_read_at_most(&reader, EXIT_INTERNAL);
	facts.rto_kind = (enum measured)varint_read_at_most(&reader, MEASURED_NEVER_RECOVERED);
	facts.rto_verdict = (enum verdict)varint_read_at_most(&reader, VERDICT_INCONCLUSIVE);
	facts.rto = span_read(&reader);
	facts.rpo_verdict = (enum verdict)varint_read_at_most(&reader, VERDICT_INCONCLUSIVE);
	facts.rpo = span_read(&reader);
	facts.lost_count = varint_read(&reader);
	if (!reader_finish(&reader, "the facts of a run", e))
		return false;
	*ret_facts = facts;
	return true;
}
