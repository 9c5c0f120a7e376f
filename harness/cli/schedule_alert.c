/*
 * schedule_alert.c - see schedule_alert.h. What is told of an experiment was read together with its schedule, so
 * that one which cannot be read any more is told of as well.
 */
#include "cli/schedule_alert.h"

#include "cli/messenger.h"

/* For all alerts together: what is due meanwhile waits, and has a minute to be on time. */
static const struct messenger_patience patience = { 10 * NS_PER_S, false };

static bool post(struct messenger *messenger, const struct scheduler_alert *alert,
		 size_t *ret_count, struct err *e)
{
	const struct experiment *experiment = alert->experiment->experiment;
	const struct missed_run missed = {
		.schedule = alert->schedule->name,
		.title = alert->experiment->title,
		.service = experiment->service == NULL ? NULL : experiment->service->name,
		.tier = experiment->service == NULL ? 0 : experiment->service->tier,
		.environment = alert->experiment->policy->environment,
		.due_wall_ns = alert->due_wall_ns,
		.count = (int64_t)alert->count,
		.why = alert->why,
	};

	*ret_count = 0;
	if (experiment->inventory_path == NULL)
		return true; /* it has nobody to tell */
	return (messenger_take(messenger, experiment->inventory_path, NULL, e) &&
		notify_post_missed(&messenger->notifier, &missed, ret_count, e)) ||
	       err_wrap(e, "tell that a run of %s was missed", missed.schedule);
}

void schedule_alert(const struct arguments *arguments, const struct scheduler_alert *alerts,
		    size_t count)
{
	const struct clock clock = clock_system();
	struct arena arena = { 0 };
	struct secrets secrets = { 0 };
	struct messenger messenger;
	size_t message_count = 0;

	messenger_open(&messenger, arguments, &arena, &secrets, &clock);
	for (size_t i = 0; i < count; i++) {
		struct err e = { 0 };
		size_t posted_count;

		if (!post(&messenger, &alerts[i], &posted_count, &e))
			(void)cli_fail(0, &secrets, &e);
		message_count += posted_count;
	}
	if (message_count > 0)
		messenger_deliver(&messenger, NULL, patience);
	messenger_close(&messenger);
	secrets_release(&secrets);
	arena_release(&arena);
}
