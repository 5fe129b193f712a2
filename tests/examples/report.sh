#!/usr/bin/env bash
# What examples tell of their results.
# usage: report.sh FOLDER GAUSSIAN_PROCESS        FOLDER: where words --short has written
set -euo pipefail
folder=$1 process=$2
grep -Eq "a bigram's held-out loss: [0-9]\.[0-9]{1,3} nats a character" "$folder/report.html"
grep -q 'pre { white-space: pre-wrap' "$folder/report.html"
tail -n 1 "$folder/curve_held_out.csv" | grep -q '^300,'
if command -v gnuplot > /dev/null; then [ -e "$folder/attention.png" ]; fi
log=$("$process" --out "$folder/process")
[[ $log = *'rejected: not lower'* ]]
