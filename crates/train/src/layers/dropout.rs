//! Inverted dropout (arXiv:1207.0580): silences inputs at random while training.
//!
//! Forward: `y = x m / q` with a mask `m` that is 1 with probability `q = 1 - rate`; backward
//! `dx = dy m / q`. In evaluation it does nothing. On bits the result is `{-1, 0, +1} / q`.

use onebit_bits::{BitTensor, Probability, Ternary, mask};

use crate::{
    error::{Error, Result},
    export::Exporter,
    layer::{Context, Layer, check_shape, kept},
    value::{Matrix, Signal, Value},
};

/// Drops a share of its inputs.
pub struct Dropout {
    keep: Probability,
    seed: u64,
    step: u64,
    mask: Option<BitTensor>,
    dx: Option<Matrix>,
}

impl Dropout {
    /// `rate`: share of inputs silenced, from 0 to below 1, kept to the nearest 1/65536. The MNIST network
    /// of arXiv:1602.02830 uses 0.2 on its input and 0.5 on hidden bits; near 1 nothing is left to learn
    /// from.
    ///
    /// # Errors
    /// [`Error::Setting`] outside the range.
    pub fn new(rate: f64, seed: u64) -> Result<Self> {
        if !(0.0..1.0).contains(&rate) {
            return Err(Error::setting("dropout", "a share from 0 to below 1", rate));
        }
        let keep = Probability::new(1.0 - rate)?;
        Ok(Self { keep, seed, step: 0, mask: None, dx: None })
    }

    fn scale(&self) -> f32 {
        (1.0 / self.keep.get()) as f32
    }
}

impl Layer for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        (self.mask, self.dx) = (None, None);
        if !cx.training() {
            return Ok(x);
        }
        self.step += 1;
        let mask = mask(self.seed, self.step, x.rows(), x.cols(), self.keep);
        let y = match x {
            Value::Real(mut x) => {
                silence(&mut x, &mask, self.scale());
                Value::Real(x)
            }
            Value::Bits(x) => Value::Dropped(Ternary::new(x.and(mask.view())?, mask.clone())?, self.scale()),
            Value::Dropped(..) => {
                return Err(Error::Kind { layer: "dropout", expected: "bits", got: "bits under dropout" });
            }
        };
        self.mask = Some(mask);
        Ok(y)
    }

    fn receive(&mut self, _cx: &Context, signal: Signal) -> Result<()> {
        let mut grad = signal.into_grad("dropout")?;
        let mask = kept(&self.mask, "dropout", "receive", "forward pass")?;
        check_shape("dropout", "a gradient", mask.shape(), grad.shape())?;
        silence(&mut grad, mask, self.scale());
        self.dx = Some(grad);
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        kept(&self.dx, "dropout", "send", "signal").cloned().map(Signal::Grad)
    }

    fn export(&self, _to: &mut Exporter) -> Result<()> {
        Ok(())
    }
}

/// `x * mask * scale`, in place.
fn silence(x: &mut Matrix, mask: &BitTensor, scale: f32) {
    let cols = mask.cols().max(1);
    for (b, row) in x.values_mut().chunks_exact_mut(cols).enumerate() {
        for (word, values) in mask.row(b).iter().zip(row.chunks_mut(64)) {
            for (bit, value) in values.iter_mut().enumerate() {
                *value = if word >> bit & 1 == 1 { *value * scale } else { 0.0 };
            }
        }
    }
}
