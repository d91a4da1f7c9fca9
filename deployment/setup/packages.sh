#!/usr/bin/env bash
# Installs what Belay's build, tests and lab need from this system's packages. Does nothing, and needs no
# network, when all of it is there.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A command that must be there, and the package that brings it on Debian and Ubuntu.
wanted() {
  cat <<'LIST'
ip iproute2
nft nftables
gcc gcc
cpio cpio
xz xz-utils
flock util-linux
mvn maven
unzip unzip
LIST
  # A static libc to link the leash and the guest's programs with.
  echo "/usr/include/stdio.h libc6-dev"
}

missing() {
  local thing package
  wanted | while read -r thing package; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$thing" >/dev/null || [ -e "$thing" ] || printf '%s ' "$package"
  done
}

install_them() {
  export DEBIAN_FRONTEND=noninteractive
  # The package lists may be missing or old; ask for new ones only then.
  apt-get -q -y --no-install-recommends install "$@" && return
  apt-get -q update
  apt-get -q -y --no-install-recommends install "$@"
}

main() {
  local packages
  packages=$(missing)
  packages=${packages% }
  [ -n "$packages" ] || return 0
  command -v apt-get >/dev/null ||
    die "please install, by their names on this system: $packages"
  [ "$(id -u)" = 0 ] ||
    die "please run: sudo apt-get install --no-install-recommends $packages"
  lock packages
  # shellcheck disable=SC2086 # one word per package
  quietly "installing $packages" "$belay_cache/packages.log" install_them $packages
}

main
