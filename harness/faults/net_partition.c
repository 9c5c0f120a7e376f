/*
 * net_partition.c - fault "net.partition": a host no longer hears some of its peers, or anybody.
 *
 * One nftables table of our own, named after the run. Its rules drop only while the set `lease` holds
 * an element, and the kernel itself takes those out when the lease ends; so the cut ends even when
 * our guard is dead, 2 s later than the guard would have ended it. Packets are dropped as they come in
 * (and as they are forwarded, for containers).
 * Of what goes out only TCP is dropped: the kernel tells a UDP sender at once that its packet was
 * dropped on the way out, which no real outage does, while TCP silently tries again.
 *
 * SSH from the machine that started the run is let through, so that the run can go on.
 */
#include "faults/fault.h"

#include "base/clock.h"
#include "base/units.h"
#include "faults/target.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const int64_t partition_timeout_ns = 20 * NS_PER_S;

static const struct param partition_params[] = {
	{ .name = "peers", .type = PARAM_HOSTS,
	  .help = "hosts, addresses or networks to cut off; `all` or nothing: everybody" },
	{ .name = "direction", .type = PARAM_CHOICE, .choices = "in|out|both", .fallback = "both",
	  .help = "in: what peers send is lost; out: TCP to them is lost; both" },
	{ .name = "ports", .type = PARAM_LIST,
	  .help = "only these TCP and UDP ports, of either side: 5432, or 7000-7010" },
	{ 0 },
};

#define SCRIPT_NFT                                                                                \
	"tag=\"firedrill ${dir#\"$base\"/}\"\n"                                                   \
	"has_table() { # fails the script when nft cannot tell\n"                                 \
	"\tcommand -v nft >/dev/null || fail \"nft is not installed there; install nftables\"\n"  \
	"\ttables=$(nft list tables inet 2>&1) || fail \"nft cannot list the tables: $tables\"\n" \
	"\tprintf '%s\\n' \"$tables\" | grep -qxF \"table inet $1\"\n"                            \
	"}\n"                                                                             \
	"count_rules() { grep -v policy | grep -cE '(drop|accept)( |$)'; }\n"

/* Rules of one chain: CHAIN saddr|daddr PROTOCOLS ("" for any). */
#define SCRIPT_RULES                                                                              \
	"rules() {\n"                                                                             \
	"\tfor who in 'ip 4' 'ip6 6'; do\n"                                                       \
	"\t\tif [ \"$everyone\" = yes ]; then\n"                                                  \
	"\t\t\t[ \"$who\" = 'ip 4' ] || continue; who=''\n"                                       \
	"\t\telse who=\"${who% *} $2 @peers${who#* }\"; fi\n"                                     \
	"\t\tif [ -z \"$ports\" ]; then\n"                                                        \
	"\t\t\techo \"add rule inet $table $1 $who ${3:+meta l4proto $3} counter drop comment \\\"$tag\\\"\"\n" \
	"\t\telse for port in dport sport; do\n"                                                  \
	"\t\t\techo \"add rule inet $table $1 $who meta l4proto { ${3:-tcp, udp} } th $port \\\n" \
	"{ $ports } counter drop comment \\\"$tag\\\"\"\n"                                      \
	"\t\tdone; fi\n"                                                                          \
	"\tdone\n"                                                                                \
	"}\n"

/* The head of one chain: CHAIN saddr|daddr dport|sport. Our own line is let through here. */
#define SCRIPT_CHAIN                                                                              \
	"chain() {\n"                                                                             \
	"\techo \"add chain inet $table $1 { type filter hook $1 priority -150; policy accept; }\"\n" \
	"\techo \"add rule inet $table $1 meta nfproto != @lease accept comment \\\"$tag\\\"\"\n" \
	"\t[ \"$1\" = forward ] && return\n"                                                      \
	"\tif [ \"$1\" = input ]; then echo \"add rule inet $table input iif lo accept\"\n"       \
	"\telse echo \"add rule inet $table output oif lo accept\"; fi\n"                         \
	"\tcase $line_address in\n"                                                               \
	"\t'') ;;\n"                                                                              \
	"\t*:*) echo \"add rule inet $table $1 ip6 $2 $line_address tcp $3 $line_port accept\" ;;\n" \
	"\t*) echo \"add rule inet $table $1 ip $2 $line_address tcp $3 $line_port accept\" ;;\n" \
	"\tesac\n"                                                                                \
	"}\n"

