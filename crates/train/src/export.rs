//! From a trained network to the one that is deployed.
//!
//! Normalization, scale and shift followed by a sign become one comparison. In evaluation a unit is on
//! when `f(s) = (s - mean) * scale + shift >= 0`, where `s` is its sum. `f` is monotonic in `s`, in exact
//! arithmetic and in f32 alike, because subtracting, multiplying and adding a constant each keep the
//! order when they round. So there is a number `T` with
//!
//! | `scale` | the unit is on when |
//! |---|---|
//! | > 0 | `s >= T`, `T` the least sum with `f(T) >= 0` |
//! | < 0 | `s <= T`, `T` the greatest such sum |
//! | = 0 | always when `shift >= 0`, else never |
//!
//! `T` is found by bisection on the very expression that training evaluates, over all integers that a sum
//! of `n` bits can be, or over all f32 for the sums of a real first layer. So the fold is exact: the
//! deployed network gives the bits that the trained one gives in evaluation.

use onebit_bits::BitTensor;
use onebit_model::{Affine, Binarize, Dense, Layer, Limits, Output, Thresholds};

use crate::error::{Error, Result};

/// Collects the layers of the network that will be deployed; each training layer adds its part.
#[derive(Default)]
pub struct Exporter {
    layers: Vec<Layer>,
    sums: Option<(BitTensor, Option<Affine>)>, // a dense layer that waits for what is made of its sums
    at: (usize, &'static str),                 // index and name of the layer that is being exported
}

impl Exporter {
    /// An error that says why the layer at hand cannot be exported.
    pub fn refuse(&self, reason: &str) -> Error {
        let (index, layer) = self.at;
        Error::Export { index, layer: layer.into(), reason: reason.into() }
    }

    /// Features to bits by thresholds.
    ///
    /// # Errors
    /// [`Error::Export`] anywhere but at the start.
    pub fn binarize(&mut self, features: usize, thresholds: Vec<f32>) -> Result<()> {
        if !self.layers.is_empty() || self.sums.is_some() {
            return Err(self.refuse("the runtime has it only as the first layer"));
        }
        self.layers.push(Layer::Binarize(Binarize { features, thresholds }));
        Ok(())
    }

    /// A product with binary weights, `(o, i)`.
    ///
    /// # Errors
    /// [`Error::Export`] when the sums of another are still waiting: nothing nonlinear lies between.
    pub fn dense(&mut self, weights: BitTensor) -> Result<()> {
        if self.sums.is_some() {
            return Err(self.refuse("no sign stands between it and the product before"));
        }
        self.sums = Some((weights, None));
        Ok(())
    }

    /// `(s - mean) * scale + shift` on the sums of the dense layer before.
    ///
    /// # Errors
    /// [`Error::Export`] when there is none, or it has been scaled already.
    pub fn scores(&mut self, mean: Vec<f32>, scale: Vec<f32>, shift: Vec<f32>) -> Result<()> {
        match &mut self.sums {
            Some((_, affine @ None)) => {
                *affine = Some(Affine { mean, scale, shift });
                Ok(())
            }
            _ => Err(self.refuse("the runtime has it only right after a dense layer")),
        }
    }

    /// The sign of what has become of the sums.
    ///
    /// # Errors
    /// [`Error::Export`] when there is no dense layer before.
    pub fn sign(&mut self) -> Result<()> {
        let Some((weights, affine)) = self.sums.take() else {
            return Err(self.refuse("there is no dense layer before it"));
        };
        let affine = affine.unwrap_or_else(|| Affine::identity(weights.rows()));
        let descending = BitTensor::from_fn(1, weights.rows(), |_, o| affine.scale[o] < 0.0);
        let units = (0..weights.rows()).map(|o| (affine.mean[o], affine.scale[o], affine.shift[o]));
        let limits = if self.layers.is_empty() {
            Limits::Real(units.map(real_limit).collect())
        } else {
            let n = weights.cols() as i32;
            Limits::Integer(units.map(|unit| integer_limit(n, unit)).collect())
        };
        let output = Output::Bits(Thresholds { limits, descending });
        self.layers.push(Layer::Dense(Dense { weights, output }));
        Ok(())
    }

