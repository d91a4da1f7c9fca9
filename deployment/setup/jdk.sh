#!/usr/bin/env bash
# Prints the home of a JDK 25 or newer: JAVA_HOME, one under /usr/lib/jvm, the one that `javac` on the
# PATH belongs to, or else Debian's, fetched into the cache.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

needed=25
private=$belay_cache/jdk-$needed-1 # the last number counts changes to this recipe

# Reads the version without starting Java: the launcher asks on every command.
is_usable() { # <home>
  local version
  [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 1
  version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release")
  [ "${version:-0}" -ge "$needed" ]
}

find_one() {
  local home javac
  javac=$(command -v javac) && javac=$(readlink -f "$javac")
  for home in "${JAVA_HOME:-/none}" /usr/lib/jvm/*"$needed"* /usr/lib/jvm/* "${javac%/bin/javac}" "$private"; do
    if is_usable "$home"; then
      printf '%s\n' "$home"
      return
    fi
  done
  return 1
}

unpack() {
  debian_closure "$belay_staging" "$debian_release" "openjdk-$needed-jdk-headless" patchelf
}

# Debian keeps a JDK's settings under /etc; here they belong into its own folder. The certificates stay the
# system's: Maven's package brings them.
settle() {
  local home=$1 link target
  find "$home" -type l -lname '/etc/java-*' | while read -r link; do
    target=$belay_staging$(readlink "$link")
    rm "$link"
    cp -rL "$target" "$link"
  done
  rm -rf "$home/jmods" # 350 MB that only jlink would read
}

# Gives the JDK's programs the libc that it was built with when the system's is too old for it: their own
# loader and its libraries beside them. (Running java *through* the loader, as for QEMU, would not do: it
# looks for its home at /proc/self/exe.)
bind() {
  local home=$1 libraries=usr/lib/x86_64-linux-gnu program
  "$home/bin/java" -version 2>/dev/null && return
  mkdir "$home/libc"
  cp -a "$belay_staging/$libraries"/*.so* "$home/libc/"
  for program in "$home"/bin/* "$home"/lib/jspawnhelper; do
    "$belay_staging/$libraries/ld-linux-x86-64.so.2" --library-path "$belay_staging/$libraries" \
      "$belay_staging/usr/bin/patchelf" --set-interpreter "$private/libc/ld-linux-x86-64.so.2" \
      --force-rpath --set-rpath "$private/libc:$private/lib" "$program"
  done
}

make_private() {
  local home=$belay_staging/usr/lib/jvm/java-$needed-openjdk-amd64
  quietly "fetching a JDK $needed (420 MB)" "$belay_cache/jdk.log" unpack
  settle "$home"
  bind "$home"
  publish "$home" "$private"
  "$private/bin/java" -version 2>/dev/null || {
    rm -rf "$private"
    die "please install a JDK $needed or newer and set JAVA_HOME (Debian's does not run on this system)"
  }
}

main() {
  find_one && return
  command -v apt-get >/dev/null || die "please install a JDK $needed or newer and set JAVA_HOME"
  lock debian
  if ! find_one; then
    staging
    make_private
    printf '%s\n' "$private"
  fi
}

main
