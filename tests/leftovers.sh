#!/bin/sh
# leftovers.sh - takes the lab down and shows that nothing of it stays on this machine: no process,
# mount, namespace, loop device, cgroup or file.
set -eu
cd "$(dirname "$0")/.."
fixtures/lab/lab down
fixtures/lab/lab leftovers
