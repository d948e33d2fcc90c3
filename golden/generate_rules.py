"""Golden numbers for the relatives of the latent-weight rule and for ABC-Net's layers, from PyTorch. Writes
`rules.json` beside this file.

    python -m venv .venv && .venv/bin/pip install torch==2.15.0 numpy==2.4.6
    .venv/bin/python golden/generate_rules.py

The committed file was made with these versions on a CPU; the seeds are fixed.

Computes in float64 and writes 9 significant digits. Inputs and initial parameters are multiples of 1/256,
which f32 holds exactly. Letters: o outputs, i inputs, b batch, s steps. sgn(0) = +1.

Each rule computes the weights that a layer multiplies by, as in its paper and its authors' code. The
surrogate of the sign's derivative is an autograd function, and gradients come from autograd, through means
and deviations. Steps are those of torch.optim.SGD with momentum 0.9; for XNOR-Net and centring, a clip to
[-1, 1] follows.
"""

import math
from pathlib import Path

import numpy as np
import torch

from generate_ste import normal, sgn, uniform, write

LR = 0.125
STEPS = 5
MARGIN = 1e-4  # the least distance from a discontinuity
OUTPUTS, INPUTS = 4, 12


class Sign(torch.autograd.Function):
    """sgn(w); backward multiplies by slope(w)."""

    @staticmethod
    def forward(ctx, w, slope):
        ctx.save_for_backward(slope(w))
        assert w.abs().min() > MARGIN
        return sgn(w)

    @staticmethod
    def backward(ctx, g):
        (slope,) = ctx.saved_tensors
        return g * slope, None


def gate(w):
    assert (w.abs() - 1).abs().min() > MARGIN or w.abs().max() <= 1
    return (w.abs() <= 1).to(w.dtype)


def identity(w):
    return torch.ones_like(w)


def sharpness(progress, low, high):
    t = 10 ** (low + progress * (high - low))
    return max(1 / t, 1.0), t


def error_decay(progress):
    """IR-Net: k t (1 - tanh^2(t w)), t from 1e-3 to 10."""
    k, t = sharpness(progress, -3, 1)
    return lambda w: k * t * (1 - torch.tanh(t * w) ** 2)


def training_aware(progress):
    """RBNN: max(k (sqrt(2) t - t^2 |w|), 0), t from 1e-2 to 10."""
    k, t = sharpness(progress, -2, 1)
    return lambda w: torch.clamp(k * (2 * math.sqrt(t**2 / 2) - torch.abs(t**2 * w)), min=0)


def steady(make, seed):
    """The case of the first of the seeds `seed`, `seed` + 100, .. that satisfies all assertions."""
    while True:
        try:
            return make(seed)
        except AssertionError:
            seed += 100


# ---- what a layer multiplies by: factors (o) and bits (o, i) -----------------------------------------------


def xnor(w, _):
    return w.abs().mean(1), Sign.apply(w, gate), w


def centred(w, _):
    real = w - w.mean(1, keepdim=True)
    return torch.ones(len(w), dtype=w.dtype), Sign.apply(real, identity), real


def libra(w, progress):
    real = w - w.mean(1, keepdim=True)
    real = real / real.std(1, keepdim=True)
    power = torch.log2(real.abs().mean(1))
    assert ((power - power.floor()) - 0.5).abs().min() > MARGIN
    return (2 ** power.round()).detach(), Sign.apply(real, error_decay(progress)), real


def recu(w, progress):
    real = w - w.mean(1, keepdim=True)
    real = real / (torch.sqrt(real.var(1, keepdim=True) + 1e-5) / 2 / math.sqrt(2))
    a = (0.99 - 0.85) / (math.e - 1)
    tau = a * math.exp(progress) + 0.85 - a
    bound = (-real.abs().mean() * math.log(2 - 2 * tau)).item()
    assert (real.abs() - bound).abs().min() > MARGIN and (real.abs() > bound).any()
    return torch.ones(len(w), dtype=w.dtype), Sign.apply(torch.clamp(real, -bound, bound), identity), real


# ---- steps -------------------------------------------------------------------------------------------------


def steps(case, parameters, weights, clip=False):
    """Five steps along the gradients of factor times bit. `weights()` returns factors, bits and reals."""
    sgd = torch.optim.SGD(parameters.values(), lr=LR, momentum=0.9)
    after = {name: [] for name in parameters}
    for step, grad in enumerate(case["grads"]):
        sgd.zero_grad()
        factors, bits, reals = weights()
        (factors[:, None] * bits * grad).sum().backward()
        if step == 0:
            case |= dict(reals=reals.clone(), scales=factors, bits=bits)
            case |= {f"d{name}": p.grad.clone() for name, p in parameters.items()}
        for name, p in parameters.items():
            if name == "beta":
                p.grad += DECAY * p.detach()
        sgd.step()
        if clip:
            with torch.no_grad():
                parameters["w"].clamp_(-1, 1)
        for name, p in parameters.items():
            after[name].append(p.detach().clone())
    factors, bits, reals = weights()
    case |= dict(last_scales=factors, last_bits=bits)
    assert (bits != case["bits"]).any(), "something must flip"
    return {name: value.detach() for name, value in case.items()} | {
        f"{name}_after": torch.stack(after[name]) for name in parameters
    }


