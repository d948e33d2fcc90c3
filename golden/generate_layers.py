"""Golden numbers for the element-wise layers of straight-through training, from PyTorch. Writes `layers.json`
beside this file.

    python -m venv .venv && .venv/bin/pip install torch==2.15.0 numpy==2.4.6
    .venv/bin/python golden/generate_layers.py

The committed file was made with these versions on a CPU; the seeds are fixed.

Computes in float64 and writes 9 significant digits. Inputs and initial parameters are multiples of 1/256,
which f32 holds exactly. Letters: b batch, p pixels, x features, e epochs. sgn(0) = +1.

Gradients come from autograd. An estimator is the *function* that replaces the sign in the backward pass;
autograd takes its derivative. Only two gradients are written by hand: that of the clip, which is 1 on its
boundary (torch.clamp has 0 there), and that of shift-based batch norm, which rounds to powers of two and
follows the authors' Torch code line by line.
"""

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from generate_ste import normal, sgn, uniform, write

EPOCHS = 10
SEEN = (0, 3, 6, 9)  # epochs at which the estimators are sampled; some sharpen over time
MARGIN = 1e-4  # the least distance of a logarithm from the boundary between two powers of two

# ---- estimators: functions that resemble the sign ----------------------------------------------------------


class Clip(torch.autograd.Function):
    """max(-bound, min(bound, r)); backward dr = g [|r| <= bound]."""

    @staticmethod
    def forward(ctx, r, bound):
        ctx.save_for_backward(r)
        ctx.bound = bound
        return torch.clamp(r, -bound, bound)

    @staticmethod
    def backward(ctx, g):
        (r,) = ctx.saved_tensors
        return g * (r.abs() <= ctx.bound), None


def clip(bound):
    return lambda r: Clip.apply(r, bound)


def approx_sign(r):
    return torch.where(r.abs() < 1, 2 * r - torch.sign(r) * r * r, torch.sign(r))


def swish_sign(beta):
    def curve(r):
        s = torch.sigmoid(beta * r)
        return 2 * s * (1 + beta * r * (1 - s)) - 1

    return curve


def training_aware(k, t):
    """RBNN: two parabolas that reach k at sqrt(2) / t."""
    inner = lambda r: k * (-torch.sign(r) * t**2 * r**2 / 2 + math.sqrt(2) * t * r)
    return lambda r: torch.where(r.abs() < math.sqrt(2) / t, inner(r), k * torch.sign(r))


def error_decay(k, t):
    """IR-Net: k tanh(t r)."""
    return lambda r: k * torch.tanh(t * r)


def sharpness(epoch, low):
    t = 10 ** (low + epoch / EPOCHS * (1 - low))
    return max(1 / t, 1.0), t


def through(curve, r):
    """sgn(r) forward, the derivative of the curve backward."""
    return curve(r) + (sgn(r) - curve(r)).detach()


def estimators():
    """For each name in a configuration, the curves for activations and for weights at an epoch."""

    def aware_of_activations(epoch):
        _, t = sharpness(epoch, -2)
        return training_aware(1.0, max(t, 1.0))

    same = lambda curve: (lambda _: curve, lambda _: curve)
    decay = lambda epoch: error_decay(*sharpness(epoch, -3))
    return dict(
        clip=same(clip(1.0)),
        clip_wide=same(clip(1.25)),
        approx_sign=same(approx_sign),
        swish_sign=same(swish_sign(5.0)),
        swish_sign_soft=same(swish_sign(1.5)),
        identity=same(lambda r: r),
        training_aware=(aware_of_activations, lambda epoch: training_aware(*sharpness(epoch, -2))),
        tanh=(decay, decay),
    )


def slope(curve, r, g):
    r = r.clone().requires_grad_()
    through(curve, r).backward(g)
    return r.grad


def estimators_case():
    rng = np.random.default_rng(1)
    corners = torch.tensor([-2, -1.25, -1, -0.5, -1 / 256, 0, 1 / 256, 0.5, 1, 1.25, 2, 100], dtype=torch.float64)
    r = torch.cat([corners, normal(rng, 20)])
    g = normal(rng, len(r), scale=3.0)
    case = dict(epochs=EPOCHS, seen=list(SEEN), r=r, g=g, y=sgn(r))
    for name, (of_activations, of_weights) in estimators().items():
        case[name] = [slope(of_activations(epoch), r, g) for epoch in SEEN]
        case[f"{name}_of_weights"] = [slope(of_weights(epoch), r, g) for epoch in SEEN]
    return case


# ---- layers ------------------------------------------------------------------------------------------------


def layer_case(forward, dy, **inputs):
    """y, and the gradient of each input under the name d + its name."""
    inputs = {name: value.requires_grad_() for name, value in inputs.items()}
    y = forward(**inputs)
    y.backward(dy)
    return inputs | dict(dy=dy, y=y) | {f"d{name}": value.grad for name, value in inputs.items()}


def ternary_case():
    """Ternary sign as in Larq, with a threshold that f32 holds exactly."""
    threshold = 1 / 16
    r = [-2, -1, -0.5, -threshold, threshold, -15 / 256, 15 / 256, 0, 0.5, 1, 1.25, 1 / 256]
    r = torch.tensor(r, dtype=torch.float64)
    y = torch.sign(torch.sign(r + threshold) + torch.sign(r - threshold))
    g = normal(np.random.default_rng(2), len(r))
    return dict(threshold=threshold, r=r, g=g, y=y, dr=slope(clip(1.0), r, g))


