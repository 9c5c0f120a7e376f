/*
 * notifications.c - command "notifications": what waits to be told, and what nobody takes. Cron calls
 * `notifications deliver` where no `serve` runs.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/channels.h"

static const int64_t patience_ns = 300 * NS_PER_S;

static const struct option_row notifications_options[] = {
	{ "dead", NULL, "those that nobody will take: refused for good, or tried for a day" },
	STORE_OPTION,
	{ NULL, NULL, NULL },
};

static void print_message(const struct message *message, enum outbox_part part)
{
	struct text line = { 0 };
	char due[32];

	clock_format_wall(message->due_wall_ns, due, sizeof due);
	text_addf(&line, "%s  ", message->id);
	if (part == OUTBOX_WAITING)
		text_addf(&line, "due %.19sZ  ", due);
	text_addf(&line, "%" PRId64 " attempt%s  %s", message->attempt_count,
		  message->attempt_count == 1 ? "" : "s", message->happening.title);
	if (message->error != NULL)
		text_addf(&line, "  (%s)", message->error);
	cli_print_line(stdout, NULL, text_str(&line));
	text_release(&line);
}

static int list_messages(const char *folder, enum outbox_part part)
{
	struct arena arena = { 0 };
	struct message *messages = NULL;
	size_t count = 0;
	size_t broken_count = 0;
	struct err e = { 0 };
	int code = EXIT_MET;

	if (!outbox_list(folder, part, &arena, &messages, &count, &broken_count, &e))
		code = cli_fail(EXIT_INTERNAL, NULL, &e);
	for (size_t i = 0; i < count; i++)
		print_message(&messages[i], part);
	if (code == EXIT_MET && count == 0)
		(void)puts(part == OUTBOX_DEAD ? "no dead letters" : "nothing waits");
	if (broken_count > 0)
		code = cli_fail_text(EXIT_INTERNAL, "%zu file%s in %s cannot be read as a message",
				     broken_count, broken_count == 1 ? "" : "s", folder);
	arena_release(&arena);
	return code;
}

static int deliver(const char *folder)
{
	struct arena arena = { 0 };
	struct secrets secrets = { 0 };
	struct channel_book book = { .arena = &arena, .secrets = &secrets };
	const struct clock clock = clock_system();
	struct delivered delivered;
	const struct delivery delivery = {
		.folder = folder,
		.clock = &clock,
		.deadline_ns = clock_now_ns(&clock) + patience_ns,
		.secrets = &secrets,
		.find = channels_find,
		.ctx = &book,
	};

	notify_deliver(&delivery, &delivered);
	if (delivered.sent_count > 0 || delivered.first.kind == ERR_NONE)
		(void)printf("%zu sent\n", delivered.sent_count);
	cli_tell_delivered(&delivered, stderr, &secrets);
	secrets_release(&secrets);
	arena_release(&arena);
	return delivered.first.kind == ERR_NONE ? EXIT_MET : EXIT_MISSED;
}

static int change_dead(const char *folder, const char *what, const char *id)
{
	const struct clock clock = clock_system();
	struct err e = { 0 };

	if (strcmp(what, "retry") == 0 ? !outbox_revive(folder, id, clock_wall_ns(&clock), &e) :
					 !outbox_drop(folder, id, &e))
		return cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, NULL, &e);
	(void)puts(strcmp(what, "retry") == 0 ? "it waits again; `firedrill notifications deliver` sends it" :
						"thrown away");
	return EXIT_MET;
}

static int run_notifications(const struct arguments *arguments)
{
	const char *what = arguments->word_count > 0 ? arguments->words[0] : "";
	const bool is_change = strcmp(what, "retry") == 0 || strcmp(what, "drop") == 0;
	struct text folder = { 0 };
	int code;

	cli_outbox_path(arguments, &folder);
	if (arguments->word_count == 0)
		code = list_messages(text_str(&folder), arguments_flag(arguments, "dead") ?
								OUTBOX_DEAD : OUTBOX_WAITING);
	else if (strcmp(what, "deliver") == 0 && arguments->word_count == 1)
		code = deliver(text_str(&folder));
	else if (is_change && arguments->word_count == 2)
		code = change_dead(text_str(&folder), what, arguments->words[1]);
	else
		code = cli_fail_text(EXIT_NOT_RUN, "write `notifications`, `notifications deliver`, "
				     "`notifications retry ID` or `notifications drop ID`");
	text_release(&folder);
	return code;
}

const struct verb verb_notifications = {
	.name = "notifications",
	.arguments = "[deliver|retry ID|drop ID]",
	.word_min = 0,
	.word_max = 2,
	.summary = "list what waits to be told, send what is due, or revive and drop dead letters",
	.example = "firedrill notifications deliver",
	.options = notifications_options,
	.run = run_notifications,
};
