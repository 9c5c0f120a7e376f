/*
 * channel.h - the contract of a channel: a happening in, a letter out. One file and one row each.
 *
 * Channels are pure: the same happening gives the same letter. They see neither a connection nor a
 * file; post.c carries letters, and deliver.c decides when.
 */
#ifndef NOTIFY_CHANNEL_H
#define NOTIFY_CHANNEL_H

#include "base/mem.h"
#include "notify/happening.h"

enum letter_way { LETTER_HTTP = 1, LETTER_MAIL };

enum { LETTER_HEADERS = 16 };

/* All texts are the arena's, or the channel's. */
struct letter {
	enum letter_way way;
	/* LETTER_HTTP: */
	const char *url;
	struct pair headers[LETTER_HEADERS];
	size_t header_count;
	/* LETTER_MAIL: */
	const char *subject; /* one line */
	const char *file_name; /* of the attachment; NULL: none */
	const char *attachment;
	/* Both: */
	const char *body;
};

/* What a channel is given. */
struct occasion {
	const struct channel_spec *channel;
	const struct happening *happening;
	const char *message_id; /* the same in every attempt: receivers know a repetition by it */
	int64_t wall_ns;        /* of this attempt */
	const char *report;     /* HTML; NULL: there is none */
};

struct channel_ops {
	const char *name;
	const char *summary;
	const struct param *params;
	/* It opens incidents: it hears of trouble alone, and then who takes care, and that all is well. */
	bool keeps_incidents;
	bool wants_report;
	/* It is told of each harm in a message of its own (`harm_count` is 1), if there was any. */
	bool tells_harms;
	/* What a single row cannot say. *ret_row: the row that is wrong. has_secrets false: values that
	   are secret read "[secret]". NULL: nothing to check. */
	bool (*check)(const struct params *params, bool has_secrets, const char **ret_row,
		      struct err *e);
	void (*compose)(const struct occasion *occasion, struct arena *arena,
			struct letter *ret_letter);
};

/* NULL when there is none of this name. */
const struct channel_ops *channel_find(const char *name);
const struct channel_ops *const *channel_table(size_t *ret_count);

/* ---- what channels share ---- */

void letter_add_header(struct letter *letter, const char *name, const char *value);
/* http:// or https:// and a host. */
bool channel_check_url(const struct params *params, const char *row, bool has_secrets,
		       const char **ret_row, struct err *e);
/* How many bytes of it are no more than that: whole characters only, since half of one is no UTF-8. */
size_t channel_fit(const char *raw, size_t most_bytes);
/* "observed RTO 4.31 s to 4.35 s" and what else there is, one line each; no line is foreign alone. */
void channel_add_facts(const struct happening *happening, struct text *text);

#endif
