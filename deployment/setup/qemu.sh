#!/usr/bin/env bash
# Prints the path of a qemu-system-x86_64 that is new enough; qemu-storage-daemon and qemu-img lie beside
# it. Lockstep needs QEMU 11.1: COLO deadlocks under 7.2 and does not start in 10.0.
#
# A system without it gets a private copy in the cache: Debian's packages with all their libraries, run
# through their own loader, so that neither root nor the system's libc matter. The wrappers `exec`, so
# pid, signals and the parent-death signal are QEMU's own. /proc/PID/exe of such a process is the loader
# (argv[0] is right, and -name …,process=… sets what ps and top show).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

needed=11.1
private=$belay_cache/qemu-$needed-1 # the last number counts changes to this recipe
programs="qemu-system-x86_64 qemu-storage-daemon qemu-img"

system_qemu() {
  local program version
  for program in $programs; do command -v "$program" >/dev/null || return 1; done
  version=$(qemu-system-x86_64 --version | sed -n '1s/.*version \([0-9.]*\).*/\1/p')
  at_least "${version:-0}" "$needed" && command -v qemu-system-x86_64
}

wrapper() { # <program> [argument that always goes first]…
  local program=$1
  shift
  # shellcheck disable=SC2016,SC1003 # $here and $@ are the wrapper's own, and so is the backslash
  printf '%s\n' '#!/bin/sh' 'here=${0%/*}/..' 'libraries=$here/usr/lib/x86_64-linux-gnu' \
    'export QEMU_MODULE_DIR="$libraries/qemu"' \
    'exec "$libraries/ld-linux-x86-64.so.2" --argv0 '"$program"' --inhibit-cache --library-path "$libraries" \' \
    '  "$here/usr/bin/'"$program"'"'"${*:+ $*}"' "$@"'
}

unpack() {
  debian_closure "$belay_staging" "$debian_release-backports" qemu-system-x86 qemu-utils
}

make_private() {
  local program
  quietly "fetching QEMU $needed (40 MB)" "$belay_cache/qemu.log" unpack
  (cd "$belay_staging" && rm -rf etc var usr/sbin usr/share/doc usr/share/man usr/share/locale usr/share/info)
  mkdir "$belay_staging/bin"
  # shellcheck disable=SC2016
  wrapper qemu-system-x86_64 '-L "$here/usr/share/qemu" -L "$here/usr/share/seabios"' >"$belay_staging/bin/qemu-system-x86_64"
  wrapper qemu-storage-daemon >"$belay_staging/bin/qemu-storage-daemon"
  wrapper qemu-img >"$belay_staging/bin/qemu-img"
  chmod 755 "$belay_staging"/bin/* "$belay_staging"
  for program in $programs; do "$belay_staging/bin/$program" --version >/dev/null; done
  # Finds its firmware and starts a machine, or fails here and not in a test.
  "$belay_staging/bin/qemu-system-x86_64" -machine pc,accel=tcg -S -nodefaults -display none -monitor stdio \
    <<<quit >"$belay_cache/qemu.log" 2>&1 || die "the private QEMU does not start: $(tail -n 1 "$belay_cache/qemu.log")"
  publish "$belay_staging" "$private"
}

main() {
  system_qemu && return
  if [ ! -x "$private/bin/qemu-system-x86_64" ]; then
    command -v apt-get >/dev/null ||
      die "please install QEMU $needed or newer (qemu-system-x86_64, qemu-storage-daemon, qemu-img)"
    lock debian
    if [ ! -x "$private/bin/qemu-system-x86_64" ]; then
      staging
      make_private
    fi
  fi
  printf '%s\n' "$private/bin/qemu-system-x86_64"
}

main
