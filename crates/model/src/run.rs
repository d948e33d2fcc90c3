//! Inference.

use alloc::{vec, vec::Vec};

use onebit_bits::{BitTensor, Engine, pack_at_least, pack_thresholds, real_bits_t, xnor_gemm};

use crate::{
    error::{Error, Result},
    layer::{Affine, Dense, Layer, Limits, Output, Thresholds},
    model::Model,
};

/// What travels from layer to layer.
enum Value {
    Real(Vec<f32>),
    Bits(BitTensor),
}

impl Model {
    /// The score of each class for each row of `x: (b, features)`; the result is `(b, classes)`.
    ///
    /// # Errors
    /// [`Error::Input`] when `x` is not whole rows, [`Error::NotFinite`] for a NaN, an
    /// infinity, or a number that standardization takes to one.
    pub fn scores(&self, engine: &Engine, x: &[f32]) -> Result<Vec<f32>> {
        if !x.len().is_multiple_of(self.inputs) {
            return Err(Error::Input { features: self.inputs, values: x.len() });
        }
        let rows = x.len() / self.inputs;
        let mut value = Value::Real(self.standardized(x)?);
        for layer in &self.layers {
            value = run(engine, rows, layer, value)?;
        }
        match value {
            Value::Real(scores) => Ok(scores),
            Value::Bits(_) => unreachable!("a model's last layer gives scores, checked at construction"),
        }
    }

    /// The class with the highest score for each row of `x: (b, features)`; of equal ones the first.
    ///
    /// # Errors
    /// As [`scores`](Self::scores).
    pub fn classify(&self, engine: &Engine, x: &[f32]) -> Result<Vec<usize>> {
        let scores = self.scores(engine, x)?;
        Ok(scores.chunks_exact(self.classes()).map(best).collect())
    }

    /// `(x - mean) * scale`; a number so large that this overflows is refused as an infinity is.
    fn standardized(&self, raw: &[f32]) -> Result<Vec<f32>> {
        let features = self.standardize.mean.iter().zip(&self.standardize.scale).cycle();
        let x: Vec<f32> = raw.iter().zip(features).map(|(x, (mean, scale))| (x - mean) * scale).collect();
        match x.iter().position(|x| !x.is_finite()) {
            None => Ok(x),
            Some(at) => {
                Err(Error::NotFinite { row: at / self.inputs, feature: at % self.inputs, value: raw[at] })
            }
        }
    }
}

/// Index of the first of the highest scores; of one class at least.
pub fn best(scores: &[f32]) -> usize {
    let mut best = 0;
    for (class, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = class;
        }
    }
    best
}

fn run(engine: &Engine, rows: usize, layer: &Layer, x: Value) -> Result<Value> {
    match (layer, x) {
        (Layer::Binarize(b), Value::Real(x)) => {
            Ok(Value::Bits(pack_thresholds(engine, rows, b.features, &x, &b.thresholds)?))
        }
        (Layer::Binarize(_), Value::Bits(_)) => {
            unreachable!("binarize is the first layer, checked at construction")
        }
        (Layer::Dense(dense), Value::Real(x)) => {
            let mut sums = vec![0.0f32; rows * dense.weights.rows()];
            real_bits_t(engine, &x, dense.weights.view(), &mut sums)?;
            finish(engine, rows, dense, sums)
        }
        (Layer::Dense(dense), Value::Bits(x)) => {
            let mut sums = vec![0i32; rows * dense.weights.rows()];
            xnor_gemm(engine, x.view(), dense.weights.view(), &mut sums)?;
            finish(engine, rows, dense, sums)
        }
    }
}

/// Sums are i32 over bits and f32 over reals.
trait Sum: Copy {
    fn real(self) -> f32;
    fn compare(engine: &Engine, rows: usize, sums: &[Self], t: &Thresholds) -> Result<BitTensor>;
}

impl Sum for i32 {
    fn real(self) -> f32 {
        self as f32
    }

    fn compare(engine: &Engine, rows: usize, sums: &[i32], t: &Thresholds) -> Result<BitTensor> {
        let Limits::Integer(limits) = &t.limits else {
            unreachable!("sums of bits have integer limits, checked at construction")
        };
        Ok(pack_at_least(engine, rows, t.descending.cols(), sums, limits, t.descending.view())?)
    }
}

impl Sum for f32 {
    fn real(self) -> f32 {
        self
    }

    fn compare(engine: &Engine, rows: usize, sums: &[f32], t: &Thresholds) -> Result<BitTensor> {
        let Limits::Real(limits) = &t.limits else {
            unreachable!("sums of reals have real limits, checked at construction")
        };
        Ok(pack_at_least(engine, rows, t.descending.cols(), sums, limits, t.descending.view())?)
    }
}

fn finish<S: Sum>(engine: &Engine, rows: usize, dense: &Dense, sums: Vec<S>) -> Result<Value> {
    match &dense.output {
        Output::Bits(thresholds) => S::compare(engine, rows, &sums, thresholds).map(Value::Bits),
        Output::Scores(affine) => Ok(Value::Real(scores(&sums, affine))),
    }
}

fn scores<S: Sum>(sums: &[S], affine: &Affine) -> Vec<f32> {
    let units = affine.mean.iter().zip(&affine.scale).zip(&affine.shift);
    sums.iter()
        .zip(units.cycle())
        .map(|(s, ((mean, scale), shift))| (s.real() - mean) * scale + shift)
        .collect()
}
