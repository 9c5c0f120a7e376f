/*
 * outlet.c - see outlet.h.
 *
 * Whether a write would wait is a property of the open file, which the shell and others share; so a terminal
 * or a pipe is opened once more for us alone, without waiting. Where that is not allowed (the terminal of
 * another user), it is asked before each small piece. Files are never waited for.
 */
#include "cli/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 128, PATIENCE_MS = 100 };

struct outlet {
	FILE *stream;
	int fd;          /* of a terminal or a pipe; -1: the stream is a file, or something else */
	bool is_our_own; /* opened here, and never waits */
	bool is_behind;  /* something was dropped, and nobody has read since */
};

static bool can_wait(FILE *stream)
{
	struct stat stat;

	return isatty(fileno(stream)) == 1 ||
	       (fstat(fileno(stream), &stat) == 0 && S_ISFIFO(stat.st_mode));
}

struct outlet *outlet_open(FILE *stream)
{
	struct outlet *outlet = mem_alloc(sizeof *outlet);
	char path[32];

	outlet->stream = stream;
	outlet->fd = -1;
	(void)fflush(stream);
	if (!can_wait(stream))
		return outlet;
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(stream));
	outlet->fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	outlet->is_our_own = outlet->fd != -1;
	if (!outlet->is_our_own)
		outlet->fd = fileno(stream);
	return outlet;
}

static bool takes_more(const struct outlet *outlet, int patience_ms)
{
	struct pollfd fd = { .fd = outlet->fd, .events = POLLOUT };

	return poll(&fd, 1, patience_ms) == 1 && (fd.revents & POLLOUT) != 0;
}

/* Until all of it is taken, or nobody takes more. */
static bool put_all(const struct outlet *outlet, const char *bytes, size_t left_bytes)
{
	while (left_bytes > 0) {
		const size_t piece_bytes =
			outlet->is_our_own || left_bytes < PIECE_BYTES ? left_bytes : PIECE_BYTES;

		if (!takes_more(outlet, PATIENCE_MS))
			return false;

		const ssize_t put = write(outlet->fd, bytes, piece_bytes);

		if (put <= 0)
			return false;
		bytes += put;
		left_bytes -= (size_t)put;
	}
	return true;
}

bool outlet_put(struct outlet *outlet, const struct text *text)
{
	static const char said[] = "\n(something was not shown here, because nobody read it; the report has it all)\n";

	if (outlet->fd == -1) {
		(void)fwrite(text_str(text), 1, text->length_bytes, outlet->stream);
		return fflush(outlet->stream) == 0; /* main.c looks at the stream at the end */
	}
	if (outlet->is_behind && !(takes_more(outlet, 0) && put_all(outlet, said, sizeof said - 1)))
		return false;
	outlet->is_behind = !put_all(outlet, text_str(text), text->length_bytes);
	return !outlet->is_behind;
}

void outlet_close(struct outlet *outlet)
{
	if (outlet == NULL)
		return;
	if (outlet->is_our_own)
		(void)close(outlet->fd); /* nothing is kept in it */
	free(outlet);
}
