/*
 * guard.h - the door between a request and an action: who asks, and whether that may be believed.
 *
 * People sign in with their token and have a session from then on; scripts send the token with each request
 * (Authorization: Bearer). A token is taken only from this machine: from a browser here, or by way of a proxy
 * here that says it was spoken to over TLS.
 *
 * What changes something is a POST. From a browser it must come from a page of ours: by what the browser says
 * (Origin, Sec-Fetch-Site), and by a word that only our forms have.
 */
#ifndef SERVE_GUARD_H
#define SERVE_GUARD_H

#include "base/clock.h"
#include "serve/request.h"
#include "serve/session.h"
#include "serve/throttle.h"
#include "serve/tokens.h"

#define GUARD_FORM_KEY "form_key" /* the field that has the word */

struct guard;

/* See tokens_read for what can be wrong with the file. The path must outlive it. */
bool guard_open(const char *token_path, const struct clock *clock, struct guard **ret_guard,
		struct err *e);
void guard_close(struct guard *guard); /* NULL is fine */
/* Reads the file again; who has no token any more is signed out. False: all stays as it was. */
bool guard_reload(struct guard *guard, struct err *e);
/* The tokens, which must not be written anywhere. They change with guard_reload. */
const struct secrets *guard_secrets(const struct guard *guard);

struct caller {
	const char *person;   /* NULL: nobody is known */
	const char *form_key; /* of the session; NULL: there is none */
	bool is_script;       /* it has sent a token with the request */
	const char *address;  /* of the peer, and for whom it asks */
};

enum guard_answer {
	GUARD_PASSES = 1,
	GUARD_OPEN_LINE, /* the token would be, or has been, readable on its way */
	GUARD_STRANGE,   /* it comes from a page that is not ours, or from none */
	GUARD_UNKNOWN,   /* nobody is signed in, or no longer */
	GUARD_WRONG,     /* there is no such token */
	GUARD_WAIT,      /* too many wrong ones: not now */
};

/* Whose session this is; of a reading request, too. Texts are the arena's. */
void guard_recognise(const struct guard *guard, const struct request *request, struct arena *arena,
		     struct caller *ret_caller);
/* May this POST be answered? ret_caller as guard_recognise fills it, or with what the token says. */
enum guard_answer guard_admit(struct guard *guard, const struct request *request, struct arena *arena,
			      struct caller *ret_caller);
/* The same for a POST that has a token in its form; then *ret_cookie begins a session. */
enum guard_answer guard_sign_in(struct guard *guard, const struct request *request, struct arena *arena,
				struct caller *ret_caller, const char **ret_cookie);
/* *ret_cookie takes the cookie away. */
void guard_sign_out(struct guard *guard, const struct request *request, struct arena *arena,
		    const char **ret_cookie);

#endif
