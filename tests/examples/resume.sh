#!/usr/bin/env bash
# A run that was interrupted and resumed ends with the bits of one that was not, for any number of threads.
# usage: resume.sh FOLDER stop|interrupt PROGRAM [OPTION...]
#        stop: --stop ends it after some steps; interrupt: Ctrl-C does, at any moment
set -euo pipefail
folder=$1 how=$2
shift 2
rm -rf "$folder"
mkdir -p "$folder"
"$@" --threads 2 --out "$folder/whole" > "$folder/whole.log"
if [ "$how" = stop ]; then
    "$@" --threads 1 --stop 37 --out "$folder/parts" > "$folder/first.log"
else
    "$@" --threads 1 --out "$folder/parts" > "$folder/first.log" &
    curve=$folder/parts/curve_loss.csv
    until [ -e "$curve" ] && [ "$(wc -l < "$curve")" -gt 10 ]; do sleep 0.01; done
    kill -INT $!
    wait $!  # it saves, and ends without an error
fi
grep -q 'stopped after step .*, saved; go on with: ' "$folder/first.log"
[ ! -e "$folder/parts/model.safetensors" ]
"$@" --resume --threads 2 --out "$folder/parts" > "$folder/second.log"
grep -q 'resumed after step' "$folder/second.log"
for file in model.safetensors checkpoint.safetensors curve_loss.csv; do
    cmp "$folder/whole/$file" "$folder/parts/$file"
done
grep -q '<img\|no picture' "$folder/parts/report.html"
