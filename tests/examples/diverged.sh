#!/usr/bin/env bash
# A loss that is no longer finite ends the training, and the last good checkpoint stays.
# usage: diverged.sh FOLDER WORDS
set -euo pipefail
folder=$1 words=$2
rm -rf "$folder"
mkdir -p "$folder"
"$words" --short --stop 5 --out "$folder/run" > "$folder/first.log"
cp "$folder/run/checkpoint.safetensors" "$folder/good"
! "$words" --short --lr 1e9 --resume --out "$folder/run" > "$folder/second.log" 2>&1
grep -Eq 'not finite after step [0-9]+, at a learning rate of [0-9.e+]+; try a smaller --lr\. The checkpoint after step 5 is kept' "$folder/second.log"
cmp "$folder/run/checkpoint.safetensors" "$folder/good"
[ ! -e "$folder/run/model.safetensors" ]
"$words" --short --resume --out "$folder/run" > "$folder/third.log"
