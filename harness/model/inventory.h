/*
 * inventory.h - what there is: hosts with labels, services with members. Built by the loader,
 * const afterwards; every string lives in the arena it was loaded into.
 */
#ifndef MODEL_INVENTORY_H
#define MODEL_INVENTORY_H

#include "base/mem.h"
#include "model/notify.h"
#include "model/policy.h"

enum { HOST_PORT_DEFAULT = 22 };

struct host {
	const char *name;
	bool is_local;           /* `local: true`: this machine, commands run without SSH */
	const char *address;     /* numeric or a name; NULL when local */
	uint16_t port;
	const char *user;
	bool is_sudo;            /* `sudo: true`: faults act as root there, through sudo and a helper */
	const char *key_path;    /* private key file; NULL: the agent, then ~/.ssh/id_* */
	const char *known_hosts; /* file; NULL: ~/.ssh/known_hosts */
	const char *host_key;    /* pinned, "ssh-ed25519 AAAA..."; beats known_hosts; NULL: none */
	const struct host *via;  /* one hop, or NULL */
	bool is_protected;       /* no fault may ever touch it */
	const struct pair *labels;
	size_t label_count;
	struct mark mark;
};

struct service {
	const char *name;
	const char *kind;         /* "postgres", "http", "tcp", "redis"... */
	struct params params;     /* what its kind asks for, such as "bucket"; may hold secrets */
	const char *conninfo;     /* postgres: libpq's; may hold a secret */
	const char *url;          /* http */
	const char *address;      /* tcp */
	uint16_t port;            /* tcp */
	const struct host *const *members;
	size_t member_count;
	uint16_t patroni_port;    /* 0: no Patroni */
	int64_t tier;
	struct mark mark;
};

/* Commands that switch a host's power, as argv templates; "{host}" and "{address}" are replaced. */
struct power {
	const char *const *on;
	const char *const *off;
	const char *const *status; /* prints "on" or "off" */
	size_t on_count;
	size_t off_count;
	size_t status_count;
};

struct inventory {
	const struct host *hosts;
	size_t host_count;
	const struct service *services;
	size_t service_count;
	struct power power;
	int64_t max_hosts;       /* blast radius of any experiment; 0: no cap */
	int64_t max_percent_ppm; /* of a service's members at one time; 0: no cap */
	struct policy policy;
	struct notify notify;
};

const struct host *inventory_host(const struct inventory *inventory, const char *name);
const struct service *inventory_service(const struct inventory *inventory, const char *name);
/* Where it really is, whatever an inventory calls it: the other name under which it is locked. */
const char *host_place(const struct host *host, struct arena *arena);
/* The protected host that this one is, by itself or under another name: the same address, port and way
   there. NULL: none. */
const struct host *inventory_protected(const struct inventory *inventory, const struct host *host);
const char *host_label(const struct host *host, const char *name); /* NULL when absent */
/* All of them, with these values; none are had by every host. A value that could not be read is had by none. */
bool host_has_labels(const struct host *host, const struct pair *labels, size_t label_count);

#endif