def rsign_case():
    rng = np.random.default_rng(3)
    inputs = dict(x=normal(rng, 7, 5), shift=uniform(rng, 5, low=-0.5, high=0.5))
    return layer_case(lambda x, shift: through(approx_sign, x - shift), normal(rng, 7, 5), **inputs)


def rprelu_case():
    rng = np.random.default_rng(4)
    inputs = dict(
        x=normal(rng, 7, 5),
        before=uniform(rng, 5, low=-0.5, high=0.5),
        slope=uniform(rng, 5, low=-0.25, high=0.75),
        after=uniform(rng, 5),
    )
    inputs["x"][0] = inputs["before"]  # the corner
    forward = lambda x, before, slope, after: F.prelu(x - before, slope) + after
    return layer_case(forward, normal(rng, 7, 5), **inputs)


def channel_scale_case():
    rng = np.random.default_rng(5)
    inputs = dict(x=normal(rng, 7, 5), factor=uniform(rng, 5, low=-1.0, high=2.0))
    return layer_case(lambda x, factor: x * factor, normal(rng, 7, 5), **inputs)


def hard_tanh_case():
    rng = np.random.default_rng(6)
    x = torch.cat([torch.tensor([-1.0, 1.0, 0.0], dtype=torch.float64), normal(rng, 18, scale=1.5)])
    return layer_case(lambda x: clip(1.0)(x), normal(rng, 21), x=x)


def relu_case():
    rng = np.random.default_rng(7)
    x = torch.cat([torch.tensor([-1.0, 1.0, 0.0], dtype=torch.float64), normal(rng, 18)])
    return layer_case(lambda x: torch.relu(x), normal(rng, 21), x=x)


def standardize_sample_case():
    """x: (b, p, x). The unbiased deviation over pixels and features, as in RBNN's code."""
    rng = np.random.default_rng(8)

    def forward(x):
        centred = x - x.mean([1, 2], keepdim=True)
        return centred / centred.std([1, 2], keepdim=True)

    return layer_case(forward, normal(rng, 3, 4, 5), x=normal(rng, 3, 4, 5, scale=2.0) + 0.5)


# ---- shift-based batch norm --------------------------------------------------------------------------------


def ap2(x):
    exponent = torch.log2(x.abs())
    assert (exponent[x != 0] - exponent[x != 0].floor() - 0.5).abs().min() > MARGIN
    return torch.where(x == 0, torch.zeros_like(x), torch.sign(x) * 2 ** exponent.round())


def shift_batch_norm_case(seed):
    """The authors' BatchNormalizationShiftPow2.lua. `old` are the running statistics before the step."""
    eps, momentum = 1e-5, 0.125
    rng = np.random.default_rng(seed)
    x, dy = normal(rng, 6, 5, scale=3.0), normal(rng, 6, 5)
    gamma = torch.tensor([1.25, -0.75, 0.5, 3.0, 0.0], dtype=torch.float64)
    beta = torch.tensor([0.5, -0.25, 0.0, 1.5, -1.0], dtype=torch.float64)
    old_mean, old_inv_std = normal(rng, 5), uniform(rng, 5, low=0.5, high=2.0)

    mean = x.mean(0)
    centred = x - mean
    rounded = ap2(centred)
    inv_std = 1 / torch.sqrt((rounded * centred).mean(0) + eps)
    normalized = centred * ap2(inv_std)
    y = normalized * ap2(gamma) + beta

    new_mean = (1 - momentum) * old_mean + momentum * mean
    new_inv_std = (1 - momentum) * old_inv_std + momentum * inv_std
    eval_y = (x - new_mean) * ap2(new_inv_std) * ap2(gamma) + beta

    dx = -(rounded * dy).mean(0) * rounded * ap2(inv_std) * ap2(inv_std)
    dx = (dx + dy - dy.mean(0)) * ap2(inv_std) * ap2(gamma)
    dgamma, dbeta = (ap2(normalized) * dy).sum(0), dy.sum(0)
    return (
        dict(seed=seed, eps=eps, momentum=momentum, x=x, gamma=gamma, beta=beta, dy=dy, y=y)
        | dict(dx=dx, dgamma=dgamma, dbeta=dbeta, batch_mean=mean, batch_inv_std=inv_std)
        | dict(old_mean=old_mean, old_inv_std=old_inv_std, new_mean=new_mean, new_inv_std=new_inv_std, eval_y=eval_y)
    )


def first_steady(case):
    """The case of the first seed that stays away from all discontinuities."""
    for seed in range(1000):
        try:
            return case(seed)
        except AssertionError:
            continue
    raise AssertionError("no seed stays away from all discontinuities")


def main():
    torch.set_num_threads(1)
    cases = dict(
        about=dict(
            made_by="golden/generate_layers.py",
            torch=torch.__version__,
            numpy=np.__version__,
            note="float64 rounded to 9 significant digits; letters: b batch, p pixels, x features, e epochs",
        ),
        estimators=estimators_case(),
        ternary_sign=ternary_case(),
        rsign=rsign_case(),
        rprelu=rprelu_case(),
        channel_scale=channel_scale_case(),
        hard_tanh=hard_tanh_case(),
        relu=relu_case(),
        standardize_sample=standardize_sample_case(),
        shift_batch_norm=first_steady(shift_batch_norm_case),
    )
    write(cases, Path(__file__).with_name("layers.json"))


if __name__ == "__main__":
    main()
