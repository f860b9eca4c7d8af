# Sourced by tests/run.sh and benches/run.sh: says what is done, and installs the Debian packages that are missing.

say() { printf '\n== %s\n' "$*"; }
step() {
  say "$*"
  "$@"
}
as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi

install_packages() {
  local package missing=()
  for package in "$@"; do
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  if [ "${#missing[@]}" -gt 0 ]; then
    say "installing ${missing[*]}"
    "${as_root[@]}" apt-get -qq update
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "${missing[@]}"
  fi
}
