/*
 * test_notify.c - what is told to whom, and in which words: rules, channels, templates, retries. Pure.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "fixtures/happenings.h"
#include "notify/channel.h"
#include "notify/notify.h"
#include "notify/route.h"
#include "notify/template.h"
#include "tests/suites.h"

#include <stdlib.h>
#include <string.h>

static struct arena arena;
static struct secrets secrets;

static void setup(void)
{
	arena = (struct arena){ 0 };
	secrets = (struct secrets){ 0 };
	ck_assert_int_eq(setenv("HOOK", "https://hooks.example.net/services/T0/B0/xoxoxoxoxoxoxoxoxo", 1), 0);
	ck_assert_int_eq(setenv("HOOK_KEY", "a key that two share", 1), 0);
	ck_assert_int_eq(setenv("PAGER_KEY", "0123456789abcdef0123456789abcdef", 1), 0);
}

static void teardown(void)
{
	arena_release(&arena);
	secrets_release(&secrets);
}

static const char all_channels[] =
	"notify:\n"
	"  channels:\n"
	"    team: { kind: slack, url: ${env:HOOK} }\n"
	"    hook: { kind: webhook, url: ${env:HOOK}, key: ${env:HOOK_KEY}, headers: { X-Team: db } }\n"
	"    tickets:\n"
	"      kind: webhook\n"
	"      url: ${env:HOOK}\n"
	"      template: '{\"summary\": \"{{headline}}: {{title}}\", \"text\": \"{{facts}}\"}'\n"
	"    pager: { kind: pagerduty, routing_key: ${env:PAGER_KEY} }\n"
	"    graphs: { kind: grafana, url: 'https://grafana.example.net/', token: '${env:PAGER_KEY}', "
	"dashboard: firedrill }\n"
	"    mail: { kind: email, server: smtp.example.net, from: drills@example.net, to: [a@example.net] }\n";

static const struct notify *notify_with(const char *rules)
{
	return notify_of(arena_format(&arena, "%s  rules:\n%s", all_channels, rules), &arena, &secrets);
}

/* ---- letters ---- */

static struct letter letter_of(const char *channel, const struct happening *happening)
{
	const struct notify *notify =
		notify_with("    - { on: [missed], channels: [team] }\n");
	const struct channel_spec *spec = notify_channel(notify, channel);
	const struct occasion occasion = {
		.channel = spec,
		.happening = happening,
		.message_id = "20261121-100000-k3f9.missed.test",
		.wall_ns = INT64_C(1795255201) * NS_PER_S,
		.report = "<p>report</p>",
	};
	struct letter letter = { 0 };

	ck_assert_ptr_nonnull(spec);
	channel_find(spec->kind)->compose(&occasion, &arena, &letter);
	return letter;
}

/* Everything of a letter as text. */
static void print_letter(const struct letter *letter, struct text *text)
{
	if (letter->way == LETTER_HTTP)
		text_addf(text, "POST %s\n", letter->url);
	else
		text_addf(text, "Subject: %s\n", letter->subject);
	for (size_t i = 0; i < letter->header_count; i++)
		text_addf(text, "%s: %s\n", letter->headers[i].name, letter->headers[i].value);
	text_addf(text, "\n%s\n", letter->body);
	if (letter->file_name != NULL)
		text_addf(text, "\n%s\n%s\n", letter->file_name, letter->attachment);
}

static const char *const letters[] = { "team", "hook", "tickets", "pager", "graphs", "mail" };

