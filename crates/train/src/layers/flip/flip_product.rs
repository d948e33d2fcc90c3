//! The product at the heart of BMA and BMAB: XnorWeight and popcount, fused.
//!
//! The gate tensor `h = xnor(x, w)`, axes `bdoi`, is never materialized. The sum of its +-1 values over
//! `d` and `i` is the dot product of two rows of bits, and a request about `h` is fully described by the
//! wish `g` in {-1, 0, +1} about each sum: the gate asks to flip where `g x w > 0`. Counting such gates
//! over the outputs gives the votes for `x`, over the batch the votes for `w`.
//!
//! When one operand changes before the other has used its votes, the request becomes
//! `h_flip ^ (h_old ^ h_new)`: the target of every gate stays where it was.

use onebit_bits::{BitTensor, Ternary, product, votes, votes_to_flips};

use crate::{
    contract::{
        check::{check_cols, check_quorum, check_shape, check_sizes, kept},
        context::Context,
        layer::Weights,
        meter::{Meter, Observation, Parameters},
        rule::Rule,
        state::State,
        value::{Signal, Votes},
    },
    error::Result,
    rules::binary_tensor::BinaryTensor,
};

/// Activations flip when more than half of the outputs ask for it, unless told otherwise.
pub(crate) const QUORUM: f64 = 0.5;

/// Whether each threshold of the input has weights of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum WeightDepth {
    /// Weights `doi`: one set for each threshold.
    #[default]
    Own,
    /// Weights `1oi`, broadcast over the thresholds.
    Shared,
}

/// Weights, and what one step keeps of it.
pub(crate) struct FlipProduct {
    layer: &'static str,
    weights: BinaryTensor, // (o, d i), or (o, i) when shared
    depth: usize,
    shared: bool,
    x: Option<BitTensor>, // (b, d i)
    request: Option<Request>,
    quorum: f64,
    flip_ratio: Meter,
}

/// A wish about the sums, and the operands that it was made about.
struct Request {
    wish: Ternary,                // (b, o)
    x: BitTensor,                 // (b, d i), as it was
    x_changed: Option<BitTensor>, // (b, d i)
    w: BitTensor,                 // (o, d i), as it was
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
        Ok(Self { layer, weights, depth, shared, x: None, request: None, quorum: QUORUM, flip_ratio })
    }

    /// Another share of the outputs that must ask before an input is asked to flip, from 0 to 1.
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

    /// The weights as they meet the input, `(o, d i)`.
    pub(crate) fn expanded(&self) -> BitTensor {
        self.expand(self.weights.bits().clone())
    }

    /// Bits about the weights, in the shape in which these meet the input.
    fn expand(&self, bits: BitTensor) -> BitTensor {
        if self.shared { bits.tile_columns(self.depth) } else { bits }
    }

    /// `s = sum_{d,i} x w`, `(b, o)`.
    pub(crate) fn forward(&mut self, cx: &Context, x: BitTensor) -> Result<Vec<i32>> {
        check_cols(self.layer, self.bits_per_sum(), x.cols())?;
        let mut sums = vec![0; x.rows() * self.outputs()];
        if self.shared {
            product(&cx.engine, x.view(), self.expanded().view(), &mut sums[..])?;
        } else {
            product(&cx.engine, x.view(), self.weights.rows(&cx.engine), &mut sums[..])?;
        }
        self.x = cx.training().then_some(x);
        self.request = None;
        Ok(sums)
    }

    /// Keeps a wish about the sums: `g > 0` wants a sum smaller.
    pub(crate) fn receive(&mut self, wish: Ternary) -> Result<()> {
        let x = kept(&self.x, self.layer, "receive", "forward pass")?.clone();
        check_shape(self.layer, "a signal", (x.rows(), self.outputs()), wish.shape())?;
        let w = self.expanded();
        self.request = Some(Request { wish, x, x_changed: None, w, w_changed: None });
        Ok(())
    }

    /// The flips that the input is asked for, `(b, d i)`, by vote over the outputs.
    pub(crate) fn send(&self, cx: &Context) -> Result<Signal> {
        let request = kept(&self.request, self.layer, "send", "signal")?;
        let changed = request.w_changed.as_ref().map(BitTensor::view);
        let counts = votes(&cx.engine, request.x.view(), &request.wish, request.w.view(), changed)?;
        let (rows, cols) = (request.x.rows(), request.x.cols());
        Ok(Signal::Flip(votes_to_flips(rows, cols, &counts, self.outputs() as u32, self.quorum)?))
    }

    /// The input is now `x`: the request about the gates changes with it.
    pub(crate) fn correct(&mut self, x: &BitTensor) -> Result<()> {
        if let Some(request) = &mut self.request {
            check_shape(self.layer, "an input", request.x.shape(), x.shape())?;
            request.x_changed = Some(request.x.xor(x.view())?);
        }
        Ok(())
    }

    /// The weights vote, by majority over the batch, and flip.
    pub(crate) fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        let request = kept(&self.request, self.layer, "update", "signal")?;
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
        if let Some(request) = &mut self.request {
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

/// `(o, d i)` counts to `(o, i)`.
fn sum_over_depth(counts: &[u32], inputs: usize, depth: usize) -> Vec<u32> {
    let fold = |row: &[u32]| -> Vec<u32> {
        (0..inputs).map(|i| (0..depth).map(|k| row[k * inputs + i]).sum()).collect()
    };
    counts.chunks_exact(inputs * depth).flat_map(fold).collect()
}
