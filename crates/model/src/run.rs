//! Inference.

use alloc::{borrow::Cow, vec, vec::Vec};
use core::ops::Deref;

use onebit_bits::{
    BitTensor, ConvWeights, Engine, Images, Panels, conv_reals, conv_threshold, pack_above, pack_at_least,
    pack_thresholds, pool_or_and, real_gemm_packed, u8_gemm_packed, xnor_gemm_packed, xnor_threshold,
};

use crate::{
    error::{Error, Result},
    layer::{Affine, Conv, Dense, Layer, Limits, Output, Thresholds},
    model::{Model, Standardize},
    rank::best,
};

/// Numbers of a batch in the widest place of the network, if it is not a single sample.
const WIDEST_BATCH: usize = 1 << 24;

/// Real sums of a convolution at once.
const REAL_SUMS: usize = 1 << 20;

impl<W: AsRef<[u64]>> Model<W> {
    /// The model with its weights packed for the instruction set of `engine`, for any number of calls.
    ///
    /// # Errors
    /// Those of the kernels; none is known.
    pub fn session<'a>(&'a self, engine: &Engine) -> Result<Session<'a, W>> {
        let packed = self.layers.iter().enumerate().map(|(index, layer)| pack(engine, index, layer));
        let (packed, batch) = (packed.collect::<Result<_>>()?, self.batch());
        Ok(Session { model: Held::Borrowed(self), engine: engine.clone(), packed, batch })
    }

    /// Samples that run at once.
    fn batch(&self) -> usize {
        let widest = self.layers.iter().map(Layer::widest).max().unwrap_or(0);
        (WIDEST_BATCH / widest.max(1)).max(1)
    }

    /// The score of each class for each row of `x: (b, features)`; the result is `(b, classes)`. Packs the weights
    /// each time: for more than one call make a [`session`](Self::session).
    ///
    /// # Errors
    /// [`Error::Input`] when `x` is not whole rows, [`Error::NotFinite`] for a NaN, an
    /// infinity, or a number that standardization takes to one.
    pub fn scores(&self, engine: &Engine, x: &[f32]) -> Result<Vec<f32>> {
        self.session(engine)?.scores(x)
    }

    /// The class with the highest score for each row of `x: (b, features)`; of equal ones the first.
    ///
    /// # Errors
    /// As [`scores`](Self::scores).
    pub fn classify(&self, engine: &Engine, x: &[f32]) -> Result<Vec<usize>> {
        self.session(engine)?.classify(x)
    }

    /// Refuses features that are no bytes, of rows from `first` on.
    pub(crate) fn check_bytes(&self, first: usize, raw: &[f32]) -> Result<()> {
        // a cast saturates, and makes 0 of NaN
        match raw.iter().position(|x| f32::from(*x as u8) != *x) {
            None => Ok(()),
            Some(at) => {
                let (row, feature) = (first + at / self.inputs, at % self.inputs);
                Err(Error::NotByte { row, feature, value: raw[at] })
            }
        }
    }

    /// `x = (raw - mean) * scale`, of rows from `first` on; a number so large that this overflows is refused as an infinity
    /// is.
    pub(crate) fn standardized(&self, first: usize, raw: &[f32], x: &mut Vec<f32>) -> Result<()> {
        let Standardize { mean, scale } = &self.standardize;
        x.clear();
        for raw in raw.chunks(self.inputs) {
            x.extend(raw.iter().zip(mean).zip(scale).map(|((x, mean), scale)| (x - mean) * scale));
        }
        match x.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(at) => {
                let (row, feature) = (first + at / self.inputs, at % self.inputs);
                Err(Error::NotFinite { row, feature, value: raw[at] })
            }
        }
    }
}

