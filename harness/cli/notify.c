/*
 * notify.c - command "notify": the kinds of channels there are, and a test of one.
 */
#include <string.h>

#include "cli/channels.h"
#include "engine/engine.h"
#include "notify/channel.h"

static const int64_t patience_ns = 10 * NS_PER_S;

enum { MESSAGE_ID_BYTES = 256 };

static const struct option_row notify_options[] = {
	INVENTORY_OPTION,
	STORE_OPTION,
	{ NULL, NULL, NULL },
};

static void print_kinds(void)
{
	size_t count;
	const struct channel_ops *const *table = channel_table(&count);

	for (size_t i = 0; i < count; i++) {
		(void)printf("%s - %s\n", table[i]->name, table[i]->summary);
		cli_print_params(table[i]->params);
	}
	(void)printf("what a rule can tell (`on:`):\n");
#define X(id, name, help) (void)printf("    %-16s %s\n", name, help);
	HAPPENING_ROWS(X)
#undef X
}

/* One message, now, and what came of it. */
static int send_test(const struct notifier *notifier, const struct channel_spec *channel,
		     struct channel_book *book)
{
	char run_id[32];
	char id[MESSAGE_ID_BYTES];
	struct delivered delivered;
	struct err e = { 0 };

	run_id_make(notifier->clock, run_id, sizeof run_id);

	const struct happening happening = {
		.kinds = HAPPENING_TEST,
		.wall_ns = clock_wall_ns(notifier->clock),
		.run_id = run_id,
		.title = "a test of this channel",
		.verdict = verdict_name(VERDICT_NONE),
		.exit_code = -1,
		.sentence = "If you can read this, firedrill can reach you. No run has taken place.",
	};
	const struct delivery delivery = {
		.folder = notifier->folder,
		.clock = notifier->clock,
		.deadline_ns = clock_now_ns(notifier->clock) + patience_ns,
		.only = id,
		.secrets = notifier->secrets,
		.find = channels_find,
		.ctx = book,
	};

	if (!notify_post_to(notifier, channel, &happening, id, sizeof id, &e))
		return cli_fail(EXIT_INTERNAL, notifier->secrets, &e);
	notify_deliver(&delivery, &delivered);
	if (delivered.sent_count == 1) {
		(void)printf("channel `%s` has taken a test message\n", channel->name);
		return EXIT_MET;
	}
	/* A test that failed is over: nobody wants it tomorrow. It is in one of both places. */
	outbox_forget(notifier->folder, id);
	return cli_fail(EXIT_MISSED, notifier->secrets, &delivered.first);
}

static int test_channel(const struct arguments *arguments, const char *name)
{
	const char *given = arguments_value(arguments, "inventory");
	struct arena arena = { 0 };
	struct secrets secrets = { 0 };
	struct channel_book book = { .arena = &arena, .secrets = &secrets };
	const struct clock clock = clock_system();
	struct text folder = { 0 };
	struct err e = { 0 };
	struct notifier notifier = { .secrets = &secrets, .clock = &clock };
	const struct channel_spec *channel = NULL;
	int code;

	cli_outbox_path(arguments, &folder);
	notifier.folder = text_str(&folder);
	notifier.inventory = cli_absolute(given != NULL ? given : "inventory.yaml", &arena);
	if (!channels_load(&book, notifier.inventory, &notifier.notify, &e))
		code = cli_fail(EXIT_NOT_RUN, &secrets, &e);
	else if (!channels_find(&book, notifier.inventory, name, &channel, &e))
		code = cli_fail_text(EXIT_NOT_RUN, "%s has no channel `%s`", notifier.inventory, name);
	else
		code = send_test(&notifier, channel, &book);
	text_release(&folder);
	secrets_release(&secrets);
	arena_release(&arena);
	return code;
}

static int run_notify(const struct arguments *arguments)
{
	if (arguments->word_count == 0) {
		print_kinds();
		return EXIT_MET;
	}
	if (arguments->word_count != 2 || strcmp(arguments->words[0], "test") != 0)
		return cli_fail_text(EXIT_NOT_RUN, "write `firedrill notify test CHANNEL`, or `firedrill "
				     "notify` for the kinds of channels there are");
	return test_channel(arguments, arguments->words[1]);
}

const struct verb verb_notify = {
	.name = "notify",
	.arguments = "[test CHANNEL]",
	.word_min = 0,
	.word_max = 2,
	.summary = "list the kinds of channels, or send a test message by one",
	.example = "firedrill notify test team --inventory inventory.yaml",
	.options = notify_options,
	.run = run_notify,
};
