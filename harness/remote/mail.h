/*
 * mail.h - one mail over SMTP with a deadline of its own, through libcurl; TLS is always verified, and
 * asked for it is never done without.
 */
#ifndef REMOTE_MAIL_H
#define REMOTE_MAIL_H

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

enum mail_tls {
	MAIL_STARTTLS = 1, /* nothing is said to a server that has no STARTTLS */
	MAIL_TLS,          /* from the first byte */
	MAIL_CLEAR,
};

struct mail {
	const char *server;
	uint16_t port;
	enum mail_tls tls;
	const char *user;     /* NULL: nobody logs in */
	const char *password;
	const char *from;     /* addresses, without names; the caller has checked them */
	const char *const *to;
	size_t to_count;
	const char *subject;  /* made one line of at most MAIL_SUBJECT_BYTES, whatever it holds */
	const char *id;       /* for Message-ID: letters, digits, - and _ */
	int64_t wall_ns;      /* for Date */
	const char *body;     /* UTF-8; lines end in \n */
	const char *file_name; /* of the HTML attachment; NULL: none */
	const char *attachment;
	int64_t deadline_ns;  /* on the clock */
};

enum { MAIL_SUBJECT_BYTES = 200 };

/*
 * True: the server has taken the mail for everyone in `to`. *ret_status is the last SMTP code, 0 when
 * there was none: 5xx will not get better by itself.
 */
bool mail_send(const struct clock *clock, const struct mail *mail, long *ret_status, struct err *e);

/* "Subject: ..." as it goes over the wire; for tests. */
void mail_subject_line(const char *subject, struct text *text);

#endif
