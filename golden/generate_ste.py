"""Golden numbers for straight-through training of dense nets, from PyTorch. Writes `ste_dense.json` beside
this file.

    python -m venv .venv && .venv/bin/pip install torch==2.15.0 numpy==2.4.6
    .venv/bin/python golden/generate_ste.py

The committed file was made with these versions on a CPU; the seeds are fixed.

Computes in float64 and writes 9 significant digits. Inputs and initial parameters are multiples of 1/256,
which f32 holds exactly. Letters: b batch, i inputs, o outputs, k steps. sgn(0) = +1.

Gradients come from autograd, updates from torch.optim.Adam. Only what PyTorch does differently from the
papers is written by hand: the gate of sign (arXiv:1602.02830), running statistics with the biased variance,
and the latent rule.
"""

import copy
import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

EPSILON = 1e-4  # batch norm
LR = 3e-3
STEPS = 10
MARGIN = 1e-4  # the least distance of a value of `net` from a discontinuity


class Sign(torch.autograd.Function):
    """sgn(r) with sgn(0) = +1; backward dr = g * 1[|r| <= 1]."""

    @staticmethod
    def forward(ctx, r):
        ctx.save_for_backward(r)
        return sgn(r)

    @staticmethod
    def backward(ctx, g):
        (r,) = ctx.saved_tensors
        return g * (r.abs() <= 1)


def sgn(r):
    return torch.where(r >= 0, torch.ones_like(r), -torch.ones_like(r))


def batch_norm(x, gamma, beta):
    """Batch norm in training mode: normalizes by the biased variance of the batch."""
    return F.batch_norm(x, None, None, gamma, beta, training=True, eps=EPSILON)


def one_vs_rest(labels, classes):
    """+1 for the label's class, -1 for the others. (b) -> (b, o)"""
    return 2.0 * F.one_hot(labels, classes).to(torch.float64) - 1.0


def squared_hinge(o, labels):
    """Mean over batch and classes of max(0, 1 - t o)^2."""
    t = one_vs_rest(labels, o.shape[1]).to(o.dtype)
    return torch.clamp(1 - t * o, min=0).square().mean()


def softmax_cross_entropy(o, labels):
    """Cross-entropy of the softmax, mean over the batch."""
    return F.cross_entropy(o, labels)


def glorot_scale(w):
    """sqrt((fan_in + fan_out) / 1.5) for weights (o, i)."""
    return math.sqrt(sum(w.shape) / 1.5)


class Latents:
    """Latent weights under Adam: w <- clip(w + s * (w_adam - w), -1, 1)."""

    def __init__(self, w):
        self.w = w
        self.adam = torch.optim.Adam([w], lr=LR, betas=(0.9, 0.999), eps=1e-8)

    def step(self, grad):
        old = self.w.clone()
        self.w.grad = grad
        self.adam.step()
        self.w.copy_(torch.clamp(old + glorot_scale(old) * (self.w - old), -1, 1))


# ---- inputs ------------------------------------------------------------------------------------------------


def on_grid(x):
    """Rounds to multiples of 1/256."""
    return torch.tensor(np.round(np.asarray(x) * 256) / 256, dtype=torch.float64)


def normal(rng, *shape, scale=1.0):
    return on_grid(rng.normal(size=shape) * scale)


def uniform(rng, *shape, low=-1.0, high=1.0):
    return on_grid(rng.uniform(low, high, size=shape))


def signs(rng, *shape):
    return torch.tensor(rng.integers(0, 2, size=shape) * 2.0 - 1.0, dtype=torch.float64)


# ---- the cases ---------------------------------------------------------------------------------------------


def sign_case():
    above = 1.00000012  # the next f32 above 1
    r = torch.tensor([-2, -above, -1, -0.5, -1e-6, -0.0, 0, 1e-6, 0.5, 1, above, 2], dtype=torch.float64)
    g = torch.tensor([5, 5, 5, -3, 0.25, 5, -5, 2, 5, 5, 5, -5], dtype=torch.float64)
    r.requires_grad_()
    y = Sign.apply(r)
    y.backward(g)
    return dict(r=r, g=g, y=y, dr=r.grad)


