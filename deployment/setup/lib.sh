# shellcheck shell=bash
# What the set-up scripts share. Sourced, never run.
#
# Everything that they make lies in one cache folder, is built beside its final place and then renamed,
# so that an interrupted set-up leaves nothing half done. Answers go to stdout, everything else to stderr.

: "${HOME:=$(getent passwd "$(id -u)" | cut -d: -f6)}" # systemd sets none
export HOME
belay_cache=${BELAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/belay}
mkdir -p "$belay_cache"
belay_cache=$(cd "$belay_cache" && pwd -P)

say() { printf 'belay: %s\n' "$*" >&2; }

die() {
  say "$*"
  exit 1
}

# Runs a command with its output in a log, shows that time passes, and on failure shows the log's end
# and exits. Call it as a plain statement: inside `if`, `&&` or `||` bash would ignore errors in functions.
quietly() { # <what, for people> <log file> <command> [argument…]
  local what=$1 log=$2 began=$SECONDS status=0 ticker=
  shift 2
  if [ -t 2 ]; then
    (while sleep 1 && kill -0 $$; do printf '\rbelay: %s … %d s ' "$what" $((SECONDS - began)) >&2; done) 2>/dev/tty &
    ticker=$!
  else
    say "$what …"
  fi
  set +e
  (
    set -e
    "$@"
  ) >"$log" 2>&1
  status=$?
  set -e
  if [ -n "$ticker" ]; then
    kill "$ticker" 2>/dev/null
    wait "$ticker" 2>/dev/null || true
    [ $((SECONDS - began)) -lt 2 ] || printf '\rbelay: %s: %d s   \n' "$what" $((SECONDS - began)) >&2
  fi
  [ $status -eq 0 ] && return
  tail -n 30 "$log" >&2
  die "$what failed after $((SECONDS - began)) s; the whole log: $log"
}

# One set-up of a kind at a time on this machine; the second waits, then finds the work done.
# The lock goes with the script that took it.
lock() { # <name>
  exec {belay_lock}>"$belay_cache/$1.lock"
  flock -n "$belay_lock" && return
  say "another set-up of $1 is at work; waiting for it"
  flock "$belay_lock"
}

# A folder to build in, on the same file system as the cache and gone when the script ends.
staging() {
  belay_staging=$(mktemp -d "$belay_cache/.making.XXXXXX")
  trap 'rm -rf "$belay_staging"' EXIT
}

# Puts a finished folder in its place at once.
publish() { # <folder> <place>
  rm -rf "$2"
  mv -T "$1" "$2"
}

# Whether dotted version $1 is at least $2.
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

# --- Packages of Debian 13 (trixie), unpacked instead of installed --------------------------------------
# An apt of our own: its state lies in the cache, it believes that nothing is installed and so resolves
# whole dependency closures, and it checks signatures like any other. Needs no root.

debian_release=trixie
debian_suites="$debian_release $debian_release-updates $debian_release-backports"
debian_apt=$belay_cache/apt
debian_keys=/usr/share/keyrings/debian-archive-$debian_release-stable

# The mirror that this machine's own apt uses; BELAY_DEBIAN_MIRROR names another.
debian_mirror() {
  if [ -n "${BELAY_DEBIAN_MIRROR:-}" ]; then
    printf '%s\n' "$BELAY_DEBIAN_MIRROR"
  else
    # shellcheck disable=SC2016 # apt's own placeholder
    apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -E '/debian/?$' | head -n 1
  fi
}

# The keyring that holds the release's keys: this machine's, or the one in the newest
# debian-archive-keyring that its apt can vouch for.
debian_keyring() {
  local key folder=$debian_apt/keyring
  for key in "$debian_keys".gpg "$debian_keys".pgp "$folder$debian_keys".gpg "$folder$debian_keys".pgp; do
    if [ -r "$key" ]; then
      key=$(dirname "$key")/debian-archive-keyring.${key##*.}
      printf '%s\n' "$key"
      return
    fi
  done
  mkdir -p "$folder"
  (cd "$folder" && apt-get download debian-archive-keyring && dpkg-deb -x debian-archive-keyring_*.deb .) >&2 || return
  for key in "$folder$debian_keys".gpg "$folder$debian_keys".pgp; do
    [ ! -r "$key" ] || printf '%s\n' "$(dirname "$key")/debian-archive-keyring.${key##*.}"
  done
}

private_apt() { # <apt-get words…>
  apt-get -q -y \
    -o Dir::State="$debian_apt/state" -o Dir::State::status="$debian_apt/status" \
    -o Dir::Cache="$debian_apt/cache" -o Dir::Etc::sourcelist="$debian_apt/sources.list" \
    -o Dir::Etc::sourceparts=- -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
    -o Dir::Log="$debian_apt" -o APT::Sandbox::User="$(id -un)" -o APT::Architecture=amd64 -o APT::Architectures=amd64 \
    -o APT::Install-Recommends=false -o Debug::NoLocking=true "$@"
}

# Learns what the mirror has now. Call it with the lock "debian" held.
debian_update() {
  local mirror keys suite
  command -v apt-get >/dev/null || die "there is no apt on this machine to fetch Debian packages with"
  [ "$(uname -m)" = x86_64 ] || die "only x86_64 is supported so far, this is $(uname -m)"
  mirror=$(debian_mirror) || true
  [ -n "$mirror" ] || die "no Debian mirror in this machine's apt sources; set BELAY_DEBIAN_MIRROR to one"
  keys=$(debian_keyring) || true
  [ -n "$keys" ] || die "no keys for Debian $debian_release on this machine; install a newer debian-archive-keyring"
  mkdir -p "$debian_apt"/state/lists/partial "$debian_apt"/cache/archives/partial
  : >"$debian_apt/status"
  for suite in $debian_suites; do
    printf 'deb [signed-by=%s] %s %s main\n' "$keys" "$mirror" "$suite"
  done >"$debian_apt/sources.list"
  private_apt -o APT::Update::Error-Mode=any update
}

# Unpacks packages and everything that they need, libc included, into a folder.
debian_closure() { # <folder> <suite> <package>…
  local folder=$1 suite=$2 deb
  shift 2
  debian_update
  rm -f "$debian_apt"/cache/archives/*.deb
  private_apt install --download-only -t "$suite" "$@"
  for deb in "$debian_apt"/cache/archives/*.deb; do dpkg-deb -x "$deb" "$folder"; done
  rm -f "$debian_apt"/cache/archives/*.deb
}
