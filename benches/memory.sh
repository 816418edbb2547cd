#!/usr/bin/env bash
# Peak memory of a scan of a long stream: GIB gibibytes (10) of healthy lines with an error in every
# two thousand, through a pipe. Nothing of it is kept on disk but 64 MiB.
#
#   benches/memory.sh [GIB]
set -euo pipefail
cd "$(dirname "$0")/.."
gib=${1:-10}
cargo build --release --quiet -p whyerr-cli
whyerr=$(realpath "${CARGO_TARGET_DIR:-target}/release/whyerr")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
awk 'BEGIN {
  for (n = 0; size < 64 * 1024 * 1024; n++) {
    line = sprintf("2026-03-01T%02d:%02d:%02d.%03dZ %s request %d done method=GET path=/api/v1/orders/%d status=200 bytes=%d ms=%d",
                   n / 3600 % 24, n / 60 % 60, n % 60, n * 7 % 1000, n % 3 ? "info" : "debug", n, n * 31 % 99991, n * 17 % 65536, n % 977)
    if (n % 2000 == 0) line = sprintf("2026-03-01T%02d:00:00.000Z error write of file %d failed: No space left on device", n / 3600 % 24, n)
    print line
    size += length(line) + 1
  }
}' > "$folder/log"
stream() { for _ in $(seq $((gib * 16))); do cat "$folder/log"; done; }
for format in summary json; do
  stream | "$whyerr" --no-config --format "$format" - > "$folder/output" &
  pid=$!
  # The peak is a high-water mark of the kernel's: the last reading is the peak.
  peak=0
  while read -r now < <(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status" 2> /dev/null); do
    peak=$now
    sleep 0.5
  done
  wait $pid || true
  echo "$format: $gib GiB read, $((peak / 1024)) MiB of memory at most, $(wc -c < "$folder/output") bytes written"
done
