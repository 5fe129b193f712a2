#!/usr/bin/env bash
# A rank that dies ends the job with an error, and the last checkpoint is whole.
# usage: crash.sh FOLDER PROGRAM LAUNCHER...      LAUNCHER: mpirun and how many ranks, 3
set -euo pipefail
folder=$1 program=$2
shift 2

fresh() {
    rm -rf "$folder"
    mkdir -p "$folder"
}
gone() {  # no rank is left, a few seconds after the launcher ended
    for file in "$folder"/pid.*; do
        for _ in $(seq 100); do
            kill -0 "$(cat "$file")" 2> /dev/null || continue 2
            sleep 0.05
        done
        echo "$file is still there" >&2
        exit 1
    done
}

for victim in 2 0; do
    fresh
    "$@" "$program" "$folder" endless > "$folder/log" 2>&1 &
    until [ -e "$folder/checkpoint.safetensors" ] && [ -s "$folder/pid.$victim" ]; do
        kill -0 $! || { cat "$folder/log" >&2; exit 1; }
        sleep 0.02
    done
    sleep 0.$((RANDOM % 3))$((RANDOM % 10))
    kill -KILL "$(cat "$folder/pid.$victim")"
    if wait $!; then
        echo "rank $victim was killed, and the job ended as if nothing were wrong" >&2
        exit 1
    fi
    gone
    "$program" "$folder" check
done

fresh
if "$@" "$program" "$folder" throw > "$folder/log" 2>&1; then
    echo "a rank threw, and the job ended as if nothing were wrong" >&2
    exit 1
fi
grep -q '^rank 2: out of luck$' "$folder/log"
gone
"$program" "$folder" check