/* Golden files are what a person has looked at; UPDATE_GOLDEN=1 rewrites them. */
START_TEST(test_channel_compose_golden_is_unchanged)
{
	const struct happening happening = happening_missed();
	const struct letter letter = letter_of(letters[_i], &happening);
	const char *path = arena_format(&arena, "fixtures/golden/notify-%s.txt", letters[_i]);
	struct text got = { 0 };
	struct text expected = { 0 };
	bool is_there = false;

	print_letter(&letter, &got);
	if (getenv("UPDATE_GOLDEN") != NULL)
		ck_assert(file_write(path, text_str(&got), got.length_bytes, NULL));
	ck_assert(file_read(path, &is_there, &expected, NULL));
	ck_assert_str_eq(text_str(&got), text_str(&expected));
	text_release(&got);
	text_release(&expected);
}
END_TEST

START_TEST(test_slack_compose_foreign_text_calls_nobody_and_formats_nothing)
{
	const struct happening happening = happening_hostile();
	const struct letter letter = letter_of("team", &happening);
	struct json *parsed = NULL;

	ck_assert(json_parse(letter.body, strlen(letter.body), &parsed, NULL));
	ck_assert_ptr_null(strpbrk(letter.body, "<>"));
	ck_assert_ptr_null(strstr(letter.body, "@channel"));
	ck_assert_ptr_nonnull(strstr(letter.body, "&lt;!channel&gt;"));
	json_release(parsed);
}
END_TEST

START_TEST(test_slack_compose_long_text_is_cut_between_characters)
{
	struct happening happening = happening_missed();
	struct text sentence = { 0 };
	struct letter letter;

	for (int i = 0; i < 4000; i++)
		text_add(&sentence, "\xc3\xa9");
	happening.sentence = text_str(&sentence);
	letter = letter_of("team", &happening);
	ck_assert(json_is_utf8(letter.body));
	ck_assert_ptr_null(strstr(letter.body, "\xef\xbf\xbd"));
	ck_assert_uint_lt(strlen(letter.body), 8000);
	text_release(&sentence);
}
END_TEST

START_TEST(test_compose_every_channel_hostile_text_stays_where_it_was_put)
{
	const struct happening happening = happening_hostile();
	const struct letter letter = letter_of(letters[_i], &happening);
	struct json *parsed = NULL;

	for (size_t i = 0; i < letter.header_count; i++)
		ck_assert_ptr_null(strpbrk(letter.headers[i].value, "\r\n"));
	if (letter.way != LETTER_HTTP)
		return;
	ck_assert(json_parse(letter.body, strlen(letter.body), &parsed, NULL));
	/* A value is never looked at again: its braces are still there. */
	ck_assert_ptr_nonnull(strstr(letter.body, "{{title}}"));
	json_release(parsed);
}
END_TEST

