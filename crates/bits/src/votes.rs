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

use crate::{
    engine::{Engine, Tile},
    error::{Error, Result, check_len, check_shape},
    isa::multiversion,
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
    let (operand, changed) = (operand.transpose(), changed.map(|changed| changed.transpose()));
    let work = operand.words().len().saturating_mul(m);
    engine.tiles(&mut votes, n, work, |tile| match &changed {
        None => request_tile(engine.isa(), own, signal, operand.view(), tile),
        Some(changed) => {
            corrected_tile(engine.isa(), own, signal, operand.view(), changed.view(), tile);
        }
    });
    Ok(votes)
}

/// All ones for +1, else 0: XOR with it multiplies the bits of a word by the negative of a sign.
#[inline(always)]
fn spread(bit: bool) -> u64 {
    0u64.wrapping_sub(u64::from(bit))
}

multiversion! {
    /// operand: (n, k)
    fn request_tile(own: BitView, signal: &Ternary, operand: BitView, tile: Tile<u32>) {
        for (m, votes) in tile.rows.into_iter().enumerate() {
            let m = tile.row + m;
            let (sign, nonzero) = (signal.sign().row(m), signal.nonzero().row(m));
            for (n, votes) in votes.iter_mut().enumerate() {
                let n = tile.col + n;
                let own = spread(own.get(m, n));
                let planes = sign.iter().zip(nonzero).zip(operand.row(n));
                *votes = planes.map(|((s, nz), x)| (nz & (s ^ x ^ own)).count_ones()).sum();
            }
        }
    }
}

multiversion! {
    /// operand, changed: (n, k)
    fn corrected_tile(own: BitView, signal: &Ternary, operand: BitView, changed: BitView, tile: Tile<u32>) {
        for (m, votes) in tile.rows.into_iter().enumerate() {
            let m = tile.row + m;
            let (sign, nonzero) = (signal.sign().row(m), signal.nonzero().row(m));
            for (n, votes) in votes.iter_mut().enumerate() {
                let n = tile.col + n;
                let own = spread(own.get(m, n));
                let planes = sign.iter().zip(nonzero).zip(operand.row(n)).zip(changed.row(n));
                *votes = planes.map(|(((s, nz), x), c)| ((nz & (s ^ x ^ own)) ^ c).count_ones()).sum();
            }
        }
    }
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
    Ok(BitTensor::from_fn(rows, cols, |r, c| u64::from(votes[r * cols + c]) > needed))
}