static const char inject_script[] = SCRIPT_BASE SCRIPT_NFT SCRIPT_RULES SCRIPT_CHAIN
	"table=$2 direction=$3 ports=$4 lease=$(($5 + 2)) everyone=$6; shift 6\n"
	"if has_table \"$table\"; then refuse \"there is a table inet $table already\"; fi\n"
	"line_address='' line_port='' v4='' v6=''\n"
	"if [ -n \"${SSH_CONNECTION:-}\" ]; then\n"
	"\tline_address=${SSH_CONNECTION%% *} line_port=${SSH_CONNECTION##* }\n"
	"\tline_address=${line_address%%%*}\n"
	"fi\n"
	"for peer; do case $peer in\n"
	"*:*) v6=\"$v6, $peer\" ;;\n"
	"*[!0-9./]*)\n"
	"\tfound=$(getent ahosts \"$peer\" | awk '{ print $1 }' | sort -u)\n"
	"\t[ -n \"$found\" ] || refuse \"the peer $peer has no address that is known there\"\n"
	"\tfor address in $found; do\n"
	"\t\tcase $address in *:*) v6=\"$v6, $address\" ;; *) v4=\"$v4, $address\" ;; esac\n"
	"\tdone ;;\n"
	"*) v4=\"$v4, $peer\" ;;\n"
	"esac; done\n"
	"ruleset() {\n"
	"\techo \"create table inet $table\"\n"
	"\techo \"add set inet $table lease { typeof meta nfproto; flags timeout; }\"\n"
	"\techo \"add element inet $table lease { ipv4 timeout ${lease}s, ipv6 timeout ${lease}s }\"\n"
	"\techo \"add set inet $table peers4 { type ipv4_addr; flags interval; auto-merge; }\"\n"
	"\techo \"add set inet $table peers6 { type ipv6_addr; flags interval; auto-merge; }\"\n"
	"\t[ -z \"$v4\" ] || echo \"add element inet $table peers4 { ${v4#, } }\"\n"
	"\t[ -z \"$v6\" ] || echo \"add element inet $table peers6 { ${v6#, } }\"\n"
	"\tchain input saddr dport; chain output daddr sport; chain forward '' ''\n"
	"\tcase $direction in in|both) rules input saddr ''; rules forward saddr '' ;; esac\n"
	"\tcase $direction in out|both) rules output daddr tcp; rules forward daddr '' ;; esac\n"
	"}\n"
	"said=$(ruleset | nft -f - 2>&1) || fail \"nft did not take the table: $(printf '%s\\n' \"$said\" | head -n 1)\"\n"
	"put rules \"$(nft list table inet \"$table\" | count_rules)\"\n";

/* Ours is what carries our comment; a table that does not is left alone. */
static const char undo_script[] = SCRIPT_BASE SCRIPT_NFT
	"has_table \"$2\" || exit 0\n"
	"listing=$(nft list table inet \"$2\" 2>/dev/null) || exit 0\n"
	"case $listing in *\"comment \\\"$tag\\\"\"*) ;; *) exit 0 ;; esac\n"
	"said=$(nft delete table inet \"$2\" 2>&1) || ! has_table \"$2\" || fail \"$said\"\n";

/* One transaction, so no packet slips through between the two. */
static const char renew_script[] = SCRIPT_BASE SCRIPT_NFT
	"has_table \"$2\" || exit 0\n"
	"lease=$(($5 + 2))\n"
	"printf 'flush set inet %s lease\\nadd element inet %s lease { ipv4 timeout %ss, ipv6 timeout %ss }\\n' \\\n"
	"\t\"$2\" \"$2\" \"$lease\" \"$lease\" | nft -f - || fail \"the kernel's own lease cannot be renewed\"\n";

