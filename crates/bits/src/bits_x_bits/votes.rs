//! Flip backprop: the number of votes for each bit to flip, and the bits that flip.
//!
//! A gate computes `h = own * operand` over +-1. A signal g in {-1, 0, +1} speaks about the sum of its h in
//! the gradient's convention: g > 0 wants the sum smaller. Gate (m, k, n) votes for its own bit to flip
//! exactly where h has the sign of g, that is, where `g_mk * own_mn * operand_kn > 0`:
//!
//! `votes_mn = sum_k [g_mk own_mn operand_kn > 0]`.
//!
//! A product of three signs is positive where the XOR of their bits is 1, so with g in its two planes
//! `request = nz & (s ^ operand ^ own)`. Input-first learning keeps the request while the operand changes,
//! and then corrects it by `h_old ^ h_new`, which is 1 where the operand changed:
//! `votes = popcount_k(request ^ changed)`. The operand is the one at the time of the request.
//!
//! ```
//! use onebit_bits::{BitTensor, Engine, Ternary, votes};
//!
//! // one sum that should shrink: its weights (+1 -1) against inputs (+1 +1) contribute +1 and -1
//! let weights = BitTensor::from_fn(1, 2, |_, i| i == 0);
//! let inputs = BitTensor::from_fn(1, 2, |_, _| true);
//! let signal = Ternary::from_i32(1, 1, &[1])?;
//! let asked = votes(&Engine::single(), weights.view(), &signal, inputs.view(), None)?;
//! assert_eq!(asked, [1, 0]); // the +1 should flip
//! # Ok::<(), onebit_bits::Error>(())
//! ```

use alloc::{vec, vec::Vec};

use super::{signs::Signs, tiles::multiply};
use crate::{
    error::{Error, Result, check_len, check_shape},
    machine::{Engine, Scratch, SharedSlice, scratch},
    panels::Panels,
    product::Put,
    tensor::{BitTensor, BitView, Ternary, compare},
};

/// The number of the k gates at each own bit that vote for it to flip: (m, n).
///
/// own: (m, n), signal: (m, k), operand: (k, n), changed: (k, n), 1 where the operand has changed since the
/// request.
///
/// # Errors
/// [`Error::Shape`] unless the operands fit; [`Error::TooLarge`] if (m, n) does not fit into memory, or k
/// exceeds `i32`.
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
    i32::try_from(k).map_err(|_| Error::TooLarge { op: "votes", rows: m, cols: k })?;
    let len = m.checked_mul(n).ok_or(Error::TooLarge { op: "votes", rows: m, cols: n })?;
    let mut votes = vec![0; len];
    // Where the signal speaks, a changed operand reverses the request, as if the operand were the opposite.
    let turned = changed.map(|changed| operand.xor(changed)).transpose()?;
    let operand = turned.as_ref().map_or(operand, BitTensor::view);
    let left = Signs::ternary(signal);
    let requests = Requests {
        own,
        n,
        voters: row_counts(m, |row| left.nonzeros(row)),
        votes: SharedSlice::new(&mut votes),
    };
    multiply(engine, left, &Panels::of_columns(engine, operand), &requests);
    // Where the signal is silent, no request existed, and the change is a vote.
    if let (Some(changed), true) = (changed, signal.has_zeros()) {
        let silent = signal.nonzero().not();
        let silent = Signs { sign: silent.view(), nonzero: Some(silent.view()) };
        let voters = row_counts(m, |row| silent.nonzeros(row));
        let changes = Changes { n, voters, votes: SharedSlice::new(&mut votes) };
        multiply(engine, silent, &Panels::of_columns(engine, changed), &changes);
    }
    Ok(votes)
}

fn row_counts(rows: usize, count: impl Fn(usize) -> i32) -> Scratch<i32> {
    let mut counts = scratch(rows);
    counts.iter_mut().enumerate().for_each(|(row, to)| *to = count(row));
    counts
}

/// Stores the number of requests `g own operand > 0`, from `s = sum_k g operand` of v voters:
/// `(v + own s) / 2`.
struct Requests<'a> {
    own: BitView<'a>,
    n: usize,
    voters: Scratch<i32>,
    votes: SharedSlice<'a, u32>,
}

impl Put<i32> for Requests<'_> {
    #[inline(always)]
    fn put(&self, row: usize, col: usize, sums: &[i32]) {
        let first = row * self.n + col;
        // SAFETY: the votes have the rows and columns of the product, and every run comes once.
        let votes = unsafe { self.votes.part(first..first + sums.len()) };
        let (voters, own) = (self.voters[row], self.own.row(row)[col / 64] >> (col % 64));
        for (j, (votes, s)) in votes.iter_mut().zip(sums).enumerate() {
            let minus = (own >> j & 1) as i32 - 1; // all ones for -1
            *votes = (voters + (s ^ minus) - minus) as u32 / 2;
        }
    }
}

/// Adds the number of ones among v bits whose sum as +-1 is s: `(v + s) / 2`.
struct Changes<'a> {
    n: usize,
    voters: Scratch<i32>,
    votes: SharedSlice<'a, u32>,
}

impl Put<i32> for Changes<'_> {
    #[inline(always)]
    fn put(&self, row: usize, col: usize, sums: &[i32]) {
        let first = row * self.n + col;
        // SAFETY: the votes have the rows and columns of the product, and every run comes once.
        let votes = unsafe { self.votes.part(first..first + sums.len()) };
        for (votes, s) in votes.iter_mut().zip(sums) {
            *votes += (self.voters[row] + s) as u32 / 2;
        }
    }
}

/// The bits with more votes than `max(mean(votes), p_min * voters)` flip. votes: (rows, cols).
///
/// `p_min` in 0..=1 is the least share of votes: at 1/2, bits follow the majority; near 0, nearly every bit
/// flips that has a vote; at 1, none does. The mean is taken in integers, so the result is the same on every
/// machine.
///
/// # Errors
/// [`Error::Length`] unless there are `rows * cols` votes, [`Error::Probability`] unless `p_min` is in 0..=1.
pub fn votes_to_flips(rows: usize, cols: usize, votes: &[u32], voters: u32, p_min: f64) -> Result<BitTensor> {
    check_len("votes_to_flips", "votes", (rows, cols), votes.len())?;
    if !(0.0..=1.0).contains(&p_min) {
        return Err(Error::Probability(p_min));
    }
    let sum: u64 = votes.iter().map(|&votes| u64::from(votes)).sum();
    // votes are integers: they exceed a real number exactly if they exceed its floor
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