def inputs(seed, scale=0.5, drift=None):
    rng = np.random.default_rng(seed)
    w = uniform(rng, OUTPUTS, INPUTS)
    w[0, :2] = torch.tensor([255 / 256, -1.0])
    w[1] = torch.where(w[1].abs() < 0.75, w[1] / 16, w[1] * 2)  # heavy tails give another power of two
    grads = normal(rng, STEPS, OUTPUTS, INPUTS, scale=scale)
    if drift is not None:
        grads[:, 0, :2] = torch.tensor(drift)
    return w, grads


def rule_case(rule, seed, progress=0.0, clip=False):
    w, grads = inputs(seed, drift=[-1.0, 1.0] if clip else None)
    if clip:
        w = w.clamp(-1, 1)
    case = dict(initial=w.clone(), grads=grads)
    w.requires_grad_()
    case = steps(case, dict(w=w), lambda: rule(w, progress), clip)
    if clip:
        assert (case["w_after"].abs() == 1).any(), "something must be clipped"
    return dict(lr=LR, progress=progress, **case)


def libra_case(seed):
    """A case whose rows do not all have the same factor."""
    case = rule_case(libra, seed, 0.5)
    assert len(set(case["scales"].tolist())) > 1
    return case


# ---- RBNN --------------------------------------------------------------------------------------------------

DECAY = 1e-4
A, B = 3, 4  # INPUTS = A * B


def fit(x, r1, r2, rounds=3):
    """The rotations after three rounds, as in the authors' code. x: (o, a, b)"""
    for _ in range(rounds):
        v = r1.T @ x @ r2
        assert v.abs().min() > MARGIN
        bits = sgn(v)
        u, _, vt = torch.linalg.svd(sum(b @ r2.T @ x_.T for b, x_ in zip(bits, x)))
        r1 = vt.T @ u.T
        u, _, vt = torch.linalg.svd(sum(x_.T @ r1 @ b for b, x_ in zip(bits, x)))
        r2 = u @ vt
    return r1, r2


def standardized(w):
    real = w - w.mean(1, keepdim=True)
    return real / real.std(1, keepdim=True)


def angle(w):
    """The angle between w and its signs in degrees, mean over rows."""
    cos = w.abs().sum(1) / w.norm(dim=1) / math.sqrt(w.shape[1])
    return torch.rad2deg(torch.arccos(cos)).mean()


def rbnn_case(through, seed, progress):
    """The rotation is fitted to the initial weights and then fixed."""
    rng = np.random.default_rng(seed)
    w = normal(rng, OUTPUTS, INPUTS)
    grads = normal(rng, STEPS, OUTPUTS, INPUTS, scale=2.0)
    x = standardized(w).reshape(OUTPUTS, A, B)
    r1, r2 = fit(x, torch.eye(A, dtype=w.dtype), torch.eye(B, dtype=w.dtype))
    case = dict(initial=w.clone(), grads=grads, r1=r1, r2=r2)
    beta = torch.tensor([0.5, -1.0, 2.0, 4.0], dtype=w.dtype, requires_grad=True)
    case["beta"] = beta.detach().clone()
    w.requires_grad_()

    def weights():
        real = standardized(w)
        rotated = (r1.T @ real.reshape(OUTPUTS, A, B) @ r2).reshape(OUTPUTS, INPUTS)
        alpha = torch.sin(beta).abs()[:, None]
        if through == "straight":
            adjusted = real + alpha * (rotated - real).detach()
        elif through == "rotation":
            # the exact derivative for the weights; that of beta is the authors'
            adjusted = real + alpha * (rotated - real)
        else:
            adjusted = real + alpha * (rotated.detach() - real)
        bits = Sign.apply(adjusted, training_aware(progress))
        return torch.ones(OUTPUTS, dtype=w.dtype), bits, adjusted

    with torch.no_grad():
        angles = torch.stack([angle(standardized(w)), angle(weights()[2])])
    case = steps(case, dict(w=w, beta=beta), weights)
    return dict(lr=LR, decay=DECAY, progress=progress, angles=angles, **case)


# ---- ABC-Net -----------------------------------------------------------------------------------------------