def batch_norm_case():
    rng = np.random.default_rng(1)
    x = normal(rng, 6, 5, scale=3.0).requires_grad_()
    gamma = torch.tensor([1.25, -0.75, 0.5, 2.0, 1.0], dtype=torch.float64, requires_grad=True)
    beta = torch.tensor([0.5, -0.25, 0.0, 1.5, -1.0], dtype=torch.float64, requires_grad=True)
    dy = normal(rng, 6, 5)
    y = batch_norm(x, gamma, beta)
    y.backward(dy)
    with torch.no_grad():
        mean = x.mean(0)
        var = x.var(0, correction=0)  # biased, as Lasagne; PyTorch's own running variance is unbiased
        inv_std = 1 / torch.sqrt(var + EPSILON)
        assert torch.allclose(y, (x - mean) * inv_std * gamma + beta, atol=1e-12)
        old = dict(
            running_mean=normal(rng, 5),
            running_var=uniform(rng, 5, low=0.5, high=4.0),
            running_inv_std=uniform(rng, 5, low=0.5, high=2.0),
        )
        batch = dict(running_mean=mean, running_var=var, running_inv_std=inv_std)
        new = {name: 0.9 * old[name] + 0.1 * batch[name] for name in old}
        centred = x - new["running_mean"]
        eval_y_var = centred / torch.sqrt(new["running_var"] + EPSILON) * gamma + beta
        eval_y_inv_std = centred * new["running_inv_std"] * gamma + beta
    return (
        dict(eps=EPSILON, alpha=0.1, x=x, gamma=gamma, beta=beta, dy=dy, y=y)
        | dict(dx=x.grad, dgamma=gamma.grad, dbeta=beta.grad)
        | dict(batch_mean=mean, batch_var=var, batch_inv_std=inv_std)
        | {f"old_{name}": value for name, value in old.items()}
        | {f"new_{name}": value for name, value in new.items()}
        | dict(eval_y_var=eval_y_var, eval_y_inv_std=eval_y_inv_std)
    )


def loss_case(loss, o, labels):
    o = o.requires_grad_()
    value = loss(o, labels)
    value.backward()
    return dict(o=o, labels=labels, loss=value, do=o.grad)


def squared_hinge_case():
    o = normal(np.random.default_rng(2), 4, 3, scale=1.5)
    o[0] = torch.tensor([-1.0, -2.0, 1.0])  # every margin is met, two of them exactly
    labels = torch.tensor([2, 0, 1, 0])
    return dict(loss_case(squared_hinge, o, labels), targets=one_vs_rest(labels, 3))


def softmax_cross_entropy_case():
    o = normal(np.random.default_rng(3), 4, 3, scale=1.5)
    o[0] = torch.tensor([120.0, -80.0, 118.0])  # exp(120) is infinite in f32
    return loss_case(softmax_cross_entropy, o, torch.tensor([2, 0, 1, 0]))


def adam_case():
    rng = np.random.default_rng(4)
    p = normal(rng, 6)
    # gradients of very different sizes; one is zero for three steps
    grads = normal(rng, STEPS, 6) * torch.tensor([1.0, 16.0, 1 / 64, 1.0, 1.0, 4.0], dtype=torch.float64)
    grads[:3, 4] = 0.0
    case = dict(lr=LR, beta1=0.9, beta2=0.999, eps=1e-8, initial=p.clone(), grads=grads)
    adam = torch.optim.Adam([p], lr=LR, betas=(0.9, 0.999), eps=1e-8)
    after = []
    for grad in grads:
        p.grad = grad.clone()
        adam.step()
        after.append(p.clone())
    return dict(case, after=torch.stack(after))


def latent_case():
    rng = np.random.default_rng(5)
    w = uniform(rng, 4, 3)
    w[0] = torch.tensor([255 / 256, -1.0, 1.0])  # will be clipped
    w[1] = torch.tensor([5 / 256, -3 / 256, 9 / 256])  # may change sign
    drift = torch.tensor([[-1.0, 1.0, 1.0], [1.0, -1.0, 1.0], [0.0, 0.0, 0.0], [1.0, -1.0, 0.5]], dtype=torch.float64)
    grads = normal(rng, STEPS, 4, 3, scale=0.5) + drift
    case = dict(lr=LR, beta1=0.9, beta2=0.999, eps=1e-8, scale=glorot_scale(w), initial=w.clone(), grads=grads)
    latents = Latents(w)
    after = []
    for grad in grads:
        latents.step(grad.clone())
        after.append(w.clone())
    after = torch.stack(after)
    assert (after.abs() == 1).any(), "something must be clipped"
    assert (sgn(after[-1]) != sgn(case["initial"])).any(), "something must change sign"
    assert after.abs().min() > MARGIN
    return dict(case, after=after)