    /// Integer limits `(d, o)` on the sums of the dense layer before; `descending: (1, o)`.
    ///
    /// # Errors
    /// [`Error::Export`] when there is no dense layer before.
    pub fn thresholds(&mut self, limits: Vec<i32>, descending: BitTensor) -> Result<()> {
        let Some((weights, None)) = self.sums.take() else {
            return Err(self.refuse("there is no dense layer before it"));
        };
        let output = Output::Bits(Thresholds { limits: Limits::Integer(limits), descending });
        self.layers.push(Layer::Dense(Dense { weights, output }));
        Ok(())
    }

    /// The layer that comes now.
    pub(crate) fn enter(&mut self, index: usize, name: &'static str) {
        self.at = (index, name);
    }

    /// All layers; the last product gives the scores.
    pub(crate) fn finish(mut self) -> Vec<Layer> {
        if let Some((weights, affine)) = self.sums.take() {
            let affine = affine.unwrap_or_else(|| Affine::identity(weights.rows()));
            self.layers.push(Layer::Dense(Dense { weights, output: Output::Scores(affine) }));
        }
        self.layers
    }
}

/// Mean, scale and shift of one unit.
type Unit = (f32, f32, f32);

fn is_on(s: f32, (mean, scale, shift): Unit) -> bool {
    (s - mean) * scale + shift >= 0.0
}

/// The limit for a unit whose sums are integers in `-n..=n`, which f32 represents exactly.
fn integer_limit(n: i32, unit: Unit) -> i32 {
    let on = |s: i64| is_on(s as f32, unit);
    let n = i64::from(n);
    let limit = if unit.1 < 0.0 {
        // The greatest s that is on; -n - 1 when none is.
        first(-n, n + 1, |s| !on(s)) - 1
    } else {
        first(-n, n + 1, on)
    };
    limit as i32
}

/// The limit for a unit whose sums are f32; an infinity when it is never on.
fn real_limit(unit: Unit) -> f32 {
    let (lowest, highest) = (key(f32::MIN), key(f32::MAX));
    let on = |k: i64| is_on(from_key(k), unit);
    let limit = if unit.1 < 0.0 {
        first(lowest, highest + 1, |k| !on(k)) - 1
    } else {
        first(lowest, highest + 1, on)
    };
    from_key(limit)
}

/// The least `k` in `low..high` for which the monotonic `on` holds; `high` when it never does.
fn first(mut low: i64, mut high: i64, on: impl Fn(i64) -> bool) -> i64 {
    while low < high {
        let middle = low + (high - low) / 2;
        if on(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// The position of a float in the order of all floats; the infinities are the neighbours of the extremes.
fn key(x: f32) -> i64 {
    let bits = i64::from(x.to_bits() & 0x7fff_ffff);
    if x.is_sign_negative() { -bits } else { bits }
}

fn from_key(key: i64) -> f32 {
    let magnitude = f32::from_bits(key.unsigned_abs() as u32);
    if key < 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_unit_that_is_never_on_or_always_on() {
        assert_eq!(integer_limit(8, (0.0, 0.0, -1.0)), 9);
        assert_eq!(integer_limit(8, (0.0, 0.0, 0.0)), -8);
        assert_eq!(integer_limit(8, (0.0, -1.0, -100.0)), -9);
        assert_eq!(real_limit((0.0, 0.0, -1.0)), f32::INFINITY);
        assert_eq!(real_limit((0.0, 1.0, 0.0)), 0.0);
        assert_eq!(real_limit((2.5, -3.0, 0.0)), 2.5);
    }

    proptest! {
        #[test]
        fn integer_fold_equals_the_expression_at_every_sum(
            n in 1i32..300, mean in -300.0f32..300.0, scale in -2.0f32..2.0, shift in -3.0f32..3.0,
        ) {
            let unit = (mean, scale, shift);
            let limit = integer_limit(n, unit);
            for s in -n..=n {
                let folded = if scale < 0.0 { s <= limit } else { s >= limit };
                prop_assert_eq!(folded, is_on(s as f32, unit), "s = {}", s);
            }
        }

        #[test]
        fn real_fold_equals_the_expression_next_to_the_limit(
            mean in -300.0f32..300.0, scale in -2.0f32..2.0, shift in -3.0f32..3.0, far in -1e6f32..1e6,
        ) {
            let unit = (mean, scale, shift);
            let limit = real_limit(unit);
            let near = (-3..=3).map(|step| from_key(key(limit) + step)).filter(|s| s.is_finite());
            for s in near.chain([far, 0.0, -0.0]) {
                let folded = if scale < 0.0 { s <= limit } else { s >= limit };
                prop_assert_eq!(folded, is_on(s, unit), "s = {}", s);
            }
        }
    }
}
