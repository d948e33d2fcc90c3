//! The binary dense layer of straight-through training (arXiv:1602.02830).
//!
//! Forward: `y = x w^T`, x `(b, i)` real, bits or bits under dropout, w `(o, i)` bits, y `(b, o)` real.
//! Backward: `dx = dy w` and `dw = dy^T x`, the gradient with respect to the *binary* weight.
//!
//! There is no bias: batch normalization follows, subtracts the mean and has its own shift.

use onebit_bits::{real_bits, real_bits_t, real_real, real_ternary, ternary_gemm, xnor_gemm};

use crate::{
    binary_tensor::BinaryTensor,
    error::Result,
    export::Exporter,
    layer::{Context, Layer, Observation, Parameters, check_cols, check_shape, check_sizes, kept},
    rules::Rule,
    value::{Matrix, Signal, Value},
};

/// Binary weights; real, binary or dropped inputs; real sums.
pub struct Dense {
    weights: BinaryTensor, // (o, i)
    x: Option<Value>,      // (b, i)
    dy: Option<Matrix>,    // (b, o)
    dw: Matrix,            // (o, i), memory only
}

impl Dense {
    /// Weights `(outputs, inputs)`, started and flipped by `rule`.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) when a size is 0.
    pub fn new(inputs: usize, outputs: usize, rule: Box<dyn Rule>, seed: u64) -> Result<Self> {
        check_sizes("dense", [inputs, outputs, 1])?;
        Ok(Self {
            weights: BinaryTensor::new(outputs, inputs, rule, seed)?,
            x: None,
            dy: None,
            dw: Matrix::default(),
        })
    }

    /// The weights, `(o, i)` bits.
    pub fn weights(&self) -> &onebit_bits::BitTensor {
        self.weights.bits()
    }

    /// The rule behind the weights, for example to read the latent weights of [`Latent`](crate::rules::Latent).
    pub fn rule(&self) -> &dyn Rule {
        self.weights.rule()
    }

    /// `dL/dw`, `(o, i)`, of the signal received.
    ///
    /// # Errors
    /// [`Error::Sequence`](crate::Error::Sequence) when nothing was received.
    pub fn weight_gradient(&self, cx: &Context) -> Result<Matrix> {
        self.weight_gradient_in(cx, Matrix::default())
    }

    /// [`weight_gradient`](Self::weight_gradient) in memory that is there already.
    fn weight_gradient_in(&self, cx: &Context, memory: Matrix) -> Result<Matrix> {
        let x = kept(&self.x, "dense", "update", "forward pass")?;
        let dy_t = kept(&self.dy, "dense", "update", "signal")?.transpose(); // (o, b)
        let mut dw = memory.reshaped(self.weights.bits().rows(), self.weights.bits().cols());
        match x {
            Value::Real(x) => {
                let sizes = (dy_t.rows(), x.rows(), x.cols());
                real_real(&cx.engine, sizes, dy_t.values(), x.values(), dw.values_mut())?;
            }
            Value::Bits(x) => real_bits(&cx.engine, dy_t.values(), x.view(), dw.values_mut())?,
            Value::Dropped(x, scale) => {
                real_ternary(&cx.engine, dy_t.values(), x, dw.values_mut())?;
                dw.values_mut().iter_mut().for_each(|g| *g *= scale);
            }
        }
        Ok(dw)
    }
}

impl Layer for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let w = self.weights.view();
        check_cols("dense", w.cols(), x.cols())?;
        let mut y = Matrix::zeros(x.rows(), w.rows());
        let mut sums = |kernel: &dyn Fn(&mut [i32]) -> onebit_bits::Result<()>, scale: f32| -> Result<()> {
            let mut sums = vec![0; y.values().len()];
            kernel(&mut sums)?;
            y.values_mut().iter_mut().zip(sums).for_each(|(y, s)| *y = scale * s as f32);
            Ok(())
        };
        match &x {
            Value::Real(x) => real_bits_t(&cx.engine, x.values(), w, y.values_mut())?,
            Value::Bits(x) => sums(&|s| xnor_gemm(&cx.engine, x.view(), w, s), 1.0)?,
            Value::Dropped(x, scale) => sums(&|s| ternary_gemm(&cx.engine, x, w, s), *scale)?,
        }
        self.x = cx.training().then_some(x);
        self.dy = None;
        Ok(Value::Real(y))
    }

    fn receive(&mut self, _cx: &Context, signal: Signal) -> Result<()> {
        let dy = signal.into_grad("dense")?;
        let x = kept(&self.x, "dense", "receive", "forward pass")?;
        check_shape("dense", "a gradient", (x.rows(), self.weights.bits().rows()), dy.shape())?;
        self.dy = Some(dy);
        Ok(())
    }

    fn send(&mut self, cx: &Context) -> Result<Signal> {
        let dy = kept(&self.dy, "dense", "send", "signal")?;
        let w = self.weights.view();
        let mut dx = Matrix::zeros(dy.rows(), w.cols());
        real_bits(&cx.engine, dy.values(), w, dx.values_mut())?;
        Ok(Signal::Grad(dx))
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        // A gradient of a new allocation each step would cost as much as the product: pages are not free.
        let memory = std::mem::take(&mut self.dw);
        let dw = Signal::Grad(self.weight_gradient_in(cx, memory)?);
        self.weights.update(cx, &dw, rate)?;
        self.dw = dw.into_grad("dense")?;
        Ok(())
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        to.dense(self.weights.bits().clone())
    }

    fn observe(&mut self) -> Observation {
        Observation { update_ratio: self.weights.take_update_ratio(), ..Observation::default() }
    }

    fn parameters(&self) -> Parameters {
        self.weights.parameters()
    }
}
