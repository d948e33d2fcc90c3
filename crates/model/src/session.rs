//! Inference on many samples, with packed weights and vector instructions.

use alloc::{vec, vec::Vec};
use core::ops::Deref;

use onebit_bits::{
    BitTensor, ConvWeights, Engine, Images, Panels, Threshold, convolve, pack_above, pack_at_least,
    pack_thresholds, pool_or_and, product,
};

use crate::{
    error::{Error, Result},
    layer::{Affine, Conv, Dense, Layer, Limits, Output, Thresholds},
    model::{Model, Standardize},
    packed::{Packed, pack, without_weights},
    rank::best,
};

/// Most values of a batch where the network is widest; a wider sample runs alone.
const WIDEST_BATCH: usize = 1 << 24;

/// Most real sums of a convolution at once, unless one image has more.
const REAL_SUMS: usize = 1 << 20;

impl<W: AsRef<[u64]>> Model<W> {
    /// Packs the weights for the instruction set of `engine`, for any number of calls.
    ///
    /// # Errors
    /// [`Error::Bits`] from the kernels; a checked model is not known to cause one.
    pub fn session<'a>(&'a self, engine: &Engine) -> Result<Session<'a, W>> {
        let packed = self.layers.iter().enumerate().map(|(index, layer)| pack(engine, index, layer));
        let (packed, batch) = (packed.collect::<Result<_>>()?, self.batch());
        Ok(Session { model: Held::Borrowed(self), engine: engine.clone(), packed, batch })
    }

    /// Number of samples that run at once.
    fn batch(&self) -> usize {
        let widest = self.layers.iter().map(Layer::widest).max().unwrap_or(0);
        (WIDEST_BATCH / widest.max(1)).max(1)
    }

    /// The scores `(b, classes)` of the samples `x: (b, features)`. Packs the weights on each call; for more
    /// than one call, make a [`session`](Self::session).
    ///
    /// # Errors
    /// [`Error::Input`] if `x` is not whole rows; [`Error::NotFinite`] for a feature that is not finite,
    /// before or after standardization; [`Error::NotByte`] for a feature that is not a byte, if the model
    /// [takes bytes](Self::takes_bytes).
    pub fn scores(&self, engine: &Engine, x: &[f32]) -> Result<Vec<f32>> {
        self.session(engine)?.scores(x)
    }

    /// The class with the highest score for each of the samples `x: (b, features)`; of several equal ones the
    /// first.
    ///
    /// # Errors
    /// Returns the errors of [`scores`](Self::scores).
    pub fn classify(&self, engine: &Engine, x: &[f32]) -> Result<Vec<usize>> {
        self.session(engine)?.classify(x)
    }

    /// Refuses features that are not bytes. `raw` is whole rows, the first of which is number `first`.
    pub(crate) fn check_bytes(&self, first: usize, raw: &[f32]) -> Result<()> {
        // the cast saturates, and turns NaN into 0
        let is_byte = |x: &f32| f32::from(*x as u8) == *x;
        // no early exit, so that this loop runs in vectors
        if raw.iter().fold(true, |all, x| all & is_byte(x)) {
            return Ok(());
        }
        match raw.iter().position(|x| !is_byte(x)) {
            None => Ok(()),
            Some(at) => {
                let (row, feature) = (first + at / self.inputs, at % self.inputs);
                Err(Error::NotByte { row, feature, value: raw[at] })
            }
        }
    }

    /// `x = (raw - mean) * scale`. `raw` is whole rows, the first of which is number `first`. Refuses results
    /// that are not finite.
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
    /// A [`session`](Self::session) that keeps only the packed weights. It takes half the memory, and borrows
    /// nothing, not even from the file of a [`ModelView`](crate::ModelView).
    ///
    /// # Errors
    /// [`Error::Bits`] from the kernels; a checked model is not known to cause one.
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

/// A model with packed weights, ready to run many times: made by [`Model::session`] or
/// [`Model::into_session`].
///
/// Samples run in batches of at most 2^24 values where the network is widest, or one by one if a single
/// sample has more. Threads may share a session. Of calls that overlap, one uses the workers of the engine;
/// the others run on their own threads.
///
/// ```
/// use onebit_bits::{BitTensor, Engine};
/// use onebit_model::{Affine, Binarize, Dense, Layer, Model, Output};
///
/// // Three features as bits; the score of class 0 is the sum of their signs, of class 1 its opposite.
/// let binarize = Layer::Binarize(Binarize { features: 3, thresholds: vec![0.0] });
/// let weights = BitTensor::from_fn(2, 3, |class, _| class == 0);
/// let scores = Layer::Dense(Dense { weights, output: Output::Scores(Affine::identity(2)) });
/// let model = Model::new(3, vec![binarize, scores], vec!["up".into(), "down".into()])?;
///
/// let session = model.session(&Engine::single())?;
/// # fn shared<T: Send + Sync>(_: &T) {}
/// # shared(&session);
/// let x = [0.1, 2.0, 7.0, -1.0, -3.0, 0.5]; // two samples
/// assert_eq!(session.scores(&x)?, [3.0, -3.0, -1.0, 1.0]);
/// assert_eq!(session.classify(&x)?, [0, 1]);
/// # Ok::<(), onebit_model::Error>(())
/// ```
#[derive(Debug)]
pub struct Session<'a, W = Vec<u64>> {
    /// The model; its own weights are not read.
    model: Held<'a, W>,
    engine: Engine,
    /// The weights of each layer.
    packed: Vec<Packed>,
    /// Number of samples that run at once.
    batch: usize,
}

/// A borrowed model, or an owned one without its weights.
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

/// A batch between two layers: a row for each sample, or, of bits, for each pixel.
enum Value {
    Real(Vec<f32>),
    Bytes(Vec<u8>),
    Bits(BitTensor),
}

