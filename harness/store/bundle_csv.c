/*
 * bundle_csv.c - the CSV half of bundle_rows.h. Ten million lines are written and read, so numbers
 * are turned by hand.
 *
 * due = t0 + slot * every; late = sent - due; took = done - sent. Differences are taken on unsigned
 * numbers, where they wrap, as codec.c does: any sample survives the round trip.
 */
#include "store/bundle_rows.h"

#include <string.h>

const char bundle_samples_heading[] = "slot,late_ns,took_ns,state,write,error,detail";
const char bundle_ledger_heading[] = "first_slot,last_slot,found";

static const int64_t time_max_ns = INT64_C(1) << 62;

static const char *const state_words[] = {
	[SAMPLE_NONE] = "none",
	[SAMPLE_GOOD] = "good",
	[SAMPLE_BAD] = "bad",
	[SAMPLE_SKIPPED] = "skipped",
};

static const char *const write_words[] = {
	[WRITE_NONE] = "",
	[WRITE_ACKNOWLEDGED] = "acknowledged",
	[WRITE_FAILED] = "failed",
	[WRITE_INDETERMINATE] = "indeterminate",
};

enum {
	STATE_WORDS = sizeof state_words / sizeof state_words[0],
	WRITE_WORDS = sizeof write_words / sizeof write_words[0],
	DIGITS_MAX = 20,
};

/* ---- printing ---- */

static char *put_number(char *at, uint64_t number)
{
	char digits[DIGITS_MAX];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (count > 0)
		*at++ = digits[--count];
	return at;
}

static char *put_difference(char *at, uint64_t difference)
{
	if (difference >> 63 == 0)
		return put_number(at, difference);
	*at++ = '-';
	return put_number(at, 0 - difference);
}

static char *put_word(char *at, const char *word)
{
	const size_t length = strlen(word);

	return (char *)mempcpy(at, word, length);
}

static bool is_timed(const struct sample *sample)
{
	return sample->sent_ns != 0 || sample->done_ns != 0;
}

static uint64_t due_of(const struct timetable *timetable, uint64_t slot)
{
	return (uint64_t)timetable->t0_ns + slot * (uint64_t)timetable->every_ns;
}

void bundle_samples_print(const struct timetable *timetable, uint64_t first_slot,
			  const struct sample *samples, size_t sample_count, struct text *text)
{
	for (size_t i = 0; i < sample_count; i++) {
		const struct sample *sample = &samples[i];
		const uint64_t sent_ns = (uint64_t)sample->sent_ns;
		char line[BUNDLE_SAMPLE_BYTES_MAX];
		char *at = put_number(line, first_slot + i);

		*at++ = ',';
		if (is_timed(sample))
			at = put_difference(at, sent_ns - due_of(timetable, first_slot + i));
		*at++ = ',';
		if (is_timed(sample))
			at = put_difference(at, (uint64_t)sample->done_ns - sent_ns);
		*at++ = ',';
		at = put_word(at, state_words[sample->state]);
		*at++ = ',';
		at = put_word(at, write_words[sample->write]);
		*at++ = ',';
		if (sample->error_index != 0)
			at = put_number(at, sample->error_index);
		*at++ = ',';
		if (sample->detail != 0)
			at = put_number(at, sample->detail);
		*at++ = '\n';
		text_add_bytes(text, line, (size_t)(at - line));
	}
}

void bundle_ledger_print(const uint8_t *rows, uint64_t slot_count, struct text *text)
{
	for (uint64_t from = 0, until; from < slot_count; from = until) {
		char line[BUNDLE_LEDGER_BYTES_MAX];
		char *at;

		for (until = from + 1; until < slot_count && rows[until] == rows[from]; until++)
			;
		at = put_number(line, from);
		*at++ = ',';
		at = put_number(at, until - 1);
		*at++ = ',';
		at = put_number(at, rows[from]);
		*at++ = '\n';
		text_add_bytes(text, line, (size_t)(at - line));
	}
}

/* ---- reading ---- */

struct cells {
	const char *at;
	const char *end;
	bool is_broken;
};

