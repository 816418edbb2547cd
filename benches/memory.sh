#!/usr/bin/env bash
# Peak memory of scans, through pipes: of GIB gibibytes (10) of healthy lines with an error in every
# two thousand; of 500,000 findings that are all different, by format; and of these with 10,000,000
# lines without a verdict, all different. Nothing is kept on disk but 64 MiB.
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
# Runs the scan of standard input with these flags, and says what it took.
peak() {
  "$whyerr" --no-config "$@" - > "$folder/output" <&0 &
  local pid=$! peak=0 now
  # The peak is a high-water mark of the kernel's: the last reading is the peak.
  while read -r now < <(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status" 2> /dev/null); do
    peak=$now
    sleep 0.1
  done
  wait $pid || true
  echo "$((peak / 1024)) MiB of memory at most, $(wc -c < "$folder/output") bytes written"
}

# Lines that differ by a word of letters: EVERY-th is an error that has a verdict.
different() {
  awk -v lines="$1" -v every="$2" 'BEGIN {
    for (n = 0; n < lines; n++) {
      word = ""
      for (left = n * 2654435761 % 4294967296; left > 0 || word == ""; left = int(left / 16))
        word = word sprintf("%c", 97 + left % 16)
      if (n % every == 0) print "2026-03-01T10:00:00Z error write of " word " failed: No space left on device"
      else print "2026-03-01T10:00:00Z error: the " word " is not what it was"
    }
  }'
}

for format in summary json; do
  echo "$format, $gib GiB: $(stream | peak --format "$format")"
done
for flags in "--format text" "--format json" "--no-fold" "--format sarif"; do
  # shellcheck disable=SC2086
  echo "$flags, 500,000 findings: $(different 500000 1 | peak $flags)"
done
echo "text, 500,000 findings among 10,500,000 lines: $(different 10500000 21 | peak)"
