/*
 * inventory.c - the inventory's rows, and the model made of them.
 */
#include "load/documents.h"

#include "load/suggest.h"
#include "load/vars.h"

#include <assert.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static const struct param host_params[] = {
	{ "address", PARAM_TEXT, .help = "IP address or name to reach it by" },
	{ "port", PARAM_COUNT, .min = 1, .max = 65535, .fallback = "22", .help = "port of its sshd" },
	{ "user", PARAM_TEXT, .fallback = "root", .help = "whom to log in as" },
	{ "sudo", PARAM_BOOL, .fallback = "false",
	  .help = "that user is no root; faults act through sudo and a helper (firedrill sudoers)" },
	{ "key", PARAM_TEXT, .help = "private key file, also as ${file:PATH}; else the agent" },
	{ "known_hosts", PARAM_TEXT, .help = "file of known host keys; else ~/.ssh/known_hosts" },
	{ "host_key", PARAM_TEXT, .help = "the host's public key, pinned: `ssh-ed25519 AAAA...`" },
	{ "via", PARAM_TEXT, .help = "another host of the inventory to go through" },
	{ "local", PARAM_BOOL, .fallback = "false", .help = "it is this machine; no SSH" },
	{ "protected", PARAM_BOOL, .fallback = "false", .help = "no fault may ever touch it" },
	{ "labels", PARAM_MAP, .help = "words to select it by" },
	{ 0 },
};

static const struct form form_host = { .noun = "a host", .params = host_params };

static const struct param postgres_params[] = {
	{ "conninfo", PARAM_TEXT, .is_required = true, .help = "libpq's connection string" },
	{ 0 },
};

static const struct param http_params[] = {
	{ "url", PARAM_TEXT, .is_required = true, .help = "where it answers, with http(s)://" },
	{ 0 },
};

static const struct param tcp_params[] = {
	{ "address", PARAM_TEXT, .is_required = true, .help = "IP address or name" },
	{ "port", PARAM_COUNT, .is_required = true, .min = 1, .max = 65535, .help = "its port" },
	{ 0 },
};

static const struct param redis_params[] = {
	{ "address", PARAM_LIST, .is_required = true,
	  .help = "IP address or name, also NAME:PORT; of several the primary is used" },
	{ "port", PARAM_COUNT, .min = 1, .max = 65535, .fallback = "6379",
	  .help = "port of addresses without one" },
	{ "user", PARAM_TEXT, .help = "an ACL user; else the default one" },
	{ "password", PARAM_TEXT, .help = "as ${env:NAME} or ${file:PATH}" },
	{ "database", PARAM_COUNT, .min = 0, .max = 65535, .fallback = "0",
	  .help = "number of the database" },
	{ 0 },
};

static const struct param mariadb_params[] = {
	{ "address", PARAM_LIST, .is_required = true,
	  .help = "IP address or name, also NAME:PORT; of several one that takes writes is used" },
	{ "port", PARAM_COUNT, .min = 1, .max = 65535, .fallback = "3306",
	  .help = "port of addresses without one" },
	{ "user", PARAM_TEXT, .is_required = true, .help = "whom to log in as" },
	{ "password", PARAM_TEXT, .help = "as ${env:NAME} or ${file:PATH}" },
	{ "database", PARAM_TEXT, .is_required = true, .help = "where the ledger's table goes" },
	{ 0 },
};

static const struct param s3_params[] = {
	{ "endpoint", PARAM_TEXT, .is_required = true,
	  .help = "where it answers, with http(s)://; the bucket comes after it as a path" },
	{ "region", PARAM_TEXT, .fallback = "us-east-1", .help = "what requests are signed for" },
	{ "bucket", PARAM_TEXT, .is_required = true, .help = "where the ledger's objects go" },
	{ "access_key", PARAM_TEXT, .is_required = true, .help = "as ${env:NAME} or ${file:PATH}" },
	{ "secret_key", PARAM_TEXT, .is_required = true, .help = "as ${env:NAME} or ${file:PATH}" },
	{ 0 },
};