/* One form for each number: no sign, no zero in front. */
static uint64_t take_number(struct cells *cells, uint64_t most)
{
	const char *from = cells->at;
	uint64_t number = 0;

	while (cells->at < cells->end && *cells->at >= '0' && *cells->at <= '9' &&
	       cells->at - from < DIGITS_MAX) {
		const uint64_t digit = (uint64_t)(*cells->at++ - '0');

		if (number > (most - (digit < most ? digit : most)) / 10)
			cells->is_broken = true;
		number = number * 10 + digit;
	}
	if (cells->at == from || number > most || (*from == '0' && cells->at - from > 1))
		cells->is_broken = true;
	return cells->is_broken ? 0 : number;
}

static bool take_byte(struct cells *cells, char byte)
{
	if (cells->at == cells->end || *cells->at != byte)
		return false;
	cells->at++;
	return true;
}

static void expect_byte(struct cells *cells, char byte)
{
	if (!take_byte(cells, byte))
		cells->is_broken = true;
}

static bool is_empty(const struct cells *cells)
{
	return cells->at == cells->end || *cells->at == ',';
}

/* Zero is written as nothing. */
static uint64_t take_optional(struct cells *cells, uint64_t most)
{
	const bool has_number = !is_empty(cells);
	const uint64_t number = has_number ? take_number(cells, most) : 0;

	if (has_number && number == 0)
		cells->is_broken = true;
	return number;
}

static uint64_t take_difference(struct cells *cells)
{
	if (take_byte(cells, '-')) {
		const uint64_t number = take_number(cells, (uint64_t)time_max_ns);

		if (number == 0)
			cells->is_broken = true;
		return 0 - number;
	}
	return take_number(cells, (uint64_t)time_max_ns);
}

static uint8_t take_word(struct cells *cells, const char *const *words, uint8_t word_count)
{
	const char *from = cells->at;

	while (!is_empty(cells))
		cells->at++;
	for (uint8_t i = 0; i < word_count; i++)
		if (strlen(words[i]) == (size_t)(cells->at - from) &&
		    memcmp(words[i], from, strlen(words[i])) == 0)
			return i;
	cells->is_broken = true;
	return 0;
}

/* A moment of a run. */
static bool is_moment(int64_t at_ns)
{
	return at_ns >= 0 && at_ns < time_max_ns;
}

static void take_times(struct cells *cells, uint64_t due_ns, struct sample *sample)
{
	if (take_byte(cells, ',')) {
		expect_byte(cells, ',');
		return; /* not timed */
	}

	const uint64_t sent_ns = due_ns + take_difference(cells);

	expect_byte(cells, ',');
	sample->sent_ns = (int64_t)sent_ns;
	sample->done_ns = (int64_t)(sent_ns + take_difference(cells));
	expect_byte(cells, ',');
	if (!is_moment(sample->sent_ns) || !is_moment(sample->done_ns))
		cells->is_broken = true;
}

bool bundle_sample_parse(const char *line, size_t length_bytes, const struct timetable *timetable,
			 uint64_t slot, struct sample *ret_sample)
{
	struct cells cells = { .at = line, .end = line + length_bytes };
	struct sample sample = { 0 };

	if (take_number(&cells, UINT32_MAX) != slot)
		return false;
	expect_byte(&cells, ',');
	take_times(&cells, due_of(timetable, slot), &sample);
	sample.state = take_word(&cells, state_words, STATE_WORDS);
	expect_byte(&cells, ',');
	sample.write = take_word(&cells, write_words, WRITE_WORDS);
	expect_byte(&cells, ',');
	sample.error_index = (uint16_t)take_optional(&cells, UINT16_MAX);
	expect_byte(&cells, ',');
	sample.detail = (uint32_t)take_optional(&cells, UINT32_MAX);
	if (cells.is_broken || cells.at != cells.end)
		return false;
	*ret_sample = sample;
	return true;
}

bool bundle_ledger_parse(const char *line, size_t length_bytes, uint64_t slot,
			 uint64_t slot_count, uint64_t *ret_last_slot, uint8_t *ret_row)
{
	struct cells cells = { .at = line, .end = line + length_bytes };

	if (slot >= slot_count || take_number(&cells, slot_count) != slot)
		return false;
	expect_byte(&cells, ',');

	const uint64_t last_slot = take_number(&cells, slot_count - 1);

	expect_byte(&cells, ',');

	const uint8_t row = (uint8_t)take_number(&cells, ROW_PRESENT | ROW_CORRUPTED | ROW_DUPLICATED);

	if (cells.is_broken || cells.at != cells.end || last_slot < slot)
		return false;
	*ret_last_slot = last_slot;
	*ret_row = row;
	return true;
}
