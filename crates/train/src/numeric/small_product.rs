//! Products of matrices that fit into the cache, without packing. Each entry adds its terms in ascending
//! order.

use onebit_bits::vectorized;

vectorized! {
    /// `out = a b`, with `a: (m, k)`, `b: (k, n)` and `out: (m, n)`.
    pub(crate) fn multiply<'a>(a: &'a [f32], b: &'a [f32], n: usize, out: &'a mut [f32]) {
        let k = b.len() / n.max(1);
        out.fill(0.0);
        for (out, a) in out.chunks_exact_mut(n.max(1)).zip(a.chunks_exact(k.max(1))) {
            // Four rows of `b` at once, so that `out` is read and written less often.
            let whole = k / 4 * 4;
            for (a, b) in a.chunks_exact(4).zip(b.chunks_exact(4 * n)) {
                let ((b0, b1), (b2, b3)) = (b[..2 * n].split_at(n), b[2 * n..].split_at(n));
                for ((out, (b0, b1)), (b2, b3)) in out.iter_mut().zip(b0.iter().zip(b1)).zip(b2.iter().zip(b3)) {
                    *out = *out + a[0] * b0 + a[1] * b1 + a[2] * b2 + a[3] * b3;
                }
            }
            for (a, b) in a[whole..].iter().zip(b[whole * n..].chunks_exact(n)) {
                for (out, b) in out.iter_mut().zip(b) {
                    *out += a * b;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use onebit_bits::Isa;

    use super::*;

    #[test]
    fn every_entry_is_its_sum() {
        for (m, k, n) in [(1, 1, 1), (2, 3, 5), (4, 4, 4), (3, 9, 17), (5, 7, 1)] {
            let numbers =
                |len: usize, by: usize| (0..len).map(|at| (at * by % 11) as f32 - 5.0).collect::<Vec<_>>();
            let (a, b, mut out) = (numbers(m * k, 7), numbers(k * n, 3), vec![9.0; m * n]);
            multiply(Isa::best(), &a, &b, n, &mut out);
            for (at, got) in out.into_iter().enumerate() {
                let expected: f32 = (0..k).map(|j| a[at / n * k + j] * b[j * n + at % n]).sum();
                assert_eq!(got, expected, "{m} {k} {n}");
            }
        }
    }
}
