//! The binary dense layer of straight-through training (arXiv:1602.02830).
//!
//! Forward: `y = x w^T`, x `(b, i)` real, bits or bits under dropout, w `(o, i)` bits, y `(b, o)` real.
//! Backward: `dx = dy w` and `dw = dy^T x`, the gradient with respect to the *binary* weight.
//!
//! The layer has no bias, because batch normalization follows: it subtracts the mean and adds its own shift.

use onebit_bits::{BitTensor, Engine, Noise, product, vectorized};

use crate::{
    contract::{
        check::{check_cols, check_shape, check_sizes, kept},
        context::Context,
        export::Exporter,
        layer::{Layer, Weights},
        meter::{Observation, Parameters},
        rounding::{self, Precision, Rounding},
        rule::Rule,
        state::State,
        value::{Signal, Value},
        weight_gradient,
        weight_gradient::{Operand, WeightGradient},
    },
    error::Result,
    layers::products::{active_rows::ActiveRows, scaling},
    numeric::{jobs::job_of_rows, matrix::Matrix},
    rules::binary_tensor::BinaryTensor,
};

/// A dense layer with binary weights, of real, binary or ternary inputs, with real sums.
pub struct Dense {
    weights: BinaryTensor, // (o, i)
    x: Option<Value>,      // (b, i); of bits, only the rows of samples that ask, once a signal has told
    dy: Option<Matrix>,    // (b, o), the same rows
    asking: ActiveRows,
    precision: Precision,
    seed: u64,
    step: u64,
    memory: Memory,
}

/// Buffers that are reused from step to step.
#[derive(Default)]
struct Memory {
    sums: Vec<i32>,         // (b, o)
    weights_sums: Vec<f32>, // (o)
    dy: rounding::Memory,   // (b, o)
    gradient: weight_gradient::Memory,
}

impl Dense {
    /// Creates a layer with weights `(outputs, inputs)`, which `rule` starts and flips.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) if a size is 0.
    pub fn new(inputs: usize, outputs: usize, rule: Box<dyn Rule>, seed: u64) -> Result<Self> {
        check_sizes("dense", [inputs, outputs, 1])?;
        let weights = BinaryTensor::new(outputs, inputs, rule, seed)?;
        let (x, dy, asking, precision, step, memory) = Default::default();
        Ok(Self { weights, x, dy, asking, precision, seed, step, memory })
    }

    /// Rounds gradients before they are multiplied by bits: for `dx`, and for `dw` if x is bits.
    #[must_use]
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// The weights, `(o, i)` bits.
    pub fn weights(&self) -> &BitTensor {
        self.weights.bits()
    }

    /// The rule that flips the weights, for example to read the latent weights of
    /// [`Latent`](crate::rules::Latent).
    pub fn rule(&self) -> &dyn Rule {
        self.weights.rule()
    }

    /// `dL/dw`, `(o, i)`, of the signal received.
    ///
    /// # Errors
    /// [`Error::Sequence`](crate::Error::Sequence) if no signal was received.
    pub fn weight_gradient(&self, cx: &Context) -> Result<Matrix> {
        let x = kept(&self.x, "dense", "update", "forward pass")?;
        let dy = kept(&self.dy, "dense", "update", "signal")?;
        WeightGradient::new(dy, Operand::Whole(x), self.rounding(1), &mut weight_gradient::Memory::default())
            .matrix(cx)
    }

    /// The first or second rounding of a step.
    fn rounding(&self, which: u64) -> Rounding {
        let step = self.step.wrapping_mul(2) + which;
        self.precision.rounding(Noise { seed: self.seed, step })
    }
}

/// `y = scale (sum - shift)`. sums: (b, o), shift: (o), y: (b, o)
fn convert(engine: &Engine, sums: &[i32], scale: f32, shift: &[f32], y: &mut Matrix) -> Result<()> {
    Ok(engine.chunks((y.values_mut(), sums), job_of_rows(shift.len()), |_, (y, sums)| {
        to_real(engine.isa(), sums, scale, shift, y);
    })?)
}

vectorized! {
    /// [`convert`] of whole rows.
    fn to_real<'a>(sums: &'a [i32], scale: f32, shift: &'a [f32], y: &'a mut [f32]) {
        let outputs = shift.len();
        for (y, sums) in y.chunks_exact_mut(outputs).zip(sums.chunks_exact(outputs)) {
            for ((y, sum), shift) in y.iter_mut().zip(sums).zip(shift) {
                *y = scale * (*sum as f32 - shift);
            }
        }
    }
}