static const char confirm_script[] = SCRIPT_BASE SCRIPT_NFT
	"has_table \"$2\" || mismatch \"table inet $2 is not there (any more)\"\n"
	"listing=$(nft list table inet \"$2\" 2>&1) || {\n"
	"\thas_table \"$2\" || mismatch \"the guard has just taken table inet $2 away\"\n"
	"\tfail \"table inet $2 cannot be listed: $(printf '%s\\n' \"$listing\" | head -n 1)\"\n"
	"}\n"
	"case $listing in *\"comment \\\"$tag\\\"\"*) ;; *) mismatch \"table inet $2 is not ours\" ;; esac\n"
	"case $listing in *' expires '*) ;; *) mismatch \"the lease in table inet $2 has ended\" ;; esac\n"
	"rules=$(printf '%s\\n' \"$listing\" | count_rules)\n"
	"[ \"$rules\" = \"$(cat \"$dir/rules\" 2>/dev/null)\" ] ||\n"
	"\tmismatch \"somebody changed the rules of table inet $2; it has $rules now\"\n"
	"count=$(printf '%s\\n' \"$listing\" | awk '{\n"
	"\tfor (i = 1; i < NF; i++) if ($i == \"packets\") n += $(i + 1)\n"
	"} END { print n + 0 }')\n"
	"echo \"table inet $2 is in force; $count packets dropped so far\"\n";

static const char read_script[] = SCRIPT_BASE SCRIPT_NFT SCRIPT_STATE
	"state=absent; if has_table \"$2\"; then state=present; fi\n"
	"echo \"table inet $2: $state; record: $(state_there)\"\n";

/* "fd_20261121_102030_k3f9_1": what nft takes as a name, different for each run and step. */
static const char *table_name(const struct fault_request *request, struct arena *arena)
{
	char *name = arena_format(arena, "fd_%s_%" PRIu32, request->run_id, request->step);

	for (char *at = name; *at != '\0'; at++)
		if (!isalnum((unsigned char)*at))
			*at = '_';
	return name;
}

/* A single port, or two with a dash, the lower first. */
static bool check_ports(const char *ports, struct err *e)
{
	char *end = NULL;
	unsigned long first = strtoul(ports, &end, 10);
	unsigned long last = first;

	if (isdigit((unsigned char)ports[0]) && *end == '-' && isdigit((unsigned char)end[1]))
		last = strtoul(end + 1, &end, 10);
	if (!isdigit((unsigned char)ports[0]) || *end != '\0' || first < 1 || last < first ||
	    last > 65535)
		return err_set(e, ERR_INPUT, "net.partition: `ports` holds \"%s\"; write a port from "
			       "1 to 65535, or a range like 7000-7010", ports);
	return true;
}

static bool is_address(const char *text)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* "10.0.0.0/8", "fd00::/64" */
static bool is_network(const char *text, struct arena *arena)
{
	const char *slash = strchr(text, '/');
	char *end = NULL;

	if (slash == NULL || !isdigit((unsigned char)slash[1]))
		return false;

	const char *address = arena_copy_bytes(arena, text, (size_t)(slash - text));
	const unsigned long bits = strtoul(slash + 1, &end, 10);

	return *end == '\0' && bits > 0 && is_address(address) &&
	       bits <= (strchr(address, ':') != NULL ? 128U : 32U);
}

/* A name that the target will look up; nothing in it means anything to nft or a shell. */
static bool is_dns_name(const char *text)
{
	bool has_letter = false;

	if (text[0] == '\0' || text[0] == '-' || strlen(text) > 253)
		return false;
	for (const char *at = text; *at != '\0'; at++) {
		if (!isalnum((unsigned char)*at) && strchr("-._", *at) == NULL)
			return false;
		has_letter = has_letter || isalpha((unsigned char)*at);
	}
	return has_letter;
}