const struct service_kind service_kinds[] = {
	{ "postgres", "a PostgreSQL database", postgres_params },
	{ "redis", "a Redis server, or several of which one is the primary", redis_params },
	{ "mariadb", "a MariaDB or MySQL database", mariadb_params },
	{ "http", "something that answers HTTP", http_params },
	{ "s3", "an object store that speaks S3", s3_params },
	{ "tcp", "anything that listens on a port", tcp_params },
	{ 0 },
};

static const struct param service_params[] = {
	{ "kind", PARAM_CHOICE, .is_required = true, .choices = "postgres|redis|mariadb|http|s3|tcp",
	  .help = "what it speaks" },
	{ "members", PARAM_LIST, .help = "the hosts it runs on" },
	{ "tier", PARAM_COUNT, .min = 1, .max = 9, .help = "how much depends on it; 1 is the most" },
	{ 0 },
};

static const struct param patroni_params[] = {
	{ "port", PARAM_COUNT, .min = 1, .max = 65535, .fallback = "8008",
	  .help = "port of Patroni's REST API on each member" },
	{ 0 },
};

static const struct form form_patroni = { .noun = "`patroni`", .params = patroni_params };

static const struct part service_parts[] = {
	{ "patroni", PART_FORM, .form = &form_patroni, .help = "Patroni manages the members" },
	{ 0 },
};

static const struct form form_service = { .noun = "a service", .params = service_params,
					  .parts = service_parts, .kind_key = "kind" };

static const struct param power_params[] = {
	{ "on", PARAM_LIST, .is_required = true, .help = "command that switches {host} on" },
	{ "off", PARAM_LIST, .is_required = true, .help = "command that cuts {host}'s power" },
	{ "status", PARAM_LIST, .is_required = true, .help = "command that prints `on` or `off`" },
	{ 0 },
};

static const struct form form_power = { .noun = "`power`", .params = power_params };

static const struct param limits_params[] = {
	{ "hosts", PARAM_COUNT, .min = 1, .max = LIMIT_HOSTS, .help = "most hosts in one experiment" },
	{ "percent", PARAM_PERCENT, .min = 1, .max = 1000000,
	  .help = "most of a service's members at one time" },
	{ 0 },
};

static const struct form form_limits = { .noun = "`limits`", .params = limits_params };

static const struct part inventory_parts[] = {
	{ "hosts", PART_FORM_MAP, .form = &form_host, .help = "targets, by name" },
	{ "services", PART_FORM_MAP, .form = &form_service, .help = "what users depend on, by name" },
	{ "power", PART_FORM, .form = &form_power, .help = "how to switch a host's power" },
	{ "limits", PART_FORM, .form = &form_limits, .help = "blast radius of any experiment" },
	{ "policy", PART_FORM, .form = &form_policy, .help = "what is permitted, when, and by whom" },
	{ "notify", PART_FORM, .form = &form_notify, .help = "who is told of what happens" },
	{ 0 },
};

const struct form form_inventory = { .noun = "an inventory", .parts = inventory_parts };

const struct host *host_named(struct loader *loader, struct mark mark, const char *name)
{
	const struct inventory *inventory = loader->inventory;
	struct suggestion near = suggest_for(name);
	const struct host *host;

	if (inventory == NULL)
		return NULL;
	host = inventory_host(inventory, name);
	if (host != NULL)
		return host;
	for (size_t i = 0; i < inventory->host_count; i++)
		suggest_offer(&near, inventory->hosts[i].name);
	if (inventory_service(inventory, name) != NULL)
		problem_add(loader, mark, "`%s` is a service; a host is wanted here, or write "
			    "`{ service: %s }`", name, name);
	else if (near.best != NULL)
		problem_add(loader, mark, "unknown host `%s`; did you mean `%s`?", name, near.best);
	else
		problem_add(loader, mark, "unknown host `%s`; %s has none of that name", name,
			    loader->inventory_path);
	return NULL;
}

const struct service *service_named(struct loader *loader, struct mark mark, const char *name)
{
	const struct inventory *inventory = loader->inventory;
	struct suggestion near = suggest_for(name);
	const struct service *service;

	if (inventory == NULL)
		return NULL;
	service = inventory_service(inventory, name);
	if (service != NULL)
		return service;
	for (size_t i = 0; i < inventory->service_count; i++)
		suggest_offer(&near, inventory->services[i].name);
	if (near.best != NULL)
		problem_add(loader, mark, "unknown service `%s`; did you mean `%s`?", name,
			    near.best);
	else
		problem_add(loader, mark, "unknown service `%s`; %s has none of that name", name,
			    loader->inventory_path);
	return NULL;
}

