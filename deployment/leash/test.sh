#!/usr/bin/env bash
# Holds the leash to its promises, with `sleep` in QEMU's place. Takes about ten seconds.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
leash=${BELAY_LEASH:-$("$here/build.sh")}
lab=$(mktemp -d)
count=0

clean_up() {
  local file
  for file in "$lab"/*.status; do
    [ -e "$file" ] || continue
    kill -KILL "$(value leash "$file")" 2>/dev/null || true
  done
  rm -rf "$lab"
}
trap clean_up EXIT

value() { sed -n "s/^$1=//p" "${2:-$status}"; } # <key> [status file]
from_now() { echo $(($("$leash" --now) + $1 * 1000000)); } # <ms>
tell() { "$leash" --tell "$socket" "$@"; }
lives() { grep -q '^State:.[^ZX]' "/proc/$1/status" 2>/dev/null; } # <pid>
child_lives() { lives "$(value child)"; }
ended() { ! child_lives; }
recorded() { [ "$(value state)" = "$1" ]; }

hold() { # <ms until the deadline> <program…>
  local ms=$1
  shift
  count=$((count + 1))
  socket=$lab/$count.socket status=$lab/$count.status
  "$leash" --socket "$socket" --status "$status" --log "$lab/$count.log" --deadline "$(from_now "$ms")" --kill-budget 50 "${flags[@]}" -- "$@"
}
flags=()

within() { # <ms> <condition…>
  local end
  end=$(from_now "$1")
  shift
  until "$@"; do
    [ "$("$leash" --now)" -lt "$end" ] || return 1
    sleep 0.01
  done
}

check() { # <promise> <condition…>
  local promise=$1
  shift
  if ! "$@"; then
    echo "BROKEN: $promise" >&2
    cat "$status" "$lab/$count.log" >&2 || true
    exit 1
  fi
}
not() { ! "$@"; }
says() { [ "$(tell "${@:2}")" = "$1" ]; } # <answer> <command…>

the_deadline_kills() {
  hold 400 sleep 60
  check "the child runs" child_lives
  sleep 0.2
  check "the child runs until the deadline comes near" child_lives
  check "the child is dead when its deadline comes" within 350 ended
  check "the end is recorded" within 500 recorded expired
  check "the socket is gone" not test -e "$socket"
}

extending_keeps_alive() {
  hold 400 sleep 60
  for _ in 1 2 3 4 5; do
    check "extend is accepted" says ok extend "$(from_now 400)"
    sleep 0.2
  done
  check "an extended child lives" child_lives
  tell extend "$(from_now 800)" >"$lab/answer"
  check "an earlier deadline is accepted" says ok extend "$(from_now 100)"
  sleep 0.2
  check "… and moves nothing back" child_lives
  check "it ends after the last extension" within 900 ended
}

extending_too_late_is_refused() {
  hold 300 sleep 60
  local leash_pid child_pid
  leash_pid=$(value leash) child_pid=$(value child)
  kill -STOP "$leash_pid"
  sleep 0.1
  tell extend "$(from_now 60000)" >"$lab/late" 2>&1 & # waits in the socket of the stopped leash
  sleep 0.5
  check "a stopped leash kills nobody" kill -0 "$child_pid"
  kill -CONT "$leash_pid"
  check "it kills at once when it goes on" within 200 ended
  wait $! || true
  check "… and refuses what waited meanwhile" grep -q -e refused -e "did not answer" "$lab/late"
  check "the end is recorded" within 500 recorded expired
}

losing_the_leash_kills() {
  hold 60000 sleep 60
  kill -KILL "$(value leash)"
  check "the child dies with its leash" within 500 ended
}

commands_end_it() {
  hold 60000 sleep 60
  check "expire" says ok expire
  check "expired" within 500 recorded expired
  hold 60000 sleep 60
  check "kill" says ok kill
  check "killed" within 500 recorded signalled:9
  hold 60000 sleep 60
  kill -TERM "$(value leash)"
  check "a terminated leash takes its child along" within 500 recorded signalled:9
}

the_end_is_recorded() {
  hold 60000 sh -c 'echo out; echo error >&2; exit 7'
  check "the exit status" within 500 recorded exited:7
  check "its output is in the log" grep -q error "$lab/$count.log"
  check "the time of the end" test "$(value ended)" -gt 0
  hold 60000 sh -c 'kill -SEGV $$'
  check "the signal" within 500 recorded signalled:11
}

disarmed_it_waits() {
  hold 300 sleep 60
  check "disarm" says ok disarm
  check "extend does not arm" not tell extend "$(from_now 60000)" >"$lab/answer"
  sleep 0.5
  check "a disarmed leash kills nobody" child_lives
  check "arm" says ok arm "$(from_now 300)"
  check "armed again, it kills" within 400 ended
  hold 60000 sleep 60
  check "disarm" says ok disarm
  check "arming with a past deadline is refused" not tell arm 1 >"$lab/answer"
  check "… and kills" within 200 ended
}

status_is_told() {
  hold 60000 sleep 60
  local pid state until now
  read -r pid state until now < <(tell status)
  check "the child's number" test "$pid" = "$(value child)"
  check "its state" test "$state" = running
  check "a deadline ahead" test "$until" -gt "$now"
  check "the start time is the kernel's" test "$(value start)" = "$(cut -d ' ' -f 22 "/proc/$pid/stat")"
  check "only the owner may talk to it" test "$(stat -c %a "$socket")" = 600
  check "a second leash at the same socket is refused" not "$leash" --socket "$socket" --status "$status.2" \
    --deadline "$(from_now 9000)" -- sleep 60 2>"$lab/answer"
  check "an unknown command is refused" not tell dance >"$lab/answer"
  tell kill >"$lab/answer"
}

starting_badly_is_reported() {
  check "a program that is not there" not hold 60000 /does/not/exist 2>"$lab/answer"
  check "… by name" grep -q "cannot run /does/not/exist: No such file" "$lab/answer"
  check "… leaving no socket" not test -e "$socket"
  check "a deadline that is over" not hold -1 sleep 60 2>"$lab/answer"
}

the_group_goes_along() {
  flags=(--also-kill-group)
  hold 60000 sh -c 'sleep 60 & echo $! >'"$lab/grandchild; wait"
  flags=()
  check "the grandchild runs" within 500 test -s "$lab/grandchild"
  tell kill >"$lab/answer"
  check "it dies too" within 500 not lives "$(cat "$lab/grandchild")"
}

nothing_is_inherited() {
  exec 9>"$lab/held"
  hold 60000 sleep 60
  exec 9>&-
  check "neither leash nor child holds the starter's files" not grep -q held \
    <(ls -l "/proc/$(value leash)/fd" "/proc/$(value child)/fd")
  check "the leash left the starter's session" not test "$(ps -o sid= "$(value leash)")" = "$(ps -o sid= $$)"
  tell kill >"$lab/answer"
}

the_lifeline_is_refused_when_nothing_is_left() {
  local port=27358 first_leash first_child
  greets() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }
  check "nobody greets before" not greets
  flags=(--lifeline "127.0.0.1:$port")
  hold 60000 sleep 60
  first_leash=$(value leash) first_child=$(value child)
  local first_socket=$socket
  hold 60000 sleep 60
  flags=()
  for _ in 1 2 3 4 5 6 7 8; do check "both greet" greets; done
  tell kill >"$lab/answer"
  check "the second ended" within 500 recorded signalled:9
  for _ in 1 2 3 4 5 6 7 8; do check "the first greets alone" greets; done
  kill -STOP "$first_leash"
  check "a stopped leash is connected to" greets
  check "its program holds the port too" grep -q socket <(ls -l "/proc/$first_child/fd")
  kill -CONT "$first_leash"
  socket=$first_socket
  tell kill >"$lab/answer"
  check "with the last, the port is refused" within 500 not greets
}

for promise in the_deadline_kills extending_keeps_alive extending_too_late_is_refused losing_the_leash_kills \
  commands_end_it the_end_is_recorded disarmed_it_waits status_is_told starting_badly_is_reported \
  the_group_goes_along nothing_is_inherited the_lifeline_is_refused_when_nothing_is_left; do
  $promise
  echo "kept: ${promise//_/ }"
done
