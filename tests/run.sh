#!/usr/bin/env bash
# Everything the project must pass: style, documentation, the unit's hardening, the tests, the tests against real servers, a
# simulated year, and the benchmarks. Installs the Debian packages it needs; stops at the first failure.
# BUDGET_ALERTD=/path/to/binary tries another binary than the one built here, in the tests against real servers and in the
# benchmark.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(chromium curl dbus dovecot-core dovecot-submissiond fonts-dejavu-core fonts-noto-core gcc libc6-dev libsasl2-modules
  libsasl2-modules-db mount nginx-light postfix procps prometheus-alertmanager python3 python3-pip python3-requests sasl2-bin systemd
  systemd-container time util-linux)

say() { printf '\n== %s\n' "$*"; }
step() {
  say "$*"
  "$@"
}
as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
  say "installing ${missing[*]}"
  "${as_root[@]}" apt-get -qq update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "${missing[@]}"
fi

step cargo fmt --check
step cargo clippy --locked --all-targets --all-features -- -D warnings
RUSTDOCFLAGS="-D warnings" step cargo doc --locked --no-deps --document-private-items
step systemd-analyze security --offline=true --threshold=15 --no-pager systemd/budget-alertd.service

step cargo test --locked
# The real servers want root: a systemd to boot, users to change to.
host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
step env ${as_root:+"CARGO_TARGET_${host}_RUNNER=sudo --preserve-env"} cargo test --locked --features real-servers --test real
step cargo bench --locked --features real-servers --bench year --bench poll --bench webhook --bench mail

say "all passed"
