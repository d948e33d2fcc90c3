//! What becomes of a weight gradient while it is in the cache.
//!
//! The gradient of a layer's weights, `dw = dy^T x`, is as large as the latent weights, and writing it to memory and
//! reading it back costs as much as computing it. The products whose names end in `_with` hand each finished run of
//! it to an [`Update`], together with the same places of the states that a training rule keeps, and of the weights.
//!
//! ```
//! use onebit_bits::{BitTensor, Engine, Int8, Noise, Panels, Update, int8_gemm_with};
//!
//! /// `latent -= rate * gradient`; a weight is the latent's sign.
//! struct Descent {
//!     rate: f32,
//! }
//!
//! impl Update<&mut [f32]> for Descent {
//!     #[inline(always)]
//!     fn run(&self, _first: usize, gradient: &[f32], latent: &mut [f32], weights: &mut [u64]) {
//!         for (latent, gradient) in latent.iter_mut().zip(gradient) {
//!             *latent -= self.rate * gradient;
//!         }
//!         for (word, latent) in weights.iter_mut().zip(latent.chunks(64)) {
//!             *word = 0;
//!             for (bit, latent) in latent.iter().enumerate() {
//!                 *word |= u64::from(*latent >= 0.0) << bit;
//!             }
//!         }
//!     }
//! }
//!
//! let engine = Engine::single();
//! let (mut latent, mut weights) = ([0.5, 0.5], BitTensor::from_fn(2, 1, |_, _| true)); // (o = 2, i = 1)
//! let x = Panels::of_columns_for_reals(&engine, BitTensor::from_fn(2, 1, |b, _| b == 0).view()); // +1, -1
//! let (dy, mut dy_t) = ([127.0, 1.0, 25.0, 1.0], Int8::new()); // (b = 2, o = 2)
//! dy_t.round_transposed(&engine, 2, 2, &dy, Noise { seed: 1, step: 0 })?;
//! int8_gemm_with(&engine, &dy_t, &x, &mut latent[..], &mut weights, &Descent { rate: 1.0 })?;
//! assert_eq!(latent, [0.5 - 102.0, 0.5]);
//! assert_eq!((weights.get(0, 0), weights.get(1, 0)), (false, true));
//! # Ok::<(), onebit_bits::Error>(())
//! ```

use core::ops::Range;

use super::contract::Sink;
use crate::{
    error::{Result, check_len, check_shape},
    machine::{Ahead, SharedSlice, Slices},
    tensor::BitTensor,
};

/// A function of a run of the gradient: what a training rule does with it. `S` is a slice or a tuple of slices.
pub trait Update<S>: Sync {
    /// `gradient`: elements `first..` of the gradient: (o, i), row after row; `states`: the same elements.
    ///
    /// `weights` are the words that hold the same elements' bits, those before the update at first. A run lies in
    /// one row and begins with a word. Bits beyond the run's end are cleared afterwards.
    ///
    /// `#[inline(always)]`, like all that it calls, so that it is compiled for the instruction set; runs come in any
    /// order, on any thread, and how they are cut does depend on the number of threads.
    fn run(&self, first: usize, gradient: &[f32], states: S, weights: &mut [u64]);
}

/// Hands runs to an update.
pub(crate) struct Updating<'a, S: Slices, U> {
    n: usize,
    states: S::Shared,
    /// Words of a row.
    stride: usize,
    words: SharedSlice<'a, u64>,
    update: &'a U,
}

impl<'a, S: Slices, U> Updating<'a, S, U> {
    /// states: m * n, weights: (m, n).
    pub(crate) fn new(
        op: &'static str,
        (m, n): (usize, usize),
        states: S,
        weights: &'a mut BitTensor,
        update: &'a U,
    ) -> Result<Self> {
        check_len(op, "states", (m, n), states.common_len()?)?;
        check_shape(op, "weights", (m, n), weights.shape())?;
        let stride = weights.words_per_row();
        Ok(Self { n, states: states.share(), stride, words: SharedSlice::new(weights.words_mut()), update })
    }
}

impl<S: Slices, U: Update<S>> Sink<f32> for Updating<'_, S, U> {
    fn ahead(&self, row: usize, cols: Range<usize>, ahead: &mut Ahead) {
        let first = row * self.n;
        S::ahead(&self.states, first + cols.start..first + cols.end, ahead);
    }

    #[inline(always)]
    fn put(&self, row: usize, col: usize, run: &[f32]) {
        let (first, word) = (row * self.n + col, row * self.stride + col / 64);
        // SAFETY: the states have as many rows and columns as the product, and every run comes once.
        let states = unsafe { S::part(&self.states, first..first + run.len()) };
        // SAFETY: so have the weights; runs begin at multiples of 64, so no two share a word.
        let words = unsafe { self.words.part(word..word + run.len().div_ceil(64)) };
        self.update.run(first, run, states, words);
        if let (Some(last), used @ 1..) = (words.last_mut(), run.len() % 64) {
            *last &= !(!0 << used);
        }
    }
}
