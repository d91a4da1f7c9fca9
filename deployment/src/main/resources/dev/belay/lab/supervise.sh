#!/usr/bin/env bash
# Keeps one lab node's JVM running, as systemd with Restart=always and RestartPreventExitStatus=4 does for a node in
# production.
# Usage: supervise.sh FOLDER COMMAND…   It runs in the node's network namespace and in a session of its own.
folder=$1
shift

# The node outweighs the guests from its JVM's first moment: by its session's weight, as nice alone does not work
# across sessions, and by nice, as sessions do not count inside of a control group. Leashes set both back for guests.
echo -15 2>/dev/null >/proc/self/autogroup
renice -n -15 -p $$ >/dev/null 2>&1

say() { echo "$(date +%T.%3N) supervisor: $*" >>"$folder/node.log"; }

# A wall clock of the node's own (`lab clock`).
if [ -e "$folder/clock" ]; then
  set -- env LD_PRELOAD="$folder/clock.so" BELAY_LAB_CLOCK="$folder/clock" "$@"
fi

echo $$ >"$folder/supervisor.pid"
starts=0
while true; do
  starts=$((starts + 1))
  began=$SECONDS
  "$@" >>"$folder/node.log" 2>&1 </dev/null &
  jvm=$!
  echo "$jvm" >"$folder/jvm.pid.new" && mv "$folder/jvm.pid.new" "$folder/jvm.pid"
  echo "$starts" >"$folder/starts"
  wait "$jvm"
  code=$?
  # A voter that forgot what it acknowledged: an operator has to do something first.
  [ "$code" != 4 ] || { say "the node's process $jvm ended with code 4; not starting it again"; exit; }
  say "the node's process $jvm ended with code $code; starting it again"
  # A process that cannot even start must not spin.
  [ $((SECONDS - began)) -ge 1 ] || sleep 0.5
done