impl<W: AsRef<[u64]>> Model<W> {
    /// A [`session`](Self::session) that has the weights only as they are packed: half the memory, and of a model
    /// [in place](Model::in_place) nothing that is borrowed.
    ///
    /// # Errors
    /// As [`session`](Self::session).
    pub fn into_session(self, engine: &Engine) -> Result<Session<'static>> {
        let batch = self.batch();
        let Self { inputs, layers, labels, features, columns, standardize } = self;
        let (mut packed, mut rest) = (Vec::with_capacity(layers.len()), Vec::with_capacity(layers.len()));
        for (index, layer) in layers.into_iter().enumerate() {
            packed.push(pack(engine, index, &layer)?);
            rest.push(without_weights(layer));
        }
        let model = Model { inputs, layers: rest, labels, features, columns, standardize };
        Ok(Session { model: Held::Owned(model), engine: engine.clone(), packed, batch })
    }
}

fn without_weights<W>(layer: Layer<W>) -> Layer {
    let weights = BitTensor::default();
    match layer {
        Layer::Binarize(binarize) => Layer::Binarize(binarize),
        Layer::Thermometer(thermometer) => Layer::Thermometer(thermometer),
        Layer::Dense(Dense { output, .. }) => Layer::Dense(Dense { weights, output }),
        Layer::Conv(Conv { geometry, image, pool, thresholds, .. }) => {
            Layer::Conv(Conv { geometry, image, weights, pool, thresholds })
        }
    }
}

/// The weights of a layer for the kernels.
fn pack<W: AsRef<[u64]>>(engine: &Engine, index: usize, layer: &Layer<W>) -> Result<Packed> {
    Ok(match layer {
        Layer::Binarize(_) | Layer::Thermometer(_) => Packed::Nothing,
        Layer::Dense(d) if index == 0 => {
            let weights = Panels::of_rows_for_reals(engine, d.weights.view());
            match &d.output {
                Output::Bits(thresholds) if layer.has_integer_sums() => {
                    Packed::Bytes(weights, of_bytes(d, thresholds))
                }
                _ => Packed::Dense(weights),
            }
        }
        Layer::Dense(d) => Packed::Dense(Panels::of_rows(engine, d.weights.view())),
        Layer::Conv(c) if index == 0 => {
            Packed::Conv(ConvWeights::pack_for_reals(engine, c.geometry, c.weights.view())?)
        }
        Layer::Conv(c) => Packed::Conv(ConvWeights::pack(engine, c.geometry, c.weights.view())?),
    })
}

/// A model that is ready to run many times: see [`Model::session`].
///
/// Samples run in batches that hold 2^24 numbers at most where the network is widest, or one by one.
#[derive(Debug)]
pub struct Session<'a, W = Vec<u64>> {
    /// Of which only the packed weights are looked at.
    model: Held<'a, W>,
    engine: Engine,
    /// Of each layer.
    packed: Vec<Packed>,
    /// Samples at once.
    batch: usize,
}

#[derive(Debug)]
enum Held<'a, W> {
    Borrowed(&'a Model<W>),
    Owned(Model<W>),
}

impl<W> Deref for Held<'_, W> {
    type Target = Model<W>;

    fn deref(&self) -> &Model<W> {
        match self {
            Self::Borrowed(model) => model,
            Self::Owned(model) => model,
        }
    }
}

/// The weights of a layer as the kernels want them.
#[derive(Debug)]
enum Packed {
    Nothing,
    Dense(Panels),
    /// Of a dense layer on bytes, with the limits that the sums of bytes as they are have.
    Bytes(Panels, Vec<i32>),
    Conv(ConvWeights),
}

/// What travels from layer to layer: b samples of some columns. Bits may have their pixels as rows.
enum Value {
    Real(Vec<f32>),
    Bytes(Vec<u8>),
    Bits(BitTensor),
}

