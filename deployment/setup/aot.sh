#!/usr/bin/env bash
# Trains the JVM on a node that starts, founds a cluster of its own and stops: with the cache that comes of
# it a node is up in a fraction of the time. A node's process that dies must be back before its lease is
# over, so this is not only comfort. Does nothing when the cache is newer than the jars.
#
# usage: aot.sh LIB        JAVA_HOME is the JDK; writes LIB/../belay.aot
set -euo pipefail

lib=$(cd "$1" && pwd -P)
cache=$(dirname "$lib")/belay.aot
if [ -e "$cache" ] && [ -z "$(find "$lib" -name '*.jar' -newer "$cache" -print -quit)" ]; then
  exit 0
fi

work=$(mktemp -d)
node=
trap 'kill -9 $node 2>/dev/null || true; rm -rf "$work"' EXIT

cat >"$work/belay.conf" <<CONF
belay {
  node { name = training, data-dir = "$work/data", run-dir = "$work/run" }
  cluster { port = 27355, lifeline-port = 27357, replica-lifeline-port = 27358, look-before-founding = 200ms, nodes = [ { name = training, address = "127.0.0.1", role = server } ] }
  journal.port = 27356
  http.port = 27350
}
CONF

# The flags of a node, as the launcher and the lab give them: the cache fits no others. Without class linking:
# with it, every class of the training is loaded before the first of ours runs, and the lease needs few of them.
"$JAVA_HOME/bin/java" -Xms48m -Xmx160m -Xmn12m -XX:+UseSerialGC -Xss512k -XX:+UseCompactObjectHeaders -XX:TieredStopAtLevel=1 \
  --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
  -XX:-AOTClassLinking -XX:AOTCacheOutput="$work/belay.aot" -cp "$lib/*" dev.belay.Main node --config "$work/belay.conf" \
  >"$work/log" 2>&1 &
node=$!

get() { # <path below /api/v1/>, prints the whole answer
  exec 3<>/dev/tcp/127.0.0.1/27350 || return
  printf 'GET /api/v1/%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
  cat <&3
  exec 3>&-
}

is_ready() {
  local answer
  answer=$(get health/ready 2>/dev/null)
  [[ $answer == 'HTTP/1.1 200'* ]]
}

ready=
for _ in $(seq 600); do
  if is_ready; then
    ready=yes
    break
  fi
  kill -0 "$node" 2>/dev/null || break
  sleep 0.1
done
if [ -z "$ready" ]; then
  echo "aot.sh: the training node did not come up; nodes will start more slowly. Its last lines:" >&2
  tail -5 "$work/log" >&2
  exit 0
fi
for path in servers vms events; do
  get "$path" >/dev/null
done
kill "$node"
wait "$node" || true
if [ -s "$work/belay.aot" ]; then
  mv "$work/belay.aot" "$cache"
else
  echo "aot.sh: no cache came of the training; nodes will start more slowly. Its last lines:" >&2
  tail -5 "$work/log" >&2
fi