impl Layer for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let (outputs, inputs) = self.weights.bits().shape();
        check_cols("dense", inputs, x.cols())?;
        let mut y = cx.matrix(x.rows(), outputs);
        let Self { weights, memory: Memory { sums, weights_sums: shift, .. }, .. } = self;
        let engine = &cx.engine;
        match &x {
            Value::Real(x) => {
                product(engine, x.values(), weights.rows_for_reals(engine), y.values_mut())?;
            }
            Value::Bits(x) => product(engine, x.view(), weights.rows(engine), y.values_mut())?,
            Value::Bytes(x) => {
                sums.resize(y.values().len(), 0);
                product(engine, x.values(), weights.rows_for_reals(engine), &mut sums[..])?;
                shift.clear();
                shift.extend((0..outputs).map(|row| {
                    let ones: u32 = weights.bits().row(row).iter().map(|word| word.count_ones()).sum();
                    x.mean() * (2.0 * ones as f32 - inputs as f32)
                }));
                convert(engine, sums, x.scale(), shift, &mut y)?;
            }
            Value::Ternary(x, kept) => {
                sums.resize(y.values().len(), 0);
                product(engine, x, weights.rows(engine), &mut sums[..])?;
                shift.clear();
                shift.resize(outputs, 0.0);
                convert(engine, sums, *kept, shift, &mut y)?;
            }
        }
        scaling::multiply(cx, &mut y, self.weights.rule().scales())?;
        cx.recycle(self.x.replace(x));
        cx.recycle(self.dy.take());
        self.asking.all();
        if !cx.training() {
            cx.recycle(self.x.take());
        }
        Ok(Value::Real(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let dy = signal.into_grad("dense")?;
        let x = kept(&self.x, "dense", "receive", "forward pass")?;
        let rows = self.asking.of().unwrap_or(x.rows());
        check_shape("dense", "a gradient", (rows, self.weights.bits().rows()), dy.shape())?;
        self.step = self.step.wrapping_add(1);
        if let (Value::Bits(x), None) = (x, self.asking.of())
            && self.asking.pick(&dy)
        {
            let few = self.asking.bits(cx, x)?;
            cx.recycle(self.x.replace(Value::Bits(few)));
        }
        let dy = self.asking.gather(cx, dy);
        cx.recycle(self.dy.replace(dy));
        Ok(())
    }

    fn send(&mut self, cx: &Context) -> Result<Signal> {
        let rounding = self.rounding(0);
        let dy = kept(&self.dy, "dense", "send", "signal")?;
        let mut dx = cx.matrix(dy.rows(), self.weights.bits().cols());
        let scaled = scaling::scaled(cx, dy, self.weights.rule().scales())?;
        let dy = scaled.as_ref().unwrap_or(dy);
        let (engine, weights) = (&cx.engine, &mut self.weights);
        let dy = rounding.rows(engine, dy, &mut self.memory.dy)?;
        let w = if dy.counts() { weights.columns(engine) } else { weights.columns_for_reals(engine) };
        dy.multiply(engine, w, dx.values_mut())?;
        cx.recycle(scaled);
        Ok(Signal::Grad(self.asking.scatter(cx, dx)))
    }

    /// Keeps the signal and replaces the input, so that the weights answer the signal for the new input.
    fn correct(&mut self, cx: &Context, x: &Value) -> Result<()> {
        let rows = kept(&self.x, "dense", "correct", "forward pass")?.rows();
        let expected = (self.asking.of().unwrap_or(rows), self.weights.bits().cols());
        check_shape("dense", "an input", expected, (x.rows(), x.cols()))?;
        let x = match (x, self.asking.of()) {
            (Value::Bits(x), Some(_)) => Value::Bits(self.asking.bits(cx, x)?),
            (x, _) => x.clone(),
        };
        cx.recycle(self.x.replace(x));
        Ok(())
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        let rounding = self.rounding(1);
        let x = kept(&self.x, "dense", "update", "forward pass")?;
        let dy = kept(&self.dy, "dense", "update", "signal")?;
        let mut gradient = WeightGradient::new(dy, Operand::Whole(x), rounding, &mut self.memory.gradient);
        self.weights.descend(cx, &mut gradient, rate)
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.count("step", &mut self.step)?;
        self.weights.state(state)
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        to.dense(self.weights.bits().clone())?;
        self.weights.rule().scales().map_or(Ok(()), |scales| to.factors(scales))
    }

    fn observe(&mut self) -> Observation {
        self.weights.observe()
    }

    fn binary_weights(&self) -> Option<Weights<'_>> {
        Some(Weights { bits: self.weights.bits(), taps: 1, rule: self.weights.rule() })
    }

    fn parameters(&self) -> Parameters {
        self.weights.parameters()
    }
}
