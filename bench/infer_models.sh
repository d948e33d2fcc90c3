#!/usr/bin/env bash
# Makes the networks for inference benchmarks: bench/infer_models.sh ONEBIT MNIST_FOLDER CIFAR10_FOLDER
# OUT_FOLDER It trains them only briefly, because the speed of inference does not depend on the weights.
set -euo pipefail
onebit=$1 mnist=$2 cifar=$3 out=$4

"$onebit" train mnist-flip-small --no-run --data "$mnist" --epochs 1 --batch 1000 --set 'network.hidden=[4096,4096,4096]' \
    --out "$out/mlp-1-bit.onebit" >/dev/null
"$onebit" train mnist --no-run --data "$mnist" --epochs 1 --batch 1000 --out "$out/mlp-8-bit.onebit" >/dev/null
"$onebit" train cifar10 --no-run --data "$cifar" --epochs 1 --set data.validation=0.98 --out "$out/convnet-8-bit.onebit" >/dev/null
