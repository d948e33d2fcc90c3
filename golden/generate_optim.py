"""Golden numbers for optimizers, schedules, distillation and rules without latent weights, from PyTorch.
Writes `optim.json` beside this file.

Run it like `generate_ste.py`, whose helpers it uses. Computes in float64; inputs are multiples of 1/256.

Updates come from torch.optim, schedules from torch.optim.lr_scheduler, gradients from autograd. Only what
PyTorch lacks is written by hand: shift-based AdaMax (arXiv:1602.02830), Bop (arXiv:1906.02107) and
second-order Bop (arXiv:2104.05124, as its authors coded it, and with Adam's bias correction).
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch.optim import lr_scheduler

from generate_ste import MARGIN, normal, sgn, signs, squared_hinge, write

STEPS = 12
EPOCHS = 30


# ---- optimizers --------------------------------------------------------------------------------------------


def gradients(seed):
    """Gradients of different sizes; one is always 0, one 0 for three steps, one changes its sign halfway."""
    rng = np.random.default_rng(seed)
    grads = normal(rng, STEPS, 8) * torch.tensor([1, 16, 1 / 64, 1, 1, 4, 0, 1], dtype=torch.float64)
    grads[:3, 4] = 0.0
    grads[:, 7] = grads[:, 7].abs() * torch.where(torch.arange(STEPS) < 6, 1.0, -1.0)
    return normal(rng, 8), grads


def torch_case(make, lr, scale, seed, **settings):
    """An optimizer of PyTorch, with each of its updates multiplied by `scale`."""
    p, grads = gradients(seed)
    case = dict(lr=lr, scale=scale, **settings, initial=p.clone(), grads=grads)
    optimizer = make([p])
    after = []
    for grad in grads:
        old = p.clone()
        p.grad = grad.clone()
        optimizer.step()
        p.copy_(old + scale * (p - old))
        after.append(p.clone())
    return dict(case, after=torch.stack(after))


def ap2(x):
    """The power of two nearest to x on a logarithmic scale; x must not be halfway between two."""
    x = torch.as_tensor(x, dtype=torch.float64)
    log = torch.log2(x.abs())
    fraction = (log - torch.floor(log))[x != 0]
    assert (fraction - 0.5).abs().min() > MARGIN if fraction.numel() else True
    return torch.where(x == 0, torch.zeros_like(x), torch.sign(x) * torch.exp2(torch.round(log)))


def shift_adamax_case(as_coded, lr, scale, seed):
    p, grads = gradients(seed)
    beta1, beta2 = (0.9, 0.999) if as_coded else (1 - 2**-3, 1 - 2**-10)
    eps = 2.0**-27
    case = dict(lr=lr, scale=scale, initial=p.clone(), grads=grads)
    m, v = torch.zeros_like(p), torch.zeros_like(p)
    after, kept = [], []
    for t, grad in enumerate(grads, 1):
        m = beta1 * m + (1 - beta1) * grad
        v = torch.maximum(beta2 * v, grad.abs())
        if as_coded:
            v = ap2(v) + eps
            p = p - ap2(lr / (1 - beta1**t)) * scale * m / v
        else:
            p = p - lr * ap2(1 / (1 - beta1**t)) * scale * m * ap2(1 / torch.clamp(v, min=eps))
        after.append(p.clone())
        kept.append(v.clone())
    return dict(case, after=torch.stack(after), v=torch.stack(kept))


def first_steady(case, *arguments):
    """The case of the first seed that stays away from all discontinuities."""
    for seed in range(1000):
        try:
            return case(*arguments, seed)
        except AssertionError:
            continue
    raise AssertionError("no seed is steady")


# ---- schedules ---------------------------------------------------------------------------------------------


def rates(lr, make):
    """The learning rate in each epoch."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler = make(optimizer)
    found = []
    for _ in range(EPOCHS):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def cosine_after_warmup(warmup, final_rate):
    """Rises to the rate in `warmup` epochs; the last of them is the first of the cosine."""

    def make(optimizer):
        rise = lr_scheduler.LinearLR(optimizer, 1 / warmup, 1.0, total_iters=warmup - 1)
        fall = lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS - (warmup - 1), eta_min=final_rate)
        return lr_scheduler.SequentialLR(optimizer, [rise, fall], milestones=[warmup - 1])

    return make


def schedules_case():
    lr, final = 0.1, 0.001
    return dict(
        lr=lr,
        final_rate=final,
        epochs=EPOCHS,
        exponential=rates(lr, lambda o: lr_scheduler.ExponentialLR(o, (final / lr) ** (1 / EPOCHS))),
        step=rates(lr, lambda o: lr_scheduler.StepLR(o, 7, 0.3)),
        cosine=rates(lr, lambda o: lr_scheduler.CosineAnnealingLR(o, EPOCHS, eta_min=final)),
        cosine_to_0=rates(lr, lambda o: lr_scheduler.CosineAnnealingLR(o, EPOCHS)),
        cosine_after_5=rates(lr, cosine_after_warmup(5, final)),
        linear=rates(lr, lambda o: lr_scheduler.LinearLR(o, 1.0, final / lr, total_iters=EPOCHS)),
    )


# ---- distillation ------------------------------------------------------------------------------------------


