#!/bin/sh
# Makes FOLDER: the packed package with the packages that it needs beside it, of the versions of the lock file, without any install
# script run, and without what of them is never used. The Debian package, the offline bundle and the image are made of it.
# Usage: scripts/release/make-tree.sh FOLDER [PACKAGE.tgz]   (ADDONS="pg pg-boss" adds what a setting asks for)
set -eu
folder=$1
source=$(cd "$(dirname "$0")/../.." && pwd)
packed=${2:-}
if [ -z "$packed" ]; then
  (cd "$source" && npm pack --silent --pack-destination "${TMPDIR:-/tmp}" >/dev/null)
  packed=${TMPDIR:-/tmp}/rag-intake-$(node -p "require('$source/package.json').version").tgz
fi
rm -rf "$folder"
mkdir -p "$folder"
tar -xzf "$packed" -C "$folder" --strip-components=1 --no-same-owner
cp "$source/package-lock.json" "$folder/"
cd "$folder"
npm ci --omit=dev --ignore-scripts --no-audit --no-fund
if [ -n "${ADDONS:-}" ]; then npm install --no-save --save-prod --omit=dev --ignore-scripts --no-audit --no-fund $ADDONS; fi
# OCR uses one build of Tesseract and one kind of model; types and maps serve programmers only.
find node_modules/tesseract.js-core -name 'tesseract-core*' ! -name 'tesseract-core-simd-lstm.js' ! -name 'tesseract-core-simd-lstm.wasm' -delete 2>/dev/null || true
rm -rf node_modules/@tesseract.js-data/*/4.0.0 node_modules/@types
find node_modules \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -type f -delete
find . -type d -exec chmod 755 {} + && find . -type f -perm /111 -exec chmod 755 {} + && find . -type f ! -perm /111 -exec chmod 644 {} +
