/*
 * hash.h - SHA-256 of bytes, as 64 hex digits, for the chain of events and for files; MD5 for stores
 * that answer with it.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HASH_BYTES = 32, HASH_TEXT_BYTES = 65, HASH_MD5_TEXT_BYTES = 33, HASH_BASE64_BYTES = 45 };

/* Hashes `previous` (a hash text, or "") followed by the bytes. */
void hash_chain(const char *previous, const void *bytes, size_t length_bytes,
		char ret_text[HASH_TEXT_BYTES]);

/* Of a list of texts, each of which may be NULL: no two lists have the same bytes. */
void hash_texts(const char *const *texts, size_t text_count, char ret_text[HASH_TEXT_BYTES]);

/* Are the two texts of hashes, or others of that length, the same? Takes the same time whatever is in them:
   who tries learns nothing from how long it takes. */
bool hash_is_same(const char one[HASH_TEXT_BYTES], const char other[HASH_TEXT_BYTES]);

/* SHA-256 in base64, as web pages name what they trust. */
void hash_base64(const void *bytes, size_t length_bytes, char ret_text[HASH_BASE64_BYTES]);

/* Against damage, not against forgers. */
void hash_md5(const void *bytes, size_t length_bytes, char ret_text[HASH_MD5_TEXT_BYTES]);

/* HMAC-SHA-256 (RFC 2104), for who shares the key. */
void hash_hmac(const char *key, const void *bytes, size_t length_bytes,
	       char ret_text[HASH_TEXT_BYTES]);

/* SHA-256 of bytes that come in pieces. */
struct hash;

struct hash *hash_open(void);
void hash_add(struct hash *hash, const void *bytes, size_t length_bytes);
/* The hash, as bytes, of what came since it was opened or since the last time; then it begins anew: for
   very many short pieces. */
void hash_take(struct hash *hash, uint8_t ret_bytes[HASH_BYTES]);
/* Such bytes as hex digits. */
void hash_print(const uint8_t bytes[HASH_BYTES], char ret_text[HASH_TEXT_BYTES]);
/* ret_text NULL: nobody wants to know. taken_hash NULL is fine then. */
void hash_close(struct hash *taken_hash, char *ret_text);

#endif
