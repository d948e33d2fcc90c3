"""Golden numbers for layers on images, from PyTorch. Writes `conv.json` beside this file.

Run it like `generate_ste.py`, with the same versions.

Computes in float64 and writes 9 significant digits; inputs are multiples of 1/256. Images have one row for
each pixel, (b h w, c), and kernels one row for each output channel, (c_out, kh kw c_in), as in the layers of
this project.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from generate_ste import Sign, batch_norm, normal, sgn, signs, uniform, write

PADS = dict(plus=1.0, minus=-1.0, zero=0.0)


def images(pixels, b, h, w):
    """(b h w, c) -> (b, c, h, w)"""
    return pixels.reshape(b, h, w, -1).permute(0, 3, 1, 2)


def pixels(images):
    """(b, c, h, w) -> (b h w, c)"""
    return images.permute(0, 2, 3, 1).reshape(-1, images.shape[1])


def kernels(w, size):
    """(c_out, kh kw c_in) -> (c_out, c_in, kh, kw)"""
    return w.reshape(w.shape[0], *size, -1).permute(0, 3, 1, 2)


def convolved(x, w, image, kernel, stride=(1, 1), padding=(0, 0, 0, 0), pad="zero", groups=1):
    """A convolution from pixels to pixels. padding: top, left, bottom, right."""
    top, left, bottom, right = padding
    padded = F.pad(images(x, *image), (left, right, top, bottom), value=PADS[pad])
    return pixels(F.conv2d(padded, kernels(w, kernel), stride=stride, groups=groups))


def conv_case(seed, image, channels, kernel, real=False, real_weights=False, **walk):
    rng = np.random.default_rng(seed)
    c_in, c_out = channels
    size = (image[0] * image[1] * image[2], c_in)
    x = (normal(rng, *size) if real else signs(rng, *size)).requires_grad_()
    fan_in = kernel[0] * kernel[1] * c_in // walk.get("groups", 1)
    w = uniform(rng, c_out, fan_in)
    used = (w.clone() if real_weights else sgn(w)).requires_grad_()
    y = convolved(x, used, image, kernel, **walk)
    dy = normal(rng, *y.shape)
    y.backward(dy)
    settings = dict(stride=(1, 1), padding=(0, 0, 0, 0), pad="zero", groups=1) | walk
    settings = {name: list(it) if isinstance(it, tuple) else it for name, it in settings.items()}
    sizes = dict(real=real, image=list(image), channels=list(channels), kernel=list(kernel))
    return sizes | settings | dict(x=x, w=w, dy=dy, y=y, dx=x.grad, dw=used.grad)


AROUND = (1, 1, 1, 1)

BITS = dict(image=(2, 4, 5), channels=(6, 4), kernel=(3, 3))
REAL = dict(image=(2, 4, 4), channels=(2, 3), kernel=(3, 3), real=True)


def conv_cases():
    walks = [
        BITS,
        *(BITS | dict(padding=AROUND, pad=pad) for pad in PADS),
        BITS | dict(stride=(2, 2), padding=AROUND),
        BITS | dict(kernel=(2, 3), stride=(1, 2), padding=(2, 0, 1, 1), pad="plus"),
        BITS | dict(padding=AROUND, groups=2),
        BITS | dict(padding=AROUND, pad="minus", groups=2, stride=(2, 1)),
        dict(image=(1, 3, 3), channels=(70, 3), kernel=(2, 2), padding=AROUND),  # more than 64 channels
        REAL,
        REAL | dict(padding=AROUND),
        REAL | dict(kernel=(2, 3), stride=(2, 1), padding=(0, 2, 1, 1)),
    ]
    return [conv_case(seed, **walk) for seed, walk in enumerate(walks)]


def real_conv_cases():
    walks = [
        REAL,
        REAL | dict(kernel=(2, 3), stride=(2, 1), padding=(0, 2, 1, 1)),
        BITS | dict(padding=AROUND),
    ]
    return [conv_case(seed, real_weights=True, **walk) for seed, walk in enumerate(walks, 20)]


def real_dense_cases():
    """y = x w^T"""
    cases = []
    for seed, draw in [(30, normal), (31, signs)]:
        rng = np.random.default_rng(seed)
        x, w = draw(rng, 5, 7).requires_grad_(), uniform(rng, 4, 7).requires_grad_()
        dy = normal(rng, 5, 4)
        y = x @ w.T
        y.backward(dy)
        cases.append(dict(real=draw is normal, x=x, w=w, dy=dy, y=y, dx=x.grad, dw=w.grad))
    return cases


def max_pool_cases():
    """Inputs are small integers, so that most windows have several maxima; PyTorch takes the first."""
    cases = []
    for seed, (image, kernel, stride) in enumerate(
        [((2, 4, 4), (2, 2), (2, 2)), ((1, 5, 7), (2, 3), (2, 3)), ((2, 7, 6), (3, 3), (2, 2))], 40
    ):
        rng = np.random.default_rng(seed)
        size = (image[0] * image[1] * image[2], 3)
        x = torch.tensor(rng.integers(-2, 2, size=size), dtype=torch.float64, requires_grad=True)
        y = F.max_pool2d(images(x, *image).contiguous(), kernel, stride)
        windows = images(x, *image).unfold(2, kernel[0], stride[0]).unfold(3, kernel[1], stride[1]).flatten(-2)
        assert ((windows == y[..., None]).sum(-1) > 1).any(), "some window must have several maxima"
        dy = normal(rng, *pixels(y).shape)
        y.backward(images(dy, y.shape[0], *y.shape[2:]))
        sizes = dict(image=list(image), kernel=list(kernel), stride=list(stride))
        cases.append(sizes | dict(x=x, dy=dy, y=pixels(y), dx=x.grad))
    return cases


def global_average_pool_case():
    rng = np.random.default_rng(50)
    x = normal(rng, 2 * 3 * 5, 4).requires_grad_()
    y = images(x, 2, 3, 5).mean((2, 3))
    dy = normal(rng, *y.shape)
    y.backward(dy)
    return dict(pixels=15, x=x, dy=dy, y=y, dx=x.grad)


def batch_norm_case():
    """300 rows, summed in three parts. Features: a mean far from 0, a drifting mean, neither."""
    rng = np.random.default_rng(60)
    x = normal(rng, 300, 3)
    x[:, 0] += 20
    x[:, 1] += torch.arange(300, dtype=torch.float64) / 32
    x.requires_grad_()
    gamma = torch.tensor([1.25, -0.75, 0.5], dtype=torch.float64, requires_grad=True)
    beta = torch.tensor([0.5, -0.25, 0.0], dtype=torch.float64, requires_grad=True)
    y = batch_norm(x, gamma, beta)
    dy = normal(rng, 300, 3)
    y.backward(dy)
    with torch.no_grad():
        mean, inv_std = x.mean(0), 1 / torch.sqrt(x.var(0, correction=0) + 1e-4)
    grads = dict(dx=x.grad, dgamma=gamma.grad, dbeta=beta.grad)
    return dict(x=x, gamma=gamma, beta=beta, dy=dy, y=y, mean=mean, inv_std=inv_std) | grads


def subsampled(x, image, stride, channels_out):
    """Every stride-th pixel, with channels of zeros appended."""
    kept = pixels(images(x, *image)[:, :, ::stride, ::stride])
    return F.pad(kept, (0, channels_out - kept.shape[1]))


def residual_case(seed, image, channels, stride, shortcut):
    """y = batch_norm(conv(sgn(x))) + shortcut(x)"""
    rng = np.random.default_rng(seed)
    c_in, c_out = channels
    x = normal(rng, image[0] * image[1] * image[2], c_in, scale=1.0).requires_grad_()
    w = uniform(rng, c_out, 9 * c_in)
    bits = sgn(w).requires_grad_()
    gamma = uniform(rng, c_out, low=0.5, high=1.5).requires_grad_()
    beta = uniform(rng, c_out, low=-0.5, high=0.5).requires_grad_()
    strides = (stride, stride)
    sums = convolved(Sign.apply(x), bits, image, (3, 3), strides, AROUND, "plus")
    body = batch_norm(sums, gamma, beta)
    case, leaves = dict(x=x, w=w, gamma=gamma, beta=beta), {}
    if shortcut == "identity":
        y = body + x
    elif shortcut == "subsample":
        y = body + subsampled(x, image, stride, c_out)
    else:
        v = uniform(rng, c_out, c_in).requires_grad_()
        ones, zeros = torch.ones(c_out, dtype=torch.float64), torch.zeros(c_out, dtype=torch.float64)
        y = body + batch_norm(convolved(x, v, image, (1, 1), strides), ones, zeros)
        case, leaves = case | dict(v=v), dict(dv=v)
    dy = normal(rng, *y.shape)
    y.backward(dy)
    leaves = dict(dx=x, dw=bits, dgamma=gamma, dbeta=beta) | leaves
    sizes = dict(image=list(image), channels=list(channels), stride=stride)
    return sizes | case | dict(dy=dy, y=y) | {name: leaf.grad for name, leaf in leaves.items()}


def main():
    torch.set_num_threads(1)
    cases = dict(
        about=dict(
            made_by="golden/generate_conv.py",
            torch=torch.__version__,
            numpy=np.__version__,
            note="float64 rounded to 9 significant digits; images are (b h w, c), padding top left bottom right",
        ),
        batch_norm=batch_norm_case(),
        global_average_pool=global_average_pool_case(),
        residual_identity=residual_case(70, (2, 4, 4), (3, 3), 1, "identity"),
        residual_subsample=residual_case(71, (2, 5, 4), (3, 5), 2, "subsample"),
        residual_layers=residual_case(72, (2, 4, 4), (3, 4), 2, "layers"),
    )
    lists = dict(
        conv=conv_cases(),
        max_pool=max_pool_cases(),
        real_conv=real_conv_cases(),
        real_dense=real_dense_cases(),
    )
    for name, several in lists.items():
        cases |= {f"{name}_{index}": case for index, case in enumerate(several)}
    write(cases, Path(__file__).with_name("conv.json"))


if __name__ == "__main__":
    main()
