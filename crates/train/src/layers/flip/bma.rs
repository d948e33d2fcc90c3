//! BMA, binary multiply-accumulate: the last layer of a flip-trained network.

use onebit_bits::{BitTensor, Ternary};

use crate::{
    contract::{
        context::Context,
        export::Exporter,
        layer::{Layer, Weights},
        meter::{Observation, Parameters},
        rule::Rule,
        state::State,
        value::{Signal, Value},
    },
    error::Result,
    layers::flip::flip_product::{FlipProduct, WeightDepth},
    numeric::matrix::Matrix,
};

const NAME: &str = "bma";

/// The conversion of a count of ones to a score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Normalize {
    /// Standardized: `s / sqrt(N)`.
    #[default]
    Binomial,
    /// The older BitBalance, for comparison: `2 n1 - N = s`, large scores that saturate a softmax.
    BitBalance,
}

impl Normalize {
    pub(crate) fn scale(self, bits_per_sum: usize) -> f32 {
        match self {
            Normalize::Binomial => 1.0 / (bits_per_sum as f32).sqrt(),
            Normalize::BitBalance => 1.0,
        }
    }
}

/// BMA, binary multiply-accumulate: XnorWeight, popcount and normalization. The binary counterpart of a
/// linear layer, and the last layer of a flip-trained network: bits to real scores.
///
/// Forward, `bdi -> bo`: `z = (n1 - N/2) / sqrt(N/4)`, where `n1` counts the gates that are 1 and `N = d i`:
/// a popcount standardized as a binomial with p = 1/2. With the +-1 sum `s = 2 n1 - N` this is
/// `z = s / sqrt(N)`. Backward, gradient to flips: [`grad2flip`](crate::flip::grad2flip) on each gate, then
/// votes over the outputs for the input and over the batch for the weights.
///
/// ```
/// use onebit_bits::{BitTensor, Engine};
/// use onebit_train::{
///     Matrix, Signal, Value,
///     layer::{Context, Layer},
///     layers::Bma,
///     rules::Vote,
/// };
///
/// let cx = Context::train(&Engine::single());
/// let mut bma = Bma::new(4, 1, 1, Box::new(Vote::new()), 5)?;
/// let mut x = bma.weights().clone();
/// x.flip(BitTensor::from_fn(1, 4, |_, i| i == 0).view())?; // all gates but the first are 1: s = 2
/// assert_eq!(bma.forward(&cx, Value::Bits(x))?, Value::Real(Matrix::new(1, 1, vec![1.0])?));
///
/// // a smaller score: the inputs of the gates that are 1 are asked to flip
/// bma.receive(&cx, Signal::Grad(Matrix::new(1, 1, vec![0.3])?))?;
/// assert_eq!(bma.send(&cx)?, Signal::Flip(BitTensor::from_fn(1, 4, |_, i| i > 0)));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Bma {
    product: FlipProduct,
    scale: f32,
}

impl Bma {
    /// Creates the layer for inputs with `depth` thresholds each: it takes `depth * inputs` columns.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) when a size is 0.
    pub fn new(inputs: usize, outputs: usize, depth: usize, rule: Box<dyn Rule>, seed: u64) -> Result<Self> {
        Self::with_options(inputs, outputs, depth, WeightDepth::Own, Normalize::Binomial, rule, seed)
    }

    /// Creates the layer with all options.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) when a size is 0.
    pub fn with_options(
        inputs: usize,
        outputs: usize,
        depth: usize,
        weight_depth: WeightDepth,
        normalize: Normalize,
        rule: Box<dyn Rule>,
        seed: u64,
    ) -> Result<Self> {
        let product = FlipProduct::new(NAME, [inputs, outputs, depth], weight_depth, rule, seed)?;
        let scale = normalize.scale(product.bits_per_sum());
        Ok(Self { product, scale })
    }

    /// Sets the share of the outputs that must ask before an input is asked to flip, 1/2 by default. When
    /// most outputs are content, half is never reached and earlier layers learn nothing. Near 0 every input
    /// above the mean flips.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) outside 0 to 1.
    pub fn with_quorum(self, p_min: f64) -> Result<Self> {
        Ok(Self { product: self.product.with_quorum(p_min)?, ..self })
    }

    /// The weights, `(o, d i)` bits, or `(o, i)` when the thresholds share them.
    pub fn weights(&self) -> &BitTensor {
        self.product.weights()
    }
}

impl Layer for Bma {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let x = x.into_bits(NAME)?; // x: (b, d i) bits
        let rows = x.rows();
        let sums = self.product.forward(cx, x)?;
        let z = sums.iter().map(|&s| s as f32 * self.scale).collect();
        Ok(Value::Real(Matrix::new(rows, self.product.outputs(), z)?))
    }

    fn receive(&mut self, _cx: &Context, signal: Signal) -> Result<()> {
        let grad = signal.into_grad(NAME)?; // (b, o)
        self.product.receive(Ternary::from_f32(grad.rows(), grad.cols(), grad.values())?)
    }

    fn send(&mut self, cx: &Context) -> Result<Signal> {
        self.product.send(cx)
    }

    fn correct(&mut self, _cx: &Context, x: &Value) -> Result<()> {
        self.product.correct(x.bits(NAME)?)
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        self.product.update(cx, rate)
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.product.state(state)
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        let outputs = self.product.outputs();
        to.dense(self.product.expanded())?;
        to.scores(vec![0.0; outputs], vec![self.scale; outputs], vec![0.0; outputs])
    }

    fn observe(&mut self) -> Observation {
        Observation { flip_ratio: None, ..self.product.observe() }
    }

    fn binary_weights(&self) -> Option<Weights<'_>> {
        Some(self.product.binary_weights())
    }

    fn parameters(&self) -> Parameters {
        self.product.parameters()
    }
}
