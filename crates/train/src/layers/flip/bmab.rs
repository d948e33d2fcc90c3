//! BMAB, binary multiply-accumulate and binarize: a hidden layer of a flip-trained network.

use onebit_bits::{BitTensor, pack_at_least};

use crate::{
    contract::{
        check::check_shape,
        context::Context,
        export::Exporter,
        kept::Kept,
        layer::{Layer, Weights},
        meter::{Meter, Observation, Parameters},
        rule::Rule,
        state::State,
        value::{Signal, Value},
    },
    error::Result,
    layers::flip::{
        flip_product::{FlipProduct, WeightDepth},
        signals::{check_thresholds, flip2wish, sum_threshold},
    },
};

const NAME: &str = "bmab";

/// BMAB, binary multiply-accumulate and binarize: XnorWeight and PNB (popcount, normalize, binarize). Bits to
/// bits, with no real number in the backward pass.
///
/// Forward, `bdi -> bdo`: `bit_k = [s > t_k sqrt(N)]` on the +-1 sum `s` over `N = d i` gates. Backward,
/// flips to flips: `g = sum_k sign(bit_k) flip_k`, a small integer, then
/// [`grad2flip`](crate::flip::grad2flip) on each gate and votes, as in [`Bma`](crate::layers::Bma).
///
/// ```
/// use onebit_bits::{BitTensor, Engine};
/// use onebit_train::{
///     Signal, Value,
///     layer::{Context, Layer},
///     layers::Bmab,
///     rules::Vote,
/// };
///
/// let cx = Context::train(&Engine::single());
/// let mut bmab = Bmab::new(4, 1, 1, &[0.0], Box::new(Vote::new()), 5)?;
/// let mut x = bmab.weights().clone();
/// x.flip(BitTensor::from_fn(1, 4, |_, i| i == 0).view())?; // all gates but the first are 1: s = 2 > 0
/// let y = bmab.forward(&cx, Value::Bits(x))?.into_bits("y")?;
/// assert!(y.get(0, 0));
///
/// // the output should become 0: the inputs of the gates that are 1 are asked to flip
/// bmab.receive(&cx, Signal::Flip(y))?;
/// assert_eq!(bmab.send(&cx)?, Signal::Flip(BitTensor::from_fn(1, 4, |_, i| i > 0)));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Bmab {
    product: FlipProduct,
    limits: Vec<i32>, // (d, o): bit = [s >= limit]
    depth: usize,
    y: Kept<BitTensor>, // (b, d o)
    mean_of_bits: Meter,
}

impl Bmab {
    /// Creates the layer for inputs with `depth` thresholds each; `thresholds` are those of the output, in
    /// standard deviations of a random sum.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) when a size is 0, without thresholds, or for one that is not
    /// finite.
    pub fn new(
        inputs: usize,
        outputs: usize,
        depth: usize,
        thresholds: &[f32],
        rule: Box<dyn Rule>,
        seed: u64,
    ) -> Result<Self> {
        Self::with_weight_depth(inputs, outputs, depth, WeightDepth::Own, thresholds, rule, seed)
    }

    /// Creates the layer with separate weights for each threshold of the input, or shared ones.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) when a size is 0, without thresholds, or for one that is not
    /// finite.
    pub fn with_weight_depth(
        inputs: usize,
        outputs: usize,
        depth: usize,
        weight_depth: WeightDepth,
        thresholds: &[f32],
        rule: Box<dyn Rule>,
        seed: u64,
    ) -> Result<Self> {
        check_thresholds(thresholds)?;
        let product = FlipProduct::new(NAME, [inputs, outputs, depth], weight_depth, rule, seed)?;
        let limit = |&t: &f32| vec![sum_threshold(t, product.bits_per_sum()); outputs];
        let limits = thresholds.iter().flat_map(limit).collect();
        Ok(Self {
            product,
            limits,
            depth: thresholds.len(),
            y: Kept::by_forward(NAME),
            mean_of_bits: Meter::default(),
        })
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

impl Layer for Bmab {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let x = x.into_bits(NAME)?; // x: (b, d i) bits
        let rows = x.rows();
        let outputs = self.product.outputs();
        let sums = self.product.forward(cx, x)?; // (b, o)
        let upwards = BitTensor::zeros(1, outputs);
        let y = pack_at_least(&cx.engine, rows, outputs, &sums, &self.limits, upwards.view())?;
        if cx.training() {
            self.mean_of_bits.add(&y);
        }
        self.y.set(cx.training().then(|| y.clone()));
        Ok(Value::Bits(y))
    }

    fn receive(&mut self, _cx: &Context, signal: Signal) -> Result<()> {
        let flips = signal.into_flip(NAME)?; // (b, d o)
        let y = self.y.get("receive")?;
        check_shape(NAME, "a signal", y.shape(), flips.shape())?;
        self.product.meter_flips(&flips);
        let wish = flip2wish(y, &flips, self.depth)?;
        self.product.receive(wish)
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
        self.mean_of_bits.state("mean_of_bits", state)?;
        self.product.state(state)
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        to.dense(self.product.expanded())?;
        to.thresholds(self.limits.clone(), BitTensor::zeros(1, self.product.outputs()))
    }

    fn depth(&self) -> usize {
        self.depth
    }

    fn observe(&mut self) -> Observation {
        Observation { mean_of_bits: self.mean_of_bits.take(), ..self.product.observe() }
    }

    fn binary_weights(&self) -> Option<Weights<'_>> {
        Some(self.product.binary_weights())
    }

    fn parameters(&self) -> Parameters {
        self.product.parameters()
    }
}
