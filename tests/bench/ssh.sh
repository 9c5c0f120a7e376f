#!/bin/bash
# ssh.sh - sourced by bench.sh: part ssh, many sessions beside pdsh and OpenSSH.
# shellcheck disable=SC2154 # bench.sh sets bin, scratch, repeats and the sizes

write_ssh_config() {
	local i
	for ((i = 1; i <= hosts; i++)); do
		cat <<-TEXT
			Host n$i
			  HostName 127.0.0.1
			  Port $ssh_port
			  User $ssh_user
			  IdentityFile $ssh_key
			  IdentitiesOnly yes
			  UserKnownHostsFile $ssh_known
			  StrictHostKeyChecking yes
			  KexAlgorithms curve25519-sha256
			  BatchMode yes
			  LogLevel ERROR
		TEXT
	done >"$scratch/ssh_config"
	{
		cat "$scratch/ssh_config"
		printf 'Host *\n  ControlPath %s/master.%%n\n' "$scratch"
	} >"$scratch/ssh_config.warm"
}

part_ssh() {
	local i names wall cpu target
	serve 11 ssh "$bin/bench_server" ssh
	read -r ssh_port ssh_user ssh_key ssh_known <<<"$line"
	target=("$ssh_port" "$ssh_user" "$ssh_key" "$ssh_known" "$hosts")
	write_ssh_config
	export PDSH_SSH_ARGS="-F $scratch/ssh_config -a -x %h"
	names=$(seq -s ' ' -f 'n%g' "$hosts")
	for ((i = 0; i < repeats; i++)); do
		timed cold "$bin/bench_fanout" cold "${target[@]}"
		timed pdsh pdsh -R ssh -f "$hosts" -w "n[1-$hosts]" true
		timed xargs xargs -P "$hosts" -I{} -a <(tr ' ' '\n' <<<"$names") ssh -F "$scratch/ssh_config" {} true
	done
	mv "$scratch/ssh_config.warm" "$scratch/ssh_config"
	for i in $names; do
		ssh -F "$scratch/ssh_config" -o ControlMaster=yes -o ControlPersist=60 -fN "$i" >/dev/null 2>&1
	done
	serve 13 warm "$bin/bench_fanout" warm "${target[@]}"
	for ((i = 0; i < repeats; i++)); do
		echo all >&13
		read -r -t 60 wall cpu <&23
		note all.wall "$(calc "$wall / 1e6")"
		note all.cpu "$(calc "$cpu / 1e6")"
		timed master xargs -P "$hosts" -I{} -a <(tr ' ' '\n' <<<"$names") ssh -F "$scratch/ssh_config" {} true
		echo each >&13
		read -r -t 60 wall cpu <&23
		note each.wall "$(calc "$wall / 1e6")"
	done
	print_ssh
}

print_ssh() {
	heading "One command to $hosts sessions of one sshd, the same key exchange (curve25519) for all"
	row 'cold, wall : pdsh -R ssh' ms "$(median cold.wall)" "$(median pdsh.wall)" "$(ratio cold.wall pdsh.wall)" '<= 0.5'
	row 'cold, wall : parallel ssh' ms "$(median cold.wall)" "$(median xargs.wall)" "$(ratio cold.wall xargs.wall)" -
	row '  client CPU : pdsh' ms "$(median cold.cpu)" "$(median pdsh.cpu)" "$(ratio cold.cpu pdsh.cpu)" -
	row '  client CPU : ssh' ms "$(median cold.cpu)" "$(median xargs.cpu)" "$(ratio cold.cpu xargs.cpu)" '<= 0.1'
	row 'warm, all at once, wall : ControlMaster' ms "$(median all.wall)" "$(median master.wall)" "$(ratio all.wall master.wall)" '<= 0.25'
	row '  client CPU' ms "$(median all.cpu)" "$(median master.cpu)" "$(ratio all.cpu master.cpu)" -
	row 'warm, one after the other, as the engine harms' ms "$(median each.wall)" "$(median master.wall)" "$(ratio each.wall master.wall)" -
	cat <<-TEXT
		The goals are for 64 hosts that have processors of their own; here sshd shares the $(nproc) cores with every client,
		  which pulls wall ratios towards 1. Cold: whole processes, ours with loading its libraries. Warm: ours in a
		  process that lives on, theirs a client process for each command, their masters' CPU not counted.
		  ansible is not measured.
	TEXT
}
