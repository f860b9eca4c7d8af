# Sourced by the scripts here, in benches/ and in packaging/: says what is done, and installs what is missing.

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

# A tool of crates.io in target/tools/bin: its name, its version, and how it is built.
tool() {
  local name=$1 version=$2
  shift 2
  [ -x "target/tools/bin/$name" ] || step cargo install --quiet --locked --root target/tools "$@" "$name@$version"
}
# Built for debugging: it takes a fraction of the time, and packs as fast with the packers of the system.
cargo_deb() { tool cargo-deb 3.8.0 --debug --no-default-features; }
cargo_rpm() { tool cargo-generate-rpm 0.21.1 --debug; }
# axe-core of npm in target/axe-core: its version, and the SHA-256 of the one file that is used. It runs in the pages of tests alone.
axe_core() {
  local folder=target/axe-core
  local wanted="$2  $folder/package/axe.min.js"
  if ! sha256sum --check --status <<<"$wanted" 2>/dev/null; then
    mkdir -p "$folder"
    step npm pack --silent --pack-destination "$folder" "axe-core@$1"
    tar -xzf "$folder/axe-core-$1.tgz" -C "$folder"
    sha256sum --check --quiet <<<"$wanted"
  fi
}
