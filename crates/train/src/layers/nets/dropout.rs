//! Inverted dropout (arXiv:1207.0580).

use onebit_bits::{BitTensor, Engine, Probability, Ternary, mask_into, vectorized};

use crate::{
    contract::{
        check::check_shape,
        context::Context,
        export::Exporter,
        kept::Kept,
        layer::Layer,
        state::State,
        value::{Signal, Value},
    },
    error::{Error, Result},
    numeric::{jobs::job_of_rows, matrix::Matrix},
};

const NAME: &str = "dropout";

/// Sets a random share of its inputs to 0 in training (inverted dropout, arXiv:1207.0580).
///
/// Forward: `y = x m / q` with a mask `m` that is 1 with probability `q = 1 - rate`. Backward:
/// `dx = dy m / q`. x, y: `(b, x)`; bits become ternary numbers `{-1, 0, +1} / q`. In evaluation `y = x`.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Value,
///     layer::{Context, Layer},
///     layers::Dropout,
/// };
///
/// let mut dropout = Dropout::new(0.5, 7)?;
/// let x = Value::Real(Matrix::new(1, 1000, vec![1.0; 1000])?);
/// let y = dropout.forward(&Context::train(&Engine::single()), x.clone())?.into_real("y")?;
/// assert!(y.values().iter().all(|y| [0.0, 2.0].contains(y)));
/// assert!((450..550).contains(&y.values().iter().filter(|y| **y == 0.0).count()));
/// assert_eq!(dropout.forward(&Context::evaluate(&Engine::single()), x.clone())?, x);
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Dropout {
    keep: Probability,
    seed: u64,
    step: u64,
    mask: Kept<BitTensor>,
    dx: Kept<Matrix>,
}

impl Dropout {
    /// Creates dropout with `rate`, the share of inputs to drop, from 0 to below 1, rounded to the nearest
    /// 1/65536. The MNIST network of arXiv:1602.02830 uses 0.2 on its input and 0.5 on hidden bits; near 1
    /// nothing is left to learn from.
    ///
    /// # Errors
    /// [`Error::Setting`] for a rate outside the range.
    pub fn new(rate: f64, seed: u64) -> Result<Self> {
        if !(0.0..1.0).contains(&rate) {
            return Err(Error::setting(NAME, "a share from 0 to below 1", rate));
        }
        let keep = Probability::new(1.0 - rate)?;
        Ok(Self { keep, seed, step: 0, mask: Kept::by_forward(NAME), dx: Kept::by_receive(NAME) })
    }

    fn scale(&self) -> f32 {
        (1.0 / self.keep.get()) as f32
    }
}

impl Layer for Dropout {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        cx.recycle(self.mask.clear());
        cx.recycle(self.dx.clear());
        if !cx.training() {
            return Ok(x);
        }
        self.step = self.step.wrapping_add(1);
        let mut mask = cx.bits(x.rows(), x.cols());
        mask_into(self.seed, self.step, self.keep, &mut mask);
        let y = match x {
            x @ (Value::Real(_) | Value::Bytes(_)) => {
                let mut x = x.into_pooled_real(cx, NAME)?;
                silence(&cx.engine, &mut x, &mask, self.scale())?;
                Value::Real(x)
            }
            Value::Bits(mut x) => {
                x.keep(mask.view())?;
                let mut nonzero = cx.bits(mask.rows(), mask.cols());
                nonzero.flip(mask.view())?; // copies the mask, because `nonzero` was all 0
                Value::Ternary(Ternary::new(x, nonzero)?, self.scale())
            }
            Value::Ternary(..) => {
                return Err(Error::Kind { layer: NAME, expected: "real numbers or bits", got: x.kind() });
            }
        };
        self.mask.set(mask);
        Ok(y)
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let mut grad = signal.into_grad(NAME)?;
        let mask = self.mask.get("receive")?;
        check_shape(NAME, "a gradient", mask.shape(), grad.shape())?;
        silence(&cx.engine, &mut grad, mask, self.scale())?;
        cx.recycle(self.dx.replace(grad));
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        self.dx.take("send").map(Signal::Grad)
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.count("step", &mut self.step)
    }

    fn export(&self, _to: &mut Exporter) -> Result<()> {
        Ok(())
    }
}

/// `x * mask * scale`, in place.
fn silence(engine: &Engine, x: &mut Matrix, mask: &BitTensor, scale: f32) -> Result<()> {
    let cols = mask.cols();
    Ok(engine.chunks(x.values_mut(), job_of_rows(cols), |first, rows| {
        silence_rows(engine.isa(), rows, mask, first / cols, scale);
    })?)
}

vectorized! {
    /// Masks whole rows x, starting at row `first`.
    fn silence_rows<'a>(x: &'a mut [f32], mask: &'a BitTensor, first: usize, scale: f32) {
        for (row, x) in (first..).zip(x.chunks_exact_mut(mask.cols())) {
            for (word, x) in mask.row(row).iter().zip(x.chunks_mut(64)) {
                for (half, x) in [*word as u32, (word >> 32) as u32].into_iter().zip(x.chunks_mut(32)) {
                    for (bit, x) in x.iter_mut().enumerate() {
                        // all ones or all zeros, because a branch would not vectorize
                        let all = 0u32.wrapping_sub(half >> bit & 1);
                        *x = f32::from_bits((*x * scale).to_bits() & all);
                    }
                }
            }
        }
    }
}
