#!/usr/bin/env bash
# Makes every figure of docs/performance.md: bench/run.sh > figures.txt
# With PYTHON=/path/to/python of an environment that has torch, PyTorch's too.
# Nothing else should run beside it; it takes some minutes. Where something does, FIRST="chrt -f 1" puts its turn off
# (as root), but memory and caches stay shared.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked --quiet
onebit=${CARGO_TARGET_DIR:-target}/release/onebit
threads=$(printf '1\n%s\n' "$(nproc)" | uniq)

run() {
    echo
    echo "\$ $*"
    # shellcheck disable=SC2086 # words
    ${FIRST:-} "$@"
}

date --iso-8601=seconds
git log -1 --format='commit %H'
git status --short
lscpu | grep -E '^(Model name|CPU\(s\)|L1d|L2|L3)'
rustc --version
echo "load: $(cut -d' ' -f1-3 /proc/loadavg)"

for n in $threads; do
    run "$onebit" bench kernels --threads "$n"
done
dense=(--set network.dropout_input=0 --set network.dropout_hidden=0)
for n in $threads; do
    for gradient in f32 bf16 int8; do
        run "$onebit" bench train --threads "$n" "${dense[@]}" --set "training.gradient=\"$gradient\"" --json
    done
    run "$onebit" bench train --threads "$n" --json # as the preset has it, with dropout
done
if [ -n "${PYTHON:-}" ]; then
    # glibc keeps what it has, which makes PyTorch about twice as fast
    export MALLOC_MMAP_THRESHOLD_=8000000000 MALLOC_TRIM_THRESHOLD_=16000000000
    for n in $threads; do
        run "$PYTHON" bench/peer_torch.py --threads "$n"
        run "$PYTHON" bench/peer_torch.py --threads "$n" --float
    done
fi
