//! Inference on one sample at a time, with the weights in place, for machines with little memory.

mod dot;
mod patch;
mod words;
mod workspace;

use alloc::vec::Vec;

use onebit_bits::Pool;

use crate::{
    error::{Error, Result},
    layer::{Binarize, Conv, Dense, Layer, Output, Thermometer, Thresholds},
    model::Model,
    rank::best,
};
use dot::{Value, dot};
use patch::Patch;
use words::{copy, get, set};
use workspace::{Sizes, Workspace};

/// Runs a model with its weights as they lie in the file, in a workspace that is allocated once.
///
/// A [`Session`](crate::Session) runs many samples at once and needs memory for packed weights. An
/// interpreter runs one sample at a time, on any processor, and allocates only when it is made. The scores
/// are the same, bit for bit.
///
/// ```
/// use onebit_model::{Interpreter, Model, top};
/// # use onebit_bits::BitTensor;
/// # use onebit_model::{Affine, Dense, Layer, Output};
/// # let weights = BitTensor::from_fn(2, 2, |o, i| (o, i) != (1, 1));
/// # let layer = Layer::Dense(Dense { weights, output: Output::Scores(Affine::identity(2)) });
/// # let file = Model::new(2, vec![layer], vec!["sum".into(), "difference".into()])?.to_bytes();
///
/// let model = Model::in_place(&file)?; // the weights stay in the file's bytes
/// let mut interpreter = Interpreter::new(&model)?;
/// assert_eq!(interpreter.classify(&[3.0, -1.0])?, 1);
/// let scores = interpreter.scores(&[3.0, -1.0])?;
/// assert_eq!(scores, [2.0, 4.0]);
/// assert!(top(scores, 2).eq([1, 0]));
/// # Ok::<(), onebit_model::Error>(())
/// ```
#[derive(Debug)]
pub struct Interpreter<'a, W = Vec<u64>> {
    model: &'a Model<W>,
    work: Workspace,
}

impl<W: AsRef<[u64]>> Model<W> {
    /// Bytes of the workspace of an [`Interpreter`]: 4 for each feature and class; the bits of two layers'
    /// outputs, the widest at even and at odd positions; and the patch under the largest kernel of a
    /// convolution.
    pub fn workspace(&self) -> usize {
        Sizes::of(self).bytes()
    }
}

impl<'a, W: AsRef<[u64]>> Interpreter<'a, W> {
    /// Makes an interpreter and allocates its [workspace](Model::workspace).
    ///
    /// # Errors
    /// [`Error::Bits`] for a dense layer with more inputs than an `i32` can count.
    pub fn new(model: &'a Model<W>) -> Result<Self> {
        for layer in &model.layers {
            if let Layer::Dense(Dense { weights, .. }) = layer {
                let (rows, cols) = weights.shape();
                i32::try_from(cols).map_err(|_| onebit_bits::Error::TooLarge { op: "dense", rows, cols })?;
            }
        }
        Ok(Self { model, work: Workspace::new(Sizes::of(model)) })
    }

    /// The class with the highest score for the sample `x: (features)`; of several equal ones the first.
    ///
    /// # Errors
    /// Returns the errors of [`scores`](Self::scores).
    pub fn classify(&mut self, x: &[f32]) -> Result<usize> {
        self.scores(x).map(best)
    }

