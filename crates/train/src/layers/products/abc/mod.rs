//! The layer of ABC-Net: real weights and activations, each as a sum of several bits (arXiv:1711.11294).
//!
//! With [bases](bases) `W ~ sum_m a_m B_m` and [thresholds](thresholds) `x ~ sum_n beta_n A_n` the product is
//! `y = sum_mn a_m beta_n (A_n B_m^T)`: M N products of bits. x: (b, i) real, W: (o, i), y: (b, o) real.
//!
//! Back, with `D = sum_n beta_n dy^T A_n` and `G = sum_m a_m dy B_m`: the sign of each base passes its gradient on, so
//! `dW = (sum_m a_m) D`; `dbeta_n = sum G A_n`, `dv_n = beta_n sum G [0 <= x + v_n <= 1]`,
//! `dx = G sum_n beta_n [0 <= x + v_n <= 1]`. The factors a are solved for again after each step, not learned.

use onebit_bits::{BitTensor, Geometry, Isa, vectorized};

use crate::{
    contract::{
        check::{check_cols, check_shape, check_sizes, kept, take},
        context::Context,
        layer::Layer,
        meter::{Observation, Parameters},
        state::State,
        value::{Signal, Value},
    },
    error::{Error, Result},
    numeric::{jobs::JOB, matrix::Matrix},
    optimizers::Optimizer,
};

mod bases;
mod product;
mod thresholds;

use bases::Bases;
use product::{Dense, Product, Walking};
use thresholds::{Slopes, Thresholds};

/// The most bases and thresholds: those of the paper.
const MOST: usize = 5;

/// M bases of weights times N bits of activations; dense or a convolution.
pub struct Abc {
    product: Box<dyn Product>,
    bases: Bases,
    thresholds: Thresholds,
    packed: Option<Isa>,
    stale: bool,
    kept: Option<Kept>,
    dy: Option<Matrix>,
    dx: Option<Matrix>,
    slopes: Slopes,
}

/// What a forward pass leaves: x, (b, i), and its bits.
struct Kept {
    x: Matrix,
    bits: Vec<BitTensor>,
}

impl Abc {
    /// Real inputs (b, inputs) to sums (b, outputs), with `bases` and `thresholds` of 1 to 5. `optimizer` makes one for the
    /// weights, the shifts v and the factors beta each.
    ///
    /// Weights start uniform in `+-1 / sqrt(inputs)`, thresholds evenly from -1 to 1 (0 for a single one),
    /// factors beta at `1 / thresholds`.
    ///
    /// # Errors
    /// [`Error::Setting`] when a size is 0, or bases or thresholds are not from 1 to 5.
    pub fn dense<O: Optimizer + 'static>(
        inputs: usize,
        outputs: usize,
        (bases, thresholds): (usize, usize),
        optimizer: impl Fn() -> O,
        seed: u64,
    ) -> Result<Self> {
        check_sizes("abc_dense", [inputs, outputs, 1])?;
        Self::new(Box::new(Dense::new(inputs, outputs)), (bases, thresholds), optimizer, seed)
    }

    /// A convolution of images of `size` = (h, w) pixels: (b * h * w, c_in) to (b * h' * w', c_out).
    ///
    /// # Errors
    /// As [`dense`](Self::dense), and those of [`Geometry::output`].
    pub fn conv<O: Optimizer + 'static>(
        conv: Geometry,
        size: (usize, usize),
        (bases, thresholds): (usize, usize),
        optimizer: impl Fn() -> O,
        seed: u64,
    ) -> Result<Self> {
        check_sizes("abc_conv", [conv.c_in, conv.c_out, 1])?;
        Self::new(Box::new(Walking::new(conv, size)?), (bases, thresholds), optimizer, seed)
    }

    fn new<O: Optimizer + 'static>(
        product: Box<dyn Product>,
        (bases, thresholds): (usize, usize),
        optimizer: impl Fn() -> O,
        seed: u64,
    ) -> Result<Self> {
        for (what, count) in [("bases", bases), ("thresholds", thresholds)] {
            if !(1..=MOST).contains(&count) {
                return Err(Error::setting(
                    format!("{} {what}", product.name()),
                    format!("1 to {MOST}"),
                    count,
                ));
            }
        }
        Ok(Self {
            bases: Bases::new(product.weights(), bases, optimizer(), seed)?,
            thresholds: Thresholds::new(thresholds, &optimizer),
            product,
            packed: None,
            stale: false,
            kept: None,
            dy: None,
            dx: None,
            slopes: Slopes::default(),
        })
    }

    /// Starts from these weights, `(o, i)`, row-major.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of them.
    pub fn with_weights(mut self, weights: Vec<f32>) -> Result<Self> {
        self.bases.restart(weights)?;
        Ok(self)
    }

    /// Starts from these shifts v and factors beta, `(n)` both.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of them.
    pub fn with_activations(mut self, shifts: Vec<f32>, factors: Vec<f32>) -> Result<Self> {
        self.thresholds.restart(shifts, factors)?;
        Ok(self)
    }

    /// The real weights, `(o, i)`, row-major.
    pub fn weights(&self) -> &[f32] {
        self.bases.weights.values()
    }

    /// The bases `B_m`, `(o, i)` bits each, and their factors `a_m`.
    pub fn bases(&self) -> (&[BitTensor], &[f32]) {
        (&self.bases.bits, &self.bases.factors)
    }

    /// The shifts v and factors beta of the activations, `(n)` both.
    pub fn activations(&self) -> (&[f32], &[f32]) {
        (self.thresholds.shifts.values(), self.thresholds.factors.values())
    }

    /// `dL/dv` and `dL/dbeta`, `(n)` both, of the last signal received.
    pub fn activation_gradients(&self) -> Option<(&[f32], &[f32])> {
        self.dy.as_ref().map(|_| (&self.slopes.shifts[..], &self.slopes.factors[..]))
    }

    /// `dL/dW`, `(o, i)`, of the signal received.
    ///
    /// # Errors
    /// [`Error::Sequence`] when nothing was received.
    pub fn weight_gradient(&self, cx: &Context) -> Result<Matrix> {
        let name = self.product.name();
        let Kept { bits, .. } = kept(&self.kept, name, "update", "forward pass")?;
        let dy = kept(&self.dy, name, "update", "signal")?;
        let ((o, i), engine) = (self.bases.shape, &cx.engine);
        let (mut dy_t, mut one, mut dw) = (cx.matrix(o, dy.rows()), cx.matrix(o, i), cx.matrix(o, i));
        dy.transpose_into(engine, &mut dy_t)?;
        dw.values_mut().fill(0.0);
        let passed_on: f32 = self.bases.factors.iter().sum();
        for (bits, beta) in bits.iter().zip(self.thresholds.factors.values()) {
            self.product.dw(engine, dy_t.values(), bits, one.values_mut())?;
            add(cx, &mut dw, passed_on * beta, one.values())?;
        }
        cx.recycle([dy_t, one]);
        Ok(dw)
    }

    /// Bases and packed weights as the real weights are now.
    fn prepare(&mut self, cx: &Context) -> Result<()> {
        if self.stale {
            self.bases.fit(&cx.engine)?;
            (self.stale, self.packed) = (false, None);
        }
        if self.packed != Some(cx.engine.isa()) {
            self.product.pack(&cx.engine, &self.bases.bits)?;
            self.packed = Some(cx.engine.isa());
        }
        Ok(())
    }
}