static bool is_one_word(const char *text)
{
	return *text != '\0' && *text != '-' && strpbrk(text, " \t\n\r") == NULL;
}

static void check_word(struct loader *loader, const struct params *params, const char *name)
{
	const struct param_value *value = params_find(params, name);

	if (value->is_set && !is_one_word(value->text))
		problem_add(loader, value->mark, "`%s` is `%s`; write one word that does not begin "
			    "with `-`", name, value->text);
}

static void check_host(struct loader *loader, const struct node *node, const struct params *params)
{
	const bool is_local = params_bool(params, "local");
	const struct param_value *pin = params_find(params, "host_key");

	check_word(loader, params, "address");
	check_word(loader, params, "user");
	if (!is_local && tree_get(node, "address") == NULL)
		problem_add(loader, node->mark, "host `%s` needs `address`, or `local: true` when "
			    "it is this machine", node->key);
	if (params_bool(params, "sudo") && strcmp(params_text(params, "user"), "root") == 0)
		problem_add(loader, params_find(params, "sudo")->mark,
			    "`sudo: true` needs a `user` that is not root; write who runs the commands "
			    "there, or take `sudo` out");
	if (is_local && params_is_set(params, "via"))
		problem_add(loader, params_find(params, "via")->mark,
			    "a local host is not reached `via` another; take one of them out");
	if (pin->is_set && (strchr(pin->text, ' ') == NULL || strpbrk(pin->text, "\n") != NULL))
		problem_add(loader, pin->mark, "`host_key` is not a public key; write its type and "
			    "its base64 text, as in `ssh-keyscan`'s output");
}

/* `key: ${file:PATH}` names the file; the key itself is read by ssh alone. */
static void name_key_file(struct loader *loader, struct node *host)
{
	struct node *key = tree_get(host, "key");
	const char *path = key == NULL ? NULL : vars_file_path(loader, key);

	if (path != NULL)
		key->text = path;
}

static const char *file_of(struct loader *loader, const struct params *params, const char *name)
{
	const struct param_value *value = params_find(params, name);

	return value->is_set ? path_resolve(loader, value->mark.file, value->text) : NULL;
}

static void build_host(struct loader *loader, struct node *node, struct host *host)
{
	struct form_values values;
	const struct params *own = &values.own;
	const struct param_value *labels;

	name_key_file(loader, node);
	if (form_read(loader, &form_host, node, NULL, false, &values))
		check_host(loader, node, own);
	labels = params_find(own, "labels");
	*host = (struct host){
		.name = node->key,
		.is_local = params_bool(own, "local"),
		.address = params_text(own, "address"),
		.port = (uint16_t)params_number(own, "port"),
		.user = params_text(own, "user"),
		.is_sudo = params_bool(own, "sudo"),
		.key_path = file_of(loader, own, "key"),
		.known_hosts = file_of(loader, own, "known_hosts"),
		.host_key = params_text(own, "host_key"),
		.is_protected = params_bool(own, "protected"),
		.labels = labels->pairs,
		.label_count = labels->pair_count,
		.mark = node->key_mark,
	};
}

static void resolve_via(struct loader *loader, const struct node *node, struct host *host)
{
	const struct node *via = tree_get(node, "via");
	const char *name = via == NULL || via->kind != NODE_SCALAR ? NULL :
								     plain_text(loader, via);

	if (name == NULL)
		return;
	host->via = host_named(loader, via->mark, name);
	if (host->via == host) {
		problem_add(loader, via->mark, "host `%s` goes via itself", host->name);
		host->via = NULL;
	}
}

/* Only after every via is known: one hop, no more. */
static void check_hops(struct loader *loader, const struct node *hosts)
{
	const struct inventory *inventory = loader->inventory;
	const struct node *node = hosts->first;

	for (size_t i = 0; i < inventory->host_count; i++, node = node->next) {
		const struct host *host = &inventory->hosts[i];

		assert(node != NULL); /* one node for each host */
		if (host->via != NULL && host->via->via != NULL)
			problem_add(loader, tree_get(node, "via")->mark,
				    "host `%s` goes via `%s`, which goes via `%s`; one hop is the "
				    "most", host->name, host->via->name, host->via->via->name);
	}
}

