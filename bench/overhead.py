#!/usr/bin/env python3
"""Measures what recording a run folder costs: the same training with and without it.

    cargo build --release && bench/overhead.py [--data DIR] [--turns N] [--epochs N] [--tensorboard] PRESET..

Each turn makes both runs one after the other, in alternating order, so that other load affects both alike.
`more` is the median of the ratios of all turns, with the standard error of the median."""
import argparse, itertools, statistics, subprocess, tempfile, time

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("presets", nargs="+")
parser.add_argument("--onebit", default="target/release/onebit")
parser.add_argument("--data", help="data folder, for presets that need one")
parser.add_argument("--epochs", help="epochs of each phase")
parser.add_argument("--threads", default="2")
parser.add_argument("--turns", type=int, default=25)
parser.add_argument("--tensorboard", action="store_true", help="also write TensorBoard event files")
args = parser.parse_args()
work = tempfile.mkdtemp()
folders = (f"{work}/{number}" for number in itertools.count())


def seconds(preset, recorded):
    command = [args.onebit, "train", preset, "--threads", args.threads, "--out", f"{work}/model.onebit"]
    command += ["--run", next(folders)] if recorded else ["--no-run"]
    command += ["--tensorboard"] if recorded and args.tensorboard else []
    command += ["--data", args.data] if args.data else []
    command += ["--epochs", args.epochs] if args.epochs else []
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


print(f"{'preset':16} {'turns':>5} {'without':>9} {'with':>9} {'more':>9}")
for preset in args.presets:
    turns = []
    for turn in range(args.turns):
        order = [False, True] if turn % 2 else [True, False]
        time_of = {recorded: seconds(preset, recorded) for recorded in order}
        turns.append((time_of[False], time_of[True]))
    without, recorded = (statistics.median(times) for times in zip(*turns))
    ratios = [recorded / without for without, recorded in turns]
    quarters = statistics.quantiles(ratios, n=4)
    # for a normal distribution, the deviation is 0.74 times the distance between the quartiles, and the error
    # of a median is 1.25 times that of a mean
    error = 1.25 * 0.74 * (quarters[2] - quarters[0]) / len(turns) ** 0.5
    more = f"{100 * (quarters[1] - 1):+.1f} +- {100 * error:.1f} %"
    print(f"{preset:16} {len(turns):5} {without:7.2f} s {recorded:7.2f} s   {more}", flush=True)
