#!/usr/bin/env bash
# A new administrator's path, walked by a script: look at the machine, make a key, bind to the LAN address, put nginx in front
# with the sample configuration, upload a folder of 200 files with one corrupt, kill the server in the middle, start it again,
# run the same command again. Prints what happens; ends with 0 only if the report is right.
# Needs nginx and openssl. Usage: test/deploy/administrator-path.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'kill -9 ${server:-} 2>/dev/null || true; [ -f "$work/nginx.pid" ] && kill "$(cat "$work/nginx.pid")" 2>/dev/null || true; rm -rf "$work"' EXIT
step() { printf '\n### %s\n\n' "$*"; }
show() { sed "s#$work#~#g; s#$PWD#/opt/rag-intake#g"; }
fail() { echo "WRONG: $*"; exit 1; }
rag-intake() { node src/cli/main.ts "$@"; }

lan=$(hostname -I | tr ' ' '\n' | grep -m1 -E '^[0-9.]+$' || echo 127.0.0.2)
port=$((20000 + RANDOM % 20000))
https=$((port + 1))
export DATA_DIR=$work/data HOST=$lan PORT=$port DISK_RESERVE_BYTES=0 ALLOWED_HOSTS=localhost,$lan TRUST_PROXY=$lan,127.0.0.1 UV_THREADPOOL_SIZE=16

step 'Two hundred files, one of them corrupt'
node test/deploy/make-folder.ts "$work/archive"
find "$work/archive" -type f | sed 's/.*\.//' | sort | uniq -c

step 'Without a key the LAN is refused'
node src/main.ts && fail 'it listened' || echo "(exit $?)"

step 'Make a key'
rag-intake key create office --scope write >"$work/key.txt"
sed -E 's/rk_.*/rk_(shown once)/; s/(sha256:.{8}).*/\1…/' "$work/key.txt"
export API_KEYS RAG_INTAKE_KEY
RAG_INTAKE_KEY=$(grep -o 'rk_[A-Za-z0-9_-]*' "$work/key.txt")
API_KEYS=$(grep -o 'office:write:sha256:[0-9a-f]*' "$work/key.txt")

step 'rag-intake doctor'
rag-intake doctor | show || fail 'doctor found a problem'

start() {
  node src/main.ts >>"$work/server.log" 2>&1 &
  server=$!
  for _ in $(seq 240); do curl -fs "http://$lan:$port/ready" >/dev/null && return; sleep 0.5; done
  fail "not ready: $(tail -3 "$work/server.log")"
}

step 'Start, bound to the LAN address'
start
curl -s -o /dev/null -w 'http://LAN/tasks without a key: %{http_code}\n' "http://$lan:$port/tasks"
curl -s -o /dev/null -w 'http://LAN/tasks with the key: %{http_code}\n' -H "Authorization: Bearer $RAG_INTAKE_KEY" "http://$lan:$port/tasks"
curl -s -o /dev/null -w 'a host name that is not ours: %{http_code}\n' -H 'Host: evil.example' "http://$lan:$port/tasks"

step 'nginx in front, with deploy/nginx.conf and the own names in it'
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -out "$work/cert.pem" -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
{
  echo "pid $work/nginx.pid; error_log $work/nginx-error.log; events {} http { access_log $work/access.log; client_body_temp_path $work/body; proxy_temp_path $work/proxy;"
  echo "fastcgi_temp_path $work/f; uwsgi_temp_path $work/u; scgi_temp_path $work/s;"
  sed "s/rag\.example\.com/localhost/g; s#/etc/ssl/certs/localhost.pem#$work/cert.pem#; s#/etc/ssl/private/localhost.key#$work/key.pem#
       s/127\.0\.0\.1:8000/$lan:$port/; s/listen 443/listen $https/; s/listen 80;/listen $((port + 2));/; /listen \[::\]/d" deploy/nginx.conf
  echo '}'
} >"$work/nginx.conf"
nginx -q -c "$work/nginx.conf"
export RAG_INTAKE_URL=https://localhost:$https NODE_EXTRA_CA_CERTS=$work/cert.pem
curl -s --cacert "$work/cert.pem" -o /dev/null -w 'https through nginx: %{http_code}\n' "$RAG_INTAKE_URL/ready"

step 'rag-intake ingest ~/archive --patience 5, and kill -9 in the middle'
rag-intake ingest "$work/archive" --patience 5 >"$work/first.txt" 2>"$work/first.err" &
client=$!
for _ in $(seq 1200); do [ "$(grep -c ' ok ' "$work/first.err")" -ge 40 ] && break; sleep 0.1; done
kill -9 $server; wait $server 2>/dev/null || true
set +e; wait $client; first=$?; set -e
grep -c ' ok ' "$work/first.err" | sed 's/$/ lines "ok" before the server died/'
show <"$work/first.txt"
echo "(exit $first)"
[ $first = 75 ] || fail "expected exit 75, got $first"

step 'Start again, the same command again'
start
set +e; rag-intake ingest "$work/archive" >"$work/second.txt" 2>"$work/second.err"; second=$?; set -e
show <"$work/second.txt"
echo "(exit $second)"
[ $second = 1 ] || fail "expected exit 1 for the one corrupt file, got $second"

step 'And once more: nothing is left to do'
set +e; rag-intake --json ingest "$work/archive" >"$work/third.json"; set -e
node -e '
  const report = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
  const { documents, passed_over, ...figures } = report;
  console.log(JSON.stringify(figures));
  const failed = documents.filter((document) => document.outcome === "failed");
  const right = report.files === 200 && report.present === 199 && report.failed === 1 && report.not_sent === 0 && report.inserted === 0
    && /broken\.pdf$/.test(failed[0].path) && failed[0].error !== null;
  console.log(`failed: ${failed.map(({ doc_id, error }) => `${doc_id}: ${error}`).join("; ")}`);
  process.exit(right ? 0 : 1);
' "$work/third.json" || fail 'the report'
rag-intake --json documents --limit 1000 | node -e '
  const { documents } = JSON.parse(require("fs").readFileSync(0, "utf8"));
  console.log(`${documents.length} documents, ${new Set(documents.map(({ doc_id }) => doc_id)).size} different doc_ids`);
  process.exit(documents.length === 199 ? 0 : 1);
' || fail 'the documents'
rag-intake search '第 137 号 水泵' --top-k 1
rag-intake search 'valve report number 88' --top-k 1
kill -TERM $server; wait $server && echo "The server stopped with 0."
echo
echo 'All of it is right.'
