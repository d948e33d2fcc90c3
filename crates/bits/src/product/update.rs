//! Gradients that go to a training rule while they are in the cache, and are never stored.
//!
//! The gradient of a layer's weights, `dw = dy^T x`, is as large as the latent weights, and writing it to
//! memory and reading it back costs as much as computing it. The sink [`Updating`] hands each finished run of
//! it to an [`Update`], together with the same elements of the states that a training rule keeps, and of the
//! weights.
//!
//! ```
//! use onebit_bits::{BitTensor, Engine, Int8, Noise, Panels, Update, Updating, product};
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
//! let sink = Updating { states: &mut latent[..], weights: &mut weights, update: &Descent { rate: 1.0 } };
//! product(&engine, &dy_t, &x, sink)?;
//! assert_eq!(latent, [0.5 - 102.0, 0.5]);
//! assert_eq!((weights.get(0, 0), weights.get(1, 0)), (false, true));
//! # Ok::<(), onebit_bits::Error>(())
//! ```

use core::ops::Range;

use crate::{
    error::{Result, check_len, check_shape},
    machine::{Ahead, SharedSlice, Slices},
    product::{Open, Put},
    tensor::BitTensor,
};

/// The update of a training rule, applied to the gradient run by run. `S` is a slice or a tuple of slices:
/// the states.
pub trait Update<S>: Sync {
    /// Updates one run. `gradient`: elements `first..` of the gradient, (o, i), row after row; `states`: the
    /// same elements of the states; `weights`: the words with the same elements' bits, before the update, to
    /// be overwritten.
    ///
    /// A run lies in one row and begins with a word. Bits beyond the end of the run are cleared afterwards.
    /// Runs come in any order, on any thread, and their lengths depend on the number of threads.
    ///
    /// Implementations are `#[inline(always)]`, like all functions that they call, so that they are compiled
    /// for the instruction set.
    fn run(&self, first: usize, gradient: &[f32], states: S, weights: &mut [u64]);
}

/// A sink for the gradient of weights: hands it to an [`Update`] run by run.
#[derive(Debug)]
pub struct Updating<'a, S, U> {
    /// A slice or a tuple of slices of m * n elements each.
    pub states: S,
    /// (m, n) bits
    pub weights: &'a mut BitTensor,
    /// The update of a run.
    pub update: &'a U,
}

impl<'a, S: Slices, U: Update<S>> Open<f32> for Updating<'a, S, U> {
    type Opened = Runs<'a, S, U>;

    fn rows(&self, _: usize) -> Option<usize> {
        Some(self.weights.rows())
    }

    fn open(self, op: &'static str, (m, n): (usize, usize)) -> Result<Runs<'a, S, U>> {
        check_len(op, "states", (m, n), self.states.common_len()?)?;
        check_shape(op, "weights", (m, n), self.weights.shape())?;
        let (stride, words) = (self.weights.words_per_row(), SharedSlice::new(self.weights.words_mut()));
        Ok(Runs { n, states: self.states.share(), stride, words, update: self.update })
    }
}

/// Opened [`Updating`].
pub struct Runs<'a, S: Slices, U> {
    n: usize,
    states: S::Shared,
    /// Words of a row.
    stride: usize,
    words: SharedSlice<'a, u64>,
    update: &'a U,
}

impl<S: Slices, U: Update<S>> Put<f32> for Runs<'_, S, U> {
    fn ahead(&self, row: usize, cols: Range<usize>, ahead: &mut Ahead) {
        let first = row * self.n;
        S::ahead(&self.states, first + cols.start..first + cols.end, ahead);
    }

    #[inline(always)]
    fn put(&self, row: usize, col: usize, run: &[f32]) {
        let (first, word) = (row * self.n + col, row * self.stride + col / 64);
        // SAFETY: the states have the rows and columns of the product, and every run comes once.
        let states = unsafe { S::part(&self.states, first..first + run.len()) };
        // SAFETY: the weights have the rows and columns of the product; runs begin at multiples of 64, so no
        // two share a word.
        let words = unsafe { self.words.part(word..word + run.len().div_ceil(64)) };
        self.update.run(first, run, states, words);
        if let (Some(last), used @ 1..) = (words.last_mut(), run.len() % 64) {
            *last &= !(!0 << used);
        }
    }
}
