/*
 * hash.c - see hash.h. libcrypto does the work; libssh has loaded it anyway.
 */
#include "base/hash.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/mem.h"

enum { STATE_BYTES = 256 }; /* about what libcrypto keeps for a hash under way */

static EVP_MD_CTX *ctx_of(struct hash *hash)
{
	return (EVP_MD_CTX *)hash;
}

struct hash *hash_open(void)
{
	EVP_MD_CTX *ctx = mem_or_die(EVP_MD_CTX_new(), STATE_BYTES);

	/* SHA-256 is always there, so only memory can be missing. */
	if (EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
		(void)mem_or_die(NULL, STATE_BYTES);
	return (struct hash *)ctx;
}

void hash_add(struct hash *hash, const void *bytes, size_t length_bytes)
{
	const int ok = EVP_DigestUpdate(ctx_of(hash), bytes, length_bytes);

	assert(ok == 1);
}

static void print_hex(const unsigned char *digest, size_t digest_bytes, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < digest_bytes; i++) {
		ret_text[i * 2] = digits[digest[i] >> 4];
		ret_text[i * 2 + 1] = digits[digest[i] & 0xf];
	}
	ret_text[digest_bytes * 2] = '\0';
}

static void finish(struct hash *hash, uint8_t ret_bytes[HASH_BYTES])
{
	unsigned digest_bytes = 0;
	const int ok = EVP_DigestFinal_ex(ctx_of(hash), ret_bytes, &digest_bytes);

	assert(ok == 1);
	assert(digest_bytes == HASH_BYTES);
}

void hash_take(struct hash *hash, uint8_t ret_bytes[HASH_BYTES])
{
	finish(hash, ret_bytes);

	/* NULL: the same algorithm, which is not looked up again. */
	const int ok = EVP_DigestInit_ex(ctx_of(hash), NULL, NULL);

	assert(ok == 1);
}

void hash_print(const uint8_t bytes[HASH_BYTES], char ret_text[HASH_TEXT_BYTES])
{
	static_assert(HASH_BYTES * 2 + 1 == HASH_TEXT_BYTES, "two digits a byte and the end");
	print_hex(bytes, HASH_BYTES, ret_text);
}

void hash_close(struct hash *taken_hash, char *ret_text)
{
	uint8_t digest[HASH_BYTES];

	if (ret_text != NULL) {
		finish(taken_hash, digest);
		hash_print(digest, ret_text);
	}
	EVP_MD_CTX_free(ctx_of(taken_hash));
}

void hash_chain(const char *previous, const void *bytes, size_t length_bytes,
		char ret_text[HASH_TEXT_BYTES])
{
	struct hash *hash = hash_open();

	hash_add(hash, previous, strlen(previous));
	hash_add(hash, bytes, length_bytes);
	hash_close(hash, ret_text);
}

/* "<length>:<bytes>," or "-," for one that is missing. */
void hash_texts(const char *const *texts, size_t text_count, char ret_text[HASH_TEXT_BYTES])
{
	struct text bytes = { 0 };

	for (size_t i = 0; i < text_count; i++) {
		if (texts[i] == NULL)
			text_add(&bytes, "-,");
		else
			text_addf(&bytes, "%zu:%s,", strlen(texts[i]), texts[i]);
	}
	hash_chain("", text_str(&bytes), bytes.length_bytes, ret_text);
	text_release(&bytes);
}

void hash_hmac(const char *key, const void *bytes, size_t length_bytes,
	       char ret_text[HASH_TEXT_BYTES])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_bytes = 0;

	(void)mem_or_die(HMAC(EVP_sha256(), key, (int)strlen(key), bytes, length_bytes, digest,
			      &digest_bytes),
			 STATE_BYTES);
	assert(digest_bytes * 2 + 1 == HASH_TEXT_BYTES);
	print_hex(digest, digest_bytes, ret_text);
}

void hash_md5(const void *bytes, size_t length_bytes, char ret_text[HASH_MD5_TEXT_BYTES])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_bytes = 0;

	if (EVP_Digest(bytes, length_bytes, digest, &digest_bytes, EVP_md5(), NULL) != 1)
		(void)mem_or_die(NULL, STATE_BYTES);
	assert(digest_bytes * 2 + 1 == HASH_MD5_TEXT_BYTES);
	print_hex(digest, digest_bytes, ret_text);
}

bool hash_is_same(const char one[HASH_TEXT_BYTES], const char other[HASH_TEXT_BYTES])
{
	return CRYPTO_memcmp(one, other, HASH_TEXT_BYTES - 1) == 0;
}

void hash_base64(const void *bytes, size_t length_bytes, char ret_text[HASH_BASE64_BYTES])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_bytes = 0;

	if (EVP_Digest(bytes, length_bytes, digest, &digest_bytes, EVP_sha256(), NULL) != 1)
		(void)mem_or_die(NULL, STATE_BYTES);

	const int length = EVP_EncodeBlock((unsigned char *)ret_text, digest, (int)digest_bytes);

	assert(length + 1 == HASH_BASE64_BYTES);
}