class Activation(torch.autograd.Function):
    """2 [clip(x + v, 0, 1) >= 1/2] - 1; backward for x and v: [0 <= x + v <= 1]."""

    @staticmethod
    def forward(ctx, x, v):
        r = x + v
        for edge in (0, 0.5, 1):
            assert (r - edge).abs().min() > MARGIN
        ctx.save_for_backward(r)
        return 2 * (r.clamp(0, 1) >= 0.5).to(x.dtype) - 1

    @staticmethod
    def backward(ctx, g):
        (r,) = ctx.saved_tensors
        g = g * ((r >= 0) & (r <= 1))
        return g, g.sum()


def abc_bases(w, count):
    """Bases (m, *w), which pass their gradient on to w, and their factors (m)."""
    u = torch.linspace(-1, 1, count, dtype=w.dtype) if count > 1 else torch.zeros(1, dtype=w.dtype)
    mean, deviation = w.mean().detach(), w.std(correction=0).detach()
    bases = torch.stack([Sign.apply(w - mean + u_ * deviation, identity) for u_ in u])
    with torch.no_grad():
        columns = bases.reshape(count, -1).T
        factors = torch.linalg.lstsq(columns, w.reshape(-1, 1)).solution[:, 0]
    return bases, factors


def dense(a, w):
    return a @ w.T


def conv(images):
    """A convolution of 3 x 3, padded with 0. Rows are pixels; a kernel is (kh, kw, c)."""

    def product(a, w):
        b, h, w_ = images
        a = a.reshape(b, h, w_, -1).permute(0, 3, 1, 2)
        w = w.reshape(len(w), 3, 3, -1).permute(0, 3, 1, 2)
        y = torch.nn.functional.conv2d(a, w, padding=1)
        return y.permute(0, 2, 3, 1).reshape(b * h * w_, -1)

    return product


def abc_case(product, rows, inputs, patch, outputs, counts, seed):
    rng = np.random.default_rng(seed)
    bases, thresholds = counts
    w = uniform(rng, outputs, patch)
    v = uniform(rng, thresholds, low=-0.5, high=1.5)
    beta = uniform(rng, thresholds, low=0.25)
    x = uniform(rng, STEPS, rows, inputs, low=-1.5, high=1.5)
    dy = normal(rng, STEPS, rows, outputs, scale=0.25)
    case = dict(lr=LR, counts=list(counts), initial=w.clone(), v=v.clone(), beta=beta.clone(), x=x, dy=dy)
    parameters = dict(w=w.requires_grad_(), v=v.requires_grad_(), beta=beta.requires_grad_())
    sgd = torch.optim.SGD(parameters.values(), lr=LR, momentum=0.9)
    for step in range(STEPS):
        sgd.zero_grad()
        x_ = x[step].clone().requires_grad_()
        b, a = abc_bases(w, bases)
        y = sum(
            a[m] * beta[n] * product(Activation.apply(x_, v[n]), b[m])
            for n in range(thresholds)
            for m in range(bases)
        )
        y.backward(dy[step])
        if step == 0:
            case |= dict(a=a, bases=b.detach().clone(), y=y.detach(), dx=x_.grad)
            case |= {f"d{name}": p.grad.clone() for name, p in parameters.items()}
        sgd.step()
    b, a = abc_bases(w, bases)
    assert (b != case["bases"]).any(), "something must flip"
    last = {f"last_{name}": p.detach().clone() for name, p in parameters.items()}
    return case | last | dict(last_a=a, last_bases=b.detach())


def main():
    torch.set_num_threads(1)
    cases = dict(
        about=dict(
            made_by="golden/generate_rules.py",
            torch=torch.__version__,
            numpy=np.__version__,
            note="float64 rounded to 9 significant digits; letters: o outputs, i inputs, b batch, s steps",
        ),
        xnor=steady(lambda seed: rule_case(xnor, seed, clip=True), 11),
        centred=steady(lambda seed: rule_case(centred, seed, clip=True), 12),
        libra=steady(libra_case, 13),
        libra_last=steady(lambda seed: rule_case(libra, seed, 0.9), 14),
        recu=steady(lambda seed: rule_case(recu, seed, 0.25), 15),
        rbnn=steady(lambda seed: rbnn_case("straight", seed, 0.5), 21),
        rbnn_rotation=steady(lambda seed: rbnn_case("rotation", seed, 0.5), 22),
        rbnn_rest=steady(lambda seed: rbnn_case("rest", seed, 0.25), 23),
        abc_dense=steady(lambda seed: abc_case(dense, 3, 5, 5, 4, (3, 2), seed), 31),
        abc_dense_single=steady(lambda seed: abc_case(dense, 3, 5, 5, 4, (1, 1), seed), 32),
        abc_dense_most=steady(lambda seed: abc_case(dense, 2, 4, 4, 5, (5, 3), seed), 33),
        abc_conv=steady(lambda seed: abc_case(conv((2, 2, 3)), 12, 2, 18, 3, (2, 2), seed), 34),
    )
    write(cases, Path(__file__).with_name("rules.json"))


if __name__ == "__main__":
    main()