def dense_case(x, seed):
    """y = x sgn(w)^T; dx = g sgn(w), dw = g^T x, the gradient of the binarized weights."""
    rng = np.random.default_rng(seed)
    w = uniform(rng, 4, x.shape[1])
    w[0, 0] = 0.0  # sgn(0) = +1
    g = normal(rng, x.shape[0], 4)
    x = x.requires_grad_()
    w_bits = sgn(w).requires_grad_()
    y = x @ w_bits.T
    y.backward(g)
    return dict(x=x, w=w, g=g, y=y, dx=x.grad, dw=w_bits.grad)


def dropout_case():
    """x' = m * x / q, then the dense layer."""
    rng = np.random.default_rng(8)
    q = 0.75
    x = signs(rng, 5, 8).requires_grad_()
    m = torch.tensor(rng.random((5, 8)) < q).to(torch.float64)
    dense = dense_case((m * x / q).detach(), 9)
    # the same through autograd, back to x itself
    (m * x / q @ sgn(dense["w"]).T).backward(dense["g"])
    return dict(q=q, m=m, x=x, w=dense["w"], g=dense["g"], y=dense["y"], dx=x.grad, dw=dense["dw"])


# ---- the net -----------------------------------------------------------------------------------------------


class Unsteady(Exception):
    """A value is so close to a discontinuity that another precision may take another path."""


class Net:
    """dense 5-7, batch norm, sign, dense 7-6, batch norm, sign, dense 6-3, batch norm."""

    WIDTHS = (5, 7, 6, 3)

    def __init__(self, rng, dtype):
        sizes = list(zip(self.WIDTHS[1:], self.WIDTHS))
        self.w = [uniform(rng, o, i).to(dtype) for o, i in sizes]
        self.gamma = [uniform(rng, o, low=1.0, high=2.0).to(dtype) for o, _ in sizes]
        self.beta = [uniform(rng, o, low=-0.5, high=0.5).to(dtype) for o, _ in sizes]
        self.latents = [Latents(w) for w in self.w]
        self.adam = torch.optim.Adam(self.gamma + self.beta, lr=LR, betas=(0.9, 0.999), eps=1e-8)

    def parameters(self):
        return {name: [p.detach().clone() for p in getattr(self, name)] for name in ("w", "gamma", "beta")}

    def step(self, x, labels, loss):
        """Makes one step. Returns loss, logits and gradients; raises Unsteady near a discontinuity."""
        for p in self.gamma + self.beta:
            p.requires_grad_()
            p.grad = None
        w_bits = [sgn(w).requires_grad_() for w in self.w]
        a = x
        for layer, (w, gamma, beta) in enumerate(zip(w_bits, self.gamma, self.beta)):
            r = batch_norm(a @ w.T, gamma, beta)
            if layer < 2:
                steady((r.abs() - 1).abs().min() > MARGIN and r.abs().min() > MARGIN)
                a = Sign.apply(r)
        value = loss(r, labels)
        value.backward()
        grads = dict(
            dw=[w.grad for w in w_bits],
            dgamma=[p.grad.clone() for p in self.gamma],
            dbeta=[p.grad.clone() for p in self.beta],
        )
        # Adam divides a gradient by its own size, so rounding noise around zero would become a full step
        steady(all(g.abs().min() > MARGIN for group in grads.values() for g in group))
        with torch.no_grad():
            for latents, w in zip(self.latents, w_bits):
                latents.step(w.grad)
            self.adam.step()
        steady(all(w.abs().min() > MARGIN for w in self.w))
        return value.detach(), r.detach(), grads


def steady(condition):
    if not condition:
        raise Unsteady


