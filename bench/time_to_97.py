"""Plots accuracy on MNIST's test set over training time for Onebit and PyTorch, one run each.

    cargo build --release -p onebit-cli
    pip install torch numpy matplotlib
    python bench/time_to_97.py MNIST_FOLDER docs/pictures/time-to-97.svg --threads 2

The network is 784-512-512-10, or has other hidden layers (`--hidden 4096,4096,4096`):
- Onebit: the preset `mnist-flip-small`, with the changes of `--set`.
- PyTorch, float: real pixels, ReLU, cross-entropy, Adam at 1e-3, batches of 100.
- PyTorch, binary: real pixels, signs, straight-through gradients, squared hinge, Adam from 3e-3 to 1e-4,
  batches of 100.

Time is training time alone. Prints one JSON object.
"""

import argparse
import gzip
import json
import pathlib
import subprocess
import time

import numpy as np
import torch
import torch.nn.functional as F
from peer_torch import BinaryLinear, Sign
from torch import nn

ONEBIT = pathlib.Path(__file__).parent.parent / "target/release/onebit"
BATCH = 100


def idx(folder, name, header):
    path = pathlib.Path(folder) / name
    data = path.read_bytes() if path.exists() else gzip.open(f"{path}.gz").read()
    return np.frombuffer(data, np.uint8, offset=header)


def mnist(folder, part):
    x = idx(folder, f"{part}-images-idx3-ubyte", 16).reshape(-1, 784).astype(np.float32) / 255
    return torch.from_numpy((x - 0.1307) / 0.3081), torch.from_numpy(idx(folder, f"{part}-labels-idx1-ubyte", 8).astype(np.int64))


def pytorch(folder, hidden, epochs, binary):
    torch.manual_seed(42)
    (x, y), (test_x, test_y) = mnist(folder, "train"), mnist(folder, "t10k")
    linear = BinaryLinear if binary else nn.Linear
    layers, width = [], 784
    for units in hidden:
        layers += [linear(width, units, bias=False), nn.BatchNorm1d(units), Sign() if binary else nn.ReLU()]
        width = units
    net = nn.Sequential(*layers, linear(width, 10, bias=False), nn.BatchNorm1d(10))
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3 if binary else 1e-3)
    curve, seconds, steps = [], 0.0, len(x) // BATCH
    for epoch in range(epochs):
        order = torch.randperm(len(x))
        for part in range(4):
            begin = time.perf_counter()
            net.train()
            for step in range(part * steps // 4, (part + 1) * steps // 4):
                rows = order[step * BATCH :][:BATCH]
                scores = net(x[rows])
                if binary:
                    wanted = 2.0 * F.one_hot(y[rows], 10) - 1
                    loss = F.relu(1 - wanted * scores).square().mean()
                else:
                    loss = F.cross_entropy(scores, y[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if binary:
                    with torch.no_grad():
                        for layer in net:
                            if isinstance(layer, BinaryLinear):
                                layer.weight.clamp_(-1, 1)
            seconds += time.perf_counter() - begin
            net.eval()
            with torch.no_grad():
                right = (net(test_x).argmax(1) == test_y).float().mean().item()
            curve.append((seconds, 100 * right))
        if binary:
            for group in optimizer.param_groups:
                group["lr"] *= (1e-4 / 3e-3) ** (1 / max(epochs - 1, 1))
    return curve


def ours(folder, hidden, settings, threads):
    changes = [f"--set={change}" for change in [f"network.hidden={hidden}", *settings]]
    command = [ONEBIT, "train", "mnist-flip-small", "--data", folder, "--threads", str(threads), "--json", "--out", "/dev/null", *changes]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    epochs = [event["test_accuracy"] for event in events if event["event"] == "epoch"]
    seconds = next(event["seconds"] for event in events if event["event"] == "result")
    return [(seconds * (at + 1) / len(epochs), 100 * right) for at, right in enumerate(epochs)]


def main():
    args = argparse.ArgumentParser()
    args.add_argument("folder", help="folder of the MNIST files")
    args.add_argument("picture", help="path of the plot, an SVG file")
    args.add_argument("--threads", type=int, default=2, help="number of threads")
    args.add_argument("--hidden", type=lambda sizes: [int(size) for size in sizes.split(",")],
                      default=[512, 512], help="sizes of the hidden layers, separated by commas")
    args.add_argument("--epochs", type=int, default=6, help="epochs of PyTorch")
    args.add_argument("--set", action="append", default=[], help="a setting, such as phase.0.rate=0.05")
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    curves = {
        "onebit, integer flip backprop": ours(args.folder, args.hidden, args.set, args.threads),
        "PyTorch, float": pytorch(args.folder, args.hidden, args.epochs, False),
        "PyTorch, binary": pytorch(args.folder, args.hidden, args.epochs, True),
    }
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name, curve in curves.items():
        axes.plot(*zip(*curve), marker=".", label=name)
    axes.axhline(97, color="grey", linewidth=0.8, linestyle="--")
    axes.set(xscale="log", ylim=(90, 99), xlabel="seconds of training", ylabel="test accuracy %")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(args.picture, bbox_inches="tight", metadata={"Date": None})
    to_97 = {name: next((seconds for seconds, right in curve if right >= 97), None) for name, curve in curves.items()}
    print(json.dumps({"threads": args.threads, "seconds_to_97": to_97, "curves": curves}))


main()
