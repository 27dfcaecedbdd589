#!/usr/bin/env bash
# Runs the steps of the Dockerfile one by one in a bare Debian root, for machines without a container engine.
# Needs root, debootstrap, and this machine's own package mirrors. Usage: test/deploy/dockerfile-steps.sh [FOLDER]
# What it cannot show: the base image itself (Debian minbase and a Node 24 binary stand in for node:24-bookworm-slim),
# layers and their caching, the seccomp and capability sets of an engine, volumes, and the health check's own schedule.
set -euo pipefail
cd "$(dirname "$0")/../.."
project=$PWD
given=${1:-}
work=${given:-$(mktemp -d)}
root=$work/root
step() { printf '\n== %s\n' "$*"; }
finish() {
  [ -n "${server:-}" ] && kill "$server" 2>/dev/null || true
  umount -l "$root/dev" 2>/dev/null || true
  umount -l "$root/proc" 2>/dev/null || true
  [ -n "$given" ] || rm -rf "$work"
}
trap 'finish' EXIT

step 'FROM: a bare Debian root with Node 24'
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -m1 '/debian/*$' || echo http://deb.debian.org/debian)
debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$mirror" >"$work/debootstrap.log" 2>&1 || { tail -3 "$work/debootstrap.log"; exit 1; }
install -D "$(readlink -f node_modules/.bin/node)" "$root/usr/local/bin/node"
mkdir -p "$root/usr/local/lib/node_modules" "$root/app"
cp -r "$(dirname "$(readlink -f "$(command -v npm)")")/.." "$root/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
cp --remove-destination -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
registry=$(npm config get registry)
inside() { chroot "$root" env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/root npm_config_registry="$registry" npm_config_update_notifier=false \
  ${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt} ${HTTPS_PROXY:+HTTPS_PROXY="$HTTPS_PROXY"} sh -ec "cd /app; $*"; }
inside 'node --version; npm --version'

# What COPY . . would see: the committed files without those of .dockerignore.
context=$work/context
mkdir -p "$context"
git -c safe.directory="$project" archive HEAD | tar -x -C "$context"
for name in $(grep -v '[*#]' .dockerignore); do rm -rf "${context:?}/$name"; done

step 'page: npm ci --ignore-scripts; COPY . .; npm run build:web; npm run build:dictionary'
mkdir -p "$root/app"
cp "$context"/package.json "$context"/package-lock.json "$root/app/"
inside 'npm ci --ignore-scripts --no-audit --no-fund'
cp -r "$context"/. "$root/app/"
inside 'npm run build:web && npm run build:dictionary'
mv "$root/app" "$root/page"

step 'packages: npm ci --omit=dev --ignore-scripts'
mkdir "$root/app"
cp "$context"/package.json "$context"/package-lock.json "$root/app/"
inside 'npm ci --omit=dev --ignore-scripts --no-audit --no-fund'
mv "$root/app" "$root/packages"

step 'the image: node_modules, dist, package.json, LICENSE, src, workers; /data for 10001'
mkdir "$root/app"
mv "$root/packages/node_modules" "$root/app/node_modules"
mv "$root/page/dist" "$root/app/dist"
cp -r "$context"/package.json "$context"/LICENSE "$context"/src "$context"/workers "$root/app/"
rm -rf "$root/page" "$root/packages" "$root/root/.npm" "$root/usr/local/lib/node_modules" "$root/usr/local/bin/npm"
mkdir "$root/data"
chown 10001:10001 "$root/data"
for part in "$root/app/node_modules" "$root/app" "$root"; do du -shx "$part" | sed "s#$root#(root)#"; done

step 'CMD, as USER 10001, on a read-only root with only /data and /tmp writable; first without a key: it must refuse'
port=$((20000 + RANDOM % 20000))
run() {
  unshare -m sh -ec '
    root=$1; shift
    mount --bind "$root" "$root"; mount -o remount,ro,bind "$root"
    mount --bind -o rw "$root/data" "$root/data"; mount -o remount,rw,bind "$root/data"
    mount -t tmpfs -o size=256m,mode=1777 tmpfs "$root/tmp"
    mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"
    exec chroot --userspec=10001:10001 "$root" env -i PATH=/usr/local/bin:/usr/bin:/bin NODE_ENV=production HOST=0.0.0.0 PORT='"$port"' \
      DATA_DIR=/data UV_THREADPOOL_SIZE=16 DISK_RESERVE_BYTES=0 "$@"
  ' sh "$root" "$@"
}
run sh -c 'cd /app && node src/main.ts' && { echo 'it listened without a key'; exit 1; } || echo "refused, exit $?"
keys=$(run sh -c 'cd /app && node src/cli/main.ts --json key create test --scope admin')
key=$(node -p 'JSON.parse(process.argv[1]).key' "$keys")
line=$(node -p 'JSON.parse(process.argv[1]).line' "$keys")
run env API_KEYS="$line" sh -c 'cd /app && exec node src/main.ts' >"$work/server.log" 2>&1 &
server=$!
health='fetch(`http://127.0.0.1:${process.env.PORT}/health`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))'
for _ in $(seq 120); do curl -fsS "http://127.0.0.1:$port/ready" >/dev/null 2>&1 && break; sleep 0.5; done
PORT=$port node -e "$health" && echo 'HEALTHCHECK ok'
printf 'Vent the pump before the start. 启动前排气。' >"$work/note.txt"
curl -fsS -H "Authorization: Bearer $key" -F file=@"$work/note.txt" "http://127.0.0.1:$port/insert?doc_id=note" | cut -c1-160
echo
curl -fsS -H "Authorization: Bearer $key" "http://127.0.0.1:$port/search?q=pump" | grep -q '"doc_id":"note"' && echo 'search finds it'
curl -sS -o /dev/null -w 'without a key: %{http_code}; ' "http://127.0.0.1:$port/tasks"
curl -sS -o /dev/null -w 'page: %{http_code}\n' "http://127.0.0.1:$port/"
stat -c '%U:%G %u:%g %n' "$root/data/tasks" | sed "s#$root##"

step 'STOPSIGNAL SIGTERM'
kill -TERM "$(pgrep -P "$server" -f 'src/main.ts' | head -1 || echo "$server")" 2>/dev/null || kill -TERM "$server"
wait "$server" && echo 'stopped, exit 0'
unset server
step 'all steps ran'