def draw_batch(rng, teacher):
    x = normal(rng, 8, 5)
    return x, (x @ teacher).argmax(-1)


def steady_step(net, rng, teacher, loss):
    """Draws batches until one gives a steady step. Returns the net after the step, and the batch."""
    while True:
        x, labels = draw_batch(rng, teacher)
        attempt = copy.deepcopy(net)
        try:
            attempt.step(x, labels, loss)
            return attempt, (x, labels)
        except Unsteady:
            continue


def learns(initial, final):
    """Whether every layer flips a weight and some latent weight is clipped."""
    flips = [(sgn(a) != sgn(b)).any() for a, b in zip(initial["w"], final["w"])]
    return all(flips) and any((w.abs() == 1).any() for w in final["w"])


def replay(seed, batches, loss, dtype):
    """The whole case from the initial parameters of `seed` and the batches that were steady."""
    net = Net(np.random.default_rng(seed), dtype)
    initial = net.parameters()
    steps = [net.step(x.to(dtype), labels, loss) for x, labels in batches]
    _, logits, grads = steps[0]
    return dict(
        initial=initial,
        first_step=dict(logits=logits, **grads),
        losses=torch.stack([value for value, _, _ in steps]),
        final=net.parameters(),
    )


def leaves(case):
    """The tensors of a case, in order."""
    if isinstance(case, torch.Tensor):
        return [case]
    return [leaf for value in (case.values() if isinstance(case, dict) else case) for leaf in leaves(value)]


def net_case(loss):
    """Ten steps that stay away from all discontinuities, for the first seed whose net learns."""
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        net = Net(rng, torch.float64)
        initial = net.parameters()
        teacher = normal(rng, 5, 3)
        batches = []
        for _ in range(STEPS):
            net, batch = steady_step(net, rng, teacher, loss)
            batches.append(batch)
        if not learns(initial, net.parameters()):
            continue
        double, single = (replay(seed, batches, loss, dtype) for dtype in (torch.float64, torch.float32))
        difference = max((a - b).abs().max().item() for a, b in zip(leaves(double), leaves(single), strict=True))
        if difference < 1e-5:
            print(f"{loss.__name__}: seed {seed}, float32 differs by at most {difference:.1e}")
            rules = dict(lr=LR, beta1=0.9, beta2=0.999, adam_eps=1e-8, bn_eps=EPSILON)
            x, labels = (torch.stack(part) for part in zip(*batches))
            return dict(seed=seed, **rules, x=x, labels=labels, **double)
    raise AssertionError("no seed gives a steady run")


# ---- the file ----------------------------------------------------------------------------------------------


def plain(value):
    """Turns tensors into nested lists, and rounds real numbers to 9 significant digits."""
    if isinstance(value, torch.Tensor):
        return plain(value.detach().tolist())
    if isinstance(value, dict):
        return {name: plain(v) for name, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def write(cases, path):
    """Writes one line for each value of a case, so that a diff shows where cases differ."""
    blocks = []
    for name, case in cases.items():
        lines = [f"  {json.dumps(key)}: {json.dumps(plain(value))}" for key, value in case.items()]
        blocks.append(f"{json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n}")
    path.write_text("{\n" + ",\n".join(blocks) + "\n}\n")


def main():
    torch.set_num_threads(1)
    cases = dict(
        about=dict(
            made_by="golden/generate_ste.py",
            torch=torch.__version__,
            numpy=np.__version__,
            note="float64 rounded to 9 significant digits; letters: b batch, i inputs, o outputs, k steps",
        ),
        sign=sign_case(),
        batch_norm=batch_norm_case(),
        squared_hinge=squared_hinge_case(),
        softmax_cross_entropy=softmax_cross_entropy_case(),
        adam=adam_case(),
        latent=latent_case(),
        dense_real=dense_case(normal(np.random.default_rng(6), 5, 7), 6),
        dense_signs=dense_case(signs(np.random.default_rng(7), 5, 7), 7),
        dropout=dropout_case(),
        net=net_case(squared_hinge),
        net_ce=net_case(softmax_cross_entropy),
    )
    write(cases, Path(__file__).with_name("ste_dense.json"))


if __name__ == "__main__":
    main()