START_TEST(test_pagerduty_compose_action_follows_what_happened)
{
	static const struct {
		uint32_t kinds;
		const char *says;
	} cases[] = {
		{ HAPPENING_MISSED, "\"event_action\":\"trigger\"" },
		{ HAPPENING_LEFTOVER, "\"severity\":\"critical\"" },
		{ HAPPENING_INCONCLUSIVE, "\"severity\":\"warning\"" },
		{ HAPPENING_ACKNOWLEDGED, "\"event_action\":\"acknowledge\"" },
		{ HAPPENING_RECOVERED, "\"event_action\":\"resolve\"" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct happening happening = happening_missed();
		struct letter letter;

		happening.kinds = cases[i].kinds;
		letter = letter_of("pager", &happening);
		ck_assert_msg(strstr(letter.body, cases[i].says) != NULL, "%s", letter.body);
		ck_assert_ptr_nonnull(
			strstr(letter.body, "\"dedup_key\":\"20261121-100000-k3f9\""));
	}
}
END_TEST

START_TEST(test_grafana_compose_without_harm_is_a_point)
{
	struct happening happening = happening_missed();
	struct letter letter;

	happening.kinds = HAPPENING_START;
	happening.harm_count = 0;
	letter = letter_of("graphs", &happening);
	ck_assert_ptr_nonnull(strstr(letter.body, "\"time\":1795255200000,"));
	ck_assert_ptr_nonnull(strstr(letter.body, "[\"firedrill\",\"start\","));
	ck_assert_ptr_null(strstr(letter.body, "timeEnd"));
}
END_TEST

/* Grafana would fail on a wider one each time, for a day. */
START_TEST(test_grafana_compose_tags_fit_the_columns_of_grafana)
{
	char wide[151];
	struct happening happening = happening_missed();
	struct json *parsed = NULL;
	struct letter letter;

	for (size_t i = 0; i < sizeof wide - 1; i += 2)
		memcpy(&wide[i], "\xc3\xa9", 2);
	wide[sizeof wide - 1] = '\0';
	happening.service = wide;
	letter = letter_of("graphs", &happening);
	ck_assert(json_parse(letter.body, strlen(letter.body), &parsed, NULL));

	const char *tag = json_text_of(json_at(json_get(parsed, "tags"), 2));

	ck_assert_uint_eq(strlen(tag), 100);
	ck_assert_int_eq((unsigned char)tag[99], 0xa9);
	ck_assert_ptr_nonnull(strstr(letter.body, "\"verdict:missed\"]"));
	json_release(parsed);
}
END_TEST

START_TEST(test_grafana_compose_foreign_text_is_no_markup)
{
	const struct happening happening = happening_hostile();
	const struct letter letter = letter_of("graphs", &happening);

	ck_assert_ptr_nonnull(strstr(letter.body, ", not healed"));
	ck_assert_ptr_null(strchr(strstr(letter.body, "\"text\""), '<'));
}
END_TEST

START_TEST(test_webhook_compose_signature_covers_time_and_body)
{
	const struct happening happening = happening_missed();
	const struct letter letter = letter_of("hook", &happening);
	struct text signed_text = { 0 };
	char expected[HASH_TEXT_BYTES];

	text_addf(&signed_text, "1795255201.%s", letter.body);
	hash_hmac("a key that two share", text_str(&signed_text), signed_text.length_bytes, expected);
	ck_assert_str_eq(letter.headers[3].name, "Firedrill-Timestamp");
	ck_assert_str_eq(letter.headers[3].value, "1795255201");
	ck_assert_str_eq(letter.headers[4].name, "Firedrill-Signature");
	ck_assert_str_eq(letter.headers[4].value, arena_format(&arena, "v1=%s", expected));
	text_release(&signed_text);
}
END_TEST

/* RFC 4231, test cases 1, 2 and 6. */
START_TEST(test_hash_hmac_agrees_with_the_standard)
{
	char long_key[132];
	char got[HASH_TEXT_BYTES];

	hash_hmac("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b",
		  "Hi There", 8, got);
	ck_assert_str_eq(got, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	hash_hmac("Jefe", "what do ya want for nothing?", 28, got);
	ck_assert_str_eq(got, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(long_key, '\xaa', 131);
	long_key[131] = '\0';
	hash_hmac(long_key, "Test Using Larger Than Block-Size Key - Hash Key First", 54, got);
	ck_assert_str_eq(got, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
END_TEST

/* ---- a happening, there and back ---- */

START_TEST(test_happening_put_and_get_give_the_same)
{
	const struct happening cases[] = { happening_missed(), happening_hostile() };

	for (size_t i = 0; i < 2; i++) {
		struct json *first = json_object();
		struct json *second = json_object();
		struct json *parsed = NULL;
		struct text printed = { 0 };
		struct text again = { 0 };
		struct happening happening;

		happening_put(first, &cases[i]);
		json_print(first, false, &printed);
		ck_assert(json_parse(text_str(&printed), printed.length_bytes, &parsed, NULL));
		happening_get(parsed, &arena, &happening);
		happening_put(second, &happening);
		json_print(second, false, &again);
		ck_assert_str_eq(text_str(&printed), text_str(&again));
		ck_assert_uint_eq(happening.kinds, cases[i].kinds);
		json_release(first);
		json_release(second);
		json_release(parsed);
		text_release(&printed);
		text_release(&again);
	}
}
END_TEST

START_TEST(test_happening_get_of_nothing_can_be_composed)
{
	struct json *empty = json_object();
	struct happening happening;

	happening_get(empty, &arena, &happening);
	for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
		(void)letter_of(letters[i], &happening);
	json_release(empty);
}
END_TEST

START_TEST(test_happening_redact_hides_secrets_in_every_text)
{
	struct happening happening = happening_hostile();
	struct json *json = json_object();
	struct text printed = { 0 };

	secrets_register(&secrets, "</script>&<!channel>");
	happening = happening_redact(&happening, &secrets, &arena);
	happening_put(json, &happening);
	json_print(json, false, &printed);
	ck_assert_ptr_null(strstr(text_str(&printed), "script"));
	ck_assert_ptr_nonnull(strstr(text_str(&printed), "[secret]"));
	json_release(json);
	text_release(&printed);
}
END_TEST

/* Each long piece of a hook's URL is hidden, and what the document says in plain is not. */
START_TEST(test_load_notify_url_of_a_hook_is_a_secret_in_its_parts)
{
	struct text text = { 0 };

	(void)notify_of("notify: { channels: { a: { kind: slack, url: "
			"'https://hooks.example.net/a-long-plain-path/x?t=${env:PAGER_KEY}' } }, "
			"rules: [{ on: [end], channels: [a] }] }\n", &arena, &secrets);
	text_add(&text, "/a-long-plain-path/ 0123456789abcdef0123456789abcdef");
	secrets_redact(&secrets, &text);
	ck_assert_str_eq(text_str(&text), "/a-long-plain-path/ [secret]");
	secrets_release(&secrets);
	text_clear(&text);
	(void)notify_with("    - { on: [end], channels: [team] }\n");
	text_add(&text, "no hook /services/T0/B0/xoxoxoxoxoxoxoxoxo, nor xoxoxoxoxoxoxoxoxo");
	secrets_redact(&secrets, &text);
	ck_assert_str_eq(text_str(&text), "no hook [secret], nor [secret]");
	text_release(&text);
}
END_TEST

/* ---- templates ---- */

START_TEST(test_template_check_says_what_is_wrong)
{
	static const struct {
		const char *source;
		enum template_escape escape;
		const char *says; /* NULL: fine */
	} cases[] = {
		{ "{\"a\": \"{{title}} {{ run }}\"}", TEMPLATE_JSON, NULL },
		{ "{\"a\": {{title}}}", TEMPLATE_JSON, "no JSON" },
		{ "{\"a\": {{exit_code}}}", TEMPLATE_JSON, NULL },
		{ "{\"a\": \"{{titel}}\"}", TEMPLATE_JSON, "there is no `{{titel}}`; write one of id, " },
		{ "a={{title}", TEMPLATE_FORM, "without its `}}`" },
		{ "a={{title}}&b={{facts}}", TEMPLATE_FORM, NULL },
		{ "no names at all {", TEMPLATE_PLAIN, NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = { 0 };
		const bool ok = template_check(cases[i].source, cases[i].escape, &e);

		ck_assert_msg(ok == (cases[i].says == NULL), "%s: %s", cases[i].source, e.text);
		ck_assert_msg(ok || strstr(e.text, cases[i].says) != NULL, "%s", e.text);
	}
}
END_TEST

START_TEST(test_template_fill_escapes_for_the_place)
{
	struct happening happening = happening_missed();
	struct text text = { 0 };

	happening.title = "a\"b&c d\n";
	template_fill("<{{title}}>", TEMPLATE_JSON, &happening, "i", &text);
	ck_assert_str_eq(text_str(&text), "<a\\\"b&c d\\n>");
	text_clear(&text);
	template_fill("t={{title}}&i={{ id }}", TEMPLATE_FORM, &happening, "i-1", &text);
	ck_assert_str_eq(text_str(&text), "t=a%22b%26c%20d%0A&i=i-1");
	text_clear(&text);
	template_fill("{{title}}{{link}}", TEMPLATE_PLAIN, &happening, "i", &text);
	ck_assert_str_eq(text_str(&text), "a\"b&c d\n");
	text_release(&text);
}
END_TEST

/* ---- rules ---- */

static const char *routes_of(const struct notify *notify, const struct happening *happening)
{
	const struct route *routes = NULL;
	struct text text = { 0 };
	const char *copy;
	size_t count = 0;

	route_happening(notify, happening, &arena, &routes, &count);
	for (size_t i = 0; i < count; i++) {
		text_addf(&text, "%s%s", i == 0 ? "" : " ", routes[i].channel->name);
		if (routes[i].after_ns > 0)
			text_addf(&text, "+%d", (int)(routes[i].after_ns / NS_PER_S));
	}
	copy = arena_copy(&arena, text_str(&text));
	text_release(&text);
	return copy;
}

START_TEST(test_route_happening_rules_decide)
{
	static const struct {
		const char *rules;
		uint32_t kinds;
		const char *told;
	} cases[] = {
		{ "    - { on: [missed], channels: [team] }\n", HAPPENING_END, "" },
		{ "    - { on: [missed, end], channels: [team] }\n", HAPPENING_END, "team" },
		{ "    - { on: missed, channels: team }\n", HAPPENING_END | HAPPENING_MISSED, "team" },
		/* Two rules, one message. */
		{ "    - { on: [end], channels: [team, hook] }\n    - { on: [missed], channels: [team] }\n",
		  HAPPENING_END | HAPPENING_MISSED, "team hook" },
		{ "    - { on: [end], channels: [team], only_changes: true }\n",
		  HAPPENING_END | HAPPENING_MISSED, "" },
		{ "    - { on: [end], channels: [team], only_changes: true }\n",
		  HAPPENING_END | HAPPENING_CHANGE, "team" },
		{ "    - { on: [end], channels: [team], only_changes: true }\n",
		  HAPPENING_END | HAPPENING_LEFTOVER, "team" },
		{ "    - { on: [end], channels: [team], tiers: [1, 2] }\n", HAPPENING_END, "team" },
		{ "    - { on: [end], channels: [team], tiers: [2] }\n", HAPPENING_END, "" },
		{ "    - { on: [end], channels: [team], environments: [staging] }\n", HAPPENING_END, "" },
		{ "    - { on: [end], channels: [team], environments: [staging, production] }\n",
		  HAPPENING_END, "team" },
		{ "    - { on: [end], channels: [team], services: [orders-db] }\n", HAPPENING_END,
		  "team" },
		{ "    - { on: [end], channels: [team], services: [web] }\n", HAPPENING_END, "" },
		/* An incident is for trouble, and for its end. */
		{ "    - { on: [end], channels: [pager, team] }\n", HAPPENING_END, "team" },
		{ "    - { on: [end], channels: [pager, team] }\n", HAPPENING_RECOVERED, "pager" },
		{ "    - { on: [missed], channels: [team] }\n", HAPPENING_ACKNOWLEDGED, "" },
		/* Only trouble escalates. */
		{ "    - { on: [end], channels: [team], escalate: [{ after: 5m, channels: [pager, mail] }, "
		  "{ after: 15m, channels: [mail] }] }\n",
		  HAPPENING_END | HAPPENING_MISSED, "team pager+300 mail+300 mail+900" },
		{ "    - { on: [end], channels: [team], escalate: [{ after: 5m, channels: [mail] }] }\n",
		  HAPPENING_END, "team" },
		{ "    - { on: [end], channels: [team], escalate: [{ after: 5m, channels: [pager] }] }\n",
		  HAPPENING_ACKNOWLEDGED, "pager" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct happening happening = happening_missed();
		const char *told;

		happening.kinds = cases[i].kinds;
		told = routes_of(notify_with(cases[i].rules), &happening);
		ck_assert_msg(strcmp(told, cases[i].told) == 0, "row %zu: `%s`, not `%s`", i, told,
			      cases[i].told);
	}
}
END_TEST

/* ---- when again ---- */

START_TEST(test_notify_retry_waits_longer_each_time_up_to_an_hour)
{
	static const int64_t nominal_s[] = { 1, 4, 16, 64, 256, 1024, 3600, 3600 };

	for (size_t i = 0; i < sizeof nominal_s / sizeof nominal_s[0]; i++) {
		const int64_t nominal_ns = nominal_s[i] * NS_PER_S;
		const int64_t wait_ns = notify_retry_wall_ns("run.end.team", (int64_t)i + 1, 0, 0);

		ck_assert_int_ge(wait_ns, nominal_ns * 3 / 4);
		ck_assert_int_le(wait_ns, nominal_ns * 5 / 4);
		ck_assert_int_eq(wait_ns, notify_retry_wall_ns("run.end.team", (int64_t)i + 1, 0, 0));
	}
	/* Others wait otherwise, so they do not come back together. */
	ck_assert_int_ne(notify_retry_wall_ns("run.end.team", 5, 0, 0),
			 notify_retry_wall_ns("run.end.mail", 5, 0, 0));
}
END_TEST

START_TEST(test_notify_retry_respects_the_servers_wish_within_reason)
{
	ck_assert_int_eq(notify_retry_wall_ns("a", 1, 5, 120 * NS_PER_S), 5 + 120 * NS_PER_S);
	ck_assert_int_lt(notify_retry_wall_ns("a", 1, 0, 1), 2 * NS_PER_S);
	ck_assert_int_eq(notify_retry_wall_ns("a", 1, 0, INT64_C(1000000) * NS_PER_S),
			 INT64_C(6 * 3600) * NS_PER_S);
}
END_TEST

void suite_notify(Suite *suite)
{
	const int letter_count = (int)(sizeof letters / sizeof letters[0]);
	TCase *tcase = tcase_create("notify");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_channel_compose_golden_is_unchanged, 0, letter_count);
	tcase_add_test(tcase, test_slack_compose_foreign_text_calls_nobody_and_formats_nothing);
	tcase_add_test(tcase, test_slack_compose_long_text_is_cut_between_characters);
	tcase_add_loop_test(tcase, test_compose_every_channel_hostile_text_stays_where_it_was_put, 0,
			    letter_count);
	tcase_add_test(tcase, test_pagerduty_compose_action_follows_what_happened);
	tcase_add_test(tcase, test_grafana_compose_without_harm_is_a_point);
	tcase_add_test(tcase, test_grafana_compose_tags_fit_the_columns_of_grafana);
	tcase_add_test(tcase, test_grafana_compose_foreign_text_is_no_markup);
	tcase_add_test(tcase, test_webhook_compose_signature_covers_time_and_body);
	tcase_add_test(tcase, test_hash_hmac_agrees_with_the_standard);
	tcase_add_test(tcase, test_happening_put_and_get_give_the_same);
	tcase_add_test(tcase, test_happening_get_of_nothing_can_be_composed);
	tcase_add_test(tcase, test_happening_redact_hides_secrets_in_every_text);
	tcase_add_test(tcase, test_load_notify_url_of_a_hook_is_a_secret_in_its_parts);
	tcase_add_test(tcase, test_template_check_says_what_is_wrong);
	tcase_add_test(tcase, test_template_fill_escapes_for_the_place);
	tcase_add_test(tcase, test_route_happening_rules_decide);
	tcase_add_test(tcase, test_notify_retry_waits_longer_each_time_up_to_an_hour);
	tcase_add_test(tcase, test_notify_retry_respects_the_servers_wish_within_reason);
	suite_add_tcase(suite, tcase);
}
