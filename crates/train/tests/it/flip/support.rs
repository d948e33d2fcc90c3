//! What the tests share: bits from a seed, the oracle's tensors from the library's, and a tap between layers.

use onebit_bits::{BitTensor, Probability, mask, random_bits};
use onebit_reference::flip::{Bits, Tensor};
use onebit_train::{
    Matrix, Result, Signal, Value,
    layer::{Context, Layer},
    rules::{Rule, Vote},
    state::State,
    step::Order,
};

pub(crate) use crate::common::{real, training};

pub(crate) const ORDERS: [Order; 3] = [Order::Parallel, Order::WeightFirst, Order::InputFirst];

/// `[b, d, i, o]`: each axis on both sides of a word of 64 bits; 21, 43, 9 and 13 inputs fill 63, 129, 63, 65
/// and 195 columns with their depth.
pub(crate) const SIZES: [[usize; 4]; 12] = [
    [1, 1, 1, 1],
    [1, 1, 64, 2],
    [2, 3, 21, 3],
    [65, 1, 2, 63],
    [3, 1, 65, 64],
    [1, 3, 43, 65],
    [129, 3, 1, 5],
    [63, 1, 63, 2],
    [4, 7, 9, 3],
    [5, 15, 13, 4],
    [64, 1, 129, 2],
    [7, 15, 1, 129],
];

/// `n` random numbers.
pub(crate) fn numbers(seed: u64, n: usize) -> Vec<u64> {
    random_bits(seed, 7, n, 64).into_words()
}

/// A gradient, `(b, o)`, with zeros of both signs and numbers of any size.
pub(crate) fn gradient(seed: u64, b: usize, o: usize) -> Matrix {
    let values = [0.0, -0.0, 1.0, -1.0, 0.3, -2e-20, 7e30, f32::NEG_INFINITY, 1e-45, -0.7];
    let pick = |n: u64| values[(n % values.len() as u64) as usize];
    Matrix::new(b, o, numbers(seed, b * o).into_iter().map(pick).collect()).unwrap()
}

/// Flips of which about the share `p` is asked for, `(rows, cols)`.
pub(crate) fn flips(seed: u64, rows: usize, cols: usize, p: f64) -> BitTensor {
    mask(seed, 8, rows, cols, Probability::new(p).unwrap())
}

// ---- between the library and the oracle -------------------------------------------------------------------

/// The same bits in the oracle's axes.
pub(crate) fn oracle<const R: usize>(bits: &BitTensor, shape: [usize; R]) -> Bits<R> {
    let row = |r| (0..bits.cols()).map(move |c| bits.get(r, c));
    Tensor::new(shape, (0..bits.rows()).flat_map(row).collect())
}

/// The same numbers in the oracle's axes, `(b, x)`.
pub(crate) fn oracle_reals(x: &Matrix) -> Tensor<f32, 2> {
    Tensor::new([x.rows(), x.cols()], x.values().to_vec())
}

/// Weights `(o, d i)` as `doi`.
pub(crate) fn oracle_weights(w: &BitTensor, depth: usize) -> Bits<3> {
    let inputs = w.cols() / depth;
    Tensor::from_fn([depth, w.rows(), inputs], |[k, o, i]| w.get(o, k * inputs + i))
}

/// `w ^ flips`
pub(crate) fn flipped<const R: usize>(w: &Bits<R>, flips: &Bits<R>) -> Bits<R> {
    Tensor::from_fn(w.shape, |at| w[at] ^ flips[at])
}

/// What BMA makes of the integer sums over `n` gates: a rounded factor `1 / sqrt(n)`, because that is what an
/// exported network multiplies with. The oracle divides and rounds once; the two are less than 2^-22 apart.
pub(crate) fn scores(sums: &Tensor<i32, 2>, n: usize) -> Matrix {
    let scale = 1.0 / (n as f32).sqrt();
    Matrix::new(sums.shape[0], sums.shape[1], sums.data.iter().map(|&s| s as f32 * scale).collect()).unwrap()
}

// ---- layers -----------------------------------------------------------------------------------------------

pub(crate) fn bits(value: Value) -> BitTensor {
    value.into_bits("test").unwrap()
}

pub(crate) fn vote() -> Box<dyn Rule> {
    Box::new(Vote::new())
}

/// Receives a signal and sends flips.
pub(crate) fn exchange(layer: &mut impl Layer, cx: &Context, signal: Signal) -> BitTensor {
    layer.receive(cx, signal).unwrap();
    sent(layer, cx)
}

/// The flips that a layer sends.
pub(crate) fn sent(layer: &mut impl Layer, cx: &Context) -> BitTensor {
    layer.send(cx).unwrap().into_flip("test").unwrap()
}

/// Stands between two layers, changes nothing, and remembers the signal that went through.
#[derive(Default)]
pub(crate) struct Tap {
    /// The last signal received.
    pub(crate) signal: Option<Signal>,
    /// What every second forward pass gives in place of its input: the changed input of an FBF step.
    pub(crate) changed: Option<Value>,
    passes: usize,
}

impl Tap {
    /// A tap whose second forward pass gives `changed`.
    pub(crate) fn changing_to(changed: Value) -> Self {
        Self { changed: Some(changed), ..Self::default() }
    }
}

impl Layer for Tap {
    fn name(&self) -> &'static str {
        "tap"
    }

    fn forward(&mut self, _cx: &Context, x: Value) -> Result<Value> {
        self.passes += 1;
        Ok(self.changed.clone().filter(|_| self.passes.is_multiple_of(2)).unwrap_or(x))
    }

    fn receive(&mut self, _cx: &Context, signal: Signal) -> Result<()> {
        self.signal = Some(signal);
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        Ok(self.signal.clone().expect("a tap receives before it sends"))
    }

    fn state(&mut self, _: &mut State) -> Result<()> {
        Ok(())
    }
}
