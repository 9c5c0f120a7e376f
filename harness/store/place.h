/*
 * place.h - the folder and the files of a store on this machine: made private, looked at before
 * they are trusted, and a reserve of disk space kept beside them.
 */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "base/err.h"
#include "base/mem.h"

enum { PLACE_RESERVE_BYTES = 1 << 20 };

/* Makes missing folders (0700) and the file (0600), whatever the umask. Refuses a file or folder
   that another user could change or has made. */
bool place_prepare(const char *path, struct err *e);

/*
 * The reserve "PATH.reserve" is space that is given up when the disk is full, so that heals can
 * still be written down. It comes back by itself at the next open that finds space.
 */
void place_reserve(const char *path);
bool place_reserve_give_up(const char *path); /* true when there was one */

#endif
