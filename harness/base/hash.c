/*
 * hash.c - see hash.h. libcrypto does the work; libssh has loaded it anyway.
 */
#include "base/hash.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

void hash_chain(const char *previous, const void *bytes, size_t length_bytes,
		char ret_text[HASH_TEXT_BYTES])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_bytes = 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	assert(ctx != NULL);

	const int ok = EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		       EVP_DigestUpdate(ctx, previous, strlen(previous)) == 1 &&
		       EVP_DigestUpdate(ctx, bytes, length_bytes) == 1 &&
		       EVP_DigestFinal_ex(ctx, digest, &digest_bytes) == 1;

	EVP_MD_CTX_free(ctx);
	assert(ok);
	assert(digest_bytes * 2 + 1 == HASH_TEXT_BYTES);
	for (unsigned i = 0; i < digest_bytes; i++)
		(void)snprintf(ret_text + (size_t)i * 2, 3, "%02x", digest[i]);
}

void hash_md5(const void *bytes, size_t length_bytes, char ret_text[HASH_MD5_TEXT_BYTES])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_bytes = 0;
	const int ok = EVP_Digest(bytes, length_bytes, digest, &digest_bytes, EVP_md5(), NULL);

	assert(ok == 1);
	assert(digest_bytes * 2 + 1 == HASH_MD5_TEXT_BYTES);
	for (unsigned i = 0; i < digest_bytes; i++)
		(void)snprintf(ret_text + (size_t)i * 2, 3, "%02x", digest[i]);
}
