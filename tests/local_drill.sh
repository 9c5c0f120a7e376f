#!/bin/bash
# local_drill.sh - sourced by tests that need a small drill on this machine, without root: a web server
# of our own under a name of its own, and an experiment that hangs it.
#
# local_server FOLDER NAME: a web server; its process has this name. Sets $server_pid and $server_port.
# local_drill_begin FOLDER: starts one; sets $victim_pid, writes FOLDER/drill.yaml and inventory.yaml.
# local_drill_end: ends it.

local_server() {
	local folder=$1
	cat >"$folder/server.py" <<-'PY'
		import ctypes, http.server, os, sys
		ctypes.CDLL(None).prctl(15, sys.argv[1].encode())
		class Handler(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        body = b'{"status": "healthy", "database": "connected"}'
		        self.send_response(200)
		        self.send_header('Content-Length', str(len(body)))
		        self.end_headers()
		        self.wfile.write(body)
		    def log_message(self, *a):
		        pass
		server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
		with open(sys.argv[2] + '.new', 'w') as f:
		    f.write(str(server.server_port))
		os.rename(sys.argv[2] + '.new', sys.argv[2])
		server.serve_forever()
	PY
	rm -f "$folder/port"
	python3 "$folder/server.py" "$2" "$folder/port" 2>"$folder/server.log" &
	server_pid=$!
	local end=$((SECONDS + 20))
	until [ -s "$folder/port" ]; do
		[ $SECONDS -lt $end ] || { echo "the test's web server did not start" >&2; return 1; }
		read -rt 0.05 <> <(:) || true
	done
	server_port=$(cat "$folder/port")
}

local_drill_begin() {
	local folder=$1
	victim_name=fdv$$
	local_server "$folder" "$victim_name" || return 1
	victim_pid=$server_pid
	cat >"$folder/inventory.yaml" <<-YAML
		hosts:
		  here: { local: true }
		services:
		  web: { kind: http, url: "http://127.0.0.1:$server_port/health", members: [here] }
	YAML
	cat >"$folder/drill.yaml" <<-YAML
		title: Hang a web server for a second
		service: web
		objectives: { rto: 5s, availability: 10% }
		probes:
		  health: { kind: http.get, on: web, every: 20ms, timeout: 300ms, json: { status: healthy } }
		steady_state: { good_for: 500ms, within: 20s }
		baseline: 500ms
		method:
		  - at: 0s
		    fault: process.pause
		    on: here
		    with: { name: $victim_name }
		    for: 1s
		observe: { stable_for: 500ms, at_most: 10s }
		lease: 5s
	YAML
}

local_drill_end() {
	[ -z "${victim_pid:-}" ] || kill -9 "$victim_pid" 2>/dev/null || true
	[ -z "${victim_pid:-}" ] || wait "$victim_pid" 2>/dev/null || true
}
