"""Ablation of integer flip backprop: mean accuracy and deviation over three seeds, as a Markdown table.

    cargo build --release -p onebit-cli
    python bench/flip_ablation.py MNIST_FOLDER [ROW ...]

The base is the preset `mnist-flip-small`, trained on 50000 of the 60000 images. The accuracy is that on the
other 10000, not on the test set. Seconds are those of one run on one thread. ROW selects the rows whose first
column contains it."""

import pathlib
import re
import subprocess
import sys
import time

ONEBIT = pathlib.Path(__file__).parent.parent / "target/release/onebit"


def counter(**settings):
    inside = ", ".join(f'{key} = {value}' for key, value in {"name": '"counter"', **settings}.items())
    return f"training.rule={{{inside}}}"


SMALL_BATCH = ["phase.0.batch=100", "phase.0.rate=0.012", "phase.0.final_rate=0.0003"]
ROWS = [
    ("the preset: int8 errors, 8-bit counters, dead band 32, one bit a pixel", []),
    ("errors in f32", ['training.gradient="f32"']),
    ("errors in int4", ['training.gradient="int4"']),
    ("errors ternary", ['training.gradient="ternary"']),
    ("counters of 7 bits", [counter(bits=7)]),
    ("counters of 6 bits", [counter(bits=6, dead_band=16)]),
    ("counters of 4 bits", [counter(bits=4, dead_band=4)]),
    ("counters of 2 bits", [counter(bits=2, dead_band=1)]),
    ("no dead band", [counter(dead_band=0)]),
    ("votes averaged over 8 batches (a second byte)", [counter(average=8)]),
    ("batches of 100", SMALL_BATCH),
    ("batches of 100, votes averaged over 8", [*SMALL_BATCH, counter(average=8)]),
    ("rate not annealed", ["phase.0.rate=0.005", "phase.0.final_rate=0.005"]),
    ("flips held at 0.8 % falling to 0.01 % a step", [counter(hold='"flips"'), "phase.0.rate=0.008", "phase.0.final_rate=0.0001"]),
    ("output error of 255 levels", ["training.levels=255"]),
    ("output error of 3 levels: most samples are skipped", ["training.levels=3"]),
    ("squared hinge in f32 instead of the integer error", ['training.loss="squared-hinge"']),
    ("order input-first: FBF's second forward pass", ['training.order="input-first"']),
    ("order weight-first", ['training.order="weight-first"']),
    ("heads: each block also learns from its own classifier", ['network.heads="beside"']),
    ("heads: each block learns only from its own classifier", ['network.heads="alone"']),
    ("pixels of 8 bits", ["network.binary_input=false"]),
    ("thermometer of 3 levels", ["network.binary_input=false", "network.thermometer=3"]),
    ("thermometer of 8 levels", ["network.binary_input=false", "network.thermometer=8"]),
]


def run(folder, settings):
    command = [ONEBIT, "train", "mnist-flip-small", "--data", folder, "--threads", "1", "--seeds", "3"]
    for setting in ["data.validation=0.1667", *settings]:
        command += ["--set", setting]
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{settings}: {done.stderr}")
    mean, deviation = re.search(r"validation: mean ([\d.]+) %, deviation ([\d.]+) %", done.stdout).groups()
    return mean, deviation, (time.perf_counter() - begin) / 3


def main():
    folder, *wanted = sys.argv[1:]
    print("| what | settings | validation | s |\n|---|---|---|---|")
    for what, settings in ROWS:
        if wanted and not any(part in what for part in wanted):
            continue
        mean, deviation, seconds = run(folder, settings)
        told = " ".join(f"`{setting}`" for setting in settings)
        print(f"| {what} | {told} | {mean} ± {deviation} | {seconds:.0f} |", flush=True)


main()
