//! PNB, popcount-normalize-binarize, on materialized gates.

use onebit_bits::{BitTensor, Ternary};

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
    layers::flip::{
        popcount::sums,
        signals::{check_thresholds, flip2wish, grad2flip, sum_threshold},
    },
};

const NAME: &str = "pnb";

/// PNB, popcount-normalize-binarize: gates, in the layout of [`XnorWeight`](crate::layers::XnorWeight), to
/// bits, with no real number in the backward pass.
///
/// Forward, `bdoi -> bdo`: `bit_k = [s > t_k sqrt(N)]`, `N = d i`. Backward, `bdo -> bdoi`:
/// `g = sum_k sign(bit_k) flip_k`, then [`grad2flip`](crate::flip::grad2flip) on every gate.
///
/// ```
/// use onebit_bits::{BitTensor, Engine};
/// use onebit_train::{
///     Signal, Value,
///     layer::{Context, Layer},
///     layers::Pnb,
/// };
///
/// let cx = Context::train(&Engine::single());
/// let mut pnb = Pnb::new(4, 1, 1, &[0.5])?;
/// let gates = BitTensor::from_fn(1, 4, |_, f| f < 3); // s = 3 - 1 = 2 > 0.5 sqrt(4)
/// let y = pnb.forward(&cx, Value::Bits(gates.clone()))?.into_bits("y")?;
/// assert!(y.get(0, 0));
///
/// // the output should become 0: so should the gates that are 1
/// pnb.receive(&cx, Signal::Flip(y))?;
/// assert_eq!(pnb.send(&cx)?, Signal::Flip(gates));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Pnb {
    sizes: [usize; 3], // inputs, outputs, depth of the gates
    thresholds: Vec<f32>,
    kept: Kept<(BitTensor, BitTensor)>, // gates (b, d o i), output (b, d o)
    wish: Kept<Ternary>,                // (b, o)
}

impl Pnb {
    /// Creates the layer with these thresholds of the output, in standard deviations of a random sum.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) when a size is 0, without thresholds, or for one that is not
    /// finite.
    pub fn new(inputs: usize, outputs: usize, depth: usize, thresholds: &[f32]) -> Result<Self> {
        check_thresholds(thresholds)?;
        let sizes = check_sizes(NAME, [inputs, outputs, depth])?;
        Ok(Self {
            sizes,
            thresholds: thresholds.to_vec(),
            kept: Kept::by_forward(NAME),
            wish: Kept::by_receive(NAME),
        })
    }
}

impl Layer for Pnb {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let gates = x.into_bits(NAME)?; // (b, d o i)
        let [inputs, outputs, depth] = self.sizes;
        check_cols(NAME, inputs * outputs * depth, gates.cols())?;
        let limits: Vec<i32> = self.thresholds.iter().map(|&t| sum_threshold(t, inputs * depth)).collect();
        let s = sums(&gates, self.sizes);
        let y = BitTensor::from_fn(gates.rows(), limits.len() * outputs, |b, column| {
            s[b * outputs + column % outputs] >= limits[column / outputs]
        });
        self.kept.set(cx.training().then(|| (gates, y.clone())));
        self.wish.clear();
        Ok(Value::Bits(y))
    }

    fn receive(&mut self, _cx: &Context, signal: Signal) -> Result<()> {
        let flips = signal.into_flip(NAME)?;
        let (_, y) = self.kept.get("receive")?;
        check_shape(NAME, "a signal", y.shape(), flips.shape())?;
        self.wish.set(flip2wish(y, &flips, self.thresholds.len())?);
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        let [inputs, outputs, _] = self.sizes;
        let (gates, _) = self.kept.get("send")?;
        let wish = self.wish.get("send")?;
        Ok(Signal::Flip(BitTensor::from_fn(gates.rows(), gates.cols(), |b, column| {
            grad2flip(gates.get(b, column), f32::from(wish.get(b, column / inputs % outputs)))
        })))
    }

    fn state(&mut self, _state: &mut State) -> Result<()> {
        Ok(())
    }
}
