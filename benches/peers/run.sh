#!/usr/bin/env bash
# Compares whyerr with other engines and commands on this machine: one Markdown page on standard output.
# usage: benches/peers/run.sh [MEGABYTES [ROUNDS [LOGS [FILE_MEGABYTES]]]]
# MEGABYTES of each log that is searched in memory (64), best of ROUNDS in turn (3). LOGS is a folder
# of real logs, from whose lines the logs are made, with other digits; none or "": from templates. Files that
# commands read have FILE_MEGABYTES (512); 0 leaves the commands out.
# Peers that are not there are installed if apt-get can, else their columns stay empty.
set -euo pipefail
logs=${3:+$(realpath "$3")}
file_megabytes=${4:-512}
cd "$(dirname "$0")"
for package in libhyperscan-dev ripgrep ugrep; do
  dpkg -s "$package" > /dev/null 2>&1 || apt-get install -y -q "$package" > /dev/null 2>&1 ||
    echo "not here, and left out: $package" >&2
done
whyerr=
if [ "$file_megabytes" != 0 ]; then
  cargo build --release --quiet --manifest-path ../../Cargo.toml -p whyerr-cli
  whyerr=$(realpath "${CARGO_TARGET_DIR:-../../target}/release/whyerr")
fi
export CARGO_TARGET_DIR=target
cargo build --release --quiet
if pkg-config --exists libhs 2> /dev/null; then
  # shellcheck disable=SC2046 # several words are wanted
  cc -O3 -D_GNU_SOURCE -o target/hs hs.c $(pkg-config --cflags --libs libhs)
fi
version() { command -v "$1" > /dev/null && "$1" --version | head -n 1; }
{
  grep -m1 "model name" /proc/cpuinfo | sed 's/.*: //'
  lscpu | sed -n 's/^L2 cache: */L2 /p'
  rustc --version
  echo "whyerr $(git rev-parse --short HEAD 2> /dev/null)"
  pkg-config --exists libhs 2> /dev/null && echo "Hyperscan $(pkg-config --modversion libhs)"
  version rg || true
  version ugrep || true
  version grep || true
} | sed 's/^/- /'
echo
target/release/whyerr-peers table "${1:-64}" "${2:-3}" "$file_megabytes" "${logs:-}" "$whyerr"
