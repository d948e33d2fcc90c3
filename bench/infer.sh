#!/usr/bin/env bash
# Measures the inference time of deployed networks: bench/infer.sh MNIST_FOLDER CIFAR10_FOLDER > infer.txt
# Takes two minutes on an idle machine. bench/infer_peers.py compares with other runtimes.
set -euo pipefail
mnist=$1 cifar=$2
cd "$(dirname "$0")/.."
cargo build --release --locked --quiet
onebit=${CARGO_TARGET_DIR:-target}/release/onebit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bench/infer_models.sh "$onebit" "$mnist" "$cifar" "$work"

date --iso-8601=seconds
git log -1 --format='commit %H'
lscpu | grep -E '^(Model name|CPU\(s\)|L1d|L2|L3)'
for network in mlp-1-bit mlp-8-bit convnet-8-bit; do
    "$onebit" export "$work/$network.onebit" | tail -n 1
    for batch in 1 128 256; do
        for threads in 1 2; do
            "$onebit" bench infer "$work/$network.onebit" --batch "$batch" --threads "$threads" | sed "s,$work/,,"
            echo
        done
    done
done
cp "$onebit" "$work/onebit"
strip "$work/onebit"
echo "stripped onebit: $(stat -c %s "$work/onebit") bytes"
