#!/usr/bin/env bash
# Builds the packages of one build of the program: target/packages/*.deb and *.rpm. Installs the two tools that do it into
# target/tools, which takes some minutes the first time, and the Debian packages that they need.
# PROFILE=release builds faster, and a larger and slower program.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/packages.sh

profile=${PROFILE:-dist}
install_packages dpkg-dev xz-utils
cargo_deb
cargo_rpm

step cargo build --locked --profile "$profile"
step rm -rf target/generated
step "target/$profile/budget-alertd" generate man target/generated/man
step "target/$profile/budget-alertd" generate completions target/generated/completions
mkdir -p target/packages
# The profile has said what is stripped.
step target/tools/bin/cargo-deb --no-build --profile "$profile" --no-strip --compress-system --output target/packages/
step target/tools/bin/cargo-generate-rpm --profile "$profile" --output target/packages/

say "built:"
ls target/packages/*.deb target/packages/*.rpm
