"""Files in the format of SVHN, from SciPy. Writes `train_32x32.mat` and `test_32x32.mat` into `svhn/` beside
this file.

    python -m venv .venv && .venv/bin/pip install numpy==2.4.6 scipy==1.17.1
    .venv/bin/python golden/generate_svhn.py

X[y, x, c, n] = (7 y + 5 x + 60 c + 31 n) mod 256, so that a test can compute it. The training file is
compressed and has labels in bytes, like the published one. The test file is not compressed and has labels in
f64, additional arrays and another order.
"""

from pathlib import Path

import numpy as np
from scipy.io import savemat


def images(count):
    """(32, 32, 3, n) bytes"""
    y, x, c, n = np.ogrid[:32, :32, :3, :count]
    return ((7 * y + 5 * x + 60 * c + 31 * n) % 256).astype(np.uint8)


folder = Path(__file__).parent / "svhn"
folder.mkdir(exist_ok=True)
train = {"X": images(12), "y": np.array([[n % 10 + 1] for n in range(12)], dtype=np.uint8)}
savemat(folder / "train_32x32.mat", train, do_compression=True)
test = {"note": "not a number", "y": np.array([[10.0], [3.0]]), "extra": np.arange(5.0), "X": images(2)}
savemat(folder / "test_32x32.mat", test)
# The header contains the date. Readers ignore its text, so replace it: the bytes then stay the same.
for path in folder.glob("*.mat"):
    path.write_bytes(b"MATLAB 5.0 MAT-file, written by scipy.io.savemat".ljust(116) + path.read_bytes()[116:])
