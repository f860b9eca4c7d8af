#!/usr/bin/env bash
# Measures the program side by side with its peers, each in turns on this machine: polls against Python scripts and a parser in
# memory, webhooks against Debian's Alertmanager, mails against Python's smtplib; and in a simulated year, how soon attacks are told
# of. Ends with the table of goals: each figure beside what it should be, and whether it is. Fails only where the program falls
# behind a bound that a busy machine does not reach. Takes some 20 minutes and 5 GB of disk below target/; installs the Debian
# packages it needs. docs/performance.md says what is measured, and how.
# BUDGET_ALERTD=/path/to/binary measures another binary than the one built here.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/packages.sh

install_packages gcc libc6-dev nginx-light postfix procps prometheus-alertmanager python3 python3-ijson python3-requests time util-linux

# Each benchmark keeps its rows of the table here, also when it fails.
goals=target/tmp/goals
rm -rf "$goals"
status=0
step cargo bench --locked --no-fail-fast --features real-servers --bench poll --bench age --bench webhook --bench mail --bench warning || status=$?

say "goals, at $(git describe --always --dirty 2>/dev/null || echo 'an unknown commit'), $(nproc) cores"
cat "$goals"/*
exit "$status"
