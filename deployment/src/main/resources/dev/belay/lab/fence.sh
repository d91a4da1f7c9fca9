#!/usr/bin/env bash
# A fence agent for the servers of a lab, called as those of the package fence-agents are: key=value lines on
# standard input, one of them action=off or action=status; the exit status answers (status: 0 is on, 2 is off).
# Beside them it takes the victim's namespace, its folder in the lab, and a behaviour (`lab up --fence`).
while IFS='=' read -r key value; do
  case $key in
    action) action=$value ;;
    behaviour) behaviour=$value ;;
    namespace) namespace=$value ;;
    folder) folder=$value ;;
  esac
done

running() { ip netns pids "$namespace" 2>/dev/null; }

# As `lab kill` does it: the cables first, so that nobody hears last words; then everything at once.
power_off() {
  ip -n "$namespace" link set dev cl0 down 2>/dev/null
  ip -n "$namespace" link set dev up0 down 2>/dev/null
  local pids
  while pids=$(running) && [ -n "$pids" ]; do
    # shellcheck disable=SC2086 # one word per process
    kill -KILL $pids 2>/dev/null
  done
  : >"$folder/off"
}

is_off() { [ -e "$folder/off" ] && [ -z "$(running)" ]; }

case $behaviour:$action in
  works:off) power_off ;;
  works:status) if is_off; then exit 2; fi ;;
  hangs:*) exec sleep infinity ;;
  lies:off) ;;
  lies:status) exit 2 ;;
  *)
    echo "cannot do '$action'" >&2
    exit 1
    ;;
esac
