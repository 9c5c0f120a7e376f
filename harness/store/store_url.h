/*
 * store_url.h - stores that a URL names: postgresql://USER@HOST:PORT/DATABASE. What may be shown of
 * one, and what must not.
 */
#ifndef STORE_STORE_URL_H
#define STORE_STORE_URL_H

#include "base/err.h"
#include "base/mem.h"
#include "base/secrets.h"

/* False: the path of a file. */
bool store_is_url(const char *path);
/* The URL without its password and its options, for messages. ERR_INPUT when it cannot be read; the
   error repeats nothing of it. */
bool store_url_name(const char *url, struct text *name, struct err *e);
/* Does a password stand in it? Whoever has the URL as an argument has told everybody on the machine. */
bool store_url_has_password(const char *url);
/* Registers the password that stands in it or in PGPASSWORD. A path is fine. */
void store_url_secrets(const char *url, struct secrets *secrets);
/* "postgresql-" and a number made of the database and the schema, for names of files. */
void store_url_key(const char *url, struct text *text);

#endif
