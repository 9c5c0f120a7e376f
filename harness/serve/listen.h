/*
 * listen.h - where the page listens: on this machine alone, unless somebody says otherwise.
 */
#ifndef SERVE_LISTEN_H
#define SERVE_LISTEN_H

#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct sockaddr;

#define LISTEN_DEFAULT "127.0.0.1:7333"

/*
 * Opens "127.0.0.1:7333" or "[::1]:7333"; port 0 takes a free one. ERR_REFUSED: it is not a loopback
 * address and is_beyond_loopback is false. ret_name: the address as a URL has it, without the port.
 */
bool listen_open(const char *address, bool is_beyond_loopback, int *ret_fd, struct text *ret_name,
		 uint16_t *ret_port, struct err *e);

enum { LISTEN_ADDRESS_BYTES = 46 };

/* Is the other side of a connection this machine? ret_text: its address, without the port. */
bool listen_is_near(const struct sockaddr *peer, char ret_text[LISTEN_ADDRESS_BYTES]);

#endif