static void build_hosts(struct loader *loader, const struct node *root)
{
	const struct node *part = NULL;
	struct host *hosts;
	size_t i = 0;

	if (!part_children(loader, root, "hosts", NODE_MAP, LIMIT_HOSTS, &part))
		return;
	hosts = arena_alloc(loader->arena, part->count * sizeof *hosts);
	for (struct node *node = part->first; node != NULL; node = node->next, i++) {
		(void)name_check(loader, node->key_mark, "a host", node->key);
		build_host(loader, node, &hosts[i]);
	}
	loader->inventory->hosts = hosts;
	loader->inventory->host_count = part->count;
	i = 0;
	for (const struct node *node = part->first; node != NULL; node = node->next, i++)
		resolve_via(loader, node, &hosts[i]);
	check_hops(loader, part);
}

static const struct service_kind *kind_find(const char *name)
{
	for (const struct service_kind *kind = service_kinds; kind->name != NULL; kind++)
		if (name != NULL && strcmp(kind->name, name) == 0)
			return kind;
	return NULL;
}

static void build_members(struct loader *loader, const struct node *node, struct service *service)
{
	const struct node *members = tree_get(node, "members");
	const struct node *item = members == NULL || members->kind != NODE_LIST ? members :
									       members->first;
	const size_t room_count = members == NULL ? 0 : members->count + 1;
	const struct host **hosts = arena_alloc(loader->arena, room_count * sizeof *hosts);

	for (; item != NULL; item = item == members ? NULL : item->next) {
		const char *name = item->kind == NODE_SCALAR ? plain_text(loader, item) : NULL;
		const struct host *host = name == NULL ? NULL :
							 host_named(loader, item->mark, name);

		for (size_t i = 0; host != NULL && i < service->member_count; i++)
			if (hosts[i] == host)
				problem_add(loader, item->mark, "`%s` is a member twice", name);
		if (host != NULL)
			hosts[service->member_count++] = host;
	}
	service->members = hosts;
}

static void build_patroni(struct loader *loader, const struct node *node, struct service *service)
{
	const struct node *patroni = tree_get(node, "patroni");
	struct form_values values;

	if (patroni == NULL)
		return;
	if (strcmp(service->kind, "postgres") != 0)
		problem_add(loader, patroni->key_mark,
			    "`patroni` is for a service of kind postgres");
	if (form_read(loader, &form_patroni, patroni, NULL, false, &values))
		service->patroni_port = (uint16_t)params_number(&values.own, "port");
	if (service->member_count == 0)
		problem_add(loader, patroni->key_mark, "`patroni` needs `members`: the hosts whose "
			    "REST API is asked");
}

static void check_url(struct loader *loader, const struct node *node, const struct service *service)
{
	const struct node *url = tree_get(node, "url");

	if (service->url == NULL || strncmp(service->url, "http://", 7) == 0 ||
	    strncmp(service->url, "https://", 8) == 0)
		return;
	/* A secret that was not read may well hold the scheme. */
	if (strncmp(service->url, secret_unread, strlen(secret_unread)) != 0)
		problem_add(loader, url->mark, "`url` must begin with http:// or "
			    "https://");
}

/* `address` is one text for a kind with one place, and a list for a kind with several. */
static const char *text_if_row(const struct params *params, const char *name)
{
	const struct param_value *value = params_find(params, name);

	return value == NULL || value->type != PARAM_TEXT ? NULL : params_text(params, name);
}

static void build_service(struct loader *loader, const struct node *node, struct service *service)
{
	const struct node *kind_node = tree_get(node, "kind");
	const char *kind_text = kind_node != NULL && kind_node->kind == NODE_SCALAR ?
					plain_text(loader, kind_node) : NULL;
	const struct service_kind *kind = kind_find(kind_text);
	struct form_values values;

	*service = (struct service){ .name = node->key, .mark = node->key_mark,
				     .kind = kind == NULL ? "" : kind->name };
	if (!form_read(loader, &form_service, node, kind == NULL ? NULL : kind->params,
		       kind == NULL, &values))
		return;
	service->params = values.extra;
	service->conninfo = text_if_row(&values.extra, "conninfo");
	service->url = text_if_row(&values.extra, "url");
	service->address = text_if_row(&values.extra, "address");
	if (params_find(&values.extra, "port") != NULL)
		service->port = (uint16_t)params_number(&values.extra, "port");
	service->tier = params_number(&values.own, "tier");
	build_members(loader, node, service);
	if (kind != NULL)
		build_patroni(loader, node, service);
	check_url(loader, node, service);
}

