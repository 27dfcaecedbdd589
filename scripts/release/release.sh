#!/bin/sh
# Makes in dist/release: the npm package, the Debian package and the offline bundle, all of the same files, and SHA256SUMS.
# The last two bring Node along. Needs dpkg-deb and this platform's Node as `npm ci` installs it. `npm run release`
set -eu
cd "$(dirname "$0")/../.."
version=$(node -p "require('./package.json').version")
node=$(readlink -f node_modules/node/bin/node)
out=$PWD/dist/release
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$out" && mkdir -p "$out"
umask 022

npm pack --silent --pack-destination "$out" >/dev/null
tree=$work/deb/opt/rag-intake
sh scripts/release/make-tree.sh "$tree" "$out/rag-intake-$version.tgz"
install -D -m 755 "$node" "$tree/node/bin/node"
strip --strip-unneeded "$tree/node/bin/node" 2>/dev/null || true
cat >"$tree/node/bin/rag-intake" <<'LAUNCH'
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "$here/node" "$here/../../bin/rag-intake.js" "$@"
LAUNCH
chmod 755 "$tree/node/bin/rag-intake"
architecture=$(dpkg --print-architecture)
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH=$epoch

# The offline bundle: a shell script with the files behind it. sha256sum, tar and gzip are on every Debian.
tar -C "$work/deb/opt" --sort=name --owner=0 --group=0 --mtime="@$epoch" -cf - rag-intake | gzip -n -6 >"$work/files.tar.gz"
bundle=$out/rag-intake-$version-linux-$architecture.sh
sed -e "s/@DIGEST@/$(sha256sum "$work/files.tar.gz" | cut -d' ' -f1)/" scripts/release/bundle-head.sh >"$bundle"
cat "$work/files.tar.gz" >>"$bundle"
chmod 755 "$bundle"

# The Debian package.
root=$work/deb
install -d "$root/usr/bin" "$root/usr/lib/systemd/system" "$root/etc/rag-intake" "$root/usr/share/doc/rag-intake" "$root/DEBIAN"
ln -s /opt/rag-intake/node/bin/rag-intake "$root/usr/bin/rag-intake"
for unit in deploy/*.service; do
  sed 's#/usr/bin/node /opt/rag-intake/bin/rag-intake.js#/opt/rag-intake/node/bin/rag-intake#' "$unit" >"$root/usr/lib/systemd/system/$(basename "$unit")"
done
cp LICENSE "$root/usr/share/doc/rag-intake/copyright"
{
  echo '# Settings of rag-intake, one NAME=value a line (docs/settings.md). systemctl restart rag-intake after a change.'
  echo '#HOST=127.0.0.1'
  echo '#PORT=8000'
  echo '#API_KEYS_FILE=/etc/rag-intake/keys'
} >"$root/etc/rag-intake/env"
chmod 640 "$root/etc/rag-intake/env"
echo /etc/rag-intake/env >"$root/DEBIAN/conffiles"
cat >"$root/DEBIAN/control" <<CONTROL
Package: rag-intake
Version: $version
Section: web
Priority: optional
Architecture: $architecture
Maintainer: rag-intake <rag-intake@localhost>
Installed-Size: $(du -sk "$root/opt" | cut -f1)
Depends: libc6 (>= 2.28), libstdc++6
Recommends: ca-certificates
Suggests: tesseract-ocr
Description: Document intake for RAG on one box
 Takes documents by HTTP, reads and indexes them, and finds passages with page-true citations. Works without a network,
 and brings the Node that it runs on.
CONTROL
cp scripts/release/postinst scripts/release/prerm scripts/release/postrm "$root/DEBIAN/"
chmod 755 "$root/DEBIAN/postinst" "$root/DEBIAN/prerm" "$root/DEBIAN/postrm"
dpkg-deb --root-owner-group -Zgzip -z6 --build "$root" "$out/rag-intake_${version}_$architecture.deb" >/dev/null

(cd "$out" && sha256sum rag-intake* >SHA256SUMS)
printf '%-44s %10s\n' FILE MB
for file in "$out"/rag-intake*; do printf '%-44s %10s\n' "$(basename "$file")" "$(($(stat -c %s "$file") / 1000000))"; done
printf '%-44s %10s\n' 'installed by the last two, with Node' "$(($(du -sk "$tree" | cut -f1) * 1024 / 1000000))"
