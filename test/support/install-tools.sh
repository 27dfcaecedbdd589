#!/bin/sh
# Installs what the tests need beside Node, and Debian has: Chromium and a font with Chinese for the page's tests; curl, jq and
# Python's requests for the README's clients; libfaketime for the clock part of `npm run torture`. Does nothing where all are there, and says what to install where it may not.
set -eu

missing=''
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v curl >/dev/null 2>&1 || missing="$missing curl"
command -v jq >/dev/null 2>&1 || missing="$missing jq"
[ -n "$(find /usr/share/fonts -iname '*NotoSansCJK*' -print -quit 2>/dev/null)" ] || missing="$missing fonts-noto-cjk"
python3 -c 'import requests' >/dev/null 2>&1 || missing="$missing python3-requests"
[ -n "$(find /usr/lib -name libfaketimeMT.so.1 -print -quit 2>/dev/null)" ] || missing="$missing libfaketime"
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
  echo "The tests need these packages; install them and try again:$missing" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing
