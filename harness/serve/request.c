/*
 * request.c - see request.h.
 */
#include "serve/request.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"

static int hex_digit(char digit)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = digit == '\0' ? NULL : strchr(digits, digit | 0x20);

	/* The bit makes small letters of capitals, and of a few other characters something else. */
	if (found == NULL || (digit < '0' || (digit > '9' && digit < 'A')))
		return -1;
	return (int)(found - digits);
}

/* One part of the target, decoded. Control characters have no place in it. */
static bool decode(const char *raw, size_t length, bool has_plus, struct arena *arena,
		   const char **ret_text, struct err *e)
{
	char *text = arena_alloc(arena, length + 1);
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)raw[i];

		if (raw[i] == '%') {
			const int high = length - i > 2 ? hex_digit(raw[i + 1]) : -1;
			const int low = length - i > 2 ? hex_digit(raw[i + 2]) : -1;

			if (high < 0 || low < 0)
				return err_set(e, ERR_INPUT, "there is a %% without two hex digits behind it");
			byte = (unsigned char)(high * 16 + low);
			i += 2;
		} else if (raw[i] == '+' && has_plus) {
			byte = ' ';
		}
		if (byte < 0x20 || byte == 0x7f)
			return err_set(e, ERR_INPUT, "there is a control character in it");
		text[used++] = (char)byte;
	}
	if (!json_is_utf8(text))
		return err_set(e, ERR_INPUT, "it is not UTF-8");
	*ret_text = text;
	return true;
}

static bool parse_params(const char *query, struct arena *arena, struct request_params *params,
			 struct err *e)
{
	while (*query != '\0') {
		const size_t length = strcspn(query, "&");
		const char *equals = memchr(query, '=', length);
		const size_t name_length = equals == NULL ? length : (size_t)(equals - query);

		if (length > 0) {
			struct request_param *param = &params->items[params->count];

			if (params->count == REQUEST_PARAMS)
				return err_set(e, ERR_INPUT, "there are more than %d parameters in it",
					       REQUEST_PARAMS);
			param->value = "";
			if (!decode(query, name_length, true, arena, &param->name, e) ||
			    (equals != NULL && !decode(equals + 1, length - name_length - 1, true,
						       arena, &param->value, e)))
				return false;
			params->count++;
		}
		query += length + (query[length] == '&');
	}
	return true;
}

bool request_parse(const char *target, struct arena *arena, struct request *ret_request,
		   struct err *e)
{
	const size_t path_length = strcspn(target, "?");
	struct request request = { 0 };
	bool ok;

	if (strlen(target) > REQUEST_TARGET_BYTES)
		return err_set(e, ERR_INPUT, "read the address: it is longer than %d bytes",
			       REQUEST_TARGET_BYTES);
	if (target[0] != '/')
		return err_set(e, ERR_INPUT, "read the address: it does not begin with a slash");
	ok = decode(target, path_length, false, arena, &request.path, e) &&
	     (target[path_length] == '\0' ||
	      parse_params(target + path_length + 1, arena, &request.params, e));
	if (!ok)
		return err_wrap(e, "read the address");
	*ret_request = request;
	return true;
}

bool request_parse_form(const char *body, size_t length_bytes, struct arena *arena,
			struct request_params *ret_form, struct err *e)
{
	struct request_params form = { 0 };

	if (memchr(body, '\0', length_bytes) != NULL)
		return err_set(e, ERR_INPUT, "read the form: there is a control character in it");
	if (!parse_params(arena_copy_bytes(arena, body, length_bytes), arena, &form, e))
		return err_wrap(e, "read the form");
	for (size_t i = 1; i < form.count; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(form.items[i].name, form.items[j].name) == 0)
				return err_set(e, ERR_INPUT, "read the form: `%.40s` is there twice",
					       form.items[i].name);
	*ret_form = form;
	return true;
}

static const char *find_param(const struct request_params *params, const char *name)
{
	for (size_t i = params->count; i > 0; i--)
		if (strcmp(params->items[i - 1].name, name) == 0)
			return params->items[i - 1].value;
	return "";
}

const char *request_param(const struct request *request, const char *name)
{
	return find_param(&request->params, name);
}

const char *request_field(const struct request *request, const char *name)
{
	return find_param(&request->form, name);
}

const char *request_cookie(const char *header, const char *name, size_t *ret_length)
{
	const size_t name_length = strlen(name);

	while (header != NULL && *header != '\0') {
		header += strspn(header, "; ");
		if (strncmp(header, name, name_length) == 0 && header[name_length] == '=') {
			*ret_length = strcspn(header + name_length + 1, "; ");
			return header + name_length + 1;
		}
		header += strcspn(header, ";");
	}
	return NULL;
}

bool request_is_local(const char *target)
{
	if (target[0] != '/' || target[1] == '/' || strlen(target) > REQUEST_TARGET_BYTES)
		return false;
	for (; *target != '\0'; target++)
		if ((unsigned char)*target <= 0x20 || *target == '\\' || *target == 0x7f)
			return false; /* browsers read some of these as slashes, or not at all */
	return true;
}

void request_encode(struct text *text, const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~";

	for (; *value != '\0'; value++) {
		if (strchr(plain, *value) != NULL)
			text_add_bytes(text, value, 1);
		else
			text_addf(text, "%%%02X", (unsigned)(unsigned char)*value);
	}
}

/* How long the name is; what follows must be a port. 0: this is no host. */
static size_t name_length_of(const char *host)
{
	const size_t length = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	const char *port;

	if (length == 0 || length > strlen(host))
		return 0;
	port = host + length;
	if (*port == '\0')
		return length;
	if (*port != ':' || strlen(port) > 6 || strspn(port + 1, "0123456789") != strlen(port + 1))
		return 0;
	return length;
}

bool request_host_is_ours(const char *host, const struct host_names *ours)
{
	const size_t length = host == NULL ? 0 : name_length_of(host);

	if (length == 0)
		return false;
	for (size_t i = 0; ours->names[i] != NULL; i++)
		if (strlen(ours->names[i]) == length && strncasecmp(ours->names[i], host, length) == 0)
			return true;
	return false;
}

bool request_host_is_loopback(const char *host)
{
	static const struct host_names names = { { "localhost", "[::1]", NULL } };
	const size_t length = host == NULL ? 0 : name_length_of(host);

	return length > 0 && (request_host_is_ours(host, &names) ||
			      (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == length));
}

bool request_origin_is(const char *origin, const char *host)
{
	static const char *const schemes[] = { "https://", "http://" };

	for (size_t i = 0; host != NULL && i < sizeof schemes / sizeof schemes[0]; i++)
		if (strncmp(origin, schemes[i], strlen(schemes[i])) == 0)
			return strcasecmp(origin + strlen(schemes[i]), host) == 0;
	return false;
}
