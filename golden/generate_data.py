"""Golden numbers for preparing data, from NumPy. Writes `data.json` and `arrays.npz` beside this file.

    python -m venv .venv && .venv/bin/pip install numpy==2.4.6 && .venv/bin/python golden/generate_data.py

The committed files were made with this version; the seed is fixed.

Computes in float64 and writes 9 significant digits. Samples are multiples of 1/256, which f32 holds exactly.
Letters: b batch, i inputs.

- `gcn`: global contrast normalization as `pylearn2.expr.preprocessing.global_contrast_normalize` defines it.
- `zca`: y = (x - mean) U (S + eps)^(-1/2) U^T, where U S U^T is the population covariance
  (`numpy.linalg.eigh`).
- `arrays.npz`: a data set written by `numpy.savez_compressed`.
"""

import json
from pathlib import Path

import numpy as np

SAMPLES, FEATURES = 12, 5
EPS = 0.01


def rounded(array):
    return np.vectorize(lambda x: float(f"{x:.9g}"))(array).tolist()


def gcn(x, scale, use_std, sqrt_bias):
    """(b, i) -> (b, i)"""
    x = x - x.mean(axis=1, keepdims=True)
    squares = x.var(axis=1, ddof=1) if use_std else (x**2).sum(axis=1)
    return scale * x / np.sqrt(sqrt_bias + squares)[:, None]


def zca(x, eps):
    """(b, i) -> mean (i), matrix (i, i)"""
    mean = x.mean(axis=0)
    s, u = np.linalg.eigh((x - mean).T @ (x - mean) / len(x))
    return mean, u @ np.diag((s + eps) ** -0.5) @ u.T


def main():
    rng = np.random.default_rng(4)
    mixed = rng.normal(size=(SAMPLES, FEATURES)) @ rng.normal(size=(FEATURES, FEATURES)) + 3
    x = np.round(mixed * 256) / 256
    mean, matrix = zca(x, EPS)
    cases = {
        "about": {"made_by": "golden/generate_data.py", "numpy": np.__version__},
        "x": rounded(x),
        "gcn_std": {"scale": 1, "sqrt_bias": 10, "y": rounded(gcn(x, 1, True, 10))},
        "gcn_norm": {"scale": 55, "sqrt_bias": 0, "y": rounded(gcn(x, 55, False, 0))},
        "zca": {
            "eps": EPS,
            "mean": rounded(mean),
            "matrix": rounded(matrix),
            "y": rounded((x - mean) @ matrix),
        },
    }
    here = Path(__file__).parent
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items())
    (here / "data.json").write_text(f"{{\n{lines}\n}}\n")
    np.savez_compressed(
        here / "arrays.npz",
        x_train=np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3),
        y_train=np.array([[1], [2]]),
        x_test=np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)[:, ::-1].copy(),
        y_test=np.array([0], dtype=np.int32),
    )


if __name__ == "__main__":
    main()
