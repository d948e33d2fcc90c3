//! Votes of flip backprop, against plain loops, and what their correction is for.

use onebit_bits::*;
use onebit_reference::gemm as reference;

use crate::{common::*, kernels::shapes};

#[test]
fn votes_and_their_correction() {
    for (m, k, n) in shapes() {
        let (own, signal) = (random_bits(1, 0, m, n), ternary(2, m, k));
        let (operand, changed) = (random_bits(3, 0, k, n), random_bits(4, 0, k, n));
        let count = |changed: Option<&[bool]>| {
            reference::votes(&signs(&own), &values(&signal), &signs(&operand), changed, (m, k, n))
        };
        let (expected, corrected) = (count(None), count(Some(&bools(&changed))));
        for engine in engines() {
            let asked = votes(&engine, own.view(), &signal, operand.view(), None).unwrap();
            assert_eq!(asked, expected, "votes ({m}, {k}, {n}) on {}", name(&engine));
            let asked = votes(&engine, own.view(), &signal, operand.view(), Some(changed.view())).unwrap();
            assert_eq!(asked, corrected, "corrected ({m}, {k}, {n}) on {}", name(&engine));
        }
    }
}

/// What the correction is for: it is the request that `h_old ^ h_new` toggles, and it counts nothing twice.
#[test]
fn correction_is_the_change_of_the_gates() {
    let (m, k, n) = (7, 130, 66);
    let (own, signal) = (random_bits(1, 0, m, n), ternary(2, m, k));
    let (old, new) = (random_bits(3, 0, k, n), random_bits(4, 0, k, n));
    let changed = old.xor(new.view()).unwrap();
    let corrected = votes(&Engine::single(), own.view(), &signal, old.view(), Some(changed.view())).unwrap();
    for r in 0..m {
        for c in 0..n {
            let count = (0..k).filter(|&k| {
                let h = |operand: &BitTensor| own.get(r, c) == operand.get(k, c);
                let asked = signal.get(r, k) != 0 && (signal.get(r, k) > 0) == h(&old);
                asked ^ (h(&old) ^ h(&new))
            });
            assert_eq!(corrected[r * n + c] as usize, count.count(), "({r}, {c})");
        }
    }
}

#[test]
fn votes_become_flips() {
    for (rows, cols) in [(0, 5), (5, 0), (1, 1), (3, 63), (4, 64), (5, 65), (2, 513)] {
        let votes: Vec<u32> = integers(1, rows * cols).iter().map(|&v| (v + 20) as u32).collect();
        // 40 voters: p_min 1/2 falls on a vote, 0.3 below the mean, 1 above all
        for p_min in [0.0, 0.1, 0.3, 0.5, 0.51, 1.0] {
            let flips = votes_to_flips(rows, cols, &votes, 40, p_min).unwrap();
            assert_eq!(
                bools(&flips),
                reference::votes_to_flips(&votes, 40, p_min),
                "({rows}, {cols}) {p_min}"
            );
            assert_padding(&flips, "votes_to_flips");
        }
    }
    // all alike: nobody is above the mean, even if all ask
    assert_eq!(votes_to_flips(1, 3, &[9; 3], 9, 0.0).unwrap().count_ones(), 0);
    assert_eq!(votes_to_flips(1, 3, &[u32::MAX, u32::MAX, 0], u32::MAX, 0.0).unwrap().count_ones(), 2);
}
