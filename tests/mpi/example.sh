#!/usr/bin/env bash
# A training script learns the same with one, two and three processes, and goes on with another number of them.
# usage: example.sh FOLDER PROGRAM LAUNCHER...      LAUNCHER: mpirun, which takes the number of ranks next
set -euo pipefail
folder=$1 program=$2
shift 2
rm -rf "$folder"
mkdir -p "$folder"
short=("$program" --short --points 301)  # in uneven parts

"${short[@]}" --out "$folder/one" > "$folder/one.log"
"$@" 3 "${short[@]}" --out "$folder/three" > "$folder/three.log"
"$@" 3 "${short[@]}" --stop 37 --out "$folder/resumed" > "$folder/stopped.log"
[ ! -e "$folder/resumed/model.safetensors" ]
"$@" 2 "${short[@]}" --resume --out "$folder/resumed" > "$folder/resumed.log"

for run in three resumed; do
    # The first curve is in a, by step. Rounding grows from step to step.
    awk -F, 'FNR == 1 { next } NR == FNR { a[$1] = $2; n++; next }
             { m++; d = $2 - a[$1]; if (d < 0) d = -d; if (d > 1e-3 || $1 <= 50 && d > 2e-6) { print "step " $1 ": " a[$1] " and " $2; exit bad = 1 } }
             END { exit bad || n != 400 || m != n }' "$folder/one/curve_loss.csv" "$folder/$run/curve_loss.csv"
    [ -e "$folder/$run/model.safetensors" ]
    [ -e "$folder/$run/report.html" ]
done
for log in three stopped; do  # only the first process writes
    [ "$(grep -c '^moons: 400 steps' "$folder/$log.log")" = 1 ]
    grep -q '^3 processes' "$folder/$log.log"
done
[ "$("$@" 2 "$program" --help | grep -c -e --tensorboard)" = 1 ]
