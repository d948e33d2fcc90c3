//! Flip backprop: who asks a bit to flip, and which bits do.
//!
//! A gate computes `h = own * operand` over +-1, and a signal g in {-1, 0, +1} speaks about the sum of its h in
//! the gradient's convention: g > 0 wants the sum smaller. Gate (m, k, n) asks its own bit to flip exactly where
//! h has the sign of g, that is where `g_mk * own_mn * operand_kn > 0`, and
//!
//! `votes_mn = sum_k [g_mk own_mn operand_kn > 0]`.
//!
//! A product of three signs is positive where the XOR of their bits is 1, so with g in its two planes
//! `request = nz & (s ^ operand ^ own)`. Input-first learning keeps the request while the operand changes and
//! then corrects it by `h_old ^ h_new`, which is 1 where the operand changed: `votes = popcount_k(request ^ changed)`.
//! The operand is the one at the time of the request.
//!
//! ```
//! use onebit_bits::{BitTensor, Engine, Ternary, votes};
//!
//! // one sum that should shrink: its weights (+1 -1) against inputs (+1 +1) contribute +1 and -1
//! let weights = BitTensor::from_fn(1, 2, |_, i| i == 0);
//! let inputs = BitTensor::from_fn(1, 2, |_, _| true);
//! let signal = Ternary::from_i32(1, 1, &[1])?;
//! let asked = votes(&Engine::single(), weights.view(), &signal, inputs.view(), None)?;
//! assert_eq!(asked, [1, 0]); // the +1 is asked to flip
//! # Ok::<(), onebit_bits::Error>(())
//! ```

use alloc::{vec, vec::Vec};
use core::array;

use crate::{
    engine::{Engine, Tile},
    error::{Error, Result, check_len, check_shape},
    isa::multiversion,
    pack::compare,
    panel::{Counts, LANES, Panels, count_lanes},
    tensor::{BitTensor, BitView},
    ternary::Ternary,
};

/// How many of the k gates at each own bit ask it to flip: (m, n).
///
/// own: (m, n), signal: (m, k), operand: (k, n), changed: (k, n), 1 where the operand has changed since.
///
/// # Errors
/// [`Error::Shape`] unless the operands fit; [`Error::TooLarge`] if (m, n) does not fit into memory.
pub fn votes(
    engine: &Engine,
    own: BitView,
    signal: &Ternary,
    operand: BitView,
    changed: Option<BitView>,
) -> Result<Vec<u32>> {
    let ((m, n), k) = (own.shape(), signal.cols());
    check_shape("votes", "signal", (m, k), signal.shape())?;
    check_shape("votes", "operand", (k, n), operand.shape())?;
    if let Some(changed) = changed {
        check_shape("votes", "changed", (k, n), changed.shape())?;
    }
    let len = m.checked_mul(n).ok_or(Error::TooLarge { op: "votes", rows: m, cols: n })?;
    let mut votes = vec![0; len];
    if k > 0 {
        let work = signal.sign().words().len().saturating_mul(n);
        engine.tiles(&mut votes, n, work, |tile| {
            votes_tile(engine.isa(), own, signal, operand, changed, tile);
        });
    }
    Ok(votes)
}

multiversion! {
    fn votes_tile(
        own: BitView, signal: &Ternary, operand: BitView, changed: Option<BitView>, tile: &mut Tile<u32>,
    ) {
        match changed {
            None => count_requests::<false>(own, signal, operand, operand, tile),
            Some(changed) => count_requests::<true>(own, signal, operand, changed, tile),
        }
    }
}

/// `changed` only counts if `CORRECT`.
#[inline(always)]
fn count_requests<const CORRECT: bool>(
    own: BitView,
    signal: &Ternary,
    operand: BitView,
    changed: BitView,
    tile: &mut Tile<u32>,
) {
    let depth = signal.sign().words_per_row();
    let (mut operands, mut changes) = (Panels::new(depth), Panels::new(depth));
    let mut counts = Counts::default();
    for col in (0..tile.cols()).step_by(64) {
        let word = (tile.col + col) / 64;
        operands.lay_columns(operand, word);
        if CORRECT {
            changes.lay_columns(changed, word);
        }
        for r in 0..tile.rows() {
            let m = tile.row + r;
            let votes = &mut tile.row(r)[col..];
            let (sign, nonzero) = (&signal.sign().row(m)[..depth], &signal.nonzero().row(m)[..depth]);
            let panels = operands.first(votes.len()).zip(changes.first(votes.len()));
            for (p, ((x, c), count)) in panels.zip(&mut counts).enumerate() {
                let (x, c, own) = (&x[..depth], &c[..depth], spread(own.row(m)[word], p * LANES));
                *count = count_lanes(depth, |k| {
                    array::from_fn(|n| {
                        let request = nonzero[k] & (sign[k] ^ x[k][n] ^ own[n]);
                        if CORRECT { request ^ c[k][n] } else { request }
                    })
                });
            }
            for (votes, count) in votes.iter_mut().zip(counts.as_flattened()) {
                *votes = *count;
            }
        }
    }
}

/// Eight bits of a word, each as a word of its own: all ones for 1, else 0.
#[inline(always)]
fn spread(word: u64, first: usize) -> [u64; LANES] {
    array::from_fn(|lane| 0u64.wrapping_sub(word >> (first + lane) & 1))
}

/// Which bits flip: those with more votes than `max(mean(votes), p_min * voters)`. votes: (rows, cols).
///
/// `p_min` in 0..=1 is the least share of the voters that must ask: 1/2 is the sign of the sum of their wishes;
/// towards 0 nearly every bit flips that is asked at all, at 1 none does.
/// The mean is taken in integers, so the result is the same on every machine.
///
/// # Errors
/// [`Error::Length`] unless there are `rows * cols` votes, [`Error::Probability`] unless `p_min` is in 0..=1.
pub fn votes_to_flips(rows: usize, cols: usize, votes: &[u32], voters: u32, p_min: f64) -> Result<BitTensor> {
    check_len("votes_to_flips", "votes", (rows, cols), votes.len())?;
    if !(0.0..=1.0).contains(&p_min) {
        return Err(Error::Probability(p_min));
    }
    let sum: u64 = votes.iter().map(|&votes| u64::from(votes)).sum();
    // votes are whole numbers: they exceed a real one exactly if they exceed its floor
    let mean = sum / (votes.len() as u64).max(1);
    let needed = mean.max((p_min * f64::from(voters)) as u64);
    // the mean is at most the largest vote, and p_min * voters at most voters
    let needed = u32::try_from(needed).unwrap_or(u32::MAX);
    let mut flips = BitTensor::zeros(rows, cols);
    for r in 0..rows {
        let votes = votes[r * cols..][..cols].chunks(64);
        flips.row_mut(r).iter_mut().zip(votes).for_each(|(flips, votes)| {
            *flips = compare(votes, |_, votes| votes > needed);
        });
    }
    Ok(flips)
}
