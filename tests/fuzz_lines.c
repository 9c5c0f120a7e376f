/*
 * fuzz_lines.c - single lines that hosts and stores answer with: moments, rows of a ledger, reasons of
 * failures. No read beyond the line, and what reads as ours is ours.
 */
#include "tests/fuzz.h"
#include "fixtures/fuzz_input.h"
#include "probes/http_status.h"
#include "probes/http_url.h"
#include "probes/ledger_row.h"
#include "probes/stable.h"
#include "probes/stamp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void try_stamp(const char *text)
{
	int64_t wall_ns = 0;
	int64_t grain_ns = 0;
	size_t stamp_bytes = 0;

	if (!stamp_read(text, &wall_ns, &grain_ns, &stamp_bytes))
		return;
	assert(stamp_bytes <= strlen(text));
	assert(grain_ns >= 1 && grain_ns <= 1000000000);
	assert(wall_ns > 0); /* 1971 at the earliest */
}

static void try_ledger(const char *line, size_t line_bytes)
{
	const uint64_t seed = ledger_seed("run", "writer");
	int64_t sequence = -1;
	struct text ours = { 0 };

	if (!ledger_line_sequence(line, line_bytes, &sequence))
		return;
	assert(sequence >= 0);
	ledger_line(seed, (uint64_t)sequence, 32, &ours);
	/* Intact means: exactly what was written, but for zeros before the number. */
	if (ledger_line_is_intact(seed, (uint64_t)sequence, 32, line, line_bytes)) {
		const size_t tail_bytes = strlen(strchr(text_str(&ours), ' '));

		assert(line_bytes >= tail_bytes);
		assert(memcmp(line + line_bytes - tail_bytes, strchr(text_str(&ours), ' '),
			      tail_bytes) == 0);
	}
	assert(ledger_line_is_intact(seed, (uint64_t)sequence, 32, text_str(&ours),
				     ours.length_bytes));
	text_release(&ours);
}

static void try_reasons(const char *text)
{
	struct err failure = { 0 };
	struct err e = { 0 };
	char shown[STABLE_TEXT_BYTES];

	err_set(&failure, ERR_REMOTE, "ask http://x: %s", text);
	http_say_failure("get", &failure, &e);
	assert(strncmp(e.text, "get: ", 5) == 0);
	assert(strlen(stable_text(text, shown)) < STABLE_TEXT_BYTES);
	(void)http_status_is_word(text);
}

static void try_url(const char *url)
{
	static const struct host hosts[] = { { .name = "db1", .address = "fd00::1" } };
	static const struct inventory inventory = { .hosts = hosts, .host_count = 1 };
	struct text resolved = { 0 };
	struct text host = { 0 };

	if (http_url_is_valid(url)) {
		http_url_resolve(&inventory, url, &resolved, &host);
		assert(resolved.length_bytes > 0);
	}
	text_release(&resolved);
	text_release(&host);
}

void fuzz_lines(const uint8_t *bytes, size_t length_bytes)
{
	struct fuzz_input input = { bytes, length_bytes };
	struct arena arena = { 0 };

	try_ledger((const char *)bytes, length_bytes);

	const char *text = fuzz_take_text(&input, &arena);

	try_stamp(text);
	try_reasons(text);
	try_url(text);
	arena_release(&arena);
}