    /// The scores `(classes)` of the sample `x: (features)`, valid until the next call.
    ///
    /// # Errors
    /// [`Error::Input`] unless `x` is one sample; [`Error::NotFinite`] or [`Error::NotByte`] for a feature
    /// that [`Model::scores`] refuses too.
    pub fn scores(&mut self, x: &[f32]) -> Result<&[f32]> {
        let (model, work) = (self.model, &mut self.work);
        let features = model.inputs;
        if x.len() != features {
            return Err(Error::Input { features, values: x.len() });
        }
        if model.takes_bytes() {
            model.check_bytes(0, x)?;
            work.reals.clear();
            work.reals.extend(x.iter().map(|x| 2.0 * x - 255.0)); // what a byte counts as
        } else {
            model.standardized(0, x, &mut work.reals)?;
        }
        let [even, odd] = &mut work.bits;
        let (mut from, mut to) = (odd, even);
        for (index, layer) in model.layers.iter().enumerate() {
            let x = if index == 0 { Value::Reals(&work.reals) } else { Value::Bits(from) };
            match (layer, x) {
                (Layer::Binarize(b), _) => binarize(b, &work.reals, to),
                (Layer::Thermometer(t), _) => thermometer(t, &work.reals, to),
                (Layer::Dense(dense), x) => run_dense(dense, x, to, &mut work.scores),
                (Layer::Conv(conv), x) => run_conv(conv, x, &mut work.patch, to)?,
            }
            core::mem::swap(&mut from, &mut to);
        }
        Ok(&work.scores)
    }
}

fn binarize(layer: &Binarize, x: &[f32], y: &mut [u64]) {
    y.fill(0);
    let columns = layer.thresholds.iter().flat_map(|t| x.iter().map(move |x| x > t));
    columns.enumerate().for_each(|(column, on)| set(y, column, on));
}

fn thermometer(layer: &Thermometer, x: &[f32], y: &mut [u64]) {
    y.fill(0);
    let mut column = 0;
    for pixel in x.chunks_exact(layer.channels) {
        for thresholds in layer.thresholds.chunks_exact(layer.channels) {
            for (x, t) in pixel.iter().zip(thresholds) {
                set(y, column, x > t);
                column += 1;
            }
        }
    }
}

fn run_dense<W: AsRef<[u64]>>(dense: &Dense<W>, x: Value, y: &mut [u64], scores: &mut [f32]) {
    let (units, inputs) = dense.weights.shape();
    let sum = |unit| dot(x, dense.weights.row(unit), inputs);
    match &dense.output {
        Output::Bits(thresholds) => {
            y.fill(0);
            for unit in 0..units {
                let sum = sum(unit).for_limits(&thresholds.limits);
                let descending = get(thresholds.descending.words(), unit);
                for column in (unit..thresholds.limits.len()).step_by(units) {
                    set(y, column, sum.on(&thresholds.limits, column, descending));
                }
            }
        }
        Output::Scores(a) => {
            for (unit, score) in scores.iter_mut().enumerate() {
                *score = (sum(unit).real() - a.mean[unit]) * a.scale[unit] + a.shift[unit];
            }
        }
    }
}

/// The bit of a pooling window is the OR of the bits of its sums, or their AND if the unit is descending. So
/// it starts as `descending`, and the first sum whose bit differs decides it.
fn run_conv<W: AsRef<[u64]>>(conv: &Conv<W>, x: Value, patch: &mut Patch, y: &mut [u64]) -> Result<()> {
    let (output, units) = (conv.output()?.1, conv.geometry.c_out);
    let window = conv.pool.unwrap_or(Pool { kernel: (1, 1), stride: (1, 1) });
    let of_group = units / conv.geometry.groups;
    let Thresholds { limits, descending } = &conv.thresholds;
    y.fill(0);
    for pixel in 0..output.h * output.w {
        let (top, left) = (pixel / output.w * window.stride.0, pixel % output.w * window.stride.1);
        let first = pixel * units;
        copy(descending.words(), 0, y, first, units);
        for place in 0..window.kernel.0 * window.kernel.1 {
            let at = (top + place / window.kernel.1, left + place % window.kernel.1);
            for group in 0..conv.geometry.groups {
                patch.gather(conv, at, group, x);
                for unit in group * of_group..(group + 1) * of_group {
                    let descending = get(descending.words(), unit);
                    if get(y, first + unit) == descending {
                        let sum = patch.dot(x, conv.weights.row(unit)).for_limits(limits);
                        set(y, first + unit, sum.on(limits, unit, descending));
                    }
                }
            }
        }
    }
    Ok(())
}
