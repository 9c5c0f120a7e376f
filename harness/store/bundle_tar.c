/*
 * bundle_tar.c - see bundle_tar.h. Fields after POSIX.1-1988, "ustar".
 */
#include "store/bundle_tar.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct tar_header {
	char name[TAR_NAME_BYTES];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char link_name[100];
	char magic[6];
	char version[2];
	char user[32];
	char group[32];
	char major[8];
	char minor[8];
	char folder[TAR_FOLDER_BYTES];
	char unused[12];
};

_Static_assert(sizeof(struct tar_header) == TAR_BLOCK_BYTES, "a header is one block");

void tar_header_make(const char *folder, const char *name, uint64_t size_bytes,
		     char ret_header[TAR_BLOCK_BYTES])
{
	struct tar_header header = { .type = '0' };
	unsigned char bytes[TAR_BLOCK_BYTES];
	unsigned sum = 0;

	assert(strlen(name) < TAR_NAME_BYTES);
	assert(strlen(folder) < TAR_FOLDER_BYTES);
	assert(size_bytes <= TAR_MEMBER_BYTES_MAX);

	(void)snprintf(header.name, sizeof header.name, "%s", name);
	(void)snprintf(header.mode, sizeof header.mode, "0000600");
	(void)snprintf(header.uid, sizeof header.uid, "0000000");
	(void)snprintf(header.gid, sizeof header.gid, "0000000");
	(void)snprintf(header.size, sizeof header.size, "%011" PRIo64, size_bytes);
	(void)snprintf(header.mtime, sizeof header.mtime, "00000000000");
	memset(header.checksum, ' ', sizeof header.checksum);
	memcpy(header.magic, "ustar", sizeof header.magic);
	memcpy(header.version, "00", sizeof header.version);
	(void)snprintf(header.major, sizeof header.major, "0000000");
	(void)snprintf(header.minor, sizeof header.minor, "0000000");
	(void)snprintf(header.folder, sizeof header.folder, "%s", folder);
	memcpy(bytes, &header, sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++)
		sum += bytes[i];
	(void)snprintf(header.checksum, sizeof header.checksum - 1, "%06o", sum);
	memcpy(ret_header, &header, TAR_BLOCK_BYTES);
}

bool tar_header_size(const char header[TAR_BLOCK_BYTES], uint64_t *ret_size_bytes)
{
	const char *digits = header + offsetof(struct tar_header, size);
	uint64_t size_bytes = 0;

	for (size_t i = 0; i < 11; i++) {
		if (digits[i] < '0' || digits[i] > '7')
			return false;
		size_bytes = size_bytes * 8 + (uint64_t)(digits[i] - '0');
	}
	*ret_size_bytes = size_bytes;
	return true;
}

bool tar_header_folder(const char header[TAR_BLOCK_BYTES], char ret_folder[TAR_FOLDER_BYTES + 1])
{
	const char *folder = header + offsetof(struct tar_header, folder);
	const size_t length = strnlen(folder, TAR_FOLDER_BYTES);

	if (length == TAR_FOLDER_BYTES)
		return false;
	memcpy(ret_folder, folder, length + 1);
	return true;
}

uint64_t tar_padded_bytes(uint64_t size_bytes)
{
	return (size_bytes + TAR_BLOCK_BYTES - 1) / TAR_BLOCK_BYTES * TAR_BLOCK_BYTES;
}
