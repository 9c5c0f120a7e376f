/*
 * missed.c - see notify.h: a run that was due and did not take place. Whoever keeps the timetable calls it;
 * nothing here knows what is due.
 */
#include "notify/notify.h"

#include <ctype.h>
#include <inttypes.h>

#include "model/verdict.h"

/* Part of the names of files, so of letters and digits. */
static const char *name_of(const struct missed_run *missed, struct arena *arena)
{
	char *name = arena_format(arena, "missed-%.64s-%" PRId64, missed->schedule,
				  missed->due_wall_ns / NS_PER_S);

	for (char *at = name; *at != '\0'; at++)
		if (!isalnum((unsigned char)*at) || (unsigned char)*at > 0x7f)
			*at = '-';
	return name;
}

bool notify_post_missed(const struct notifier *notifier, const struct missed_run *missed,
			size_t *ret_count, struct err *e)
{
	struct arena arena = { 0 };
	char due[32];

	clock_format_wall(missed->due_wall_ns, due, sizeof due);

	const struct happening happening = {
		.kinds = HAPPENING_MISSED_SCHEDULE,
		.wall_ns = clock_wall_ns(notifier->clock),
		.run_id = name_of(missed, &arena),
		.title = missed->title,
		.service = missed->service,
		.tier = missed->tier,
		.environment = missed->environment,
		.verdict = verdict_name(VERDICT_NONE),
		.exit_code = -1,
		.sentence = arena_format(
			&arena, "%s was due at %.16sZ and did not run%s%s%s.", missed->schedule, due,
			missed->why == NULL ? "" : ": ", missed->why == NULL ? "" : missed->why,
			missed->count <= 1 ? "" :
					     arena_format(&arena, " (%" PRId64 " in all were missed)",
							  missed->count)),
	};
	const bool ok = notify_post(notifier, &happening, NULL, ret_count, e);

	arena_release(&arena);
	return ok;
}