impl<W: AsRef<[u64]>> Session<'_, W> {
    /// As [`Model::scores`].
    ///
    /// # Errors
    /// As [`Model::scores`].
    pub fn scores(&self, x: &[f32]) -> Result<Vec<f32>> {
        let features = self.model.inputs;
        if !x.len().is_multiple_of(features) {
            return Err(Error::Input { features, values: x.len() });
        }
        let mut scores = Vec::with_capacity(x.len() / features * self.model.classes());
        for (index, raw) in x.chunks(self.batch.saturating_mul(features)).enumerate() {
            let first = index * self.batch;
            let mut value = if self.model.takes_bytes() {
                self.model.check_bytes(first, raw)?;
                Value::Bytes(raw.iter().map(|x| *x as u8).collect())
            } else {
                let mut x = Vec::with_capacity(raw.len());
                self.model.standardized(first, raw, &mut x)?;
                Value::Real(x)
            };
            for (layer, packed) in self.model.layers.iter().zip(&self.packed) {
                value = self.run(raw.len() / features, layer, packed, value)?;
            }
            match value {
                Value::Real(of_batch) => scores.extend(of_batch),
                _ => unreachable!("a model's last layer gives scores, checked at construction"),
            }
        }
        Ok(scores)
    }

    /// As [`Model::classify`].
    ///
    /// # Errors
    /// As [`Model::scores`].
    pub fn classify(&self, x: &[f32]) -> Result<Vec<usize>> {
        let scores = self.scores(x)?;
        Ok(scores.chunks_exact(self.model.classes()).map(best).collect())
    }

    fn run(&self, rows: usize, layer: &Layer<W>, packed: &Packed, x: Value) -> Result<Value> {
        let engine = &self.engine;
        match (layer, packed, x) {
            (Layer::Binarize(b), _, Value::Real(x)) => {
                Ok(Value::Bits(pack_thresholds(engine, rows, b.features, &x, &b.thresholds)?))
            }
            (Layer::Thermometer(t), _, Value::Real(x)) => {
                let pixels = rows * (t.features / t.channels);
                Ok(Value::Bits(pack_above(engine, pixels, t.channels, &x, &t.thresholds)?))
            }
            (Layer::Dense(dense), Packed::Bytes(weights, limits), Value::Bytes(x)) => {
                let Output::Bits(Thresholds { descending, .. }) = &dense.output else {
                    unreachable!("it has limits")
                };
                let mut sums = vec![0; rows * weights.n()];
                u8_gemm_packed(engine, &x, weights, &mut sums)?;
                let bits = pack_at_least(engine, rows, weights.n(), &sums, limits, descending.view())?;
                Ok(Value::Bits(bits))
            }
            (Layer::Dense(dense), Packed::Dense(weights), x) => self.dense(rows, dense, weights, x),
            (Layer::Conv(conv), Packed::Conv(weights), x) => {
                self.conv(rows, conv, weights, x).map(Value::Bits)
            }
            _ => unreachable!(
                "what binarizes is the first layer, checked at construction, and all others are packed"
            ),
        }
    }

    fn dense(&self, rows: usize, dense: &Dense<W>, weights: &Panels, x: Value) -> Result<Value> {
        let (engine, outputs, inputs) = (&self.engine, weights.n(), weights.k());
        let x = match x {
            Value::Real(x) => {
                let mut sums = vec![0.0; rows * outputs];
                real_gemm_packed(engine, &x, weights, &mut sums)?;
                return finish(engine, rows, dense, sums);
            }
            Value::Bits(x) => x.reshape(rows, inputs)?,
            Value::Bytes(_) => unreachable!("a dense layer on bytes is packed for them"),
        };
        match &dense.output {
            Output::Bits(Thresholds { limits: Limits::Integer(limits), descending })
                if limits.len() == outputs =>
            {
                let mut y = BitTensor::zeros(rows, outputs);
                xnor_threshold(engine, x.view(), weights, limits, descending.view(), &mut y)?;
                Ok(Value::Bits(y))
            }
            _ => {
                let mut sums = vec![0; rows * outputs];
                xnor_gemm_packed(engine, x.view(), weights, &mut sums)?;
                finish(engine, rows, dense, sums)
            }
        }
    }

    /// Bits with a row for each pixel. Thresholds come before the largest of each window is taken, which is the same.
    fn conv(&self, b: usize, conv: &Conv<W>, weights: &ConvWeights, x: Value) -> Result<BitTensor> {
        let (engine, outputs, descending) = (&self.engine, conv.geometry.c_out, &conv.thresholds.descending);
        let images = |b| Images { b, h: conv.image.0, w: conv.image.1 };
        let sums = Images { b, ..conv.output()?.0 };
        let pixels = sums.b * sums.h * sums.w;
        // in f32 the sums of bytes are exact, and so are their limits
        let (x, limits) = match (x, &conv.thresholds.limits) {
            (Value::Bytes(x), Limits::Integer(limits)) => {
                let x = x.iter().map(|byte| 2.0 * f32::from(*byte) - 255.0).collect();
                (Value::Real(x), Cow::Owned(Limits::Real(limits.iter().map(|limit| *limit as f32).collect())))
            }
            (x, limits) => (x, Cow::Borrowed(limits)),
        };
        let bits = match (x, &*limits) {
            (Value::Real(x), Limits::Real(limits)) => {
                let of_image = (images(1).h * images(1).w * conv.geometry.c_in, sums.h * sums.w);
                let at_once = (REAL_SUMS / (of_image.1 * outputs)).max(1);
                let mut words = Vec::with_capacity(pixels * outputs.div_ceil(64));
                let mut y = Vec::new();
                for x in x.chunks(at_once * of_image.0) {
                    let b = x.len() / of_image.0;
                    y.resize(b * of_image.1 * outputs, 0.0);
                    conv_reals(engine, x, images(b), weights, &mut y)?;
                    let on = pack_at_least(engine, b * of_image.1, outputs, &y, limits, descending.view())?;
                    words.extend(on.into_words());
                }
                BitTensor::from_words(pixels, outputs, words)?
            }
            (Value::Bits(x), Limits::Integer(limits)) => {
                let (x, mut y) = (
                    x.reshape(b * conv.image.0 * conv.image.1, conv.geometry.c_in)?,
                    BitTensor::zeros(pixels, outputs),
                );
                conv_threshold(engine, x.view(), images(b), weights, limits, descending.view(), &mut y)?;
                y
            }
            _ => unreachable!("limits are of the kind of the sums, checked at construction"),
        };
        let Some(pool) = conv.pool else { return Ok(bits) };
        let Images { h, w, .. } = conv.output()?.1;
        let mut pooled = BitTensor::zeros(b * h * w, outputs);
        pool_or_and(engine, bits.view(), sums, pool, descending.view(), &mut pooled)?;
        Ok(pooled)
    }
}

