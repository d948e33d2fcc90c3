//! The context of every verb: the engine to compute on, the mode of the pass and the buffers.

use onebit_bits::{BitTensor, Engine};

use crate::{
    contract::{recycled::BufferPool, value::Value},
    error::Result,
    numeric::matrix::Matrix,
};

/// The purpose of a pass: training or evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Uses the statistics of the batch and dropout, and keeps everything that the backward pass needs.
    Train,
    /// Uses running statistics and no dropout, and keeps nothing.
    Evaluate,
}

/// The context of every verb: the engine to compute on, the mode of the pass and the buffers.
///
/// One context serves all steps. Layers take their output buffers from it ([`matrix`](Self::matrix),
/// [`bits`](Self::bits)) and [recycle](Self::recycle) the values they no longer need, so that later steps do
/// not allocate. Both are optional.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::layer::Context;
///
/// let cx = Context::train(&Engine::single());
/// let buffer = cx.matrix(2, 3);
/// let address = buffer.values().as_ptr();
/// cx.recycle([buffer]);
/// assert_eq!(cx.matrix(3, 2).values().as_ptr(), address); // the same memory again
/// ```
#[derive(Clone, Debug)]
pub struct Context {
    /// Instruction set and threads of the kernels.
    pub engine: Engine,
    /// Training or evaluation.
    pub mode: Mode,
    /// Progress of the run.
    pub clock: Clock,
    /// The classes of the training batch, for layers with their own loss.
    pub labels: Vec<u32>,
    /// Whether this step is inspected: a rule then keeps what [`inertia`](crate::rules::Rule::inertia)
    /// reports.
    pub inspected: bool,
    pool: BufferPool,
}

/// Progress of a run, for estimators that sharpen and rules that act at the start of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// Epoch, counted from 0 over all phases.
    pub epoch: usize,
    /// Epochs of the whole run.
    pub epochs: usize,
    /// Batch within the epoch, counted from 0.
    pub batch: usize,
}

impl Clock {
    /// The share of the epochs that are done, from 0 to below 1; 0 outside a run.
    pub fn progress(self) -> f64 {
        self.epoch as f64 / self.epochs.max(1) as f64
    }
}

impl Context {
    /// A context for training on `engine`.
    pub fn train(engine: &Engine) -> Self {
        Self::new(engine, Mode::Train)
    }

    /// A context for evaluation on `engine`.
    pub fn evaluate(engine: &Engine) -> Self {
        Self::new(engine, Mode::Evaluate)
    }

    fn new(engine: &Engine, mode: Mode) -> Self {
        Self {
            engine: engine.clone(),
            mode,
            clock: Clock::default(),
            labels: Vec::new(),
            inspected: false,
            pool: BufferPool::default(),
        }
    }

    /// A copy for evaluation, which shares the buffers.
    pub fn evaluating(&self) -> Self {
        Self { mode: Mode::Evaluate, ..self.clone() }
    }

    /// Whether this is a training pass.
    pub fn training(&self) -> bool {
        self.mode == Mode::Train
    }

    /// Returns a matrix `(rows, cols)` of arbitrary values.
    pub fn matrix(&self, rows: usize, cols: usize) -> Matrix {
        self.pool.matrix(rows, cols)
    }

    /// Returns a copy of `matrix`.
    pub(crate) fn copy(&self, matrix: &Matrix) -> Matrix {
        let mut copy = self.matrix(matrix.rows(), matrix.cols());
        copy.values_mut().copy_from_slice(matrix.values());
        copy
    }

    /// Returns bits `(rows, cols)`, all 0.
    pub fn bits(&self, rows: usize, cols: usize) -> BitTensor {
        self.pool.bits(rows, cols)
    }

    /// Returns `len` arbitrary bytes.
    pub fn bytes(&self, len: usize) -> Vec<u8> {
        self.pool.bytes(len)
    }

    /// Takes back the memory of values that are no longer needed: `cx.recycle([matrix])`, or an `Option` of
    /// one.
    pub fn recycle<V: Into<Value>>(&self, values: impl IntoIterator<Item = V>) {
        values.into_iter().for_each(|value| self.pool.give(value.into()));
    }
}

impl Value {
    /// [`into_real`](Self::into_real) with a buffer of the context.
    pub(crate) fn into_pooled_real(self, cx: &Context, layer: &'static str) -> Result<Matrix> {
        match self {
            Value::Bytes(bytes) => {
                let mut x = cx.matrix(bytes.rows(), bytes.cols());
                bytes.write_real(x.values_mut());
                cx.recycle([bytes]);
                Ok(x)
            }
            x => x.into_real(layer),
        }
    }
}
