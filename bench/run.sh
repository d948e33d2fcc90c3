#!/usr/bin/env bash
# Makes every figure of docs/reference/performance.md: bench/run.sh > figures.txt
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
if "$onebit" bench kernels --quick --isa avx512 >/dev/null 2>&1; then
    run "$onebit" bench kernels --threads 1 --isa avx2
    run python3 bench/ports.py
fi

# Training: ours and PyTorch's in turn, so that a neighbour or the clock does not favour one of them.
train() {
    run "$onebit" bench train --threads "$n" "$@" --json
}
dense=(--set network.dropout_input=0 --set network.dropout_hidden=0)
for n in $threads; do
    for round in 1 2 3; do
        for gradient in f32 bf16 int8; do
            train "${dense[@]}" --set "training.gradient=\"$gradient\""
        done
        train # as the preset has it, with dropout
        if [ -n "${PYTHON:-}" ]; then
            # glibc keeps what it has, which makes PyTorch about twice as fast; it changes nothing for us
            (
                export MALLOC_MMAP_THRESHOLD_=8000000000 MALLOC_TRIM_THRESHOLD_=16000000000
                run "$PYTHON" bench/peer_torch.py --threads "$n"
                [ "$round" -gt 1 ] || run "$PYTHON" bench/peer_torch.py --threads "$n" --float
            )
        fi
    done
done

# The ConvNet, the same way; its peer's best is bf16.
for n in $threads; do
    for round in 1 2 3; do
        for gradient in f32 int8; do
            run "$onebit" bench train --preset cifar10 --threads "$n" --steps 10 --set "training.gradient=\"$gradient\"" --json
        done
        if [ -n "${PYTHON:-}" ]; then
            (
                export MALLOC_MMAP_THRESHOLD_=8000000000 MALLOC_TRIM_THRESHOLD_=16000000000
                run "$PYTHON" bench/peer_torch.py --conv --bf16 --threads "$n" --steps 7
                run "$PYTHON" bench/peer_torch.py --conv --threads "$n" --steps 7
            )
        fi
    done
done
