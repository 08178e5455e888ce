# SPDX-License-Identifier: Apache-2.0
# Sourced by scripts that run steps: times each and prints a table at the end.
timed_steps=()

Timed() {  # NAME COMMAND...
  local name=$1 start=$EPOCHREALTIME status
  shift
  echo "==> $name"
  "$@"
  status=$?
  timed_steps+=("$(awk -v a="$start" -v b="$EPOCHREALTIME" -v n="$name" \
    -v s="$status" 'BEGIN {printf "%8.1f s  %-4s  %s", b - a,
                           s ? "FAIL" : "ok", n}')")
  return "$status"
}

PrintTimes() {
  echo "==> where the time went"
  printf '%s\n' "${timed_steps[@]}"
}

Finish() {  # STATUS
  PrintTimes
  exit "$1"
}
