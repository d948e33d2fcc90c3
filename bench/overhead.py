#!/usr/bin/env python3
"""What a run's folder costs: the same training with and without it, turn about; medians of wall time.

    cargo build --release && bench/overhead.py [--data DIR] [--turns N] [--epochs N] PRESET..
"""
import argparse, statistics, subprocess, tempfile, time

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("presets", nargs="+")
parser.add_argument("--onebit", default="target/release/onebit")
parser.add_argument("--data", help="for presets that need a folder")
parser.add_argument("--epochs", help="of each phase")
parser.add_argument("--threads", default="2")
parser.add_argument("--turns", type=int, default=5)
args = parser.parse_args()
work = tempfile.mkdtemp()


def seconds(preset, turn, flags):
    command = [args.onebit, "train", preset, "--threads", args.threads, "--out", f"{work}/model.onebit", *flags]
    command += ["--data", args.data] if args.data else []
    command += ["--epochs", args.epochs] if args.epochs else []
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


print(f"{'preset':16} {'without':>9} {'with':>9} {'more':>8}   {'TensorBoard too':>15}")
for preset in args.presets:
    times = [[], [], []]
    for turn in range(args.turns):
        folder = f"{work}/{preset}-{turn}"
        for of, flags in zip(times, (["--no-run"], ["--run", folder], ["--run", folder + "-t", "--tensorboard"])):
            of.append(seconds(preset, turn, flags))
    without, recorded, board = map(statistics.median, times)
    print(f"{preset:16} {without:7.2f} s {recorded:7.2f} s {100 * (recorded / without - 1):+7.1f} %   "
          f"{100 * (board / without - 1):+13.1f} %", flush=True)
