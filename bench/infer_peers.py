r"""Compares the inference of Onebit, ONNX Runtime and Larq Compute Engine on one machine, in turn.

    python3 -m venv onnx && onnx/bin/pip install onnx onnxruntime onnx_ir sympy numpy
    python3.11 -m venv larq && larq/bin/pip install tensorflow-cpu==2.15.1 larq==0.13.3 \
        larq-compute-engine==0.16.0 'numpy<2'
    cargo build --release
    python3 bench/infer_peers.py --mnist DIR --cifar DIR --work DIR \
        [--onnx onnx/bin/python] [--larq larq/bin/python] > peers.txt

The networks are 784-4096-4096-4096-10 and the CIFAR-10 ConvNet. In each round, each contestant runs once, in
its own process, which warms up and then measures for at least a second. A figure is the median of the medians
of all rounds. Each row shows the fastest kind of each peer; a kind that takes more than 1.5 times as long as
another in the first round is dropped. `times` is how many times faster Onebit is. The work folder keeps the
prepared networks. `--json` also prints each measurement. Run it on an idle machine.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BATCHES = {"mlp": [1, 256], "convnet": [1, 128]}
SLOW = 1.5  # a kind this much slower than another in the first round is dropped
OURS = {"mlp": ["mlp-1-bit", "mlp-8-bit"], "convnet": ["convnet-8-bit"]}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target")
    parser.add_argument("--onebit", default=f"{target}/release/onebit", help="the onebit command")
    parser.add_argument("--mnist", required=True, help="folder of idx files")
    parser.add_argument("--cifar", required=True, help="folder of the binary batches of CIFAR-10")
    parser.add_argument("--work", required=True, type=Path, help="folder for the prepared networks")
    parser.add_argument("--onnx", help="Python with onnx and onnxruntime")
    parser.add_argument("--larq", help="Python with larq_compute_engine")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="numbers of threads")
    parser.add_argument("--rounds", type=int, default=5, help="number of rounds")
    parser.add_argument("--json", action="store_true", help="also print each measurement")
    return parser.parse_args()


def prepare(args):
    """Makes the networks that do not exist yet."""
    args.work.mkdir(parents=True, exist_ok=True)
    makers = [("convnet-8-bit.onebit", [HERE / "infer_models.sh", args.onebit, args.mnist, args.cifar, args.work])]
    if args.onnx:
        makers.append(("convnet.static.onnx", [args.onnx, HERE / "infer_onnx.py", "prepare", args.work]))
    if args.larq:
        makers.append(("convnet.1x1.b128.tflite", [args.larq, HERE / "infer_larq.py", "prepare", args.work]))
    for last, command in makers:
        if not (args.work / last).exists():
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def contestants(args, network, batch, threads):
    """Yields for each contestant its name, its kind and the command that measures it."""
    size = [str(batch), str(threads)]
    for ours in OURS[network]:
        flags = ["--batch", str(batch), "--threads", str(threads), "--calls", "3", "--json"]
        yield ours, "", [args.onebit, "bench", "infer", args.work / f"{ours}.onebit", *flags]
    if args.onnx:
        for kind in ["dynamic", "static"]:
            yield "onnx", kind, [args.onnx, HERE / "infer_onnx.py", "measure", args.work / f"{network}.{kind}.onnx", *size]
    if args.larq:
        for layers, kernels in [("1x1", "indirect"), ("1x1", "reference"), ("dense", "indirect"), ("dense", "xnnpack")]:
            file = args.work / f"{network}.{layers}.b{batch}.tflite"
            command = [args.larq, HERE / "infer_larq.py", "measure", file, *size, kernels]
            yield "larq", f"{layers} {kernels}", command


def measured(command):
    """The median time of a call in microseconds."""
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])["median_us"]


def best_kind(turns, who):
    """The median of the fastest kind in microseconds, and its name."""
    kinds = [(statistics.median(times), kind) for (name, kind), times in turns.items() if name == who]
    return min(kinds, default=(None, None))


def row(args, network, batch, threads):
    """Measures all contestants and prints one row of the table for each network of ours."""
    turns = {}
    for turn in range(args.rounds):
        for who, kind, command in contestants(args, network, batch, threads):
            first = [times[0] for (name, _), times in turns.items() if name == who]
            if turn > 0 and turns[who, kind][0] > SLOW * min(first):
                continue
            us = measured(command)
            turns.setdefault((who, kind), []).append(us)
            if args.json:
                print(json.dumps({"network": network, "batch": batch, "threads": threads, "round": turn,
                                  "who": who, "kind": kind, "median_us": round(us, 2)}), flush=True)
    for ours in OURS[network]:
        us, _ = best_kind(turns, ours)
        cells = [ours, batch, threads, f"{us:.1f}", f"{1e6 * batch / us:.0f}"]
        for peer in ["onnx", "larq"]:
            of_peer, kind = best_kind(turns, peer)
            if of_peer is not None:
                cells += [f"{1e6 * batch / of_peer:.0f} ({kind})", f"{of_peer / us:.1f}"]
            else:
                cells += ["-", "-"]
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def main():
    args = arguments()
    try:
        prepare(args)
        commit = subprocess.run(["git", "log", "-1", "--format=%H"], cwd=HERE, capture_output=True, text=True).stdout.strip()
        print(f"commit {commit}, {platform.machine()}, {os.cpu_count()} cores, {args.rounds} rounds\n")
        print("| network | batch | threads | us a call | Onebit/s | ONNX Runtime/s | times | Larq/s | times |")
        print("|---|---|---|---|---|---|---|---|---|")
        for network, batches in BATCHES.items():
            for batch in batches:
                for threads in args.threads:
                    row(args, network, batch, threads)
    except subprocess.CalledProcessError as failed:
        sys.exit(f"{' '.join(map(str, failed.cmd))}: status {failed.returncode}\n{failed.stderr or ''}")


if __name__ == "__main__":
    main()