impl<W: AsRef<[u64]>> Session<'_, W> {
    /// The scores `(b, classes)` of the samples `x: (b, features)`.
    ///
    /// # Errors
    /// Returns the errors of [`Model::scores`].
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

    /// The class with the highest score for each of the samples `x: (b, features)`; of several equal ones the
    /// first.
    ///
    /// # Errors
    /// Returns the errors of [`Model::scores`].
    pub fn classify(&self, x: &[f32]) -> Result<Vec<usize>> {
        let scores = self.scores(x)?;
        Ok(scores.chunks_exact(self.model.classes()).map(best).collect())
    }

    /// Runs one layer on `rows` samples.
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
                    unreachable!("a layer on bytes has limits")
                };
                let mut sums = vec![0; rows * weights.n()];
                product(engine, &x[..], weights, &mut sums[..])?;
                let bits = pack_at_least(engine, rows, weights.n(), &sums, limits, descending.view())?;
                Ok(Value::Bits(bits))
            }
            (Layer::Dense(dense), Packed::Dense(weights), x) => self.dense(rows, dense, weights, x),
            (Layer::Conv(conv), Packed::Conv(weights), Value::Bits(x)) => {
                let x = x.reshape(rows * conv.image.0 * conv.image.1, conv.geometry.c_in)?;
                self.pooled(rows, conv, self.conv(rows, conv, weights, x)?)
            }
            (Layer::Conv(conv), Packed::ConvOfReals(weights, limits), x) => {
                let x = match x {
                    // what a byte counts as
                    Value::Bytes(x) => x.iter().map(|byte| 2.0 * f32::from(*byte) - 255.0).collect(),
                    Value::Real(x) => x,
                    Value::Bits(_) => unreachable!("the first layer has no bits"),
                };
                self.pooled(rows, conv, self.conv_of_reals(rows, conv, weights, limits, &x)?)
            }
            _ => unreachable!(
                "only the first layer binarizes, checked at construction, and all others have packed weights"
            ),
        }
    }

    fn dense(&self, rows: usize, dense: &Dense<W>, weights: &Panels, x: Value) -> Result<Value> {
        let (engine, outputs, inputs) = (&self.engine, weights.n(), weights.k());
        let x = match x {
            Value::Real(x) => {
                let mut sums = vec![0.0; rows * outputs];
                product(engine, &x[..], weights, &mut sums[..])?;
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
                let sink = Threshold { thresholds: limits, descending: descending.view(), bits: &mut y };
                product(engine, x.view(), weights, sink)?;
                Ok(Value::Bits(y))
            }
            _ => {
                let mut sums = vec![0; rows * outputs];
                product(engine, x.view(), weights, &mut sums[..])?;
                finish(engine, rows, dense, sums)
            }
        }
    }

    /// A convolution of bits: `(b h w, c)` to `(b h' w', o)`, before pooling.
    fn conv(&self, b: usize, conv: &Conv<W>, weights: &ConvWeights, x: BitTensor) -> Result<BitTensor> {
        let (engine, Thresholds { limits, descending }) = (&self.engine, &conv.thresholds);
        let Limits::Integer(limits) = limits else {
            unreachable!("limits are of the kind of the sums, checked at construction")
        };
        let pixels = conv.output()?.0;
        let mut y = BitTensor::zeros(b * pixels.h * pixels.w, conv.geometry.c_out);
        let sink = Threshold { thresholds: limits, descending: descending.view(), bits: &mut y };
        convolve(engine, x.view(), images(b, conv), weights, sink)?;
        Ok(y)
    }

    /// A convolution of reals `(b, h w c)` to bits `(b h' w', o)`, some images at a time.
    fn conv_of_reals(
        &self,
        b: usize,
        conv: &Conv<W>,
        weights: &ConvWeights,
        limits: &[f32],
        x: &[f32],
    ) -> Result<BitTensor> {
        let (engine, outputs, sums) = (&self.engine, conv.geometry.c_out, conv.output()?.0);
        let (of_image, pixels) = (x.len() / b.max(1), sums.h * sums.w);
        let at_once = (REAL_SUMS / (pixels * outputs)).max(1);
        let mut words = Vec::with_capacity(b * pixels * outputs.div_ceil(64));
        let mut y = Vec::new();
        for x in x.chunks(at_once * of_image) {
            let b = x.len() / of_image;
            y.resize(b * pixels * outputs, 0.0);
            convolve(engine, x, images(b, conv), weights, &mut y[..])?;
            let descending = conv.thresholds.descending.view();
            words.extend(pack_at_least(engine, b * pixels, outputs, &y, limits, descending)?.into_words());
        }
        Ok(BitTensor::from_words(b * pixels, outputs, words)?)
    }

    /// Max pooling of bits: OR, or AND where the unit is descending. It equals thresholds on the pooled sums.
    fn pooled(&self, b: usize, conv: &Conv<W>, x: BitTensor) -> Result<Value> {
        let Some(pool) = conv.pool else { return Ok(Value::Bits(x)) };
        let (sums, pooled) = conv.output()?;
        let mut y = BitTensor::zeros(b * pooled.h * pooled.w, conv.geometry.c_out);
        let descending = conv.thresholds.descending.view();
        pool_or_and(&self.engine, x.view(), Images { b, ..sums }, pool, descending, &mut y)?;
        Ok(Value::Bits(y))
    }
}

fn images<W>(b: usize, conv: &Conv<W>) -> Images {
    Images { b, h: conv.image.0, w: conv.image.1 }
}

/// The type of a sum: `i32` over bits, `f32` over reals.
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

/// The outputs of a dense layer from its sums `(rows, o)`.
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
