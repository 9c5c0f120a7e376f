/*
 * table.c - the channels: one row each, and what several of them do the same way.
 */
#include "notify/channel.h"

#include <assert.h>
#include <string.h>

#include "base/units.h"

#define CHANNEL_ROWS(X) \
	X(slack)        \
	X(webhook)      \
	X(email)        \
	X(pagerduty)    \
	X(grafana)

#define X(id) extern const struct channel_ops channel_##id;
CHANNEL_ROWS(X)
#undef X

static const struct channel_ops *const channel_rows[] = {
#define X(id) &channel_##id,
	CHANNEL_ROWS(X)
#undef X
};

const struct channel_ops *const *channel_table(size_t *ret_count)
{
	*ret_count = sizeof channel_rows / sizeof channel_rows[0];
	return channel_rows;
}

const struct channel_ops *channel_find(const char *name)
{
	for (size_t i = 0; i < sizeof channel_rows / sizeof channel_rows[0]; i++)
		if (strcmp(channel_rows[i]->name, name) == 0)
			return channel_rows[i];
	return NULL;
}

void letter_add_header(struct letter *letter, const char *name, const char *value)
{
	assert(letter->header_count < LETTER_HEADERS);

	letter->headers[letter->header_count++] = (struct pair){ name, value };
}

bool channel_check_url(const struct params *params, const char *row, bool has_secrets,
		       const char **ret_row, struct err *e)
{
	const struct param_value *url = params_find(params, row);
	const char *host = url->is_set ? strstr(url->text, "://") : NULL;

	if (!url->is_set || !has_secrets)
		return true;
	if ((strncmp(url->text, "http://", 7) == 0 || strncmp(url->text, "https://", 8) == 0) &&
	    host[3] != '\0' && strpbrk(url->text, " \t\r\n") == NULL)
		return true;
	*ret_row = row;
	return err_set(e, ERR_INPUT, "`%s` must be one URL that begins with https:// or http://", row);
}

size_t channel_fit(const char *raw, size_t most_bytes)
{
	size_t length = strnlen(raw, most_bytes);

	if (raw[length] == '\0')
		return length;
	while (length > 0 && ((unsigned char)raw[length] & 0xc0) == 0x80)
		length--;
	return length;
}

/* What no objective speaks of is worth a line, too. */
static void add_span(const struct happening *happening, const char *what, struct told_span span,
		     struct text *text)
{
	char words[UNITS_SPAN_BYTES];

	for (size_t i = 0; i < happening->objective_count; i++)
		if (strcmp(happening->objectives[i].name, what) == 0)
			return;
	if (span.is_known)
		text_addf(text, "observed %s: %s\n", what,
			  units_format_span(span.low_ns, span.high_ns, words));
}

static void add_objectives(const struct happening *happening, struct text *text)
{
	for (size_t i = 0; i < happening->objective_count; i++) {
		const struct told_objective *objective = &happening->objectives[i];

		text_addf(text, "%s %s: %s (target %s)\n", objective->verdict, objective->name,
			  objective->observed, objective->target);
	}
}

void channel_add_facts(const struct happening *happening, struct text *text)
{
	char words[UNITS_TEXT_BYTES];

	if (happening->after_ns > 0)
		text_addf(text, "nobody has acknowledged this for %s: firedrill ack %s\n",
			  units_format_duration(happening->after_ns, words), happening->run_id);
	if (happening->person != NULL)
		text_addf(text, "acknowledged by %s\n", happening->person);
	add_objectives(happening, text);
	add_span(happening, "rto", happening->rto, text);
	add_span(happening, "rpo", happening->rpo, text);
	for (size_t i = 0; i < happening->leftover_count; i++)
		text_addf(text, "left unhealed: %s\n", happening->leftovers[i]);
	if (happening->leftover_count > 0 && happening->heal_command != NULL)
		text_addf(text, "heal it: %s\n", happening->heal_command);
	if (happening->previous_run != NULL)
		text_addf(text, "last time (%s): %s\n", happening->previous_run,
			  happening->previous_sentence);
	if (happening->link != NULL)
		text_addf(text, "see %s\n", happening->link);
	if (happening->report != NULL)
		text_addf(text, "report: %s%s%s\n", happening->report,
			  happening->machine == NULL ? "" : " on ",
			  happening->machine == NULL ? "" : happening->machine);
}
