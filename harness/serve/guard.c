/*
 * guard.c - see guard.h.
 */
#include "serve/guard.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct guard {
	const char *token_path;
	const struct clock *clock;
	struct tokens tokens;
	struct sessions sessions;
	struct throttle throttle;
};

bool guard_open(const char *token_path, const struct clock *clock, struct guard **ret_guard,
		struct err *e)
{
	struct tokens tokens;
	struct guard *guard;

	if (!tokens_read(token_path, &tokens, e))
		return false;
	guard = mem_alloc(sizeof *guard);
	guard->token_path = token_path;
	guard->clock = clock;
	guard->tokens = tokens;
	*ret_guard = guard;
	return true;
}

void guard_close(struct guard *guard)
{
	if (guard == NULL)
		return;
	tokens_release(&guard->tokens);
	explicit_bzero(guard, sizeof *guard);
	free(guard);
}

bool guard_reload(struct guard *guard, struct err *e)
{
	struct tokens tokens;

	if (!tokens_read(guard->token_path, &tokens, e))
		return false;
	tokens_release(&guard->tokens);
	guard->tokens = tokens;
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (!tokens_know(&guard->tokens, guard->sessions.items[i].person))
			session_end(&guard->sessions, &guard->sessions.items[i]);
	return true;
}

const struct secrets *guard_secrets(const struct guard *guard)
{
	return &guard->tokens.secrets;
}

/* ---- where it comes from ---- */

/* Does a proxy say that it was spoken to over TLS? */
static bool is_over_tls(const struct request *request)
{
	return request->forwarded_proto != NULL && strcasecmp(request->forwarded_proto, "https") == 0;
}

/* A proxy on this machine that says nothing of TLS is taken for one that has none, unless nobody but this
   machine knows the name it goes by. */
static bool is_private(const struct request *request)
{
	if (!request->is_near)
		return false;
	if (is_over_tls(request))
		return true;
	return request->forwarded_proto == NULL && request->forwarded_for == NULL &&
	       request_host_is_loopback(request->host);
}

/* The last address of a list is the one that the proxy itself has seen; the others are what it was told. */
static const char *forwarded_address(const struct request *request, struct arena *arena)
{
	static const char allowed[] = "0123456789abcdefABCDEF.:";
	const char *last = request->forwarded_for == NULL ? NULL : strrchr(request->forwarded_for, ',');
	size_t length;

	if (!request->is_near || request->forwarded_for == NULL)
		return NULL;
	last = last == NULL ? request->forwarded_for : last + 1;
	last += strspn(last, " ");
	length = strspn(last, allowed);
	return length == 0 || length > 45 ? NULL : arena_copy_bytes(arena, last, length);
}

static const char *address_of(const struct request *request, struct arena *arena)
{
	const char *forwarded = forwarded_address(request, arena);

	return forwarded == NULL ? arena_copy(arena, request->peer) :
				   arena_format(arena, "%s by way of %s", forwarded, request->peer);
}

/* A browser says where a form came from, one way or the other; who says nothing is none. */
static bool is_from_our_page(const struct request *request)
{
	if (request->fetch_site != NULL && strcmp(request->fetch_site, "same-origin") != 0)
		return false;
	if (request->origin != NULL)
		return request_origin_is(request->origin, request->host);
	return request->fetch_site != NULL;
}

/* ---- sessions ---- */

/* A browser sends a name that begins so back only over TLS, and to this very host. */
static const char *cookie_name(const struct request *request)
{
	return is_over_tls(request) ? "__Host-firedrill" : "firedrill";
}

static const struct session *find_session(const struct guard *guard, const struct request *request)
{
	size_t length = 0;
	const char *id = request_cookie(request->cookie, cookie_name(request), &length);

	return id == NULL ? NULL :
			    session_find(&guard->sessions, id, length, clock_now_ns(guard->clock));
}

static const char *print_cookie(const struct request *request, const char *id, int64_t seconds,
				struct arena *arena)
{
	return arena_format(arena, "%s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%" PRId64 "%s",
			    cookie_name(request), id, seconds, is_over_tls(request) ? "; Secure" : "");
}

void guard_recognise(const struct guard *guard, const struct request *request, struct arena *arena,
		     struct caller *ret_caller)
{
	const struct session *session = is_private(request) ? find_session(guard, request) : NULL;

	*ret_caller = (struct caller){ .address = address_of(request, arena) };
	if (session != NULL) {
		ret_caller->person = arena_copy(arena, session->person);
		ret_caller->form_key = arena_copy(arena, session->form_key);
	}
}

/* ---- tokens ---- */

static enum guard_answer try_token(struct guard *guard, const char *token, struct caller *caller,
				   struct arena *arena)
{
	const int64_t now_ns = clock_now_ns(guard->clock);
	const char *person;

	if (throttle_wait_ns(&guard->throttle, caller->address, now_ns) > 0)
		return GUARD_WAIT;
	person = tokens_find(&guard->tokens, token, strlen(token));
	if (person == NULL) {
		throttle_fail(&guard->throttle, caller->address, now_ns);
		return GUARD_WRONG;
	}
	caller->person = arena_copy(arena, person);
	return GUARD_PASSES;
}

static bool has_form_key(const struct request *request, const struct caller *caller)
{
	const char *given = request_field(request, GUARD_FORM_KEY);

	return strlen(given) == HASH_TEXT_BYTES - 1 && hash_is_same(given, caller->form_key);
}

enum guard_answer guard_admit(struct guard *guard, const struct request *request, struct arena *arena,
			      struct caller *ret_caller)
{
	static const char scheme[] = "Bearer ";

	guard_recognise(guard, request, arena, ret_caller);
	if (!is_private(request))
		return GUARD_OPEN_LINE;
	/* A browser that has a password for the proxy sends that with everything: it is no token of ours. */
	if (request->authorization != NULL &&
	    strncasecmp(request->authorization, scheme, strlen(scheme)) == 0) {
		*ret_caller = (struct caller){ .is_script = true, .address = ret_caller->address };
		return try_token(guard, request->authorization + strlen(scheme), ret_caller, arena);
	}
	if (!is_from_our_page(request))
		return GUARD_STRANGE;
	if (ret_caller->person == NULL)
		return GUARD_UNKNOWN;
	return has_form_key(request, ret_caller) ? GUARD_PASSES : GUARD_STRANGE;
}

enum guard_answer guard_sign_in(struct guard *guard, const struct request *request, struct arena *arena,
				struct caller *ret_caller, const char **ret_cookie)
{
	enum guard_answer answer;
	const struct session *session;

	*ret_caller = (struct caller){ .address = address_of(request, arena) };
	if (!is_private(request))
		return GUARD_OPEN_LINE;
	if (!is_from_our_page(request))
		return GUARD_STRANGE;
	answer = try_token(guard, request_field(request, "token"), ret_caller, arena);
	if (answer != GUARD_PASSES)
		return answer;
	session = find_session(guard, request);
	if (session != NULL)
		session_end(&guard->sessions, session);
	session = session_begin(&guard->sessions, ret_caller->person, clock_now_ns(guard->clock));
	*ret_cookie = print_cookie(request, session->id, SESSION_NS / NS_PER_S, arena);
	return GUARD_PASSES;
}

void guard_sign_out(struct guard *guard, const struct request *request, struct arena *arena,
		    const char **ret_cookie)
{
	const struct session *session = find_session(guard, request);

	if (session != NULL)
		session_end(&guard->sessions, session);
	*ret_cookie = print_cookie(request, "", 0, arena);
}