static bool add_peer(const struct fault_request *request, const char *peer, size_t index,
		     struct arena *arena, struct heal_record *record, bool *ret_is_added,
		     struct err *e)
{
	const struct host *host = inventory_host(request->inventory, peer);
	const char *address = host != NULL ? host->address : peer;

	*ret_is_added = false;
	if (host == request->host)
		return true; /* a list of the whole cluster holds the victim too */
	if (address == NULL)
		return err_set(e, ERR_INPUT, "net.partition: the peer %s is this machine and has no "
			       "address in the inventory; write its address", peer);
	if (!is_address(address) && !is_network(address, arena) && !is_dns_name(address))
		return err_set(e, ERR_INPUT, "net.partition: `peers` holds \"%s\"; write a host of "
			       "the inventory, an address, or a network like 10.0.0.0/8", address);
	record_add_item(record, "peer", index, address, arena);
	*ret_is_added = true;
	return true;
}

static bool partition_peers(const struct fault_request *request, const struct param_value *peers,
			    struct arena *arena, struct heal_record *record, struct err *e)
{
	size_t count = 0;

	for (size_t i = 0; i < peers->item_count; i++) {
		bool is_added;

		if (!add_peer(request, peers->items[i], count, arena, record, &is_added, e))
			return false;
		count += is_added;
	}
	if (count == 0)
		return err_set(e, ERR_INPUT, "net.partition: `peers` holds nobody but %s itself; name "
			       "the others, or `all`", request->host->name);
	return true;
}

static bool is_everyone(const struct param_value *peers)
{
	return !peers->is_set || peers->item_count == 0 ||
	       (peers->item_count == 1 && strcmp(peers->items[0], "all") == 0);
}

/* Checked by nft and the kernel, and not applied. */
static const char examine_script[] = SCRIPT_EXAMINE
	"need nft nftables; need getent libc-bin; need awk mawk; need_root\n"
	"try() {\n"
	"\techo 'create table inet fd_examined'\n"
	"\techo 'add set inet fd_examined lease { typeof meta nfproto; flags timeout; }'\n"
	"\techo 'add element inet fd_examined lease { ipv4 timeout 5s }'\n"
	"\techo 'add set inet fd_examined peers { type ipv4_addr; flags interval; auto-merge; }'\n"
	"\techo 'add chain inet fd_examined input { type filter hook input priority -150; }'\n"
	"\techo 'add rule inet fd_examined input meta nfproto != @lease accept'\n"
	"\techo 'add rule inet fd_examined input ip saddr @peers counter drop'\n"
	"}\n"
	"if command -v nft >/dev/null && [ \"$(id -u)\" = 0 ]; then\n"
	"\tsaid=$(try | nft -c -f - 2>&1) ||\n"
	"\t\techo \"nft cannot do it on that kernel: $(printf '%s\\n' \"$said\" | head -n 1)\"\n"
	"fi\n";

static const struct script_row partition_rows[] = {
	{ "net.partition/examine", examine_script, "dir", false },
	{ "net.partition/undo", undo_script, "dir record", true },
	{ "net.partition/inject", inject_script, "dir record", true },
	{ "net.partition/renew", renew_script, "dir record", true },
	{ "net.partition/confirm", confirm_script, "dir record", false },
	{ "net.partition/read", read_script, "dir record", false },
	{ 0 },
};

static const struct script_set partition_scripts = {
	.record = "table in|out|both ports lease yes|no peers",
	.rows = partition_rows,
};

static bool partition_examine(const struct fault_request *request, struct fault_context *ctx,
			      struct text *ret_missing, struct err *e)
{
	return target_examine(request, ctx, examine_script, ret_missing, e);
}

static bool partition_plan_heal(const struct fault_request *request, struct arena *arena,
				struct heal_record *ret_record, struct err *e)
{
	const struct param_value *peers = params_find(request->with, "peers");
	const struct param_value *ports = params_find(request->with, "ports");
	const bool everyone = is_everyone(peers);
	struct text joined = { 0 };
	struct heal_record record;

