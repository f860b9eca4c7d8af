#!/usr/bin/env bash
# Measures the program side by side with its peers, each in turns on this machine: polls against a Python script, webhooks
# against Debian's Alertmanager, mails against Python's smtplib; and in a simulated year, how soon attacks are told of. Prints
# ratios and memory; fails only where the program falls behind a bound that a busy machine does not reach. Installs the Debian
# packages it needs.
# BUDGET_ALERTD=/path/to/binary measures another binary than the one built here.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/packages.sh

install_packages gcc libc6-dev nginx-light postfix procps prometheus-alertmanager python3 python3-requests time util-linux

step cargo bench --locked --features real-servers --bench poll --bench webhook --bench mail --bench warning
