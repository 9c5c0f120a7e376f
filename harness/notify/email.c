/*
 * email.c - channel "email": a mail in plain text, with the report attached as one HTML file.
 *
 * Foreign text gets into the subject and the body only; remote/mail.c keeps the subject one line, and
 * addresses are those of the inventory, which are checked.
 */
#include "notify/channel.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"

static const struct param email_params[] = {
	{ "server", PARAM_TEXT, .is_required = true, .help = "name of the SMTP server" },
	{ "port", PARAM_COUNT, .min = 1, .max = 65535, .fallback = "587", .help = "its port" },
	{ "tls", PARAM_CHOICE, .choices = "starttls|tls|none", .fallback = "starttls",
	  .help = "starttls: refused without it; tls: from the first byte; none: in the clear" },
	{ "user", PARAM_TEXT, .help = "whom to log in as; else nobody logs in" },
	{ "password", PARAM_TEXT, .is_secret = true, .help = "of that user" },
	{ "from", PARAM_TEXT, .is_required = true, .help = "address of the sender" },
	{ "to", PARAM_LIST, .is_required = true, .help = "addresses" },
	{ "attach", PARAM_BOOL, .fallback = "true", .help = "the HTML report" },
	{ 0 },
};

/* A name, or an address; one colon is a port's, several are IPv6's. */
static bool is_server(const char *text)
{
	const char *colon = strchr(text, ':');

	return *text != '\0' && *text != '-' &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:")] ==
		       '\0' &&
	       (colon == NULL || strchr(colon + 1, ':') != NULL);
}

/* name@place, without anything that means something in a header or an SMTP command. */
static bool is_address(const char *text)
{
	const char *at = strchr(text, '@');

	if (at == NULL || at == text || at[1] == '\0' || strchr(at + 1, '@') != NULL ||
	    strlen(text) > 254)
		return false;
	for (; *text != '\0'; text++)
		if (!isgraph((unsigned char)*text) || strchr("<>()[],;:\\\"", *text) != NULL)
			return false;
	return true;
}

static bool check_addresses(const struct params *params, const char **ret_row, struct err *e)
{
	const char *from = params_text(params, "from");
	const struct param_value *to = params_find(params, "to");

	*ret_row = "from";
	if (from != NULL && !is_address(from))
		return err_set(e, ERR_INPUT, "`from` is `%s`; write one address, as drills@example.net",
			       from);
	*ret_row = "to";
	for (size_t i = 0; to->is_set && i < to->item_count; i++)
		if (!is_address(to->items[i]))
			return err_set(e, ERR_INPUT, "`to` holds `%s`; write addresses, as "
				       "[team@example.net]", to->items[i]);
	return true;
}

static bool email_check(const struct params *params, bool has_secrets, const char **ret_row,
			struct err *e)
{
	const char *server = params_text(params, "server");
	const char *tls = params_text(params, "tls");

	(void)has_secrets;
	*ret_row = "server";
	if (server != NULL && !is_server(server))
		return err_set(e, ERR_INPUT, "`server` is `%s`; write its name or address alone, the "
			       "port goes into `port`", server);
	*ret_row = "user";
	if (params_is_set(params, "password") != params_is_set(params, "user"))
		return err_set(e, ERR_INPUT, "`user` and `password` go together");
	*ret_row = "tls";
	if (params_is_set(params, "password") && tls != NULL && strcmp(tls, "none") == 0)
		return err_set(e, ERR_INPUT, "`tls: none` would send the password in the clear; write "
			       "`starttls` or `tls`, or take `user` and `password` out");
	return check_addresses(params, ret_row, e);
}

static void email_compose(const struct occasion *occasion, struct arena *arena,
			  struct letter *ret_letter)
{
	const struct happening *happening = occasion->happening;
	const bool attaches = occasion->report != NULL &&
			      params_bool(&occasion->channel->params, "attach");
	struct text title = { 0 };
	struct text body = { 0 };
	char wall[32];

	happening_title(happening, &title);
	clock_format_wall(happening->wall_ns, wall, sizeof wall);
	text_addf(&body, "%s\n\n%s\n\n", text_str(&title), happening->sentence);
	if (happening->hypothesis != NULL)
		text_addf(&body, "expected: %s\n", happening->hypothesis);
	channel_add_facts(happening, &body);
	text_addf(&body, "\nrun %s, %.19sZ\n%s", happening->run_id, wall,
		  attaches ? "The report is attached.\n" : "");
	*ret_letter = (struct letter){
		.way = LETTER_MAIL,
		.subject = arena_format(arena, "[firedrill] %s", text_str(&title)),
		.body = arena_copy(arena, text_str(&body)),
	};
	if (attaches) {
		ret_letter->file_name = arena_format(arena, "report-%s.html", happening->run_id);
		ret_letter->attachment = occasion->report;
	}
	text_release(&title);
	text_release(&body);
}

const struct channel_ops channel_email = {
	.name = "email",
	.summary = "a mail over SMTP with TLS, the HTML report attached",
	.params = email_params,
	.wants_report = true,
	.check = email_check,
	.compose = email_compose,
};
