#!/usr/bin/env bash
# Installs rag-intake in every way that it can be had, each in a bare Debian root of its own, and uses it there: a document is
# inserted and found, the page is opened in a browser. The .deb and the offline bundle are installed and used in a network namespace
# that has nothing but loopback. Needs root, debootstrap, iproute2, Chromium. `npm run release:try [-- FOLDER [WAY...]]`
# Ways: package global clone deb bundle image. The image is made by the steps of the Dockerfile, one by one, since no container engine is needed so.
set -euo pipefail
cd "$(dirname "$0")/../.."
project=$PWD
work=${1:-$(mktemp -d)}
shift || true
ways=${*:-package global clone deb bundle image}
mkdir -p "$work"
space=rag-install
node=$(readlink -f node_modules/node/bin/node)
root=
# What runs in the root of the way that is tried: npm, a shell and the server below it are processes of their own.
inside() { for process in /proc/[0-9]*; do if [ "$(readlink "$process/root" 2>/dev/null)" = "$root" ]; then echo "${process#/proc/}"; fi; done; }
signal_inside() { for pid in $(inside); do kill "-$1" "$pid" 2>/dev/null || true; done; }
finish() {
  if [ -n "$root" ]; then signal_inside KILL; fi
  for root in "$work"/*.root; do umount -l "$root/dev" "$root/proc" 2>/dev/null || true; done
  ip netns del $space 2>/dev/null || true
}
trap finish EXIT
# size WAY FILE FOLDER: what is fetched and what that becomes, in MB, for the table at the end.
sizes=()
size() {
  local fetched=''
  if [ -n "$2" ]; then fetched=$(($(stat -c %s "$2") / 1000000)); fi
  sizes+=("$(printf '%-44s %6s %10s' "$1" "$fetched" $(($(du -skx "$3" | cut -f1) * 1024 / 1000000)))")
}
step() { printf '\n== %s\n' "$*"; }

[ -e dist/release/SHA256SUMS ] || npm run -s release
ip netns add $space 2>/dev/null || true
ip -n $space link set lo up

base=$work/base
if [ ! -e "$base/etc/debian_version" ]; then
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -m1 '/debian/*$' || echo http://deb.debian.org/debian)
  debootstrap --variant=minbase --include=ca-certificates bookworm "$base" "$mirror" >"$work/debootstrap.log" 2>&1 || { tail -3 "$work/debootstrap.log"; exit 1; }
fi

# A copy of the bare root; with `node`, Node 24 and npm in it, and a way to the registry.
new_root() {
  root=$work/$1.root
  umount -l "$root/dev" "$root/proc" 2>/dev/null || true
  rm -rf "$root"
  cp -a "$base" "$root"
  mount -t proc proc "$root/proc"
  mount --bind /dev "$root/dev"
  if [ "${2:-}" = node ]; then
    install -D "$node" "$root/usr/local/bin/node"
    mkdir -p "$root/usr/local/lib/node_modules"
    cp -r "$(dirname "$(readlink -f "$(command -v npm)")")/.." "$root/usr/local/lib/node_modules/npm"
    ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
    ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
    cp --remove-destination -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  fi
}
registry=$(npm config get registry)
network() { chroot "$root" env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root npm_config_registry="$registry" npm_config_update_notifier=false \
  ${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt} ${HTTPS_PROXY:+HTTPS_PROXY="$HTTPS_PROXY"} sh -ec "$1"; }
loopback() { ip netns exec $space chroot "$root" env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root sh -ec "$1"; }

# serve COMMAND [USER]: starts it in the loopback namespace, uses it, stops it.
use() {
  local command=$1 user=${2:-0:0} port=$((20000 + RANDOM % 20000))
  ip netns exec $space chroot --userspec="$user" "$root" env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/tmp NODE_ENV=production PORT=$port HOST=127.0.0.1 \
    DISK_RESERVE_BYTES=0 ${DATA_DIR:+DATA_DIR=$DATA_DIR} sh -c "cd /tmp; exec $command" >"$work/server.log" 2>&1 &
  local server=$!
  local curl="ip netns exec $space curl -fsS"
  local ready=no
  for _ in $(seq 240); do $curl "http://127.0.0.1:$port/ready" >/dev/null 2>&1 && ready=yes && break; kill -0 $server 2>/dev/null || break; sleep 0.5; done
  [ $ready = yes ] || { cat "$work/server.log"; exit 1; }
  printf 'Vent the pump before the start. 启动前排气。' >"$work/note.txt"
  $curl -F file=@"$work/note.txt" "http://127.0.0.1:$port/insert?doc_id=note" | grep -q '"status":"completed"' && echo 'document: inserted'
  $curl "http://127.0.0.1:$port/search?q=pump" | grep -q '"doc_id":"note"' && echo 'document: found'
  ip netns exec $space "$node" test/web/open-page.ts "http://127.0.0.1:$port" 'Vent the pump'
  # As a terminal or systemd stops it: every process of it is told, since npm tells its shell alone, and that nobody.
  signal_inside TERM
  local status=0
  wait $server || status=$?
  for _ in $(seq 120); do [ -z "$(inside)" ] && break; sleep 0.25; done
  [ -z "$(inside)" ] || { echo "still running: $(inside | tr '\n' ' ')"; exit 1; }
  echo "stopped with $status, nothing left running"
}

for way in $ways; do case $way in
  package)
    step 'npm install rag-intake-VERSION.tgz in an empty folder of a Debian with Node 24 alone; npx rag-intake'
    new_root package node
    mkdir -p "$root/srv/app"
    cp dist/release/rag-intake-*.tgz "$root/srv/app/"
    network 'cd /srv/app && for tool in cc gcc make python3; do ! command -v $tool; done && npm install --ignore-scripts --no-audit --no-fund ./rag-intake-*.tgz'
    rm "$root"/srv/app/rag-intake-*.tgz
    size 'npm package, with what it needs, without Node' "$(ls dist/release/rag-intake-*.tgz)" "$root/srv/app"
    use 'sh -c "cd /srv/app && exec npx --offline rag-intake"'
    ;;
  global)
    step 'npm install --global rag-intake-VERSION.tgz, in a Debian with Node 24 alone; rag-intake'
    new_root global node
    cp dist/release/rag-intake-*.tgz "$root/tmp/"
    network 'npm install --global --ignore-scripts --no-audit --no-fund /tmp/rag-intake-*.tgz && rag-intake --version'
    size 'npm package, global, without Node' "$(ls dist/release/rag-intake-*.tgz)" "$root/usr/local/lib/node_modules/rag-intake"
    use rag-intake
    ;;
  clone)
    step 'git clone; npm ci --omit=dev && npm start, in a Debian with Node 24 alone'
    new_root clone node
    mkdir -p "$root/srv/app"
    git -c safe.directory="$project" archive HEAD | tar -x -C "$root/srv/app"
    network 'cd /srv/app && npm ci --omit=dev --no-audit --no-fund && node scripts/build-page.ts'
    size 'clone, with what it needs, without Node' '' "$root/srv/app"
    use 'sh -c "cd /srv/app && exec npm start"'
    ;;
  deb)
    step 'dpkg --install rag-intake_VERSION.deb, without a network and without Node'
    new_root deb
    cp dist/release/rag-intake_*.deb "$root/tmp/"
    loopback 'dpkg --install /tmp/rag-intake_*.deb && rag-intake --version && test -f /usr/lib/systemd/system/rag-intake.service'
    size 'Debian package, with Node' "$(ls dist/release/rag-intake_*.deb)" "$root/opt/rag-intake"
    start=$(sed -n 's/^ExecStart=//p' "$root/usr/lib/systemd/system/rag-intake.service")
    install -d -o 10001 -g 10001 "$root/var/lib/rag-intake"
    echo "the unit starts: $start"
    DATA_DIR=/var/lib/rag-intake use "$start" 10001:10001
    loopback 'dpkg --remove rag-intake && test ! -e /opt/rag-intake/bin && test -d /var/lib/rag-intake/documents && echo "removed; what was stored is kept"'
    ;;
  bundle)
    step 'sh rag-intake-VERSION-linux.sh, without a network and without Node'
    new_root bundle
    cp dist/release/rag-intake-*-linux-*.sh "$root/tmp/bundle.sh"
    loopback 'sh /tmp/bundle.sh; printf x | dd of=/tmp/bundle.sh bs=1 seek=50000000 conv=notrunc 2>/dev/null; ! sh /tmp/bundle.sh /opt/other'
    size 'offline bundle, with Node' "$(ls dist/release/rag-intake-*-linux-*.sh)" "$root/opt/rag-intake"
    install -d -o 10001 -g 10001 "$root/var/lib/rag-intake"
    DATA_DIR=/var/lib/rag-intake use '/opt/rag-intake/node/bin/rag-intake serve' 10001:10001
    ;;
  image)
    step 'the Dockerfile, step by step: make-tree.sh, then Debian, Node and /app'
    new_root image
    # As the slim images of Debian are made.
    rm -rf "$root"/usr/share/{doc,man,locale,info} "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
    debian=$(($(du -skx --exclude="$root/proc" --exclude="$root/dev" "$root" | cut -f1) * 1024 / 1000000))
    sh scripts/release/make-tree.sh "$root/app" "$(ls dist/release/rag-intake-*.tgz)" >/dev/null
    install -D "$node" "$root/usr/local/bin/node"
    install -d -o 10001 -g 10001 "$root/data"
    image=$(du -skx --exclude="$root/proc" --exclude="$root/dev" "$root" | cut -f1)
    printf '%-12s %5s MB\n' 'Debian' $debian 'Node' $(($(stat -c %s "$node") / 1000000)) '/app' $(($(du -sk "$root/app" | cut -f1) * 1024 / 1000000)) 'in all' $((image * 1024 / 1000000))
    [ $((image * 1024 / 1000000)) -le 400 ] || { echo 'more than 400 MB'; exit 1; }
    DATA_DIR=/data use '/usr/local/bin/node /app/dist/program/src/main.js' 10001:10001
    ;;
esac; done
step 'all ways work'
printf '%-44s %6s %10s\n' 'WAY' 'MB' 'INSTALLED'
printf '%s\n' "${sizes[@]}"
