#!/usr/bin/env bash
# What comes into the build: known vulnerabilities, licences, sources and bans (cargo-deny, deny.toml), dependencies that
# nothing uses (cargo-machete), and the oldest Rust that Cargo.toml promises. Installs both tools into target/tools, which takes
# some minutes the first time; the advisory database comes from the network. Not part of tests/run.sh: what it says may change
# without any change here.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/packages.sh

tool cargo-deny 0.20.2
tool cargo-machete 0.9.2

# Without the database of advisories, the rest is checked all the same, and the end says so.
unchecked=""
step target/tools/bin/cargo-deny --locked check licenses bans sources
if step target/tools/bin/cargo-deny --locked fetch db; then
  step target/tools/bin/cargo-deny --locked check advisories
else
  unchecked=", but advisories are unchecked: their database cannot be fetched"
fi
step target/tools/bin/cargo-machete

oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
if [[ "$(rustc --version)" == "rustc $oldest."* ]]; then
  step cargo check --locked
else
  step cargo "+$oldest" check --locked
fi

say "all passed$unchecked"
