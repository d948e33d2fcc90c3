//! A classifier of a block's own: local errors (arXiv:1901.06656), so that a block need not wait for those behind it.
//!
//! Forward: the block's bits, as they are. While training, a binary product and thresholds make scores of them too, whose error
//! `dL/dx` against the batch's classes is there at once. Backward: that error, added to the one from behind or in its
//! place. The deployed network has no such layer.

use crate::{
    contract::{
        context::Context,
        export::Exporter,
        kept::Kept,
        layer::Layer,
        state::State,
        value::{Signal, Value},
    },
    error::{Error, Result},
    layers::{Dense, Threshold},
    losses::Loss,
    numeric::matrix::Matrix,
};

const NAME: &str = "local_head";

/// What the blocks before the last learn from besides the error of the scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Heads {
    /// Each also from a classifier of its own.
    Beside,
    /// Each from its own classifier alone: nothing travels between blocks.
    Alone,
}

/// Scores of a block's own, and their error.
pub struct LocalHead {
    dense: Dense,
    norm: Threshold,
    loss: Box<dyn Loss>,
    heads: Heads,
    own: Kept<Matrix>,      // dL/dx of the head's scores: (b, x)
    behind: Option<Matrix>, // dL/dx of what is behind: (b, x)
}

impl LocalHead {
    /// The classifier `norm(dense(x))`, judged by `loss`.
    pub fn new(dense: Dense, norm: Threshold, loss: Box<dyn Loss>, heads: Heads) -> Self {
        Self { dense, norm, loss, heads, own: Kept::by_forward(NAME), behind: None }
    }
}

impl Layer for LocalHead {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        cx.recycle(self.own.clear());
        cx.recycle(self.behind.take());
        if !cx.training() {
            return Ok(x);
        }
        if cx.labels.len() != x.rows() {
            let expected = format!("the classes of {} samples in the context", x.rows());
            return Err(Error::shape(NAME, expected, cx.labels.len()));
        }
        let sums = self.dense.forward(cx, x.clone())?;
        let scores = self.norm.forward(cx, sums)?.into_real(NAME)?;
        let (_, error) = self.loss.evaluate(scores, &cx.labels)?;
        self.norm.receive(cx, Signal::Grad(error))?;
        self.dense.receive(cx, self.norm.send(cx)?)?;
        self.own.set(self.dense.send(cx)?.into_grad(NAME)?);
        Ok(x)
    }

    fn listens(&self) -> bool {
        self.heads == Heads::Beside
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        cx.recycle(self.behind.replace(signal.into_grad(NAME)?));
        Ok(())
    }

    fn send(&mut self, cx: &Context) -> Result<Signal> {
        let mut error = self.own.take("send")?;
        if let Some(behind) = self.behind.take() {
            error.values_mut().iter_mut().zip(behind.values()).for_each(|(own, behind)| *own += behind);
            cx.recycle([behind]);
        }
        Ok(Signal::Grad(error))
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        self.dense.update(cx, rate)?;
        self.norm.update(cx, rate)
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.within("dense", |state| self.dense.state(state))?;
        state.within("norm", |state| self.norm.state(state))
    }

    fn export(&self, _: &mut Exporter) -> Result<()> {
        Ok(())
    }
}
