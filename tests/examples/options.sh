#!/usr/bin/env bash
# Options that cannot work are refused in a sentence that names them, before anything is written.
# usage: options.sh FOLDER BIN        BIN: where the examples are built
set -uo pipefail
folder=$1 bin=$2 failed=0
rm -rf "$folder"
mkdir -p "$folder"
export XTGRAD_RUNS=$folder/runs
short=$folder/short.txt
printf 'a few words\n' > "$short"

# The message is to have a text; a program that a signal ends has a status above 127.
refused() {
    local text=$1 out status
    shift
    out=$("$bin/$1" "${@:2}" 2>&1)
    status=$?
    if [ $status = 0 ] || [ $status -gt 127 ] || [[ $out != *"$text"* ]]; then
        printf '%s: status %d, instead of an error with "%s":\n%s\n' "$*" $status "$text" "$out"
        failed=1
    fi
}

refused '--layers: 0 is too small; use a number of at least 1' words --layers 0 --short
refused '--steps: -1 is too small' words --steps -1
refused '--batch: 0 is too small' words --batch 0
refused '--threads: -1 is too small' words --threads -1
refused '--lr: nan is not a number' words --lr nan
refused '--lr: 0 is too small; use a number above 0' words --lr 0
refused '--beta2: 1 is too large; use a number below 1' words --beta2 1
refused '--channels 30 is not a multiple of --heads 4' words --channels 30
refused "--data $short has 11 characters to train on and 1 held out; each is to be more than --context 32" words --data "$short"
refused '--train: 0 is too small' fashion --train 0
refused '--test: 0 is too small' fashion --test 0
refused '--train 50 does not fill a --batch of 100' fashion --train 50
refused '--images: 0 is too small' autoencoder --images 0
refused '--images 20 do not fill a --batch of 100' autoencoder --images 20
refused '--batch: 0 is too small' addition --batch 0
refused '--examples: 0 is too small' addition --examples 0
refused '--examples 100 does not fill a --batch of 256' addition --examples 100 --steps 3
refused '--examples 100000 and --tested 2000 are more sums than there are with --digits 2' addition --digits 2
refused '--width: 0 is too small' moons --width 0
refused '--width 30 is not a multiple of 4' sequence --width 30
refused '--temperature: -1 is too small' generate --temperature -1
refused '--count: -5 is too small' generate --count -5
refused '--samples: 0 is too small' generate --samples 0
refused '--count: 0 is too small' gaussian_process --count 0
if [ -e "$bin/curve_fit" ]; then
    refused '--noise: -1 is too small' curve_fit --noise -1
    refused '--problem: -1 is too small' newton --problem -1
fi
"$bin/attention_derivation" --help | grep -q 'attention block' || { echo "attention_derivation has no --help" && failed=1; }
saved=$(find "$folder" -name '*.safetensors')
[ -z "$saved" ] || { echo "written nonetheless: $saved" && failed=1; }
exit $failed
