#!/usr/bin/env bash
# Instructions that the command takes, counted by callgrind: unlike times they do not depend on
# what else the machine does. Fails when one is more than a tenth above benches/instructions.txt;
# `UPDATE=1 benches/instructions.sh` writes that file anew (say in the commit why).
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v valgrind > /dev/null; then
  apt-get install -y -q valgrind > /dev/null 2>&1 || { echo "no valgrind here: not counted"; exit 0; }
fi
cargo build --release --quiet -p whyerr-cli
whyerr=${CARGO_TARGET_DIR:-target}/release/whyerr
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo '{"text": "429 Too Many Requests"}' > "$folder/one.json"
for _ in $(seq 20); do cat examples/sample.log; done > "$folder/errors.log"
for n in $(seq 20000); do
  echo "2026-03-01T10:00:00Z INFO request $n done method=GET path=/api/v1/orders/$n status=200 ms=12"
done > "$folder/healthy.log"

count() { # NAME COMMAND...
  local name=$1
  shift
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 > /dev/null |
    sed -n "s/.*Collected : \([0-9]*\).*/$name \1/p"
}
{
  count start "$whyerr" --no-config classify "$folder/one.json"
  count errors "$whyerr" --no-config --format summary "$folder/errors.log"
  count healthy "$whyerr" --no-config --format summary "$folder/healthy.log"
} > "$folder/counts"
if [ -n "${UPDATE:-}" ]; then
  cp "$folder/counts" benches/instructions.txt
fi
awk 'NR == FNR { known[$1] = $2; next }
     { ratio = $2 / known[$1]; printf "%-8s %12d instructions, %.2f of the recorded\n", $1, $2, ratio
       if (ratio > 1.10) bad = 1 }
     END { exit bad }' benches/instructions.txt "$folder/counts"