/// `to += by * from`
fn add(cx: &Context, to: &mut Matrix, by: f32, from: &[f32]) -> Result<()> {
    let isa = cx.engine.isa();
    Ok(cx.engine.chunks((to.values_mut(), from), JOB, |_, (to, from)| add_part(isa, to, by, from))?)
}

vectorized! {
    fn add_part<'a>(to: &'a mut [f32], by: f32, from: &'a [f32]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to += by * from;
        }
    }
}

vectorized! {
    fn add_sums<'a>(to: &'a mut [f32], by: f32, sums: &'a [i32]) {
        for (to, sum) in to.iter_mut().zip(sums) {
            *to += by * *sum as f32;
        }
    }
}

impl Layer for Abc {
    fn name(&self) -> &'static str {
        self.product.name()
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let x = x.into_real(self.product.name())?;
        check_cols(self.product.name(), self.product.inputs(), x.cols())?;
        self.prepare(cx)?;
        let (engine, isa) = (&cx.engine, cx.engine.isa());
        let mut y = cx.matrix(self.product.output_rows(x.rows())?, self.bases.shape.0);
        y.values_mut().fill(0.0);
        let (bits, mut sums) = (self.thresholds.bits(engine, &x)?, vec![0; y.values().len()]);
        for (bits, beta) in bits.iter().zip(self.thresholds.factors.values()) {
            for (base, factor) in self.bases.factors.iter().enumerate() {
                self.product.sums(engine, bits, base, &mut sums)?;
                engine.chunks((y.values_mut(), &sums[..]), JOB, |_, (y, sums)| {
                    add_sums(isa, y, beta * factor, sums);
                })?;
            }
        }
        cx.recycle(self.kept.replace(Kept { x, bits }).map(|kept| kept.x));
        cx.recycle(self.dy.take());
        cx.recycle(self.dx.take());
        if !cx.training() {
            cx.recycle(self.kept.take().map(|kept| kept.x));
        }
        Ok(Value::Real(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let name = self.product.name();
        let dy = signal.into_grad(name)?;
        let Kept { x, .. } = kept(&self.kept, name, "receive", "forward pass")?;
        let shape = (self.product.output_rows(x.rows())?, self.bases.shape.0);
        check_shape(name, "a gradient", shape, dy.shape())?;
        let (mut grad, mut one) = (cx.matrix(x.rows(), x.cols()), cx.matrix(x.rows(), x.cols()));
        grad.values_mut().fill(0.0);
        for (base, factor) in self.bases.factors.iter().enumerate() {
            self.product.dx(&cx.engine, dy.values(), x.rows(), base, one.values_mut())?;
            add(cx, &mut grad, *factor, one.values())?;
        }
        self.slopes = self.thresholds.backward(cx, x, &mut grad)?;
        cx.recycle([one]);
        cx.recycle(self.dx.replace(grad));
        cx.recycle(self.dy.replace(dy));
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        take(&mut self.dx, self.product.name(), "send", "signal").map(Signal::Grad)
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        let dw = self.weight_gradient(cx)?;
        self.bases.weights.step(&cx.engine, dw.values(), rate as f32)?;
        cx.recycle([dw]);
        self.thresholds.shifts.step(&cx.engine, &self.slopes.shifts, rate as f32)?;
        self.thresholds.factors.step(&cx.engine, &self.slopes.factors, rate as f32)?;
        let flips = self.bases.fit(&cx.engine)?;
        self.bases.flipped.count(flips, self.parameters().bits);
        self.packed = None;
        Ok(())
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.stale = true;
        self.bases.state(state)?;
        self.thresholds.state(state)
    }

    fn observe(&mut self) -> Observation {
        Observation { update_ratio: self.bases.flipped.take(), ..Observation::default() }
    }

    fn parameters(&self) -> Parameters {
        let ((o, i), bases) = (self.bases.shape, self.bases.bits.len());
        Parameters { bits: bases * o * i, reals: bases + 2 * self.thresholds.shifts.values().len() }
    }
}
