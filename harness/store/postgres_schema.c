/*
 * postgres_schema.c - brings a PostgreSQL store up to date: the changes of sql_schema.c in
 * PostgreSQL's words, in one transaction, by one process at a time.
 */
#include "store/postgres.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

static const int64_t migrate_at_most_ns = 600 * NS_PER_S;

/* A type in a change, and what PostgreSQL calls it. Texts compare by their bytes, as they do in
   SQLite: the order of rows is part of what is sealed. */
static const struct pair words[] = {
	{ "integer primary key", "bigint generated always as identity primary key" },
	{ "integer", "bigint" },
	{ "blob", "bytea" },
	{ "text", "text collate \"C\"" },
	{ ") strict, without rowid", ")" },
	{ ") strict", ")" },
};

static bool is_word(char character)
{
	return character == '_' || (character >= 'a' && character <= 'z');
}

/* A column may be called as a type is: it stands behind a comma or a bracket. */
static bool is_type(const char *change, const char *at)
{
	while (at > change && at[-1] == ' ')
		at--;
	return at > change && (is_word(at[-1]) || at[-1] == ')');
}

static const struct pair *find_word(const char *change, const char *at)
{
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		const size_t length = strlen(words[i].name);

		if (strncmp(at, words[i].name, length) != 0)
			continue;
		if (words[i].name[0] == ')' ||
		    (!is_word(at[length]) && !is_word(at[-1]) && is_type(change, at)))
			return &words[i];
	}
	return NULL;
}

static void write_change(const char *change, struct text *text)
{
	for (const char *at = change; *at != '\0';) {
		const struct pair *word = at == change ? NULL : find_word(change, at);

		if (word == NULL) {
			text_add_bytes(text, at++, 1);
			continue;
		}
		text_add(text, word->value);
		at += strlen(word->name);
	}
}

/* ---- what is there ---- */

/* The table with the version, once it is known to be there. */
static const char version_sql[] = "select version from firedrill_store";

static const char look_sql[] =
	"select case when current_schema() is null then 'none'"
	" when exists (select from pg_class where relname = 'firedrill_store'"
	" and relnamespace = quote_ident(current_schema())::regnamespace) then 'ours'"
	" when exists (select from pg_class where relkind in ('r', 'v', 'm', 'p')"
	" and relnamespace = quote_ident(current_schema())::regnamespace) then 'theirs'"
	" else 'empty' end";

static bool look_at(struct postgres_store *store, int64_t *ret_version, struct err *e)
{
	struct text found = { 0 };
	bool ok = postgres_session_ask(store, look_sql, &found, e);

	if (ok && strcmp(text_str(&found), "theirs") == 0)
		ok = err_set(e, ERR_STORE,
			     "open the store %s: the schema has tables of another program; name an "
			     "empty one (options=-csearch_path%%3DNAME)",
			     store->owned_name);
	if (ok && strcmp(text_str(&found), "none") == 0 && !store->has_own_schema)
		ok = err_set(
			e, ERR_STORE,
			"open the store %s: the schema that its search_path names is not there; "
			"make it first (create schema NAME)",
			store->owned_name);
	*ret_version = 0;
	if (ok && strcmp(text_str(&found), "ours") == 0) {
		ok = postgres_session_ask(store, version_sql, &found, e);
		*ret_version = ok ? strtoll(text_str(&found), NULL, 10) : 0;
	}
	if (ok && (*ret_version < 0 || *ret_version > SQL_SCHEMA_VERSION))
		ok = err_set(
			e, ERR_STORE,
			"open the store %s: a newer firedrill has written it (schema %lld, this "
			"one knows %d); use that version or name another place with --store",
			store->owned_name, (long long)*ret_version, SQL_SCHEMA_VERSION);
	text_release(&found);
	return ok;
}

/* ---- changes ---- */

static bool apply_changes(struct postgres_store *store, struct err *e)
{
	int64_t version = 0;
	struct text all = { 0 };
	bool ok;

	/* Made here, or by a process that was waited for; and looked at again, for the same reason.
	 */
	if (store->has_own_schema &&
	    !postgres_session_ask(store, "create schema if not exists firedrill", NULL, e))
		return false;
	if (!look_at(store, &version, e))
		return false;
	if (version == 0)
		text_add(&all, "create table firedrill_store (version bigint not null);"
			       "insert into firedrill_store values (0);");
	for (int64_t i = version; i < SQL_SCHEMA_VERSION; i++)
		write_change(sql_changes[i], &all);
	text_addf(&all, "update firedrill_store set version = %d", SQL_SCHEMA_VERSION);
	ok = postgres_session_ask(store, text_str(&all), NULL, e);
	text_release(&all);
	return ok;
}

bool postgres_migrate(struct postgres_store *store, struct err *e)
{
	/* The lock is the database's, so it also keeps two schemas from being made at once. A
	   change may take long in a big store; who waits for it must. */
	static const char begin_sql[] =
		"begin isolation level read committed read write; set local lock_timeout = 0;"
		" set local statement_timeout = 0;"
		" select pg_advisory_xact_lock(hashtextextended('firedrill migrate', 0))";
	int64_t version = 0;

	if (!look_at(store, &version, e))
		return false;
	store->schema_found = version;
	if (version == SQL_SCHEMA_VERSION)
		return true;
	store->answer_ns = migrate_at_most_ns;

	const bool ok = postgres_session_ask(store, begin_sql, NULL, e) &&
			apply_changes(store, e) && postgres_session_ask(store, "commit", NULL, e);

	store->answer_ns = POSTGRES_ANSWER_NS;
	if (!ok && store->owned_conn != NULL)
		(void)postgres_session_ask(store, "rollback", NULL,
					   NULL); /* the first error counts */
	return ok;
}
