/*
 * fuzz.h - the list of what is fuzzed: tests/fuzz_<row>.c defines fuzz_<row>, its first inputs are in
 * fixtures/fuzz/<row>/, and so are those that once broke something.
 *
 * Each takes any bytes at all. It ends the process when our code breaks a promise about them: not only
 * by crashing, see the header of each file. Nothing is left of an input when the next one comes.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#define FUZZ_ROWS(X)   \
	X(answers)     \
	X(baseline)    \
	X(bundle)      \
	X(calendar)    \
	X(codec)       \
	X(conninfo)    \
	X(cron)        \
	X(documents)   \
	X(form)        \
	X(heal_record) \
	X(http)        \
	X(json)        \
	X(lines)       \
	X(mariadb)     \
	X(parts)       \
	X(patroni)     \
	X(postgres)    \
	X(prometheus)  \
	X(redis)       \
	X(request)     \
	X(rows)        \
	X(s3)          \
	X(samples)     \
	X(secrets)     \
	X(store)       \
	X(units)       \
	X(vantage)

#define X(id) void fuzz_##id(const uint8_t *bytes, size_t length_bytes);
FUZZ_ROWS(X)
#undef X

struct fuzz_row {
	const char *name;
	void (*run)(const uint8_t *bytes, size_t length_bytes);
};

/* Ends with a row without a name. */
extern const struct fuzz_row fuzz_harnesses[];

#endif
