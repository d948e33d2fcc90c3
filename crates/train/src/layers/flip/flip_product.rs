//! The product of BMA and BMAB: XnorWeight and popcount, fused.
//!
//! The gate tensor `h = xnor(x, w)`, axes `bdoi`, is never materialized. The sum of its +-1 values over `d`
//! and `i` is the dot product of two rows of bits, and a request about `h` is fully described by the wish `g`
//! in {-1, 0, +1} about each sum: a gate asks to flip where `g x w > 0`. Counting such gates over the outputs
//! gives the votes for `x`, counting them over the batch the votes for `w`.
//!
//! When one operand changes before the other has used its votes, the request becomes
//! `h_flip ^ (h_old ^ h_new)`, so that the target of every gate stays the same.

use onebit_bits::{BitTensor, Ternary, product, votes, votes_to_flips};

use crate::{
    contract::{
        check::{check_cols, check_quorum, check_shape, check_sizes},
        context::Context,
        kept::Kept,
        layer::Weights,
        meter::{Meter, Observation, Parameters},
        rule::Rule,
        state::State,
        value::{Signal, Votes},
    },
    error::Result,
    rules::binary_tensor::BinaryTensor,
};

/// The default quorum: activations flip when more than half of the outputs ask for it.
pub(crate) const QUORUM: f64 = 0.5;

/// Whether each threshold of the input has its own weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum WeightDepth {
    /// Weights `doi`: one set for each threshold.
    #[default]
    Own,
    /// Weights `1oi`, shared by all thresholds.
    Shared,
}

/// Weights, and the input and request of the current step.
pub(crate) struct FlipProduct {
    layer: &'static str,
    weights: BinaryTensor, // (o, d i), or (o, i) when shared
    depth: usize,
    shared: bool,
    x: Kept<BitTensor>, // (b, d i)
    request: Kept<Request>,
    quorum: f64,
    flip_ratio: Meter,
}

/// A wish about the sums, with the operands at the time it was made.
struct Request {
    wish: Ternary,                // (b, o)
    x: BitTensor,                 // (b, d i), the old input
    x_changed: Option<BitTensor>, // (b, d i)
    w: BitTensor,                 // (o, d i), the old weights
    w_changed: Option<BitTensor>, // (o, d i)
}

impl FlipProduct {
    pub(crate) fn new(
        layer: &'static str,
        sizes: [usize; 3], // inputs, outputs, depth
        weight_depth: WeightDepth,
        rule: Box<dyn Rule>,
        seed: u64,
    ) -> Result<Self> {
        let [inputs, outputs, depth] = check_sizes(layer, sizes)?;
        let shared = weight_depth == WeightDepth::Shared && depth > 1;
        let columns = if shared { inputs } else { inputs * depth };
        let weights = BinaryTensor::new(outputs, columns, rule, seed)?;
        let flip_ratio = Meter::default();
        Ok(Self {
            layer,
            weights,
            depth,
            shared,
            x: Kept::by_forward(layer),
            request: Kept::by_receive(layer),
            quorum: QUORUM,
            flip_ratio,
        })
    }

    /// Sets the share of the outputs, from 0 to 1, that must ask before an input is asked to flip.
    pub(crate) fn with_quorum(mut self, p_min: f64) -> Result<Self> {
        self.quorum = check_quorum(format!("{} quorum", self.layer), p_min)?;
        Ok(self)
    }

    /// The weights, `(o, d i)`, or `(o, i)` when shared.
    pub(crate) fn weights(&self) -> &BitTensor {
        self.weights.bits()
    }

    /// Number of outputs.
    pub(crate) fn outputs(&self) -> usize {
        self.weights.bits().rows()
    }

    /// Number of bits that each sum runs over: `d i`.
    pub(crate) fn bits_per_sum(&self) -> usize {
        self.weights.bits().cols() * if self.shared { self.depth } else { 1 }
    }

    /// The weights in the shape of the product, `(o, d i)`.
    pub(crate) fn expanded(&self) -> BitTensor {
        self.expand(self.weights.bits().clone())
    }

    /// Expands bits in the shape of the weights to the shape of the product.
    fn expand(&self, bits: BitTensor) -> BitTensor {
        if self.shared { bits.tile_columns(self.depth) } else { bits }
    }

