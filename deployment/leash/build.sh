#!/usr/bin/env bash
# Builds belay-leash into the cache, once for each state of its source, and prints its path.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source-path=SCRIPTDIR source=../setup/lib.sh
. "$here/../setup/lib.sh"

main() {
  local key place
  key=$(cat "$here/leash.c" "$here/build.sh" | sha256sum | cut -c 1-12)
  place=$belay_cache/leash-$key
  if [ ! -x "$place/belay-leash" ]; then
    "$here/../setup/packages.sh"
    staging
    quietly "compiling the leash" "$belay_cache/leash.log" \
      gcc -std=gnu17 -O2 -Wall -Wextra -Werror -static -o "$belay_staging/belay-leash" "$here/leash.c"
    chmod 755 "$belay_staging"
    publish "$belay_staging" "$place"
  fi
  printf '%s\n' "$place/belay-leash"
}

main
