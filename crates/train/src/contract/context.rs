//! What every verb of a layer is given: where to compute, why, and memory.

use onebit_bits::{BitTensor, Engine};

use crate::{
    contract::{recycled::Pool, value::Value},
    error::Result,
    numeric::matrix::Matrix,
};

/// Whether a pass is there to learn or to be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Statistics of the batch, dropout, and everything kept for the way back.
    Train,
    /// Running statistics, no dropout, nothing kept.
    Evaluate,
}

/// What every verb is given: where to compute, why, and memory.
///
/// One context serves all steps: a layer takes the memory of what it makes from it ([`matrix`](Self::matrix),
/// [`bits`](Self::bits)) and [gives back](Self::recycle) what it need not keep any more, so that the next steps
/// allocate nothing. Both are free to leave.
#[derive(Clone, Debug)]
pub struct Context {
    /// Instruction set and threads of the kernels.
    pub engine: Engine,
    /// Learning or judging.
    pub mode: Mode,
    /// How far the run is.
    pub clock: Clock,
    /// The classes of the batch that is learned from, for layers that judge themselves.
    pub labels: Vec<u32>,
    /// Whether this step is looked at: a rule keeps what it is asked for by [`inertia`](Rule::inertia) afterwards.
    pub inspected: bool,
    pool: Pool,
}

/// How far a run is, for what depends on it: approximations of the sign that sharpen, rules that begin an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// Epoch over all phases, from 0.
    pub epoch: usize,
    /// Epochs of the whole run.
    pub epochs: usize,
    /// Batch of the epoch, from 0.
    pub batch: usize,
}

impl Clock {
    /// The share of the epochs that is over, from 0 to below 1; 0 without a run.
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
            pool: Pool::default(),
        }
    }

    /// The same for evaluation: it shares the memory.
    pub fn evaluating(&self) -> Self {
        Self { mode: Mode::Evaluate, ..self.clone() }
    }

    /// Whether this pass learns.
    pub fn training(&self) -> bool {
        self.mode == Mode::Train
    }

    /// A matrix `(rows, cols)` of arbitrary values.
    pub fn matrix(&self, rows: usize, cols: usize) -> Matrix {
        self.pool.matrix(rows, cols)
    }

    /// Bits `(rows, cols)`, all 0.
    pub fn bits(&self, rows: usize, cols: usize) -> BitTensor {
        self.pool.bits(rows, cols)
    }

    /// So many arbitrary bytes.
    pub fn bytes(&self, len: usize) -> Vec<u8> {
        self.pool.bytes(len)
    }

    /// Gives back what nobody needs any more: `cx.recycle(self.kept.take())`.
    pub fn recycle<V: Into<Value>>(&self, values: impl IntoIterator<Item = V>) {
        values.into_iter().for_each(|value| self.pool.give(value.into()));
    }
}

impl Value {
    /// [`into_real`](Self::into_real) with memory from the context.
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
