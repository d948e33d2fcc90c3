//! From a trained network to the one that is deployed.
//!
//! Factors, normalization, scale and shift followed by a sign become one comparison. In evaluation a unit is on
//! when `f(s) = (s * factor - mean) * scale + shift >= limit`, where `s` is its sum. `f` is monotonic in `s`, in exact
//! arithmetic and in f32 alike, because subtracting, multiplying and adding a constant each keep the
//! order when they round. So there is a number `T` with
//!
//! | `factor * scale` | the unit is on when |
//! |---|---|
//! | > 0 | `s >= T`, `T` the least sum with `f(T) >= limit` |
//! | < 0 | `s <= T`, `T` the greatest such sum |
//! | = 0 | always when `f(0) >= limit`, else never |
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
    sums: Option<Sums>,
    at: (usize, &'static str), // index and name of the layer that is being exported
}

/// A dense layer that waits for what is made of its sums: `(s * factor - mean) * scale + shift`.
struct Sums {
    weights: BitTensor,
    factors: Option<Vec<f32>>,
    affine: Option<Affine>,
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
        self.sums = Some(Sums { weights, factors: None, affine: None });
        Ok(())
    }

    /// `s * factor` on the sums of the dense layer before.
    ///
    /// # Errors
    /// [`Error::Export`] when there is none, or something was made of them already.
    pub fn factors(&mut self, factors: Vec<f32>) -> Result<()> {
        match &mut self.sums {
            Some(Sums { weights, factors: slot @ None, affine: None }) if weights.rows() == factors.len() => {
                *slot = Some(factors);
                Ok(())
            }
            _ => Err(self.refuse("the runtime has it only right after a dense layer")),
        }
    }

    /// `(s - mean) * scale + shift` on the sums of the dense layer before, or on their [multiples](Self::factors).
    ///
    /// # Errors
    /// [`Error::Export`] when there is none, or it has been scaled already.
    pub fn scores(&mut self, mean: Vec<f32>, scale: Vec<f32>, shift: Vec<f32>) -> Result<()> {
        match &mut self.sums {
            Some(Sums { affine: affine @ None, .. }) => {
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
        let units = self.sums.as_ref().map_or(0, |sums| sums.weights.rows());
        self.sign_from(vec![0.0; units])
    }

    /// The sign of what has become of the sums, less a limit for each: a unit is on from there.
    ///
    /// # Errors
    /// [`Error::Export`] when there is no dense layer before, or it has another number of outputs.
    pub fn sign_from(&mut self, limits: Vec<f32>) -> Result<()> {
        let Some(Sums { weights, factors, affine }) = self.sums.take() else {
            return Err(self.refuse("there is no dense layer before it"));
        };
        if limits.len() != weights.rows() {
            return Err(self.refuse("it has another number of features than the dense layer before it"));
        }
        let affine = affine.unwrap_or_else(|| Affine::identity(weights.rows()));
        let unit = |o: usize| Unit {
            factor: factors.as_ref().map_or(1.0, |factors| factors[o]),
            mean: affine.mean[o],
            scale: affine.scale[o],
            shift: affine.shift[o],
            limit: limits[o],
        };
        let descending = BitTensor::from_fn(1, weights.rows(), |_, o| unit(o).descends());
        let units = (0..weights.rows()).map(unit);
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
        let Some(Sums { weights, factors: None, affine: None }) = self.sums.take() else {
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
    pub(crate) fn finish(mut self) -> Result<Vec<Layer>> {
        if let Some(Sums { weights, factors, affine }) = self.sums.take() {
            let affine = match (factors, affine) {
                (Some(_), Some(_)) => {
                    return Err(
                        self.refuse("the runtime has one factor a score, and there is another before it")
                    );
                }
                (Some(factors), None) => Affine { scale: factors, ..Affine::identity(weights.rows()) },
                (None, affine) => affine.unwrap_or_else(|| Affine::identity(weights.rows())),
            };
            self.layers.push(Layer::Dense(Dense { weights, output: Output::Scores(affine) }));
        }
        Ok(self.layers)
    }
}

/// What is made of the sum of one unit.
#[derive(Clone, Copy, Debug)]
struct Unit {
    factor: f32,
    mean: f32,
    scale: f32,
    shift: f32,
    limit: f32,
}

impl Unit {
    fn is_on(self, s: f32) -> bool {
        (s * self.factor - self.mean) * self.scale + self.shift >= self.limit
    }

    /// Whether it is the same for all sums.
    fn is_constant(self) -> bool {
        self.factor == 0.0 || self.scale == 0.0
    }

    /// Whether it is on for low sums.
    fn descends(self) -> bool {
        !self.is_constant() && (self.factor < 0.0) != (self.scale < 0.0)
    }
}

/// The limit for a unit whose sums are integers in `-n..=n`, which f32 represents exactly.
fn integer_limit(n: i32, unit: Unit) -> i32 {
    let on = |s: i64| unit.is_on(if unit.is_constant() { 0.0 } else { s as f32 });
    let n = i64::from(n);
    let limit = if unit.descends() {
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
    let on = |k: i64| unit.is_on(if unit.is_constant() { 0.0 } else { from_key(k) });
    let limit = if unit.descends() {
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

    /// A unit without factor and limit.
    fn plain((mean, scale, shift): (f32, f32, f32)) -> Unit {
        Unit { factor: 1.0, mean, scale, shift, limit: 0.0 }
    }

    #[test]
    fn a_unit_that_is_never_on_or_always_on() {
        assert_eq!(integer_limit(8, plain((0.0, 0.0, -1.0))), 9);
        assert_eq!(integer_limit(8, plain((0.0, 0.0, 0.0))), -8);
        assert_eq!(integer_limit(8, plain((0.0, -1.0, -100.0))), -9);
        assert_eq!(real_limit(plain((0.0, 0.0, -1.0))), f32::INFINITY);
        assert_eq!(real_limit(plain((0.0, 1.0, 0.0))), 0.0);
        assert_eq!(real_limit(plain((2.5, -3.0, 0.0))), 2.5);
        for unit in
            [Unit { factor: 0.0, ..plain((1.0, -1.0, 0.0)) }, Unit { factor: 2.0, ..plain((1.0, 0.0, 1.0)) }]
        {
            assert_eq!((integer_limit(8, unit), real_limit(unit)), (-8, f32::MIN), "always on");
            let off = Unit { limit: 1.5, ..unit };
            assert_eq!((integer_limit(8, off), real_limit(off)), (9, f32::INFINITY), "never on");
        }
    }

    prop_compose! {
        fn units()(
            factor in prop_oneof![Just(1.0f32), -2.0f32..2.0], mean in -300.0f32..300.0, scale in -2.0f32..2.0,
            shift in -3.0f32..3.0, limit in prop_oneof![Just(0.0f32), -1.0f32..1.0],
        ) -> Unit {
            Unit { factor, mean, scale, shift, limit }
        }
    }

    proptest! {
        #[test]
        fn integer_fold_equals_the_expression_at_every_sum(n in 1i32..300, unit in units()) {
            let limit = integer_limit(n, unit);
            for s in -n..=n {
                let folded = if unit.descends() { s <= limit } else { s >= limit };
                prop_assert_eq!(folded, unit.is_on(s as f32), "s = {}", s);
            }
        }

        #[test]
        fn real_fold_equals_the_expression_next_to_the_limit(unit in units(), far in -1e6f32..1e6) {
            let limit = real_limit(unit);
            let near = (-3..=3).map(|step| from_key(key(limit) + step)).filter(|s| s.is_finite());
            for s in near.chain([far, 0.0, -0.0]) {
                let folded = if unit.descends() { s <= limit } else { s >= limit };
                prop_assert_eq!(folded, unit.is_on(s), "s = {}", s);
            }
        }
    }
}
