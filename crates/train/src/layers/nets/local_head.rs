//! A local classifier of a block (local errors, arXiv:1901.06656).

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

/// The use of a local classifier by all blocks but the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Heads {
    /// Each block learns from its own classifier and from the later blocks.
    Beside,
    /// Each block learns only from its own classifier: no signal travels between blocks.
    Alone,
}

/// A local classifier of a block, so that the block need not wait for the later ones (local errors,
/// arXiv:1901.06656).
///
/// Forward: the block's output x, unchanged. In training a binary product and thresholds also turn x into
/// scores, whose error `dL/dx` against the batch's classes is available at once. Backward: that error, alone
/// or added to the signal from the later layers. The deployed network omits this layer.
///
/// ```
/// use onebit_bits::{Engine, random_bits};
/// use onebit_train::{
///     Value,
///     layer::{Context, Layer},
///     layers::{Dense, Heads, LocalHead, Threshold},
///     losses::SoftmaxCrossEntropy,
///     optimizers::Adam,
///     rules::Latent,
/// };
///
/// let mut cx = Context::train(&Engine::single());
/// cx.labels = vec![0, 1]; // the classes of the batch
/// let dense = Dense::new(64, 2, Box::new(Latent::new(Adam::new())), 1)?;
/// let norm = Threshold::new(2, 2).with_gains();
/// let mut head = LocalHead::new(dense, norm, Box::new(SoftmaxCrossEntropy), Heads::Alone);
/// let x = Value::Bits(random_bits(3, 0, 2, 64));
/// assert_eq!(head.forward(&cx, x.clone())?, x);
/// assert!(!head.listens());
/// assert_eq!(head.send(&cx)?.into_grad("dx")?.shape(), (2, 64)); // without a signal from later layers
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct LocalHead {
    dense: Dense,
    norm: Threshold,
    loss: Box<dyn Loss>,
    heads: Heads,
    own: Kept<Matrix>,     // dL/dx of the head's scores: (b, x)
    later: Option<Matrix>, // dL/dx from the later layers: (b, x)
}

impl LocalHead {
    /// Creates the classifier `norm(dense(x))` with this loss.
    pub fn new(dense: Dense, norm: Threshold, loss: Box<dyn Loss>, heads: Heads) -> Self {
        Self { dense, norm, loss, heads, own: Kept::by_forward(NAME), later: None }
    }
}

impl Layer for LocalHead {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        cx.recycle(self.own.clear());
        cx.recycle(self.later.take());
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
        cx.recycle(self.later.replace(signal.into_grad(NAME)?));
        Ok(())
    }

    fn send(&mut self, cx: &Context) -> Result<Signal> {
        let mut error = self.own.take("send")?;
        if let Some(later) = self.later.take() {
            error.values_mut().iter_mut().zip(later.values()).for_each(|(own, later)| *own += later);
            cx.recycle([later]);
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
