//! The popcount of materialized gates.

use onebit_bits::BitTensor;

use crate::{
    contract::{
        check::{check_cols, check_shape, check_sizes},
        context::Context,
        kept::Kept,
        layer::Layer,
        state::State,
        value::{Signal, Value},
    },
    error::Result,
    layers::{Normalize, flip::signals::grad2flip},
    numeric::matrix::Matrix,
};

const NAME: &str = "popcount";

/// Counts the gates of each output that are 1: gates, in the layout of
/// [`XnorWeight`](crate::layers::XnorWeight), to real numbers.
///
/// Forward, `bdoi -> bo`: `z = (n1 - N/2) / sqrt(N/4)`, `N = d i`; or BitBalance, `2 n1 - N`. Backward,
/// gradient to flips: [`grad2flip`](crate::flip::grad2flip) on every gate.
///
/// ```
/// use onebit_bits::{BitTensor, Engine};
/// use onebit_train::{
///     Matrix, Signal, Value,
///     layer::{Context, Layer},
///     layers::{Normalize, PopCount},
/// };
///
/// let cx = Context::train(&Engine::single());
/// let mut popcount = PopCount::new(4, 1, 1, Normalize::Binomial)?;
/// let gates = BitTensor::from_fn(1, 4, |_, f| f < 3); // n1 = 3, N = 4
/// let z = popcount.forward(&cx, Value::Bits(gates.clone()))?;
/// assert_eq!(z, Value::Real(Matrix::new(1, 1, vec![1.0])?));
///
/// // a smaller score: the gates that are 1 should become 0
/// popcount.receive(&cx, Signal::Grad(Matrix::new(1, 1, vec![0.1])?))?;
/// assert_eq!(popcount.send(&cx)?, Signal::Flip(gates));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct PopCount {
    sizes: [usize; 3], // inputs, outputs, depth
    normalize: Normalize,
    gates: Kept<BitTensor>,
    grad: Kept<Matrix>,
}

impl PopCount {
    /// Creates the layer, which counts over `depth` and `inputs`.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) when a size is 0.
    pub fn new(inputs: usize, outputs: usize, depth: usize, normalize: Normalize) -> Result<Self> {
        let sizes = check_sizes(NAME, [inputs, outputs, depth])?;
        Ok(Self { sizes, normalize, gates: Kept::by_forward(NAME), grad: Kept::by_receive(NAME) })
    }
}

impl Layer for PopCount {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let gates = x.into_bits(NAME)?; // (b, d o i)
        let [inputs, outputs, depth] = self.sizes;
        check_cols(NAME, inputs * outputs * depth, gates.cols())?;
        let scale = self.normalize.scale(inputs * depth);
        let z = sums(&gates, self.sizes).into_iter().map(|s| s as f32 * scale).collect();
        let y = Matrix::new(gates.rows(), outputs, z)?;
        self.gates.set(cx.training().then_some(gates));
        self.grad.clear();
        Ok(Value::Real(y))
    }

    fn receive(&mut self, _cx: &Context, signal: Signal) -> Result<()> {
        let grad = signal.into_grad(NAME)?;
        let gates = self.gates.get("receive")?;
        check_shape(NAME, "a gradient", (gates.rows(), self.sizes[1]), grad.shape())?;
        self.grad.set(grad);
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        let [inputs, outputs, _] = self.sizes;
        let gates = self.gates.get("send")?;
        let grad = self.grad.get("send")?;
        Ok(Signal::Flip(BitTensor::from_fn(gates.rows(), gates.cols(), |b, column| {
            grad2flip(gates.get(b, column), grad.values()[b * outputs + column / inputs % outputs])
        })))
    }

    fn state(&mut self, _state: &mut State) -> Result<()> {
        Ok(())
    }
}

/// Returns the +-1 sums of the gates, `bdoi -> bo`.
pub(crate) fn sums(gates: &BitTensor, [inputs, outputs, depth]: [usize; 3]) -> Vec<i32> {
    let mut sums = vec![-((depth * inputs) as i32); gates.rows() * outputs];
    for b in 0..gates.rows() {
        for column in (0..gates.cols()).filter(|&column| gates.get(b, column)) {
            sums[b * outputs + column / inputs % outputs] += 2;
        }
    }
    sums
}