static void build_services(struct loader *loader, const struct node *root)
{
	const struct node *part = NULL;
	struct service *services;
	size_t i = 0;

	if (!part_children(loader, root, "services", NODE_MAP, LIMIT_SERVICES, &part))
		return;
	services = arena_alloc(loader->arena, part->count * sizeof *services);
	for (const struct node *node = part->first; node != NULL; node = node->next, i++) {
		(void)name_check(loader, node->key_mark, "a service", node->key);
		if (inventory_host(loader->inventory, node->key) != NULL)
			problem_add(loader, node->key_mark, "`%s` is a host too; give the service "
				    "a name of its own", node->key);
		build_service(loader, node, &services[i]);
	}
	loader->inventory->services = services;
	loader->inventory->service_count = part->count;
}

/* Only {host} and {address} are replaced; another word in braces is a slip. */
static void check_template(struct loader *loader, const struct param_value *argv)
{
	for (size_t i = 0; argv->is_set && i < argv->item_count; i++) {
		const char *brace = strchr(argv->items[i], '{');

		if (brace != NULL && strncmp(brace, "{host}", 6) != 0 &&
		    strncmp(brace, "{address}", 9) != 0)
			problem_add(loader, argv->mark, "`%s`: in `%s` only `{host}` and "
				    "`{address}` can be replaced", argv->name, argv->items[i]);
	}
}

/* `heal` may run from another folder later: a program named by a relative path is pinned down now. */
static const char *const *pin_program(struct loader *loader, const struct param_value *argv)
{
	const char *program = argv->item_count > 0 ? argv->items[0] : NULL;
	char here[PATH_MAX];
	const char **items;

	if (program == NULL || program[0] == '/' || strchr(program, '/') == NULL ||
	    getcwd(here, sizeof here) == NULL)
		return argv->items;
	items = arena_alloc(loader->arena, (argv->item_count + 1) * sizeof *items);
	memcpy(items, argv->items, argv->item_count * sizeof *items);
	items[0] = arena_format(loader->arena, "%s/%s", here, program);
	return items;
}

static void build_power(struct loader *loader, const struct node *root, struct power *power)
{
	const struct node *node = tree_get(root, "power");
	const struct param_value *on;
	const struct param_value *off;
	const struct param_value *status;
	struct form_values values;

	if (node == NULL || !form_read(loader, &form_power, node, NULL, false, &values))
		return;
	on = params_find(&values.own, "on");
	off = params_find(&values.own, "off");
	status = params_find(&values.own, "status");
	check_template(loader, on);
	check_template(loader, off);
	check_template(loader, status);
	*power = (struct power){
		.on = pin_program(loader, on),
		.off = pin_program(loader, off),
		.status = pin_program(loader, status),
		.on_count = on->item_count,
		.off_count = off->item_count,
		.status_count = status->item_count,
	};
}

void inventory_build(struct loader *loader, const struct node *root)
{
	struct inventory *inventory = arena_alloc(loader->arena, sizeof *inventory);
	const struct node *limits = tree_get(root, "limits");
	struct form_values values;

	assert(loader->inventory == NULL);

	loader->inventory = inventory;
	if (!form_read(loader, &form_inventory, root, NULL, false, &values))
		return;
	build_hosts(loader, root);
	build_services(loader, root);
	build_power(loader, root, &inventory->power);
	policy_build(loader, root, &inventory->policy);
	notify_build(loader, root, &inventory->notify);
	if (limits != NULL && form_read(loader, &form_limits, limits, NULL, false, &values)) {
		inventory->max_hosts = params_number(&values.own, "hosts");
		inventory->max_percent_ppm = params_number(&values.own, "percent");
	}
}
