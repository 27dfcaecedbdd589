#!/bin/sh
# Installs what the tests need beside Node, and Debian has: Chromium and a font with Chinese for the page's tests; curl, jq and
# Python's requests for the README's clients; libfaketime for the clock part of `npm run torture`; PostgreSQL, PgBouncer and Redis, of which
# the tests start servers of their own. Does nothing where all are there, and says what to install where it may not.
set -eu

missing=''
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v curl >/dev/null 2>&1 || missing="$missing curl"
command -v jq >/dev/null 2>&1 || missing="$missing jq"
[ -n "$(find /usr/share/fonts -iname '*NotoSansCJK*' -print -quit 2>/dev/null)" ] || missing="$missing fonts-noto-cjk"
python3 -c 'import requests' >/dev/null 2>&1 || missing="$missing python3-requests"
[ -n "$(find /usr/lib -name libfaketimeMT.so.1 -print -quit 2>/dev/null)" ] || missing="$missing libfaketime"
[ -n "$(find /usr/lib/postgresql -path '*/bin/postgres' -print -quit 2>/dev/null)" ] || command -v postgres >/dev/null 2>&1 || missing="$missing postgresql"
command -v pgbouncer >/dev/null 2>&1 || [ -x /usr/sbin/pgbouncer ] || missing="$missing pgbouncer"
command -v redis-server >/dev/null 2>&1 || command -v valkey-server >/dev/null 2>&1 || missing="$missing redis-server"
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
  echo "The tests need these packages; install them and try again:$missing" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
# Another program may be installing at this moment: it is waited for.
apt-get -o DPkg::Lock::Timeout=600 update -qq
# Debian starts the servers that it installs, unless a policy forbids it. One that is there stays.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
# shellcheck disable=SC2086
apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends $missing