    /// Computes `s = sum_{d,i} x w`, `(b, o)`.
    pub(crate) fn forward(&mut self, cx: &Context, x: BitTensor) -> Result<Vec<i32>> {
        check_cols(self.layer, self.bits_per_sum(), x.cols())?;
        let mut sums = vec![0; x.rows() * self.outputs()];
        if self.shared {
            product(&cx.engine, x.view(), self.expanded().view(), &mut sums[..])?;
        } else {
            product(&cx.engine, x.view(), self.weights.rows(&cx.engine), &mut sums[..])?;
        }
        self.x.set(cx.training().then_some(x));
        self.request.clear();
        Ok(sums)
    }

    /// Keeps a wish about the sums: `g > 0` asks for a smaller sum.
    pub(crate) fn receive(&mut self, wish: Ternary) -> Result<()> {
        let x = self.x.get("receive")?.clone();
        check_shape(self.layer, "a signal", (x.rows(), self.outputs()), wish.shape())?;
        let w = self.expanded();
        self.request.set(Request { wish, x, x_changed: None, w, w_changed: None });
        Ok(())
    }

    /// Returns the flips that the input is asked for, `(b, d i)`, by vote over the outputs.
    pub(crate) fn send(&self, cx: &Context) -> Result<Signal> {
        let request = self.request.get("send")?;
        let changed = request.w_changed.as_ref().map(BitTensor::view);
        let counts = votes(&cx.engine, request.x.view(), &request.wish, request.w.view(), changed)?;
        let (rows, cols) = (request.x.rows(), request.x.cols());
        Ok(Signal::Flip(votes_to_flips(rows, cols, &counts, self.outputs() as u32, self.quorum)?))
    }

    /// Changes the request about the gates to match the new input `x`.
    pub(crate) fn correct(&mut self, x: &BitTensor) -> Result<()> {
        if let Some(request) = self.request.value_mut() {
            check_shape(self.layer, "an input", request.x.shape(), x.shape())?;
            request.x_changed = Some(request.x.xor(x.view())?);
        }
        Ok(())
    }

    /// Flips the weights by majority over the batch.
    pub(crate) fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        let request = self.request.get("update")?;
        let changed = request.x_changed.as_ref().map(BitTensor::view);
        let wish = request.wish.transpose(); // (o, b)
        let mut counts = votes(&cx.engine, request.w.view(), &wish, request.x.view(), changed)?;
        let (rows, cols) = (self.weights.bits().rows(), self.weights.bits().cols());
        let mut voters = request.x.rows() as u32;
        if self.shared {
            counts = sum_over_depth(&counts, cols, self.depth);
            voters *= self.depth as u32;
        }
        let signal = Signal::Votes(Votes { rows, cols, counts, voters });
        let flips = self.weights.update(cx, &signal, rate)?;
        let flips = self.expand(flips);
        if let Some(request) = self.request.value_mut() {
            request.w_changed = Some(flips);
        }
        Ok(())
    }

    /// Counts the flips that the layer received.
    pub(crate) fn meter_flips(&mut self, flips: &BitTensor) {
        self.flip_ratio.add(flips);
    }

    pub(crate) fn observe(&mut self) -> Observation {
        Observation { flip_ratio: self.flip_ratio.take(), ..self.weights.observe() }
    }

    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        self.flip_ratio.state("flip_ratio", state)?;
        self.weights.state(state)
    }

    pub(crate) fn binary_weights(&self) -> Weights<'_> {
        Weights { bits: self.weights.bits(), taps: 1, rule: self.weights.rule() }
    }

    pub(crate) fn parameters(&self) -> Parameters {
        self.weights.parameters()
    }
}

/// Adds counts up over the depth: `(o, d i)` to `(o, i)`.
fn sum_over_depth(counts: &[u32], inputs: usize, depth: usize) -> Vec<u32> {
    let fold = |row: &[u32]| -> Vec<u32> {
        (0..inputs).map(|i| (0..depth).map(|k| row[k * inputs + i]).sum()).collect()
    };
    counts.chunks_exact(inputs * depth).flat_map(fold).collect()
}
