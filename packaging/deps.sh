#!/bin/sh
# deps.sh - installs the Debian packages that a part of the project needs and this machine lacks.
#
# usage: packaging/deps.sh build|lab|demo|test|lint|bench|page ...
#
# Asks apt only when something is missing. No service starts on this machine: policy-rc.d says no
# while packages are installed, and is put away again if it was not there before.
set -eu

build='gcc make pkg-config libc6-dev libcurl4-openssl-dev libssh-dev libcjson-dev libsqlite3-dev libyaml-dev libpq-dev libssl-dev libpng-dev libplot-dev libhiredis-dev libmariadb-dev libmicrohttpd-dev'
lab='systemd-container mmdebstrap nftables iproute2 e2fsprogs util-linux openssh-client curl jq postgresql-client-15 procps'
test='check tzdata bsdutils libsubunit-dev clang libclang-rt-14-dev valgrind python3 python3-yaml libxml2-utils shellcheck binutils util-linux openssh-server postgresql-15 sqlite3 openssl locales jq redis-server mariadb-server-core mariadb-client-core python3-aiosmtpd prometheus'
lint='clang-tidy cppcheck shellcheck'
bench='curl postgresql-15 postgresql-client-15 pdsh openssh-server openssh-client python3 util-linux nginx-light wrk'
demo='tzdata postgresql-15 postgresql-client-15 util-linux'
page='chromium chromium-driver'

wanted=
for part; do
	case $part in
	build) wanted="$wanted $build" ;;
	lab) wanted="$wanted $lab" ;;
	test) wanted="$wanted $test" ;;
	lint) wanted="$wanted $lint" ;;
	bench) wanted="$wanted $bench" ;;
	demo) wanted="$wanted $demo" ;;
	page) wanted="$wanted $page" ;;
	*)
		echo "deps.sh: there is no part \`$part\`; write build, lab, demo, test, lint, bench or page" >&2
		exit 2
		;;
	esac
done

missing=
for package in $wanted; do
	# A package may be provided by another one (libcurl4-openssl-dev by nothing, time by itself).
	status=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
	[ "$status" = 'ii ' ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "deps.sh: these packages are missing and installing them needs root:$missing" >&2
	echo "deps.sh: run as root: apt-get install$missing" >&2
	exit 1
fi
if ! command -v apt-get >/dev/null; then
	echo "deps.sh: there is no apt-get here; install by hand:$missing" >&2
	exit 1
fi

policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
	trap 'rm -f $policy' EXIT
	trap 'exit 1' HUP INT TERM
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# shellcheck disable=SC2086 # a list of package names
if ! { apt-get update -q && apt-get install -y -q --no-install-recommends $missing; } >"$log" 2>&1; then
	tail -20 "$log" >&2
	echo "deps.sh: apt-get could not install them; its last lines stand above, all of them in $log" >&2
	exit 1
fi
rm -f "$log"
