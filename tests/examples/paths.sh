#!/usr/bin/env bash
# examples/run answers from anywhere, what an example prints can be typed where it was started, and by default models do not
# share a folder.
# usage: paths.sh FOLDER BIN        BIN: where the examples are built
set -euo pipefail
folder=$1 bin=$2
rm -rf "$folder"
mkdir -p "$folder"
examples=$(cd "$(dirname "$0")/../../examples" && pwd)
cd "$folder"
log=$("$examples/run" --help)
[[ $log = *'usage: examples/run'* ]]
log=$("$examples/run" --list)
[[ $log = *'moons '* ]]
for model in mlp conv; do
    XTGRAD_RUNS=runs "$bin/fashion" --model $model --train 200 --test 20 --steps 1 > /dev/null
    [ -e runs/fashion_$model/report.html ]
    grep -q '^1,' runs/fashion_$model/curve_test_images.csv
done
log=$(XTGRAD_RUN='../the run' "$bin/moons" --steps 9 --stop=4 --out 'my run')
[[ $log = *"go on with: '../the run' moons --steps 9 --out 'my run' --resume" ]]
log=$("$bin/moons" --stop 3 --steps 9 --out run)
log=$(eval "${log##*go on with: }")
[[ $log = *'resumed after step 3'* ]]
[ -e run/model.safetensors ]
