#!/usr/bin/env python3
"""What a run's folder costs: the same training with and without it, turn about.

    cargo build --release && bench/overhead.py [--data DIR] [--turns N] [--epochs N] [--tensorboard] PRESET..

A turn's two runs follow each other, in changing order, so that what else the machine does meets both. `more` is the
median of the turns' ratios, with the standard error of a median.
"""
import argparse, itertools, statistics, subprocess, tempfile, time

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("presets", nargs="+")
parser.add_argument("--onebit", default="target/release/onebit")
parser.add_argument("--data", help="for presets that need a folder")
parser.add_argument("--epochs", help="of each phase")
parser.add_argument("--threads", default="2")
parser.add_argument("--turns", type=int, default=25)
parser.add_argument("--tensorboard", action="store_true", help="with event files too")
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
    # of a normal distribution: the deviation is 0.74 of the quartiles' distance, a median's error 1.25 of a mean's
    error = 1.25 * 0.74 * (quarters[2] - quarters[0]) / len(turns) ** 0.5
    more = f"{100 * (quarters[1] - 1):+.1f} +- {100 * error:.1f} %"
    print(f"{preset:16} {len(turns):5} {without:7.2f} s {recorded:7.2f} s   {more}", flush=True)
