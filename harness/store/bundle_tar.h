/*
 * bundle_tar.h - the one form of archive that a bundle is: POSIX ustar, every field fixed but the
 * name and the size. So a header can be made again and compared byte for byte. Pure.
 */
#ifndef STORE_BUNDLE_TAR_H
#define STORE_BUNDLE_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TAR_BLOCK_BYTES = 512,
	TAR_END_BYTES = 2 * TAR_BLOCK_BYTES, /* zeros behind the last member */
	TAR_NAME_BYTES = 100,
	TAR_FOLDER_BYTES = 155,
};

static const uint64_t TAR_MEMBER_BYTES_MAX = (UINT64_C(1) << 33) - 1; /* 11 octal digits */

/* An ordinary file FOLDER/NAME, mode 0600, of nobody, of 1970. */
void tar_header_make(const char *folder, const char *name, uint64_t size_bytes,
		     char ret_header[TAR_BLOCK_BYTES]);
/* False when that field is not 11 octal digits. */
bool tar_header_size(const char header[TAR_BLOCK_BYTES], uint64_t *ret_size_bytes);
/* False when that field is no text. */
bool tar_header_folder(const char header[TAR_BLOCK_BYTES], char ret_folder[TAR_FOLDER_BYTES + 1]);

uint64_t tar_padded_bytes(uint64_t size_bytes); /* up to the next block */

#endif
