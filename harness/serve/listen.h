/*
 * listen.h - where the page listens: on this machine alone, unless somebody says otherwise.
 */
#ifndef SERVE_LISTEN_H
#define SERVE_LISTEN_H

#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

#define LISTEN_DEFAULT "127.0.0.1:7333"

/*
 * Opens "127.0.0.1:7333" or "[::1]:7333"; port 0 takes a free one. ERR_REFUSED: it is not a loopback
 * address and is_beyond_loopback is false. ret_name: the address as a URL has it, without the port.
 */
bool listen_open(const char *address, bool is_beyond_loopback, int *ret_fd, struct text *ret_name,
		 uint16_t *ret_port, struct err *e);

#endif
