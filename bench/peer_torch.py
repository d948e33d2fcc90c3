"""Measures the training step of a preset in PyTorch, with the options that are fastest there.

    pip install torch numpy
    MALLOC_MMAP_THRESHOLD_=8000000000 MALLOC_TRIM_THRESHOLD_=16000000000 python bench/peer_torch.py --threads 2

The network is that of the preset `mnist`, 784-4096-4096-4096-10, or with `--conv` that of `cifar10`, in
channels-last memory. Weights and hidden activations are binarized by sign in the forward pass, with
straight-through gradients where |x| <= 1; batch norm, squared hinge loss, and Adam over latent weights
clipped to [-1, 1]. It computes in fp32, or with `--bf16` in autocast to bf16, without dropout, on random
data, because only the speed matters. `--float` is the same network without binarization, with ReLU.

The two variables keep glibc from returning all buffers to the kernel in each step; without them, PyTorch is
about half as fast. Prints one JSON object."""

import argparse
import json
import resource
import statistics
import time
import warnings

import torch
import torch.nn.functional as F
from torch import nn

WIDTHS = [784, 4096, 4096, 4096, 10]


def sign(x):
    """The sign with the gradient of hardtanh, in a form that torch.compile fuses."""
    h = F.hardtanh(x)
    return h + (torch.where(x >= 0, 1.0, -1.0) - h).detach()


class Sign(nn.Module):
    def forward(self, x):
        return sign(x)


class BinaryLinear(nn.Linear):
    def forward(self, x):
        return F.linear(x, sign(self.weight))


class BinaryConv(nn.Conv2d):
    def forward(self, x):
        return F.conv2d(x, sign(self.weight), padding=1)


def convnet(binary):
    """128C3-128C3-MP2-256C3-256C3-MP2-512C3-512C3-MP2-1024-1024-10, with max pooling before the norm."""
    conv, linear = (BinaryConv, BinaryLinear) if binary else (nn.Conv2d, nn.Linear)
    activation = Sign if binary else nn.ReLU
    layers, channels = [], 3
    for i, outputs in enumerate([128, 128, 256, 256, 512, 512]):
        layers.append(conv(channels, outputs, 3, padding=1, bias=False))
        if i % 2:
            layers.append(nn.MaxPool2d(2))
        layers += [nn.BatchNorm2d(outputs), activation()]
        channels = outputs
    layers.append(nn.Flatten())
    for inputs, outputs in [(8192, 1024), (1024, 1024), (1024, 10)]:
        layers += [linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs)]
        if outputs > 10:
            layers.append(activation())
    net = nn.Sequential(*layers).train()
    if binary:
        for m in net.modules():
            if isinstance(m, (BinaryConv, BinaryLinear)):
                nn.init.uniform_(m.weight, -1.0, 1.0)
    return net.to(memory_format=torch.channels_last)


def network(binary):
    layers = []
    for i, (inputs, outputs) in enumerate(zip(WIDTHS, WIDTHS[1:])):
        linear = (BinaryLinear if binary else nn.Linear)(inputs, outputs, bias=False)
        if binary:
            nn.init.uniform_(linear.weight, -1.0, 1.0)
        layers += [linear, nn.BatchNorm1d(outputs)]
        if i + 2 < len(WIDTHS):
            layers.append(Sign() if binary else nn.ReLU())
    return nn.Sequential(*layers).train()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="number of threads")
    parser.add_argument("--batch", type=int, help="batch size; by default 100, or 50 for the ConvNet")
    parser.add_argument("--conv", action="store_true", help="the ConvNet instead of the MLP")
    parser.add_argument("--bf16", action="store_true", help="autocast to bfloat16")
    parser.add_argument("--steps", type=int, default=15, help="number of timed steps")
    parser.add_argument("--eager", action="store_true", help="without torch.compile")
    parser.add_argument("--float", action="store_true", help="without binarization")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)

    args.batch = args.batch or (50 if args.conv else 100)
    net = (convnet if args.conv else network)(not args.float)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    latent = [m.weight for m in net.modules() if isinstance(m, (BinaryLinear, BinaryConv))]
    x = torch.randn(args.batch, 3, 32, 32) if args.conv else torch.randn(args.batch, WIDTHS[0])
    x = x.contiguous(memory_format=torch.channels_last) if args.conv else x
    classes = torch.randint(0, WIDTHS[-1], (args.batch,))
    target = 2.0 * F.one_hot(classes, WIDTHS[-1]) - 1.0

    def loss_of(x, target):
        with torch.autocast("cpu", torch.bfloat16, enabled=args.bf16):
            scores = net(x)
        return torch.clamp(1.0 - target * scores.float(), min=0.0).square().mean()

    loss_of = loss_of if args.eager else torch.compile(loss_of, dynamic=False)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(x, target)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for weight in latent:
                weight.clamp_(-1.0, 1.0)
        return loss.item()

    losses = [step() for _ in range(3)]  # compile and warm up
    seconds = []
    for _ in range(args.steps):
        start = time.perf_counter()
        losses.append(step())
        seconds.append(time.perf_counter() - start)
    step_seconds = statistics.median(seconds)
    print(json.dumps({
        "peer": f"torch {torch.__version__}",
        "network": "cifar10" if args.conv else "mnist",
        "mode": ("float" if args.float else "binary")
        + (" bf16" if args.bf16 else "")
        + (" eager" if args.eager else " compile"),
        "threads": args.threads,
        "batch": args.batch,
        "step_ms": 1e3 * step_seconds,
        "step_ms_best": 1e3 * min(seconds),
        "samples_per_second": args.batch / step_seconds,
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "first_loss": losses[0],
        "last_loss": losses[-1],
    }))


if __name__ == "__main__":
    main()
