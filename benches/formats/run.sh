#!/usr/bin/env bash
# What reading the formats of logs costs: for each format the throughput of a scan with facts, in
# ratio to a scan of the same bytes as plain text. Processor time, best of N, interleaved.
#
#   benches/formats/run.sh LOG [MB] [N]
#
# LOG gives the messages, a line each. Writes one Markdown table.
set -euo pipefail
cd "$(dirname "$0")/../.."
log=${1:?LOG with messages, a line each}
megabytes=${2:-64}
rounds=${3:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo build --release --quiet -p whyerr-cli
whyerr=${CARGO_TARGET_DIR:-target}/release/whyerr

# Messages without what JSON and quoting would have to escape.
tr -d '"\\\t\r' < "$log" | grep -a . | head -c "$((megabytes * 600000))" > "$work/messages" || true

wrap() {
  awk -v kind="$1" '
    { n++; s = n % 60; m = int(n / 60) % 60; h = int(n / 3600) % 24
      t = sprintf("2026-11-23T%02d:%02d:%02d", h, m, s)
      level = (n % 30 == 0) ? "error" : "info" }
    kind == "plain"    { print }
    kind == "logger"   { printf "%s.123 %-5s [main] c.acme.App : %s\n", t, toupper(level), $0 }
    kind == "json"     { printf "{\"time\":\"%sZ\",\"level\":\"%s\",\"service\":\"shop\",\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"msg\":\"%s\"}\n", t, level, $0 }
    kind == "logfmt"   { printf "time=%sZ level=%s service=shop msg=\"%s\"\n", t, level, $0 }
    kind == "rfc3164"  { printf "<11>Nov 23 %02d:%02d:%02d web1 shop[17]: %s\n", h, m, s, $0 }
    kind == "rfc5424"  { printf "<11>1 %sZ web1 shop 17 - - %s\n", t, $0 }
    kind == "cri"      { printf "%s.123456789Z stderr F %s\n", t, $0 }
    kind == "docker"   { printf "{\"log\":\"%s\\n\",\"stream\":\"stderr\",\"time\":\"%s.123456789Z\"}\n", $0, t }
    kind == "klog"     { printf "%s1123 %02d:%02d:%02d.123456 1 app.go:12] %s\n", (level == "error" ? "E" : "I"), h, m, s, $0 }
    kind == "journald" { printf "{\"__REALTIME_TIMESTAMP\":\"17638%011d\",\"PRIORITY\":\"%d\",\"SYSLOG_IDENTIFIER\":\"shop\",\"MESSAGE\":\"%s\"}\n", n, (level == "error" ? 3 : 6), $0 }
    kind == "otlp"     { printf "{\"timeUnixNano\":\"17638%014d\",\"severityText\":\"%s\",\"body\":{\"stringValue\":\"%s\"},\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"shop\"}}]}\n", n, toupper(level), $0 }
  ' "$work/messages" > "$work/log"
}

# Seconds of processor time of a scan, in milliseconds.
cpu() {
  local TIMEFORMAT='%U %S'
  { time "$whyerr" --no-config -f summary "$@" > /dev/null; } 2>&1 | awk '{ printf "%d\n", ($1 + $2) * 1000 }'
}

echo "| format | MB | MB a second of processor time | findings | in ratio to plain text |"
echo "| --- | --- | --- | --- | --- |"
for kind in plain logger json logfmt rfc3164 rfc5424 cri docker klog journald otlp; do
  wrap "$kind"
  size=$(stat -c %s "$work/log")
  read_best='' text_best=''
  for _ in $(seq "$rounds"); do
    a=$(cpu "$work/log"); b=$(cpu --input-format text "$work/log")
    if [[ -z $read_best || $a -lt $read_best ]]; then read_best=$a; fi
    if [[ -z $text_best || $b -lt $text_best ]]; then text_best=$b; fi
  done
  found=$("$whyerr" --no-config -f json "$work/log" | wc -l)
  awk -v k="$kind" -v s="$size" -v a="$read_best" -v b="$text_best" -v f="$found" \
    'BEGIN { printf "| %s | %.0f | %.0f | %d | %.2f |\n", k, s / 1e6, s / 1e3 / a, f, b / a }'
done
