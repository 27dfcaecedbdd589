#!/bin/sh
# rag-intake with everything that it needs, for a machine without a network: sh THIS_FILE [FOLDER]
# FOLDER is /opt/rag-intake where nothing is said. A version that is there is replaced as a whole; settings and data lie elsewhere.
set -eu
folder=${1:-/opt/rag-intake}
case $folder in
  -*) echo "usage: sh $0 [FOLDER]" >&2; exit 64 ;;
  /*) ;;
  *) folder=$PWD/$folder ;;
esac
digest=@DIGEST@
start=$(($(grep -an '^__FILES__$' "$0" | head -n 1 | cut -d: -f1) + 1))
found=$(tail -n "+$start" "$0" | sha256sum | cut -d' ' -f1)
if [ "$found" != "$digest" ]; then
  echo "This file is damaged (SHA-256 $found in place of $digest). Copy it again." >&2
  exit 65
fi
if [ -e "$folder" ] && [ ! -e "$folder/bin/rag-intake.js" ]; then
  echo "$folder is there and is not rag-intake. Name another folder." >&2
  exit 73
fi
mkdir -p "$(dirname "$folder")"
fresh=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$fresh"' EXIT
tail -n "+$start" "$0" | tar -xzf - -C "$fresh" --strip-components=1 --no-same-owner
chmod 755 "$fresh"
"$fresh/node/bin/rag-intake" --version >/dev/null
if [ -e "$folder" ]; then mv "$folder" "$fresh.old"; fi
mv "$fresh" "$folder"
rm -rf "$fresh.old"
echo "rag-intake $("$folder/node/bin/rag-intake" --version) is in $folder. Start it:"
echo "  $folder/node/bin/rag-intake serve"
echo "As a service: see $folder/deploy/rag-intake.service, with ExecStart=$folder/node/bin/rag-intake serve"
exit 0
__FILES__
