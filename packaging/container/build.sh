#!/usr/bin/env bash
# Builds a container image of the program: target/packages/budget-alertd.oci.tar, for `podman load` and `docker load`.
# Installs buildah (Debian). It fetches no image: the program's libraries are those of this machine, Debian 12 or newer.
# PROFILE=release builds faster, and a larger and slower program; BUDGET_ALERTD=/path/to/binary takes one that is there.
set -euo pipefail
cd "$(dirname "$0")/../.."
source tests/packages.sh

profile=${PROFILE:-dist}
install_packages buildah ca-certificates crun
[ -n "${BUDGET_ALERTD:-}" ] || step cargo build --locked --profile "$profile"
program=${BUDGET_ALERTD:-target/$profile/budget-alertd}

work=target/container
root=$work/root
rm -rf "$work"
mkdir -p target/packages "$root/tmp"
install -D -m 755 "$program" "$root/usr/bin/budget-alertd"
# Each library under the name that the program asks for, and its interpreter.
ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
  install -D -m 755 "$library" "$root$library"
done
install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
install -D -m 644 packaging/alert-rules.toml "$root/etc/budget-alertd/alert-rules.toml"
install -D -m 644 packaging/sample-usage.json "$root/usr/share/budget-alertd/sample-usage.json"
echo 'budget-alertd:x:65532:65532::/var/lib/budget-alertd:/usr/sbin/nologin' >"$root/etc/passwd"
echo 'budget-alertd:x:65532:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
chmod 1777 "$root/tmp"
install -d -m 700 "$work/state/budget-alertd"

# Where containers cannot be nested, files are kept plainly and nothing is isolated: nothing is run here.
buildah=(buildah --storage-driver vfs --root "$PWD/$work/storage" --runroot "$PWD/$work/run")
step "${buildah[@]}" build --isolation chroot --format oci --tag budget-alertd --file packaging/container/Containerfile "$work"
rm -f target/packages/budget-alertd.oci.tar
step "${buildah[@]}" push budget-alertd oci-archive:target/packages/budget-alertd.oci.tar:budget-alertd:latest

say "built:"
ls -lh target/packages/budget-alertd.oci.tar