	if (peers->item_count > SCRIPT_WORDS - 60)
		return err_set(e, ERR_LIMIT, "net.partition: `peers` holds more than %d; name a "
			       "network instead", SCRIPT_WORDS - 60);
	for (size_t i = 0; i < ports->item_count; i++) {
		if (!check_ports(ports->items[i], e)) {
			text_release(&joined);
			return false;
		}
		text_addf(&joined, "%s%s", i > 0 ? ", " : "", ports->items[i]);
	}

	record_begin(request, "net.partition", 5 + peers->item_count, arena, &record);
	record_add(&record, "table", table_name(request, arena), arena);
	record_add(&record, "direction", params_text(request->with, "direction"), arena);
	record_add(&record, "ports", text_str(&joined), arena);
	record_add(&record, "lease_s", record_lease_s(&record, arena), arena);
	record_add(&record, "everyone", everyone ? "yes" : "no", arena);
	text_release(&joined);
	if (!everyone && !partition_peers(request, peers, arena, &record, e))
		return false;
	*ret_record = record;
	return true;
}

static void partition_describe(const struct heal_record *record, struct text *ret_inject,
			       struct text *ret_heal)
{
	const char *ports = record_text(record, "ports");
	const char *direction = record_text(record, "direction");
	const char *gap = " ";

	text_addf(ret_inject, "nftables: drop what %s",
		  strcmp(direction, "in") == 0 ? "comes in from"
		  : strcmp(direction, "out") == 0 ? "goes out by TCP to"
						  : "comes in from and goes out by TCP to");
	if (record_text(record, "everyone")[0] == 'y')
		text_add(ret_inject, " everybody");
	for (size_t i = 0; i < record->field_count; i++) {
		if (strncmp(record->fields[i].name, "peer.", 5) != 0)
			continue;
		text_addf(ret_inject, "%s%s", gap, record->fields[i].value);
		gap = ", ";
	}
	if (ports[0] != '\0')
		text_addf(ret_inject, " on ports %s", ports);
	text_addf(ret_inject, ", but for SSH from here (table inet %s, gone %s s after the last sign of us)",
		  record_text(record, "table"), record_text(record, "lease_s"));
	text_addf(ret_heal, "nft delete table inet %s", record_text(record, "table"));
}

static bool partition_arm(const struct heal_record *record, struct fault_context *ctx,
			  struct err *e)
{
	return target_arm(record, ctx, undo_script, e);
}

static bool partition_renew(const struct heal_record *record, struct fault_context *ctx,
			    struct err *e)
{
	return target_renew(record, ctx, renew_script, e);
}

static bool partition_inject(const struct heal_record *record, struct fault_context *ctx,
			     struct err *e)
{
	return target_inject(record, ctx, inject_script, partition_timeout_ns, e);
}

static enum confirmation partition_confirm(const struct heal_record *record,
					   struct fault_context *ctx, struct text *ret_evidence)
{
	return target_confirm(record, ctx, confirm_script, ret_evidence);
}

static bool partition_heal(const struct heal_record *record, struct fault_context *ctx,
			   struct err *e)
{
	return target_heal(record, ctx, undo_script, partition_timeout_ns, e);
}

static bool partition_read_back(const struct heal_record *record, struct fault_context *ctx,
				struct text *ret_state, struct err *e)
{
	return target_read(record, ctx, read_script, ret_state, e);
}

const struct fault_ops fault_net_partition = {
	.name = "net.partition",
	.summary = "cut a host off from its peers; established connections die too",
	.caution = "SSH from the machine that runs firedrill is let through, for any user of it",
	.scope = FAULT_ON_HOST,
	.has_heal = true,
	.params = partition_params,
	.scripts = &partition_scripts,
	.examine = partition_examine,
	.plan_heal = partition_plan_heal,
	.describe = partition_describe,
	.arm = partition_arm,
	.renew = partition_renew,
	.inject = partition_inject,
	.confirm = partition_confirm,
	.heal = partition_heal,
	.read_back = partition_read_back,
};
