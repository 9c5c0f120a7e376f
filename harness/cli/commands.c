/*
 * commands.c - the list of commands. Adding one is one file and one row here.
 */
#include "cli/cli.h"

#define COMMAND_ROWS(X) \
	X(run)          \
	X(check)        \
	X(plan)         \
	X(approve)      \
	X(stop)         \
	X(resume)       \
	X(heal)         \
	X(schedule)     \
	X(worker)       \
	X(watch)        \
	X(pause)        \
	X(doctor)       \
	X(sudoers)      \
	X(report)       \
	X(verify)       \
	X(export)       \
	X(store)        \
	X(hold)         \
	X(release)      \
	X(compare)      \
	X(kpi)          \
	X(list)         \
	X(show)         \
	X(serve)        \
	X(ack)          \
	X(notifications) \
	X(notify)       \
	X(faults)       \
	X(probes)       \
	X(schema)       \
	X(version)

#define X(id) extern const struct verb verb_##id;
COMMAND_ROWS(X)
#undef X

static const struct verb *const commands[] = {
#define X(id) &verb_##id,
	COMMAND_ROWS(X)
#undef X
};

const struct verb *const *verb_table(size_t *ret_count)
{
	*ret_count = sizeof commands / sizeof commands[0];
	return commands;
}
