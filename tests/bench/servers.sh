#!/bin/bash
# servers.sh - sourced by bench.sh: private servers that live as long as it does, started when first wanted.
# shellcheck disable=SC2154 # bench.sh sets bin, scratch, repeats and the sizes

# serve FD NAME COMMAND...: starts a helper that lives until FD is closed; its first line is in $line.
serve() {
	local fd=$1 name=$2
	shift 2
	mkfifo "$scratch/$name.in" "$scratch/$name.out"
	# The helper must not hold the other helpers' inputs open.
	(exec 10>&- 11>&- 12>&- 13>&- 14>&-; exec "$@" <"$scratch/$name.in" >"$scratch/$name.out") &
	eval "exec $fd>$scratch/$name.in $((fd + 10))<$scratch/$name.out"
	read -r -t 60 line <&$((fd + 10)) || { echo "bench.sh: $name did not start" >&2; exit 1; }
}

sql() {
	psql -XqAt -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$pg_port" -U postgres "$@"
}

start_pg() {
	[ -z "${pg_port:-}" ] || return 0
	serve 10 pg "$bin/bench_server" pg
	pg_port=$line
	"$bin/bench_ledger" prepare "$pg_port"
}

# A private nginx with one worker, which answers 200 and nothing else; its port is in $web_port.
start_web() {
	[ -z "${web_port:-}" ] || return 0
	mkdir "$scratch/web"
	cat >"$scratch/web.sh" <<-'SH'
		port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
		cd "$1" && cat >nginx.conf <<-CONF
			daemon off; worker_processes 1; worker_rlimit_nofile 16384; pid $1/pid; error_log $1/error.log;
			events { worker_connections 8192; }
			http {
				access_log off; keepalive_requests 1000000000; keepalive_timeout 600;
				client_body_temp_path $1; proxy_temp_path $1; fastcgi_temp_path $1; uwsgi_temp_path $1; scgi_temp_path $1;
				server { listen 127.0.0.1:$port backlog=8192; location / { return 200 ok; } }
			}
		CONF
		nginx -e "$1/error.log" -c "$1/nginx.conf" </dev/null >/dev/null 2>&1 &
		for try in $(seq 100); do
			(: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
			[ "$try" != 100 ] && sleep 0.1
		done
		echo "$port"
		while read -r _; do :; done
		kill %1
		wait
	SH
	serve 14 web bash "$scratch/web.sh" "$scratch/web"
	web_port=$line
}
