//! A residual block (arXiv:1512.03385).

use onebit_bits::vectorized;

use crate::{
    contract::{
        check::check_shape,
        context::Context,
        export::Exporter,
        kept::Kept,
        layer::Layer,
        meter::Parameters,
        state::State,
        step,
        value::{Signal, Value},
    },
    error::{Error, Result},
    layers::images::subsample::Subsample,
    numeric::{jobs::JOB, matrix::Matrix},
};

const NAME: &str = "residual";

/// A residual block: `y = body(x) + shortcut(x)`, all real (arXiv:1512.03385).
///
/// Backward: body and shortcut both receive dy, and `dx` is the sum of the gradients that they send. A binary
/// network needs the shortcut more than a real one, because only the shortcut carries real numbers past a
/// sign. In the style of arXiv:1808.00278 each binary convolution has its own shortcut: the body is sign,
/// convolution, batch norm.
///
/// Within the block every layer receives and sends before any layer updates, in all three orders of learning.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Signal, Value,
///     layer::{Context, Layer},
///     layers::{RealDense, Residual, Shortcut},
///     optimizers::Sgd,
/// };
///
/// let cx = Context::train(&Engine::single());
/// let triple = RealDense::new(1, 1, Sgd::new(0.0, 0.0)?, 0)?.with_weights(vec![3.0])?;
/// let mut block = Residual::new(vec![Box::new(triple)], Shortcut::Identity)?;
/// let y = block.forward(&cx, Value::Real(Matrix::new(1, 1, vec![2.0])?))?;
/// assert_eq!(y, Value::Real(Matrix::new(1, 1, vec![8.0])?)); // 3 * 2 + 2
///
/// block.receive(&cx, Signal::Grad(Matrix::new(1, 1, vec![1.0])?))?;
/// assert_eq!(block.send(&cx)?, Signal::Grad(Matrix::new(1, 1, vec![4.0])?));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Residual {
    body: Chain,
    shortcut: Chain,
}

/// The path around the body of a [`Residual`] block.
pub enum Shortcut {
    /// x itself.
    Identity,
    /// Option A of arXiv:1512.03385, without parameters: every `stride`-th row and column of images of
    /// `image.0` rows and `image.1` columns of pixels, and channels of zeros after those of x, up to
    /// `channels_out` channels.
    Subsample {
        /// Rows and columns of pixels of an image.
        image: (usize, usize),
        /// Rows and columns from one kept pixel to the next.
        stride: usize,
        /// Channels of the output.
        channels_out: usize,
    },
    /// Other layers, for example a convolution of one pixel and a norm.
    Layers(Vec<Box<dyn Layer>>),
}

impl Residual {
    /// Creates a block of `body` and `shortcut`.
    ///
    /// # Errors
    /// [`Error::Setting`] for a body without layers, [`Error::Bits`] for a stride or an image of 0.
    pub fn new(body: Vec<Box<dyn Layer>>, shortcut: Shortcut) -> Result<Self> {
        if body.is_empty() {
            return Err(Error::setting("residual body", "at least one layer", 0));
        }
        let shortcut = match shortcut {
            Shortcut::Identity => Vec::new(),
            Shortcut::Subsample { image, stride, channels_out } => {
                vec![Box::new(Subsample::new(image, stride, channels_out)?) as Box<dyn Layer>]
            }
            Shortcut::Layers(layers) => layers,
        };
        Ok(Self { body: Chain::new(body), shortcut: Chain::new(shortcut) })
    }

    /// The layers of the body, first to last.
    pub fn body(&self) -> &[Box<dyn Layer>] {
        &self.body.layers
    }

    /// The layers of the shortcut, first to last; none for the identity.
    pub fn shortcut(&self) -> &[Box<dyn Layer>] {
        &self.shortcut.layers
    }

    fn chains(&self) -> impl Iterator<Item = &Box<dyn Layer>> {
        self.body.layers.iter().chain(&self.shortcut.layers)
    }
}

/// Layers in sequence, possibly none.
struct Chain {
    layers: Vec<Box<dyn Layer>>,
    passing: Kept<Signal>, // the signal through a chain without layers
}

impl Chain {
    fn new(layers: Vec<Box<dyn Layer>>) -> Self {
        Self { layers, passing: Kept::by_receive(NAME) }
    }

    fn forward(&mut self, cx: &Context, x: Matrix) -> Result<Matrix> {
        step::forward(&mut self.layers, cx, Value::Real(x))?.into_real(NAME)
    }

    /// Passes the signal to every layer; all but the first send.
    fn receive(&mut self, cx: &Context, mut signal: Signal) -> Result<()> {
        let Some((first, others)) = self.layers.split_first_mut() else {
            self.passing.set(signal);
            return Ok(());
        };
        for layer in others.iter_mut().rev() {
            layer.receive(cx, signal)?;
            signal = layer.send(cx)?;
        }
        first.receive(cx, signal)
    }

    fn send(&mut self, cx: &Context) -> Result<Matrix> {
        match self.layers.first_mut() {
            Some(layer) => layer.send(cx)?,
            None => self.passing.take("send")?,
        }
        .into_grad(NAME)
    }

    fn state(&mut self, name: &str, state: &mut State) -> Result<()> {
        let mut layers = self.layers.iter_mut().enumerate();
        state.within(name, |state| {
            layers.try_for_each(|(at, layer)| state.within(&at.to_string(), |state| layer.state(state)))
        })
    }
}

/// `sum <- sum + more`
fn add(cx: &Context, sum: &mut Matrix, more: Matrix) -> Result<()> {
    cx.engine.chunks((sum.values_mut(), more.values()), JOB, |_, (sum, more)| {
        add_part(cx.engine.isa(), sum, more);
    })?;
    cx.recycle([more]);
    Ok(())
}

vectorized! {
    fn add_part<'a>(sum: &'a mut [f32], more: &'a [f32]) {
        for (sum, more) in sum.iter_mut().zip(more) {
            *sum += more;
        }
    }
}

impl Layer for Residual {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let x = x.into_real(NAME)?;
        let mut y = self.body.forward(cx, cx.copy(&x))?;
        let around = self.shortcut.forward(cx, x)?;
        check_shape(NAME, "a shortcut", y.shape(), around.shape())?;
        add(cx, &mut y, around)?;
        Ok(Value::Real(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let dy = signal.into_grad(NAME)?;
        self.body.receive(cx, Signal::Grad(cx.copy(&dy)))?;
        self.shortcut.receive(cx, Signal::Grad(dy))
    }

    fn send(&mut self, cx: &Context) -> Result<Signal> {
        let (mut dx, around) = (self.body.send(cx)?, self.shortcut.send(cx)?);
        add(cx, &mut dx, around)?;
        Ok(Signal::Grad(dx))
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        self.parts_mut().into_iter().try_for_each(|layer| layer.update(cx, rate))
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.body.state("body", state)?;
        self.shortcut.state("shortcut", state)
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        Err(to.refuse("the runtime has no shortcuts"))
    }

    fn parameters(&self) -> Parameters {
        self.chains().map(|layer| layer.parameters()).sum()
    }

    fn parts(&self) -> Vec<&dyn Layer> {
        self.chains().map(|layer| &**layer).collect()
    }

    fn parts_mut(&mut self) -> Vec<&mut dyn Layer> {
        let layers = self.body.layers.iter_mut().chain(&mut self.shortcut.layers);
        layers.map(|layer| &mut **layer as &mut dyn Layer).collect()
    }
}