/// Sums are i32 over bits and f32 over reals.
trait Sum: onebit_bits::Sum {
    fn real(self) -> f32;
    fn limits(limits: &Limits) -> Option<&[Self]>;
}

impl Sum for i32 {
    fn real(self) -> f32 {
        self as f32
    }

    fn limits(limits: &Limits) -> Option<&[Self]> {
        match limits {
            Limits::Integer(limits) => Some(limits),
            Limits::Real(_) => None,
        }
    }
}

impl Sum for f32 {
    fn real(self) -> f32 {
        self
    }

    fn limits(limits: &Limits) -> Option<&[Self]> {
        match limits {
            Limits::Real(limits) => Some(limits),
            Limits::Integer(_) => None,
        }
    }
}

/// Limits on the sums `s` of bytes as they are: those on `2 s - 255 sum w`, which the bytes count as.
fn of_bytes<W: AsRef<[u64]>>(dense: &Dense<W>, thresholds: &Thresholds) -> Vec<i32> {
    let Limits::Integer(limits) = &thresholds.limits else { unreachable!("its sums are integers") };
    let (units, inputs) = dense.weights.shape();
    let limit = |(at, limit): (usize, &i32)| {
        let unit = at % units;
        let ones: u32 = dense.weights.row(unit).iter().map(|word| word.count_ones()).sum();
        let twice = i64::from(*limit) + 255 * (2 * i64::from(ones) - inputs as i64);
        let falls = thresholds.descending.get(0, unit);
        (if falls { twice.div_euclid(2) } else { (twice + 1).div_euclid(2) }) as i32
    };
    limits.iter().enumerate().map(limit).collect()
}

fn finish<S: Sum, W>(engine: &Engine, rows: usize, dense: &Dense<W>, sums: Vec<S>) -> Result<Value> {
    match &dense.output {
        Output::Bits(Thresholds { limits, descending }) => {
            let limits =
                S::limits(limits).expect("limits are of the kind of the sums, checked at construction");
            let bits = pack_at_least(engine, rows, descending.cols(), &sums, limits, descending.view())?;
            Ok(Value::Bits(bits))
        }
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
