//! XnorWeight: products of bits with every gate materialized.

use onebit_bits::{BitTensor, votes_to_flips};

use crate::{
    contract::{
        check::{check_cols, check_quorum, check_shape, check_sizes},
        context::Context,
        kept::Kept,
        layer::Layer,
        meter::{Meter, Observation, Parameters},
        rule::Rule,
        state::State,
        value::{Signal, Value, Votes},
    },
    error::Result,
    layers::flip::flip_product::QUORUM,
    rules::binary_tensor::BinaryTensor,
};

const NAME: &str = "xnor_weight";

/// Bits times weights, with every gate `h = xnor(x, w)` as a separate bit.
///
/// Forward, x `bdi`, w `doi` to h `bdoi`; column `(k * o + j) * i + f` holds threshold `k`, output `j`, input
/// `f`. Backward, flips to flips: a gate's flip passes unchanged to both operands; the input flips by vote
/// over the outputs, the weights by vote over the batch.
///
/// [`Bma`](crate::layers::Bma) and [`Bmab`](crate::layers::Bmab) compute the same without materializing `h`.
/// This layer is for the study of single gates, and for layers built from parts. With one output it is a row
/// of gates.
///
/// ```
/// use onebit_bits::{BitTensor, Engine};
/// use onebit_train::{
///     Signal, Value,
///     layer::{Context, Layer},
///     layers::XnorWeight,
///     rules::Vote,
/// };
///
/// let cx = Context::train(&Engine::single());
/// let mut layer = XnorWeight::new(4, 1, 1, Box::new(Vote::new()), 5)?;
/// let x = layer.weights().clone();
/// let gates = layer.forward(&cx, Value::Bits(x))?.into_bits("h")?;
/// assert_eq!(gates.count_ones(), 4); // equal bits give 1
///
/// // a flip of the first gate asks the first input to flip
/// let flips = BitTensor::from_fn(1, 4, |_, f| f == 0);
/// layer.receive(&cx, Signal::Flip(flips.clone()))?;
/// assert_eq!(layer.send(&cx)?, Signal::Flip(flips));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct XnorWeight {
    weights: BinaryTensor, // (o, d i)
    sizes: [usize; 3],     // inputs, outputs, depth
    x: Kept<BitTensor>,    // (b, d i)
    // the old values of the gates and the flips they are asked for, (b, d o i)
    request: Kept<(BitTensor, BitTensor)>,
    quorum: f64,
    flip_ratio: Meter,
}

impl XnorWeight {
    /// Creates the layer for inputs with `depth` thresholds each.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) when a size is 0.
    pub fn new(inputs: usize, outputs: usize, depth: usize, rule: Box<dyn Rule>, seed: u64) -> Result<Self> {
        let sizes = check_sizes(NAME, [inputs, outputs, depth])?;
        let weights = BinaryTensor::new(outputs, inputs * depth, rule, seed)?;
        let flip_ratio = Meter::default();
        Ok(Self {
            weights,
            sizes,
            x: Kept::by_forward(NAME),
            request: Kept::by_receive(NAME),
            quorum: QUORUM,
            flip_ratio,
        })
    }

    /// Sets the share of the outputs that must ask before an input is asked to flip, 1/2 by default; see
    /// [`Bma::with_quorum`](crate::layers::Bma::with_quorum).
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) outside 0 to 1.
    pub fn with_quorum(self, p_min: f64) -> Result<Self> {
        Ok(Self { quorum: check_quorum("xnor_weight quorum", p_min)?, ..self })
    }

    /// The weights, `(o, d i)` bits.
    pub fn weights(&self) -> &BitTensor {
        self.weights.bits()
    }

    /// Returns threshold, output and input of the gate in a column.
    fn place(&self, column: usize) -> [usize; 3] {
        let [inputs, outputs, _] = self.sizes;
        [column / inputs / outputs, column / inputs % outputs, column % inputs]
    }

    /// Returns `h: (b, d o i)` for `x: (b, d i)`.
    fn gates(&self, x: &BitTensor) -> BitTensor {
        let [inputs, outputs, depth] = self.sizes;
        BitTensor::from_fn(x.rows(), depth * outputs * inputs, |b, column| {
            let [k, j, f] = self.place(column);
            x.get(b, k * inputs + f) == self.weights.bits().get(j, k * inputs + f)
        })
    }

    /// Returns the flips that the gates are still asked for, given their current values.
    fn remaining(&self, x: &BitTensor) -> Result<BitTensor> {
        let (h_old, h_flip) = self.request.get("send or update")?;
        let changed = h_old.xor(self.gates(x).view())?;
        Ok(h_flip.xor(changed.view())?)
    }
}

impl Layer for XnorWeight {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let x = x.into_bits(NAME)?; // x: (b, d i) bits
        check_cols(NAME, self.sizes[0] * self.sizes[2], x.cols())?;
        let h = self.gates(&x);
        self.x.set(cx.training().then_some(x));
        self.request.clear();
        Ok(Value::Bits(h))
    }

    fn receive(&mut self, _cx: &Context, signal: Signal) -> Result<()> {
        let flips = signal.into_flip(NAME)?;
        let h = self.gates(self.x.get("receive")?);
        check_shape(NAME, "a signal", h.shape(), flips.shape())?;
        self.flip_ratio.add(&flips);
        self.request.set((h, flips));
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        let [inputs, outputs, depth] = self.sizes;
        let x = self.x.get("send")?;
        let flips = self.remaining(x)?;
        let mut counts = vec![0; x.rows() * x.cols()]; // (b, d i)
        for b in 0..x.rows() {
            for column in (0..flips.cols()).filter(|&column| flips.get(b, column)) {
                let [k, _, f] = self.place(column);
                counts[b * depth * inputs + k * inputs + f] += 1;
            }
        }
        Ok(Signal::Flip(votes_to_flips(x.rows(), x.cols(), &counts, outputs as u32, self.quorum)?))
    }

    fn correct(&mut self, _cx: &Context, x: &Value) -> Result<()> {
        // `update` itself compares the gates with their old values
        let x = x.bits(NAME)?;
        check_shape(NAME, "an input", self.x.get("correct")?.shape(), x.shape())?;
        self.x.set(x.clone());
        Ok(())
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        let [inputs, outputs, depth] = self.sizes;
        let x = self.x.get("update")?;
        let flips = self.remaining(x)?;
        let voters = x.rows() as u32;
        let mut counts = vec![0; outputs * depth * inputs]; // (o, d i)
        for (column, count) in flips.column_ones().into_iter().enumerate() {
            let [k, j, f] = self.place(column);
            counts[j * depth * inputs + k * inputs + f] = count;
        }
        let signal = Signal::Votes(Votes { rows: outputs, cols: depth * inputs, counts, voters });
        self.weights.update(cx, &signal, rate)?;
        Ok(())
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.flip_ratio.state("flip_ratio", state)?;
        self.weights.state(state)
    }

    fn observe(&mut self) -> Observation {
        Observation { flip_ratio: self.flip_ratio.take(), ..self.weights.observe() }
    }

    fn parameters(&self) -> Parameters {
        self.weights.parameters()
    }
}
