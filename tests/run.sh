#!/usr/bin/env bash
# Everything the project must pass: style, documentation, the unit's hardening, the tests, and the tests against real servers.
# Installs the Debian packages it needs; stops at the first failure. Nothing here depends on how fast the machine is: that is
# what benches/run.sh measures.
# BUDGET_ALERTD=/path/to/binary tries another binary than the one built here, in the tests against real servers.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/packages.sh

install_packages binutils buildah caddy chromium chromium-driver crun curl dbus dovecot-core dovecot-submissiond fonts-dejavu-core fonts-noto-core gcc libc6-dev \
  libsasl2-modules libsasl2-modules-db mount nginx-light postfix postgresql procps prometheus prometheus-alertmanager python3 python3-pip rpm sasl2-bin \
  systemd systemd-container util-linux valgrind

# What is built for the first time gains nothing from being prepared for small changes.
[ -d target ] || export CARGO_INCREMENTAL=0

# What finds faults of accessibility in the pages; npm comes in other ways than as Debian's package, too.
command -v npm >/dev/null || install_packages npm
axe_core 4.14.1 29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c

step cargo fmt --check
step cargo clippy --locked --all-targets --all-features -- -D warnings
# `--examples`, though there is none: it makes cargo choose the features that the tests choose, so that nothing is built again.
RUSTDOCFLAGS="-D warnings" step cargo doc --locked --no-deps --document-private-items --lib --examples
step systemd-analyze security --offline=true --threshold=15 --no-pager systemd/budget-alertd.service

# A snapshot that differs fails its test, and nothing is written beside it.
export INSTA_UPDATE=no
# Many tests wait for processes and receivers: twice as many as there are cores fill the cores.
export RUST_TEST_THREADS="${RUST_TEST_THREADS:-$((2 * $(nproc)))}"
# Make the packages that are tried.
cargo_deb
cargo_rpm
step cargo test --locked --features real-servers --no-run
# The real servers want root: a systemd to boot, users to change to. They mostly wait: beside the others, and shown after them.
host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
real=(env ${as_root:+"CARGO_TARGET_${host}_RUNNER=sudo --preserve-env"} RUST_TEST_THREADS=2
  cargo test --locked --features real-servers --test real)
log=$(mktemp)
"${real[@]}" >"$log" 2>&1 &
real_servers=$!
stop_real_servers() {
  pkill -P "$real_servers" || true
  kill "$real_servers" || true
  rm -f "$log"
} 2>/dev/null
trap stop_real_servers EXIT
step cargo test --locked --features real-servers --lib --bins --test it
step tests/on-postgres.sh --features real-servers
say "${real[@]}"
status=0
wait "$real_servers" || status=$?
cat "$log"
[ "$status" -eq 0 ]

say "all passed"
