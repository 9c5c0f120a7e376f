/*
 * post.h - one attempt to hand one letter over, and what its outcome means for the next.
 */
#ifndef NOTIFY_POST_H
#define NOTIFY_POST_H

#include "base/clock.h"
#include "notify/channel.h"

enum fate {
	FATE_SENT = 1,
	FATE_AGAIN, /* it may go better later */
	FATE_NEVER, /* it will not: the other side has said no */
};

struct receipt {
	enum fate fate;
	int64_t retry_after_ns; /* as the other side wished; 0: it said nothing */
};

/* e says why when it is not FATE_SENT; it names neither key nor path of a hook. */
struct receipt post_letter(const struct occasion *occasion, const struct letter *letter,
			   const struct clock *clock, int64_t deadline_ns, struct err *e);

#endif
