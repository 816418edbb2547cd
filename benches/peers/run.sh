#!/usr/bin/env bash
# Compares whyerr with other engines on this machine and prints a Markdown table.
# usage: benches/peers/run.sh [MEGABYTES [ROUNDS]]
set -euo pipefail
cd "$(dirname "$0")"
if ! pkg-config --exists libhs 2> /dev/null; then
  apt-get install -y -q libhyperscan-dev > /dev/null 2>&1 || echo "no Hyperscan here: its column stays empty" >&2
fi
export CARGO_TARGET_DIR=target
cargo build --release --quiet
if pkg-config --exists libhs 2> /dev/null; then
  cc -O3 -o target/hs hs.c $(pkg-config --cflags --libs libhs)
fi
grep -m1 "model name" /proc/cpuinfo | sed 's/.*: //'
rustc --version
pkg-config --exists libhs 2> /dev/null && echo "Hyperscan $(pkg-config --modversion libhs)"
echo
target/release/whyerr-peers run "${1:-64}" "${2:-3}"