def distillation_case(hard, temperature, alpha):
    """(1 - alpha) hard + alpha T^2 KL(softmax(teacher / T) || softmax(s / T)), mean over the batch."""
    rng = np.random.default_rng(20)
    s, teacher = normal(rng, 5, 4, scale=2.0).requires_grad_(), normal(rng, 5, 4, scale=2.0)
    teacher[0] = torch.tensor([120.0, -80.0, 118.0, 0.0])  # exp(120) is infinite in f32, exp(-200) is 0
    labels = torch.tensor([2, 0, 1, 3, 0])
    soft = F.kl_div(
        F.log_softmax(s / temperature, 1), F.log_softmax(teacher / temperature, 1), reduction="batchmean", log_target=True
    )
    loss = (1 - alpha) * hard(s, labels) + alpha * temperature**2 * soft
    loss.backward()
    return dict(temperature=temperature, alpha=alpha, s=s, teacher=teacher, labels=labels, loss=loss, ds=s.grad)


# ---- rules -------------------------------------------------------------------------------------------------


RULE_STEPS = 8


def rule_gradients(seed):
    """Gradients (k, o, i). The first of a row pushes its weight to -1, the second only in the first half."""
    rng = np.random.default_rng(seed)
    grads = normal(rng, RULE_STEPS, 2, 67)
    grads[:, :, 0] = grads[:, :, 0].abs()
    grads[:, :, 1] = grads[:, :, 1].abs() * torch.where(torch.arange(RULE_STEPS) < RULE_STEPS // 2, 1.0, -1.0)[:, None]
    grads[:, :, 2] = 0.0
    return signs(rng, 2, 67), grads


def flip(w, push, threshold):
    """Flips w where w push > threshold."""
    assert ((push * w - threshold).abs() > MARGIN * threshold).all(), "too close to call"
    return torch.where(push * w > threshold, -w, w)


def bop(w, grads, gamma, threshold):
    """m <- (1 - gamma) m + gamma g; w flips where w m > threshold. gamma: one for each step."""
    case = dict(gamma=gamma, threshold=threshold)
    m, after = torch.zeros_like(w), [w]
    for gamma, grad in zip(gamma, grads, strict=True):
        m = (1 - gamma) * m + gamma * grad
        after.append(flip(after[-1], m, threshold))
    return dict(case, m=m, after=checked(after))


def second_order_bop(w, grads, correction, gamma, sigma, threshold):
    """m as in bop, v <- (1 - sigma) v + sigma g^2; w flips where w m' / (sqrt(v') + 1e-10) > threshold.

    m' and v' are the moments after the bias correction.
    """
    case = dict(gamma=gamma, sigma=sigma, threshold=threshold)
    m, v, after = torch.zeros_like(w), torch.zeros_like(w), [w]
    for t, grad in enumerate(grads, 1):
        m = (1 - gamma) * m + gamma * grad
        v = (1 - sigma) * v + sigma * grad**2
        of_m, of_v = dict(none=(1, 1), rates=(gamma, sigma), steps=(1 - (1 - gamma) ** t, 1 - (1 - sigma) ** t))[correction]
        after.append(flip(after[-1], m / of_m / (torch.sqrt(v / of_v) + 1e-10), threshold))
    return dict(case, m=m, v=v, after=checked(after))


def checked(after):
    """The weights after each step. Checks that some flip, but not most, and that some flip back."""
    states = torch.stack(after)
    flips = (states[1:] != states[:-1]).sum((1, 2))
    assert (flips[1:] > 0).all() and (2 * flips < states[0].numel()).all()
    assert (states[0] == states[-1]).logical_and((states != states[0]).any(0)).any()
    return states[1:].to(torch.int64)


def rules_case(seed):
    w, grads = rule_gradients(seed)
    halved = [0.1] * 4 + [0.05] * 4  # a schedule with one step for each epoch
    return dict(
        initial=w.to(torch.int64),
        grads=grads,
        bop=bop(w, grads, [0.1] * RULE_STEPS, 0.1),
        bop_halved=bop(w, grads, halved, 0.06),
        bop2=second_order_bop(w, grads, "none", 0.1, 0.05, 0.4),
        bop2_rates=second_order_bop(w, grads, "rates", 0.1, 0.05, 1.25),
        bop2_steps=second_order_bop(w, grads, "steps", 0.1, 0.05, 0.7),
    )


def main():
    torch.set_num_threads(1)
    cases = dict(
        about=dict(
            made_by="golden/generate_optim.py",
            torch=torch.__version__,
            numpy=np.__version__,
            note="float64 rounded to 9 significant digits; letters: b batch, i inputs, o outputs, k steps",
        ),
        sgd=torch_case(lambda p: torch.optim.SGD(p, 0.05), 0.05, 1.0, 10, momentum=0.0, decay=0.0),
        sgd_momentum=torch_case(
            lambda p: torch.optim.SGD(p, 0.05, momentum=0.9, weight_decay=0.01), 0.05, 0.5, 11, momentum=0.9, decay=0.01
        ),
        adamw=torch_case(lambda p: torch.optim.AdamW(p, 3e-3, weight_decay=0.1), 3e-3, 4.0, 12, decay=0.1),
        adamax=torch_case(lambda p: torch.optim.Adamax(p, 2e-3), 2e-3, 3.0, 13),
        shift_adamax=first_steady(shift_adamax_case, False, 2.0**-10, 3.0),
        shift_adamax_torch=first_steady(shift_adamax_case, True, 2.0**-6, 3.0),
        schedules=schedules_case(),
        distillation_hinge=distillation_case(squared_hinge, 4.0, 0.75),
        distillation_cross_entropy=distillation_case(F.cross_entropy, 2.0, 0.25),
        distillation_alone=distillation_case(F.cross_entropy, 1.0, 1.0),
        rules=first_steady(rules_case),
    )
    write(cases, Path(__file__).with_name("optim.json"))


if __name__ == "__main__":
    main()
