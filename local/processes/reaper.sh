#!/bin/sh
# Kills what a supervisor leaves behind when it dies without a word (kill -9).
#   reaper.sh INSTANCE      standard input: "+PGID" and "-PGID" lines from the supervisor
# When the supervisor ends, however it ends, the pipe closes; then every process
# group still on the list and every process that carries QUARTET_INSTANCE=INSTANCE
# in its environment is killed. A shell and not Node: 1 MB instead of 40.
trap '' INT TERM HUP
instance=$1
groups=' '
while read -r line; do
  group=${line#?}
  case $line in
    +*) groups="$groups$group " ;;
    -*) groups="${groups%% "$group" *} ${groups#* "$group" }" ;;
  esac
done

for group in $groups; do kill -9 "-$group" 2>/dev/null; done

# By environment: catches a child that the supervisor had no time to announce and
# grandchildren in groups of their own. Twice at least, as a process may fork meanwhile.
[ -d /proc/self ] || exit 0
found=1
while [ $found = 1 ]; do
  found=0
  for environment in $(grep -lsz "^QUARTET_INSTANCE=$instance\$" /proc/[0-9]*/environ); do
    pid=${environment#/proc/}
    kill -9 "${pid%/environ}" 2>/dev/null && found=1
  done
  [ $found = 0 ] || sleep 0.05
done
